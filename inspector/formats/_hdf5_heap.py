"""The fractal heap of HDF5 (file format specification 3.0, III.G): links and attributes where there are many."""

from __future__ import annotations

from inspector.formats._hdf5_bytes import Bytes, Cursor, DamageError, UnreadError
from inspector.formats._hdf5_trees import LEVELS, records, width_of

HUGE = frozenset({1})
"""The kind of the tree of objects that are too large for a heap."""


class Heap:
    """A heap whose objects are got by their number.

    Raises:
        DamageError: There is none, or it is compressed.
    """

    def __init__(self, file: Bytes, address: int) -> None:
        self._file = file
        front = file.checked(address, 26 + 3 * file.offsets + 12 * file.lengths, b"FRHP")
        front.take(1)
        front.take(2)
        if front.number(2):
            raise UnreadError("a heap of it is compressed, which is not read")
        self._summed = bool(front.number(1) & 2)
        most = front.number(4)
        front.length()
        self._huge = front.address()
        front.length()
        front.address()
        front.take(8 * file.lengths)
        self._width, self._first, self._direct = front.number(2), front.length(), front.length()
        bits = front.number(2)
        front.take(2)
        self._root, self._rows = front.address(), front.number(2)
        if not (0 < self._first <= self._direct and self._width and bits <= 64):
            raise DamageError("a heap of it does not fit together")
        self._where = -(-bits // 8)
        self._long = min(-(-(self._direct.bit_length() - 1) // 8), width_of(most))
        self._large: dict[int, tuple[int, int]] | None = None
        self._blocks: dict[tuple[int, int], list[int]] = {}

    def get(self, number: bytes) -> bytes:
        """An object.

        Raises:
            DamageError: There is none.
        """
        item = self._file.within(number)
        kind = item.number(1)
        match kind >> 4:
            case 0:
                where, size = item.number(self._where), item.number(self._long)
                return self._managed(where, size)
            case 1:
                return self._beside(item)
            case 2:
                return item.take((kind & 15) + 1)
        raise DamageError("a heap of it has an object of no kind")

    def _beside(self, item: Cursor) -> bytes:
        """An object that is too large for the heap."""
        file = self._file
        if item.left >= file.offsets + file.lengths:
            return file.read(item.address(), item.length())
        if self._large is None:
            self._large = {}
            for record in records(file, self._huge, HUGE)[1]:
                found = file.within(record)
                place = found.address(), found.length()
                self._large[found.length()] = place
        where = self._large.get(item.number(min(item.left, file.lengths)))
        if where is None:
            raise DamageError("a heap of it lacks an object")
        return file.read(*where)

    def _managed(self, where: int, size: int) -> bytes:
        """An object inside of one of the blocks."""
        start, at, rows = 0, self._root, self._rows
        length = self._first
        for _ in range(LEVELS):
            if not rows:
                if not 0 <= where - start <= where - start + size <= length:
                    break
                return self._file.read(at + where - start, size)
            for row in range(rows):
                length = self._first << max(0, row - 1)
                if where - start < length * self._width:
                    break
                start += length * self._width
            else:
                break
            column = (where - start) // length
            start += column * length
            children = self._children(at, rows)
            at = children[row * self._width + column]
            rows = 0 if length <= self._direct else length.bit_length() - (self._first * self._width).bit_length() + 1
        raise DamageError("a heap of it lacks an object")

    def _children(self, at: int, rows: int) -> list[int]:
        """The addresses of the blocks beneath one."""
        if (at, rows) not in self._blocks:
            count = rows * self._width
            head = 5 + self._file.offsets + self._where
            node = self._file.checked(at, head + count * self._file.offsets + 4, b"FHIB")
            node.at = head
            self._blocks[at, rows] = [node.address() for _ in range(count)]
        return self._blocks[at, rows]
