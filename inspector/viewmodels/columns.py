"""The columns of the layer table, each declared once: what it sorts by, what it says, how it looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from inspector.engines.summary.rows import Row, Totals
from inspector.viewmodels import words

Style = Literal["text", "mono", "type", "number", "bar"]
Sortable = int | float | str


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        key: Its name in settings and exports.
        title: Its header.
        tip: What the header's tooltip says.
        style: How a cell is drawn; numbers stand right.
        value: What rows are sorted by, and what exports hold.
        text: What the cell says.
        total: What the totals line says under it; empty for nothing.
        width: Pixels at first.
        shown: Whether it is shown until the user chooses.
    """

    key: str
    title: str
    tip: str
    style: Style
    value: Callable[[Row], Sortable | None]
    text: Callable[[Row], str]
    total: Callable[[Totals], str] = lambda totals: ""
    width: int = 80
    shown: bool = True


def _inputs(row: Row) -> str:
    return words.shapes(row.inputs)


def _outputs(row: Row) -> str:
    return words.shapes(row.outputs)


COLUMNS: tuple[Column, ...] = (
    Column("index", "#", "Place in execution order", "number",
           lambda row: row.index, lambda row: str(row.index + 1), width=48, shown=False),
    Column("name", "Name", "Path of the module, or name of the node", "text",
           lambda row: row.name, lambda row: row.name, width=160),
    Column("type", "Type", "Class of the module, or type of the operator", "type",
           lambda row: row.type, lambda row: row.type, width=104),
    Column("input_shapes", "Input", "Shapes of what enters, without weights", "mono", _inputs, _inputs, width=112),
    Column("output_shapes", "Output", "Shapes of what leaves", "mono", _outputs, _outputs, width=112),
    Column("dtype", "Dtype", "Of the weights where there are any, else of the first output", "mono",
           lambda row: row.dtype, lambda row: words.dtype(row.dtype), width=56),
    Column("parameters", "Parameters", "Elements of weights and buffers; a shared tensor counts once", "number",
           lambda row: row.parameters, lambda row: words.count(row.parameters),
           lambda totals: words.count(totals.parameters), width=88),
    Column("trainable", "Trainable", "Parameters that training changes", "number",
           lambda row: row.trainable, lambda row: words.count(row.trainable),
           lambda totals: words.count(totals.trainable)),
    Column("macs", "MACs", "Multiply-adds of one call, where the shapes are known", "number",
           lambda row: row.macs, lambda row: words.count(row.macs),
           lambda totals: words.count(totals.macs)),
    Column("activation_bytes", "Memory", "Bytes of the outputs, where the shapes are known", "number",
           lambda row: row.activation_bytes, lambda row: words.size(row.activation_bytes),
           lambda totals: words.size(totals.activation_bytes)),
    Column("parameter_bytes", "Stored", "Bytes of the weights and buffers in the file", "number",
           lambda row: row.parameter_bytes, lambda row: words.size(row.parameter_bytes),
           lambda totals: words.size(totals.parameter_bytes), shown=False),
    Column("share", "Share", "Share of all parameters", "bar",
           lambda row: row.parameters, lambda row: "", width=96),
    Column("source", "Source", "Where in the author's program it was written", "text",
           lambda row: row.source, lambda row: row.source, width=208, shown=False),
)  # fmt: skip
"""In the order in which they stand."""

KEYS = tuple(column.key for column in COLUMNS)
DEFAULT = tuple(column.key for column in COLUMNS if column.shown)


def column_number(key: str) -> int:
    """Where the column of this key stands."""
    return KEYS.index(key)


def haystack(row: Row) -> str:
    """What the filter searches: name, type, shapes and dtypes, in lower case, shapes with a plain x too."""
    ports = " ".join(
        f"{words.shape(port.shape)} {port.dtype} {words.dtype(port.dtype)}" for port in (*row.inputs, *row.outputs)
    )
    text = f"{row.name}\n{row.type}\n{row.category}\n{ports}\n{row.dtype}".lower()
    return f"{text}\n{ports.replace(words.TIMES, 'x').lower()}" if words.TIMES in ports else text
