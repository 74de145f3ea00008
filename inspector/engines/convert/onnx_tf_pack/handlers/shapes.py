"""Operators that only move or count dimensions."""

from __future__ import annotations

from typing import Any

from inspector.engines.convert.onnx_tf_pack.handlers._registry import Inputs, Node, Outputs, given, handles, inferred
from inspector.errors import ConversionError


def constant(tensor: Any, what: str) -> list[int]:
    """The values of a tensor that must be known before the model runs."""
    import tensorflow as tf

    value = tf.get_static_value(tensor)
    if value is None:
        raise ConversionError(f"The {what} are computed while the model runs.", "TensorFlow needs them beforehand.")
    return [int(number) for number in value.reshape(-1)]


@handles("Shape", 1, 13, 15, 19, 21, 23, 24, 25)
def shape_of(node: Node, inputs: Inputs) -> Outputs:
    """The sizes, or those from `start` to `end`; a constant where they are known beforehand."""
    import tensorflow as tf

    x = inputs[0]
    part = slice(node.attrs.get("start", 0), node.attrs.get("end"))
    if x.shape.rank is not None and x.shape[part].is_fully_defined():
        return [tf.constant(x.shape[part].as_list(), tf.int64)]
    return [tf.shape(x, out_type=tf.int64)[part]]


@handles("Unsqueeze", 13, 21, 23, 24, 25)
def unsqueeze(node: Node, inputs: Inputs) -> Outputs:
    """Axes are an input; they count in the result."""
    import tensorflow as tf

    x, axes = inputs[0], constant(inputs[1], "axes of Unsqueeze")
    rank = x.shape.rank + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        x = tf.expand_dims(x, axis)
    return [x]


@handles("Squeeze", 13, 21, 23, 24, 25)
def squeeze(node: Node, inputs: Inputs) -> Outputs:
    """Axes are an input, and may be left out: then every dimension of size 1 goes."""
    import tensorflow as tf

    axes = given(inputs, 1)
    return [tf.squeeze(inputs[0], None if axes is None else constant(axes, "axes of Squeeze"))]


@handles("Reshape", 14, 19, 21, 23, 24, 25)
def reshape(node: Node, inputs: Inputs) -> Outputs:
    """0 copies a dimension, unless allowzero says that it means an empty one."""
    import tensorflow as tf

    x, shape = inputs
    static = tf.get_static_value(shape)
    if static is not None:
        return [tf.reshape(x, _copied(x, [int(n) for n in static], bool(node.attrs.get("allowzero", 0))))]
    known = inferred(node)
    if known is not None and known.count(None) <= 1 and 0 not in known:
        return [tf.reshape(x, [-1 if size is None else size for size in known])]
    if not node.attrs.get("allowzero", 0):
        have = tf.shape(x, out_type=shape.dtype)
        size = shape.shape[0] or tf.shape(shape)[0]
        have = tf.pad(have, [[0, tf.maximum(0, size - tf.shape(have)[0])]])[:size]
        shape = tf.where(shape == 0, have, shape)
    return [tf.reshape(x, shape)]


def _copied(x: Any, wanted: list[int], allow_zero: bool) -> list[Any]:
    """The shape with zeros replaced by the dimensions they copy; static where it can be."""
    import tensorflow as tf

    if allow_zero or 0 not in wanted:
        return wanted
    dynamic = tf.shape(x)
    sizes: list[Any] = [
        size or (x.shape[place] if x.shape[place] is not None else dynamic[place]) for place, size in enumerate(wanted)
    ]
    return sizes


@handles("Split", 13, 18)
def split(node: Node, inputs: Inputs) -> Outputs:
    """Into pieces of given sizes, or into so many pieces, the last of which may be smaller."""
    import tensorflow as tf

    x, axis = inputs[0], node.attrs.get("axis", 0)
    sizes = given(inputs, 1)
    if sizes is not None and tf.get_static_value(sizes) is None:
        return list(tf.split(x, tf.cast(sizes, tf.int32), axis, num=len(node.outputs)))
    if sizes is not None:
        return list(tf.split(x, constant(sizes, "sizes of Split"), axis))
    count, size = node.attrs.get("num_outputs") or len(node.outputs), x.shape[axis]
    if size is None:
        raise ConversionError(
            "Split is asked to divide a dimension whose size is not known.", "Export the model with that size fixed."
        )
    piece = -(-size // count)
    return list(tf.split(x, [piece] * (count - 1) + [size - piece * (count - 1)], axis))
