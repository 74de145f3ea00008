"""What is said of a model a moment after opening it."""

from __future__ import annotations

from inspector.engines.summary.rows import Overview, Port, Remark, Signature
from inspector.engines.summary.sizes import BATCH, UNNAMED
from inspector.engines.summary.summary import Summary, batch_names, inputs_of
from inspector.ir import Model, Note, Value
from inspector.ir.text import inert

MOST_METADATA = 200
MOST_NOTES = 100
MOST_DETAILS = 1000
"""Lines of one remark."""


def overview(summary: Summary, *, file: str, size: int, title: str, seconds: float = 0.0) -> Overview:
    """The overview of a model.

    Args:
        summary: Its figures.
        file: Name of the file as opened.
        size: Bytes of the file.
        title: Of the format.
        seconds: What it took to read.
    """
    model = summary.model
    return Overview(
        file=inert(file, 4096),
        size=size,
        format=model.format,
        title=title,
        producer=inert(model.producer),
        signatures=_signatures(summary),
        totals=summary.totals,
        metadata={inert(key): inert(text, 2000) for key, text in list(model.metadata.items())[:MOST_METADATA]},
        dims=open_dims(model),
        modules=summary.modules,
        texts=tuple(inert(name) for name in model.texts),
        notes=remarks(summary),
        seconds=seconds,
    )


def open_dims(model: Model) -> tuple[str, ...]:
    """Names of the inputs' open dimensions in order of appearance; an unnamed first one is called `batch`."""
    names: dict[str, None] = {}
    for value in inputs_of(model):
        for axis, dim in enumerate(value.shape or ()):
            if isinstance(dim, str):
                names[inert(dim, 100)] = None
            elif dim is None and axis == 0:
                names[BATCH] = None
    return tuple(names)


def _signatures(summary: Summary) -> tuple[Signature, ...]:
    model = summary.model
    if model.signatures:
        return tuple(
            Signature(inert(each.name), _ports(summary, each.inputs), _ports(summary, each.outputs))
            for each in model.signatures
        )
    if model.main is None:
        return ()
    return (Signature("", _ports(summary, model.main.inputs), _ports(summary, model.main.outputs)),)


def _ports(summary: Summary, values: tuple[Value, ...]) -> tuple[Port, ...]:
    return tuple(summary.port(value.name, value) for value in values)


def _gravest(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """The notes, or the gravest of very many, in the order of the file."""
    if len(notes) <= MOST_NOTES:
        return notes
    ranks = {"danger": 0, "warning": 1}
    chosen = sorted(range(len(notes)), key=lambda at: (ranks.get(notes[at].level, 2), at))[:MOST_NOTES]
    return tuple(notes[at] for at in sorted(chosen))


def remarks(summary: Summary) -> tuple[Remark, ...]:
    """What is to be known of the file, and of the figures with these sizes."""
    model = summary.model
    found = [
        Remark(
            note.level, inert(note.text, 2000), inert(note.hint, 2000),
            tuple(inert(each) for each in note.details[:MOST_DETAILS]),
        )
        for note in _gravest(model.notes)
    ]  # fmt: skip
    if len(found) < len(model.notes):
        found.append(Remark("info", f"{len(model.notes) - len(found):,} more remarks are not shown."))
    summary.totals  # noqa: B018 - what is open is known once everything has been counted
    batch = sorted(summary.sizes.open & batch_names(model))
    others = sorted(summary.sizes.open - batch_names(model) - {UNNAMED, BATCH})
    if batch:
        found.append(Remark("info", f"Multiply-adds and memory are those of {inert(batch[0], 100)} = 1."))
    if others:
        names = ", ".join(inert(name, 100) for name in others[:5]) + (" …" if len(others) > 5 else "")
        found.append(
            Remark("info", f"Sizes that are not known count as 1: {names}.", "Type their sizes to get true figures.")
        )
    if summary.totals.nodes and not summary.totals.complete and not others:
        found += _parts(summary)
    if any(runs.chosen for runs in summary.running):
        found.append(Remark("info", "Of the branches of a condition the one that does most counts."))
    if any(graph.calls for graph in summary.examined):
        found.append(
            Remark("info", "What a function does is in its own rows, counted for each call; calls have no figures.")
        )
    if any(runs.open and runs.times for runs in summary.running):
        found.append(Remark("info", "Loops whose length depends on values count as one run."))
    return tuple(found)


def _parts(summary: Summary) -> list[Remark]:
    """Why the figures are not those of the whole model."""
    found = []
    strange = sorted({op for graph in summary.examined for op in graph.strange})
    if strange:
        names = ", ".join(inert(op, 100) for op in strange[:5]) + (" …" if len(strange) > 5 else "")
        what = f"What these operators compute is not known here: {names}."
        found.append(Remark("info", what, "Their multiply-adds and FLOPs count as nothing."))
    if not strange or not all(graph.shaped for graph in summary.examined):
        what = "Some shapes are not known, so multiply-adds and memory are those of the known part."
        found.append(Remark("info", what))
    return found
