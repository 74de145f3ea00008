"""Where the values of a dataset lie (HDF5 file format specification 3.0, IV.A.2.i and VII): in one piece or in many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice
from math import prod

from inspector.formats._hdf5_bytes import Bytes, Cursor, DamageError, UnreadError
from inspector.formats._hdf5_growing import elements
from inspector.formats._hdf5_headers import FILL, FILTERS, LAYOUT, OUTSIDE, SPACE, TYPE
from inspector.formats._hdf5_nodes import Node
from inspector.formats._hdf5_trees import leaves, records
from inspector.formats._hdf5_types import Kind, kind_of, shape_of

COMPACT, WHOLE, PIECES, VIEW = range(4)
"""How values are stored."""


class Index(IntEnum):
    """How pieces are found; the first is the tree of version 1, the rest are the numbers of version 4."""

    OLD = 0
    SINGLE = 1
    PLAIN = 2
    FIXED = 3
    GROWING = 4
    TREE = 5


TREES = frozenset({10, 11})
COUNT = 4_000_000
"""Most pieces."""

ELSEWHERE = "it is stored in a way that is not read"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the values: where it belongs (its first element), where it lies, and which filters were left out."""

    start: tuple[int, ...]
    address: int
    size: int
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter by its number, with its numbers."""

    number: int
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a dataset is, and how it is stored.

    Attributes:
        shape: None where it is empty (`H5S_NULL`).
        outside: Whether its values lie in other files.
        address: Of the values, or of the index of the pieces; -1 where nothing is stored.
        held: The values where they lie in the header; the heap and the number of a view.
        piece: Sizes of a piece.
        index: How pieces are found, and the numbers that say how.
        most: The sizes that it may get; pieces are numbered as if it had them.
        fill: Bytes of an element that is not stored.
    """

    node: Node
    kind: Kind
    shape: tuple[int, ...] | None
    outside: bool
    how: int
    address: int
    size: int
    held: bytes
    piece: tuple[int, ...]
    index: tuple[int, ...]
    most: tuple[int, ...] | None
    filters: tuple[Filter, ...]
    fill: bytes

    @property
    def file(self) -> Bytes:
        """The file that it lies in."""
        return self.node.file.bytes


def dataset(node: Node) -> Dataset:
    """What the header of a dataset says.

    Raises:
        DamageError: It is damaged, or stored in a way that is not read.
    """
    file = node.file.bytes
    space, kind, place = node.part(SPACE), node.part(TYPE), node.part(LAYOUT)
    if space is None or kind is None or place is None:
        raise DamageError("a part of it is missing")
    version, how = place.number(1), place.number(1)
    if version not in (3, 4):
        raise UnreadError(ELSEWHERE)
    address, size, held = -1, 0, b""
    piece: tuple[int, ...] = ()
    index: tuple[int, ...] = (Index.OLD,)
    if how == COMPACT:
        held = place.take(place.number(2))
        size = len(held)
    elif how == WHOLE:
        address, size = place.address(), place.length()
    elif how == PIECES:
        piece, index, address = _pieces(place) if version == 4 else _old(place)
    elif how == VIEW:
        held = place.take(file.offsets + 4)
    else:
        raise UnreadError(ELSEWHERE)
    filters = tuple(_filters(node.part(FILTERS)))
    (shape, most), what = shape_of(space, file), kind_of(kind)
    if prod(max(1, size) for size in shape or ()) * what.size >= 1 << 63:
        raise DamageError("its shape makes no sense")
    if how == PIECES and (shape is None or len(piece) != len(shape) or not all(piece)):
        raise DamageError("its pieces do not have its shape")
    fill = _fill(node.part(FILL), what.size)
    outside = node.part(OUTSIDE) is not None
    return Dataset(node, what, shape, outside, how, address, size, held, piece, index, most, filters, fill)


def _old(place: Cursor) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    rank = place.number(1)
    address = place.address()
    return tuple(place.number(4) for _ in range(rank - 1)), (Index.OLD,), address


def _pieces(place: Cursor) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    flags, rank, width = place.number(1), place.number(1), place.number(1)
    piece = tuple([place.number(width) for _ in range(rank)][:-1])
    kind = place.number(1)
    numbers: tuple[int, ...] = ()
    if kind == Index.SINGLE and flags & 2:
        numbers = (place.length(), place.number(4))
    elif kind == Index.FIXED:
        numbers = (place.number(1),)
    elif kind == Index.GROWING:
        numbers = tuple(place.number(1) for _ in range(5))
    elif kind == Index.TREE:
        place.take(6)
    return piece, (kind, *numbers), place.address()


def _filters(data: Cursor | None) -> Iterator[Filter]:
    """The filters in the order in which values went through them."""
    if data is None:
        return
    version, count = data.number(1), data.number(1)
    if version not in (1, 2):
        raise UnreadError(ELSEWHERE)
    data.take(6 if version == 1 else 0)
    for _ in range(count):
        number = data.number(2)
        named = data.number(2) if version == 1 or number >= 256 else 0
        data.take(2)
        values = data.number(2)
        data.take((named + 7) // 8 * 8 if version == 1 else named)
        yield Filter(number, tuple(data.number(4) for _ in range(values)))
        data.take(4 if version == 1 and values % 2 else 0)


def _fill(data: Cursor | None, size: int) -> bytes:
    """What stands where nothing is stored; nothing where that is zero."""
    if data is None:
        return b""
    version = data.number(1)
    if version == 3:
        there = bool(data.number(1) & 32)
    else:
        data.take(2)
        there = bool(data.number(1))
    if not there or data.left < 4:
        return b""
    value = data.take(data.number(4))
    return value if len(value) == size else b""


def stored_size(item: Dataset) -> int:
    """Bytes that are stored of a dataset in its file.

    Raises:
        DamageError: The index of its pieces is damaged.
    """
    if item.how == PIECES:
        return min(item.file.size, sum(piece.size for piece in pieces(item)))
    return item.size if item.how == COMPACT or item.address >= 0 else 0


def pieces(item: Dataset) -> Iterator[Piece]:
    """The pieces that are stored, each place once.

    Raises:
        DamageError: Their index is damaged, or of a kind that is not read.
    """
    if item.address < 0:
        return
    seen = set()
    for piece in _indexed(item):
        inside = all(at < size for at, size in zip(piece.start, item.shape or (), strict=True))
        if piece.address >= 0 and inside and piece.start not in seen:
            seen.add(piece.start)
            yield piece


def _indexed(item: Dataset) -> Iterator[Piece]:
    whole = prod(item.piece) * item.kind.size
    match item.index[0]:
        case Index.OLD:
            rank = len(item.piece)
            for key, address in leaves(item.file, item.address, 1, 16 + 8 * rank):
                start = tuple(int.from_bytes(key[at : at + 8], "little") for at in range(8, 8 + 8 * rank, 8))
                yield Piece(start, address, int.from_bytes(key[:4], "little"), int.from_bytes(key[4:8], "little"))
        case Index.SINGLE:
            size, skipped = item.index[1:] if len(item.index) > 1 else (whole, 0)
            yield Piece((0,) * len(item.piece), item.address, size, skipped)
        case Index.PLAIN:
            if _number(item) * whole > item.file.size:
                raise DamageError("it reaches beyond the end of the file")
            for number, start in enumerate(_starts(item)):
                yield Piece(start, item.address + number * whole, whole)
        case Index.FIXED:
            yield from _fixed(item, whole)
        case Index.GROWING:
            yield from _growing(item, whole)
        case Index.TREE:
            yield from _tree(item, whole)
        case _:
            raise UnreadError(ELSEWHERE)


def _number(item: Dataset) -> int:
    """How many pieces there are where all of them are listed."""
    if item.most != item.shape:
        raise UnreadError(ELSEWHERE)
    return _counted(prod(-(-size // step) for size, step in zip(item.shape or (), item.piece, strict=True)), item.file)


def _counted(count: int, file: Bytes) -> int:
    """A number of pieces, each of which is paid for."""
    if count > COUNT:
        raise DamageError(f"it is in {count:,} pieces")
    file.spend(count)
    return count


def _starts(item: Dataset) -> Iterator[tuple[int, ...]]:
    """The first elements of all pieces, the last dimension the fastest."""
    counts = [-(-size // step) for size, step in zip(item.shape or (), item.piece, strict=True)]
    for number in range(_number(item)):
        start = []
        for count, step in zip(reversed(counts), reversed(item.piece), strict=True):
            number, at = divmod(number, count)
            start.append(at * step)
        yield tuple(reversed(start))


def _fixed(item: Dataset, whole: int) -> Iterator[Piece]:
    """Pieces that are listed in an array, in pages where there are many."""
    file = item.file
    head = file.checked(item.address, 12 + file.offsets + file.lengths, b"FAHD")
    head.take(1)
    packed, width, bits, count, at = head.number(1), head.number(1), head.number(1), head.length(), head.address()
    if count != _number(item) or bits > 32 or (not packed and width != file.offsets):
        raise DamageError("the list of its pieces does not fit together")
    front, page, data = 6 + file.offsets, 1 << bits, list[Cursor | None]()
    if count <= page:
        rows = file.checked(at, front + count * width + 4, b"FADB")
        rows.at = front
        data, page = [rows], max(count, 1)
    else:
        number = -(-count // page)
        marks = file.checked(at, front + (number + 7) // 8 + 4, b"FADB").data[front:]
        at += front + len(marks) + 4
        for nth in range(number):
            here = min(page, count - nth * page) * width
            there = marks[nth // 8] & 128 >> nth % 8
            data.append(file.checked(at, here + 4, b"") if there else None)
            at += here + 4
    for number, start in enumerate(_starts(item)):
        rows_of = data[number // page] if number // page < len(data) else None
        if rows_of is not None:
            yield _entry(rows_of, start, bool(packed), width, whole, file)


def _growing(item: Dataset, whole: int) -> Iterator[Piece]:
    """Pieces that are listed in an array that grows; the dimension that has no end changes the slowest."""
    shape, most, file = item.shape or (), item.most or (), item.file
    open_ = [at for at, size in enumerate(most) if size == (1 << 8 * file.lengths) - 1]
    if len(open_) != 1 or any(most[at] != shape[at] for at in range(len(shape)) if at != open_[0]):
        raise UnreadError(ELSEWHERE)
    order = [open_[0], *(at for at in range(len(shape)) if at != open_[0])]
    counts = {at: -(-shape[at] // item.piece[at]) for at in order}
    count = _counted(prod(counts.values()), file)
    packed, width, found = elements(file, item.address, count)
    for number, entry in enumerate(islice(found, count)):
        start = [0] * len(order)
        for at in reversed(order):
            number, nth = divmod(number, counts[at])
            start[at] = nth * item.piece[at]
        if entry is not None:
            yield _entry(entry, tuple(start), packed, width, whole, file)


def _entry(data: Cursor, start: tuple[int, ...], packed: bool, width: int, whole: int, file: Bytes) -> Piece:
    """A piece as an array of pieces lists it."""
    address = data.address()
    if not packed:
        return Piece(start, address, whole)
    return Piece(start, address, data.number(width - file.offsets - 4), data.number(4))


def _tree(item: Dataset, whole: int) -> Iterator[Piece]:
    """Pieces that are listed in a tree of version 2."""
    file = item.file
    kind, found = records(file, item.address, TREES)
    for record in found:
        data = file.within(record)
        address, size, skipped = data.address(), whole, 0
        if kind == 11:
            size, skipped = data.number(len(record) - file.offsets - 4 - 8 * len(item.piece)), data.number(4)
        yield Piece(tuple(data.number(8) * step for step in item.piece), address, size, skipped)
