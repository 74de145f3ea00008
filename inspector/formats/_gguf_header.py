"""The header of a GGUF file: key-value pairs, then the names, shapes and places of tensors.

Follows `docs/gguf.md` of ggml, versions 1 to 3, in both byte orders. The header is read once, front to back, in pieces;
long arrays (a tokenizer's words) are walked over and only their beginning is kept.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from math import prod
from typing import Any, BinaryIO

from inspector.errors import FormatError
from inspector.formats._ggml import KINDS, PLAIN
from inspector.ir.model import bytes_of

MAGIC = b"GGUF"
HEADER = 512 << 20
"""Bytes of the longest header that is read; those of real models have less than 30 MB."""
WALKED = 8_000_000
"""Elements of variable length that are walked over in one header."""
KEPT = 64
"""Elements of an array that are kept."""
PAIRS, TENSORS, DIMS, DEPTH = 65_536, 1_000_000, 8, 8
TEXT = 1 << 20
"""Characters of a text that are kept."""
PIECE = 4 << 20
AGAIN = "Fetch or copy the file again."

NUMBERS = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip
"""`struct` codes of the types of fixed width."""
STRING, ARRAY = 8, 9


@dataclass(frozen=True, slots=True)
class Listed:
    """An array: how many elements it has, and the first of them."""

    length: int
    first: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor of the header.

    Attributes:
        shape: The slowest dimension first.
        offset: From the start of the file.
        size: Bytes.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    size: int


@dataclass(slots=True)
class Header:
    """What a file says of itself."""

    version: int
    big: bool
    pairs: dict[str, Any] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)


class _Cursor:
    """Reads the header in pieces, and never past its limit."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file, self.name = file, name
        self.size = file.seek(0, 2)
        file.seek(0)
        self.data = b""
        self.base = self.at = 0
        self.order = "<"
        self.short = False
        self.walked = 0

    @property
    def place(self) -> int:
        """Bytes read so far."""
        return self.base + self.at

    def need(self, count: int) -> None:
        """See that so many bytes lie ahead."""
        if self.at + count <= len(self.data):
            return
        if self.place + count > self.size:
            raise FormatError(
                f"{self.name} ends inside its header: it is incomplete.",
                hint="Wait until it is written, or fetch it again.",
            )
        if self.place + count > HEADER:
            raise FormatError(f"The header of {self.name} is longer than {HEADER:,} bytes.", hint=AGAIN)
        rest = self.data[self.at :]
        self.base, self.at = self.place, 0
        self.data = rest + self.file.read(max(PIECE, count - len(rest)))
        if len(self.data) < count:
            raise FormatError(f"{self.name} became shorter while it was read.", hint="Open it again.")

    def take(self, count: int) -> bytes:
        """The next bytes."""
        self.need(count)
        self.at += count
        return self.data[self.at - count : self.at]

    def skip(self, count: int) -> None:
        """Pass over bytes, a piece at a time."""
        while count > 0:
            step = min(count, PIECE)
            self.need(step)
            self.at += step
            count -= step

    def number(self, code: str) -> Any:
        """A number."""
        return struct.unpack(self.order + code, self.take(struct.calcsize(f"={code}")))[0]

    def length(self) -> int:
        """A count; version 1 has them in four bytes."""
        return int(self.number("I" if self.short else "Q"))

    def text(self) -> str:
        """A string, cut where it is very long."""
        count = self.length()
        kept = self.take(min(count, TEXT))
        self.skip(count - len(kept))
        return kept.decode("utf-8", "backslashreplace")

    def pass_texts(self, count: int) -> None:
        """Pass over strings, as many as there may be of words of a tokenizer."""
        number = struct.Struct(self.order + ("I" if self.short else "Q"))
        while count:
            data, at, end = self.data, self.at, len(self.data) - number.size
            while count and at <= end:
                after = at + number.size + number.unpack_from(data, at)[0]
                if after > len(data):
                    break
                at, count = after, count - 1
            self.at = at
            if count:  # the next one begins or ends in the next piece
                self.skip(self.length())
                count -= 1

    def walk(self, count: int) -> None:
        """Account for elements that take a step each."""
        self.walked += count
        if self.walked > WALKED:
            raise FormatError(f"The header of {self.name} lists more than {WALKED:,} words.", hint=AGAIN)


def read_header(file: BinaryIO, name: str) -> Header:
    """The header of an open file.

    Raises:
        FormatError: It is damaged, incomplete, of a version that we do not know, or larger than any model's.
    """
    cursor = _Cursor(file, name)
    if cursor.take(4) != MAGIC:
        raise FormatError(f"{name} is no GGUF file.")
    raw = cursor.take(4)
    version, big = int.from_bytes(raw, "little"), False
    if version & 0xFFFF == 0:  # the version is a small number: if it is not, the bytes stand the other way round
        version, big = int.from_bytes(raw, "big"), True
    if version not in (1, 2, 3):
        raise FormatError(f"{name} is a GGUF file of version {version:,}.", hint="Versions 1, 2 and 3 are read.")
    cursor.order, cursor.short = (">" if big else "<"), version == 1
    tensors, pairs = cursor.length(), cursor.length()
    if tensors > TENSORS or pairs > PAIRS:
        raise FormatError(f"{name} claims {tensors:,} tensors and {pairs:,} facts.", hint=AGAIN)
    header = Header(version, big)
    for _ in range(pairs):
        key = cursor.text()
        if key in header.pairs:
            raise FormatError(f"{name} says {key[:200]!r} twice.", hint="It was not read further.")
        header.pairs[key] = _value(cursor, cursor.number("I"), 0)
    infos = [_info(cursor) for _ in range(tensors)]
    header.entries = _placed(header, infos, cursor)
    return header


def _value(cursor: _Cursor, kind: int, depth: int) -> Any:
    if kind in NUMBERS:
        return cursor.number(NUMBERS[kind])
    if kind == STRING:
        return cursor.text()
    if kind != ARRAY or depth > DEPTH:
        raise FormatError(f"{cursor.name} has a fact of the unknown type {kind}.", hint=AGAIN)
    inner, count = cursor.number("I"), cursor.length()
    if inner in NUMBERS:
        code = NUMBERS[inner]
        width = struct.calcsize(f"={code}")
        kept = min(count, KEPT)
        first = struct.unpack(f"{cursor.order}{kept}{code}", cursor.take(kept * width))
        cursor.skip((count - kept) * width)
        return Listed(count, first)
    cursor.walk(count)
    first = tuple(_value(cursor, inner, depth + 1) for _ in range(min(count, KEPT)))
    if inner == STRING:
        cursor.pass_texts(count - len(first))
    else:
        for _ in range(count - len(first)):
            _value(cursor, inner, depth + 1)
    return Listed(count, first)


def _info(cursor: _Cursor) -> tuple[str, tuple[int, ...], int, int]:
    """Name, shape, number of the type, and place within the data."""
    name = cursor.text()
    rank = cursor.number("I")
    if rank > DIMS:
        raise FormatError(f"The tensor {name[:200]!r} claims {rank:,} dimensions.", hint=AGAIN)
    sizes = [cursor.length() for _ in range(rank)]
    return name, tuple(reversed(sizes)), cursor.number("I"), cursor.number("Q")


def _placed(header: Header, infos: list[tuple[str, tuple[int, ...], int, int]], cursor: _Cursor) -> list[Entry]:
    """Tensors at their places; the data begin after the header, aligned."""
    step = header.pairs.get("general.alignment", 32)
    if not isinstance(step, int) or not 0 < step <= 1 << 20:
        raise FormatError(f"{cursor.name} claims an impossible alignment.", hint=AGAIN)
    start = -(-cursor.place // step) * step
    entries: dict[str, Entry] = {}
    for name, shape, number, offset in infos:
        dtype, size = sized(number, shape, name)
        if name in entries:
            raise FormatError(f"{cursor.name} holds two tensors named {name[:200]!r}.", hint="It was not read further.")
        entries[name] = Entry(name, dtype, shape, start + offset, size)
    return list(entries.values())


def sized(number: int, shape: tuple[int, ...], name: str) -> tuple[str, int]:
    """Name of a type and bytes of a tensor of it.

    Raises:
        FormatError: The type is not known, or its blocks do not fit the shape.
    """
    if prod(shape) >= 1 << 62:
        raise FormatError(f"The tensor {name[:200]!r} claims an impossible shape.", hint=AGAIN)
    if number in PLAIN:
        return PLAIN[number], bytes_of(PLAIN[number], shape) or 0
    if number not in KINDS:
        raise FormatError(
            f"The tensor {name[:200]!r} has the unknown type {number:,}.", hint="A newer Inspector may know it."
        )
    kind = KINDS[number]
    size = kind.nbytes(shape)
    if size is None:
        raise FormatError(f"The tensor {name[:200]!r} does not consist of whole blocks of {kind.name}.", hint=AGAIN)
    return kind.name, size
