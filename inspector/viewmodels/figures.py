"""The figures of what is selected, in the words and units of the layer table."""

from __future__ import annotations

from inspector.viewmodels import words
from inspector.viewmodels.columns import COLUMNS, Column, column_number
from inspector.viewmodels.unknown import why_unknown
from inspector.worker.tasks.details import Details, Fact, Figures, Section

BYTES = frozenset({"parameter_bytes", "activation_bytes", "live_bytes", "moved_bytes"})


def figures_of(details: Details) -> Section:
    """The figures of what is shown; tips say what they mean, and why one is not known."""
    figures = details.figures
    facts = [] if figures is None else [_fact(COLUMNS[column_number(key)], figures) for key in figures.columns]
    return Section("Figures", tuple(facts))


def _fact(column: Column, figures: Figures) -> Fact:
    row = figures.row
    if row is None:
        return Fact(column.title, words.OPEN, tip=f"{column.tip}\n{figures.missing}")
    why, value = why_unknown(row, column.key), column.value(row)
    more = f"{value:,} bytes" if column.key in BYTES and isinstance(value, int) and value >= 1000 else why
    return Fact(column.title, column.text(row), tip="\n".join(filter(None, (column.tip, more))))
