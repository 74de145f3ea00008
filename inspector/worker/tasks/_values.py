"""The values of one tensor of the open model, whole or in parts, as they are stored or as the numbers they stand for.

A tensor of up to 256 MiB is read once and kept while it is looked at. Of a larger one only the parts that are asked
for are read, where its format can do that, so that a tensor of any size is looked at in bounded memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.ir import Tensor
from inspector.worker.tasks._document import Document
from inspector.worker.tasks._nbits import Packed, packed
from inspector.worker.tasks._quantization import Quantization, as_stored, quantization

Array = NDArray[Any]

WHOLE = 256 << 20
"""Bytes up to which a tensor is read whole."""
PART = 1 << 22
"""Elements read at once of a larger one."""
REAL = 1 << 24
"""Elements up to which the real numbers of a quantized tensor are kept as well."""


class Values:
    """Values of one tensor.

    Attributes:
        shape: Sizes.
        dtype: Of what `part` gives.
        whole: All of them, where they are in memory.
        quantized: How they are quantized; None where they are not.
        real: Whether they are the real numbers that quantized ones stand for.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        read: Callable[[int, int], Array],
        whole: Array | None,
        quantized: Quantization | None,
        real: bool,
    ) -> None:
        self.shape, self.dtype, self.whole = shape, dtype, whole
        self.quantized, self.real = quantized, real
        self.size = int(np.prod(shape, dtype=object)) if shape else 1
        self._read = read

    def part(self, start: int, count: int) -> Array:
        """So many values in C order from this one on, fewer at the end; one dimension."""
        start = min(max(0, start), self.size)
        return self._read(start, min(max(0, count), self.size - start))

    def parts(self, blocks: Iterator[tuple[int, int]]) -> Iterator[Array]:
        """The values of blocks (start, count), each in pieces that fit into memory."""
        for start, count in blocks:
            for at in range(start, start + count, PART):
                yield self.part(at, min(PART, start + count - at))


def values(opened: Document, tensor: Tensor, real: bool | None = None) -> Values:
    """The values of a tensor.

    Args:
        opened: The model.
        tensor: One of its tensors.
        real: Whether quantized values are to be the real numbers they stand for; None takes the type that the
            model's tensor has (integers for TensorFlow Lite, floats for TensorFlow.js).
    """
    small = packed(opened, tensor)
    if small is not None:
        return _unpacked(_raw(opened, tensor), small, bool(real))
    quantized = quantization(opened, tensor)
    natural = as_stored(tensor) is not tensor
    real = (natural if real is None else real) and quantized is not None
    wanted = as_stored(tensor) if natural and not real else tensor
    base = _raw(opened, wanted)
    if quantized is None or natural or not real:
        return Values(base.shape, base.dtype, base.part, base.whole, quantized, real)
    if base.whole is not None and base.size <= REAL:
        return _materialised(opened, wanted, base, quantized)
    found = quantized

    def read(start: int, count: int) -> Array:
        return found.applied(base.part(start, count), start, base.shape)

    return Values(base.shape, np.dtype(np.float32), read, None, quantized, True)


def _unpacked(base: Values, small: Packed, real: bool) -> Values:
    """Weights of few bits: as the bytes that they are stored in, or as the matrix that these stand for."""
    about = small.quantization
    if not real:
        return Values(base.shape, base.dtype, base.part, base.whole, about, False)
    shape = (small.rows, small.columns)

    def read(start: int, count: int) -> Array:
        first, last = start // small.columns, -(-(start + count) // small.columns)
        codes = small.unpacked(base.part(first * small.row_bytes, (last - first) * small.row_bytes))
        begin = start - first * small.columns
        return about.applied(codes[begin : begin + count], start, shape)

    return Values(shape, np.dtype(np.float32), read, None, about, True)


def _materialised(opened: Document, tensor: Tensor, base: Values, quantized: Quantization) -> Values:
    """Real numbers of a tensor that is not large, worked out once."""
    kept: tuple[Tensor, Array] | None = opened.kept.get("real values")
    if kept is None or kept[0] != tensor:
        array = quantized.applied(base.part(0, base.size), 0, base.shape).reshape(base.shape)
        opened.kept["real values"] = kept = (tensor, array)
    flat = kept[1].reshape(-1)
    dtype = np.dtype(np.float32)
    return Values(base.shape, dtype, lambda start, count: flat[start : start + count], kept[1], quantized, True)


def _raw(opened: Document, tensor: Tensor) -> Values:
    """What the reader gives."""
    by_part = opened.format.fetch_part
    if by_part is not None and tensor.nbytes > WHOLE:
        read_part = by_part
        first = opened.guarded(tensor, lambda: read_part(opened.source, tensor, 0, 1))
        if first is not None:

            def far(start: int, count: int) -> Array:
                part: Array = opened.guarded(tensor, lambda: read_part(opened.source, tensor, start, count))
                return part

            return Values(tensor.shape, first.dtype, far, None, None, False)
    array = opened.array_of(tensor)
    flat = array.reshape(-1)
    shape = tuple(int(size) for size in array.shape)
    return Values(shape, array.dtype, lambda start, count: flat[start : start + count], array, None, False)
