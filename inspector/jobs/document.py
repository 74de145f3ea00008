"""A worker that lives as long as a tab: asks go in, callbacks come back in the window's thread.

`Document` is the window's side and `Host` the other end, in the thread that owns the processes. Between them are only
queued signals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from PySide6.QtCore import QObject, Signal, Slot

from inspector.errors import InspectorError, WorkerDied
from inspector.formats import allowed_roots
from inspector.jobs.discard import discard
from inspector.jobs.job import failure
from inspector.jobs.process import WorkerProcess
from inspector.worker import wire
from inspector.worker.tasks import Task
from inspector.worker.tasks.open import OpenArgs

A = TypeVar("A", bound=msgspec.Struct)
R = TypeVar("R", bound=msgspec.Struct)
MEMORY = {"document": 8 << 30, "layout": 4 << 30}
"""Bytes of address space by role."""


class Host(QObject):
    """Owns the processes of all documents; lives in the background thread."""

    ready = Signal(int, str)
    replied = Signal(int, object)
    ended = Signal(int, str, str, str)
    """Key, what, hint, tail of the log."""
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._processes: dict[int, WorkerProcess] = {}
        self._closing = False

    @Slot(int, str)
    def begin(self, key: int, role: str) -> None:
        """Start a worker under this key."""
        if self._closing:
            self.ended.emit(key, "", "", "")
            return
        process = WorkerProcess(role, None, memory=MEMORY[role], parent=self)
        self._processes[key] = process
        process.ready.connect(lambda protection: self.ready.emit(key, protection))
        process.replied.connect(lambda reply: self.replied.emit(key, reply))
        process.ended.connect(lambda what, hint: self._on_ended(key, process, what, hint))
        process.start()

    @Slot(int, int, str, object)
    def ask(self, key: int, id: int, task: str, args: msgspec.Struct) -> None:
        """Send an ask to the worker of this key; one that is gone has told so by `ended`."""
        if key in self._processes:
            try:
                self._processes[key].ask(id, task, args)
            except InspectorError as error:
                self.replied.emit(key, wire.Failed(id, error.what, error.hint, known=True))

    @Slot(int, object)
    def grant(self, key: int, reads: tuple[str, ...]) -> None:
        """Tell the worker of this key what it may read."""
        if key in self._processes:
            self._processes[key].grant(reads)

    @Slot(int)
    def end(self, key: int) -> None:
        """Stop the worker of this key."""
        if key in self._processes:
            self._processes[key].stop()

    @Slot()
    def close(self) -> None:
        """Stop all; `closed` when the last has ended."""
        self._closing = True
        for process in list(self._processes.values()):
            process.stop(at_once=True)
        if not self._processes:
            self.closed.emit()

    def _on_ended(self, key: int, process: WorkerProcess, what: str, hint: str) -> None:
        self._processes.pop(key, None)
        self.ended.emit(key, what, hint, process.log[-20_000:])
        discard(process)
        if self._closing and not self._processes:
            self.closed.emit()


def roots(args: Any) -> tuple[str, ...]:
    """The folders that a worker needs for this ask: those of the file that it opens."""
    if not isinstance(args, OpenArgs):
        return ()
    return tuple(str(root) for root in allowed_roots(Path(args.path)))


def answer(task: Task[Any, Any], reply: Any) -> Any:
    """What a reply says; raises InspectorError where it says that something went wrong, or makes no sense."""
    if isinstance(reply, wire.Failed):
        raise failure(reply)
    try:
        return msgspec.msgpack.decode(reply.result, type=task.result)
    except msgspec.MsgspecError as error:
        raise WorkerDied(f"The worker's answer makes no sense: {error}", "Open the file again.") from error


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An ask without its answer yet."""

    task: Task[Any, Any]
    done: Callable[[Any], None]
    failed: Callable[[InspectorError], None]


@dataclass(slots=True)
class _Successor:
    """A worker that takes over once it has answered."""

    key: int
    id: int
    waiting: _Waiting
    roots: tuple[str, ...]
    more: Callable[[Any], tuple[Task[Any, Any], Any] | None]
    """What is asked next after an answer, before it takes over; None where that is all."""
    protection: str = ""


class Document(QObject):
    """A document or layout worker as a view-model uses it."""

    progressed = Signal(str)
    renewing = Signal(str)
    """What a worker does that is to take this one's place."""
    died = Signal(str, str)
    """The worker ended by itself: what happened and what to do. Waiting asks have failed before; `restart` revives."""
    protected = Signal(str)
    """Level of protection, once the worker is up."""

    _begin = Signal(int, str)
    _grant = Signal(int, object)
    _ask = Signal(int, int, str, object)
    _end = Signal(int)
    _keys = count(1)

    def __init__(self, role: str, host: Host, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.role = role
        self.protection = ""
        self.details = ""
        """Tail of the log of a worker that died."""
        self._ids = count(1)
        self._waiting: dict[int, _Waiting] = {}
        self._host = host
        self._successor: _Successor | None = None
        self._alive = self._granted = self._closed = False
        self._roots: tuple[str, ...] = ()
        """What the worker was granted last; one that takes its place gets the same."""
        self._begin.connect(host.begin)
        self._grant.connect(host.grant)
        self._ask.connect(host.ask)
        self._end.connect(host.end)
        host.ready.connect(self._on_ready)
        host.replied.connect(self._on_reply)
        host.ended.connect(self._on_ended)
        self._key = 0
        self._start()

    def ask(
        self, task: Task[A, R], args: A, done: Callable[[R], None], failed: Callable[[InspectorError], None]
    ) -> int:
        """Ask; one of the callbacks is called later in this thread, unless the ask is dropped. Gives the ask's id.

        The first ask of a document worker, to open a file, also says which folders the worker may ever read.
        """
        id = next(self._ids)
        if self._closed:
            return id
        if not self._alive:
            self._start()
        self._waiting[id] = _Waiting(task, done, failed)
        if self.role == "document" and not self._granted:
            self._granted = True
            self._roots = roots(args) or self._roots
            self._grant.emit(self._key, self._roots)
        self._ask.emit(self._key, id, task.id, args)
        return id

    def drop(self, ask: int) -> None:
        """Forget an ask: its answer is no longer wanted."""
        self._waiting.pop(ask, None)

    def restart(self) -> None:
        """A fresh worker; what waits is forgotten."""
        if self._closed:
            return
        self._waiting.clear()
        self.dismiss()
        self._end.emit(self._key)
        self._start()

    def renew(
        self,
        task: Task[A, R],
        args: A,
        done: Callable[[Any], None],
        failed: Callable[[InspectorError], None],
        more: Callable[[Any], tuple[Task[Any, Any], Any] | None] = lambda _answer: None,
    ) -> None:
        """Ask a fresh worker. If it answers it takes this one's place, and what waits is forgotten; else all stays.

        Args:
            task: What is asked first.
            args: Its arguments.
            done: Is given the last answer.
            failed: Is told what went wrong.
            more: What is asked next after an answer, before it takes over; None where that is all.
        """
        if self._closed:
            return
        self.dismiss()
        key, id = next(Document._keys), next(self._ids)
        found = roots(args) or self._roots
        self._successor = _Successor(key, id, _Waiting(task, done, failed), found, more)
        self._begin.emit(key, self.role)
        self._grant.emit(key, found)
        self._ask.emit(key, id, task.id, args)

    def dismiss(self) -> None:
        """A worker that was to take this one's place is not waited for any more."""
        if self._successor is not None:
            self._end.emit(self._successor.key)
            self._successor = None

    def close(self) -> None:
        """Stop the worker; no callback is called any more, and asks are not heard."""
        self._waiting.clear()
        if self._closed:
            return
        self.dismiss()
        self._closed = True
        self._host.ready.disconnect(self._on_ready)
        self._host.replied.disconnect(self._on_reply)
        self._host.ended.disconnect(self._on_ended)
        if self._alive:
            self._alive = False
            self._end.emit(self._key)

    def _start(self) -> None:
        self._key = next(Document._keys)
        self._alive, self._granted = True, False
        self._begin.emit(self._key, self.role)

    def _on_ready(self, key: int, protection: str) -> None:
        if key == self._key:
            self.protection = protection
            self.protected.emit(protection)
        elif self._successor is not None and key == self._successor.key:
            self._successor.protection = protection

    def _on_reply(self, key: int, reply: Any) -> None:
        if self._successor is not None and key == self._successor.key:
            if isinstance(reply, wire.Progress):
                self.renewing.emit(reply.text)
            else:
                self._on_successor(self._successor, reply)
            return
        if key != self._key or reply.id not in self._waiting:
            return
        if isinstance(reply, wire.Progress):
            self.progressed.emit(reply.text)
            return
        self._tell(self._waiting.pop(reply.id), reply)

    def _on_successor(self, successor: _Successor, reply: Any) -> None:
        waiting = successor.waiting
        try:
            result = answer(waiting.task, reply)
        except InspectorError as error:
            self.dismiss()
            waiting.failed(error)
            return
        if (question := successor.more(result)) is not None:
            task, args = question
            successor.waiting, successor.id = _Waiting(task, waiting.done, waiting.failed), next(self._ids)
            self._ask.emit(successor.key, successor.id, task.id, args)
            return
        self._successor = None
        self._waiting.clear()
        if self._alive:
            self._end.emit(self._key)
        self._key, self._roots = successor.key, successor.roots
        self._alive = self._granted = True
        self.protection = successor.protection
        self.protected.emit(self.protection)
        waiting.done(result)

    @staticmethod
    def _tell(waiting: _Waiting, reply: Any) -> None:
        """Call the callback that fits the answer."""
        try:
            result = answer(waiting.task, reply)
        except InspectorError as error:
            waiting.failed(error)
            return
        waiting.done(result)

    def _on_ended(self, key: int, what: str, hint: str, log: str) -> None:
        if self._successor is not None and key == self._successor.key:
            successor, self._successor = self._successor, None
            successor.waiting.failed(WorkerDied(what or "The worker ended.", hint or "Open the file again."))
            return
        if key != self._key or not self._alive:
            return
        self._alive = False
        self.details = log
        waiting, self._waiting = self._waiting, {}
        error = WorkerDied(what or "The worker ended.", hint or "Open the file again.")
        error.details = log  # type: ignore[attr-defined]
        for ask in waiting.values():
            ask.failed(error)
        self.died.emit(error.what, error.hint)
