"""The window's counter: jobs are handed in here and come back as signals; the work is done in another thread.

One background thread lives as long as the window and owns every process: QProcess children must be started from a
thread that outlives them. Everything between the two threads is a queued signal.
"""

from __future__ import annotations

import os
import threading
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

from PySide6.QtCore import QObject, Qt, QThread, Signal

from inspector.jobs.document import Document, Host
from inspector.jobs.floor import Floor, Order
from inspector.jobs.job import Outcome
from inspector.jobs.recipe import Recipe

PATIENCE_S = 5.0
"""How long closing waits for processes that have been killed and for files that are being put in their place."""


def memory_of_machine() -> int:
    """Bytes of physical memory, or 0 where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 0


def memory_limit() -> int:
    """Bytes of address space for a run worker: twice the memory, since address space counts files only mapped.

    No limit (0) where there is an NVIDIA driver: CUDA reserves more address space than any machine has memory.
    """
    return 0 if Path("/dev/nvidiactl").exists() else 2 * memory_of_machine()


class Desk(QObject):
    """Takes jobs and gives documents.

    Args:
        memory: Address space that one run worker may use, in bytes; None takes `memory_limit()`, 0 sets no limit.
        spares: Whether to keep warm workers.
    """

    queued = Signal(str, str)
    started = Signal(str)
    progressed = Signal(str, object, str)
    logged = Signal(str, str)
    ended = Signal(str, object)
    """Job id and Outcome."""

    _submit = Signal(object)
    _cancel = Signal(str)
    _close = Signal()

    def __init__(self, parent: QObject | None = None, *, memory: int | None = None, spares: bool = True) -> None:
        super().__init__(parent)
        self._ids = count(1)
        self.titles: dict[str, str] = {}
        self.running: dict[str, bool] = {}
        """Jobs that have not ended; True once started."""
        self._closed = False
        self._thread = QThread()
        self._thread.setObjectName("jobs")
        self._floor = Floor(memory_limit() if memory is None else memory, spares)
        self._host = Host()
        for worker in (self._floor, self._host):
            worker.moveToThread(self._thread)
        self._submit.connect(self._floor.submit)
        self._cancel.connect(self._floor.cancel)
        self._close.connect(self._floor.close)
        self._close.connect(self._host.close)
        self._floor.started.connect(self._on_started)
        self._floor.progressed.connect(self.progressed)
        self._floor.logged.connect(self.logged)
        self._floor.ended.connect(self._on_ended)
        self._thread.start()

    def submit(self, title: str, recipe: Recipe[Any], *, exclusive: bool = False) -> str:
        """Queue a job; gives its id. While an exclusive one runs, no other does."""
        id = f"job-{next(self._ids)}"
        self.titles[id] = title
        self.running[id] = False
        self.queued.emit(id, title)
        self._submit.emit(Order(id, title, recipe, exclusive))
        return id

    def cancel(self, job: str) -> None:
        """Stop a job; `ended` follows within a second."""
        self._cancel.emit(job)

    def document(self) -> Document:
        """A document worker of its own."""
        return self._new("document")

    def layout(self) -> Document:
        """A layout worker."""
        return self._new("layout")

    def close(self) -> None:
        """Stop every job and process, then the thread; returns when the last has ended.

        Waited for without an event loop: one that is told to quit before it has begun never ends, and one that runs
        would start what is still to be started.
        """
        if self._closed:
            return
        self._closed = True
        ends = threading.Event(), threading.Event()
        direct = Qt.ConnectionType.DirectConnection
        for closed, end in zip((self._floor.closed, self._host.closed), ends, strict=True):
            closed.connect(end.set, direct)
        self._close.emit()
        end_of_patience = monotonic() + PATIENCE_S
        for end in ends:
            end.wait(max(0.0, end_of_patience - monotonic()))
        self._thread.quit()
        self._thread.wait()

    def _new(self, role: str) -> Document:
        return Document(role, self._host, self)

    def _on_started(self, id: str) -> None:
        self.running[id] = True
        self.started.emit(id)

    def _on_ended(self, id: str, outcome: Outcome) -> None:
        self.running.pop(id, None)
        self.ended.emit(id, outcome)
