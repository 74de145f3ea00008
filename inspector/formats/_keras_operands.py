"""What enters an operation of `keras.ops` in the order of its call: tensors of the model, and numbers of the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from inspector.formats._keras_config import Layer
from inspector.ir import Dim, Shape

Shapes = Sequence[Shape | None]
DEEPEST = 8


def axis_of(number: Any, rank: int) -> int:
    """A dimension counted from the front.

    Raises:
        ValueError: There is no such dimension.
    """
    if not isinstance(number, int) or not -rank <= number < rank:
        raise ValueError("axis")
    return number % rank


def axes_of(given: Any, rank: int) -> set[int]:
    """The dimensions that are said: one, some, or all where none is.

    Raises:
        ValueError: There is no such dimension.
    """
    if given is None:
        return set(range(rank))
    return {axis_of(each, rank) for each in (given if isinstance(given, list | tuple) else [given])}


def reduced(layer: Layer, first: Shape, key: str = "axis") -> Shape:
    """What is left when the dimensions of a setting are gone."""
    drop, keep = axes_of(layer.config.get(key), len(first)), layer.config.get("keepdims") is True
    return tuple(1 if at in drop else size for at, size in enumerate(first) if keep or at not in drop)


def operands(layer: Layer, inputs: Shapes) -> list[Shape | None]:
    """Shapes of the positional arguments; those of the tensors alone where the file does not have the call."""
    given = layer.given.get("args") if isinstance(layer.given, dict) else None
    if not isinstance(given, list) or "__keras_tensor__" not in str(given)[:100_000]:
        return list(inputs)
    left = iter(inputs)
    return [shape for argument in given for shape in _shapes(argument, left)]


def _shapes(argument: Any, left: Iterator[Shape | None]) -> Iterator[Shape | None]:
    if isinstance(argument, dict) and argument.get("class_name") == "__keras_tensor__":
        yield next(left, None)
    elif isinstance(argument, list) and any(isinstance(part, dict | list) for part in argument[:1]):
        for part in argument:
            yield from _shapes(part, left)
    else:
        config = argument.get("config") if isinstance(argument, dict) else None
        yield nested(config.get("value") if isinstance(config, dict) else argument)


def constants_of(layer: Layer) -> dict[str, Any]:
    """Shapes of the arrays in an operation's call, by their position among its arguments; a setting that is added."""
    given = layer.given.get("args") if isinstance(layer.given, dict) else None
    found = {}
    for at, argument in enumerate(given if isinstance(given, list) and "trainable" not in layer.config else ()):
        if isinstance(argument, dict) and argument.get("class_name") == "__numpy__":
            config = argument.get("config")
            shape = nested(config.get("value")) if isinstance(config, dict) else None
            found.update({str(at): list(shape)} if shape else {})
    return {"constants": found} if found else {}


def nested(value: Any, depth: int = 0) -> Shape | None:
    """Shape of a nested list of numbers."""
    if isinstance(value, int | float):
        return ()
    if not isinstance(value, list) or not value or depth > DEEPEST:
        return None
    rest = nested(value[0], depth + 1)
    return None if rest is None else (len(value), *rest)


def broadcast(shapes: Shapes) -> Shape | None:
    """The shape of what is combined element by element; a size that is open gives way to one that is not 1."""
    known = [shape for shape in shapes if shape is not None]
    if not known or len(known) != len(shapes):
        return None
    rank = max(map(len, known))
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in known]
    return tuple(_meet(sizes) for sizes in zip(*padded, strict=True))


def _meet(sizes: Sequence[Dim]) -> Dim:
    numbers = [size for size in sizes if isinstance(size, int) and size != 1]
    if numbers:
        return numbers[0]
    return next((size for size in sizes if isinstance(size, str)), None if None in sizes else 1)
