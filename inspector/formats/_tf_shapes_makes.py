"""Shapes of TensorFlow operators that ask for shapes or make tensors from them, and of what only running tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inspector.formats._rules import named
from inspector.formats._tf_shapes_dims import NOTHING, Fact, Step, axis, same, times
from inspector.ir import Shape

Rule = Callable[[Step], Any]


def _shape_of(step: Step) -> Fact:
    x, dtype = step.shape(), step.text("out_type", "int32")
    if x is None:
        return Fact(dtype, (None,))
    return Fact(dtype, (len(x),), tuple(x) if any(size is not None for size in x) or not x else None)


def _shapes_of(step: Step) -> list[Fact]:
    return [_shape_of(Step(step.node, [fact])) for fact in step.ins]


def _rank_of(step: Step) -> Fact:
    x = step.shape()
    return Fact("int32", (), None if x is None else (len(x),))


def _size_of(step: Step) -> Fact:
    count = None if step.shape() is None else times(*(step.shape() or ()))
    return Fact(step.text("out_type", "int32"), (), None if count is None else (count,))


def _fill_rule(step: Step) -> Fact:
    return Fact(step.at(1).dtype, step.at(0).sizes)


def _broadcast_to(step: Step) -> Fact:
    return Fact(step.dtype, step.at(1).sizes)


def _broadcast_args(step: Step) -> Fact:
    lengths = [shape[0] for shape in (step.shape(0), step.shape(1)) if shape]
    known = [size for size in lengths if isinstance(size, int)]
    return Fact(step.dtype, (max(known) if len(known) == 2 else None,))


def _random(step: Step) -> Fact:
    return Fact(step.text("dtype", step.text("Tout", "float32")), step.at(0).sizes)


def _range(step: Step) -> Fact:
    start, limit, delta = (step.at(at).number for at in range(3))
    numbers = [each for each in (start, limit, delta) if isinstance(each, int | float)]
    if len(numbers) == 3 and numbers[2]:
        length = -((numbers[0] - numbers[1]) // numbers[2])
        return Fact(step.dtype, (max(0, int(length)),) if abs(length) < 1 << 62 else (None,))
    named = limit if isinstance(limit, str) and start == 0 and delta == 1 else None
    return Fact(step.dtype, (named,))


def _line(step: Step) -> Fact:
    count = step.at(2).number
    return Fact(step.dtype, (count if isinstance(count, int | str) else None,))


def _one_hot(step: Step) -> Fact:
    x, depth = step.shape(), step.at(1).number
    dtype = step.at(2).dtype
    at = None if x is None else axis(step.integer("axis", -1), len(x) + 1)
    if x is None or at is None:
        return Fact(dtype)
    return Fact(dtype, (*x[:at], depth if isinstance(depth, int | str) else None, *x[at:]))


def _top(step: Step) -> list[Fact]:
    x, count = step.shape(), step.integer("k") if step.node.op == "TopK" else step.at(1).number
    last = count if isinstance(count, int | str) else None
    shape: Shape | None = (*x[:-1], last) if x else None
    return [Fact(step.dtype, shape), Fact(step.text("index_type", "int32"), shape)]


def _found(step: Step) -> Fact:
    """Where: as many rows as there are true elements, which only running tells."""
    x = step.shape()
    return Fact("int64", (None, None if x is None else len(x)))


def _unique(step: Step) -> list[Fact]:
    kind = step.text("out_idx", "int32")
    return [Fact(step.dtype, (None,)), Fact(kind, step.shape()), Fact(kind, (None,))]


def _picked(step: Step) -> Fact:
    """NonMaxSuppression: the indices of the boxes that stay."""
    return Fact("int32", (None,))


def _diagonal(step: Step) -> Fact:
    x = step.shape()
    return Fact(step.dtype, None if x is None else (*x, x[-1]) if step.node.op.startswith("Matrix") and x else x + x)


def _diagonals(step: Step) -> Fact:
    """MatrixDiagV3 where it only puts a diagonal into a square."""
    x, plain = step.shape(), [step.at(at).number for at in (1, 2, 3)] == [0, -1, -1]
    return Fact(step.dtype, (*x, x[-1]) if x and plain else None)


def _segments(step: Step) -> Fact:
    """Sums over segments: data, ids and, where it is not to be counted, how many."""
    x, ids, count = step.shape(0), step.shape(1), step.at(2).number
    if x is None or ids is None or len(ids) > len(x):
        return Fact(step.dtype)
    return Fact(step.dtype, (count if isinstance(count, int | str) else None, *x[len(ids) :]))


def _nothing(step: Step) -> Fact:
    return NOTHING


def _first_like(step: Step) -> Fact:
    return Fact(step.dtype, step.shape(), step.at(0).value)


def _ensured(step: Step) -> Fact:
    told = step.shaped("shape")
    x = step.shape()
    if told is None or x is None or len(told) != len(x):
        return Fact(step.dtype, x if told is None else told)
    return Fact(step.dtype, tuple(map(same, x, told)))


def _placeholder(step: Step) -> Fact:
    return Fact(step.text("dtype"), step.shaped("shape") or None)


def _fed(step: Step) -> Fact:
    """A placeholder with a default, instead of which a larger batch may be fed."""
    return Fact(step.dtype, step.shaped("shape"))


def _table(step: Step) -> Fact:
    return Fact("resource", ())


def _looked_up(step: Step) -> Fact:
    return Fact(step.text("Tout"), step.shape(1))


MAKES: dict[str, Rule] = {
    **named(_shape_of, "Shape"),
    "ShapeN": _shapes_of,
    "Rank": _rank_of,
    "Size": _size_of,
    "Fill": _fill_rule,
    "BroadcastTo": _broadcast_to,
    "BroadcastArgs": _broadcast_args,
    **named(
        _random,
        "RandomUniform RandomStandardNormal TruncatedNormal RandomUniformInt StatelessRandomUniform "
        "StatelessRandomNormal StatelessRandomUniformV2 StatelessRandomNormalV2 StatelessTruncatedNormal",
    ),
    "Range": _range,
    "LinSpace": _line,
    "OneHot": _one_hot,
    **named(_top, "TopKV2 TopK"),
    "Where": _found,
    **named(_unique, "Unique UniqueV2 UniqueWithCounts UniqueWithCountsV2"),
    **named(_picked, "NonMaxSuppression NonMaxSuppressionV2 NonMaxSuppressionV3"),
    **named(_diagonal, "Diag MatrixDiag"),
    **named(_diagonals, "MatrixDiagV2 MatrixDiagV3"),
    **named(_segments, "UnsortedSegmentSum UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentProd SegmentSum"),
    "EnsureShape": _ensured,
    **named(_placeholder, "Placeholder PlaceholderV2"),
    "PlaceholderWithDefault": _fed,
    **named(
        _table,
        "HashTable HashTableV2 VarHandleOp MutableHashTableV2 IteratorV2 MutableDenseHashTableV2 StackV2 "
        "IteratorFromStringHandle IteratorFromStringHandleV2 OneShotIterator Iterator",
    ),
    **named(_looked_up, "LookupTableFind LookupTableFindV2"),
    **named(_first_like, "TensorScatterUpdate TensorScatterAdd TensorScatterSub MatrixSetDiagV3"),
    "NoOp": _nothing,
}
