"""Output shapes of Keras' own layers; a layer without a rule has an unknown shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from inspector.formats._keras_config import Layer, shape_of
from inspector.formats._keras_lambdas import shape as lambda_shape
from inspector.ir import Dim, Shape

Shapes = Sequence[Shape | None]
Rule = Callable[[Layer, Shape, Shapes], Shape | None]


def output_shapes(layer: Layer, inputs: Shapes, count: int = 1) -> list[Shape | None]:
    """Shapes of a layer's outputs, from those of its inputs."""
    rule = RULES.get(layer.type)
    first = inputs[0] if inputs else None
    if rule is None or first is None:
        return [None] * count
    try:
        found = rule(layer, first, inputs)
    except (IndexError, TypeError, ValueError, ZeroDivisionError, KeyError):  # a configuration that makes no sense
        found = None
    if layer.type in RECURRENT and layer.config.get("return_state") is True:
        return _states(layer, first, found, count)
    return [found, *[None] * (count - 1)]


def _same(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    return first


def _last(key: str) -> Rule:
    """The last dimension becomes a setting of the layer."""
    return lambda layer, first, inputs: (*first[:-1], _int(layer, key))


def _int(layer: Layer, key: str, default: Any = None) -> int:
    value = layer.config.get(key, default)
    if not isinstance(value, int):
        raise ValueError(key)
    return value


def _many(value: Any, count: int) -> list[int]:
    """A number for each spatial dimension."""
    items = list(value) if isinstance(value, list | tuple) else [value] * count
    if len(items) != count or not all(isinstance(item, int) for item in items):
        raise ValueError("sizes")
    return items


def _first_channels(layer: Layer) -> bool:
    return layer.config.get("data_format") == "channels_first"


def _spatial(layer: Layer, first: Shape) -> tuple[Dim, ...]:
    return first[2:] if _first_channels(layer) else first[1:-1]


def _channels(layer: Layer, first: Shape) -> Dim:
    return first[1] if _first_channels(layer) else first[-1]


def _joined(layer: Layer, first: Shape, spatial: Sequence[Dim], channels: Dim) -> Shape:
    return (first[0], channels, *spatial) if _first_channels(layer) else (first[0], *spatial, channels)


def _slide(size: Dim, kernel: int, stride: int, padding: str, dilation: int = 1) -> Dim:
    if not isinstance(size, int):
        return None
    if padding in ("same", "causal"):
        return -(-size // stride)
    return (size - dilation * (kernel - 1) - 1) // stride + 1


def _conv(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    spatial = _spatial(layer, first)
    count = len(spatial)
    kernels = _many(layer.config.get("kernel_size"), count)
    strides = _many(layer.config.get("strides", 1), count)
    rates = _many(layer.config.get("dilation_rate", 1), count)
    padding = str(layer.config.get("padding", "valid"))
    sizes = [_slide(s, k, t, padding, r) for s, k, t, r in zip(spatial, kernels, strides, rates, strict=True)]
    if layer.type.startswith("Depthwise"):
        held = _channels(layer, first)
        width: Dim = held * _int(layer, "depth_multiplier", 1) if isinstance(held, int) else None
    else:
        width = _int(layer, "filters")
    return _joined(layer, first, sizes, width)


def _conv_transpose(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    spatial = _spatial(layer, first)
    count = len(spatial)
    kernels = _many(layer.config.get("kernel_size"), count)
    strides = _many(layer.config.get("strides", 1), count)
    rates = _many(layer.config.get("dilation_rate", 1), count)
    if layer.config.get("output_padding") is not None:
        return _joined(layer, first, [None] * count, _int(layer, "filters"))
    sizes: list[Dim] = []
    for size, kernel, stride, rate in zip(spatial, kernels, strides, rates, strict=True):
        reach = (kernel - 1) * rate + 1
        extra = 0 if layer.config.get("padding") == "same" else max(reach - stride, 0)
        sizes.append(size * stride + extra if isinstance(size, int) else None)
    return _joined(layer, first, sizes, _int(layer, "filters"))


def _pool(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    spatial = _spatial(layer, first)
    sizes = _many(layer.config.get("pool_size", 2), len(spatial))
    strides = _many(layer.config.get("strides") or sizes, len(spatial))
    padding = str(layer.config.get("padding", "valid"))
    out = [_slide(s, k, t, padding) for s, k, t in zip(spatial, sizes, strides, strict=True)]
    return _joined(layer, first, out, _channels(layer, first))


def _global_pool(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    if layer.config.get("keepdims") is True:
        return _joined(layer, first, [1] * (len(first) - 2), _channels(layer, first))
    return (first[0], _channels(layer, first))


def _resize(change: Callable[[Layer, int, int], int]) -> Rule:
    def rule(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
        spatial = _spatial(layer, first)
        sizes = [change(layer, at, size) if isinstance(size, int) else None for at, size in enumerate(spatial)]
        return _joined(layer, first, sizes, _channels(layer, first))

    return rule


def _edges(layer: Layer, key: str, at: int) -> int:
    """What is added or cut at both ends of a dimension."""
    value = layer.config.get(key)
    if not isinstance(value, list | tuple):
        return 2 * int(value or 0)
    one_dimensional = layer.type.endswith("1D")
    part = value if one_dimensional else value[at]
    return sum(map(int, part)) if isinstance(part, list | tuple) else 2 * int(part)


def _scale(layer: Layer, at: int) -> int:
    value = layer.config.get("size", 2)
    return int(value[at] if isinstance(value, list | tuple) else value)


def _flatten(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    sizes = [size for size in first[1:] if isinstance(size, int)]
    return (first[0], prod(sizes) if len(sizes) == len(first) - 1 else None)


def _reshape(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    target = layer.config.get("target_shape")
    if not isinstance(target, list | tuple):
        return None
    given = prod(size for size in target if isinstance(size, int) and size != -1)
    sizes = [size for size in first[1:] if isinstance(size, int)]
    rest = prod(sizes) // given if len(sizes) == len(first) - 1 and given else None
    return (first[0], *(rest if size == -1 else size for size in target))


def _permute(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    return (first[0], *(first[at] for at in _many(layer.config.get("dims"), len(first) - 1)))


def _merge(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    known = [shape for shape in inputs if shape is not None]
    if len(known) != len(inputs):
        return None
    rank = max(map(len, known))
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in known]
    return tuple(_meet(sizes) for sizes in zip(*padded, strict=True))


def _lambda(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    function = str(layer.config.get("function", "")).removeprefix("tf.")
    return lambda_shape(function, layer.said, first, inputs, lambda: _merge(layer, first, inputs))


def _meet(sizes: Sequence[Dim]) -> Dim:
    """The size of an elementwise result; unknown sizes give way to a number other than one."""
    numbers = [size for size in sizes if isinstance(size, int) and size != 1]
    if numbers:
        return numbers[0]
    return None if None in sizes else 1


def _concatenate(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    axis = _int(layer, "axis", -1) % len(first)
    sizes = [shape[axis] if shape else None for shape in inputs]
    total = sum(size for size in sizes if isinstance(size, int))
    return (*first[:axis], total if all(isinstance(s, int) for s in sizes) else None, *first[axis + 1 :])


def _recurrent(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    units = _int(layer, "units")
    return (first[0], first[1], units) if layer.config.get("return_sequences") is True else (first[0], units)


def _states(layer: Layer, first: Shape, output: Shape | None, count: int) -> list[Shape | None]:
    units = layer.config.get("units")
    state: Shape | None = (first[0], units) if isinstance(units, int) else None
    return [output, *[state] * (count - 1)]


def inner(layer: Layer) -> Layer | None:
    """The layer that a wrapper wraps."""
    wrapped = layer.config.get("layer")
    if not isinstance(wrapped, dict) or not isinstance(wrapped.get("class_name"), str):
        return None
    config = wrapped.get("config")
    return Layer("", wrapped["class_name"], config if isinstance(config, dict) else {})


def _bidirectional(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    wrapped = inner(layer)
    if wrapped is None:
        return None
    shape = output_shapes(wrapped, [first])[0]
    if shape is None or layer.config.get("merge_mode") != "concat":
        return shape if layer.config.get("merge_mode") else None
    return (*shape[:-1], 2 * shape[-1] if isinstance(shape[-1], int) else None)


def _time_distributed(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    wrapped = inner(layer)
    shape = output_shapes(wrapped, [(first[0], *first[2:])])[0] if wrapped else None
    return (first[0], first[1], *shape[1:]) if shape else None


def _attention(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    shape = shape_of(layer.config.get("output_shape"))
    return (*first[:-1], *shape) if shape else first


def _dot(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    second = inputs[1] if len(inputs) > 1 else None
    value = layer.config.get("axes")
    axes = _many(value, 2)
    if second is None:
        return None
    left = [size for at, size in enumerate(first) if at != axes[0] % len(first)]
    right = [size for at, size in enumerate(second) if at not in (0, axes[1] % len(second))]
    found = (*left, *right)
    return found if len(found) > 1 else (*found, 1)


RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN"})
SAME = (
    "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "Dropout", "SpatialDropout1D", "SpatialDropout2D",
    "SpatialDropout3D", "GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization", "Masking",
    "BatchNormalization", "LayerNormalization", "GroupNormalization", "UnitNormalization", "SpectralNormalization",
    "RMSNormalization", "Rescaling", "Normalization", "Identity", "RandomFlip", "RandomRotation", "RandomZoom",
    "RandomTranslation", "RandomContrast", "RandomBrightness", "Relu", "Relu6", "Sigmoid", "Tanh", "Silu", "Gelu",
    "Elu", "Selu", "Softplus", "Softsign", "Abs", "Absolute", "Negative", "Exp", "Log", "Sqrt", "Rsqrt", "Square",
    "Clip", "Cast", "LogSoftmax",
)  # fmt: skip
MERGES = (
    "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Divide", "TrueDivide", "Power", "Where", "Mod",
    "FloorDivide", "Less", "Greater", "Equal",
)  # fmt: skip
RULES: dict[str, Rule] = {
    **dict.fromkeys(SAME, _same),
    **dict.fromkeys(MERGES, _merge),
    **{f"{kind}{n}D": _conv for kind in ("Conv", "SeparableConv", "DepthwiseConv") for n in (1, 2, 3)},
    **{f"Conv{n}DTranspose": _conv_transpose for n in (1, 2, 3)},
    **{f"{kind}Pooling{n}D": _pool for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{f"Global{kind}Pooling{n}D": _global_pool for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{f"ZeroPadding{n}D": _resize(lambda layer, at, size: size + _edges(layer, "padding", at)) for n in (1, 2, 3)},
    **{f"Cropping{n}D": _resize(lambda layer, at, size: size - _edges(layer, "cropping", at)) for n in (1, 2, 3)},
    **{f"UpSampling{n}D": _resize(lambda layer, at, size: size * _scale(layer, at)) for n in (1, 2, 3)},
    **dict.fromkeys(RECURRENT, _recurrent),
    "Dense": _last("units"),
    "Embedding": lambda layer, first, inputs: (*first, _int(layer, "output_dim")),
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "RepeatVector": lambda layer, first, inputs: (first[0], _int(layer, "n"), first[1]),
    "Concatenate": _concatenate,
    "Bidirectional": _bidirectional,
    "TimeDistributed": _time_distributed,
    "MultiHeadAttention": _attention,
    "GroupedQueryAttention": _attention,
    "GroupQueryAttention": _attention,
    "Dot": _dot,
    "TFOpLambda": _lambda,
}
