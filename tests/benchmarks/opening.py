"""From handing a file to a visible window to its table and its graph on the screen, and how long the window was held.

Beside it what the file's own framework takes to load it in a fresh process, and Netron in a web view of ours.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median

from tests.benchmarks import models
from tests.benchmarks.harness import ROOT, Figure, fresh, seconds_of

SAMPLES = ROOT / "resources" / "samples"
TIMES = 3
PROGRAM = """
import json, os, sys, tempfile, time
os.environ["INSPECTOR_SETTINGS"] = os.path.join(tempfile.mkdtemp(), "settings.json")
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
from inspector.app import main as program
app = program.Application(["inspector"])
told = {}

def window():
    from inspector.app.window import MainWindow
    return next((w for w in app.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible()), None)

def end():
    print(json.dumps(told), flush=True)
    window().close()

def give_up():
    os._exit(3)

QTimer.singleShot(100_000, give_up)
"""
OPEN = (
    PROGRAM
    + """
class Painted(QObject):
    "Calls back at the first painting that is true."
    def __init__(self, widget, true, done):
        super().__init__(widget)
        self.true, self.done = true, done
        widget.installEventFilter(self)
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and self.done is not None and self.true():
            done, self.done = self.done, None
            QTimer.singleShot(0, done)
        return False

gaps, last = [], [0.0, 0.0]
def beat():
    now = time.perf_counter(), time.thread_time()
    gaps.append((now[0] - last[0], now[1] - last[1]))
    last[:] = now
heart = QTimer(app, interval=2, timerType=Qt.TimerType.PreciseTimer)
heart.timeout.connect(beat)

def begin():
    if window() is None:
        QTimer.singleShot(20, begin)
        return
    QTimer.singleShot(1500, hand_over)  # a window that a user has before the eyes

def hand_over():
    global began
    began = time.perf_counter()
    last[:] = began, time.thread_time()
    heart.start()
    window().open_files([sys.argv[1]])
    page = window().page
    layers = page.show_page("layers")
    document = page.document
    keep.append(Painted(layers.table.viewport(), lambda: document.layers.count() > 0, table))

def table():
    told["table"] = time.perf_counter() - began
    graph = window().page.show_page("graph")
    keep.append(Painted(graph.view, lambda: graph.view.scene is not None, painted))

def painted():
    told["graph"] = time.perf_counter() - began
    told["gap"], told["work"] = max(gaps)
    told["held"] = max(min(gap) for gap in gaps)  # the window's own, whatever else the machine does
    end()

keep = []
QTimer.singleShot(0, begin)
sys.exit(program.main([]))
"""
)
NETRON = (
    PROGRAM
    + """
def begin():
    if window() is None:
        QTimer.singleShot(20, begin)
        return
    QTimer.singleShot(1500, hand_over)

def hand_over():
    global began
    began = time.perf_counter()
    window().open_files([sys.argv[1]])
    look()

def look():
    if not window().page.document.complete:
        QTimer.singleShot(5, look)
        return
    page = window().page.show_page("netron")
    page.rendered.connect(rendered)
    page.load()  # also where the graph is so large that a user is asked first

def rendered():
    told["netron"] = time.perf_counter() - began
    QTimer.singleShot(0, end)

QTimer.singleShot(0, begin)
sys.exit(program.main([]))
"""
)
LOAD = {
    ".onnx": ("onnx.load", "import onnx, sys; onnx.load(sys.argv[1])"),
    ".pt2": ("torch.export.load", "import torch, sys; torch.export.load(sys.argv[1])"),
    ".pt": ("torch.jit.load", "import torch, sys; torch.jit.load(sys.argv[1])"),
    ".keras": ("keras load_model", "import keras, sys; keras.models.load_model(sys.argv[1])"),
}


def figures() -> list[Figure]:
    """Samples, a large file, a deep one."""
    named = {
        "digits_mlp.pt2": SAMPLES / "digits_mlp.pt2",
        "digits_mlp.torchscript.pt": SAMPLES / "digits_mlp.torchscript.pt",
        "digits_keras.keras": SAMPLES / "digits_keras.keras",
        "digits_cnn.onnx": SAMPLES / "digits_cnn.onnx",
        "ONNX of 105 MB": models.large(),
        "ONNX of 5,000 nodes": models.deep(),
    }
    found = []
    for name, file in named.items():
        found += opening(name, file)
    return found


def opening(name: str, file: Path) -> list[Figure]:
    """The figures of one file."""
    runs = [fresh(OPEN, str(file)) for _ in range(TIMES)]
    table, graph, gap, work = (median(run[key] for run in runs) for key in ("table", "graph", "gap", "work"))
    loader, code = LOAD[file.suffix]
    loaded = median(seconds_of(code, str(file)) for _ in range(TIMES))
    beside = f"{loader}, fresh process"
    found = [Figure(f"{name}: window → table", table, "s", "≤ 1 s", beside, loaded)]
    if file.suffix == ".onnx":
        netron = fresh(NETRON, str(file))["netron"]
        found.append(Figure(f"{name}: window → graph", graph, "s", "≤ 1 s", "Netron in QtWebEngine", netron))
    else:
        found.append(Figure(f"{name}: window → graph", graph, "s", "≤ 1 s"))
    found.append(
        Figure(f"{name}: longest hold of the window", gap * 1000, "ms", "≤ 100 ms", "its own computing", work * 1000)
    )
    return found
