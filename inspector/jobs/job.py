"""Drives a recipe: starts its workers, sends its asks, resumes it with what comes back, ends it in one way.

Lives in one thread with an event loop and never blocks it, except for what the recipe itself does between its steps.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from inspector.errors import Cancelled, InspectorError, WorkerDied
from inspector.jobs.folders import private_folder, remove_folder
from inspector.jobs.process import WorkerProcess
from inspector.jobs.recipe import Aside, Ask, Folder, Recipe, Say, Start, Stop, Worker
from inspector.worker import wire

State = Literal["done", "failed", "cancelled"]
LOG_LIMIT = 200_000
FRAMEWORKS = {"torch": ("torch",), "tensorflow": ("tensorflow",), "onnxruntime": ("onnxruntime",)}
"""What a worker that is to be warm imports before its first ask."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended. `details` is a traceback or the tail of the worker's log, for the error box."""

    state: State
    result: Any = None
    what: str = ""
    hint: str = ""
    details: str = ""
    log: str = ""
    seconds: float = 0.0


Hire = Callable[[Start, Path], WorkerProcess]
"""Gives a worker process, started or about to be ready, for a step and the job's private folder."""


class _Hand:
    """A worker of a job and the ask it is at, if any."""

    def __init__(self, worker: Worker, process: WorkerProcess) -> None:
        self.worker, self.process = worker, process
        self.ask: Ask | None = None
        self.ask_id = 0
        self.starting = True
        self.death: tuple[str, str] | None = None


class Job(QObject):
    """One recipe from start to end. Signals carry no job id; whoever keeps several connects with one."""

    progressed = Signal(object, str)
    logged = Signal(str)
    ended = Signal(object)
    """The Outcome, once every process has ended and the folder is gone."""
    _aside_ended = Signal(object, object)
    """From the thread of an `Aside`: what it gave and what it raised."""

    def __init__(self, recipe: Recipe[Any], hire: Hire, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._recipe, self._hire = recipe, hire
        self._hands: dict[int, _Hand] = {}
        self._folder: Path | None = None
        self._log = ""
        self._asks = 0
        self._began = perf_counter()
        self._outcome: Outcome | None = None
        self._told = False
        self._stop_aside: threading.Event | None = None
        self._aside_ended.connect(self._on_aside_ended)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of its live workers."""
        return tuple(pid for hand in self._hands.values() if (pid := hand.process.pid))

    def start(self) -> None:
        """Begin; everything else follows from signals."""
        self._began = perf_counter()
        self._advance(None)

    def cancel(self) -> None:
        """Stop the work: the recipe sees `Cancelled` where it waits, and every worker is stopped."""
        if self._stop_aside is not None:
            self._stop_aside.set()
        elif self._outcome is None:
            self._resume(error=Cancelled())

    def abandon(self) -> None:
        """The program ends: cancel, and let no worker take its time."""
        self.cancel()
        for hand in list(self._hands.values()):
            hand.process.stop(at_once=True)

    # What the recipe asks for

    def _advance(self, value: Any) -> None:
        self._resume(value=value)

    def _resume(self, value: Any = None, error: BaseException | None = None) -> None:
        """Run the recipe until it must wait."""
        while True:
            try:
                step = self._recipe.send(value) if error is None else self._recipe.throw(error)
            except StopIteration as stop:
                self._settle("done", result=stop.value)
                return
            except Cancelled:
                self._settle("cancelled", what="Cancelled.")
                return
            except InspectorError as problem:
                details = getattr(problem, "details", "") or self._log[-20_000:]
                self._settle("failed", what=problem.what, hint=problem.hint, details=details)
                return
            except OSError as problem:
                what = f"The system refuses: {problem.strerror or problem}."
                self._settle("failed", what=what, hint="Is there space left?", details=traceback.format_exc())
                return
            except Exception as bug:  # noqa: BLE001 - a bug in a recipe ends its job, not the window
                self._settle("failed", what=f"{type(bug).__name__}: {bug}", details=traceback.format_exc())
                return
            if isinstance(error, Cancelled):
                self._recipe.close()
                self._settle("cancelled", what="Cancelled.")
                return
            try:
                value, error, waits = self._do(step)
            except Exception as problem:  # noqa: BLE001 - the recipe is told; a job that nobody resumes never ends
                value, error, waits = None, problem, False
            if waits:
                return

    def _do(self, step: Any) -> tuple[Any, BaseException | None, bool]:
        """Carry out one step; gives what to resume with, or True as the last item when its answer comes later."""
        match step:
            case Say(fraction, text):
                self.progressed.emit(fraction, text)
                return None, None, False
            case Folder():
                return self.folder(), None, False
            case Stop(worker):
                self._hands[worker.id].process.stop()
                return None, None, False
            case Start():
                self._begin(step)
                return None, None, True
            case Ask():
                return self._send(step)
            case Aside(work):
                self._go_aside(work)
                return None, None, True
        raise TypeError(f"A recipe cannot yield {step!r}.")

    def folder(self) -> Path:
        """The job's private folder."""
        if self._folder is None:
            self._folder = private_folder("job")
        return self._folder

    def _begin(self, step: Start) -> None:
        process = self._hire(step, self.folder())
        process.setParent(self)
        hand = _Hand(Worker(len(self._hands) + 1, step.title), process)
        self._hands[hand.worker.id] = hand
        process.replied.connect(lambda reply: self._on_reply(hand, reply))
        process.logged.connect(self._on_log)
        process.ended.connect(lambda what, hint: self._on_ended(hand, what, hint))
        if process.protection:
            self.progressed.emit(None, step.title)
            # Not resumed from here: the recipe is still running, up to this very step.
            QTimer.singleShot(0, self, lambda: self._on_ready(hand))
            return
        process.ready.connect(lambda _protection: self._on_ready(hand))
        self.progressed.emit(None, step.title)
        if not process.started:  # a spare one is on its way already
            process.start()

    def _send(self, step: Ask) -> tuple[Any, BaseException | None, bool]:
        hand = self._hands[step.worker.id]
        if hand.process.finished or hand.process.stopping:
            return None, self._died(hand), False
        self._asks += 1
        hand.ask, hand.ask_id = step, self._asks
        hand.process.ask(self._asks, step.task.id, step.args)
        return None, None, True

    def _go_aside(self, work: Callable[[Callable[[], bool]], Any]) -> None:
        stop = self._stop_aside = threading.Event()

        def run() -> None:
            value, problem = None, None
            try:
                value = work(stop.is_set)
            except Exception as error:  # noqa: BLE001 - the recipe is told
                problem = error
            self._aside_ended.emit(value, problem)

        threading.Thread(target=run, name="files of a job").start()

    # What comes back

    @Slot(object, object)
    def _on_aside_ended(self, value: Any, problem: Exception | None) -> None:
        self._stop_aside = None
        self._resume(value, problem)

    def _on_ready(self, hand: _Hand) -> None:
        if self._outcome is None and hand.starting:
            hand.starting = False
            self._advance(hand.worker)

    def _on_log(self, text: str) -> None:
        self._log = (self._log + text)[-LOG_LIMIT:]
        self.logged.emit(text)

    def _on_reply(self, hand: _Hand, reply: Any) -> None:
        ask = hand.ask
        if self._outcome is not None or ask is None or reply.id != hand.ask_id:
            return
        if isinstance(reply, wire.Progress):
            fraction = None
            if ask.span is not None and reply.fraction is not None:
                fraction = ask.span[0] + (ask.span[1] - ask.span[0]) * max(0.0, min(1.0, reply.fraction))
            self.progressed.emit(fraction, reply.text)
            return
        hand.ask = None
        if isinstance(reply, wire.Failed):
            self._resume(error=failure(reply))
            return
        try:
            result = msgspec.msgpack.decode(reply.result, type=ask.task.result)
        except msgspec.MsgspecError as error:
            hand.process.kill()
            self._resume(error=WorkerDied(f"The worker's answer makes no sense: {error}", "Try again."))
            return
        if ask.span is not None:
            self.progressed.emit(ask.span[1], "")
        self._advance(result)

    def _on_ended(self, hand: _Hand, what: str, hint: str) -> None:
        hand.death = (what, hint)
        waited = hand.ask is not None or hand.starting
        hand.ask, hand.starting = None, False
        if self._outcome is None and waited:
            self._resume(error=self._died(hand))
        self._perhaps_tell()

    def _died(self, hand: _Hand) -> WorkerDied:
        what, hint = hand.death or ("", "")
        error = WorkerDied(what or f"The worker for “{hand.worker.title}” has been stopped.", hint)
        error.details = hand.process.log[-20_000:]  # type: ignore[attr-defined]
        return error

    # The end

    def _settle(self, state: State, *, result: Any = None, what: str = "", hint: str = "", details: str = "") -> None:
        seconds = perf_counter() - self._began
        self._outcome = Outcome(state, result, what, hint, details, self._log, seconds)
        for hand in self._hands.values():
            hand.process.stop()
        self._perhaps_tell()

    def _perhaps_tell(self) -> None:
        if self._outcome is None or self._told or not all(hand.process.finished for hand in self._hands.values()):
            return
        self._told = True
        if self._folder is not None:
            remove_folder(self._folder)
        self.ended.emit(self._outcome)


def failure(reply: wire.Failed) -> InspectorError:
    """What a worker's `Failed` is on this side: an InspectorError with the traceback as its details."""
    hint = reply.hint if reply.known else reply.hint or "This is a mistake in the program; the details say where."
    error = InspectorError(reply.what, hint)
    error.details = reply.details  # type: ignore[attr-defined]
    return error
