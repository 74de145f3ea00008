"""Average and maximum pooling: with ceil_mode onnx-tf makes one window too many, and it has no opset 19."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inspector.engines.convert.onnx_tf_pack.handlers._registry import Inputs, Node, Outputs, handles, text
from inspector.errors import ConversionError


@dataclass(frozen=True, slots=True)
class _Window:
    """A window along every spatial dimension.

    Attributes:
        pads: Before and after, by dimension, as the node asks.
        more: What ceil_mode adds after.
    """

    size: list[int]
    strides: list[int]
    dilations: list[int]
    pads: list[tuple[int, int]]
    more: list[int]


def _window(node: Node, x: Any) -> _Window:
    size = list(node.attrs["kernel_shape"])
    count = len(size)
    strides = list(node.attrs.get("strides") or [1] * count)
    dilations = list(node.attrs.get("dilations") or [1] * count)
    spans = [(k - 1) * d + 1 for k, d in zip(size, dilations, strict=True)]
    sizes = x.shape.as_list()[2:]
    auto, ceil = text(node.attrs.get("auto_pad", "NOTSET")), bool(node.attrs.get("ceil_mode", 0))
    given = list(node.attrs.get("pads") or [0] * (2 * count))
    pads = [(given[n], given[n + count]) for n in range(count)]
    if (auto.startswith("SAME") or ceil) and None in sizes:
        raise ConversionError(f"{node.op_type} with {auto} or ceil_mode needs a fixed image size.", "Fix its size.")
    if auto.startswith("SAME"):
        pads = [_same(n, s, w, auto) for n, s, w in zip(sizes, strides, spans, strict=True)]
    elif auto == "VALID":
        pads = [(0, 0)] * count
    more = [0] * count
    if ceil and not auto.startswith("SAME"):
        more = [_more(n + sum(p), w, s, n + p[0]) for n, p, w, s in zip(sizes, pads, spans, strides, strict=True)]
    return _Window(size, strides, dilations, pads, more)


def _same(size: int, stride: int, span: int, auto: str) -> tuple[int, int]:
    total = max((-(-size // stride) - 1) * stride + span - size, 0)
    small, large = total // 2, total - total // 2
    return (small, large) if auto == "SAME_UPPER" else (large, small)


def _more(padded: int, span: int, stride: int, end: int) -> int:
    """What must be added for the last, partial window; none when it would begin in the padding after the image."""
    count = -(-(padded - span) // stride) + 1
    if (count - 1) * stride >= end:
        count -= 1
    return max((count - 1) * stride + span - padded, 0)


def _pooled(x: Any, window: _Window, kind: str, value: Any, more_value: Any = None) -> Any:
    """Pad with these values, then pool; channels go last on the way, as TensorFlow's CPU kernels want them."""
    import tensorflow as tf

    rank = x.shape.rank
    last, first = [0, *range(2, rank), 1], [0, rank - 1, *range(1, rank - 1)]
    x = tf.transpose(x, last)
    x = tf.pad(x, [[0, 0], *map(list, window.pads), [0, 0]], constant_values=value)
    extra = value if more_value is None else more_value
    x = tf.pad(x, [[0, 0], *([0, n] for n in window.more), [0, 0]], constant_values=extra)
    far = any(s > k for s, k in zip(window.strides, window.size, strict=True))
    if far or (max(window.dilations) > 1 and max(window.strides) > 1):  # TensorFlow does not do both at once
        x = tf.nn.pool(x, window.size, kind, dilations=window.dilations)
        steps = (slice(None), *(slice(None, None, s) for s in window.strides), slice(None))
        x = x[steps]
    else:
        x = tf.nn.pool(x, window.size, kind, strides=window.strides, dilations=window.dilations)
    return tf.transpose(x, first)


@handles("MaxPool", 1, 8, 10, 11, 12, 22)
def max_pool(node: Node, inputs: Inputs) -> Outputs:
    """The largest; where indices are asked for, onnx-tf's own."""
    x = inputs[0]
    indices = len(node.outputs) > 1 and bool(node.outputs[1])
    if indices and not node.attrs.get("ceil_mode", 0):
        return NotImplemented
    if indices or not x.dtype.is_floating:
        if indices or node.attrs.get("ceil_mode", 0):
            raise ConversionError("MaxPool with indices or whole numbers, and ceil_mode.", "Switch ceil_mode off.")
        return NotImplemented
    return [_pooled(x, _window(node, x), "MAX", x.dtype.min)]


@handles("AveragePool", 1, 7, 10, 11, 19, 22)
def average_pool(node: Node, inputs: Inputs) -> Outputs:
    """The mean; padding counts where count_include_pad says so, what ceil_mode adds never does."""
    import tensorflow as tf

    x = inputs[0]
    window = _window(node, x)
    if not any(sum(pair) for pair in window.pads) and not any(window.more):
        return [_pooled(x, window, "AVG", 0)]
    ones = tf.ones([1, 1, *(n or m for n, m in zip(x.shape[2:], tf.unstack(tf.shape(x))[2:], strict=True))], x.dtype)
    counted = 1 if node.attrs.get("count_include_pad", 0) else 0
    return [_pooled(x, window, "AVG", 0) / _pooled(ones, window, "AVG", counted, 0)]
