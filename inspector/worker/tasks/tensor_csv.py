"""A tensor of the open model as a .csv file, piece by piece; who asks writes the file.

A vector has a value a line, a matrix a row a line. Of more dimensions each line is one row along the last dimension,
and begins with its indices in the others; a header says so. Real numbers are written so that they read back as the
same; strings that a spreadsheet would run as formulas are made harmless.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from math import prod

import msgspec

from inspector.worker.tasks._document import document
from inspector.worker.tasks._figures import texts
from inspector.worker.tasks._task import Context, Task
from inspector.worker.tasks._values import values

LARGEST_PIECE = 1 << 18
"""Values of one piece."""
NAMED = 100_000
"""Columns up to which the header numbers each."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class TensorCsvArgs(msgspec.Struct, frozen=True):
    """Which tensor, and from which of its values on; `real` as in `TensorArgs`."""

    name: str
    start: int = 0
    count: int = LARGEST_PIECE
    real: bool | None = None


class TensorCsv(msgspec.Struct, frozen=True):
    """A piece of the file, in UTF-8; `stop` is the value that the next one begins with, `total` how many there are."""

    data: bytes
    stop: int
    total: int


def run(args: TensorCsvArgs, context: Context) -> TensorCsv:
    """Give the piece."""
    opened = document(context)
    found = values(opened, opened.tensor(args.name), args.real)
    start = min(max(0, args.start), found.size)
    part = found.part(start, min(max(1, args.count), LARGEST_PIECE))
    words = list(texts(part))
    if part.dtype.kind in "OSU":
        words = [_quoted(word) for word in words]
    lines = "".join(_lines(words, start, found.shape))
    if start == 0:
        lines = _header(found.shape) + lines
    return TensorCsv(lines.encode(), start + len(words), found.size)


def _header(shape: tuple[int, ...]) -> str:
    if len(shape) < 3:
        return ""
    indices = [f"index {dim}" for dim in range(len(shape) - 1)]
    columns = map(str, range(shape[-1])) if shape[-1] <= NAMED else ["values"]
    return ",".join([*indices, *columns]) + "\n"


def _lines(words: list[str], start: int, shape: tuple[int, ...]) -> Iterator[str]:
    """Text of values from `start` on, which may begin and end in the midst of a line."""
    width = shape[-1] if len(shape) > 1 else 1
    at = 0
    while at < len(words):
        row, column = divmod(start + at, width)
        end = min(len(words), at + width - column)
        if column == 0 and len(shape) > 2:
            yield "".join(f"{index}," for index in _indices(row, shape[:-1]))
        yield ",".join(words[at:end])
        yield "\n" if column + end - at == width else ","
        at = end


def _indices(number: int, shape: tuple[int, ...]) -> Iterator[int]:
    for dim in range(len(shape)):
        inner = prod(shape[dim + 1 :])
        yield number // inner % shape[dim]


def _quoted(word: str) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([f"'{word}" if word.startswith(FORMULA) else word])
    return out.getvalue()


TASK = Task("tensor_csv", TensorCsvArgs, TensorCsv, run)
