"""Very large files: from handing one to a visible window to its first table, and the most memory of window and worker.

Beside it, in the same run, what the file's own library takes to load it, and Netron's server to hand it to a browser.

    python -m tests.benchmarks big                    all of them
    BIG=external,nodes python -m tests.benchmarks big  some of them, by name

The files are generated under build/benchmarks and deleted afterwards, but for those that are named in KEEP.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import big_models
from tests.benchmarks.harness import Figure, fresh
from tests.benchmarks.opening import PROGRAM

WINDOW = (
    PROGRAM
    + """
import psutil

class Painted(QObject):
    def __init__(self, widget, true, done):
        super().__init__(widget)
        self.true, self.done = true, done
        widget.installEventFilter(self)
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and self.done is not None and self.true():
            done, self.done = self.done, None
            QTimer.singleShot(0, done)
        return False

def peak(process):
    lines = open(f"/proc/{process.pid}/status").read().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))

def weigh(when):
    here = psutil.Process()
    workers = [c for c in here.children(recursive=True) if "--worker" in c.cmdline()]
    documents = [c for c in workers if c.cmdline()[c.cmdline().index("--worker") + 1] == "document"]
    spent = max((sum(c.cpu_times()[:2]) for c in documents), default=0.0)
    told[when] = [peak(here), max(map(peak, documents), default=0.0), spent]

def begin():
    if window() is None:
        QTimer.singleShot(20, begin)
        return
    QTimer.singleShot(1500, hand_over)

def hand_over():
    global began, page
    began = time.perf_counter()
    window().open_files([sys.argv[1]])
    page = window().page
    layers = page.show_page("layers")
    document = page.document
    keep.append(Painted(layers.table.viewport(), lambda: document.layers.count() > 0, table))
    document.state_changed.connect(lambda: document.error is not None and fail(document.error))

def fail(error):
    print(json.dumps({"error": f"{error}"}), flush=True)
    os._exit(0)

def table():
    told["table"] = time.perf_counter() - began
    weigh("first")
    if not page.document.totals.nodes:
        settle()
        return
    graph = page.show_page("graph")
    keep.append(Painted(graph.view, lambda: graph.view.scene is not None, painted))

def painted():
    told["graph"] = time.perf_counter() - began
    weigh("first")
    settle()

def settle():
    if not page.document.complete:
        QTimer.singleShot(100, settle)
        return
    told["complete"] = time.perf_counter() - began
    weigh("whole")
    end()

keep = []
QTimer.singleShot(900_000, give_up)
QTimer.singleShot(0, begin)
sys.exit(program.main([]))
"""
).replace("QTimer.singleShot(100_000, give_up)", "")

TIMED = """
import json, resource, sys, time
began = time.perf_counter()
{0}
told = {{"seconds": time.perf_counter() - began, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}}
print(json.dumps(told))
"""
ONNX = "import onnx; model = onnx.load(sys.argv[1])"
SAFETENSORS = """
from safetensors import safe_open
from pathlib import Path
path = Path(sys.argv[1])
names = [path]
if path.suffix == ".json":
    names = sorted({path.parent / name for name in json.loads(path.read_text())["weight_map"].values()})
shapes = {}
for name in names:
    with safe_open(name, "np") as file:
        shapes.update({key: file.get_slice(key).get_shape() for key in file.keys()})
"""
TORCH = "import torch; state = torch.load(sys.argv[1], mmap=True, map_location='cpu')"
KERAS = "import keras; model = keras.models.load_model(sys.argv[1])"
NETRON = """
import netron, shutil, urllib.request
address, port = netron.serve(sys.argv[1], None, ("localhost", 0))
class Nothing:
    def write(self, data):
        return len(data)
name = sys.argv[1].rpartition("/")[2]
page = urllib.request.urlopen(f"http://{address}:{port}/").read()
with urllib.request.urlopen(f"http://{address}:{port}/data/{name}") as answer:
    shutil.copyfileobj(answer, Nothing())
"""

Case = tuple[str, Callable[[], Path], str, str, str]
CASES: dict[str, Case] = {
    "external": ("ONNX, 3.2 GB of external data", big_models.external, "onnx.load", ONNX, "≤ 1 s, < 500 MB"),
    "shards": ("safetensors, 3.2 GB in 4 shards", big_models.shards, "safe_open", SAFETENSORS, "≤ 1 s, < 500 MB"),
    "checkpoint": ("state dict, 3.2 GB", big_models.checkpoint, "torch.load(mmap=True)", TORCH, "≤ 1 s, < 500 MB"),
    "layers": (".keras of 800 layers", big_models.layers, "keras load_model", KERAS, "≤ 1 s"),
    "entries": ("safetensors of 700,000 tensors", big_models.entries, "safe_open", SAFETENSORS, "≤ 10 s"),
    "nodes": ("ONNX of 1,000,000 nodes", big_models.nodes, "onnx.load", ONNX, "≤ 10 s, ≤ 2048 MB"),
}


def figures() -> list[Figure]:
    """Each case that is wanted."""
    wanted = [name for name in os.environ.get("BIG", "").split(",") if name] or list(CASES)
    found: list[Figure] = []
    try:
        for name in wanted:
            print(f"   {name} …", flush=True)
            try:
                found += case(*CASES[name])
            except (RuntimeError, OSError) as error:  # the others are measured all the same
                print(f"   not measured: {str(error).strip().splitlines()[-1][:300]}", flush=True)
    finally:
        if "KEEP" not in os.environ:
            big_models.discard()
    return found


def case(words: str, make: Callable[[], Path], library: str, code: str, goal: str) -> list[Figure]:
    """The figures of one file."""
    file = make()
    ours = fresh(WINDOW, str(file))
    if "error" in ours:
        raise RuntimeError(ours["error"])
    theirs, netron = (loaded(each, file) for each in (code, NETRON))
    window, worker, spent = ours["first"]
    seconds, _, size = goal.partition(", ")
    found = [
        Figure(f"{words}: window → first table", ours["table"], "s", seconds, library, theirs.get("seconds")),
        Figure("   memory of the worker at the first view", worker, "MB", size, library, theirs.get("mb")),
        Figure("   memory of the window at the first view", window, "MB"),
    ]
    found.append(Figure("   computing of the worker until the first view", spent, "s"))
    if "graph" in ours:
        found.append(Figure("   window → folded graph", ours["graph"], "s", seconds))
    window, worker, spent = ours["whole"]
    found += [
        Figure("   window → every figure known, rows loaded", ours["complete"], "s"),
        Figure("   computing of the worker in all", spent, "s"),
        Figure("   memory of the worker at most", worker, "MB", size, "Netron's server", netron.get("mb")),
        Figure("   memory of the window at most", window, "MB"),
        Figure("   Netron's server → the file is handed over", netron.get("seconds", float("nan")), "s"),
    ]
    return found


def loaded(code: str, file: Path) -> dict[str, float]:
    """Seconds and memory of a fresh process that runs this; nothing where it fails."""
    try:
        told: dict[str, float] = fresh(TIMED.format(code), str(file))
    except (RuntimeError, OSError) as error:
        print(f"   failed: {str(error).strip().splitlines()[-1][:150]}", flush=True)
        return {}
    return told
