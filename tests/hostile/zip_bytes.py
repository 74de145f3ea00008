"""Zip archives written header by header, so that every field may lie."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

STORED, DEFLATED = 0, 8


@dataclass
class Member:
    """One member; what is not given is what it should be.

    Attributes:
        data: Its content, unpacked.
        raw: Its bytes in the archive, where they are not the content packed.
        local: Fields of its own header that differ from those of the directory: name, flags, method, crc, size, packed.
        at: Where the directory says that it begins; None: where it does.
        write: Whether its header and bytes are written at all.
    """

    name: bytes
    data: bytes = b""
    method: int = STORED
    flags: int = 0
    raw: bytes | None = None
    crc: int | None = None
    size: int | None = None
    packed: int | None = None
    mode: int = 0
    extra: bytes = b""
    local: dict[str, int | bytes] = field(default_factory=dict)
    at: int | None = None
    write: bool = True


def written(members: Iterable[Member], *, before: bytes = b"", comment: bytes = b"", count: int | None = None) -> bytes:
    """The archive."""
    out, directory, total = bytearray(before), bytearray(), 0
    for member in members:
        raw = _packed(member) if member.raw is None else member.raw
        fields: dict[str, int | bytes] = {
            "name": member.name,
            "flags": member.flags,
            "method": member.method,
            "crc": zlib.crc32(member.data) if member.crc is None else member.crc,
            "packed": len(raw) if member.packed is None else member.packed,
            "size": len(member.data) if member.size is None else member.size,
        }
        at = len(out) if member.at is None else member.at
        if member.write:
            out += _header(b"PK\3\4", {**fields, **member.local})
            out += member.local.get("name", member.name)  # type: ignore[operator]
            out += raw
        directory += _header(b"PK\1\2\x14\x03", fields, member, at) + member.name + member.extra
        total += 1
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, *[min(0xFFFF, total if count is None else count)] * 2,
                      len(directory), len(out), len(comment))  # fmt: skip
    return bytes(out + directory + end + comment)


def _packed(member: Member) -> bytes:
    if member.method != DEFLATED:
        return member.data
    packer = zlib.compressobj(9, wbits=-15)
    return packer.compress(member.data) + packer.flush()


def _header(mark: bytes, fields: dict[str, int | bytes], member: Member | None = None, at: int = 0) -> bytes:
    name = fields["name"]
    assert isinstance(name, bytes)
    extra = member.extra if member is not None else b""
    head = mark + struct.pack(
        "<5H3L2H", 20, fields["flags"], fields["method"], 0, 0x21, fields["crc"], fields["packed"], fields["size"],
        len(name), len(extra),
    )  # fmt: skip
    return head if member is None else head + struct.pack("<3H2L", 0, 0, 0, member.mode << 16, at)
