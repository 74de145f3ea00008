"""The columns of the layer table, each declared once: what it sorts by, what it says, how it looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from inspector.engines.summary.rows import Row, Totals
from inspector.viewmodels import words
from inspector.viewmodels.unknown import mark

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
        whole: For a bar: what the value is a share of.
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
    whole: Callable[[Totals], int] = lambda totals: 0
    width: int = 80
    shown: bool = True


def _inputs(row: Row) -> str:
    return words.shapes(row.inputs)


def _outputs(row: Row) -> str:
    return words.shapes(row.outputs)


def _weights(row: Row) -> str:
    return ", ".join(words.shape(shape) for shape in row.weight_shapes)


def _count(row: Row, key: str, number: int | None) -> str:
    return mark(row, key) if number is None else words.count(number)


def _size(row: Row, key: str, number: int | None) -> str:
    return mark(row, key) if number is None else words.size(number)


def _intensity(row: Row) -> str:
    found = row.intensity
    return mark(row, "intensity") if found is None else words.ratio(found)


COLUMNS: tuple[Column, ...] = (
    Column("index", "#", "Place in execution order", "number",
           lambda row: row.index, lambda row: str(row.index + 1), width=48, shown=False),
    Column("name", "Name", "Path of the module, or name of the node", "text",
           lambda row: row.name, lambda row: row.name, width=160),
    Column("type", "Type", "Class of the module, or type of the operator", "type",
           lambda row: row.type, lambda row: row.type, width=104),
    Column("input_shapes", "Input", "Shapes of what enters, without weights", "mono", _inputs, _inputs, width=112),
    Column("output_shapes", "Output", "Shapes of what leaves", "mono", _outputs, _outputs, width=112),
    Column("weight_shapes", "Weights", "Shapes of the weights and buffers", "mono", _weights, _weights, width=112,
           shown=False),
    Column("dtype", "Dtype", "Of the weights where there are any, else of the first output", "mono",
           lambda row: row.dtype, lambda row: words.dtype(row.dtype), width=56),
    Column("parameters", "Parameters", "Elements of weights and buffers; a shared tensor counts once", "number",
           lambda row: row.parameters, lambda row: words.count(row.parameters),
           lambda totals: words.count(totals.parameters), width=88),
    Column("trainable", "Trainable", "Parameters that training changes", "number",
           lambda row: row.trainable, lambda row: words.count(row.trainable),
           lambda totals: words.count(totals.trainable), shown=False),
    Column("macs", "MACs", "Multiply-adds of one call, where the shapes are known", "number",
           lambda row: row.macs, lambda row: _count(row, "macs", row.macs),
           lambda totals: words.count(totals.macs)),
    Column("flops", "FLOPs", "Floating-point operations of one call: two for a multiply-add, one for other arithmetic",
           "number", lambda row: row.flops, lambda row: _count(row, "flops", row.flops),
           lambda totals: words.count(totals.flops), shown=False),
    Column("activation_bytes", "Memory", "Bytes of the outputs, where the shapes are known", "number",
           lambda row: row.activation_bytes, lambda row: _size(row, "activation_bytes", row.activation_bytes),
           lambda totals: words.size(totals.activation_bytes)),
    Column("parameter_bytes", "Stored", "Bytes of the weights and buffers in the file", "number",
           lambda row: row.parameter_bytes, lambda row: words.size(row.parameter_bytes),
           lambda totals: words.size(totals.parameter_bytes), shown=False),
    Column("live_bytes", "Live", "Most memory that values need while it runs; the largest is the peak", "number",
           lambda row: row.live_bytes, lambda row: _size(row, "live_bytes", row.live_bytes),
           lambda totals: words.size(totals.peak_bytes), shown=False),
    Column("moved_bytes", "Moved", "Bytes that it reads and writes, weights too", "number",
           lambda row: row.moved_bytes, lambda row: _size(row, "moved_bytes", row.moved_bytes),
           lambda totals: words.size(totals.moved_bytes), shown=False),
    Column("intensity", "FLOPs/byte", "Arithmetic intensity: below a few dozen it waits for memory", "number",
           lambda row: row.intensity, _intensity,
           lambda totals: words.ratio(totals.intensity), shown=False),
    Column("share", "Share", "Share of all parameters", "bar",
           lambda row: row.parameters, lambda row: "", whole=lambda totals: totals.parameters, width=104),
    Column("macs_share", "Share of MACs", "Share of all multiply-adds", "bar",
           lambda row: row.macs, lambda row: "", whole=lambda totals: totals.macs, width=112, shown=False),
    Column("shares", "Shares", "Tensors that it uses and that are counted at a row before it: tied weights", "text",
           lambda row: ", ".join(row.shares), lambda row: ", ".join(row.shares), width=144, shown=False),
    Column("source", "Source", "Where in the author's program it was written", "text",
           lambda row: row.source, lambda row: row.source, width=208, shown=False),
)  # fmt: skip
"""In the order in which they stand."""

KEYS = tuple(column.key for column in COLUMNS)
DEFAULT = tuple(column.key for column in COLUMNS if column.shown)
WEIGHTS_ONLY = ("name", "type", "weight_shapes", "dtype", "parameters", "trainable", "parameter_bytes", "share")
"""What says something of a file that holds no graph."""


def column_number(key: str) -> int:
    """Where the column of this key stands."""
    return KEYS.index(key)


def haystack(row: Row) -> str:
    """What the filter searches: name, type, shapes and dtypes, in lower case, shapes with a plain x too."""
    ports = " ".join(
        f"{words.shape(port.shape)} {port.dtype} {words.dtype(port.dtype)}" for port in (*row.inputs, *row.outputs)
    )
    ports += "".join(f" {words.shape(shape)}" for shape in row.weight_shapes)
    text = f"{row.name}\n{row.type}\n{row.category}\n{ports}\n{row.dtype}".lower()
    return f"{text}\n{ports.replace(words.TIMES, 'x').lower()}" if words.TIMES in ports else text
