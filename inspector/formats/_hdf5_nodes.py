"""Objects of an HDF5 file: the links of groups, and attributes, wherever the format allows that they lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from inspector.formats._hdf5_bytes import Bytes, Cursor, DamageError, UnreadError, checksum
from inspector.formats._hdf5_headers import (
    ATTRIBUTE,
    ATTRIBUTES,
    LINK,
    LINKS,
    SHARED,
    SPACE,
    SYMBOLS,
    TYPE,
    Message,
    first,
    messages,
    root_of,
)
from inspector.formats._hdf5_heap import Heap
from inspector.formats._hdf5_trees import Collections, records, symbols
from inspector.formats._hdf5_types import Kind, kind_of, shape_of

BY_NAME, ATTRIBUTES_BY_NAME = frozenset({5}), frozenset({8})
"""Kinds of trees of links and of attributes, whose records begin or end with the checksum of the name."""

SOFT = 2
"""What an entry of a group of the old kind says of itself where it is a soft link."""


@dataclass(frozen=True, slots=True)
class Link:
    """A member of a group; the address is -1 where it is no hard link."""

    name: bytes
    address: int
    order: int = -1


class Hdf5:
    """An open file.

    Raises:
        DamageError: It is no whole HDF5 file.
    """

    def __init__(self, file: Bytes) -> None:
        self.bytes = file
        self.texts = Collections(file)
        self._root = Node(self, root_of(file)).held

    @property
    def root(self) -> Node:
        """The group that holds all, made anew: were it kept, file and group would hold each other."""
        return Node(self, *self._root)


class Node:
    """A group, a dataset or a type with a name.

    Raises:
        DamageError: It has no whole header.
    """

    __slots__ = ("address", "file", "messages")

    def __init__(self, file: Hdf5, address: int, found: list[Message] | None = None) -> None:
        self.file, self.address = file, address
        self.messages = messages(file.bytes, address) if found is None else found

    @property
    def held(self) -> tuple[int, list[Message]]:
        """What it is made of again."""
        return self.address, self.messages

    def part(self, kind: int) -> Cursor | None:
        """The first message of a kind."""
        return first(self.messages, kind, self.file.bytes)

    @property
    def is_group(self) -> bool:
        """Whether it has members."""
        return any(message.kind in (SYMBOLS, LINKS) for message in self.messages)

    @property
    def is_dataset(self) -> bool:
        """Whether it has values."""
        kinds = {message.kind for message in self.messages}
        return {TYPE, SPACE} <= kinds and not self.is_group

    def links(self) -> list[Link]:
        """Members in the order in which they were made where the file keeps it, else by name.

        Raises:
            DamageError: They cannot all be told.
        """
        found, kept = self._links(None)
        if kept and all(link.order >= 0 for link in found):
            return sorted(found, key=lambda link: link.order)
        return sorted(found, key=lambda link: link.name)

    def link(self, name: bytes) -> Link | None:
        """The member of a name; None where there is none.

        Raises:
            DamageError: It cannot be told.
        """
        return next((link for link in self._links(name)[0] if link.name == name), None)

    def _links(self, wanted: bytes | None) -> tuple[list[Link], bool]:
        """Members, all or at least that of a name, and whether the file keeps their order."""
        file, found = self.file.bytes, list[Link]()
        if (old := self.part(SYMBOLS)) is not None:
            for name, address, cached in symbols(file, old.address(), old.address(), wanted):
                found.append(Link(name, -1 if cached == SOFT else address))
        found += [_link(file.within(message.data)) for message in self.messages if message.kind == LINK]
        if (new := self.part(LINKS)) is None:
            return found, False
        new.take(1)
        flags = new.number(1)
        new.take(8 if flags & 1 else 0)
        heap, tree = new.address(), new.address()
        if heap >= 0:
            found += _many(file, heap, tree, wanted)
        return found, bool(flags & 1)

    def attribute(self, name: bytes) -> Attribute | None:
        """The attribute of a name; None where there is none.

        Raises:
            DamageError: It cannot be told.
        """
        for data in self._attributes(name):
            found = _attribute(self.file, data, name)
            if found is not None:
                return found
        return None

    def _attributes(self, name: bytes) -> Iterator[bytes]:
        """The attributes that may have the name, as they are stored."""
        yield from (message.data for message in self.messages if message.kind == ATTRIBUTE)
        file, many = self.file.bytes, self.part(ATTRIBUTES)
        if many is None:
            return
        many.take(1)
        many.take(2 if many.number(1) & 1 else 0)
        heap, tree = many.address(), many.address()
        if heap < 0:
            return
        wanted, inside = checksum(name).to_bytes(4, "little"), Heap(file, heap)
        for record in records(file, tree, ATTRIBUTES_BY_NAME)[1]:
            if record[13:17] == wanted:
                if record[8] & SHARED:
                    raise UnreadError("it shares a part in a way that is not read")
                yield inside.get(record[:8])


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute: what it says it is, and its bytes."""

    file: Hdf5
    head: Cursor
    sizes: tuple[int, int, int]
    """Bytes of the type, of the shape, and what both are rounded up to a multiple of."""
    shared: bool

    def text(self, limit: int) -> bytes | None:
        """The text that it holds, in whatever way it is written; None where it holds something else.

        Args:
            limit: Most bytes.

        Raises:
            DamageError: It is damaged.
            OverflowError: It has more bytes than the limit.
        """
        kind, shape, data = self._parts()
        if kind is None or shape is None or prod(shape) != 1:
            return None
        if kind.texts == 1:
            if kind.size > limit:
                raise OverflowError
            return data.take(kind.size).rstrip(b"\0")
        size, address, number = data.number(4), data.address(), data.number(4)
        if size > limit:
            raise OverflowError
        if not size or address <= 0:
            return b""
        return self.file.texts.get(address, number)[:size].partition(b"\0")[0]

    def _parts(self) -> tuple[Kind | None, tuple[int, ...] | None, Cursor]:
        """Type (None where it is not of texts), shape and what follows."""
        file, (first_size, second_size, step) = self.file.bytes, self.sizes
        head = file.within(self.head.data[self.head.at :])
        start = head.take(first_size)
        head.take(-first_size % step)
        space = head.take(second_size)
        head.take(-second_size % step)
        if self.shared:
            where = file.within(start)
            where.take(2)
            start = next((m.data for m in messages(file, where.address()) if m.kind == TYPE), b"")
        if start[:1] and start[0] & 15 not in (3, 9):
            return None, (), head
        kind = kind_of(file.within(start))
        return kind if kind.texts else None, shape_of(file.within(space), file)[0], head


def _attribute(file: Hdf5, data: bytes, wanted: bytes) -> Attribute | None:
    """An attribute that has the name."""
    head = file.bytes.within(data)
    version, flags = head.number(1), head.number(1)
    if version not in (1, 2, 3):
        raise DamageError("an attribute of it is of an unknown version")
    sizes = [head.number(2) for _ in range(3)]
    head.take(1 if version == 3 else 0)
    step = 8 if version == 1 else 1
    name = head.take(sizes[0])
    head.take(-sizes[0] % step)
    if name.partition(b"\0")[0] != wanted:
        return None
    if version > 1 and flags & 2:
        raise UnreadError("it shares a part in a way that is not read")
    return Attribute(file, head, (sizes[1], sizes[2], step), version > 1 and bool(flags & 1))


def _link(data: Cursor) -> Link:
    """A link message."""
    version, flags = data.number(1), data.number(1)
    if version != 1:
        raise DamageError("a link of it is of an unknown version")
    kind = data.number(1) if flags & 8 else 0
    order = data.number(8) if flags & 4 else -1
    data.take(1 if flags & 16 else 0)
    name = data.take(data.number(1 << (flags & 3)))
    return Link(name, data.address() if kind == 0 else -1, order)


def _many(file: Bytes, heap: int, tree: int, wanted: bytes | None) -> Iterator[Link]:
    """The links of a group that keeps them in a heap."""
    inside = Heap(file, heap)
    key = b"" if wanted is None else checksum(wanted).to_bytes(4, "little")
    for record in records(file, tree, BY_NAME)[1]:
        if record.startswith(key):
            yield _link(file.within(inside.get(record[4:11])))
