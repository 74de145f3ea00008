"""The front of an HDF5 file and the headers of its objects (HDF5 file format specification 3.0, II and IV.A)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from inspector.formats._hdf5_bytes import Bytes, Cursor, DamageError, UnreadError

MAGIC = b"\x89HDF\r\n\x1a\n"
SPACE, LINKS, TYPE, FILL, LINK, OUTSIDE, LAYOUT, FILTERS = 1, 2, 3, 5, 6, 7, 8, 11
ATTRIBUTE, CONTINUED, SYMBOLS, ATTRIBUTES = 12, 16, 17, 21
"""Numbers of messages."""

SHARED = 2
"""The flag of a message whose content is another's."""

HEAD = struct.Struct("<HHB3x")
"""What stands before a message of a header of version 1: its kind, its size, its flags."""

PIECE = 64
"""What it costs that a header goes on elsewhere; it may do so in circles."""


class Message(NamedTuple):
    """One message of a header."""

    kind: int
    flags: int
    data: bytes


def root_of(file: Bytes) -> int:
    """Where the root group lies; the sizes of numbers are set for what is read next.

    Raises:
        DamageError: It is no HDF5 file, of an unknown version, damaged, or shorter than it says.
    """
    if file.read(0, min(9, file.size))[:8] != MAGIC:
        raise DamageError("it does not begin as HDF5")
    version = file.read(8, 1)[0]
    if version > 3:
        raise DamageError(f"it is of version {version}")
    front = file.cursor(0, 16)
    front.at = 13 if version < 2 else 9
    file.offsets, file.lengths = front.number(1), front.number(1)
    if {file.offsets, file.lengths} - {2, 4, 8}:
        raise DamageError("its numbers have no size")
    if version > 1:
        front = file.checked(0, 12 + 4 * file.offsets + 4, MAGIC)
        front.at = 12
        front.address()
        front.address()
        end, root = front.address(), front.address()
    else:
        start = 24 + 4 * version
        front = file.cursor(start, 6 * file.offsets)
        front.address()
        front.address()
        end = front.address()
        front.address()
        front.address()
        root = front.address()
    if end > file.size:
        raise DamageError("it is shorter than it says")
    return root


def messages(file: Bytes, address: int) -> list[Message]:
    """The messages of the header of an object; contents that are another's are fetched.

    Raises:
        DamageError: There is no whole header.
    """
    return [_content(file, message) if message.flags & SHARED else message for message in _all(file, address)]


def _all(file: Bytes, address: int) -> list[Message]:
    start = file.read(address, 8)
    if start[:4] == b"OHDR":
        return _new(file, address, start)
    if start[0] != 1:
        raise DamageError("there is no object where one should be")
    found: list[Message] = []
    size = int.from_bytes(file.read(address + 8, 4), "little")
    pieces, at = [(address + 16, size)], 0
    while at < len(pieces):
        data, here = file.read(*pieces[at]), 0
        while here + 8 <= len(data):
            kind, size, flags = HEAD.unpack_from(data, here)
            here += 8 + size
            if here > len(data):
                raise DamageError("a header ends too early")
            _add(file, Message(kind, flags, data[here - size : here]), found, pieces)
        at += 1
    return found


def _new(file: Bytes, address: int, start: bytes) -> list[Message]:
    """A header of version 2, which is in pieces with checksums."""
    if start[4] != 2:
        raise DamageError(f"a header is of version {start[4]}")
    flags = start[5]
    front = 6 + (16 if flags & 32 else 0) + (4 if flags & 16 else 0)
    width = 1 << (flags & 3)
    size = int.from_bytes(file.read(address + front, width), "little")
    found: list[Message] = []
    pieces, at = [(address, front + width + size + 4)], 0
    while at < len(pieces):
        piece = file.checked(*pieces[at], b"OCHK" if at else b"OHDR")
        piece.at = 4 if at else front + width
        head = 6 if flags & 4 else 4
        while piece.left >= head:
            kind, size, marks = piece.number(1), piece.number(2), piece.number(1)
            piece.take(head - 4)
            _add(file, Message(kind, marks, piece.take(size)), found, pieces)
        at += 1
    return found


def _add(file: Bytes, message: Message, found: list[Message], pieces: list[tuple[int, int]]) -> None:
    """Note a message, or where the header goes on."""
    if message.kind == CONTINUED:
        where = file.within(message.data)
        piece = where.address(), where.length()
        file.spend(PIECE + (piece[1] >> 4))
        pieces.append(piece)
    elif message.kind:
        file.spend(1)
        found.append(message)


def _content(file: Bytes, message: Message) -> Message:
    """A message with the content that another object holds, such as a type that has a name of its own."""
    where = file.within(message.data)
    version, kind = where.number(1), where.number(1)
    if version not in (2, 3) or (version == 3 and kind != 2):
        raise UnreadError("it shares a part in a way that is not read")
    for other in _all(file, where.address()):
        if other.kind == message.kind and not other.flags & SHARED:
            return other
    raise DamageError("a part that it shares is missing")


def first(found: list[Message], kind: int, file: Bytes) -> Cursor | None:
    """The content of the first message of a kind; None where there is none."""
    return next((file.within(message.data) for message in found if message.kind == kind), None)
