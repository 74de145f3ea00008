"""Memory of each process: the share of it that would come back if the process ended (PSS), and all it has (RSS)."""

from __future__ import annotations

from tests.benchmarks.harness import ROOT, Figure, fresh
from tests.benchmarks.opening import PROGRAM

SAMPLE = ROOT / "resources" / "samples" / "digits_cnn.onnx"
OPEN = (
    PROGRAM
    + """
import psutil

def look():
    w = window()
    if w is None or w.page is None or not w.page.document.complete:
        QTimer.singleShot(50, look)
        return
    graph = w.page.show_page("graph")
    if graph.view.scene is None:
        QTimer.singleShot(50, look)
        return
    QTimer.singleShot(1000, weigh)

def weigh():
    here = psutil.Process()
    processes = {"window": here}
    for child in here.children(recursive=True):
        line = child.cmdline()
        if "--worker" in line:
            processes[line[line.index("--worker") + 1]] = child
    for name, process in processes.items():
        memory = process.memory_full_info()
        told[name] = [memory.rss / 1e6, getattr(memory, "pss", memory.uss) / 1e6]
    end()

QTimer.singleShot(0, look)
sys.exit(program.main([sys.argv[1]]))
"""
)
RUN = """
import json, sys, tempfile, os
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp()
import psutil
from inspector.jobs.recipe import Ask, Start
from inspector.jobs.terminal import run
from inspector.worker.tasks.session_open import TASK, SessionOpenArgs

def recipe():
    worker = yield Start("Measuring", sys.argv[1])
    yield Ask(worker, TASK, SessionOpenArgs(path=sys.argv[2], runtime=sys.argv[3], device=sys.argv[4]))
    child = next(c for c in psutil.Process().children(recursive=True) if "--worker" in c.cmdline())
    memory = child.memory_full_info()
    return [memory.rss / 1e6, getattr(memory, "pss", memory.uss) / 1e6]

print(json.dumps({"mb": run(recipe())}))
"""
BARE = """
import json, psutil
from PySide6.QtWidgets import QApplication, QMainWindow
app = QApplication([])
window = QMainWindow()
window.resize(1400, 900)
window.show()
app.processEvents()
print(json.dumps({"mb": psutil.Process().memory_info().rss / 1e6}))
"""
IMPORT = """
import json, psutil, {0}
print(json.dumps({{"mb": psutil.Process().memory_info().rss / 1e6}}))
"""
RUNTIMES = (
    ("torch", "digits_mlp.pt2", "torch", "torch:cpu", "torch"),
    ("tensorflow", "digits_keras.keras", "tensorflow", "tensorflow:cpu", "tensorflow"),
    ("", "digits_cnn.onnx", "onnxruntime", "onnxruntime:cpu", "onnxruntime"),
)
"""Framework of the worker, sample, runtime, device, and what is imported beside it."""


def figures() -> list[Figure]:
    """Window, document and layout worker with a model open, then a run worker of each framework."""
    bare = fresh(BARE)["mb"]
    found = []
    for name, (rss, pss) in fresh(OPEN, str(SAMPLE)).items():
        if name == "window":
            found.append(Figure("window, model and graph shown: RSS", rss, "MB", "≤ 250 MB", "bare QMainWindow", bare))
        else:
            found.append(Figure(f"{name} worker: RSS", rss, "MB"))
        found.append(Figure(f"{name}: PSS", pss, "MB"))
    for framework, sample, runtime, device, module in RUNTIMES:
        rss, _pss = fresh(RUN, framework, str(SAMPLE.with_name(sample)), runtime, device)["mb"]
        imported = fresh(IMPORT.format(module))["mb"]
        found.append(Figure(f"run worker, {runtime}, model open: RSS", rss, "MB", "", f"import {module}", imported))
    return found
