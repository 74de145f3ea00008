"""What the rules for shapes of Keras' layers share: settings, the space of an image, windows that slide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inspector.formats._keras_config import Layer
from inspector.formats._tf_shapes_words import BATCH
from inspector.ir import Dim, Shape


def whole(layer: Layer, key: str, default: Any = None) -> int:
    """A setting that is a whole number."""
    value = layer.config.get(key, default)
    if not isinstance(value, int):
        raise ValueError(key)
    return value


def many(value: Any, count: int) -> list[int]:
    """A number for each spatial dimension."""
    items = list(value) if isinstance(value, list | tuple) else [value] * count
    if len(items) != count or not all(isinstance(item, int) for item in items):
        raise ValueError("sizes")
    return items


def first_channels(layer: Layer) -> bool:
    """Whether channels come before the space."""
    return layer.config.get("data_format") == "channels_first"


def spatial(layer: Layer, first: Shape) -> tuple[Dim, ...]:
    """Sizes of the space."""
    return first[2:] if first_channels(layer) else first[1:-1]


def channels(layer: Layer, first: Shape) -> Dim:
    """Number of channels."""
    return first[1] if first_channels(layer) else first[-1]


def joined(layer: Layer, first: Shape, spatial: Sequence[Dim], channels: Dim) -> Shape:
    """A shape from its space and its channels."""
    return (first[0], channels, *spatial) if first_channels(layer) else (first[0], *spatial, channels)


def slide(size: Dim, kernel: int, stride: int, padding: str, dilation: int = 1) -> Dim:
    """Length after a window slid over it."""
    if not isinstance(size, int):
        return None
    if padding in ("same", "causal"):
        return -(-size // stride)
    return (size - dilation * (kernel - 1) - 1) // stride + 1


def with_batch(shape: Shape) -> Shape:
    """A shape whose open first size has a name, so that what is put beside the batch is left as a multiple of it."""
    return (BATCH, *shape[1:]) if shape and shape[0] is None else shape


def without_batch(shape: Shape) -> Shape:
    """The same as it is shown."""
    return (None, *shape[1:]) if shape and shape[0] == BATCH else shape
