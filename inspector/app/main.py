"""The window's entry point: one QApplication, one window, files of later starts handed over."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QFileOpenEvent, QGuiApplication
from PySide6.QtWidgets import QApplication

from inspector import __version__
from inspector.registry import names
from inspector.settings import Settings

BEFORE_WORKER = ("numpy", "inspector.jobs.desk", "inspector.viewmodels.document")
BEFORE_TAB = (
    "inspector.app.docks",
    "inspector.views.model_page",
    "inspector.app.pages",
    "inspector.viewmodels.convert",
    "inspector.views.convert_panel",
)
"""What the first model needs, imported one by one between events once the window is there, so that it is never held;
its worker starts as soon as it can and boots meanwhile."""
REGISTRIES = ("inspector.formats", "inspector.engines.convert.edges")
"""What the convert panel looks through when the first model has been read; imported while it is read."""
BEFORE_GRAPH = (
    "inspector.engines.layout.hierarchy",
    "inspector.engines.layout.fold",
    "inspector.worker.tasks.fold",
    "inspector.worker.tasks.place",
    "inspector.viewmodels.graph_scene",
    "inspector.viewmodels.graph",
    "inspector.views.graph_style",
    "inspector.views.graph_paint",
    "inspector.views.graph_tiles",
    "inspector.views.graph_minimap",
    "inspector.views.graph_surface",
    "inspector.views.graph",
    "inspector.views.graph_page",
)
"""What the first look at a graph needs."""


class Application(QApplication):
    """The application; on macOS it is asked by event, instead of by argument, to open files.

    Against an event filter on the application: Python would see every event of every object, also those that the web
    engine sends to what is not whole yet, which crashes.
    """

    asked = Signal(list)
    """Files to open."""

    def event(self, event: QEvent) -> bool:
        """Take file-open events, leave the rest."""
        if isinstance(event, QFileOpenEvent) and event.file():
            self.asked.emit([event.file()])
            return True
        return super().event(event)


def files_of(arguments: list[str]) -> list[str]:
    """The files among the arguments, as absolute paths or as paths of `file:` addresses."""
    named = [argument for argument in arguments if argument != "--"]
    return [
        QUrl(name).toLocalFile() if name.startswith("file:") else str(Path(name).expanduser().absolute())
        for name in named
    ]


def main(arguments: list[str]) -> int:
    """Show the window with the files that are named; gives the exit status."""
    from inspector.app.instance import Instance, hand_over
    from inspector.views import look

    files = files_of(arguments)
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)  # for a web engine that comes later
    app = QApplication.instance() or Application([sys.argv[0] if sys.argv else "inspector"])
    assert isinstance(app, QApplication)
    app.setApplicationName("inspector")
    app.setApplicationDisplayName("Inspector")
    app.setApplicationVersion(__version__)
    QGuiApplication.setDesktopFileName("inspector")
    if hand_over(files):
        return 0
    instance = Instance(app)
    instance.listen()
    settings = Settings()
    look.apply(app, settings.theme)

    from inspector.app.window import MainWindow
    from inspector.viewmodels.workspace import Workspace

    workspace = Workspace(settings)
    window = MainWindow(workspace)
    to_open = files or [str(path) for path in workspace.session()]
    instance.asked.connect(window.come_forward)
    window.closing.connect(instance.close)
    if isinstance(app, Application):
        app.asked.connect(window.open_files)
    if to_open:
        window.expect()
    window.show()
    steps: list[Callable[[], object]] = [partial(import_module, name) for name in BEFORE_WORKER]
    if to_open:
        steps.append(workspace.prepare)
    steps += [partial(import_module, name) for name in BEFORE_TAB]
    steps.append(window.prepare)
    steps.append(partial(window.open_files, to_open))
    steps += [partial(import_module, name) for package in REGISTRIES for name in names(package)]
    if not to_open:
        steps.append(workspace.prepare)  # a reader stands by while the user looks for a file
    steps += [partial(import_module, name) for name in BEFORE_GRAPH]
    steps.append(gc.freeze)  # what was imported stays: a collection in the midst of work need not look at it
    _one_by_one(window, steps)
    _let_python_see_signals(app)
    status = app.exec()
    instance.close()
    window.deleteLater()
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # web pages must go before Python does
    return status


def _one_by_one(window: QObject, steps: list[Callable[[], object]]) -> None:
    """Take a step whenever the event loop has nothing else to do."""

    def step() -> None:
        steps[0]()
        _one_by_one(window, steps[1:])

    if steps:
        QTimer.singleShot(0, window, step)


def _let_python_see_signals(app: QApplication) -> None:
    """Ctrl+C in the terminal closes the window: Python only runs its handlers when Qt gives it a turn."""
    signal.signal(signal.SIGINT, lambda *_: app.closeAllWindows())
    signal.signal(signal.SIGTERM, lambda *_: app.closeAllWindows())
    timer = QTimer(app)
    timer.timeout.connect(lambda: None)
    timer.start(250)
