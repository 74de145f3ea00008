"""The values of a dataset of HDF5: its pieces unpacked and put together."""

from __future__ import annotations

import zlib
from enum import IntEnum
from math import prod

import numpy as np

from inspector.formats._hdf5_bytes import DamageError
from inspector.formats._hdf5_layout import COMPACT, PIECES, WHOLE, Dataset, Filter, Piece, pieces
from inspector.formats._tensors import Array


class Known(IntEnum):
    """Filters that are understood."""

    DEFLATE = 1
    SHUFFLE = 2
    SUM = 3
    LZF = 32000


KNOWN = frozenset(Known)

LARGEST = 1 << 30
"""Bytes of a piece as unpacked."""

TEXTS = 64 << 20
"""Bytes of all texts of variable length of a dataset together."""


def rows(item: Dataset, first: int, last: int) -> Array:
    """Some rows along the first dimension of a dataset that has one, as they are stored.

    Raises:
        DamageError: They are not all there.
    """
    shape = (last - first, *(item.shape or ())[1:])
    if item.how == PIECES:
        return _together(item, first, shape)
    return _stored(item, first * prod(shape[1:]), prod(shape)).reshape(shape)


def whole(item: Dataset) -> Array:
    """All values as they are stored.

    Raises:
        DamageError: They are not all there.
    """
    shape = item.shape or ()
    return rows(item, 0, shape[0]) if shape else _stored(item, 0, 1).reshape(())


def _stored(item: Dataset, start: int, count: int) -> Array:
    """Elements of what is stored in one piece."""
    kind = item.kind.numpy
    at, size = start * kind.itemsize, count * kind.itemsize
    if item.how == COMPACT:
        data = item.held[at : at + size]
    elif item.how != WHOLE:
        raise DamageError("its pieces do not have its shape")
    elif item.address < 0:
        return empty(item, (count,))
    elif at + size > item.size:
        raise DamageError("it is shorter than its shape")
    else:
        data = item.file.values(item.address + at, size)
    if len(data) != size:
        raise DamageError("it is shorter than its shape")
    return np.frombuffer(data, kind)


def empty(item: Dataset, shape: tuple[int, ...]) -> Array:
    """What stands where nothing is stored."""
    made = np.zeros(shape, item.kind.numpy)
    if item.fill:
        made[...] = np.frombuffer(item.fill, item.kind.numpy)[0]
    return made


def _together(item: Dataset, first: int, shape: tuple[int, ...]) -> Array:
    """Rows put together of pieces."""
    size = prod(item.piece) * item.kind.size
    if size > LARGEST:
        raise DamageError(f"a piece of it has {size:,} bytes")
    made = empty(item, shape)
    low, sizes = (first, *(0,) * (len(shape) - 1)), item.piece
    for piece in pieces(item):
        starts = [at - base for at, base in zip(piece.start, low, strict=True)]
        if starts[0] >= shape[0] or starts[0] + sizes[0] <= 0:
            continue
        block = np.frombuffer(_unpacked(item, piece, size), item.kind.numpy).reshape(sizes)
        into = tuple(slice(max(0, at), at + step) for at, step in zip(starts, sizes, strict=True))
        part = made[into]
        cut = tuple(slice(max(0, -at), max(0, -at) + have) for at, have in zip(starts, part.shape, strict=True))
        made[into] = block[cut]
    return made


def _unpacked(item: Dataset, piece: Piece, size: int) -> bytes:
    """The bytes of a piece, its filters undone."""
    data = item.file.values(piece.address, piece.size)
    for number, each in reversed(list(enumerate(item.filters))):
        if not piece.skipped >> number & 1:
            data = _undone(data, each, size)
    if len(data) != size:
        raise DamageError("a piece of it has another size than it says")
    return data


def _undone(data: bytes, each: Filter, size: int) -> bytes:
    """What went into a filter.

    Raises:
        DamageError: It is damaged, or larger than a piece can be.
    """
    match each.number:
        case Known.DEFLATE:
            try:
                return zlib.decompressobj().decompress(data, size + 64)
            except zlib.error as error:
                raise DamageError("a piece of it is damaged") from error
        case Known.SHUFFLE:
            width = each.values[0] if each.values else 1
            count = len(data) // width if width else 0
            plain = np.frombuffer(data, np.uint8, count * width).reshape(width, count)
            return plain.T.tobytes() + data[count * width :]
        case Known.SUM:
            return _summed(data)
        case Known.LZF:
            return _lzf(data, size)
    raise DamageError(f"it is compressed by a filter that we do not know ({each.number})")


def _summed(data: bytes) -> bytes:
    """Bytes without their checksum, that of Fletcher over big-endian words of 16 bits.

    Raises:
        DamageError: It is wrong.
    """
    plain, told = data[:-4], int.from_bytes(data[-4:], "little")
    words = np.frombuffer(plain + bytes(len(plain) % 2), ">u2").astype(np.uint64)
    low = high = 0
    for at in range(0, len(words), 1 << 16):
        part = words[at : at + (1 << 16)]
        high = (high + low * len(part) + int((part * np.arange(len(part), 0, -1, dtype=np.uint64)).sum())) % 65535
        low = (low + int(part.sum())) % 65535
    if len(data) < 4 or (told & 0xFFFF) % 65535 != low or (told >> 16) % 65535 != high:
        raise DamageError("the checksum of a piece of it is wrong")
    return plain


def _lzf(data: bytes, size: int) -> bytes:
    """LZF of Marc Lehmann, as h5py packs with it: literal runs, and copies of what came before."""
    made, at = bytearray(), 0
    while at < len(data) and len(made) <= size:
        head = data[at]
        at += 1
        if head < 32:
            made += data[at : at + head + 1]
            at += head + 1
            continue
        count = head >> 5
        if at + (count == 7) >= len(data):
            raise DamageError("a piece of it is damaged")
        if count == 7:
            count += data[at]
            at += 1
        back = (head & 31) << 8 | data[at]
        at += 1
        start = len(made) - back - 1
        if start < 0:
            raise DamageError("a piece of it is damaged")
        count += 2
        run = made[start : start + count]
        made += (run * (count // len(run) + 1))[:count]
    return bytes(made)


def texts(item: Dataset, stored: Array) -> Array:
    """Texts of variable length as objects of bytes, of the elements that say where they lie.

    Raises:
        DamageError: One is missing, or they are too many.
    """
    file, made, total = item.file, np.empty(stored.size, object), 0
    flat = stored.reshape(-1)
    for number in range(stored.size):
        place = file.within(flat[number : number + 1].tobytes())
        size, address, index = place.number(4), place.address(), place.number(4)
        text = item.node.file.texts.get(address, index)[:size].partition(b"\0")[0] if size and address > 0 else b""
        total += len(text)
        if total > TEXTS:
            raise DamageError(f"its texts have more than {TEXTS:,} bytes")
        made[number] = text
    return made.reshape(stored.shape)
