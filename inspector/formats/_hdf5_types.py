"""The types and shapes of HDF5's values (file format specification 3.0, IV.A.2.b and IV.A.2.d)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from inspector.formats._hdf5_bytes import Bytes, Cursor, DamageError, UnreadError
from inspector.formats._tensors import ByteOrder

DEPTH = 16
WIDEST = 1 << 20
"""Bytes of an element that is an array or a record."""

FLOATS = {
    (2, 10, 5, 10): "float16", (2, 7, 8, 7): "bfloat16", (4, 23, 8, 23): "float32", (8, 52, 11, 52): "float64",
}  # fmt: skip
"""Bytes, where the exponent begins, its bits, the bits of the mantissa (which begins at bit 0)."""

UNKNOWN = "its values are of a kind that is not read"


@dataclass(frozen=True, slots=True)
class Kind:
    """What the elements of a dataset or an attribute are.

    Attributes:
        name: Of the type; `string` for texts of either length, `voidN` for what is shown as N plain bits.
        size: Bytes of an element as stored.
        order: Of its bytes, as numpy says it.
        texts: 0 where they are none, 1 where each has its place in the element, 2 where they are of variable length.
    """

    name: str
    size: int
    order: ByteOrder = "<"
    texts: int = 0

    @property
    def numpy(self) -> np.dtype[Any]:
        """The type of an array of the stored elements."""
        if self.texts:
            return np.dtype(f"S{self.size}")
        if self.name.startswith("void") or self.name == "bfloat16":
            return np.dtype(f"V{self.size}")
        return np.dtype(self.name).newbyteorder(self.order)


def kind_of(data: Cursor, depth: int = 0) -> Kind:
    """The type that a message describes; the cursor then stands behind it.

    Raises:
        DamageError: It is damaged, or of a kind that is not read.
    """
    head = data.number(1)
    version, bits, size = head >> 4, data.number(3), data.number(4)
    if not 1 <= version <= 4 or depth > DEPTH or not size:
        raise DamageError("its type makes no sense")
    match head & 15:
        case 0 | 4:
            return _whole(data, bits, size, signed=head & 15 == 0 and bool(bits & 8))
        case 1:
            return _float(data, bits, size)
        case 3:
            return Kind("string", size, texts=1)
        case 5:
            data.take((bits & 255) + 7 & ~7)
            return _void(size)
        case 6:
            return _record(data, version, bits & 0xFFFF, size, depth)
        case 8:
            return _listed(data, version, bits & 0xFFFF, depth)
        case 9 if bits & 15 == 1:  # any other is a sequence, or damaged
            kind_of(data, depth + 1)
            return Kind("string", size, texts=2)
        case 10:
            count = data.number(1)
            data.take((3 if version < 3 else 0) + count * (8 if version < 3 else 4))
            kind_of(data, depth + 1)
            return _void(size)
    raise UnreadError(UNKNOWN)


def _whole(data: Cursor, bits: int, size: int, *, signed: bool) -> Kind:
    start, width = data.number(2), data.number(2)
    if start or width != 8 * size or size not in (1, 2, 4, 8):
        raise UnreadError(UNKNOWN)
    return Kind(f"{'int' if signed else 'uint'}{width}", size, ">" if bits & 1 else "<")


def _float(data: Cursor, bits: int, size: int) -> Kind:
    start, width, where, exponent, mantissa, digits = (data.number(n) for n in (2, 2, 1, 1, 1, 1))
    data.take(4)
    name = FLOATS.get((size, where, exponent, digits))
    if name is None or start or mantissa or width != 8 * size or bits & 0x40:
        raise UnreadError(UNKNOWN)
    return Kind(name, size, ">" if bits & 1 else "<")


def _void(size: int) -> Kind:
    if size > WIDEST:
        raise UnreadError(UNKNOWN)
    return Kind(f"void{8 * size}", size)


def _record(data: Cursor, version: int, count: int, size: int, depth: int) -> Kind:
    """A record; complex numbers are records of two floats, `r` and `i`."""
    parts = []
    for _ in range(count):
        name = data.word(padded=version < 3)
        where = data.number(4 if version < 3 else max(1, -(-size.bit_length() // 8)))
        if version == 1:
            data.take(28)
        parts.append((name, where, kind_of(data, depth + 1)))
    if [part[:2] for part in parts] == [(b"r", 0), (b"i", size // 2)] and parts[0][2] == parts[1][2]:
        inner = parts[0][2]
        if inner.name in ("float32", "float64") and 2 * inner.size == size:
            return Kind(f"complex{8 * size}", size, inner.order)
    return _void(size)


def _listed(data: Cursor, version: int, count: int, depth: int) -> Kind:
    """A type whose values have names: that of truth is one."""
    base = kind_of(data, depth + 1)
    names = [data.word(padded=version < 3) for _ in range(count)]
    values = [data.number(base.size) for _ in range(count)]
    truth = base.name == "int8" and dict(zip(names, values, strict=True)) == {b"FALSE": 0, b"TRUE": 1}
    return Kind("bool", 1) if truth else base


def shape_of(data: Cursor, file: Bytes) -> tuple[tuple[int, ...] | None, tuple[int, ...] | None]:
    """Sizes, and the largest that they may become; None where there is nothing (`H5S_NULL`).

    Raises:
        DamageError: It is of an unknown version.
    """
    version, count, flags, kind = (data.number(1) for _ in range(4))
    if version == 1:
        data.take(4)
        kind = 1
    if version not in (1, 2) or count > 32 or kind > 2:
        raise DamageError("its shape makes no sense")
    if kind == 2:
        return None, None
    shape = tuple(data.length() for _ in range(count))
    return shape, tuple(data.length() for _ in range(count)) if flags & 1 else shape
