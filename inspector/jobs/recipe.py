"""What a job does, written as a generator: it yields steps and is resumed with their results.

Sequential code for work that crosses processes, without Qt in it: the job driver (`jobs/job.py`) starts processes,
sends asks, and throws what goes wrong into the generator, which may catch it to try another way. Several workers may be
alive at once, so that candidates of a measurement can be interleaved.

    def recipe() -> Recipe[Conversion]:
        folder = yield Folder()
        worker = yield Start("Converting with torch.onnx")
        done = yield Ask(worker, CONVERT, args, span=(0.0, 0.7))
        yield Stop(worker)
        return Conversion(...)

Whatever a recipe leaves running when it returns or raises is stopped by the driver; the private folder goes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from inspector.worker.tasks import Task

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Worker:
    """A handle of a live worker process."""

    id: int
    title: str


@dataclass(frozen=True, slots=True)
class Start:
    """Start a run worker; gives a `Worker`. With `framework` ("torch", "tensorflow") a spare one is taken if ready."""

    title: str
    framework: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a worker; gives the task's result, or raises InspectorError (WorkerDied when the process ended).

    Attributes:
        span: Which part of the job's progress bar this ask fills; None leaves the bar alone.
    """

    worker: Worker
    task: Task[Any, Any]
    args: msgspec.Struct
    span: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop a worker."""

    worker: Worker


@dataclass(frozen=True, slots=True)
class Folder:
    """Gives the job's private folder as a Path; the same one at every call, removed when the job has ended."""


@dataclass(frozen=True, slots=True)
class Say:
    """Tell the user how far it is (None: unknown) and what is going on."""

    fraction: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Aside:
    """Work with files that may take long, in a thread of its own; gives what it returns, or raises what it raises.

    Attributes:
        work: Asks the function that it is given, at least once a second, whether to stop, and then raises Cancelled
            with nothing left behind. When it is through in spite of that, the job goes on: it was too late.
    """

    work: Callable[[Callable[[], bool]], Any]


Step = Start | Ask | Stop | Folder | Say | Aside
Recipe = Generator[Step, Any, R]
