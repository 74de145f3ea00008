"""Shapes that follow from values of which a part is open, where onnx's own inference says nothing.

onnx tells the shape behind a Reshape where its target is a constant, or whole numbers throughout. Here a target may
hold named sizes and one that is unknown, and dimensions may be products and sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from inspector.formats import _onnx_sizes as sizes
from inspector.formats._onnx_sizes import Open, Size
from inspector.formats._onnx_types import RANK
from inspector.formats._onnx_values import Call
from inspector.ir import Dim, Shape

FAR = 1 << 30
"""Exporters write an end beyond this for: all the rest."""

LAST = 1 << 20
"""The position of no input: axes that are an attribute alone."""

HIDDEN = "?"
"""How names begin of unknown sizes that are only looked at to see whether they cancel out."""


def target(call: Call, index: int) -> list[Size | None] | None:
    """An input that lists sizes; None where not even their number is known."""
    value = call.value(index)
    if value is None:
        shape = call.shape(index)
        length = shape[0] if shape is not None and len(shape) == 1 else None
        return [None] * length if isinstance(length, int) and 0 <= length <= RANK else None
    if value.ndim != 1 or len(value) > RANK:
        return None
    return [item if isinstance(item, int | Open) else None for item in value]


def _dims(found: Sequence[Size | None]) -> Shape:
    """Sizes as dimensions."""
    return tuple(None if _veiled(size) else sizes.written(size) for size in found)


def _veiled(size: Size | None) -> bool:
    return isinstance(size, Open) and any(name.startswith(HIDDEN) for name in size.names)


def _reshape(call: Call) -> Shape | None:
    found, shape = target(call, 1), call.shape()
    if found is None:
        return None
    old: list[Size | None] = []
    for at, dim in enumerate(shape or ()):
        size = sizes.of(dim)
        old.append(Open((((f"{HIDDEN}{at}",), 1),)) if size is None else size)
    copies = not call.integer("allowzero", 0)
    new: list[Size | None] = []
    for at, size in enumerate(found):
        if size == 0 and copies:
            new.append(old[at] if at < len(old) else None)
        else:
            new.append(None if isinstance(size, int) and size < 0 else size)
    open_ = [at for at, size in enumerate(new) if size is None]
    if shape is not None and len(open_) == 1:  # the elements are as many as before
        whole, known = sizes.product(old), sizes.product(size for size in new if size is not None)
        new[open_[0]] = None if whole is None or not known else sizes.over(whole, known)
    return _dims(new)


def _expand(call: Call) -> Shape | None:
    found, shape = target(call, 1), call.shape()
    if found is None or shape is None:
        return None
    return broadcast(shape, _dims(found))


def broadcast(first: Shape, second: Shape) -> Shape:
    """The shape of what two values of these shapes give element by element."""
    rank = max(len(first), len(second))
    pairs = zip((1,) * (rank - len(first)) + first, (1,) * (rank - len(second)) + second, strict=True)
    return tuple(_wider(a, b) for a, b in pairs)


def _wider(a: Dim, b: Dim) -> Dim:
    if a == b or b == 1:
        return a
    if a == 1:
        return b
    known = [dim for dim in (a, b) if isinstance(dim, int)]  # whoever is not that size is 1
    return known[0] if len(known) == 1 else None


def _filled(call: Call) -> Shape | None:
    found = target(call, 0)
    return None if found is None else _dims(found)


def _counted(call: Call) -> Shape | None:
    """Range: so many numbers as there are from start to end; steps of more than one only onnx tells."""
    found = call.values[:3]
    start, stop, step = (None if value is None or value.size != 1 else value.reshape(-1)[0] for value in found)
    if not isinstance(start, int | Open) or not isinstance(stop, int | Open) or step != 1:
        return None
    count = sizes.minus(stop, start)
    return _dims([count if sizes.never_negative(count) else None])


def _tiled(call: Call) -> Shape | None:
    times, shape = target(call, 1), call.shape()
    if times is None or shape is None or len(times) != len(shape):
        return None
    return _dims([sizes.product([sizes.of(dim), count]) for dim, count in zip(shape, times, strict=True)])


def _joined(call: Call) -> Shape | None:
    known = [shape for shape in call.shapes if shape is not None]
    if not known or len(known) < len(call.node.input) or len({len(shape) for shape in known}) != 1 or not known[0]:
        return None
    rank = len(known[0])
    along = call.integer("axis", 0) % rank
    result: list[Dim] = []
    for axis in range(rank):
        dims = [shape[axis] for shape in known]
        if axis != along:
            numbers = [dim for dim in dims if dim is not None]
            result.append(next((dim for dim in numbers if isinstance(dim, int)), numbers[0] if numbers else None))
            continue
        total: Size | None = 0
        for dim in dims:
            size = sizes.of(dim)
            total = None if total is None or size is None else sizes.plus(total, size)
        result.append(sizes.written(total))
    return tuple(result)


def _flat(call: Call) -> Shape | None:
    shape = call.shape()
    if shape is None:
        return None
    axis = call.integer("axis", 1)
    axis += len(shape) if axis < 0 else 0
    halves = (shape[:axis], shape[axis:])
    return _dims([sizes.product(map(sizes.of, half)) for half in halves])


def _bound(at: Size | None, size: Size) -> Size | None:
    """Where a slice begins or ends in a dimension: what is negative counts from its end, what is beyond is its end."""
    if at is None:
        return None
    if isinstance(at, int) and at >= FAR:
        return size
    if isinstance(at, int) and at < 0:
        return 0 if at <= -FAR else sizes.plus(size, at)
    return at if isinstance(size, Open) and isinstance(at, int) else sizes.smaller(at, size)


def _sliced(call: Call) -> Shape | None:
    shape, starts, stops = call.shape(), target(call, 1), target(call, 2)
    if shape is None or starts is None or stops is None or len(starts) != len(stops):
        return None
    axes, steps = call.numbers(3, "axes"), call.numbers(4, "steps")
    if (axes is None and call.given(3)) or (steps is None and call.given(4)):
        return None
    result: list[Dim] = list(shape)
    axes = list(range(len(starts))) if axes is None else axes
    for axis, start, stop, step in zip(axes, starts, stops, steps or [1] * len(axes), strict=True):
        size = sizes.of(shape[axis])
        result[axis] = None if size is None or step != 1 else _left(start, stop, size)
    return tuple(result)


def _left(start: Size | None, stop: Size | None, size: Size) -> Dim:
    """How much of a dimension a slice leaves."""
    begin, end = _bound(start, size), _bound(stop, size)
    end = None if end is None else sizes.smaller(end, size)  # an open dimension may be shorter than that
    return None if begin is None or end is None else sizes.written(sizes.minus(end, begin))


def _padded(call: Call) -> Shape | None:
    shape, pads = call.shape(), target(call, 1) if call.given(1) else call.integers("pads")
    axes = None if shape is None else _axes(call, 3, len(shape))
    if shape is None or pads is None or axes is None or len(pads) != 2 * len(axes):
        return None
    result: list[Size | None] = [sizes.of(dim) for dim in shape]
    for at, axis in enumerate(axes):
        for more in (pads[at], pads[at + len(axes)]):
            size = result[axis]
            result[axis] = None if size is None or more is None else sizes.plus(size, more)
    return _dims(result)


def _axes(call: Call, index: int, rank: int) -> list[int] | None:
    """The axes that an operator is about: all where it names none; None where they are not known."""
    named = call.numbers(index, "axes")
    if named is None:
        return None if call.given(index) else list(range(rank))
    axes = [axis + rank if axis < 0 else axis for axis in named]
    return axes if len(set(axes)) == len(axes) and all(0 <= axis < rank for axis in axes) else None


def _resized(call: Call) -> Shape | None:
    """Resize and Upsample: to sizes, or by factors that are whole numbers."""
    shape: Shape | None = call.shape()
    factors: Any = call.value(2 if len(call.node.input) > 2 else 1)
    axes = None if shape is None else _axes(call, LAST, len(shape))
    if axes is None or shape is None:
        return None
    result: list[Size | None] = [sizes.of(dim) for dim in shape]
    if call.given(3):
        found = target(call, 3)
        kept = any(item.name == "keep_aspect_ratio_policy" and item.s != b"stretch" for item in call.node.attribute)
        if found is None or len(found) != len(axes):
            return None
        for axis, size in zip(axes, found, strict=True):
            result[axis] = None if kept else size
        return _dims(result)
    cropped = any(item.s == b"tf_crop_and_resize" for item in call.node.attribute)
    if factors is None and len(call.node.input) == 1:
        factors = next((list(item.floats) for item in call.node.attribute if item.name == "scales"), None)
    if cropped or factors is None or len(factors) != len(axes) or any(each is None for each in factors):
        return None
    for axis, factor in zip(axes, factors, strict=True):
        result[axis] = sizes.product([result[axis], int(factor)]) if float(factor).is_integer() else None
    return _dims(result)


SHAPES: dict[str, Callable[[Call], Shape | None]] = {
    "Reshape": _reshape,
    "Expand": _expand,
    "ConstantOfShape": _filled,
    "Range": _counted,
    "Tile": _tiled,
    "Concat": _joined,
    "Flatten": _flat,
    "Slice": _sliced,
    "Pad": _padded,
    "Resize": _resized,
    "Upsample": _resized,
}
"""The shape of the first output, by operator."""

SAME = frozenset(
    {
        "Abs", "Cast", "Ceil", "Clip", "Cos", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish",
        "LeakyRelu", "Log", "LogSoftmax", "Mish", "Neg", "Not", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid",
        "Sign", "Sin", "Softmax", "Softplus", "Softsign", "Sqrt", "Tanh", "ThresholdedRelu",
    }
)  # fmt: skip
"""Operators whose output has the shape of their first input."""

PAIRED = frozenset(
    {
        "Add", "And", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Mean", "Min",
        "Mod", "Mul", "Or", "Pow", "Sub", "Sum", "Where", "Xor",
    }
)  # fmt: skip
"""Operators that work element by element on inputs which are spread to one shape; before version 7 they were not."""

SPREAD = 7
"""Version of ONNX's operators since which inputs are spread as numpy does it."""


def plain(op: str, version: int, shapes: Sequence[Shape | None]) -> Shape | None:
    """The shape of the output of an elementwise operator; None for others, and where an input's is not known."""
    if op in SAME:
        return shapes[0] if shapes else None
    if op not in PAIRED or version < SPREAD:
        return None
    result: Shape = ()
    for shape in shapes:
        if shape is None:
            return None
        result = broadcast(result, shape)
    return result


def clearer(first: Dim, second: Dim) -> Dim:
    """The one that says more of two that mean the same."""
    return first if isinstance(first, int) or second is None else second


def common(shapes: list[Shape | None]) -> Shape | None:
    """What two shapes have in common."""
    first, second = shapes
    if first is None or second is None or len(first) != len(second):
        return None
    return tuple(a if a == b else None for a, b in zip(first, second, strict=True))
