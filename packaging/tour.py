"""Drives the real window the way a user does: what the demo and the screenshots share.

Everything goes through the window's own buttons and its own workers. Waiting is an event loop that turns until
something is true, with a time limit: what does not come is a `TourError` that says what was waited for, and what the
window says about it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QCoreApplication, QEventLoop, QPoint, Qt, QTimer, qInstallMessageHandler
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from inspector.engines.latency.results import Bench
from inspector.jobs.requests import Conversion
from inspector.settings import Settings

if TYPE_CHECKING:
    from inspector.app.window import MainWindow
    from inspector.viewmodels.document import DocumentModel

W = TypeVar("W", bound=QWidget)
SIZE = (1400, 900)
LOOK_MS = 20
OPEN_S, CONVERT_S, MEASURE_S = 60.0, 600.0, 600.0
NOISE = ("propagateSizeHints", "QRhiGles2: Failed", "Failed to create RHI")
"""What Qt says where there is no screen or no graphics card; it concerns nobody."""


class TourError(Exception):
    """Something that was waited for did not come, or the window says that it went wrong."""


def no_display() -> str:
    """Why no window can be shown here, in half a sentence; empty when one can."""
    if sys.platform in ("win32", "darwin"):
        return ""
    if os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0] in ("offscreen", "minimal"):
        return f"QT_QPA_PLATFORM is {os.environ['QT_QPA_PLATFORM']}"
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        return "there is no display here"
    probe = "from PySide6.QtGui import QGuiApplication as A; A([]); import os; os._exit(0)"  # a failure aborts
    try:
        done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=30, check=False)
    except subprocess.TimeoutExpired:
        return "the display does not answer"
    if done.returncode == 0:
        return ""
    words = [line for line in done.stderr.splitlines() if line.strip()]
    return f"the display cannot be used ({words[0].strip()})" if words else "the display cannot be used"


def application() -> QApplication:
    """The application, made as the program itself makes it."""
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    from inspector.app.main import Application

    qInstallMessageHandler(_on_message)
    app = QApplication.instance() or Application(["inspector"])
    assert isinstance(app, QApplication)
    app.setApplicationName("inspector")
    app.setApplicationDisplayName("Inspector")
    return app


def _on_message(_kind: object, _where: object, message: str) -> None:
    if not any(words in message for words in NOISE):
        print(message, file=sys.stderr)


def new_window(theme: str = "light") -> MainWindow:
    """A window of the program, on the settings of this process."""
    app = application()
    from inspector.app.window import MainWindow
    from inspector.viewmodels.workspace import Workspace
    from inspector.views import look

    settings = Settings()
    settings.theme = theme
    look.apply(app, theme)
    window = MainWindow(Workspace(settings))
    window.resize(*SIZE)
    window.show()
    return window


class Tour:
    """A user at a window."""

    def __init__(self, window: MainWindow, say: Callable[[str], object] = lambda _words: None) -> None:
        self.window = window
        self.say = say
        self._gone = False
        window.destroyed.connect(self._on_gone)

    def _on_gone(self) -> None:
        self._gone = True

    # Waiting

    def wait(self, true: Callable[[], object], seconds: float, what: str) -> None:
        """Let the window run until this is true."""
        end = time.monotonic() + seconds
        while not true():
            if self._gone or not self.window.isVisible():
                raise TourError(f"The window was closed while waiting for {what}.")
            if time.monotonic() > end:
                raise TourError(f"Waited {seconds:.0f} s for {what}, and it did not come.")
            self.rest(LOOK_MS / 1000)

    def rest(self, seconds: float) -> None:
        """Let the window run for a while."""
        loop = QEventLoop()
        QTimer.singleShot(round(seconds * 1000), loop.quit)
        loop.exec()

    def settle(self) -> None:
        """Let what was just asked for be painted."""
        self.rest(0.25)
        QApplication.processEvents()

    # Finding and pressing

    def find(self, kind: type[W], name: str, within: QWidget | None = None) -> W:
        """A widget by its name, on the page in front."""
        found = (within or self.window.page or self.window).findChild(kind, name)
        if found is None:
            raise TourError(f"The window has no {name}.")
        return found

    def press(self, button: QAbstractButton) -> None:
        """Click a button that can be clicked."""
        if not button.isEnabled():
            raise TourError(f"The button {button.text()!r} is greyed: {button.toolTip() or 'no reason is given'}.")
        button.click()

    # Opening and pages

    def open(self, path: Path) -> DocumentModel:
        """Open a file and wait until its table is full."""
        self.window.open_files([str(path)])
        return self.opened(path)

    def opened(self, path: Path) -> DocumentModel:
        """Wait until the table of a file that is being opened is full."""
        path = path.absolute()

        def document() -> DocumentModel | None:
            return next((each for each in self.window.workspace.documents if each.path == path), None)

        def done() -> bool:
            found = document()
            return found is not None and (found.complete or found.error is not None)

        self.wait(done, OPEN_S, f"the layer table of {path.name}")
        found = document()
        assert found is not None
        if found.error is not None:
            raise TourError(f"{found.error.what} {found.error.hint}".strip())
        return found

    def show(self, key: str) -> QWidget:
        """Show a page of the model in front."""
        assert self.window.page is not None
        page = self.window.page.show_page(key)
        self.settle()
        return page

    def graph(self) -> QWidget:
        """Show the graph, drawn."""
        page: Any = self.show("graph")
        self.wait(lambda: page.model.scene is not None and not page.model.is_busy, 30, "the graph's layout")
        self.settle()
        return page

    # Converting, proving, measuring

    def set_conversion(self, to: str, destination: Path) -> Any:
        """Fill the convert panel in; gives it."""
        panel: Any = self.find(QWidget, "convertPanel")
        place = panel.target.findData(to)
        if place < 0 or panel.model.targets[place].reason:
            reason = panel.model.targets[place].reason if place >= 0 else "it is not offered"
            raise TourError(f"The model cannot be converted to {to}: {reason}")
        panel.target.setCurrentIndex(place)
        panel.destination.setText(str(destination))
        panel.destination.textEdited.emit(str(destination))
        return panel

    def convert(self, to: str, destination: Path) -> Conversion:
        """Choose a target, press *Convert & prove*, and wait for the result."""
        panel = self.set_conversion(to, destination)
        self.press(panel.start_button)
        return self.converted(panel)

    def converted(self, panel: Any) -> Conversion:
        """Wait for the conversion that was started."""
        model = panel.model
        told = ""

        def done() -> bool:
            nonlocal told
            if model.running.words != told:
                told = model.running.words
                self.say(told)
            return model.outcome is not None and not model.running.live

        self.wait(done, CONVERT_S, "the conversion")
        if model.outcome.state != "done":
            raise TourError(f"{model.outcome.what} {model.outcome.hint}\n{model.outcome.details}".strip())
        result: Conversion = model.result
        return result

    def compared(self) -> tuple[Any, Bench]:
        """Press *Show proof*, wait until both plots have data; gives the compare page and the measurement."""
        panel: Any = self.find(QWidget, "convertPanel")
        self.press(panel.proof_button)
        page: Any = self.find(QWidget, "comparePage")
        model = page.model
        self.wait(lambda: page.parity_plot.series(), 60, "the parity plots")
        self.say("Measuring both models on every device")
        failed = lambda: model.outcome is not None and model.outcome.state != "done"  # noqa: E731
        self.wait(lambda: page.latency_plot.series() or failed(), MEASURE_S, "the latency plots")
        if failed():
            raise TourError(f"{model.outcome.what} {model.outcome.hint}".strip())
        self.wait(lambda: not page.devices.isHidden() and not model.devices.asking, 120, "the devices")
        self.settle()
        assert model.bench is not None
        return page, model.bench

    # Pictures

    def picture(self, *above: QWidget) -> QPixmap:
        """The window as it is now, with dialogs above it where they stand, or in its middle."""
        self.settle()
        picture = self.window.grab()
        with QPainter(picture) as painter:
            for each in above:
                shown = each.grab()
                place = self.window.mapFromGlobal(each.mapToGlobal(QPoint()))
                free = self.window.size() - each.size()
                inside = 0 <= place.x() <= free.width() and 0 < place.y() <= free.height()
                x, y = (place.x(), place.y()) if inside else (free.width() // 2, free.height() // 3)
                painter.fillRect(x - 1, y - 1, each.width() + 2, each.height() + 2, QColor(128, 128, 128))
                painter.drawPixmap(x, y, shown)
        return picture

    def close(self) -> None:
        """Close the window and end its workers."""
        self.window.close()
        self.window.deleteLater()
        self.rest(0.1)  # deleting is done by an event loop, and must be before Python ends
