"""Reductions whose axes became an input in opset 18."""

from __future__ import annotations

from typing import Any

from inspector.engines.convert.onnx_tf_pack.handlers._registry import Inputs, Node, Outputs, given, handles


def _axes(node: Node, inputs: Inputs) -> tuple[Any, bool]:
    """The axes (None: all of them), and whether nothing is to be reduced at all."""
    import tensorflow as tf

    axes = given(inputs, 1)
    if axes is not None:
        static = tf.get_static_value(axes)
        if static is None and axes.shape.num_elements() != 0:
            return axes, False
        if static is not None and static.size:
            return [int(axis) for axis in static], False
    return None, bool(node.attrs.get("noop_with_empty_axes", 0))


def _reduce(node: Node, inputs: Inputs, name: str, before: Any = None, after: Any = None) -> Outputs:
    import tensorflow as tf

    axes, nothing = _axes(node, inputs)
    x = inputs[0] if before is None else before(inputs[0])
    if not nothing:
        x = getattr(tf, name)(x, axis=axes, keepdims=bool(node.attrs.get("keepdims", 1)))
    return [x if after is None else after(x)]


@handles("ReduceSum", 13)
def reduce_sum(node: Node, inputs: Inputs) -> Outputs:
    """Sum."""
    return _reduce(node, inputs, "reduce_sum")


@handles("ReduceMean", 18)
def reduce_mean(node: Node, inputs: Inputs) -> Outputs:
    """Mean."""
    return _reduce(node, inputs, "reduce_mean")


@handles("ReduceProd", 18)
def reduce_prod(node: Node, inputs: Inputs) -> Outputs:
    """Product."""
    return _reduce(node, inputs, "reduce_prod")


@handles("ReduceMax", 18, 20)
def reduce_max(node: Node, inputs: Inputs) -> Outputs:
    """Largest; of booleans: any."""
    import tensorflow as tf

    return _reduce(node, inputs, "reduce_any" if inputs[0].dtype == tf.bool else "reduce_max")


@handles("ReduceMin", 18, 20)
def reduce_min(node: Node, inputs: Inputs) -> Outputs:
    """Smallest; of booleans: all."""
    import tensorflow as tf

    return _reduce(node, inputs, "reduce_all" if inputs[0].dtype == tf.bool else "reduce_min")


@handles("ReduceL1", 18)
def reduce_l1(node: Node, inputs: Inputs) -> Outputs:
    """Sum of absolute values."""
    import tensorflow as tf

    return _reduce(node, inputs, "reduce_sum", before=tf.abs)


@handles("ReduceL2", 18)
def reduce_l2(node: Node, inputs: Inputs) -> Outputs:
    """Root of the sum of squares."""
    import tensorflow as tf

    return _reduce(node, inputs, "reduce_sum", before=tf.square, after=tf.sqrt)


@handles("ReduceSumSquare", 18)
def reduce_sum_square(node: Node, inputs: Inputs) -> Outputs:
    """Sum of squares."""
    import tensorflow as tf

    return _reduce(node, inputs, "reduce_sum", before=tf.square)


@handles("ReduceLogSum", 18)
def reduce_log_sum(node: Node, inputs: Inputs) -> Outputs:
    """Logarithm of the sum."""
    import tensorflow as tf

    return _reduce(node, inputs, "reduce_sum", after=tf.math.log)


@handles("ReduceLogSumExp", 18)
def reduce_log_sum_exp(node: Node, inputs: Inputs) -> Outputs:
    """Logarithm of the sum of exponentials, without overflow."""
    return _reduce(node, inputs, "reduce_logsumexp")
