"""Activations that are younger than onnx-tf."""

from __future__ import annotations

from inspector.engines.convert.onnx_tf_pack.handlers._registry import Inputs, Node, Outputs, handles, text


@handles("Gelu", 1, 20)
def gelu(node: Node, inputs: Inputs) -> Outputs:
    """With erf, or approximated with tanh. Version 1 is what `fuse` makes in files older than the operator."""
    import tensorflow as tf

    return [tf.nn.gelu(inputs[0], approximate=text(node.attrs.get("approximate", "none")) == "tanh")]


@handles("Swish", 24)
def swish(node: Node, inputs: Inputs) -> Outputs:
    """x × sigmoid(alpha × x)."""
    import tensorflow as tf

    return [inputs[0] * tf.sigmoid(inputs[0] * tf.cast(node.attrs.get("alpha", 1.0), inputs[0].dtype))]


@handles("Mish", 18, 22)
def mish(node: Node, inputs: Inputs) -> Outputs:
    """x × tanh(softplus(x))."""
    import tensorflow as tf

    return [inputs[0] * tf.tanh(tf.math.softplus(inputs[0]))]
