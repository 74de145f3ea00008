"""Open a model file: recognise it, read its structure, say what it is."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import msgspec

from inspector.engines.summary.overview import overview
from inspector.engines.summary.rows import Overview
from inspector.errors import InspectorError
from inspector.formats import Source, identify
from inspector.worker.tasks._document import KEY, Document
from inspector.worker.tasks._task import Context, Task


class OpenArgs(msgspec.Struct, frozen=True):
    """What to open.

    Attributes:
        path: File or folder.
        dims: Sizes of named dimensions for the figures.
        shapes: Shapes of inputs by name, for files that do not say.
    """

    path: str
    dims: dict[str, int] = {}
    shapes: dict[str, tuple[int | str, ...]] = {}


def run(args: OpenArgs, context: Context) -> Overview:
    """Read the file and keep the model; what was open before is let go first."""
    context.state.pop(KEY, None)
    context.state.pop("graph.trees", None)
    start = perf_counter()
    context.report(None, "Looking at the file")
    path = Path(args.path)
    source = Source(path)
    fmt = identify(source)
    context.report(None, f"Reading {fmt.title}")
    model = fmt.read(source)
    if args.shapes:
        if fmt.reshape is None:
            raise InspectorError(
                f"The inputs of a {fmt.title} file have the shapes that the file says.",
                "Open it without shapes; sizes of named dimensions can be chosen.",
            )
        model = fmt.reshape(model, args.shapes)
    context.report(None, "Counting")
    opened = Document(source, fmt, model, perf_counter() - start)
    result = overview(
        opened.summary(args.dims), file=path.name, size=source.size, title=fmt.title, seconds=opened.seconds
    )
    context.state[KEY] = opened
    return result


TASK = Task("open", OpenArgs, Overview, run)
