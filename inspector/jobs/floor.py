"""Where processes live: an object of the background thread that runs jobs from a queue and keeps spare workers.

At most two jobs run at once; an exclusive one (a measurement) runs alone. One spare worker is kept for each framework
that has been used, with the framework imported, so that the next job starts at once. Nothing is started beside a
measurement, and spares that still import are stopped for it: they would take part of the processor.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from inspector.errors import InspectorError
from inspector.jobs.discard import discard
from inspector.jobs.folders import private_folder, remove_folder
from inspector.jobs.job import FRAMEWORKS, Job, Outcome
from inspector.jobs.process import WorkerProcess
from inspector.jobs.recipe import Recipe, Start

TOGETHER = 2


@dataclass(frozen=True, slots=True)
class Order:
    """A job as it was submitted."""

    id: str
    title: str
    recipe: Recipe[Any]
    exclusive: bool


class Floor(QObject):
    """Runs orders; lives in the background thread and is spoken to by signals only."""

    started = Signal(str)
    progressed = Signal(str, object, str)
    logged = Signal(str, str)
    ended = Signal(str, object)
    closed = Signal()

    def __init__(self, memory: int, spares: bool) -> None:
        super().__init__()
        self._memory, self._keep_spares = memory, spares
        self._queue: deque[Order] = deque()
        self._running: dict[str, tuple[Order, Job]] = {}
        self._spares: dict[str, tuple[WorkerProcess, Path]] = {}
        self._used: dict[str, None] = {}
        self._folders: dict[str, list[Path]] = {}
        self._closing = False

    @Slot(object)
    def submit(self, order: Order) -> None:
        """Put an order at the end of the queue."""
        self._queue.append(order)
        self._next()

    @Slot(str)
    def cancel(self, id: str) -> None:
        """Stop an order, waiting or running."""
        for order in list(self._queue):
            if order.id == id:
                self._queue.remove(order)
                order.recipe.close()
                self.ended.emit(id, Outcome("cancelled", what="Cancelled."))
        if id in self._running:
            self._running[id][1].cancel()

    @Slot()
    def close(self) -> None:
        """Stop everything; `closed` when the last process has ended."""
        self._closing = True
        for order in list(self._queue):
            self.cancel(order.id)
        for _, job in list(self._running.values()):
            job.abandon()
        for process, _ in list(self._spares.values()):
            process.stop(at_once=True)
        self._perhaps_closed()

    def _next(self) -> None:
        while self._queue and not self._closing:
            alone = any(order.exclusive for order, _ in self._running.values())
            order = self._queue[0]
            if alone or len(self._running) >= (1 if order.exclusive else TOGETHER):
                return
            self._run(self._queue.popleft())

    def _run(self, order: Order) -> None:
        job = Job(order.recipe, lambda step, folder: self._hire(order.id, step, folder), self)
        self._running[order.id] = (order, job)
        if order.exclusive:
            self._stop_importing()
        job.progressed.connect(lambda fraction, text: self.progressed.emit(order.id, fraction, text))
        job.logged.connect(lambda text: self.logged.emit(order.id, text))
        job.ended.connect(lambda outcome: self._on_ended(order, outcome))
        self.started.emit(order.id)
        job.start()

    def _on_ended(self, order: Order, outcome: Outcome) -> None:
        _, job = self._running.pop(order.id)
        discard(job)
        for folder in self._folders.pop(order.id, []):
            remove_folder(folder)
        self.ended.emit(order.id, outcome)
        self._next()
        if not self._closing:
            self._stock()
        self._perhaps_closed()

    # Workers

    def _hire(self, order: str, step: Start, folder: Path) -> WorkerProcess:
        self._used.setdefault(step.framework)
        if step.framework in self._spares and not self._spares[step.framework][0].stopping:
            process, home = self._spares.pop(step.framework)
            process.ended.disconnect()
            self._folders.setdefault(order, []).append(home)
            return process
        return WorkerProcess("run", folder, memory=self._memory, warm=FRAMEWORKS.get(step.framework, ()))

    def _stock(self) -> None:
        """Start a spare for each framework that has been used, unless a measurement is under way or waits."""
        orders = [order for order, _ in self._running.values()] + list(self._queue)
        if not self._keep_spares or any(order.exclusive for order in orders):
            return
        for framework in self._used:
            if framework in FRAMEWORKS and framework not in self._spares:
                try:
                    home = private_folder("spare")
                except InspectorError:  # the next job will say so
                    return
                process = WorkerProcess("run", home, memory=self._memory, warm=FRAMEWORKS[framework], parent=self)
                self._spares[framework] = (process, home)
                process.ended.connect(lambda what, hint, name=framework: self._on_spare_ended(name))
                process.start()

    def _stop_importing(self) -> None:
        """Stop spares that are not ready; the end of the job brings them back."""
        for process, _ in list(self._spares.values()):
            if not process.protection:
                process.stop()

    def _on_spare_ended(self, framework: str) -> None:
        """A spare that died is not replaced before the next job: if it dies at its start, so would the next."""
        process, home = self._spares.pop(framework)
        if not process.stopping:
            self._used.pop(framework, None)
        discard(process)
        remove_folder(home)
        self._perhaps_closed()

    def _perhaps_closed(self) -> None:
        if self._closing and not self._running and not self._spares:
            self.closed.emit()
