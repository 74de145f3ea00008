"""The process that reads changed files one after another, as a document worker would: the same tasks, the same limits.

It is given a format, a seed and where to begin, and prints one line of JSON a second and one at its end. Before each
file is read its number is written down, so that whoever started the process knows which one ended it. What a reader may
give is a model or an InspectorError; anything else is a crash and is kept.
"""

from __future__ import annotations

import faulthandler
import json
import random
import resource
import shutil
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from inspector.engines.summary.rows import Overview
from inspector.errors import InspectorError
from inspector.worker.tasks import Task
from inspector.worker.tasks._document import KEY, Document
from inspector.worker.tasks._task import Context
from inspector.worker.tasks.details import TASK as DETAILS
from inspector.worker.tasks.details import DetailsArgs
from inspector.worker.tasks.fold import TASK as FOLD
from inspector.worker.tasks.fold import FoldArgs
from inspector.worker.tasks.open import TASK as OPEN
from inspector.worker.tasks.open import OpenArgs
from inspector.worker.tasks.rows import TASK as ROWS
from inspector.worker.tasks.rows import RowsArgs, RowsPage
from inspector.worker.tasks.tensor import TASK as TENSOR
from inspector.worker.tasks.tensor import TensorArgs
from tests.fuzz.mutate import mutated

SEEDS = Path(__file__).with_name("seeds")
SMALL, FETCHED = 1 << 20, 5
"""Bytes of a tensor whose values are fetched, and how many of a file's."""

PATIENCE = 10
"""Seconds that one file may take."""
MEMORY = 4 << 30


_watched = 0.0


class TooSlow(BaseException):
    """One file took too long."""


@dataclass
class Tally:
    """What came of the files so far."""

    opened: int = 0
    refused: int = 0
    crashed: int = 0
    slowest: float = 0.0

    @property
    def count(self) -> int:
        return self.opened + self.refused + self.crashed

    def line(self) -> str:
        told = {"opened": self.opened, "refused": self.refused, "crashed": self.crashed, "slowest": self.slowest}
        return json.dumps(told)


def seeds(fmt: str) -> list[Path]:
    """What to open, one path a seed: a file, or the folder of a format that is a folder."""
    found = []
    for folder in sorted((SEEDS / fmt).iterdir()):
        main = (folder / "MAIN").read_text().strip()
        found.append(folder / main)
    return found


def formats() -> list[str]:
    """The formats that there are seeds of."""
    return sorted(folder.name for folder in SEEDS.iterdir() if folder.is_dir())


class Mutants:
    """Changed copies of the seeds of a format; the number of one says all about it."""

    def __init__(self, fmt: str, seed: int, scratch: Path) -> None:
        self.format, self.seed, self.scratch = fmt, seed, scratch
        self._files: list[tuple[Path, list[Path], dict[Path, bytes]]] = []
        self._changed: tuple[Path, bytes] | None = None
        for main in seeds(fmt):
            root = SEEDS / fmt / main.relative_to(SEEDS / fmt).parts[0]
            files = [file for file in sorted(root.rglob("*")) if file.is_file() and file.name != "MAIN"]
            copy = scratch / root.name
            shutil.copytree(root, copy, dirs_exist_ok=True)
            contents = {copy / file.relative_to(root): file.read_bytes() for file in files}
            self._files.append((copy / main.relative_to(root), list(contents), contents))

    def make(self, number: int) -> Path:
        """Write the changed file, and give what to open."""
        chance = random.Random(f"{self.format}:{self.seed}:{number}")
        main, files, contents = chance.choice(self._files)
        if self._changed:
            self._changed[0].write_bytes(self._changed[1])
        chosen = main if main in contents and chance.random() < 0.85 else chance.choice(files)
        others = [content[path] for path, _, content in self._files if path in content and path != main]
        self._changed = chosen, contents[chosen]
        chosen.write_bytes(mutated(contents[chosen], chance, others))
        return main


def look(path: Path, chance: random.Random) -> bool:
    """Everything that a window would ask of a file; whether it opened."""
    context = Context()

    def ask(task: Task[Any, Any], args: Any) -> Any:
        try:
            return task.run(args, context)
        except InspectorError as error:
            if not error.what:
                raise RuntimeError("An error without words.") from error
            return None

    overview: Overview | None = ask(OPEN, OpenArgs(path=str(path)))
    if overview is None:
        return False
    page = ask(ROWS, RowsArgs(count=50))
    if page is not None:
        _honest(page)
    ask(FOLD, FoldArgs())
    if page is not None and page.rows:
        row = chance.choice(page.rows)
        ask(DETAILS, DetailsArgs(kind="row", name=str(row.index)))
        if row.nodes:
            ask(DETAILS, DetailsArgs(kind="node", name=row.nodes[0], graph=row.graph))
        for name in row.weights[:2]:
            ask(TENSOR, TensorArgs(name=name))
    _fetch(context.state[KEY], chance)
    return True


def _honest(page: RowsPage) -> None:
    """No figure of a model is below nothing."""
    for row in page.rows:
        figures = (row.parameters, row.parameter_bytes, row.macs or 0, row.flops or 0, row.activation_bytes or 0)
        if min(figures) < 0:
            raise RuntimeError(f"{row.name} has {figures}.")


def _fetch(opened: Document, chance: random.Random) -> None:
    """The values of some small tensors: what comes has the shape that the model says, or an error comes."""
    small = [tensor for tensor in opened.model.tensors.values() if tensor.nbytes < SMALL]
    for tensor in chance.sample(small, min(len(small), FETCHED)):
        try:
            array = opened.format.fetch(opened.source, tensor)
        except InspectorError:
            continue
        if array.shape != tensor.shape:
            raise RuntimeError(f"{tensor.name} of {tensor.shape} came as {array.shape}.")


def judge(path: Path, number: int, tally: Tally, crashes: Path) -> None:
    """Look at a file, with a limit of time, and note what came of it."""
    start = time.perf_counter()
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    _watch(start)
    try:
        opened = look(path, random.Random(number))
    except (Exception, TooSlow) as error:
        signal.setitimer(signal.ITIMER_REAL, 0)
        tally.crashed += 1
        keep(path, number, crashes, "".join(traceback.format_exception(error)))
    else:
        signal.setitimer(signal.ITIMER_REAL, 0)
        tally.opened += opened
        tally.refused += not opened
    tally.slowest = max(tally.slowest, time.perf_counter() - start)


def _watch(now: float) -> None:
    """End the process where a library in C, which hears no signal, keeps a file for twice as long as it may take.

    To set that clock starts a thread, as long as a small file takes: it is set anew once a second, not for each file.
    """
    global _watched
    if now > _watched + 1:
        _watched = now
        faulthandler.dump_traceback_later(2 * PATIENCE + 1, exit=True)


def keep(path: Path, number: int, crashes: Path, why: str) -> None:
    """Put aside what a reader crashed on, with what it said."""
    target = crashes / str(number)
    shutil.rmtree(target, ignore_errors=True)
    if path.is_dir():
        shutil.copytree(path, target)
    else:
        shutil.copytree(path.parent, target)
    (target / "MAIN").write_text(path.name if not path.is_dir() else ".")
    (target / "WHY").write_text(why[-6000:])


def main(fmt: str, seed: int, begin: int, end: int, seconds: float, scratch: Path, crashes: Path) -> None:
    """Read the changed files from one number up to another, or until the time is over."""

    def alarm(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlow(f"It took over {PATIENCE} seconds.")

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, alarm)
    tally, mutants = Tally(), Mutants(fmt, seed, scratch)
    for path in seeds(fmt):
        look(path, random.Random(0))  # what is imported for the first file is not what that file took
    stop, told = time.monotonic() + seconds, time.monotonic()
    at = scratch / "NUMBER"
    for number in range(begin, end):
        at.write_text(str(number))
        judge(mutants.make(number), number, tally, crashes)
        if time.monotonic() > stop:
            break
        if time.monotonic() > told + 1:
            told = time.monotonic()
            print(tally.line(), flush=True)
    print(tally.line(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]), float(sys.argv[5]), Path(sys.argv[6]), Path(sys.argv[7]))
