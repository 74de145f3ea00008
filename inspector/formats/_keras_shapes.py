"""Output shapes of Keras' own layers; a layer without a rule has an unknown shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from inspector.formats._keras_config import Layer, Reference
from inspector.formats._keras_config import layer as parsed
from inspector.formats._keras_lambdas import shape as lambda_shape
from inspector.formats._keras_operands import operands, reduced
from inspector.formats._keras_shapes_maths import DOTTED
from inspector.formats._keras_shapes_more import MORE
from inspector.formats._keras_shapes_ops import OPERATIONS, reshaped
from inspector.formats._keras_sizes import channels, joined, many, slide, spatial, whole, with_batch, without_batch
from inspector.formats._tf_shapes_dims import total
from inspector.ir import Dim, Shape

Shapes = Sequence[Shape | None]
Rule = Callable[[Layer, Shape, Shapes], Shape | list[Shape | None] | None]

INSIDE = 256
"""Calls inside a wrapper that are noted."""
PASSES, OUTPUTS = 3, 8
"""How often the layers of a model inside a wrapper are gone through, and how many outputs of each are looked at."""


def both(old: Shape | None, found: Shape | None) -> Shape | None:
    """What the file says, and where it leaves a size open what was found."""
    if old is None or found is None or len(old) != len(found):
        return found if old is None else old
    return tuple(a if isinstance(a, int) else b for a, b in zip(old, found, strict=True))


def output_shapes(layer: Layer, inputs: Shapes, count: int = 1) -> list[Shape | None]:
    """Shapes of a layer's outputs, from those of its inputs."""
    rule = RULES.get(layer.type)
    first = inputs[0] if inputs else None
    if first is None or (rule is None and not layer.layers):
        return [None] * count
    try:
        found = rule(layer, first, inputs) if rule is not None else through(layer, inputs)
    except (IndexError, TypeError, ValueError, ZeroDivisionError, KeyError):  # a configuration that makes no sense
        found = None
    several = found if isinstance(found, list) else [found]
    return [*several, *[None] * count][:count]


Note = Callable[[Layer, Shapes, Shapes], None]


def through(model: Layer, inputs: Shapes, note: Note | None = None) -> list[Shape | None]:
    """Shapes of the outputs of a nested model, from those of its inputs.

    Args:
        model: It.
        inputs: Shapes of what enters it.
        note: Is told each call of a layer inside, with what enters and what leaves it.
    """
    if not model.outputs:
        shapes = list(inputs[:1])
        for each in model.layers:
            shapes = shapes if each.type == "InputLayer" else _called(each, shapes, 1, note)
        return shapes
    known: dict[Reference, Shape | None] = dict(zip(model.inputs, inputs, strict=False))
    for each in model.layers * PASSES:
        for at, call in enumerate(each.calls):
            ready = (each.name, at, 0) not in known and all(argument.reference in known for argument in call)
            if ready:
                shapes = _called(each, [known[argument.reference] for argument in call], OUTPUTS, note)
                known.update({(each.name, at, number): shape for number, shape in enumerate(shapes)})
    return [known.get(reference) for _, reference in model.outputs]


def _called(each: Layer, shapes: Shapes, count: int, note: Note | None) -> list[Shape | None]:
    """One call of a layer inside a model; a model in it is gone through."""
    if note is not None and each.layers:
        return [*through(each, shapes, note), *[None] * count][:count]
    found = output_shapes(each, shapes, count)
    if note is not None:
        note(each, shapes, found)
    return found


def inside(layer: Layer, inputs: Shapes) -> dict[str, Any]:
    """What a model in a wrapper over time does in one step of one sample; a setting that is added to its own."""
    wrapped = inner(layer) if layer.type == "TimeDistributed" else None
    first = inputs[0] if inputs else None
    if wrapped is None or not wrapped.layers or first is None or len(first) < 2:
        return {}
    found: list[dict[str, Any]] = []
    if None in first[2:]:  # the figures would be those of another size than the one that somebody types
        return {}

    def note(each: Layer, entering: Shapes, leaving: Shapes) -> None:
        settings = {key: value for key, value in each.config.items() if isinstance(value, int | str | list)}
        shapes = {"inputs": [list(shape or ()) for shape in entering], "output": list(leaving[0] or ())}
        if len(found) < INSIDE:
            found.append({**settings, "op": each.type, "layer": each.name, **shapes})

    through(wrapped, [(1, *first[2:])], note)
    return {"inside": found}


def _same(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    return first


def _last(key: str) -> Rule:
    """The last dimension becomes a setting of the layer."""
    return lambda layer, first, inputs: (*first[:-1], whole(layer, key))


def _conv(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    space = spatial(layer, first)
    count = len(space)
    kernels = many(layer.config.get("kernel_size"), count)
    strides = many(layer.config.get("strides", 1), count)
    rates = many(layer.config.get("dilation_rate", 1), count)
    padding = str(layer.config.get("padding", "valid"))
    sizes = [slide(s, k, t, padding, r) for s, k, t, r in zip(space, kernels, strides, rates, strict=True)]
    if layer.type.startswith("Depthwise"):
        held = channels(layer, first)
        width: Dim = held * whole(layer, "depth_multiplier", 1) if isinstance(held, int) else None
    else:
        width = whole(layer, "filters")
    return joined(layer, first, sizes, width)


def _conv_transpose(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    space = spatial(layer, first)
    count = len(space)
    kernels = many(layer.config.get("kernel_size"), count)
    strides = many(layer.config.get("strides", 1), count)
    rates = many(layer.config.get("dilation_rate", 1), count)
    given = layer.config.get("output_padding")
    paddings: list[Any] = [None] * count if given is None else list(many(given, count))
    same = layer.config.get("padding") == "same"
    sizes: list[Dim] = []
    for size, kernel, stride, rate, extra in zip(space, kernels, strides, rates, paddings, strict=True):
        reach = (kernel - 1) * rate + 1
        if not isinstance(size, int):
            sizes.append(None)
        elif extra is None:
            sizes.append(size * stride + (0 if same else max(reach - stride, 0)))
        else:
            sizes.append((size - 1) * stride + (reach % 2 if same else reach) + extra)
    return joined(layer, first, sizes, whole(layer, "filters"))


def _pool(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    space = spatial(layer, first)
    sizes = many(layer.config.get("pool_size", 2), len(space))
    strides = many(layer.config.get("strides") or sizes, len(space))
    padding = str(layer.config.get("padding", "valid"))
    out = [slide(s, k, t, padding) for s, k, t in zip(space, sizes, strides, strict=True)]
    return joined(layer, first, out, channels(layer, first))


def _global_pool(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    if layer.config.get("keepdims") is True:
        return joined(layer, first, [1] * (len(first) - 2), channels(layer, first))
    return (first[0], channels(layer, first))


def _resize(change: Callable[[Layer, int, int], int]) -> Rule:
    def rule(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
        space = spatial(layer, first)
        sizes = [change(layer, at, size) if isinstance(size, int) else None for at, size in enumerate(space)]
        return joined(layer, first, sizes, channels(layer, first))

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
    if "newshape" in layer.config:  # the operation, which rearranges the batch too
        return reshaped(layer, first)
    if not isinstance(target, list | tuple):
        return None
    given = prod(size for size in target if isinstance(size, int) and size != -1)
    sizes = [size for size in first[1:] if isinstance(size, int)]
    rest = prod(sizes) // given if len(sizes) == len(first) - 1 and given else None
    return (first[0], *(rest if size == -1 else size for size in target))


def _permute(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    return (first[0], *(first[at] for at in many(layer.config.get("dims"), len(first) - 1)))


def _convolved(rule: Rule, kind: str = "") -> Rule:
    """An operation of `keras.ops`, which is given its kernel."""

    def operation(layer: Layer, first: Shape, inputs: Shapes) -> Shape | list[Shape | None] | None:
        kernel, *others = operands(layer, inputs)[1:]
        if kernel is None or None in kernel[:-2]:
            return None
        last = others[0] if layer.type == "SeparableConv" else kernel
        wide = last[-2 if layer.type == "ConvTranspose" else -1] if last else None
        settings = {"kernel_size": list(kernel[:-2]), "filters": wide, "depth_multiplier": kernel[-1]}
        return rule(Layer("", kind, {**layer.config, **settings}), first, inputs)

    return operation


def _averaged(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    """The layer, which takes several tensors; or the operation, which takes one along an axis."""
    return (
        reduced(layer, first) if "trainable" not in layer.config and len(inputs) < 2 else _merge(layer, first, inputs)
    )


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
    axis = whole(layer, "axis", -1) % len(first)
    length = total(with_batch(shape)[axis] if shape else None for shape in inputs)
    return without_batch((*first[:axis], length, *first[axis + 1 :]))


def _recurrent(layer: Layer, first: Shape, inputs: Shapes) -> list[Shape | None]:
    """A recurrence over time, with its last states where they are asked for."""
    states = _widths(layer)
    size = states[-1][0]
    out: Shape = (first[0], first[1], size) if layer.config.get("return_sequences") is True else (first[0], size)
    if layer.config.get("return_state") is not True:
        return [out]
    return [out, *((first[0], width) for widths in states for width in widths)]


def _widths(layer: Layer) -> list[list[int]]:
    """Widths of the states of each cell; the first of a cell is that of its output."""
    cell = layer.config.get("cell")
    if not isinstance(cell, dict):
        return [[whole(layer, "units")] * (2 if layer.type == "LSTM" else 1)]
    kind, config = str(cell.get("class_name")), cell.get("config")
    found = Layer("", kind.removesuffix("Cell"), config if isinstance(config, dict) else {})
    if kind != "StackedRNNCells":
        return _widths(found) if kind in CELLS else []
    parts = found.config.get("cells")
    return [
        width for part in (parts if isinstance(parts, list) else ()) for width in _widths(Layer("", "", {"cell": part}))
    ]


def _conv_recurrent(layer: Layer, first: Shape, inputs: Shapes) -> list[Shape | None]:
    """ConvLSTM: a convolution of every frame."""
    frame = Layer("", f"Conv{layer.type[-2:]}", layer.config)
    state = _conv(frame, (first[0], *first[2:]), inputs)
    if state is None:
        return [None]
    out = (first[0], first[1], *state[1:]) if layer.config.get("return_sequences") is True else state
    return [out, *([state, state] if layer.config.get("return_state") is True else [])]


def inner(layer: Layer) -> Layer | None:
    """The layer that a wrapper wraps."""
    wrapped = layer.config.get("layer")
    if not isinstance(wrapped, dict) or not isinstance(wrapped.get("class_name"), str):
        return None
    return parsed(wrapped)


def _bidirectional(layer: Layer, first: Shape, inputs: Shapes) -> list[Shape | None]:
    wrapped = inner(layer)
    if wrapped is None:
        return [None]
    states = 2 if wrapped.type == "LSTM" or wrapped.type.startswith("ConvLSTM") else 1
    count = 1 + states if wrapped.config.get("return_state") is True else 1
    shape, *rest = output_shapes(wrapped, [first], count)
    mode = layer.config.get("merge_mode", "concat")
    if mode is None:
        return [shape, shape, *rest, *rest]
    if mode == "concat" and shape is not None:
        last = shape[-1]
        shape = (*shape[:-1], 2 * last if isinstance(last, int) else None)
    return [shape, *rest, *rest]


def _time_distributed(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    wrapped = inner(layer)
    shape = output_shapes(wrapped, [(first[0], *first[2:])])[0] if wrapped else None
    return (first[0], first[1], *shape[1:]) if shape else None


def _wrapped(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    wrapped = inner(layer)
    return output_shapes(wrapped, inputs)[0] if wrapped else None


def _dot(layer: Layer, first: Shape, inputs: Shapes) -> Shape | list[Shape | None] | None:
    if "axes" not in layer.config:
        return DOTTED(layer, first, inputs)
    second = inputs[1] if len(inputs) > 1 else None
    value = layer.config.get("axes")
    axes = many(value, 2)
    if second is None:
        return None
    left = [size for at, size in enumerate(first) if at != axes[0] % len(first)]
    right = [size for at, size in enumerate(second) if at not in (0, axes[1] % len(second))]
    found = (*left, *right)
    return found if len(found) > 1 else (*found, 1)


RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN", "RNN"})
CELLS = frozenset({"LSTMCell", "GRUCell", "SimpleRNNCell"})
SAME = (
    "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "Dropout", "SpatialDropout1D", "SpatialDropout2D",
    "SpatialDropout3D", "GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization", "Masking",
    "BatchNormalization", "LayerNormalization", "GroupNormalization", "UnitNormalization",
    "RMSNormalization", "Rescaling", "Normalization", "Identity", "RandomFlip", "RandomRotation", "RandomZoom",
    "RandomTranslation", "RandomContrast", "RandomBrightness", "Relu", "Relu6", "Sigmoid", "Tanh", "Silu", "Gelu",
    "Elu", "Selu", "Softplus", "Softsign", "Abs", "Absolute", "Negative", "Exp", "Log", "Sqrt", "Rsqrt", "Square",
    "Clip", "Cast", "LogSoftmax",
)  # fmt: skip
MERGES = (
    "Add", "Subtract", "Multiply", "Maximum", "Minimum", "Divide", "TrueDivide", "Power", "Where", "Mod",
    "FloorDivide", "Less", "Greater", "Equal",
)  # fmt: skip
RULES: dict[str, Rule] = {
    **dict.fromkeys(SAME, _same),
    **dict.fromkeys(MERGES, _merge),
    **MORE,
    **OPERATIONS,
    **{f"{kind}{n}D": _conv for kind in ("Conv", "SeparableConv", "DepthwiseConv") for n in (1, 2, 3)},
    **{f"Conv{n}DTranspose": _conv_transpose for n in (1, 2, 3)},
    **{f"{kind}Pooling{n}D": _pool for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{f"Global{kind}Pooling{n}D": _global_pool for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{f"ZeroPadding{n}D": _resize(lambda layer, at, size: size + _edges(layer, "padding", at)) for n in (1, 2, 3)},
    **{f"Cropping{n}D": _resize(lambda layer, at, size: size - _edges(layer, "cropping", at)) for n in (1, 2, 3)},
    **{f"UpSampling{n}D": _resize(lambda layer, at, size: size * _scale(layer, at)) for n in (1, 2, 3)},
    **dict.fromkeys(RECURRENT, _recurrent),
    "Dense": _last("units"),
    "Embedding": lambda layer, first, inputs: (*first, whole(layer, "output_dim")),
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "RepeatVector": lambda layer, first, inputs: (first[0], whole(layer, "n"), first[1]),
    "Concatenate": _concatenate,
    "Bidirectional": _bidirectional,
    "TimeDistributed": _time_distributed,
    "SpectralNormalization": _wrapped,
    **{f"ConvLSTM{n}D": _conv_recurrent for n in (1, 2, 3)},
    "Dot": _dot,
    "Average": _averaged,
    "Conv": _convolved(_conv),
    "SeparableConv": _convolved(_conv),
    "DepthwiseConv": _convolved(_conv, "Depthwise"),
    "ConvTranspose": _convolved(_conv_transpose),
    **dict.fromkeys(("AveragePool", "MaxPool"), _pool),
    **{f"Adaptive{kind}Pool": MORE[f"Adaptive{kind}Pooling2D"] for kind in ("Average", "Max")},
    "TFOpLambda": _lambda,
}
