"""Shapes of TensorFlow operators that only rearrange, join, cut or ask for shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from inspector.formats._rules import named
from inspector.formats._tf_shapes_dims import (
    FOLDED,
    Fact,
    MisfitError,
    Step,
    axis,
    fill,
    plus,
    same,
    times,
    total,
    valued,
)
from inspector.ir import Dim

Rule = Callable[[Step], Any]
RANK = 64
OPEN = "open"
"""A bound of a range that is not known."""


def _reshape(step: Step) -> Fact:
    sizes = step.at(1).sizes
    return Fact(step.dtype, None if sizes is None else fill(sizes, step.shape()))


def _squeeze(step: Step) -> Fact:
    x, dims = step.shape(), step.integers("squeeze_dims") or step.integers("axis")
    if x is None:
        return Fact(step.dtype)
    if not dims:
        known = all(isinstance(size, int) for size in x)
        return Fact(step.dtype, tuple(size for size in x if size != 1) if known else None)
    drop = {axis(dim, len(x)) for dim in dims}
    if None in drop or any(isinstance(x[at], int) and x[at] != 1 for at in drop if at is not None):
        raise MisfitError("takes away a dimension that is not 1")
    return Fact(step.dtype, tuple(size for at, size in enumerate(x) if at not in drop))


def _expand(step: Step) -> Fact:
    x, number = step.shape(), step.at(1).number
    if x is None:
        return Fact(step.dtype)
    at = axis(number, len(x) + 1)
    return Fact(step.dtype, (None,) * (len(x) + 1) if at is None else (*x[:at], 1, *x[at:]))


def _transpose(step: Step) -> Fact:
    x, order = step.shape(), step.at(1).sizes
    if x is None or order is None or len(order) != len(x) or any(axis(at, len(x)) is None for at in order):
        rank = len(x) if x is not None else len(order) if order is not None else None
        return Fact(step.dtype, None if rank is None else (None,) * rank)
    return Fact(step.dtype, tuple(x[axis(at, len(x)) or 0] for at in order))


def _concat(step: Step) -> Fact:
    """ConcatV2 has its axis last, Concat first."""
    first = step.node.op == "Concat"
    parts, number = (step.ins[1:], step.at(0).number) if first else (step.ins[:-1], step.at(-1).number)
    dtype = next((fact.dtype for fact in parts if fact.dtype), "")
    shapes = [fact.shape for fact in parts]
    known = next((shape for shape in shapes if shape is not None), None)
    if known is None or not known:
        return Fact(dtype)
    at = axis(number, len(known))
    if at is None:
        return Fact(dtype, (None,) * len(known))
    sizes: list[Dim] = list(known)
    for shape in shapes:
        if shape is not None and len(shape) != len(known):
            raise MisfitError(f"joins tensors of {len(known)} and of {len(shape)} dimensions")
        sizes = [
            same(a, b) if place != at else a for place, (a, b) in enumerate(zip(sizes, shape or sizes, strict=True))
        ]
    sizes[at] = total(None if shape is None else shape[at] for shape in shapes)
    return Fact(dtype, tuple(sizes))


def _pad(step: Step) -> Fact:
    x, edges = step.shape(), step.at(1).array
    if x is None or edges is None or edges.shape != (len(x), 2):
        rank = len(x) if x is not None else (step.shape(1) or (None,))[0]
        return Fact(step.dtype, (None,) * rank if isinstance(rank, int) and rank <= RANK else None)
    grown = [low + high if isinstance(low, int) and isinstance(high, int) else None for low, high in edges]
    return Fact(step.dtype, tuple(map(plus, x, grown)))


def _split(step: Step) -> list[Fact]:
    """Split: axis, value; all parts are equal."""
    x, count = step.shape(1), step.integer("num_split", 1)
    at = None if x is None else axis(step.at(0).number, len(x))
    dtype = step.at(1).dtype
    if x is None or at is None:
        return [Fact(dtype, None if x is None else (None,) * len(x))]
    size = x[at]
    if isinstance(size, int) and (count < 1 or size % count):
        raise MisfitError(f"cuts {size} into {count} equal parts")
    array = step.at(1).array
    if array is not None and count <= FOLDED:
        return [valued(dtype, part) for part in np.split(array, count, at)]
    part = size // count if isinstance(size, int) else size if count == 1 else None
    return [Fact(dtype, (*x[:at], part, *x[at + 1 :]))]


def _split_v(step: Step) -> list[Fact]:
    """SplitV: value, sizes, axis."""
    x, sizes = step.shape(), step.at(1).sizes
    at = None if x is None else axis(step.at(2).number, len(x))
    if x is None or at is None or sizes is None:
        return [Fact(step.dtype, None if x is None else (None,) * len(x))] * (len(sizes) if sizes else 1)
    parts, array = _parts(sizes, x[at]), step.at(0).array
    if array is not None and all(isinstance(part, int) for part in parts):
        ends = np.cumsum([part for part in parts if isinstance(part, int)])[:-1]
        return [valued(step.dtype, part) for part in np.split(array, ends, at)]
    return [Fact(step.dtype, (*x[:at], part, *x[at + 1 :])) for part in parts]


def _parts(sizes: Sequence[Dim], whole: Dim) -> list[Dim]:
    """Sizes of parts with the -1 among them worked out."""
    rest = total(size for size in sizes if size != -1)
    left = whole - rest if isinstance(whole, int) and isinstance(rest, int) else None
    return [left if size == -1 else size for size in sizes]


def _slice(step: Step) -> Fact:
    x, begin, sizes = step.shape(), step.at(1).sizes, step.at(2).sizes
    if sizes is None or begin is None:
        rank = len(x) if x is not None else None
        return Fact(step.dtype, None if rank is None else (None,) * rank)
    found: list[Dim] = []
    for at, (start, size) in enumerate(zip(begin, sizes, strict=False)):
        old = x[at] if x is not None and at < len(x) else None
        if size == -1:
            size = old if start == 0 else old - start if isinstance(old, int) and isinstance(start, int) else None
        found.append(size)
    return Fact(step.dtype, tuple(found))


def _mask(step: Step, name: str) -> int:
    return step.integer(name) & ((1 << RANK) - 1)


def places(step: Step, rank: int) -> list[Any] | None:
    """What a StridedSlice takes of each dimension, in numpy's words (a 1 is where an index is open).

    None where it cannot be told; the shape of `begin` says how many parts there are.
    """
    begin, end, strides = (step.at(at).sizes for at in (1, 2, 3))
    if begin is None or end is None or strides is None or not len(begin) == len(end) == len(strides):
        return None
    masks = [_mask(step, f"{name}_mask") for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")]
    used = sum(1 for at in range(len(begin)) if not (masks[2] | masks[3]) >> at & 1)
    found: list[Any] = []
    for at, (low, high, by) in enumerate(zip(begin, end, strides, strict=True)):
        from_start, to_end, dots, new, single = (mask >> at & 1 for mask in masks)
        if dots:
            found += [slice(None)] * max(0, rank - used)
        elif new:
            found.append(None)
        elif single:
            found.append(low if isinstance(low, int) else OPEN)
        else:
            found.append(slice(None if from_start else _bound(low), None if to_end else _bound(high), _bound(by)))
    return found


def _bound(number: Dim) -> Any:
    return number if isinstance(number, int) else OPEN


def _strided(step: Step) -> Fact:
    x = step.shape()
    found = None if x is None else places(step, len(x))
    if x is None or found is None:
        return Fact(step.dtype)
    shape: list[Dim] = []
    at = 0
    for part in found:
        if part is None:
            shape.append(1)
            continue
        if at >= len(x):
            raise MisfitError(f"takes apart more than {len(x)} dimensions")
        if isinstance(part, slice):
            shape.append(cut(x[at], part))
        at += 1
    return Fact(step.dtype, (*shape, *x[at:]))


def cut(size: Dim, part: slice) -> Dim:
    """Length of a range of a dimension."""
    start, stop, by = part.start, part.stop, part.step
    if OPEN in (start, stop, by) or by == 0:
        return None
    if isinstance(size, int):
        return len(range(*part.indices(size)))
    if stop is None and by in (1, None, -1) and start in (None, 0):
        return size if by != -1 or start is None else None
    return None


def _gather(step: Step) -> Fact:
    """Gather, GatherV2 and ResourceGather."""
    x, indices = step.shape(0), step.shape(1)
    batch = step.integer("batch_dims")
    if x is None or indices is None or not x:
        return Fact(step.dtype)
    at = 0 if len(step.ins) < 3 else axis(step.at(2).number, len(x))
    batch += len(indices) if batch < 0 else 0
    if at is None or not 0 <= batch <= min(len(indices), at):
        return Fact(step.dtype, (None,) * (len(x) + len(indices) - 1 - batch) if 0 <= batch <= len(indices) else None)
    lead = tuple(map(same, x[:batch], indices[:batch]))
    return Fact(step.dtype, (*lead, *x[batch:at], *indices[batch:], *x[at + 1 :]))


def _gather_nd(step: Step) -> Fact:
    x, indices = step.shape(0), step.shape(1)
    if x is None or not indices or not isinstance(indices[-1], int) or indices[-1] > len(x):
        return Fact(step.dtype)
    return Fact(step.dtype, (*indices[:-1], *x[indices[-1] :]))


def _scatter_nd(step: Step) -> Fact:
    sizes = step.at(2).sizes
    return Fact(step.at(1).dtype, sizes)


def _tile(step: Step) -> Fact:
    x, counts = step.shape(), step.at(1).sizes
    if x is None or counts is None or len(counts) != len(x):
        rank = len(x) if x is not None else len(counts) if counts is not None else None
        return Fact(step.dtype, None if rank is None else (None,) * rank)
    return Fact(step.dtype, tuple(map(times, x, counts)))


def _pack(step: Step) -> Fact:
    shapes = [fact.shape for fact in step.ins if fact.shape is not None]
    if not shapes:
        return Fact(step.dtype)
    sizes: list[Dim] = list(shapes[0])
    for shape in shapes[1:]:
        if len(shape) != len(sizes):
            raise MisfitError(f"joins tensors of {len(sizes)} and of {len(shape)} dimensions")
        sizes = list(map(same, sizes, shape))
    at = axis(step.integer("axis"), len(sizes) + 1)
    return Fact(step.dtype, None if at is None else (*sizes[:at], len(step.ins), *sizes[at:]))


def _unpack(step: Step) -> list[Fact]:
    x = step.shape()
    at = axis(step.integer("axis"), len(x)) if x else None
    if x is None or at is None:
        return [Fact(step.dtype)]
    shape, array = (*x[:at], *x[at + 1 :]), step.at(0).array
    if array is None:
        return [Fact(step.dtype, shape)]
    return [valued(step.dtype, part) for part in np.moveaxis(array, at, 0)]


MOVES: dict[str, Rule] = {
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "ExpandDims": _expand,
    **named(_transpose, "Transpose ConjugateTranspose"),
    **named(_concat, "ConcatV2 Concat"),
    **named(_pad, "Pad PadV2 MirrorPad"),
    "Split": _split,
    "SplitV": _split_v,
    "Slice": _slice,
    "StridedSlice": _strided,
    **named(_gather, "Gather GatherV2 ResourceGather"),
    **named(_gather_nd, "GatherNd ResourceGatherNd"),
    "ScatterNd": _scatter_nd,
    "Tile": _tile,
    **named(_pack, "Pack Stack"),
    **named(_unpack, "Unpack Unstack"),
}
