"""Open a model file: recognise it, read its structure, say what it is."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import msgspec

from inspector.engines.summary.collector import waiting
from inspector.engines.summary.overview import open_dims, overview
from inspector.engines.summary.rows import FOLLOWS, Overview, Remark
from inspector.engines.summary.sizes import BATCH, UNNAMED
from inspector.engines.summary.summary import inputs_of
from inspector.errors import InspectorError
from inspector.formats import Source, identify, remarks
from inspector.ir import Model, Shape
from inspector.ir.text import inert
from inspector.worker.tasks._document import KEY, Document
from inspector.worker.tasks._task import Context, Task

Shapes = dict[str, tuple[int | str, ...]]
MOST_BESIDE = 500
WORD = re.compile(r"[^\W\d]\w*")
"""A name in a dimension that is worked out from others."""


class OpenArgs(msgspec.Struct, frozen=True):
    """What to open.

    Attributes:
        path: File or folder.
        dims: Sizes of named dimensions for the figures.
        shapes: Shapes of inputs by name. Where the file has no shapes, those of all values follow from them; where it
            names its open dimensions, they say their sizes.
        quick: Of a very large model say at once what can be said, and have the rest asked for (`follow`).
    """

    path: str
    dims: dict[str, int] = {}
    shapes: Shapes = {}
    quick: bool = False


def run(args: OpenArgs, context: Context) -> Overview:
    """Read the file and keep the model; what was open before is let go first."""
    context.state.pop(KEY, None)
    start = perf_counter()
    context.report(None, "Looking at the file")
    path = Path(args.path)
    source = Source(path)
    fmt = identify(source)
    context.report(None, f"Reading {fmt.title}")
    with waiting():
        sketch = fmt.sketch(source) if args.quick and fmt.sketch is not None else None
        model = sketch or fmt.read(source)
    model = replace(model, notes=(*model.notes, *remarks(source, model, fmt)))
    fixed: dict[str, int] = {}
    typed = nameless(model) if fmt.reshape is not None else ()
    if args.shapes:
        if fmt.reshape is not None:
            fixed = batch_of(model, args.shapes)
            model = fmt.reshape(model, _known(model, args.shapes))
        else:
            fixed = sizes_of(model, args.shapes)
    context.report(None, "Counting")
    with waiting():
        opened = Document(source, fmt, model, perf_counter() - start, fixed, sketched=sketch is not None)
    if opened.sketched:
        opened.settle(args.dims)
    opened.news = opened.chosen = opened.summary(args.dims)
    result = overview(opened.news, file=path.name, size=source.size, title=fmt.title, seconds=opened.seconds)
    notes = (FOLLOWS, *result.notes) if opened.sketched else (*nowhere(model, args.dims), *result.notes)
    if fmt.reshape is None:
        notes = (*shapeless(model, args.shapes, fmt.title), *notes)
    result = msgspec.structs.replace(
        result, beside=beside(source, model), follows=opened.sketched, notes=notes, typed=typed
    )
    context.state[KEY] = opened
    return result


def nowhere(model: Model, dims: dict[str, int]) -> tuple[Remark, ...]:
    """A remark where sizes are given for names that no dimension of the model has."""
    inputs = inputs_of(model)
    left = set(dims)
    if any(value.shape is None or (value.shape and value.shape[0] is None) for value in inputs):
        left -= {BATCH, UNNAMED}
    for values in (inputs, *(graph.values.values() for graph in model.graphs)) if left else ():
        for value in values:
            left.difference_update(*([dim, *WORD.findall(dim)] for dim in value.shape or () if isinstance(dim, str)))
    if not left:
        return ()
    what = f"No dimension of the model is called {', '.join(repr(inert(name, 100)) for name in sorted(left)[:5])}."
    known = ", ".join(open_dims(model)[:20]) or "none"
    return (Remark("warning", what, f"The size changes nothing. Open dimensions of its inputs: {known}."),)


def shapeless(model: Model, shapes: Shapes, title: str) -> tuple[Remark, ...]:
    """A remark where shapes are given for inputs that have none, and none follow from what is given."""
    names = [value.name for value in inputs_of(model) if value.shape is None and value.name in shapes]
    if not names:
        return ()
    what = f"The shape given for {', '.join(repr(inert(name, 100)) for name in names[:5])} changes nothing."
    return (Remark("warning", what, f"Of {title} files, shapes follow only from what the file says of its inputs."),)


def beside(source: Source, model: Model) -> tuple[str, ...]:
    """Names of the files beside the model that its tensors lie in, as far as they may be read."""
    found: list[str] = []
    for name in {tensor.place.file: None for tensor in model.tensors.values()}:
        if name and len(found) < MOST_BESIDE and inert(name) == name:
            with suppress(InspectorError):
                source.side(name)
                found.append(name)
    return tuple(found)


def nameless(model: Model) -> tuple[str, ...]:
    """Names of the inputs with open sizes beside the batch that have no name to fix them by."""
    return tuple(inert(value.name) for value in inputs_of(model) if value.shape is None or None in value.shape[1:])


def batch_of(model: Model, shapes: Shapes) -> dict[str, int]:
    """The size of the batch under these shapes, for values that no rule reached."""
    for value in inputs_of(model):
        given = shapes.get(value.name)
        if given and value.shape and value.shape[0] is None and isinstance(given[0], int):
            return {BATCH: given[0]}
    return {}


def sizes_of(model: Model, shapes: Shapes) -> dict[str, int]:
    """The sizes of the model's named dimensions under these shapes of its inputs."""
    sizes: dict[str, int] = {}
    inputs = {value.name: value for value in inputs_of(model)}
    for name, shape in _known(model, shapes).items():
        said = inputs[name].shape
        if said is None:
            continue
        fits = len(said) == len(shape) and all(
            not isinstance(dim, int) or not isinstance(size, int) or dim == size
            for dim, size in zip(said, shape, strict=True)
        )
        if not fits:
            raise InspectorError(
                f"The input {inert(name)!r} does not have the shape {_words(shape)}.", f"The file says {_words(said)}."
            )
        for axis, (dim, size) in enumerate(zip(said, shape, strict=True)):
            key = BATCH if dim is None and axis == 0 else dim
            if isinstance(key, str) and isinstance(size, int) and sizes.setdefault(key, size) != size:
                raise InspectorError(f"The dimension {inert(key)!r} cannot be {sizes[key]} and {size} at once.")
    return sizes


def _known(model: Model, shapes: Shapes) -> Shapes:
    """The shapes; raises InspectorError where the model has no input of a name."""
    names = [value.name for value in inputs_of(model)]
    for name in shapes:
        if name not in names:
            known = ", ".join(inert(each, 100) for each in names[:20]) or "none"
            raise InspectorError(f"The model has no input {inert(name)!r}.", f"Its inputs: {known}.")
    return shapes


def _words(shape: Shape) -> str:
    return "×".join("?" if dim is None else inert(str(dim), 100) for dim in shape) or "scalar"


TASK = Task("open", OpenArgs, Overview, run)
