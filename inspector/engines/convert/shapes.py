"""Shapes in the options of a converter: `input=1x1x28x28; mask=batch,16`."""

from __future__ import annotations

from inspector.errors import ConversionError, InspectorError
from inspector.ir import Dim
from inspector.ir.shapes import parse


def parse_shapes(text: str) -> dict[str, tuple[Dim, ...]]:
    """The shapes by input name; an input without a name is called by its place: "0", "1", ….

    Raises:
        ConversionError: A dimension is neither a size nor a name.
    """
    result: dict[str, tuple[Dim, ...]] = {}
    for place, part in enumerate(filter(None, (piece.strip() for piece in text.split(";")))):
        name, _, shape = (word.strip() for word in part.rpartition("="))
        if "," in shape and not shape.endswith("]"):
            shape = f"[{shape.strip('()')}]"
        try:
            found = parse([f"{name or place}={shape}"])
        except InspectorError as error:
            raise ConversionError(error.what, error.hint) from error
        if not all(dim.isidentifier() if isinstance(dim, str) else dim for dims in found.values() for dim in dims):
            raise ConversionError(f"{part!r} is not an input shape.", "Write it like input=1x3x224x224.")
        result.update(found)
    return result


def size(dim: Dim, unknown: int = 1) -> int:
    """A size to run with: a name or None takes `unknown`."""
    return dim if isinstance(dim, int) else unknown
