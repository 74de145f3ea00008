"""What a hostile case is, and where all of them are found.

A case writes a file as bytes, says what opening it must give, and is opened by `witness.py` in a real document worker.
A loop is a case of many small files that would each be too quick for a worker of their own: it reads them in one
process and gives one line. Modules of this folder hold them in `CASES` and `LOOPS`.
"""

from __future__ import annotations

import os
import string
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from witness import Seen

HERE = Path(__file__).parent
APART = ("case", "witness", "loop", "table", "probes", "conftest")
MARKER = "RAN"
"""Beside the folder of a sample: what a payload would write if anything ran it."""
SECRET = b"the secret of the neighbour"
PATIENCE = "INSPECTOR_TEST_PATIENCE"
"""In the environment of a loop: by how much it may overrun its seconds."""


@dataclass(frozen=True)
class Case:
    """One hostile file and what opening it must give.

    Attributes:
        number: Of SECURITY.md §4, 1 to 72.
        name: One line: what the file tries.
        build: Writes the sample as bytes into an empty folder and gives the path to open. The folder's parent holds
            `secret.txt`, which nobody may read.
        outcome: refused: an error; opened: an overview, rows, a fold; either: any of them, but never a crash.
        says: What must stand in the error and its hint, or in what is shown: a remark, the metadata, a name.
        level: Of the remark that says it.
        after: More to be true of the folder afterwards.
        check: More to be true of what was seen.
        then: Further questions to the worker, (TASK, Args), after open, rows and fold; their answers are in `Seen`.
        seconds: Most that the worker may take from the first question to the last answer, in processor time.
        memory_mb: Most memory that the worker may have taken, its libraries (about 110 MB) included.
    """

    number: int
    name: str
    build: Callable[[Path], Path]
    outcome: Literal["refused", "opened", "either"]
    says: str = ""
    level: str = ""
    after: Callable[[Path], None] | None = None
    check: Callable[[Seen], None] | None = None
    then: tuple[tuple[Any, Any], ...] = ()
    seconds: float = 10
    memory_mb: int = 400
    slow: bool = False


@dataclass(frozen=True)
class Loop:
    """Many small files, read one after another in one process.

    Attributes:
        run: Does it in an empty folder and gives what was seen in a few words; raises AssertionError.
        says: What is expected, in words.
        seconds: What it takes; five times that is a hang.
    """

    number: int
    name: str
    run: Callable[[Path], str]
    says: str
    seconds: float = 60
    slow: bool = False


def patience() -> float:
    """By how much a loop may overrun its seconds: 1 in the table, more in the suite, where other work may go on."""
    return float(os.environ.get(PATIENCE, "1"))


def cases() -> dict[str, Case | Loop]:
    """All of them by label: their number, and a letter where a number has several."""
    found: list[Case | Loop] = []
    for path in sorted(HERE.glob("*.py")):
        if path.stem not in APART and not path.stem.startswith("test_"):
            module = import_module(path.stem)
            found += [*getattr(module, "CASES", ()), *getattr(module, "LOOPS", ())]
    found.sort(key=lambda case: case.number)
    many, seen = Counter(case.number for case in found), defaultdict[int, int](int)
    labelled: dict[str, Case | Loop] = {}
    for case in found:
        seen[case.number] += 1
        labelled[f"{case.number}{_letters(seen[case.number]) if many[case.number] > 1 else ''}"] = case
    return labelled


def _letters(count: int) -> str:
    """1 is a, 27 is aa."""
    letters = ""
    while count:
        count, rest = divmod(count - 1, 26)
        letters = string.ascii_lowercase[rest] + letters
    return letters


def marker(folder: Path) -> Path:
    """The file that a payload of the sample in `folder` would write."""
    return folder.parent / MARKER


def plain(data: bytes | Callable[[Path], bytes], name: str) -> Callable[[Path], Path]:
    """A builder that writes one file."""

    def build(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(data if isinstance(data, bytes) else data(folder))
        return path

    return build
