"""What tests of the window share: fakes by hand, and a real window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Signal
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from inspector.jobs.job import Outcome
from inspector.views import look

if TYPE_CHECKING:
    from inspector.app.window import MainWindow
    from inspector.viewmodels.document import DocumentModel


class FakeDesk(QObject):
    """Runs nothing: keeps what was submitted and says what the test tells it to say."""

    queued = Signal(str, str)
    started = Signal(str)
    progressed = Signal(str, object, str)
    logged = Signal(str, str)
    ended = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[str, tuple[str, Any, bool]] = {}

    def submit(self, title: str, recipe: Any, *, exclusive: bool = False) -> str:
        job = f"job-{len(self.jobs) + 1}"
        self.jobs[job] = (title, recipe, exclusive)
        self.queued.emit(job, title)
        return job

    def cancel(self, job: str) -> None:
        self.ended.emit(job, Outcome("cancelled"))

    @property
    def last(self) -> str:
        return list(self.jobs)[-1]

    def end(self, result: Any) -> None:
        self.ended.emit(self.last, Outcome("done", result))

    def fail(self, what: str, hint: str = "", details: str = "") -> None:
        self.ended.emit(self.last, Outcome("failed", what=what, hint=hint, details=details))


@pytest.fixture
def desk() -> FakeDesk:
    """A desk that runs nothing."""
    return FakeDesk()


def is_worker(process: psutil.Process) -> bool:
    """Whether it is one of our workers; one that has just ended is none."""
    try:
        return "--worker" in process.cmdline()
    except psutil.Error:
        return False


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    """A real window with real workers; nothing of it may be left behind."""
    from inspector.app.window import MainWindow
    from inspector.settings import Settings
    from inspector.viewmodels.workspace import Workspace

    before = set(QApplication.topLevelWidgets())
    look.apply(QApplication.instance(), "light")
    window = MainWindow(Workspace(Settings()))
    window.resize(1400, 900)
    window.show()
    qtbot.waitExposed(window)
    yield window
    window.close()
    window.workspace.deleteLater()
    window.deleteLater()
    qtbot.wait(10)
    left = [w for w in QApplication.topLevelWidgets() if w not in before and isValid(w) and not w.isHidden()]
    assert not left
    assert not [child for child in psutil.Process().children(recursive=True) if is_worker(child)]


@pytest.fixture
def opened(window: MainWindow, qtbot: QtBot, samples: Path) -> Callable[..., DocumentModel]:
    """Open a sample, or any path, and wait until its table is full."""

    def open_one(name: str | Path = "digits_mlp.onnx") -> DocumentModel:
        document = window.workspace.open(samples / name)
        qtbot.waitUntil(lambda: document.complete or document.error is not None, timeout=20_000)
        assert document.error is None, document.error
        return document

    return open_one


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Widgets of a test go with it: between tests no event loop runs that would delete them."""
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
