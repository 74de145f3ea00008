"""Resize as ONNX defines it, one axis after another, for sizes that are known beforehand.

onnx-tf maps a few combinations of modes onto TensorFlow's own resizing, which is not exact where a size times a scale
is no whole number; and it knows no opset after 13. Here every output is a weighted sum of few inputs along one axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.engines.convert.onnx_tf_pack.handlers._registry import Inputs, Node, Outputs, given, handles, text
from inspector.engines.convert.onnx_tf_pack.handlers.shapes import constant
from inspector.errors import ConversionError

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Way:
    """How to resize."""

    mode: str
    coordinates: str
    nearest: str
    cubic: float
    exclude: bool
    antialias: bool


@handles("Resize", 11, 13, 18, 19)
def resize(node: Node, inputs: Inputs) -> Outputs:
    """To sizes, or by scales."""
    way = _Way(
        text(node.attrs.get("mode", "nearest")),
        text(node.attrs.get("coordinate_transformation_mode", "half_pixel")),
        text(node.attrs.get("nearest_mode", "round_prefer_floor")),
        float(node.attrs.get("cubic_coeff_a", -0.75)),
        bool(node.attrs.get("exclude_outside", 0)),
        bool(node.attrs.get("antialias", 0)),
    )
    if way.coordinates == "tf_crop_and_resize":
        return NotImplemented
    x = inputs[0]
    for axis, (before, after, scale) in _plan(node, inputs).items():
        if before != after or scale != 1:
            x = _along(x, axis, _weights(way, before, after, scale))
    return [x]


def _plan(node: Node, inputs: Inputs) -> dict[int, tuple[int, int, float]]:
    """Old size, new size and scale of each axis that is resized."""
    import tensorflow as tf

    x, scales, sizes = inputs[0], given(inputs, 2), given(inputs, 3)
    rank = x.shape.rank
    axes = [axis % rank for axis in node.attrs.get("axes") or range(rank)]
    if sizes is not None and sizes.shape.num_elements():
        wanted = constant(sizes, "sizes of Resize")
        old = [_known(x, axis, new) for axis, new in zip(axes, wanted, strict=True)]
        factors = [new / size for new, size in zip(wanted, old, strict=True)]
        policy = text(node.attrs.get("keep_aspect_ratio_policy", "stretch"))
        if policy != "stretch":
            factor = min(factors) if policy == "not_larger" else max(factors)
            factors = [factor] * len(axes)
            wanted = [int(np.floor(size * factor + 0.5)) for size in old]
    else:
        values = tf.get_static_value(scales)
        if values is None:
            raise ConversionError("The scales of Resize are computed while the model runs.", "Fix them.")
        factors = [float(value) for value in values]
        old = [_known(x, axis, None if factor != 1 else 1) for axis, factor in zip(axes, factors, strict=True)]
        wanted = [int(np.floor(size * factor)) for size, factor in zip(old, factors, strict=True)]
    return {axis: plan for axis, *plan in zip(axes, old, wanted, factors, strict=True)}  # type: ignore[misc]


def _known(x: Any, axis: int, unchanged: int | None) -> int:
    """The size of an axis; one that is not known stands for itself where it does not change."""
    size = x.shape[axis]
    if size is not None:
        return int(size)
    if unchanged is None or axis > 1:
        raise ConversionError("Resize needs an image whose size is known.", "Export the model with a fixed size.")
    return unchanged


def _weights(way: _Way, before: int, after: int, scale: float) -> tuple[Places, Floats]:
    """For each output: the inputs that make it, and their weights."""
    at = _coordinates(way, before, after, scale)
    if way.mode == "nearest":
        return np.clip(_rounded(at, way.nearest), 0, before - 1)[:, None], np.ones((after, 1))
    stretch = min(scale, 1.0) if way.antialias else 1.0
    reach = int(np.ceil((2 if way.mode == "cubic" else 1) / stretch))
    places = np.floor(at).astype(np.int64)[:, None] + np.arange(1 - reach, reach + 1)
    distance = np.abs(at[:, None] - places) * stretch
    weights = _cubic(distance, way.cubic) if way.mode == "cubic" else np.maximum(1 - distance, 0)
    if way.exclude:
        weights = np.where((places < 0) | (places >= before), 0, weights)
    if way.exclude or way.antialias:
        weights = weights / weights.sum(axis=1, keepdims=True)
    return np.clip(places, 0, before - 1), weights


def _coordinates(way: _Way, before: int, after: int, scale: float) -> Floats:
    """Where each output lies among the inputs."""
    out = np.arange(after, dtype=np.float64)
    if way.coordinates == "align_corners":
        if abs(scale * before - round(scale * before)) > 1e-4 and round(scale, 9) != round(after / before, 9):
            # ONNX's text and ONNX Runtime part here: one takes the size before it is rounded down, one after.
            raise ConversionError("Resize aligns corners by a scale that gives no whole size.", "Give it sizes.")
        return out * (before - 1) / (after - 1) if after > 1 else np.zeros(after)
    if way.coordinates == "asymmetric":
        return out / scale
    if way.coordinates == "tf_half_pixel_for_nn":
        return (out + 0.5) / scale
    if way.coordinates == "pytorch_half_pixel" and after == 1:
        return np.zeros(1)
    if way.coordinates == "half_pixel_symmetric":
        return before / 2 * (1 - after / (scale * before)) + (out + 0.5) / scale - 0.5
    if way.coordinates in ("half_pixel", "pytorch_half_pixel"):
        return (out + 0.5) / scale - 0.5
    raise ConversionError(f"Resize knows no {way.coordinates!r}.", "Export the model again.")


def _rounded(at: Floats, how: str) -> Places:
    if how == "floor":
        return np.floor(at).astype(np.int64)
    if how == "ceil":
        return np.ceil(at).astype(np.int64)
    if how == "round_prefer_ceil":
        return np.floor(at + 0.5).astype(np.int64)
    return np.ceil(at - 0.5).astype(np.int64)


def _cubic(distance: Floats, a: float) -> Floats:
    near = ((a + 2) * distance - (a + 3)) * distance * distance + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0))


def _along(x: Any, axis: int, plan: tuple[Places, Floats]) -> Any:
    """The weighted sums along one axis."""
    import tensorflow as tf

    places, weights = plan
    if places.shape[1] == 1:
        return tf.gather(x, places[:, 0], axis=axis)
    wide = x if x.dtype.is_floating else tf.cast(x, tf.float32)
    shape = [1] * x.shape.rank
    shape[axis] = len(places)
    total: Any = 0
    for tap in range(places.shape[1]):
        if weights[:, tap].any():
            factor = tf.constant(weights[:, tap].reshape(shape), wide.dtype)
            total = total + factor * tf.gather(wide, places[:, tap], axis=axis)
    return total if wide is x else tf.cast(tf.round(total), x.dtype)
