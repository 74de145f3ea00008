"""How a file is changed: its bytes, or what they mean, so that damage also reaches what a checksum or a length hides.

Every way takes bytes and a source of chance and gives bytes; the same chance gives the same bytes.
"""

from __future__ import annotations

import io
import json
import lzma
import pickletools
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

Way = Callable[[bytes, random.Random], bytes]

NUMBERS = (
    0,
    1,
    2,
    7,
    127,
    128,
    255,
    256,
    32767,
    65535,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**62,
    2**63 - 1,
    2**63,
    2**64 - 1,
)
THINGS: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 10**40, 1.5, float("nan"), float("inf"), "", "x", "\0",
    "\u202e", "../x", "/etc/passwd", "A" * 5000, [], {}, [[]], [None], {"": None}, [1, -1], [2**40, 2**40],
)  # fmt: skip
WORDS = ("", "0", "-1", "99999999999999999999", "NaN", "\0", "../", "\u202e", "<b>", "]]>", "&x;", '"', "{", "}", "\n")
WORD, NEAR = re.compile(r"\w+|[^\w\s]"), 1000
MOST = 1 << 20
"""Bytes that a changed file may have at most."""


def mutated(data: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    """A changed file; in one of three the meaning is changed, where it is understood."""
    if others and chance.random() < 0.03:
        other = chance.choice(others)
        return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other) + 1) :]
    return part(data, chance)[:MOST]


def part(data: bytes, chance: random.Random) -> bytes:
    """One file or member changed in a way that suits what it holds."""
    ways = meanings(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        way = chance.choice(ways) if ways and chance.random() < 0.65 else raw
        try:
            data = way(data, chance)
        except (
            ValueError,
            KeyError,
            IndexError,
            TypeError,
            RecursionError,
            zipfile.BadZipFile,
            lzma.LZMAError,
            OSError,  # what bz2 raises
            EOFError,
            struct.error,
            NotImplementedError,
            RuntimeError,
            OverflowError,
            zlib.error,
        ):
            data = raw(data, chance)  # it no longer is what it was
    return data


def meanings(data: bytes) -> list[Way]:
    """The ways that understand the file."""
    head = data[:16].lstrip()
    if data.startswith(b"PK\3\4"):
        return [archive]
    if data[:1] == b"\x80" and len(data) > 2:
        return [opcodes]
    if head[:1] in (b"{", b"["):
        return [document, words]
    if len(data) > 9 and data[8:9] == b"{":
        return [header]
    if data.startswith((b"\x89HDF", b"GGUF")) or data[4:8] == b"TFL3":
        return []
    if b"\0" not in data[:400]:
        return [words]
    return [fields]


def raw(data: bytes, chance: random.Random) -> bytes:
    """Bytes changed, taken out, put in, repeated, exchanged; the end cut off."""
    if not data:
        return chance.randbytes(chance.randrange(9))
    new = bytearray(data)
    at, length = chance.randrange(len(new)), chance.choice((1, 2, 4, 8, 16, 100))
    match chance.randrange(9):
        case 0:
            new[at] ^= 1 << chance.randrange(8)
        case 1:
            new[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        case 2:
            del new[at : at + length]
        case 3:
            new[at:at] = chance.randbytes(length)
        case 4:
            order, size = chance.choice("<>"), chance.choice("BHIQ")
            number = chance.choice(NUMBERS) % (1 << 8 * struct.calcsize(size))
            new[at : at + struct.calcsize(size)] = struct.pack(order + size, number)
        case 5:
            new[at:at] = new[at : at + length] * chance.choice((1, 2, 50))
        case 6:
            other = chance.randrange(len(new))
            new[at : at + length] = new[other : other + length]
        case 7:
            for _ in range(chance.choice((2, 10, 60))):
                new[chance.randrange(len(new))] = chance.randrange(256)
        case _:
            if chance.random() < 0.4:
                del new[at:]
    return bytes(new)


def archive(data: bytes, chance: random.Random) -> bytes:
    """One member of a zip changed, or left out, or there twice, or with another name; the zip itself stays whole."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        entries = old.infolist()
        small = [entry for entry in entries if entry.file_size < 200_000] or entries
        chosen = chance.choice(small).filename
        action = chance.random()
        for entry in entries:
            content, name = old.read(entry), entry.filename
            if name == chosen and action < 0.05:
                continue
            if name == chosen and action < 0.1:
                name = chance.choice(("", "../" + name, name.upper(), chance.choice(entries).filename))
            elif name == chosen:
                content = part(content, chance)
            new.writestr(zipfile.ZipInfo(name or "_"), content)
    return made.getvalue()


def document(data: bytes, chance: random.Random) -> bytes:
    """Something in a JSON document replaced, left out, or put elsewhere."""
    tree = json.loads(data)
    places: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        item = waiting.pop()
        keys = list(item) if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else ()
        for key in keys:
            places.append((item, key))
            waiting.append(item[key])
    if not places:
        return json.dumps(chance.choice(THINGS)).encode()
    holder, key = chance.choice(places)
    match chance.randrange(5):
        case 0:
            del holder[key]
        case 1:
            other, where = chance.choice(places)
            holder[key] = json.loads(json.dumps(other[where]))
        case 2 if isinstance(holder[key], int | float):
            holder[key] = chance.choice(NUMBERS) * chance.choice((1, -1))
        case 3:
            for _ in range(chance.choice((1, 3, 300))):
                holder[key] = chance.choice(([holder[key]], {"x": holder[key]}))
        case _:
            holder[key] = chance.choice(THINGS)
    return json.dumps(tree).encode()


def header(data: bytes, chance: random.Random) -> bytes:
    """The JSON header of safetensors changed, and its length with it."""
    size = int.from_bytes(data[:8], "little")
    new = document(data[8 : 8 + size], chance)
    return len(new).to_bytes(8, "little") + new + data[8 + size :]


def words(data: bytes, chance: random.Random) -> bytes:
    """A word of a text replaced by another one, or a line left out or repeated."""
    text = data.decode("utf-8", "surrogateescape")
    if chance.random() < 0.3:
        lines = text.split("\n")
        at = chance.randrange(len(lines))
        lines[at : at + 1] = [lines[at]] * chance.choice((0, 2, 40))
        return "\n".join(lines).encode("utf-8", "surrogateescape")
    start, end = _word(text, chance)
    word = chance.choice((*WORDS, str(chance.choice(NUMBERS)), text[slice(*_word(text, chance))]))
    return (text[:start] + word + text[end:]).encode("utf-8", "surrogateescape")


def _word(text: str, chance: random.Random) -> tuple[int, int]:
    """Where a word or a mark of a text begins and ends; only the neighbourhood of some place is looked at."""
    at = max(0, chance.randrange(-NEAR // 2, len(text)))
    near = list(WORD.finditer(text, at, at + NEAR)) or list(WORD.finditer(text))
    return chance.choice(near).span()


def opcodes(data: bytes, chance: random.Random) -> bytes:
    """An opcode of a pickle left out, repeated, exchanged or replaced by any other."""
    starts: list[int] = []
    end = 0
    for _op, _argument, at in pickletools.genops(data):
        starts.append(at or 0)
    end = (starts[-1] if starts else 0) + 1
    pieces = [data[a:b] for a, b in zip(starts, [*starts[1:], end], strict=True)]
    at, other = chance.randrange(len(pieces)), chance.randrange(len(pieces))
    match chance.randrange(5):
        case 0:
            del pieces[at]
        case 1:
            pieces[at:at] = [pieces[other]] * chance.choice((1, 1, 300))
        case 2:
            pieces[at], pieces[other] = pieces[other], pieces[at]
        case 3:
            pieces[at] = chance.choice(pickletools.opcodes).code.encode("latin-1") + pieces[at][1:]
        case _:
            pieces[at] = raw(pieces[at], chance)
    return b"".join(pieces) + data[end:]


def fields(data: bytes, chance: random.Random, depth: int = 0) -> bytes:
    """A field of a protocol buffer changed, however deep it lies; the lengths around it fit again."""
    found = message(data)
    if not found:
        return raw(data, chance)
    at = chance.randrange(len(found))
    number, kind, value = found[at]
    match chance.randrange(6):
        case 0 if depth:
            del found[at]
        case 1:
            found[at:at] = [found[chance.randrange(len(found))]] * chance.choice((1, 1, 20))
        case 2:
            found[at] = (chance.randrange(1, 40), kind, value)
        case _ if kind == 2:
            deeper = depth < 8 and len(value) > 1 and chance.random() < 0.9
            found[at] = (number, 2, fields(value, chance, depth + 1) if deeper else raw(value, chance))
        case _ if kind == 0:
            found[at] = (number, 0, varint(chance.choice(NUMBERS)))
        case _:
            found[at] = (number, kind, raw(value, chance)[: len(value)].ljust(len(value), b"\0"))
    return b"".join(
        varint(number << 3 | kind) + (varint(len(value)) if kind == 2 else b"") + value for number, kind, value in found
    )


def message(data: bytes) -> list[tuple[int, int, bytes]]:
    """The fields of a protocol buffer as (number, wire type, value); empty where it is none."""
    found: list[tuple[int, int, bytes]] = []
    at = 0
    while at < len(data):
        key, at = number_at(data, at)
        kind = key & 7
        if kind == 0:
            _value, end = number_at(data, at)
        elif kind == 2:
            size, at = number_at(data, at)
            end = at + size
        elif kind in (1, 5):
            end = at + (8 if kind == 1 else 4)
        else:
            return []
        if key >> 3 == 0 or end > len(data) or at < 0:
            return []
        found.append((key >> 3, kind, data[at:end]))
        at = end
    return found


def number_at(data: bytes, at: int) -> tuple[int, int]:
    """A varint and where it ends; past the end where there is none."""
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    return 0, len(data) + 1


def varint(number: int) -> bytes:
    """A number as a varint."""
    made = bytearray()
    number &= 2**64 - 1
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    made.append(number)
    return bytes(made)
