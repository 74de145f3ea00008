"""Tensors that lie as plain buffers in a file: read at their place, and only then."""

from __future__ import annotations

from typing import BinaryIO

from inspector.errors import FormatError
from inspector.formats._source import Source
from inspector.formats._tensors import LARGEST, Array, decode
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
