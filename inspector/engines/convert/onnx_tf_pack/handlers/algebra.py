"""Products, sums and choices where onnx-tf is stricter than ONNX, or wrong at the edges."""

from __future__ import annotations

from functools import reduce
from typing import Any

from inspector.engines.convert.onnx_tf_pack.handlers._registry import Inputs, Node, Outputs, given, handles
from inspector.errors import ConversionError


@handles("Gemm", 7, 9, 11, 13)
def gemm(node: Node, inputs: Inputs) -> Outputs:
    """alpha × A·B + beta × C; a bias row is made one-dimensional, because TensorFlow's fusion wants it so."""
    import tensorflow as tf

    a, b, c = inputs[0], inputs[1], given(inputs, 2)
    y = tf.matmul(a, b, bool(node.attrs.get("transA", 0)), bool(node.attrs.get("transB", 0)))
    alpha, beta = node.attrs.get("alpha", 1.0), node.attrs.get("beta", 1.0)
    y = y if alpha == 1 else y * tf.cast(alpha, y.dtype)
    if c is None:
        return [y]
    c = c if beta == 1 else c * tf.cast(beta, c.dtype)
    return [y + (tf.reshape(c, [-1]) if c.shape.rank == 2 and c.shape[0] == 1 else c)]


@handles("MatMul", 1, 9, 13)
def matmul(node: Node, inputs: Inputs) -> Outputs:
    """As numpy's: vectors are allowed on either side."""
    import tensorflow as tf

    a, b = inputs
    left, right = a.shape.rank == 1, b.shape.rank == 1
    y = tf.matmul(a[None, :] if left else a, b[:, None] if right else b)
    y = tf.squeeze(y, -1) if right else y
    return [tf.squeeze(y, -1 if right else -2) if left else y]


@handles("Sum", 8, 13)
def add_up(node: Node, inputs: Inputs) -> Outputs:
    """With broadcasting."""
    return [reduce(lambda a, b: a + b, inputs)]


@handles("Clip", 11, 12, 13)
def clip(node: Node, inputs: Inputs) -> Outputs:
    """Where the lower bound is above the upper one, the upper one counts."""
    import tensorflow as tf

    x, low, high = inputs[0], given(inputs, 1), given(inputs, 2)
    x = x if low is None else tf.maximum(x, low)
    return [x if high is None else tf.minimum(x, high)]


@handles("Trilu", 14)
def trilu(node: Node, inputs: Inputs) -> Outputs:
    """The upper or lower triangle."""
    import tensorflow as tf

    x, k = inputs[0], given(inputs, 1)
    rows, columns = tf.shape(x, tf.int64)[-2], tf.shape(x, tf.int64)[-1]
    offset = tf.range(columns)[None, :] - tf.range(rows)[:, None] - (0 if k is None else tf.reshape(k, []))
    return [tf.where(offset >= 0 if node.attrs.get("upper", 1) else offset <= 0, x, tf.zeros_like(x))]


@handles("OneHot", 9, 11)
def one_hot(node: Node, inputs: Inputs) -> Outputs:
    """An index out of range gives no one at all."""
    import tensorflow as tf

    indices, depth, values = inputs
    depth = tf.cast(tf.reshape(depth, []), tf.int32)
    indices = tf.cast(indices, tf.int64)
    indices = tf.where(indices < 0, indices + tf.cast(depth, tf.int64), indices)
    return [tf.one_hot(indices, depth, values[1], values[0], node.attrs.get("axis", -1), values.dtype)]


@handles("Hardmax", 13)
def hardmax(node: Node, inputs: Inputs) -> Outputs:
    """One at the first of the largest."""
    import tensorflow as tf

    x, axis = inputs[0], node.attrs.get("axis", -1)
    return [tf.one_hot(tf.argmax(x, axis), tf.shape(x)[axis], axis=axis % x.shape.rank, dtype=x.dtype)]


@handles("LpNormalization", 1, 22)
def lp_normalization(node: Node, inputs: Inputs) -> Outputs:
    """Divided by the norm; where that is zero, zero."""
    import tensorflow as tf

    x, axis = inputs[0], node.attrs.get("axis", -1)
    if node.attrs.get("p", 2) == 1:
        norm = tf.reduce_sum(tf.abs(x), axis, keepdims=True)
    else:
        norm = tf.sqrt(tf.reduce_sum(tf.square(x), axis, keepdims=True))
    return [tf.math.divide_no_nan(x, norm)]


@handles("Celu", 12)
def celu(node: Node, inputs: Inputs) -> Outputs:
    """max(0, x) + min(0, alpha × (exp(x / alpha) - 1))."""
    import tensorflow as tf

    x, alpha = inputs[0], tf.cast(node.attrs.get("alpha", 1.0), inputs[0].dtype)
    return [tf.maximum(x, 0) + tf.minimum(alpha * tf.math.expm1(x / alpha), 0)]


def _plain(dtype: Any) -> Any:
    """A type that TensorFlow converts as ONNX does: not the 8-bit floats, nor what is narrower than a byte."""
    if any(word in dtype.name for word in ("float8", "float4", "int4", "int2")):
        raise ConversionError(f"TensorFlow cannot convert {dtype.name} as ONNX does.", "Keep the model in float32.")
    return dtype


@handles("Cast", 6, 9, 13, 19, 21, 23, 24, 25)
def cast(node: Node, inputs: Inputs) -> Outputs:
    """To another type; to and from texts, onnx-tf's own."""
    import tensorflow as tf

    target = tf.as_dtype(node.attrs["to"])  # onnx-tf has translated it
    if tf.string in (target, inputs[0].dtype):
        return NotImplemented
    _plain(inputs[0].dtype)
    return [tf.cast(inputs[0], _plain(target))]


@handles("CastLike", 15, 19, 21, 23, 24, 25)
def cast_like(node: Node, inputs: Inputs) -> Outputs:
    """To the type of another tensor."""
    import tensorflow as tf

    if tf.string in (inputs[0].dtype, inputs[1].dtype):
        return NotImplemented
    _plain(inputs[0].dtype)
    return [tf.cast(inputs[0], _plain(inputs[1].dtype))]
