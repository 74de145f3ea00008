"""Small ONNX values that are put together from others: shapes taken, picked apart, joined; see `_onnx_values`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from inspector.formats import _onnx_sizes as sizes
from inspector.formats._onnx_values import KINDS, MOST, VALUES, Array, Call, Rule, array, exact
from inspector.ir import Shape


def stored(tensor: Any) -> Array | None:
    """The value of a TensorProto; None where it is large, not in the file's first look, or no numbers."""
    import onnx

    count = math.prod(tensor.dims)
    if tensor.data_type not in KINDS or not 0 <= count <= MOST or len(tensor.dims) > 8 or tensor.data_location:
        return None
    try:
        found = onnx.numpy_helper.to_array(tensor)
    except (ValueError, TypeError, AttributeError):
        return None  # its bytes were left out, or are too few
    return array([exact(_plain(item), tensor.data_type) for item in found.reshape(-1).tolist()], found.shape)


def as_tensor(value: Array, kind: int, name: str = "") -> Any:
    """A value as a TensorProto; None where a part of it is open or its type holds other numbers."""
    import onnx

    items = value.reshape(-1).tolist()
    if kind not in KINDS or any(item is None or isinstance(item, sizes.Open) for item in items):
        return None
    try:
        made = np.array(items, onnx.helper.tensor_dtype_to_np_dtype(kind)).reshape(value.shape)
    except (OverflowError, ValueError):
        return None
    return onnx.numpy_helper.from_array(made, name)


def _plain(item: Any) -> Any:
    """A number that can be worked with."""
    return None if isinstance(item, float) and not math.isfinite(item) else int(item) if item is True else item


def constant(node: Any) -> Array | None:
    """The value of a Constant node."""
    if len(node.attribute) != 1:
        return None
    item = node.attribute[0]
    if item.name == "value" and item.HasField("t"):
        return stored(item.t)
    if item.name == "value_int":
        return array([exact(item.i, 7)], ())
    if item.name == "value_ints" and len(item.ints) <= MOST:
        return array([exact(each, 7) for each in item.ints])
    if item.name == "value_float" and math.isfinite(item.f):
        return array([item.f], ())
    return None


def shaped(shape: Shape | None) -> Array | None:
    """A shape as a value."""
    return None if shape is None else array([sizes.of(dim) for dim in shape])


def _shape(call: Call) -> Array | None:
    value = shaped(call.shape())
    if value is None:
        return None
    stop = call.integer("end", len(value))
    return value[slice(call.integer("start", 0), stop)]


def _size(call: Call) -> Array | None:
    shape = call.shape()
    return None if shape is None else array([sizes.product(map(sizes.of, shape))], ())


def _same(call: Call) -> Array | None:
    return call.value(0)


def _all(call: Call, index: int) -> list[int] | None:
    """A value that is whole numbers throughout."""
    value = call.value(index)
    items = [] if value is None else value.reshape(-1).tolist()
    return items if value is not None and all(type(item) is int for item in items) else None


def _gather(call: Call) -> Array | None:
    value, at = call.value(0), _all(call, 1)
    if value is None or at is None or not value.ndim:
        return None
    axis, picked = call.integer("axis", 0), call.values[1]
    if picked is None or picked.size * value.size > MOST * value.shape[axis]:
        return None
    return np.take(value, picked.astype(np.int64), axis)


def _gather_elements(call: Call) -> Array | None:
    value, picked = call.value(0), call.value(1)
    if value is None or picked is None or _all(call, 1) is None:
        return None
    return np.take_along_axis(value, picked.astype(np.int64), call.integer("axis", 0))


def _gather_nd(call: Call) -> Array | None:
    value, picked = call.value(0), call.value(1)
    if value is None or picked is None or _all(call, 1) is None or call.integer("batch_dims", 0) or not picked.ndim:
        return None
    if picked.size * value.size > MOST * math.prod(value.shape[: picked.shape[-1]]):
        return None
    places = np.moveaxis(picked.astype(np.int64), -1, 0)
    return np.asarray(value[tuple(places)], object)


def _slice(call: Call) -> Array | None:
    value, starts, stops = call.value(0), call.numbers(1, "starts"), call.numbers(2, "ends")
    if value is None or starts is None or stops is None or len(starts) != len(stops):
        return None
    axes = call.numbers(3, "axes")
    steps = call.numbers(4, "steps")
    if (axes is None and call.given(3)) or (steps is None and call.given(4)):
        return None
    axes, steps = axes or list(range(len(starts))), steps or [1] * len(starts)
    cut = [slice(None)] * value.ndim
    for axis, start, stop, step in zip(axes, starts, stops, steps, strict=True):
        size = value.shape[axis]
        # a stop before the first element means all of them where one goes backwards
        cut[axis] = slice(start, None if step < 0 and stop < -size else stop, step)
    return value[tuple(cut)]


def _concat(call: Call) -> Array | None:
    parts: list[Array] = []
    for value, shape in zip(call.values, call.shapes, strict=True):
        if value is None:  # a part of which only the length is known
            if shape is None or len(shape) != 1 or not isinstance(shape[0], int) or not 0 <= shape[0] <= MOST:
                return None
            value = array([None] * shape[0])
        parts.append(value)
    if all(value is None for value in call.values) or sum(part.size for part in parts) > MOST:
        return None
    return np.concatenate(parts, call.integer("axis", 0))


def _squeeze(call: Call) -> Array | None:
    value, axes = call.value(0), call.numbers(1, "axes")
    if value is None or (axes is None and call.given(1)):
        return None
    return np.squeeze(value, None if axes is None else tuple(axes))


def _unsqueeze(call: Call) -> Array | None:
    value, axes = call.value(0), call.numbers(1, "axes")
    if value is None or axes is None or len(axes) > 8:
        return None
    return np.expand_dims(value, tuple(axes))


def _reshape(call: Call) -> Array | None:
    value, target = call.value(0), call.numbers(1, "shape")
    if value is None or target is None or len(target) > 8:
        return None
    copied = not call.integer("allowzero", 0)
    return value.reshape([value.shape[at] if size == 0 and copied else size for at, size in enumerate(target)])


def _transpose(call: Call) -> Array | None:
    value = call.value(0)
    return None if value is None else value.transpose(call.integers("perm"))


def _filled(call: Call) -> Array | None:
    target = _all(call, 0)
    if target is None or len(target) > 8 or not 0 <= math.prod(target) <= MOST or min(target, default=0) < 0:
        return None
    item = next((item.t for item in call.node.attribute if item.name == "value"), None)
    value = stored(item) if item is not None else array([0.0 if call.kind == 1 else 0])
    if value is None or value.size != 1:
        return None
    return array([value.reshape(-1)[0]] * math.prod(target), tuple(target))


def _range(call: Call) -> Array | None:
    found = [_all(call, index) for index in range(3)]
    start, stop, step = (items[0] if items and len(items) == 1 else None for items in found)
    if start is None or stop is None or not step or len(range(start, stop, step)) > MOST:
        return None
    return array([exact(item, call.kind) for item in range(start, stop, step)])


def _expand(call: Call) -> Array | None:
    value, target = call.value(0), _all(call, 1)
    if value is None or target is None or len(target) > 8 or math.prod(target) > MOST:
        return None
    shape = np.broadcast_shapes(value.shape, tuple(target))
    return np.broadcast_to(value, shape) if math.prod(shape) <= MOST else None


def _tile(call: Call) -> Array | None:
    value, times = call.value(0), _all(call, 1)
    if value is None or times is None or len(times) != value.ndim or math.prod(times) * value.size > MOST:
        return None
    return np.tile(value, times)


def _scattered(call: Call) -> Array | None:
    """ScatterND: some elements are others."""
    value, picked, new = call.value(0), call.value(1), call.value(2)
    if value is None or picked is None or new is None or _all(call, 1) is None or not picked.ndim:
        return None
    if any(item.name == "reduction" and item.s not in (b"", b"none") for item in call.node.attribute):
        return None
    result = value.copy()
    result[tuple(np.moveaxis(picked.astype(np.int64), -1, 0))] = new
    return result


def _scattered_elements(call: Call) -> Array | None:
    value, picked, new = call.value(0), call.value(1), call.value(2)
    if value is None or picked is None or new is None or _all(call, 1) is None:
        return None
    if any(item.name == "reduction" and item.s not in (b"", b"none") for item in call.node.attribute):
        return None
    result = value.copy()
    np.put_along_axis(result, picked.astype(np.int64), new, call.integer("axis", 0))
    return result


def _nonzero(call: Call) -> Array | None:
    flags = _all(call, 0)
    value = call.value(0)
    if flags is None or value is None or not value.ndim:
        return None
    found = np.nonzero(value.astype(bool))
    return array([int(at) for row in found for at in row], (value.ndim, len(found[0])))


def split(call: Call) -> list[Array] | None:
    """The values of a Split's outputs."""
    value, parts = call.value(0), call.numbers(1, "split")
    if value is None or not value.ndim or (parts is None and call.given(1)):
        return None
    axis, count = call.integer("axis", 0), len(call.node.output)
    length = value.shape[axis]
    part = -(-length // count)
    ends = np.cumsum(parts or [part] * count)[: count - 1]
    return np.split(value, [int(end) for end in ends], axis)


MOVES: dict[str, Rule] = {
    "Shape": _shape,
    "Size": _size,
    "Identity": _same,
    "Gather": _gather,
    "GatherElements": _gather_elements,
    "GatherND": _gather_nd,
    "Slice": _slice,
    "Concat": _concat,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Reshape": _reshape,
    "Transpose": _transpose,
    "ConstantOfShape": _filled,
    "Range": _range,
    "Expand": _expand,
    "Tile": _tile,
    "ScatterND": _scattered,
    "ScatterElements": _scattered_elements,
    "NonZero": _nonzero,
}

NONSENSE = (ValueError, IndexError, TypeError, ZeroDivisionError, OverflowError, AttributeError)
"""What numpy says of values that a node cannot take."""


def valued(call: Call) -> list[Array | None]:
    """What is known of the values of a node's outputs; values are never changed in place."""
    op = call.node.op_type
    rule: Callable[[Call], Array | None] | None = MOVES.get(op) or VALUES.get(op)
    try:
        found: list[Array | None] = list(split(call) or ()) if op == "Split" else [rule(call)] if rule else []
    except NONSENSE:
        return []
    kept = [each if each is None or isinstance(each, np.ndarray) else array([each], ()) for each in found]
    return [None if each is None or each.size > MOST else each for each in kept]


KNOWN = frozenset({*MOVES, *VALUES, "Split"})
"""Operators of which values can be known."""

ROOTS = frozenset({"Shape", "Size"})
"""Those that need no value for it."""
