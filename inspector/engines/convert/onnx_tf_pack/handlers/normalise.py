"""Normalisations, and Dropout, which at inference is the identity."""

from __future__ import annotations

from typing import Any

from inspector.engines.convert.onnx_tf_pack.handlers._registry import Inputs, Node, Outputs, given, handles
from inspector.errors import ConversionError


@handles("LayerNormalization", 17)
def layer_normalization(node: Node, inputs: Inputs) -> Outputs:
    """Over the last dimensions from `axis` on; gives mean and inverse deviation as well."""
    import tensorflow as tf

    x, scale, bias = inputs[0], inputs[1], given(inputs, 2)
    rank = x.shape.rank
    axes = list(range(node.attrs.get("axis", -1) % rank, rank))
    wide = tf.cast(x, tf.float32) if x.dtype in (tf.float16, tf.bfloat16) else x
    mean = tf.reduce_mean(wide, axes, keepdims=True)
    variance = tf.reduce_mean(tf.math.squared_difference(wide, mean), axes, keepdims=True)
    inverse = tf.math.rsqrt(variance + node.attrs.get("epsilon", 1e-5))
    y = tf.cast((wide - mean) * inverse, x.dtype) * scale
    return [y if bias is None else y + bias, mean, inverse]


@handles("Dropout", 1, 6, 7, 10, 12, 13, 22, anew=True)
def dropout(node: Node, inputs: Inputs) -> Outputs:
    """The identity; a node that is told to train is refused."""
    import tensorflow as tf

    training: Any = given(inputs, 2)
    if training is not None and (tf.get_static_value(training) is None or bool(tf.get_static_value(training))):
        raise ConversionError("A Dropout node is set to training.", "Export the model in evaluation mode.")
    return [inputs[0], tf.ones_like(inputs[0], tf.bool)]
