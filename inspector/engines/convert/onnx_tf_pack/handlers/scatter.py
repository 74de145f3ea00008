"""Scattering with a reduction, which opsets 16 and 18 added."""

from __future__ import annotations

from typing import Any

from inspector.engines.convert.onnx_tf_pack.handlers._registry import Inputs, Node, Outputs, handles, text
from inspector.errors import ConversionError


def _scattered(node: Node, x: Any, indices: Any, updates: Any) -> Any:
    import tensorflow as tf

    how = text(node.attrs.get("reduction", "none"))
    functions = {
        "none": tf.tensor_scatter_nd_update,
        "add": tf.tensor_scatter_nd_add,
        "max": tf.tensor_scatter_nd_max,
        "min": tf.tensor_scatter_nd_min,
    }
    if how not in functions:
        raise ConversionError(f"TensorFlow has no scattering with the reduction {how!r}.", "Replace this operator.")
    return functions[how](x, indices, updates)


@handles("ScatterND", 11, 13, 16, 18)
def scatter_nd(node: Node, inputs: Inputs) -> Outputs:
    """Slices at these places."""
    import tensorflow as tf

    x, indices, updates = inputs
    shape = tf.cast(tf.shape(x)[: indices.shape[-1]], indices.dtype)
    return [_scattered(node, x, tf.where(indices < 0, indices + shape, indices), updates)]


@handles("ScatterElements", 11, 13, 16, 18)
def scatter_elements(node: Node, inputs: Inputs) -> Outputs:
    """Single numbers: each is placed where its own place says, but for one axis."""
    import tensorflow as tf

    x, indices, updates = inputs
    rank = x.shape.rank
    axis = node.attrs.get("axis", 0) % rank
    indices = tf.where(indices < 0, indices + tf.cast(tf.shape(x)[axis], indices.dtype), indices)
    grid = tf.meshgrid(*(tf.range(n) for n in tf.unstack(tf.shape(indices, indices.dtype))), indexing="ij")
    grid[axis] = indices
    places = tf.reshape(tf.stack(grid, -1), [-1, rank])
    return [_scattered(node, x, places, tf.reshape(updates, [-1]))]
