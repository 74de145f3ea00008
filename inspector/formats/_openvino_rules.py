"""Shapes of OpenVINO operators that have no counterpart among TensorFlow's, or other attributes.

Sizes follow the specification of OpenVINO's operator sets: windows give ⌊(size + pads − reach) / stride⌋ + 1 with
reach = (kernel − 1) · dilation + 1, or ⌈…⌉ as `rounding_type` asks; a filter lies (out, in, space), one with groups
(group, out, in, space), data (batch, channel, space).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from inspector.formats._rules import named
from inspector.formats._tf_shapes import RULES, Rule
from inspector.formats._tf_shapes_dims import (
    FOLDED,
    Fact,
    MisfitError,
    Step,
    axis,
    broadcast,
    fill,
    plus,
    same,
    times,
    valued,
)
from inspector.formats._tf_shapes_moves import OPEN, cut
from inspector.ir import Dim, Shape

OWN = "OpenVINO "
"""Begins the names of operators that TensorFlow has not, or has otherwise."""

INTERPOLATE_11, INTERPOLATE_4 = (
    frozenset({f"opset{n}" for n in range(11, 30)}),
    frozenset({"opset1", "opset2", "opset3"}),
)


def _integers(step: Step, name: str, count: int, default: int) -> tuple[int, ...]:
    """An attribute of one number for each dimension of the space."""
    value = step.node.attributes.get(name)
    found = (value,) if isinstance(value, int) else step.integers(name)
    return found if len(found) == count else (default,) * count


def _window(step: Step, at: int, size: Dim, kernel: Dim, ceil: str = "") -> Dim:
    """The length of a dimension of the space after a window slid over it."""
    count = len(step.shape() or ()) - 2
    stride, dilation = _integers(step, "strides", count, 1)[at], _integers(step, "dilations", count, 1)[at]
    if stride < 1 or dilation < 1 or not isinstance(kernel, int):
        return None
    padding, low, high = step.text("auto_pad", "explicit"), 0, 0
    if padding.startswith("same"):
        return -(-size // stride) if isinstance(size, int) else size if stride == 1 else None
    if padding in ("explicit", "notset"):
        low, high = (_integers(step, name, count, 0)[at] for name in ("pads_begin", "pads_end"))
    reach = (kernel - 1) * dilation + 1
    if not isinstance(size, int):
        return size if stride == 1 and low + high == reach - 1 else None
    room = size + low + high - reach
    if room < 0:
        raise MisfitError(f"has a window of {reach} and would get {size + low + high}")
    if not ceil:
        return room // stride + 1
    steps = -(-room // stride) + 1
    return steps - 1 if ceil == "ceil_torch" and (steps - 1) * stride >= size + low else steps


def _conv(grouped: bool) -> Rule:
    def rule(step: Step) -> Fact:
        x, kernel = step.shape(0), step.shape(1)
        if x is None or kernel is None or len(x) < 3 or len(kernel) != len(x) + grouped:
            return Fact(step.dtype, None if x is None else (x[0], *(None,) * (len(x) - 1)))
        group, out, into = kernel[:3] if grouped else (1, *kernel[:2])
        wanted = times(group, into)
        if isinstance(wanted, int) and isinstance(x[1], int) and wanted != x[1]:
            raise MisfitError(f"takes {wanted} channels and would get {x[1]}")
        space = [_window(step, at, x[at + 2], size) for at, size in enumerate(kernel[2 + grouped :])]
        return Fact(step.dtype, (x[0], times(group, out), *space))

    return rule


def _conv_back(grouped: bool) -> Rule:
    """A transposed convolution: s · (size − 1) + reach − pads + output_padding, or the size that is given."""

    def rule(step: Step) -> Fact:
        x, kernel = step.shape(0), step.shape(1)
        if x is None or kernel is None or len(x) < 3 or len(kernel) != len(x) + grouped:
            return Fact(step.dtype)
        count = len(x) - 2
        width = times(kernel[0], kernel[2]) if grouped else kernel[1]
        given = step.at(2).sizes if len(step.ins) > 2 else None
        space: list[Dim] = [None] * count
        if given is not None and len(given) == count:
            space = list(given)
        elif len(step.ins) < 3 and step.text("auto_pad", "explicit") in ("explicit", "valid", "notset"):
            space = [_back(step, at, count, size, kernel[at + 2 + grouped]) for at, size in enumerate(x[2:])]
        return Fact(step.dtype, (x[0], width, *space))

    return rule


def _back(step: Step, at: int, count: int, size: Dim, kernel: Dim) -> Dim:
    if not isinstance(kernel, int):
        return None
    stride, dilation = _integers(step, "strides", count, 1)[at], _integers(step, "dilations", count, 1)[at]
    pads = [_integers(step, name, count, 0)[at] for name in ("pads_begin", "pads_end")]
    pads = [0, 0] if step.text("auto_pad") == "valid" else pads
    rest = (kernel - 1) * dilation + 1 - sum(pads) + _integers(step, "output_padding", count, 0)[at] - stride
    return stride * size + rest if isinstance(size, int) else times(stride, size) if not rest else None


def _pool(step: Step) -> list[Fact]:
    x = step.shape()
    kinds = (step.dtype, {"i32": "int32"}.get(step.text("index_element_type", "i64"), "int64"))
    if x is None or len(x) < 3:
        return [Fact(kind) for kind in kinds]
    kernel = _integers(step, "kernel", len(x) - 2, 0)
    rounding = step.text("rounding_type", "floor")
    ceil = rounding if rounding.startswith("ceil") else ""
    space = [_window(step, at, x[at + 2], size or None, ceil) for at, size in enumerate(kernel)]
    return [Fact(kind, (*x[:2], *space)) for kind in kinds]


def _adaptive(step: Step) -> list[Fact]:
    x, sizes = step.shape(), step.at(1).sizes
    shape: Shape | None = None if x is None else (*x[:2], *(sizes or (None,) * (len(x) - 2)))
    return [Fact(step.dtype, shape), Fact("int64", shape)]


def _reshape(step: Step) -> Fact:
    """A 0 stands for the size of the input at its place where `special_zero` says so."""
    x, sizes = step.shape(), step.at(1).sizes
    if sizes is None:
        return Fact(step.dtype)
    if step.flag("special_zero"):
        sizes = tuple(
            (x[at] if x is not None and at < len(x) else None) if size == 0 else size for at, size in enumerate(sizes)
        )
    return Fact(step.dtype, fill(sizes, x))


def _squeeze(step: Step) -> Fact:
    x = step.shape()
    if x is None:
        return Fact(step.dtype)
    if len(step.ins) < 2:
        known = all(isinstance(size, int) for size in x)
        return Fact(step.dtype, tuple(size for size in x if size != 1) if known else None)
    drop = {axis(at, len(x)) for at in step.at(1).value or (None,)}
    if None in drop:
        return Fact(step.dtype)
    return Fact(step.dtype, tuple(size for at, size in enumerate(x) if at not in drop))


def _unsqueeze(step: Step) -> Fact:
    x, axes = step.shape(), step.at(1).value
    if x is None or axes is None:
        return Fact(step.dtype)
    rank = len(x) + len(axes)
    new = {axis(at, rank) for at in axes}
    if None in new or len(new) != len(axes):
        return Fact(step.dtype, (None,) * rank)
    old = iter(x)
    return Fact(step.dtype, tuple(1 if at in new else next(old) for at in range(rank)))


def _broadcast(step: Step) -> Fact:
    """To a shape, or to the larger of both shapes."""
    sizes, array, mode = step.at(1).sizes, step.at(0).array, step.text("mode", "numpy")
    shape = broadcast(step.shape(), sizes) if mode == "bidirectional" else sizes
    if (
        array is None
        or mode == "explicit"
        or shape is None
        or not 0 < (whole if isinstance(whole := times(*shape), int) else 0) <= FOLDED
    ):
        return Fact(step.dtype, shape)
    return valued(step.dtype, np.broadcast_to(array, [size for size in shape if isinstance(size, int)]))


def _slice(step: Step) -> Fact:
    """Start, stop and step along the axes named, or along the first ones."""
    x, bounds = step.shape(), [step.at(at).sizes for at in (1, 2, 3)]
    if x is None:
        return Fact(step.dtype)
    starts, stops, strides = bounds
    along = step.at(4).sizes if len(step.ins) > 4 else tuple(range(len(starts or ())))
    if starts is None or stops is None or strides is None or along is None:
        return Fact(step.dtype, (None,) * len(x))
    parts = [slice(None)] * len(x)
    for start, stop, by, number in zip(starts, stops, strides, along, strict=True):
        at = axis(number, len(x))
        if at is None:
            return Fact(step.dtype, (None,) * len(x))
        parts[at] = slice(_bound(start), _end(stop), _bound(by))
    array = step.at(0).array
    if array is not None and all(OPEN not in (part.start, part.stop, part.step) for part in parts):
        return valued(step.dtype, np.asarray(array[tuple(parts)], object))
    return Fact(step.dtype, tuple(map(cut, x, parts)))


def _bound(number: Dim) -> Any:
    return number if isinstance(number, int) else OPEN


def _end(number: Dim) -> Any:
    """The end of a part; the largest number of its type means all that there is."""
    return None if isinstance(number, int) and number >= 2**31 - 1 else _bound(number)


def _pad(step: Step) -> Fact:
    x, low, high = step.shape(), step.at(1).sizes, step.at(2).sizes
    if x is None or low is None or high is None or not len(x) == len(low) == len(high):
        return Fact(step.dtype, None if x is None else (None,) * len(x))
    return Fact(step.dtype, tuple(plus(plus(size, a), b) for size, a, b in zip(x, low, high, strict=True)))


def _matmul(step: Step) -> Fact:
    a, b = step.shape(0), step.shape(1)
    if not a or not b:
        return Fact(step.dtype)
    left = (1, *a) if len(a) == 1 else (*a[:-2], a[-1], a[-2]) if step.flag("transpose_a") else a
    right = (*b, 1) if len(b) == 1 else (*b[:-2], b[-1], b[-2]) if step.flag("transpose_b") else b
    same(left[-1], right[-2])
    batch = broadcast(left[:-2], right[:-2]) or ()
    ends = ((left[-2],) if len(a) > 1 else ()) + ((right[-1],) if len(b) > 1 else ())
    return Fact(step.dtype, (*batch, *ends))


def _interpolate(step: Step) -> Fact:
    """Sizes along the axes, or scales of them: ⌊padded size · scale⌋."""
    x, version = step.shape(), step.node.domain
    if x is None:
        return Fact(step.dtype)
    if version in INTERPOLATE_4:
        sizes, scales = step.at(1), None
        value = step.node.attributes.get("axes")
        axes: tuple[Any, ...] = value if isinstance(value, tuple) else (value,)
    else:
        newer = version in INTERPOLATE_11
        by_sizes = step.text("shape_calculation_mode") == "sizes"
        sizes, scales = step.at(1), None if by_sizes else step.at(1 if newer else 2)
        given = step.at(2 if newer else 3)
        left_out = len(step.ins) <= (2 if newer else 3)
        axes = tuple(range(len(x))) if left_out else given.value or ()
    places = [axis(at, len(x)) for at in axes]
    wanted = sizes.sizes if scales is None else scales.value
    if not places or None in places or wanted is None or len(wanted) != len(places):
        return Fact(step.dtype, (None,) * len(x))
    low, high = (_integers(step, name, len(x), 0) for name in ("pads_begin", "pads_end"))
    shape = [plus(size, a + b) for size, a, b in zip(x, low, high, strict=True)]
    for at, number in zip(places, wanted, strict=True):
        shape[at or 0] = number if isinstance(number, int | str) and scales is None else _scaled(shape[at or 0], number)
    return Fact(step.dtype, tuple(shape))


def _scaled(size: Dim, scale: Any) -> Dim:
    if not isinstance(scale, int | float):
        return None
    if isinstance(size, int):
        return int(np.floor(np.float32(size) * np.float32(scale)))
    return times(size, int(scale)) if scale == int(scale) else None


def _top(step: Step) -> list[Fact]:
    x, count = step.shape(), step.at(1).number
    at = None if x is None else axis(step.integer("axis", -1), len(x))
    kind = {"i64": "int64"}.get(step.text("index_element_type", "i32"), "int32")
    if x is None or at is None:
        return [Fact(step.dtype), Fact(kind)]
    shape = (*x[:at], count if isinstance(count, int | str) else None, *x[at + 1 :])
    return [Fact(step.dtype, shape), Fact(kind, shape)]


def _sequence(step: Step) -> list[Fact]:
    """Recurrent layers over a sequence: (batch, directions, length, hidden), then the states at the end."""
    x, hidden = step.shape(0), step.integer("hidden_size") or None
    directions = 2 if step.text("direction") == "bidirectional" else 1
    if x is None or len(x) != 3:
        return [Fact(step.dtype)]
    state = Fact(step.dtype, (x[0], directions, hidden))
    return [Fact(step.dtype, (x[0], directions, x[1], hidden)), state, state]


def _cell(step: Step) -> list[Fact]:
    return [Fact(step.dtype, step.shape(1)), Fact(step.dtype, step.shape(2))]


def _attention(step: Step) -> Fact:
    query, value = step.shape(0), step.shape(2)
    return Fact(step.dtype, (*query[:-1], value[-1]) if query and value else None)


def _places(step: Step) -> Fact:
    """NonZero: as many columns as there are elements that are not zero, which only running tells."""
    x = step.shape()
    return Fact("int64", (None if x is None else len(x), None))


def _like_second(step: Step) -> Fact:
    return Fact(step.dtype, step.shape(1))


def _drawn(step: Step) -> Fact:
    return Fact("", step.at(0).sizes)


OPENVINO: dict[str, Rule] = {
    **RULES,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "ExpandDims": _unsqueeze,
    **{
        f"{OWN}{name}": rule
        for name, rule in {
            "Convolution": _conv(grouped=False),
            "GroupConvolution": _conv(grouped=True),
            "ConvolutionBackpropData": _conv_back(grouped=False),
            "GroupConvolutionBackpropData": _conv_back(grouped=True),
            **named(_pool, "MaxPool AvgPool"),
            **named(_adaptive, "AdaptiveAvgPool AdaptiveMaxPool"),
            "Broadcast": _broadcast,
            "Slice": _slice,
            "Pad": _pad,
            "MatMul": _matmul,
            "Interpolate": _interpolate,
            "TopK": _top,
            **named(_sequence, "LSTMSequence GRUSequence RNNSequence"),
            **named(_cell, "LSTMCell GRUCell RNNCell"),
            "ScaledDotProductAttention": _attention,
            "NonZero": _places,
            "GatherElements": _like_second,
            "RandomUniform": _drawn,
        }.items()
    },
}
"""Rules by operator: those of TensorFlow, some of them as OpenVINO has it, and OpenVINO's own."""
