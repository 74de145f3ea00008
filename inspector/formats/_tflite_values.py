"""Values of TensorFlow Lite's tensors: dense, sparse, and strings."""

from __future__ import annotations

import struct
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from inspector.errors import FormatError
from inspector.formats._flat import BROKEN, ints, items
from inspector.formats._tensors import Array, decode

AGAIN = "Fetch or copy the file again."
EXPANSION = 256
"""A sparse tensor may become so many times larger than its bytes, and no more than `LARGEST`."""
LARGEST = 1 << 32


def strings(data: bytes, shape: tuple[int, ...]) -> Array:
    """TFLite's strings: a count, offsets, then the bytes."""
    try:
        (length,) = struct.unpack_from("<i", data)
        if not 0 <= length <= len(data) // 4:
            raise FormatError("A tensor of strings is damaged.")
        bounds = struct.unpack_from(f"<{length + 1}i", data, 4)
        words = [data[a:b].decode("utf-8", "backslashreplace") for a, b in pairwise(bounds)]
        return np.array(words, dtype=object).reshape(shape)
    except (struct.error, ValueError) as error:
        raise FormatError("A tensor of strings is damaged.", hint=AGAIN) from error


def spread(buffer: Any, where: tuple[int, int], data: bytes, dtype: str, shape: tuple[int, ...]) -> Array:
    """The dense form of a sparse tensor.

    The stored values are the leaves of a tree whose levels are the dimensions in their order of traversal, then the
    dimensions inside blocks. A dense level has every index; a sparse one lists those that are there (CSR).

    Args:
        buffer: Bytes of the model.
        where: Numbers of the graph and of the tensor in it.
        data: The stored values.
        dtype: Of the values.
        shape: Of the dense form.

    Raises:
        FormatError: Indices lead outside the shape, or the values are of another number than the leaves.
    """
    import tflite

    try:
        item = tflite.Model.GetRootAs(buffer, 0).Subgraphs(where[0]).Tensors(where[1]).Sparsity()
        order, blocks = ints(item, "TraversalOrder"), ints(item, "BlockMap")
        levels = [_level(level) for level in items(item, "DimMetadata")]
    except BROKEN as error:
        raise FormatError("A sparse tensor is damaged.", hint=AGAIN) from error
    if sorted(order) != list(range(len(levels))) or len(order) != len(shape) + len(blocks):
        raise FormatError("A sparse tensor is damaged: its dimensions do not fit.", hint=AGAIN)
    if any(not 0 <= axis < len(shape) for axis in blocks):
        raise FormatError("A sparse tensor is damaged: a block has no dimension.", hint=AGAIN)
    size = prod(shape)
    if size * 16 > LARGEST and size > EXPANSION * max(1, len(data)):
        raise FormatError(f"A sparse tensor would become {size:,} values from {len(data):,} bytes.", hint=AGAIN)
    found = _walk(levels, max(size, 1))
    count = len(found[0]) if found else 1
    values = decode(data, dtype, (count,))
    place = _places(found, order, blocks, [level[0] for level in levels], shape)
    made: Array = np.zeros(size, values.dtype)
    made[place] = values
    return made.reshape(shape)


Level = tuple[int, Array | None, Array | None]
"""Size of a dense level; segments and indices of a sparse one."""


def _level(item: Any) -> Level:
    if item.Format() == 0:
        return int(item.DenseSize()), None, None
    return (
        0,
        _vector(item.ArraySegmentsType(), item.ArraySegments()),
        _vector(item.ArrayIndicesType(), item.ArrayIndices()),
    )


def _vector(kind: int, table: Any) -> Array:
    """Numbers of 32, 16 or 8 bits."""
    import tflite

    reader = {1: tflite.Int32Vector, 2: tflite.Uint16Vector, 3: tflite.Uint8Vector}[kind]()
    reader.Init(table.Bytes, table.Pos)
    return np.array(ints(reader, "Values"), np.int64)


def _walk(levels: list[Level], most: int) -> list[Array]:
    """Coordinates of the leaves, one array for each level."""
    found: list[Array] = []
    nodes = np.zeros(1, np.int64)
    for size, segments, indices in levels:
        if segments is None or indices is None:
            if size < 0 or len(nodes) * size > most:
                raise FormatError("A sparse tensor is damaged: it has more values than its shape.", hint=AGAIN)
            parents = np.repeat(np.arange(len(nodes)), size)
            inside = np.tile(np.arange(size if len(nodes) else 0), len(nodes))  # beneath nothing is nothing
            nodes = nodes[parents] * size + inside
        else:
            if len(nodes) and (int(nodes.max()) + 1 >= len(segments) or np.any(np.diff(segments) < 0)):
                raise FormatError("A sparse tensor is damaged: its segments do not fit.", hint=AGAIN)
            starts, counts = segments[nodes], segments[nodes + 1] - segments[nodes]
            if int(counts.sum()) > most or segments[0] < 0 or segments[-1] > len(indices):
                raise FormatError("A sparse tensor is damaged: its segments do not fit.", hint=AGAIN)
            parents = np.repeat(np.arange(len(nodes)), counts)
            first = np.repeat(np.cumsum(counts) - counts, counts)
            nodes = starts[parents] + np.arange(len(parents)) - first
            inside = indices[nodes]
        found = [level[parents] for level in found] + [inside]
    return found


def _places(found: list[Array], order: list[int], blocks: list[int], sizes: list[int], shape: tuple[int, ...]) -> Array:
    """Positions of the leaves in the dense array."""
    rank = len(shape)
    by_axis = {axis: (found[level], sizes[level]) for level, axis in enumerate(order)}
    place: Array = np.zeros(len(found[0]) if found else 1, np.int64)
    for axis, size in enumerate(shape):
        at = by_axis[axis][0]
        for number, owner in enumerate(blocks):
            if owner == axis:
                inner, width = by_axis[rank + number]
                at = at * width + inner
        if len(at) and (int(at.min()) < 0 or int(at.max()) >= size):
            raise FormatError("A sparse tensor is damaged: an index lies outside its shape.", hint=AGAIN)
        place = place * size + at
    return place
