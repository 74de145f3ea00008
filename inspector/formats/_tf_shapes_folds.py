"""Arithmetic on small values that shapes are made of: what TensorFlow calls constant folding.

Elements are numbers, names of open sizes, or unknown; what depends on an unknown one is unknown.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.formats._rules import named
from inspector.formats._tf_shapes_dims import FOLDED, Fact, Step, axis, over, plus, times, valued
from inspector.formats._tf_shapes_moves import OPEN, places

Objects = NDArray[Any]
How = Callable[[Step, Fact], "Objects | None"]


def fold(step: Step, fact: Fact) -> Fact:
    """The fact with its value, where that follows from known ones.

    Args:
        step: A node with what is known of its inputs.
        fact: Its first output as its rule gives it.
    """
    how = FOLDS.get(step.node.op)
    if how is None or fact.value is not None or fact.shape is None or not _small(fact):
        return fact
    try:
        found = how(step, fact)
    except (ValueError, IndexError, TypeError, ZeroDivisionError, OverflowError):
        return fact  # what the file says makes no sense
    if found is None or found.shape != fact.shape:
        return fact
    return valued(fact.dtype, found)


def _small(fact: Fact) -> bool:
    sizes = fact.shape or ()
    count = 1
    for size in sizes:
        if not isinstance(size, int):
            return False
        count *= size
    return count <= FOLDED


def _array(step: Step, at: int) -> Objects | None:
    return step.at(at).array


def _first(step: Step, fact: Fact) -> Objects | None:
    return _array(step, 0)


def _shaped(step: Step, fact: Fact) -> Objects | None:
    array = _array(step, 0)
    return None if array is None else array.reshape([size for size in fact.shape or () if isinstance(size, int)])


def _joined(step: Step, fact: Fact) -> Objects | None:
    first = step.node.op == "Concat"
    parts, number = (step.ins[1:], step.at(0).number) if first else (step.ins[:-1], step.at(-1).number)
    return _together(parts, lambda arrays: np.concatenate(arrays, int(number or 0)))


def _stacked(step: Step, fact: Fact) -> Objects | None:
    return _together(step.ins, lambda arrays: np.stack(arrays, step.integer("axis")))


def _together(parts: list[Fact], join: Callable[[list[Objects]], Objects]) -> Objects | None:
    """Parts joined, the elements of unknown ones unknown."""
    arrays = []
    for part in parts:
        array = part.array
        if array is None:
            if part.shape is None or not _small(part):
                return None
            array = np.full([size for size in part.shape if isinstance(size, int)], None, object)
        arrays.append(array)
    return join(arrays)


def _strided(step: Step, fact: Fact) -> Objects | None:
    array = _array(step, 0)
    if array is None:
        return None
    found = places(step, array.ndim)
    if found is None or any(map(_opened, found)):
        return None
    return np.asarray(array[tuple(found)], object)


def _opened(part: Any) -> bool:
    """Whether a bound is not known."""
    return part == OPEN or (isinstance(part, slice) and OPEN in (part.start, part.stop, part.step))


def _sliced(step: Step, fact: Fact) -> Objects | None:
    array, begin = _array(step, 0), step.at(1).sizes
    if array is None or begin is None:
        return None
    starts = [at for at in begin if isinstance(at, int)]
    sizes = [size for size in fact.shape or () if isinstance(size, int)]
    return np.asarray(array[tuple(slice(at, at + size) for at, size in zip(starts, sizes, strict=True))], object)


def _gathered(step: Step, fact: Fact) -> Objects | None:
    array, indices = _array(step, 0), _array(step, 1)
    number = step.at(2).number if len(step.ins) > 2 else 0
    if array is None or indices is None or step.integer("batch_dims") or not isinstance(number, int):
        return None
    if any(not isinstance(at, int) or at < 0 for at in indices.reshape(-1)):
        return None
    return np.asarray(np.take(array, indices.astype(np.int64), axis(number, array.ndim)), object)


def _turned(step: Step, fact: Fact) -> Objects | None:
    array, order = _array(step, 0), step.at(1).sizes
    return None if array is None or order is None else array.transpose([int(at) for at in order if isinstance(at, int)])


def _tiled(step: Step, fact: Fact) -> Objects | None:
    array, counts = _array(step, 0), step.at(1).sizes
    return None if array is None or counts is None else np.tile(array, [int(n) for n in counts if isinstance(n, int)])


def _filled(step: Step, fact: Fact) -> Objects | None:
    number = step.at(1).number
    sizes = [size for size in fact.shape or () if isinstance(size, int)]
    return None if number is None else np.full(sizes, number, object)


def _spread(step: Step, fact: Fact) -> Objects | None:
    array = _array(step, 0)
    sizes = [size for size in fact.shape or () if isinstance(size, int)]
    return None if array is None else np.broadcast_to(array, sizes)


def _counted(step: Step, fact: Fact) -> Objects | None:
    start, delta = step.at(0).number, step.at(2).number
    count = (fact.shape or (0,))[0]
    if not isinstance(start, int | float) or not isinstance(delta, int | float) or not isinstance(count, int):
        return None
    return np.array([start + at * delta for at in range(count)] or [], object)


def _ones(step: Step, fact: Fact) -> Objects | None:
    sizes = [size for size in fact.shape or () if isinstance(size, int)]
    return np.full(sizes, int(step.node.op == "OnesLike"), object)


def _cast(step: Step, fact: Fact) -> Objects | None:
    array = _array(step, 0)
    if array is None:
        return None
    to = fact.dtype
    change: Callable[[Any], Any] = (
        (lambda item: item)
        if isinstance(to, str) and to.startswith("float")
        else (lambda item: int(bool(item)))
        if to == "bool"
        else (lambda item: int(item) if math.isfinite(item) else None)
    )
    return _each(lambda item: change(item) if isinstance(item, int | float) else item, array)


def _each(function: Callable[..., Any], *arrays: Objects) -> Objects:
    """An element of each, together; the result is unknown where an element is."""
    spread = np.broadcast_arrays(*arrays)
    made = np.empty(spread[0].size, object)
    made[:] = [
        None if any(item is None for item in items) else function(*items)
        for items in zip(*(array.reshape(-1) for array in spread), strict=True)
    ]
    return made.reshape(spread[0].shape)


def _pairs(function: Callable[[Any, Any], Any]) -> How:
    def how(step: Step, fact: Fact) -> Objects | None:
        a, b = _array(step, 0), _array(step, 1)
        return None if a is None or b is None else _each(function, a, b)

    return how


def _numeric(function: Callable[[Any, Any], Any]) -> How:
    """Of two numbers; unknown where one is a name."""
    return _pairs(lambda a, b: None if isinstance(a, str) or isinstance(b, str) else function(a, b))


def _single(function: Callable[[Any], Any]) -> How:
    def how(step: Step, fact: Fact) -> Objects | None:
        array = _array(step, 0)
        return None if array is None else _each(lambda item: None if isinstance(item, str) else function(item), array)

    return how


def _sum(a: Any, b: Any) -> Any:
    return plus(a, b) if isinstance(a, str) or isinstance(b, str) else a + b


def _product(a: Any, b: Any) -> Any:
    if not isinstance(a, str) and not isinstance(b, str):
        return a * b
    return None if isinstance(a, float) or isinstance(b, float) else times(a, b)


def _ratio(a: Any, b: Any) -> Any:
    """Division that rounds down; for sizes, which are not negative, rounding towards zero is the same."""
    if isinstance(a, str) or isinstance(b, str):
        return None if isinstance(a, float) or isinstance(b, float) else over(a, b)
    return a // b if b else None


def _real_ratio(a: Any, b: Any) -> Any:
    return a / b if b else None


def _difference(a: Any, b: Any) -> Any:
    if isinstance(a, str) or isinstance(b, str):
        return a if b == 0 else 0 if a == b else None
    return a - b


def _truncated(a: Any, b: Any) -> Any:
    if isinstance(a, str) or isinstance(b, str) or isinstance(a, float) or isinstance(b, float) or a < 0 or b <= 0:
        return _ratio(a, b) if not (isinstance(a, float) or isinstance(b, float)) else _real_ratio(a, b)
    return a // b


def _reduced(function: Callable[[list[Any]], Any]) -> How:
    def how(step: Step, fact: Fact) -> Objects | None:
        array, axes = _array(step, 0), step.at(1).value
        if array is None or axes is None:
            return None
        drop = {axis(at, array.ndim) for at in axes}
        if len(drop) != array.ndim or fact.shape is None:
            return None  # sums over some axes only are not what shapes are made of
        items = array.reshape(-1).tolist()
        found = np.empty(1, object)
        found[0] = None if any(item is None for item in items) else function(items)
        return found.reshape([1] * len(fact.shape))

    return how


def _all_times(items: list[Any]) -> Any:
    if any(isinstance(item, float) for item in items):
        return None if any(isinstance(item, str) for item in items) else math.prod(items)
    return times(*items)


def _plain(function: Callable[[Any], Any]) -> Callable[[list[Any]], Any]:
    return lambda items: None if not items or any(isinstance(item, str) for item in items) else function(items)


def _selected(step: Step, fact: Fact) -> Objects | None:
    where, a, b = (_array(step, at) for at in range(3))
    if where is None or a is None or b is None:
        return None
    return _each(lambda flag, x, y: None if isinstance(flag, str) else x if flag else y, where, a, b)


FOLDS: dict[str, How] = {
    **named(_first, "Identity StopGradient PreventGradient EnsureShape Snapshot"),
    **named(_shaped, "Reshape Squeeze ExpandDims"),
    **named(_joined, "ConcatV2 Concat"),
    "Pack": _stacked,
    "StridedSlice": _strided,
    "Slice": _sliced,
    **named(_gathered, "Gather GatherV2"),
    "Transpose": _turned,
    "Tile": _tiled,
    "Fill": _filled,
    "BroadcastTo": _spread,
    "Range": _counted,
    **named(_ones, "OnesLike ZerosLike"),
    "Cast": _cast,
    **named(_pairs(_sum), "Add AddV2"),
    "Sub": _pairs(_difference),
    "Mul": _pairs(_product),
    "FloorDiv": _pairs(_ratio),
    **named(_pairs(_truncated), "Div TruncateDiv"),
    "RealDiv": _numeric(_real_ratio),
    **named(_numeric(lambda a, b: a % b if b else None), "FloorMod Mod"),
    "Maximum": _numeric(max),
    "Minimum": _numeric(min),
    "Equal": _pairs(lambda a, b: int(a == b) if not (isinstance(a, str) or isinstance(b, str)) or a == b else None),
    "NotEqual": _pairs(lambda a, b: int(a != b) if not (isinstance(a, str) or isinstance(b, str)) or a == b else None),
    "Less": _numeric(lambda a, b: int(a < b)),
    "LessEqual": _numeric(lambda a, b: int(a <= b)),
    "Greater": _numeric(lambda a, b: int(a > b)),
    "GreaterEqual": _numeric(lambda a, b: int(a >= b)),
    "LogicalAnd": _numeric(lambda a, b: int(bool(a and b))),
    "LogicalOr": _numeric(lambda a, b: int(bool(a or b))),
    "LogicalNot": _single(lambda a: int(not a)),
    "Neg": _single(lambda a: -a),
    "Abs": _single(abs),
    "Floor": _single(lambda a: float(math.floor(a))),
    "Ceil": _single(lambda a: float(math.ceil(a))),
    "Round": _single(lambda a: a if isinstance(a, int) else float(round(a))),
    **named(_selected, "Select SelectV2"),
    "Prod": _reduced(_all_times),
    "Sum": _reduced(_plain(sum)),
    "Max": _reduced(_plain(max)),
    "Min": _reduced(_plain(min)),
}
