"""Jobs without a window: the command line and the tests run the same recipes, and wait for them."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from PySide6.QtCore import QCoreApplication, QEventLoop, QTimer

from inspector.errors import Cancelled, InspectorError, WorkerDied
from inspector.jobs.desk import memory_limit
from inspector.jobs.discard import discard
from inspector.jobs.document import MEMORY, roots
from inspector.jobs.job import FRAMEWORKS, Job, Outcome, failure
from inspector.jobs.process import WorkerProcess
from inspector.jobs.recipe import Recipe
from inspector.worker import wire
from inspector.worker.tasks import Task
from inspector.worker.tasks.open import TASK as OPEN
from inspector.worker.tasks.open import OpenArgs

R = TypeVar("R")
Question = tuple[Task[Any, Any], Any]
"""A task and its arguments."""
_app: QCoreApplication | None = None


def nothing(*_: Any) -> None:
    """Ignore what is told."""


def application() -> None:
    """Make sure that there is a Qt application: processes need its event loop."""
    global _app
    if QCoreApplication.instance() is None:
        _app = QCoreApplication(sys.argv[:1])


def run(
    recipe: Recipe[R],
    on_progress: Callable[[float | None, str], None] = nothing,
    on_log: Callable[[str], None] = nothing,
    *,
    memory: int | None = None,
) -> R:
    """Run a recipe to its end and give its result.

    Raises:
        InspectorError: What the recipe raised; Cancelled after Ctrl+C.
    """
    application()
    limit = memory_limit() if memory is None else memory
    job = Job(
        recipe, lambda step, folder: WorkerProcess("run", folder, memory=limit, warm=FRAMEWORKS.get(step.framework, ()))
    )
    outcomes: list[Outcome] = []
    loop = QEventLoop()
    job.progressed.connect(on_progress)
    job.logged.connect(on_log)
    job.ended.connect(outcomes.append)
    job.ended.connect(loop.quit)
    with _Interrupt(job.cancel):
        QTimer.singleShot(0, job, job.start)
        loop.exec()
    outcome = outcomes[0]
    discard(job)
    if outcome.state == "done":
        result: R = outcome.result
        return result
    if outcome.state == "cancelled":
        raise Cancelled
    error = InspectorError(outcome.what, outcome.hint)
    error.details = outcome.details  # type: ignore[attr-defined]
    raise error


def ask_document(
    path: Path,
    questions: Sequence[Question],
    opening: OpenArgs | None = None,
    more: Callable[[list[Any]], Question | None] = lambda answers: None,
) -> list[Any]:
    """Open a file in a document worker of its own and ask it; gives the Overview and the answers.

    Args:
        path: The file.
        questions: What is asked in any case.
        opening: How it is opened.
        more: What is asked next after these answers, None where that is all.

    Raises:
        InspectorError: The first that a task raised, or WorkerDied.
    """
    opening = opening or OpenArgs(path=str(path.absolute()))
    return ask_worker("document", [(OPEN, opening), *questions], more)


def ask_worker(
    role: str,
    questions: Sequence[Question],
    more: Callable[[list[Any]], Question | None] = lambda answers: None,
) -> list[Any]:
    """Ask a fresh document or layout worker one question after another; gives the answers."""
    questions = list(questions)
    granted = roots(questions[0][1]) if role == "document" else ()  # before anything runs: a path may be none at all
    application()
    process = WorkerProcess(role, None, memory=MEMORY[role])
    loop = QEventLoop()
    answers: list[Any] = []
    errors: list[InspectorError] = []

    def ask(_: object = None) -> None:
        task, args = questions[len(answers)]
        try:
            process.ask(len(answers) + 1, task.id, args)
        except InspectorError as error:
            errors.append(error)
            process.stop()

    def take(reply: Any) -> None:
        if isinstance(reply, wire.Failed):
            errors.append(failure(reply))
        elif isinstance(reply, wire.Done):
            try:
                answers.append(msgspec.msgpack.decode(reply.result, type=questions[len(answers)][0].result))
            except (msgspec.MsgspecError, IndexError) as error:
                errors.append(WorkerDied(f"The worker's answer makes no sense: {error}", "Try again."))
            following = more(answers) if not errors and len(answers) == len(questions) else None
            if following is not None:
                questions.append(following)
            if not errors and len(answers) < len(questions):
                ask()
                return
        else:
            return
        process.stop()

    def end(what: str, hint: str) -> None:
        if what:
            errors.append(WorkerDied(what, hint))
        loop.quit()

    process.ready.connect(ask)
    process.replied.connect(take)
    process.ended.connect(end)
    with _Interrupt(process.stop):
        process.start()
        if role == "document":
            process.grant(granted)
        if not process.finished:  # it may have failed to start already
            loop.exec()
    discard(process)
    if errors:
        raise errors[0]
    if len(answers) < len(questions):
        raise Cancelled
    return answers


def ask_protection() -> str:
    """The level of protection that a document worker reports on this machine."""
    application()
    process = WorkerProcess("document", None, memory=MEMORY["document"])
    loop = QEventLoop()
    process.ready.connect(lambda _: process.stop())
    process.ended.connect(lambda *_: loop.quit())
    process.start()
    process.grant(())
    if not process.finished:
        loop.exec()
    discard(process)
    return process.protection or "none: workers cannot be started"


class _Interrupt:
    """Ctrl+C, and being told to end, stop the work in an orderly way, so that nothing of it is left behind.

    Qt's loop lets Python see signals only when a timer runs.
    """

    SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._timer = QTimer(interval=100)
        self._timer.timeout.connect(nothing)
        self._old: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number in self.SIGNALS:
            try:
                # Not at once: Python calls this between any two steps, and the recipe may be in the midst of one.
                self._old[number] = signal.signal(number, lambda *_: QTimer.singleShot(0, self._timer, self._stop))
            except ValueError:
                break  # not the main thread: whoever runs it there has its own way to stop
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.stop()
        for number, old in self._old.items():
            if old is not None:
                signal.signal(number, old)
