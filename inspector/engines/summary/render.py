"""The summary as JSON, text, CSV and Markdown, for the command line. Key names are a contract; more may be added."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

import msgspec

from inspector.engines.summary.repeats import Repeats
from inspector.engines.summary.repeats_words import distinct, omitted, repeated
from inspector.engines.summary.rows import ModuleRow, Overview, Port, Row, Shape, Totals
from inspector.ir.text import in_markdown, in_spreadsheet

WIDEST = 48
"""Characters of a name in the text table; the end tells more than the beginning."""

_HEADING = (
    "Layer",
    "Type",
    "Input",
    "Output",
    "Parameters",
    "Multiply-adds",
    "FLOPs",
    "Memory",
    "Live",
    "FLOPs/byte",
    "Share",
)
_WORDS = 4
"""Columns of it that stand left."""

_CSV = (
    "index",
    "name",
    "type",
    "module",
    "input_shapes",
    "output_shapes",
    "dtype",
    "parameters",
    "trainable",
    "parameter_bytes",
    "macs",
    "activation_bytes",
    "source",
    "flops",
    "moved_bytes",
    "intensity",
    "live_bytes",
    "runs",
    "share",
    "repeats",
)


def as_json(overview: Overview, rows: Sequence[Row], repeats: Repeats | None = None) -> dict[str, Any]:
    """Plain data: `file format inputs outputs totals{…} rows[…]` and more.

    Of repeats `totals.distinct` counts the parameters without them, `repeats.pairs` has the name of each weight that
    repeats with the first one of its values, and `repeats.complete` says whether all were compared; where nobody looked
    for them, `totals.distinct` and `repeats` are null. A row's `repeats` are those of its own weights.
    """
    first = overview.signatures[0] if overview.signatures else None
    return {
        "file": overview.file,
        "format": overview.format,
        "title": overview.title,
        "producer": overview.producer,
        "size": overview.size,
        "seconds": overview.seconds,
        "dims": list(overview.dims),
        "inputs": [_port(port) for port in first.inputs] if first else [],
        "outputs": [_port(port) for port in first.outputs] if first else [],
        "signatures": [
            {
                "name": each.name,
                "inputs": [_port(port) for port in each.inputs],
                "outputs": [_port(port) for port in each.outputs],
            }
            for each in overview.signatures
        ],
        "totals": {
            **msgspec.to_builtins(overview.totals),
            "intensity": overview.totals.intensity,
            "distinct": None if repeats is None else distinct(repeats, overview.totals.parameters),
        },
        "repeats": None if repeats is None else {**msgspec.to_builtins(repeats), "complete": not omitted(repeats)},
        "rows": [{**_row(row, overview.totals), "repeats": _repeated(row, repeats)} for row in rows],
        "modules": [_module(row) for row in overview.modules],
        "metadata": dict(overview.metadata),
        "notes": [msgspec.to_builtins(note) for note in overview.notes],
    }


def as_text(overview: Overview, rows: Sequence[Row], repeats: Repeats | None = None) -> str:
    """A heading, an aligned table and the totals, as torchinfo prints them."""
    cells = [_HEADING, *_cells(overview, rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEADING))]
    table = [_line(line, widths) for line in cells]
    rule = "─" * max(map(len, table))
    return "\n".join([*_head(overview), rule, table[0], rule, *table[1:], rule, *_foot(overview, repeats)])


def as_markdown(overview: Overview, rows: Sequence[Row], repeats: Repeats | None = None) -> str:
    """The same as a table of GitHub's Markdown; what a file's text could mark up is escaped."""
    right = len(_HEADING) - _WORDS
    lines = [f"### {in_markdown(overview.file)}", ""]
    lines += ["| " + " | ".join(_HEADING) + " |", "|" + " --- |" * _WORDS + " ---: |" * right]
    lines += ["| " + " | ".join(map(in_markdown, line)) + " |" for line in _cells(overview, rows)]
    return "\n".join(
        [*lines, "", *(f"- {in_markdown(line)}" for line in [*_head(overview), *_foot(overview, repeats)])]
    )


def as_csv(rows: Iterable[Row], totals: Totals | None = None, repeats: Repeats | None = None) -> str:
    """The rows with one column for each figure; a text that a spreadsheet would run as a formula is quoted.

    Args:
        rows: What to write.
        totals: What shares of FLOPs are taken of; without them that column is empty.
        repeats: Weights with the values of others; without them that column is empty.
    """
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_CSV)
    for row in rows:
        turned = repeats.turned if repeats else ()
        found = _repeated(row, repeats).items()
        pairs = ", ".join(f"{name} = {other}{' transposed' * (name in turned)}" for name, other in found)
        writer.writerow([*(_cell(row, name, totals) for name in _CSV[:-1]), in_spreadsheet(pairs)])
    return out.getvalue()


def sizes(shape: Shape) -> str:
    """A shape as it is shown: `batch×3×224×224`."""
    if shape is None:
        return "?"
    return "×".join("?" if dim is None else str(dim) for dim in shape) or "scalar"


def bytes_in_words(count: int) -> str:
    """A number of bytes, in powers of ten, with three digits or so."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{count:,} {unit}" if unit == "bytes" else f"{size:.3g} {unit}"
        size /= 1000
    raise AssertionError("The last unit takes all.")


def _head(overview: Overview) -> list[str]:
    lines = [f"{overview.file} · {overview.title} · {bytes_in_words(overview.size)}"]
    if overview.producer:
        lines[0] += f" · {overview.producer}"
    for signature in overview.signatures[:1]:
        for word, ports in (("in ", signature.inputs), ("out", signature.outputs)):
            lines += [f"  {word}  {port.name}  {port.dtype} {sizes(port.shape)}" for port in ports]
    return lines


def _foot(overview: Overview, repeats: Repeats | None) -> list[str]:
    totals = overview.totals
    more = "" if totals.complete else " (of what is known)"
    lines = [
        f"Layers              {totals.layers:,} of {totals.nodes:,} nodes",
        f"Parameters          {totals.parameters:,}, {bytes_in_words(totals.parameter_bytes)}",
        *_said(repeats, totals.parameters),
        f"Trainable           {totals.trainable:,}",
        f"Multiply-adds       {totals.macs:,}{more}",
        f"FLOPs               {totals.flops:,}{more}",
        f"Activation memory   {bytes_in_words(totals.activation_bytes)}{more}",
        f"Peak live memory    {bytes_in_words(totals.peak_bytes)}{more}",
    ]
    if totals.intensity:
        moved = bytes_in_words(totals.moved_bytes)
        lines.append(f"Intensity           {_number(totals.intensity)} FLOPs a byte, {moved} moved{more}")
    return lines + [f"{note.level.capitalize()}: {note.text} {note.hint}".rstrip() for note in overview.notes]


def _said(repeats: Repeats | None, parameters: int) -> list[str]:
    """That weights repeat others; nothing where none does and all were compared."""
    if repeats is None:
        return []
    gaps = omitted(repeats)
    lines = [f"Distinct            {distinct(repeats, parameters):,}: {repeated(repeats)}"] if repeats.weights else []
    return lines + ([f"Not compared        {gaps}" + " Ask with --repeats." * bool(repeats.beyond)] if gaps else [])


def _repeated(row: Row, repeats: Repeats | None) -> dict[str, str]:
    """Which weights of a row repeat which others."""
    pairs = repeats.pairs if repeats else {}
    return {name: pairs[name] for name in row.weights if name in pairs} if pairs else {}


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    left = [cell.ljust(width) for cell, width in zip(cells[:_WORDS], widths, strict=False)]
    right = [cell.rjust(width) for cell, width in zip(cells[_WORDS:], widths[_WORDS:], strict=True)]
    return "  ".join([*left, *right]).rstrip()


def _short(text: str) -> str:
    return text if len(text) <= WIDEST else f"…{text[1 - WIDEST :]}"


def _cells(overview: Overview, rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """The table's cells as they are printed, without the heading."""
    return [
        (
            _short(row.name),
            _short(row.type),
            " ".join(sizes(port.shape) for port in row.inputs[:3]) + (" …" if len(row.inputs) > 3 else ""),
            " ".join(sizes(port.shape) for port in row.outputs[:3]) + (" …" if len(row.outputs) > 3 else ""),
            f"{row.parameters:,}",
            "?" if row.macs is None else f"{row.macs:,}",
            "?" if row.flops is None else f"{row.flops:,}",
            "?" if row.activation_bytes is None else bytes_in_words(row.activation_bytes),
            "" if row.live_bytes is None else bytes_in_words(row.live_bytes),
            "" if row.intensity is None else _number(row.intensity),
            "" if (part := share(row, overview.totals)) is None else f"{part:.1%}",
        )
        for row in rows
    ]


def share(row: Row, totals: Totals) -> float | None:
    """Part of the model's FLOPs that a row does, between 0 and 1; None where it is not known or does not count."""
    return row.flops / totals.flops if row.flops is not None and row.runs and totals.flops else None


def _number(value: float) -> str:
    """Three digits or so."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _port(port: Port) -> dict[str, Any]:
    return {"name": port.name, "dtype": port.dtype, "shape": None if port.shape is None else list(port.shape)}


def _module(row: ModuleRow) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(row)
    return found


def _shapes(ports: Iterable[Port]) -> list[list[int | str | None] | None]:
    return [None if port.shape is None else list(port.shape) for port in ports]


def _row(row: Row, totals: Totals) -> dict[str, Any]:
    return {
        "index": row.index,
        "name": row.name,
        "type": row.type,
        "category": row.category,
        "module": row.module,
        "graph": row.graph,
        "nodes": list(row.nodes),
        "input_shapes": _shapes(row.inputs),
        "output_shapes": _shapes(row.outputs),
        "weights": list(row.weights),
        "dtype": row.dtype,
        "parameters": row.parameters,
        "trainable": row.trainable,
        "parameter_bytes": row.parameter_bytes,
        "macs": row.macs,
        "activation_bytes": row.activation_bytes,
        "source": row.source,
        "flops": row.flops,
        "moved_bytes": row.moved_bytes,
        "intensity": row.intensity,
        "live_bytes": row.live_bytes,
        "runs": row.runs,
        "share": share(row, totals),
    }


def _cell(row: Row, name: str, totals: Totals | None) -> str | int | float:
    if name in {"input_shapes", "output_shapes"}:
        return " ".join(sizes(port.shape) for port in (row.inputs if name == "input_shapes" else row.outputs))
    if name == "share":
        part = share(row, totals) if totals else None
        return "" if part is None else round(part, 6)
    value = getattr(row, name)
    if isinstance(value, str):
        return in_spreadsheet(value)
    return "" if value is None else value
