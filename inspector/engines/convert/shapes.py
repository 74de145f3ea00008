"""Shapes as people type them: `input=1x1x28x28; mask=batchx16`."""

from __future__ import annotations

from inspector.errors import ConversionError
from inspector.ir import Dim


def parse_shapes(text: str) -> dict[str, tuple[Dim, ...]]:
    """The shapes by input name; an input without a name is called by its place: "0", "1", ….

    Raises:
        ConversionError: A dimension is neither a size nor a name.
    """
    result: dict[str, tuple[Dim, ...]] = {}
    for place, part in enumerate(filter(None, (piece.strip() for piece in text.split(";")))):
        name, _, shape = part.rpartition("=")
        result[name.strip() or str(place)] = tuple(_dim(word.strip(), part) for word in _words(shape))
    return result


def _words(shape: str) -> list[str]:
    plain = shape.replace("×", "x").strip().strip("[]()")
    return [word for word in plain.split("," if "," in plain else "x") if word.strip()]


def _dim(word: str, part: str) -> Dim:
    if word.isdigit() and int(word) > 0:
        return int(word)
    if word.isidentifier():
        return word
    raise ConversionError(f"{part!r} is not a shape.", "Write it like input=1x3x224x224.")


def size(dim: Dim, unknown: int = 1) -> int:
    """A size to run with: a name or None takes `unknown`."""
    return dim if isinstance(dim, int) else unknown
