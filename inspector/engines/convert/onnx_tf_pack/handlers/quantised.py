"""Quantising and back, for whole numbers of 8 bits and more; blocks and narrower types are refused."""

from __future__ import annotations

from typing import Any

from inspector.engines.convert.onnx_tf_pack.handlers._registry import Inputs, Node, Outputs, given, handles
from inspector.errors import ConversionError


def _spread(node: Node, x: Any, values: Any) -> Any:
    """Scales or zero points in a shape that fits the tensor: one for all, or one for each entry of an axis."""
    import tensorflow as tf

    if values.shape.rank == 0 or values.shape.num_elements() == 1:
        return tf.reshape(values, [])
    if node.attrs.get("block_size", 0) or values.shape.rank != 1:
        raise ConversionError(f"{node.op_type} works block by block, which TensorFlow does not.", "Quantise otherwise.")
    shape = [1] * x.shape.rank
    shape[node.attrs.get("axis", 1)] = -1
    return tf.reshape(values, shape)


def _whole(dtype: Any) -> Any:
    if dtype.name not in ("int8", "uint8", "int16", "uint16", "int32"):
        raise ConversionError(f"Quantised numbers of type {dtype.name} are not known here.", "Use int8 or uint8.")
    return dtype


@handles("QuantizeLinear", 10, 13, 19, 21, 23, 24, 25)
def quantize(node: Node, inputs: Inputs) -> Outputs:
    """Divide, round half to even, shift, clip."""
    import tensorflow as tf

    x, scale, zero = tf.cast(inputs[0], tf.float32), tf.cast(inputs[1], tf.float32), given(inputs, 2)
    if zero is None and node.attrs.get("output_dtype", 0):
        raise ConversionError("QuantizeLinear names its type by an attribute.", "Give it a zero point.")
    target = _whole(tf.uint8 if zero is None else zero.dtype)
    y = tf.round(x / _spread(node, x, scale))
    y = y if zero is None else y + tf.cast(_spread(node, x, zero), tf.float32)
    return [tf.cast(tf.clip_by_value(y, float(target.min), float(target.max)), target)]


@handles("DequantizeLinear", 10, 13, 19, 21, 23, 24, 25)
def dequantize(node: Node, inputs: Inputs) -> Outputs:
    """Shift back, multiply."""
    import tensorflow as tf

    x, scale, zero = inputs[0], inputs[1], given(inputs, 2)
    _whole(x.dtype)
    y = tf.cast(x, tf.float32)
    y = y if zero is None else y - tf.cast(_spread(node, x, zero), tf.float32)
    return [tf.cast(y * tf.cast(_spread(node, x, scale), tf.float32), scale.dtype)]
