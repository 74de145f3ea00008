"""The layer table as text that other programs read."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject

from inspector.engines.summary.rows import Row
from inspector.ir.text import in_markdown, in_spreadsheet
from inspector.viewmodels import words
from inspector.viewmodels.columns import COLUMNS, Column, column_number
from inspector.viewmodels.later import Later

Writer = Callable[[Sequence[Row], Iterable[str]], str]
"""Rows and keys of columns into text."""


MODULES = Column(
    "layers", "Layers", "Layers that a module sums up; 0 for a layer itself", "number",
    lambda row: row.layers, lambda row: words.count(row.layers) if row.layers else "",
)  # fmt: skip
"""Stands in every table by module: whoever adds a column up must know which rows are sums already."""


def chosen(keys: Iterable[str], rows: Iterable[Row]) -> tuple[Column, ...]:
    """The columns of these keys, in this order; bars are for the eye only."""
    columns = (COLUMNS[column_number(key)] for key in keys)
    modules = (MODULES,) if any(row.layers for row in rows) else ()
    return (*(column for column in columns if column.style != "bar"), *modules)


def to_tsv(rows: Sequence[Row], keys: Iterable[str]) -> str:
    """What is copied: tabs between cells, a header, plain numbers, so that a spreadsheet takes it, and runs nothing."""
    return _separated(rows, chosen(keys, rows), "\t", lambda value: _harmless(_clean(value)))


def to_csv(rows: Sequence[Row], keys: Iterable[str]) -> str:
    """Comma separated, with a header; cells that a spreadsheet would run as formulas are made harmless."""
    return _separated(rows, chosen(keys, rows), ",", _harmless)


def _separated(rows: Sequence[Row], columns: Sequence[Column], mark: str, clean: Callable[[object], object]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=mark, lineterminator="\n")
    writer.writerow([column.key for column in columns])
    writer.writerows([clean(column.value(row)) for column in columns] for row in rows)
    return out.getvalue()


def _clean(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else "" if value is None else value


def _harmless(value: object) -> object:
    return in_spreadsheet(value) if isinstance(value, str) else "" if value is None else value


def to_json(rows: Sequence[Row], keys: Iterable[str]) -> str:
    """A list of objects, one a line."""
    columns = chosen(keys, rows)
    lines = (msgspec.json.encode({column.key: column.value(row) for column in columns}).decode() for row in rows)
    return "[\n  " + ",\n  ".join(lines) + "\n]\n" if rows else "[]\n"


def to_markdown(rows: Sequence[Row], keys: Iterable[str]) -> str:
    """A table for a README or an issue; what a file's text could mark up is escaped."""
    columns = chosen(keys, rows)
    rule = ["---:" if column.style == "number" else "---" for column in columns]
    lines = [[column.title for column in columns], rule]
    lines += [[in_markdown(column.text(row)) for column in columns] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


WRITERS: dict[str, Writer] = {
    ".csv": to_csv,
    ".json": to_json,
    ".md": to_markdown,
    ".tsv": to_tsv,
}
"""By the suffix of the file that the user names."""

AT_ONCE = 5000
"""Rows that are written while the user waits; more are written in a thread."""


def as_text(
    owner: QObject, write: Writer, rows: Sequence[Row], keys: Iterable[str], done: Callable[[str], object]
) -> None:
    """Hand the rows over as text, at once or a little later."""
    wanted = tuple(keys)
    if len(rows) <= AT_ONCE:
        done(write(rows, wanted))
    else:
        Later(owner, lambda: write(rows, wanted), done)


def into_file(
    owner: QObject, file: Path, rows: Sequence[Row], keys: Iterable[str], failed: Callable[[str, str], object]
) -> None:
    """Write the rows into a file, at once or a little later; its suffix says how.

    Args:
        owner: Whoever wants it.
        file: Where to.
        rows: What.
        keys: Keys of the columns.
        failed: Is told what went wrong and what to do.
    """
    write, wanted = WRITERS.get(file.suffix.lower(), to_csv), tuple(keys)

    def work() -> str:
        try:
            file.write_text(write(rows, wanted), encoding="utf-8")
        except OSError as error:
            return f"{file} cannot be written: {error.strerror}."
        return ""

    def done(problem: str) -> None:
        if problem:
            failed(problem, "Choose another folder.")

    if len(rows) <= AT_ONCE:
        done(work())
    else:
        Later(owner, work, done)
