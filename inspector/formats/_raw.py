"""Tensors that lie as plain buffers in a file: read at their place, and only then."""

from __future__ import annotations

from typing import BinaryIO

from inspector.errors import FormatError
from inspector.formats._source import Source
from inspector.formats._tensors import LARGEST, PACKED, Array, decode, numpy_dtype
from inspector.ir import Tensor


def read_at(file: BinaryIO, offset: int, size: int, what: str) -> bytes:
    """Bytes at a place of a file.

    Raises:
        FormatError: The file ends before them.
    """
    if offset < 0 or not 0 <= size <= LARGEST:
        raise FormatError(f"The {what} claims an impossible place.", hint="The file may be damaged.")
    if offset + size > file.seek(0, 2):
        raise FormatError(f"The file ends inside the {what}.", hint="It is incomplete; fetch or copy it again.")
    file.seek(offset)
    return file.read(size)


def fetch_raw(source: Source, tensor: Tensor) -> Array:
    """The values of a tensor that lies as a plain little-endian buffer in the model file or a side file."""
    place = tensor.place
    with source.open(place.file) as file:
        data = read_at(file, place.offset, place.size, f"tensor {tensor.name[:100]!r}")
    return decode(data, tensor.dtype, tensor.shape)


def fetch_raw_part(source: Source, tensor: Tensor, start: int, count: int) -> Array | None:
    """Some values of such a tensor in C order, as an array of one dimension; no other byte is read.

    Args:
        source: The model.
        tensor: One whose place is a plain buffer, little-endian unless its layout says `byte_order: big`.
        start: The first value.
        count: How many.

    Returns:
        The values; None where the buffer cannot be cut at any value (strings, strides).

    Raises:
        FormatError: The file ends before them.
    """
    place = tensor.place
    if tensor.dtype == "string" or "strides" in place.layout:
        return None
    if tensor.dtype in PACKED:
        return _packed_part(source, tensor, start, count)
    width = numpy_dtype(tensor.dtype).itemsize
    if not width or place.size < tensor.count * width:
        return None
    with source.open(place.file) as file:
        data = read_at(file, place.offset + start * width, count * width, f"tensor {tensor.name[:100]!r}")
    return decode(data, tensor.dtype, (count,), big=place.layout.get("byte_order") == "big")


def _packed_part(source: Source, tensor: Tensor, start: int, count: int) -> Array:
    """Values of which several share bytes: four of them begin at a whole byte, whatever their width."""
    bits, first = PACKED[tensor.dtype], start - start % 4
    at, end = first * bits // 8, -(-(start + count) * bits // 8)
    with source.open(tensor.place.file) as file:
        data = read_at(file, tensor.place.offset + at, end - at, f"tensor {tensor.name[:100]!r}")
    return decode(data, tensor.dtype, (start - first + count,))[start - first :]
