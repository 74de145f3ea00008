"""The overview in words: what goes in and out, the figures, the largest layers, the metadata."""

from __future__ import annotations

from dataclasses import dataclass, replace

from inspector.engines.summary.rows import Overview, Row, Totals
from inspector.viewmodels import words

LARGEST = 8


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the overview, with a line that explains it."""

    title: str
    number: str
    words: str
    tip: str = ""


TIPS = {
    "Parameters": "Weights of every kind, each counted once; slots of an optimizer and averages are none.",
    "Multiply-adds": "What one call multiplies and adds up; a multiply-add is two floating-point operations.",
    "Weights": "Bytes of the parameters as the file holds them.",
    "Activations": "What all layers give, as if all of it were kept. At a time: the most that must be held at once,"
    " with what goes into the model; it may be more than the layers give.",
    "Layers": "Modules or operations that do something; one layer may be several operations.",
}
"""What is counted."""


def caption(overview: Overview) -> str:
    """`ONNX · 2.7 MB · pytorch 2.13 · read in 40 ms`."""
    parts = [words.size(overview.size), overview.producer, f"read in {words.seconds(overview.seconds)}"]
    return "   ·   ".join(part for part in parts if part)


def figures(totals: Totals, distinct: int | None = None) -> tuple[Figure, ...]:
    """The figures that stand at the top; `distinct` counts parameters without repeats, where there are any."""
    return tuple(replace(figure, tip=TIPS[figure.title]) for figure in _figures(totals, distinct))


def _figures(totals: Totals, distinct: int | None) -> tuple[Figure, ...]:
    fixed = totals.parameters - totals.trainable
    if not totals.parameters:
        trains = "no weights are stored"
    elif fixed == 0:
        trains = "all trainable"
    elif totals.trainable == 0:
        trains = "none marked trainable"
    else:
        trains = f"{words.count(fixed)} not trainable"
    trains = f"{words.count(distinct)} distinct" if distinct is not None else trains
    parameters = Figure("Parameters", words.count(totals.parameters), trains)
    weights = Figure("Weights", words.size(totals.parameter_bytes), "as stored in the file")
    if not totals.nodes:
        stores = totals.layers or totals.parameters
        why = "no graph in the file" if stores else "nothing is computed"
        return (
            parameters,
            Figure("Multiply-adds", words.UNKNOWN, why),
            weights,
            Figure("Activations", words.UNKNOWN, why),
            Figure("Layers", words.count(totals.layers), "weights only" if stores else "none in the file"),
        )
    least = "" if totals.complete else "of what is known"
    peak = f"{words.size(totals.peak_bytes)} at a time" if totals.peak_bytes else "outputs of all layers"
    return (
        parameters,
        Figure("Multiply-adds", words.short(totals.macs), least or f"{words.count(totals.macs)} a call"),
        weights,
        Figure("Activations", words.size(totals.activation_bytes), least or peak),
        Figure(
            "Layers", words.count(totals.layers), f"{words.count(totals.nodes)} operation{'s'[: totals.nodes != 1]}"
        ),
    )


def largest(rows: list[Row], limit: int = LARGEST) -> list[Row]:
    """The layers with most parameters, largest first; those without any, and modules, are left out."""
    return sorted((row for row in rows if row.parameters and not row.layers), key=lambda row: -row.parameters)[:limit]
