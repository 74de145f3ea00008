"""Work that takes a moment and touches nothing of the window: done in a thread, its answer told in the window's own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from PySide6.QtCore import QObject, Qt, QThreadPool, Signal, Slot


class Later(QObject):
    """One piece of work. It belongs to who wants it: when that is gone, nothing is told."""

    _finished = Signal(object)

    def __init__(self, owner: QObject, work: Callable[[], Any], done: Callable[[Any], object]) -> None:
        super().__init__(owner)
        self._done = done
        self._finished.connect(self._on_finished, Qt.ConnectionType.QueuedConnection)

        def run() -> None:
            result = work()
            with suppress(RuntimeError):  # the owner is gone, and this with it
                self._finished.emit(result)

        QThreadPool.globalInstance().start(run)

    @Slot(object)
    def _on_finished(self, result: Any) -> None:
        self._done(result)
        self.deleteLater()
