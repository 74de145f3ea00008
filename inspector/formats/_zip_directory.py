"""The central directory of a zip archive, counted before anybody builds a list of it, and looked at for tricks.

A directory is small beside its archive, but its entries become Python objects: a million of them take a gigabyte. So
they are counted first, by hopping from one to the next. Format: APPNOTE 6.3.10 of PKWARE, §4.3.12 to §4.3.16.
"""

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from inspector.errors import FormatError
from inspector.ir import Note

MEMBERS = 200_000
SHOWN = 10_000
END = struct.Struct("<4s4H2LH")
WIDE_END = struct.Struct("<4sQ2H2L4Q")
LOCATOR = struct.Struct("<4sLQL")
ENTRY = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
TEXT_FLAG, STREAMED = 0x800, 0x8
TAIL = END.size + 0xFFFF
WIDE = 0xFFFFFFFF
HEADER = 1 << 14
"""No header of a part is longer."""


def names(file: BinaryIO, most: int = SHOWN) -> tuple[str, ...]:
    """The names of the first members, in the order of the directory; none where there is no whole directory."""
    found: list[str] = []
    for raw, flags in _entries(file):
        if len(found) >= most:
            break
        text = raw.decode("utf-8" if flags & TEXT_FLAG else "cp437", "replace")
        found.append(text.partition("\0")[0])
    return tuple(found)


def count(file: BinaryIO, most: int = MEMBERS) -> int:
    """How many members the directory has; counting ends one after the most that are allowed."""
    found = 0
    for _ in _entries(file):
        found += 1
        if found > most:
            break
    return found


def _entries(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Name and flags of each entry, as far as the directory is whole."""
    start, size, _ = _where(file)
    file.seek(start)
    while size >= ENTRY.size:
        head = file.read(ENTRY.size)
        if len(head) < ENTRY.size or not head.startswith(b"PK\1\2"):
            return
        fields = ENTRY.unpack(head)
        name = file.read(fields[10])
        file.seek(fields[11] + fields[12], 1)
        size -= ENTRY.size + fields[10] + fields[11] + fields[12]
        yield name, fields[3]


def end_of_archive(file: BinaryIO) -> int:
    """Where the archive ends, its comment included; past every file where it has no directory."""
    return _where(file)[2]


def _where(file: BinaryIO) -> tuple[int, int, int]:
    """Where the directory begins, its bytes, and where the archive ends."""
    size = file.seek(0, 2)
    file.seek(max(0, size - TAIL))
    tail = file.read(TAIL)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < END.size:
        return 0, 0, 1 << 62
    fields = END.unpack_from(tail, at)
    length, end = fields[5], size - len(tail) + at
    last = end + END.size + fields[7]
    wide = end - LOCATOR.size - WIDE_END.size
    if wide >= 0:
        file.seek(wide)
        data = file.read(WIDE_END.size + LOCATOR.size)
        if data.startswith(b"PK\6\6") and data[WIDE_END.size :].startswith(b"PK\6\7"):
            length, end = WIDE_END.unpack_from(data)[8], wide
    return (end - length, length, last) if length <= end else (0, 0, last)


def refuse_tricks(zipped: zipfile.ZipFile, name: str) -> None:
    """Refuse an archive in which two programs would see different things.

    Raises:
        FormatError: Two members have one name, or lie one over the other, or a name is cut by a NUL.
    """
    infos = zipped.infolist()
    if len({info.filename for info in infos}) != len(infos):
        raise FormatError(f"{name} holds two parts of the same name.", hint="It was not read further.")
    cut = next((info.filename for info in infos if "\0" in info.orig_filename), None)
    if cut is not None:
        raise FormatError(f"{name}: the name of the part {cut[:200]!r} goes on after a NUL.", hint="It was not read.")
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise FormatError(
                f"{name}: the part {info.filename[:200]!r} lies over another one.",
                hint="The archive was made to unpack to more than it holds; it was not read.",
            )
        end = info.header_offset + LOCAL.size + len(info.orig_filename) + info.compress_size
        if end > zipped.start_dir:
            raise FormatError(
                f"{name}: the part {info.filename[:200]!r} claims more bytes than the archive has.",
                hint="The file is incomplete or damaged; fetch or copy it again.",
            )


def disagreement(file: BinaryIO, info: zipfile.ZipInfo) -> str:
    """In what a member's own header differs from the directory, in words; empty where they agree."""
    file.seek(info.header_offset)
    head = file.read(LOCAL.size)
    if len(head) < LOCAL.size or not head.startswith(b"PK\3\4"):
        return "its header is missing"
    _, _, flags, method, _, _, check, packed, size, _, _ = LOCAL.unpack(head)
    if (flags ^ info.flag_bits) & 0x1:
        return "only one of the two says that it is encrypted"
    if method != info.compress_type:
        return "they name different ways of packing"
    if method == zipfile.ZIP_STORED and info.file_size != info.compress_size:
        return "it is not packed, and has two sizes"
    if flags & STREAMED:  # the sizes follow the data
        return ""
    if check != info.CRC or packed not in (info.compress_size, WIDE) or size not in (info.file_size, WIDE):
        return "they name different sizes or checksums"
    return ""


def oddities(zipped: zipfile.ZipFile) -> Iterator[Note]:
    """What is odd about an archive and does not keep it from being read."""
    infos = zipped.infolist()
    odd = strange_names(tuple(info.filename for info in infos))
    if odd:
        text = f"{len(odd):,} parts of the archive have names that lead outside a folder, such as {odd[0][:200]!r}."
        yield Note("warning", text, "Do not unpack it.")
    twins = len(infos) - len({info.filename.casefold() for info in infos})
    if twins:
        text = f"{twins:,} parts of the archive differ from others only in capital letters."
        yield Note("warning", text, "Unpacked on Windows or macOS, one would replace the other.")
    special = [info.filename for info in infos if _special(info)]
    if special:
        text = f"{len(special):,} parts of the archive are links or devices, such as {special[0][:200]!r}."
        yield Note("warning", text, "They were not followed. Do not unpack it.")
    before = min((info.header_offset for info in infos), default=0)
    if before:
        text = f"{before:,} bytes stand before the archive: it may be two files in one."
        yield Note("warning", text, "What is shown is what the archive holds.")
    if zipped.comment:
        yield Note("info", f"The archive has a comment of {len(zipped.comment):,} bytes.")


def around(file: BinaryIO, zipped: zipfile.ZipFile) -> str:
    """The part of another archive in which an archive lies, where the other's own list is missing; empty for none.

    The header of a part ends where the part begins, so that it stands right before the archive.
    """
    start = min((info.header_offset for info in zipped.infolist()), default=0)
    first = max(0, start - HEADER)
    file.seek(first)
    data = file.read(start - first)
    at = data.rfind(b"PK\3\4")
    while at >= 0:
        if len(data) - at >= LOCAL.size:
            *_, name, extra = LOCAL.unpack_from(data, at)
            if at + LOCAL.size + name + extra == len(data):
                return data[at + LOCAL.size :][:name].decode("utf-8", "replace") or "without a name"
        at = data.rfind(b"PK\3\4", 0, at)
    return ""


def _special(info: zipfile.ZipInfo) -> bool:
    """Whether a member is, on Unix, anything but a file or a folder."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    return info.create_system == 3 and kind not in (0, stat.S_IFREG, stat.S_IFDIR)


def strange_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Members whose names would leave a folder if somebody unpacked the archive."""
    return tuple(
        name
        for name in names
        if name.startswith(("/", "\\"))
        or ".." in name.replace("\\", "/").split("/")
        or (name[1:2] == ":" and name[2:3] in ("\\", "/"))
    )
