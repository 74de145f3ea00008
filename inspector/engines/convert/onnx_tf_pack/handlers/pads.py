"""Padding, also negative, at chosen axes, and by wrapping around."""

from __future__ import annotations

from typing import Any

from inspector.engines.convert.onnx_tf_pack.handlers._registry import Inputs, Node, Outputs, given, handles, text
from inspector.engines.convert.onnx_tf_pack.handlers.shapes import constant
from inspector.errors import ConversionError


@handles("Pad", 11, 13, 18, 19, 21, 23, 24, 25)
def pad(node: Node, inputs: Inputs) -> Outputs:
    """Negative amounts cut."""
    import tensorflow as tf

    x, value, rank = inputs[0], given(inputs, 2), inputs[0].shape.rank
    if tf.get_static_value(inputs[1]) is None:
        return [_padded_later(node, inputs)]
    amounts = constant(inputs[1], "amounts of Pad")
    axes = list(range(rank)) if given(inputs, 3) is None else constant(inputs[3], "axes of Pad")
    before, after = [0] * rank, [0] * rank
    for place, axis in enumerate(axes):
        before[axis % rank], after[axis % rank] = amounts[place], amounts[place + len(axes)]
    x = _cut(x, [max(-n, 0) for n in before], [max(-n, 0) for n in after])
    pairs = [[max(a, 0), max(b, 0)] for a, b in zip(before, after, strict=True)]
    mode = text(node.attrs.get("mode", "constant"))
    if mode == "constant":
        fill = tf.zeros([], x.dtype) if value is None else tf.reshape(value, [])
        return [tf.pad(x, pairs, constant_values=fill)]
    if mode not in ("reflect", "edge", "wrap"):
        raise ConversionError(f"Pad knows no mode {mode!r}.", "Export the model again.")
    for axis, pair in enumerate(pairs):
        x = _extended(x, axis, pair, mode)
    return [x]


def _padded_later(node: Node, inputs: Inputs) -> Any:
    """With amounts that are computed while the model runs: with a constant only."""
    import tensorflow as tf

    x, value, rank = inputs[0], given(inputs, 2), inputs[0].shape.rank
    if text(node.attrs.get("mode", "constant")) != "constant":
        raise ConversionError("The amounts of Pad are computed while the model runs.", "Fix them in the model.")
    pairs = tf.transpose(tf.reshape(tf.cast(inputs[1], tf.int32), [2, -1]))
    if given(inputs, 3) is not None:
        axes = [[axis % rank] for axis in constant(inputs[3], "axes of Pad")]
        pairs = tf.scatter_nd(axes, pairs, [rank, 2])
    fill = tf.zeros([], x.dtype) if value is None else tf.reshape(value, [])
    x = tf.pad(x, tf.maximum(pairs, 0), constant_values=fill)
    cut = tf.maximum(-pairs, 0)
    return tf.slice(x, cut[:, 0], tf.shape(x) - cut[:, 0] - cut[:, 1])


def _cut(x: Any, start: list[int], end: list[int]) -> Any:
    return x[tuple(slice(a, -b if b else None) for a, b in zip(start, end, strict=True))] if any(start + end) else x


def _extended(x: Any, axis: int, pair: list[int], mode: str) -> Any:
    """The tensor with entries of its own put before and after it along one axis."""
    import numpy as np
    import tensorflow as tf

    if not any(pair):
        return x
    size = x.shape[axis]
    if size is None:
        raise ConversionError(f"Pad with mode {mode!r} needs a dimension whose size is known.", "Fix its size.")
    return tf.gather(x, np.pad(np.arange(size), pair, mode=mode), axis=axis)  # type: ignore[call-overload]
