"""The bytes of an HDF5 file, taken within bounds: nothing beyond its end, nothing for ever.

Everything that the file says of itself is read through here. Each reading is paid for out of one purse, so that a file
whose parts lead to one another in circles is at an end some seconds later, whatever way it found to do so.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

PAGE = 15
"""Bits of the size of what is read of the file at once, and kept."""

PAGES = 256
WORK = 24_000_000
"""What reading the structure may cost: four a reading, and one for each 64 bytes. A group with a name takes 95 with all
that is in it, so that 200,000 parts are read; it is a microsecond each."""

WHOLE = 64 << 20
"""Bytes of the largest thing that is read in one piece where it is structure or a text."""


class DamageError(ValueError):
    """What is there is not what the format says; the text goes into a sentence."""


class UnreadError(DamageError):
    """What is there may be whole, but is of a kind that is not read."""


class Bytes:
    """An open file with the sizes of its numbers.

    Attributes:
        size: Bytes of the file.
        offsets: Bytes of an address.
        lengths: Bytes of a length.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._pages, self._left = file, dict[int, bytes](), WORK
        self.size = file.seek(0, 2)
        self.offsets = self.lengths = 8

    def spend(self, cost: int) -> None:
        """Pay for work.

        Raises:
            DamageError: Nothing is left.
        """
        self._left -= cost
        if self._left < 0:
            raise DamageError("its structure has no end")

    def read(self, at: int, count: int) -> bytes:
        """Bytes of the structure.

        Raises:
            DamageError: They are not all in the file, or too many.
        """
        if at < 0 or at + count > self.size:
            raise DamageError("it reaches beyond the end of the file")
        if count > WHOLE:
            raise DamageError(f"a part of it has {count:,} bytes")
        self.spend(4 + (count >> 6))
        number, start = at >> PAGE, at & ((1 << PAGE) - 1)
        if start + count > 1 << PAGE:
            return self.values(at, count)
        page = self._pages.get(number)
        if page is None:
            if len(self._pages) >= PAGES:
                del self._pages[next(iter(self._pages))]
            first = number << PAGE
            page = self._pages[number] = self.values(first, min(1 << PAGE, self.size - first))
        return page[start : start + count]

    def values(self, at: int, count: int) -> bytes:
        """Bytes of values, which cost nothing.

        Raises:
            DamageError: They are not all in the file.
        """
        if at < 0 or count < 0 or at + count > self.size:
            raise DamageError("it reaches beyond the end of the file")
        self._file.seek(at)
        data = self._file.read(count)
        if len(data) != count:
            raise DamageError("the file became shorter")
        return data

    def cursor(self, at: int, count: int) -> Cursor:
        """Bytes of the structure, to be read one field after another."""
        return Cursor(self.read(at, count), self.offsets, self.lengths)

    def within(self, data: bytes) -> Cursor:
        """Bytes that were read before, to be read one field after another."""
        return Cursor(data, self.offsets, self.lengths)

    def checked(self, at: int, count: int, mark: bytes) -> Cursor:
        """The same of a part that begins with a mark and ends with a checksum, which is not given.

        Raises:
            DamageError: One of them is not there.
        """
        data, name = self.read(at, count), mark.decode("ascii", "ignore")[:4].strip() or "list"
        if not data.startswith(mark) or count < len(mark) + 4:
            raise DamageError(f"there is no {name} where one should be")
        self.spend(count >> 2)
        if checksum(data[:-4]) != int.from_bytes(data[-4:], "little"):
            raise DamageError(f"the checksum of its {name} is wrong")
        found = self.within(data[:-4])
        found.at = len(mark)
        return found


class Cursor:
    """Fields of some bytes, one after another; all numbers are without sign and begin with their low byte."""

    __slots__ = ("_lengths", "_offsets", "at", "data")

    def __init__(self, data: bytes, offsets: int, lengths: int) -> None:
        self.data, self.at, self._offsets, self._lengths = data, 0, offsets, lengths

    @property
    def left(self) -> int:
        """Bytes that follow."""
        return len(self.data) - self.at

    def take(self, count: int) -> bytes:
        """So many bytes.

        Raises:
            DamageError: There are fewer.
        """
        end = self.at + count
        if count < 0 or end > len(self.data):
            raise DamageError("a part of it ends too early")
        found = self.data[self.at : end]
        self.at = end
        return found

    def number(self, size: int) -> int:
        """A number of so many bytes."""
        return int.from_bytes(self.take(size), "little")

    def address(self) -> int:
        """Where something lies; -1 where nothing is said."""
        found = self.number(self._offsets)
        return -1 if found + 1 == 1 << 8 * self._offsets else found

    def length(self) -> int:
        """How long something is."""
        return self.number(self._lengths)

    def word(self, *, padded: bool = False) -> bytes:
        """A text up to its NUL; padded ones take a multiple of eight bytes."""
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise DamageError("a name in it has no end")
        found = self.data[self.at : end]
        self.take((len(found) + 8) // 8 * 8 if padded else len(found) + 1)
        return found


def checksum(data: bytes) -> int:
    """The checksum of HDF5's structures: lookup3 of Bob Jenkins (public domain), `hashlittle` from 0."""
    a = b = c = (0xDEADBEEF + len(data)) & 0xFFFFFFFF
    if not data:
        return c
    full = data + bytes(-len(data) % 12)
    words: tuple[int, ...] = struct.unpack(f"<{len(full) // 4}I", full)
    for at in range(0, len(words) - 3, 3):
        a, b, c = a + words[at], b + words[at + 1], c + words[at + 2]
        a = (a - c) & 0xFFFFFFFF ^ _turned(c, 4)
        c += b
        b = (b - a) & 0xFFFFFFFF ^ _turned(a, 6)
        a += c
        c = (c - b) & 0xFFFFFFFF ^ _turned(b, 8)
        b += a
        a = (a - c) & 0xFFFFFFFF ^ _turned(c, 16)
        c += b
        b = (b - a) & 0xFFFFFFFF ^ _turned(a, 19)
        a += c
        c = (c - b) & 0xFFFFFFFF ^ _turned(b, 4)
        b += a
    a, b, c = a + words[-3], b + words[-2], c + words[-1]
    c = ((c & 0xFFFFFFFF ^ b & 0xFFFFFFFF) - _turned(b, 14)) & 0xFFFFFFFF
    a = ((a & 0xFFFFFFFF ^ c) - _turned(c, 11)) & 0xFFFFFFFF
    b = ((b & 0xFFFFFFFF ^ a) - _turned(a, 25)) & 0xFFFFFFFF
    c = ((c ^ b) - _turned(b, 16)) & 0xFFFFFFFF
    a = ((a ^ c) - _turned(c, 4)) & 0xFFFFFFFF
    b = ((b ^ a) - _turned(a, 14)) & 0xFFFFFFFF
    return ((c ^ b) - _turned(b, 24)) & 0xFFFFFFFF


def _turned(number: int, bits: int) -> int:
    """The low 32 bits rotated to the left."""
    number &= 0xFFFFFFFF
    return (number << bits | number >> 32 - bits) & 0xFFFFFFFF
