"""The window's pulse: a timer of 10 ms is never late by more than 100 ms of the window's own work."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from inspector.app.window import MainWindow
from inspector.viewmodels.document import DocumentModel

BEAT_MS, LATE = 10, 0.1


class Pulse:
    """Measures between two beats both the wall clock and the CPU time of this thread.

    Only the second is the window's own: on a busy machine the first also holds what other processes took.
    """

    def __init__(self) -> None:
        self.worst = 0.0
        self.beats = 0
        self._timer = QTimer()
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._beat)

    def __enter__(self) -> Pulse:
        self._wall, self._own = time.perf_counter(), time.thread_time()
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.stop()

    def _beat(self) -> None:
        wall, own = time.perf_counter(), time.thread_time()
        self.worst = max(self.worst, min(wall - self._wall, own - self._own))
        self.beats += 1
        self._wall, self._own = wall, own


@pytest.fixture
def warm(window: MainWindow, opened: Callable[..., DocumentModel]) -> MainWindow:
    """A window that has opened a model before: its modules are imported."""
    window.workspace.close(opened("digits_mlp.onnx"))
    return window


@pytest.mark.parametrize(
    "name", ["digits_mlp.pt2", "digits_cnn.onnx", "digits_keras.keras", "digits_mlp.torchscript.pt"]
)
def test_opening_does_not_hold_the_window(warm: MainWindow, samples: Path, qtbot: QtBot, name: str) -> None:
    with Pulse() as pulse:
        document = warm.workspace.open(samples / name)
        qtbot.waitUntil(lambda: document.complete, timeout=20_000)
        warm.show_page("layers")
        qtbot.wait(200)
    assert pulse.beats > 5
    assert pulse.worst < LATE
