"""From starting the program to its window on the screen, beside a bare QMainWindow."""

from __future__ import annotations

from statistics import median

from tests.benchmarks.harness import Figure, fresh

TIMES = 7
WINDOW = """
import json, os, resource, sys, tempfile, time
os.environ["INSPECTOR_SETTINGS"] = os.path.join(tempfile.mkdtemp(), "settings.json")
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

class Watch(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and isinstance(watched.window(), QMainWindow) and not shown:
            shown.append(time.time() - T0)
            QTimer.singleShot(300, finish)
        return False

def finish():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": shown[0], "mb": peak}), flush=True)
    QApplication.instance().closeAllWindows()

shown = []
app = QApplication([])
watch = Watch()
app.installEventFilter(watch)
"""
OURS = WINDOW + "from inspector.app.main import main\nmain([])\n"
BARE = WINDOW + "window = QMainWindow()\nwindow.resize(1400, 900)\nwindow.show()\napp.exec()\n"


def figures() -> list[Figure]:
    """Cold start and memory of the empty window."""
    ours, bare = [], []
    for _ in range(TIMES):
        ours.append(fresh(OURS))
        bare.append(fresh(BARE))
    seconds, reference = (median(run["seconds"] for run in runs) for runs in (ours, bare))
    memory, bare_memory = (median(run["mb"] for run in runs) for runs in (ours, bare))
    return [
        Figure("cold start to visible window", seconds, "s", "≤ 0.5 s", "bare QMainWindow", reference),
        Figure("memory of the empty window", memory, "MB", "≤ 250 MB", "bare QMainWindow", bare_memory),
    ]
