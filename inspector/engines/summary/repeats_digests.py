"""Digests of values: of a tensor as it lies, and of a matrix that is to equal its transposed copy.

The latter is a sum over all elements, each mixed with its place, so that it can be taken in any order: a piece at a
time of the one as it lies, and of the other as it lies too. It has 128 bits and keys that are drawn for each search,
without which nobody can make two matrices meet in it. The mixing is that of SplitMix64 (Steele, Lea, Flood 2014).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.errors import InspectorError

Array = NDArray[Any]

NUMBERS: dict[int, np.dtype[Any]] = {size: np.dtype(f"u{size}") for size in (1, 2, 4, 8)}
"""What elements of so many bytes are compared as: faster than bytes, and NaN equals itself."""
SPOTS, FIRST = 16, 1
"""Places of a matrix that are looked at before it is read whole, and before those: mostly one tells them apart."""
ODD = tuple(np.uint64(each) for each in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
SHIFT = np.uint64(31)


def plain_bytes(values: Array) -> Array:
    """Values as bytes, little end first.

    Raises:
        InspectorError: They are no numbers.
    """
    if values.dtype.kind == "O":
        raise InspectorError("These values have no bytes.")
    if values.dtype.byteorder == ">":
        values = values.astype(values.dtype.newbyteorder("="))
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8)


class Digest:
    """Hashes values as they come, and sees whether all are one."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=16)
        self._first: Array | None = None
        self.plain = True

    def add(self, values: Array) -> None:
        """Take in some values."""
        data = plain_bytes(values)
        self._hash.update(data.data)
        if self.plain and data.size:
            elements = data.view(NUMBERS.get(values.dtype.itemsize, values.dtype))
            if self._first is None:
                self._first = elements[:1].copy()
            few = elements[:64]  # nearly always enough to see that they are not
            self.plain = bool((few == self._first).all()) and bool((elements == self._first).all())

    @property
    def value(self) -> bytes:
        """The digest so far."""
        return self._hash.digest()


def digest(parts: Iterable[Array]) -> tuple[bytes, bool]:
    """Digest of values, and whether all are one."""
    found = Digest()
    for part in parts:
        found.add(part)
    return found.value, found.plain


class Keys:
    """The secret of one search."""

    def __init__(self) -> None:
        self.numbers = tuple(np.uint64(secrets.randbits(64)) for _ in range(4))


class Scattered:
    """A digest that a matrix shares with its transposed copy.

    Args:
        rows: Of the matrix.
        columns: Likewise.
        keys: Of the search.
    """

    def __init__(self, rows: int, columns: int, keys: Keys) -> None:
        self._rows, self._columns, self._keys = np.uint64(rows), np.uint64(columns), keys
        self._at = 0
        self._first: Array | None = None
        self.plain = True
        """Whether all elements are one value."""
        self._frames = ("as it lies",) * (rows <= columns) + ("turned",) * (rows >= columns)
        self._sums = [[np.uint64(0)] * 2 for _ in self._frames]

    def add(self, values: Array) -> None:
        """Take in the next values, row by row."""
        data = plain_bytes(values)
        bits = data.view(NUMBERS[values.dtype.itemsize]).astype(np.uint64)
        if self.plain and bits.size:
            self._first = bits[:1].copy() if self._first is None else self._first
            self.plain = bool((bits[:64] == self._first).all()) and bool((bits == self._first).all())
        places = np.arange(self._at, self._at + bits.size, dtype=np.uint64)
        self._at += bits.size
        for sums, frame in zip(self._sums, self._frames, strict=True):
            where = places
            if frame == "turned":
                where = (places % self._columns) * self._rows + places // self._columns
            with np.errstate(over="ignore"):
                for lane in (0, 1):
                    sums[lane] += self._mixed(bits, where, 2 * lane).sum(dtype=np.uint64)

    def _mixed(self, bits: Array, places: Array, key: int) -> Array:
        mixed = (places ^ self._keys.numbers[key]) * ODD[0]
        mixed ^= mixed >> SHIFT
        mixed ^= bits + self._keys.numbers[key + 1]
        mixed *= ODD[1]
        mixed ^= mixed >> SHIFT
        mixed *= ODD[2]
        mixed ^= mixed >> SHIFT
        return mixed

    @property
    def value(self) -> tuple[bytes, bool]:
        """The digest, and whether the matrix lies turned in it; of two that are each other's, one of them does."""
        words = [b"".join(part.tobytes() for part in sums) for sums in self._sums]
        if len(words) == 1:
            return words[0], self._frames == ("turned",)
        return b"".join(sorted(words)), words[0] > words[1]


def spots(rows: int, columns: int, amount: int) -> tuple[list[int], list[int]]:
    """Places of a few elements: as the matrix lies, and as its transposed copy would have them.

    A wide matrix and its tall copy are looked at in the same places of the wide one.
    """
    small, large = sorted((rows, columns))
    chosen = np.random.default_rng(7)
    pairs = list(zip(chosen.integers(0, small, SPOTS), chosen.integers(0, large, SPOTS), strict=True))[:amount]
    wide, tall = [int(i) * large + int(j) for i, j in pairs], [int(j) * small + int(i) for i, j in pairs]
    return (wide, tall) if rows <= columns else (tall, wide)
