"""The trees and heaps of HDF5 (file format specification 3.0, III): what they hold, in the order of the file."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from inspector.formats._hdf5_bytes import Bytes, DamageError

LEVELS = 64
UNSIGNED = {2: "H", 4: "I", 8: "Q"}
"""Numbers by their bytes, as `struct` names them."""

OBJECTS = 1 << 16
"""Objects that a collection of texts may hold; they are numbered by 16 bits."""


def leaves(
    file: Bytes, address: int, kind: int, width: int, near: Callable[[bytes, bytes], bool] | None = None
) -> Iterator[tuple[bytes, int]]:
    """Keys and addresses at the bottom of a tree of version 1.

    Args:
        file: Where it lies.
        address: Of its root.
        kind: 0 of groups, 1 of pieces of datasets.
        width: Bytes of a key.
        near: Whether what is wanted may lie between two keys; everything is where there is none.

    Raises:
        DamageError: A node is none, or lies on two ways.
    """
    waiting, seen = [(address, -1)], {address}
    step = width + file.offsets
    while waiting:
        at, wanted = waiting.pop()
        node = file.cursor(at, 8 + 2 * file.offsets)
        if node.take(4) != b"TREE" or node.number(1) != kind:
            raise DamageError("there is no TREE where one should be")
        level, count = node.number(1), node.number(2)
        if level > LEVELS or wanted not in (-1, level):
            raise DamageError("a tree of it does not fit together")
        data = file.read(at + 8 + 2 * file.offsets, count * step + width)
        file.spend(count)
        inner = [
            (data[here : here + width], int.from_bytes(data[here + width : here + step], "little"))
            for here in range(0, count * step, step)
            if near is None or near(data[here : here + width], data[here + step : here + step + width])
        ]
        if not level:
            yield from inner
            continue
        for _key, child in reversed(inner):
            if child in seen:
                raise DamageError("a tree of it leads back to itself")
            seen.add(child)
            waiting.append((child, level - 1))


def symbols(file: Bytes, tree: int, heap: int, wanted: bytes | None = None) -> Iterator[tuple[bytes, int, int]]:
    """The members of a group of the old kind: name, address of the header, and 2 where it is a soft link.

    Args:
        file: Where it lies.
        tree: Address of its tree, whose keys are where names begin: the last ones before and in a node.
        heap: Address of its names.
        wanted: A name; what lies far from it is left out.

    Raises:
        DamageError: It does not fit together.
    """
    front = file.cursor(heap, 8 + 2 * file.lengths + file.offsets)
    if front.take(4) != b"HEAP":
        raise DamageError("there is no HEAP where one should be")
    front.take(4)
    size = front.length()
    front.length()
    names = file.read(front.address(), size)
    number = UNSIGNED[file.offsets]
    entry = struct.Struct(f"<{number}{number}I20x")

    def near(before: bytes, last: bytes) -> bool:
        first, end = (int.from_bytes(key, "little") for key in (before, last))
        return _word(names, first) < (wanted or b"") <= _word(names, end)

    for _key, at in leaves(file, tree, 0, file.lengths, near if wanted is not None else None):
        head = file.read(at, 8)
        if head[:4] != b"SNOD":
            raise DamageError("there is no SNOD where one should be")
        count = int.from_bytes(head[6:8], "little")
        for start, address, cached in entry.iter_unpack(file.read(at + 8, count * entry.size)):
            name = _word(names, start)
            file.spend(1 + (len(name) >> 4))
            yield name, address, cached  # an address that is not said lies beyond the end of any file


def _word(names: bytes, start: int) -> bytes:
    end = names.find(b"\0", start)
    if end < start:
        raise DamageError("a name in it has no end")
    return names[start:end]


def records(file: Bytes, address: int, kinds: frozenset[int]) -> tuple[int, list[bytes]]:
    """The kind and all records of a tree of version 2.

    Raises:
        DamageError: It is of no kind that is wanted, or does not fit together.
    """
    head = file.checked(address, 22 + file.offsets + file.lengths, b"BTHD")
    head.take(1)
    kind, size, width, depth = head.number(1), head.number(4), head.number(2), head.number(2)
    head.take(2)
    if kind not in kinds or not 0 < width < size or depth > LEVELS:
        raise DamageError("a tree of it is of another kind")
    root, count = head.address(), head.number(2)
    most = (size - 10) // width
    counts, totals, large = width_of(most), [0], most
    for _ in range(depth):  # what a pointer to a node of each level takes
        pointer = file.offsets + counts + totals[-1]
        inside = (size - 10 - pointer) // (width + pointer)
        large = (inside + 1) * large + inside
        totals.append(width_of(large))
    found: list[bytes] = []
    if root >= 0 and count:
        _node(file, root, (width, counts, totals), depth, count, found)
    return kind, found


def _node(file: Bytes, at: int, sizes: tuple[int, int, list[int]], level: int, count: int, found: list[bytes]) -> None:
    """The records of a node and of those beneath it."""
    width, counts, totals = sizes
    pointer = file.offsets + counts + totals[level - 1] if level else 0
    size = 6 + count * width + ((count + 1) * pointer if level else 0) + 4
    node = file.checked(at, size, b"BTIN" if level else b"BTLF")
    node.take(2)
    own = [node.take(width) for _ in range(count)]
    file.spend(count)
    if not level:
        found += own
        return
    for number in range(count + 1):
        child, inside = node.address(), node.number(counts)
        node.take(totals[level - 1])
        _node(file, child, sizes, level - 1, inside, found)
        found += own[number : number + 1]


def width_of(limit: int) -> int:
    """Bytes of a field that holds numbers up to a limit."""
    return max(1, -(-limit.bit_length() // 8))


class Collections:
    """The texts of variable length, which lie in collections (`GCOL`) anywhere in the file."""

    def __init__(self, file: Bytes) -> None:
        self._file = file
        self._known: dict[int, dict[int, tuple[int, int]]] = {}

    def get(self, address: int, number: int) -> bytes:
        """One object of a collection.

        Raises:
            DamageError: There is none.
        """
        if address not in self._known:
            if sum(map(len, self._known.values())) > OBJECTS:
                self._known.clear()
            self._known[address] = self._objects(address)
        where = self._known[address].get(number)
        if where is None:
            raise DamageError("a text of it is missing")
        return self._file.read(*where)

    def _objects(self, address: int) -> dict[int, tuple[int, int]]:
        """Where the objects of a collection begin and how long they are, by number."""
        front = -(-(8 + self._file.lengths) // 8) * 8
        head = self._file.cursor(address, front)
        if head.take(4) != b"GCOL" or head.number(4) != 1:
            raise DamageError("there is no GCOL where one should be")
        at, end = address + front, address + head.length()
        if end > self._file.size:
            raise DamageError("it reaches beyond the end of the file")
        found: dict[int, tuple[int, int]] = {}
        while at + front <= end and len(found) < OBJECTS:
            item = self._file.cursor(at, front)
            number = item.number(2)
            item.take(6)
            size = item.length()
            if not number:
                break  # the rest is free
            if at + front + size > end:
                raise DamageError("a text of it is longer than what holds it")
            found.setdefault(number, (at + front, size))
            at += front + size + -size % 8
        return found
