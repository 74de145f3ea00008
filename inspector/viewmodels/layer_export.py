"""The layer table as text that other programs read."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence

import msgspec

from inspector.engines.summary.rows import Row
from inspector.viewmodels.columns import COLUMNS, Column

Writer = Callable[[Sequence[Row], Iterable[str]], str]
"""Rows and keys of columns into text."""


def chosen(keys: Iterable[str]) -> tuple[Column, ...]:
    """The columns of these keys, in their own order; bars are for the eye only."""
    wanted = set(keys)
    return tuple(column for column in COLUMNS if column.key in wanted and column.style != "bar")


def to_tsv(rows: Sequence[Row], keys: Iterable[str]) -> str:
    """What is copied: tabs between cells, a header, plain numbers, so that a spreadsheet takes it."""
    return _separated(rows, chosen(keys), "\t", _clean)


def to_csv(rows: Sequence[Row], keys: Iterable[str]) -> str:
    """Comma separated, with a header; cells that a spreadsheet would run as formulas are made harmless."""
    return _separated(rows, chosen(keys), ",", _harmless)


def _separated(rows: Sequence[Row], columns: Sequence[Column], mark: str, clean: Callable[[object], object]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=mark, lineterminator="\n")
    writer.writerow([column.key for column in columns])
    writer.writerows([clean(column.value(row)) for column in columns] for row in rows)
    return out.getvalue()


def _clean(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else "" if value is None else value


def _harmless(value: object) -> object:
    value = "" if value is None else value
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


def to_json(rows: Sequence[Row], keys: Iterable[str]) -> str:
    """A list of objects."""
    columns = chosen(keys)
    plain = [{column.key: column.value(row) for column in columns} for row in rows]
    return msgspec.json.format(msgspec.json.encode(plain)).decode() + "\n"


def to_markdown(rows: Sequence[Row], keys: Iterable[str]) -> str:
    """A table for a README or an issue."""
    columns = chosen(keys)
    rule = ["---:" if column.style == "number" else "---" for column in columns]
    lines = [[column.title for column in columns], rule]
    lines += [[column.text(row).replace("|", "\\|").replace("\n", " ") for column in columns] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


WRITERS: dict[str, Writer] = {
    ".csv": to_csv,
    ".json": to_json,
    ".md": to_markdown,
    ".tsv": to_tsv,
}
"""By the suffix of the file that the user names."""
