"""A zip archive read defensively: nothing is extracted, every size is capped before it is believed.

One reader, that of the central directory; a member whose own header says something else is refused, and so are archives
that hold one name twice or one part over another, because two programs would then see two different models.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from inspector.errors import FormatError
from inspector.formats._source import Source
from inspector.formats._zip_directory import MEMBERS, around, count, disagreement, oddities, refuse_tricks

INFLATED = 512 << 20
"""Most bytes that a compressed member may unpack to in memory."""

BROKEN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    IndexError,
    struct.error,
    zlib.error,
)
"""What `zipfile` raises on hostile bytes."""


class Window(io.RawIOBase):
    """A part of an open file as a file of its own."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        super().__init__()
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be sought in."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move, as files do."""
        base = {0: 0, 1: self._at, 2: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """Where it stands."""
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the stub wants a Buffer
        """Fill a buffer as far as the part reaches."""
        count = max(0, min(len(buffer), self._size - self._at))
        self._file.seek(self._start + self._at)
        data = self._file.read(count)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class Archive:
    """The members of an open zip archive."""

    def __init__(self, file: BinaryIO, zipped: zipfile.ZipFile, name: str) -> None:
        self._file, self._zip, self._name = file, zipped, name
        self._infos = {info.filename: info for info in zipped.infolist()}
        self.names = tuple(self._infos)
        self.notes = tuple(oddities(zipped))
        self._agreed: set[str] = set()

    def __contains__(self, member: str) -> bool:
        return member in self._infos

    def size(self, member: str) -> int:
        """Bytes of a member as unpacked, as the archive claims; 0 where there is none."""
        info = self._infos.get(member)
        return info.file_size if info else 0

    def read(self, member: str, limit: int) -> bytes:
        """A whole member.

        Raises:
            FormatError: There is none, it is damaged, encrypted, or larger than the limit.
        """
        info = self._info(member)
        if info.file_size > limit:
            raise FormatError(
                f"{self._name}: the part {member[:200]!r} is too large ({info.file_size:,} bytes; limit {limit:,}).",
                hint="The file may be damaged or made to exhaust memory.",
            )
        try:
            with self._zip.open(info) as file:
                data = file.read(info.file_size + 1)
        except BROKEN as error:
            raise self._broken(member, error) from error
        if len(data) != info.file_size:
            raise FormatError(
                f"{self._name}: the part {member[:200]!r} has another size than the archive says.",
                hint="Fetch or copy the file again.",
            )
        return data

    @contextmanager
    def open(self, member: str) -> Iterator[BinaryIO]:
        """A member as a seekable file; a stored one is not copied."""
        info = self._info(member)
        if info.compress_type == zipfile.ZIP_STORED:
            window = Window(self._file, self._start(info), info.file_size)
            yield cast("BinaryIO", io.BufferedReader(window))
        else:
            yield io.BytesIO(self.read(member, INFLATED))

    def start(self, member: str) -> int:
        """Where the bytes of a member begin in the file; -1 where it is packed.

        Raises:
            FormatError: There is none, or it is damaged.
        """
        info = self._info(member)
        return self._start(info) if info.compress_type == zipfile.ZIP_STORED else -1

    def _start(self, info: zipfile.ZipInfo) -> int:
        """Where the bytes of a stored member begin."""
        try:
            with self._zip.open(info):  # checks that local header and central directory agree
                pass
            self._file.seek(info.header_offset + 26)
            name, extra = struct.unpack("<HH", self._file.read(4))
        except BROKEN as error:
            raise self._broken(info.filename, error) from error
        return int(info.header_offset) + 30 + int(name) + int(extra)

    def _info(self, member: str) -> zipfile.ZipInfo:
        info = self._infos.get(member)
        if info is None:
            raise FormatError(f"{self._name} has no part {member[:200]!r}.", hint="The file may be incomplete.")
        if info.flag_bits & 0x1:
            raise FormatError(f"{self._name} is protected by a password.", hint="Unpack it, then open what is in it.")
        if member not in self._agreed:
            why = disagreement(self._file, info)
            if why:
                text = f"{self._name}: the part {member[:200]!r} is not what the archive's list says: {why}."
                raise FormatError(text, hint="The file is damaged, or made so that programs see different things.")
            self._agreed.add(member)
        return info

    def _broken(self, member: str, error: BaseException) -> FormatError:
        return FormatError(
            f"{self._name}: the part {member[:200]!r} is damaged ({str(error)[:100]}).",
            hint="Fetch or copy the file again.",
        )


@contextmanager
def archive(source: Source) -> Iterator[Archive]:
    """The model file as a zip archive.

    Raises:
        FormatError: It is damaged, or has two members of one name, or too many members.
    """
    with source.open() as file:
        if count(file) > MEMBERS:
            raise FormatError(
                f"{source.name} has too many parts (more than {MEMBERS:,}).",
                hint="The file may be made to exhaust memory.",
            )
        try:
            zipped = zipfile.ZipFile(file)
        except BROKEN as error:
            raise FormatError(
                f"{source.name} is a zip archive that is cut off or damaged.", hint="Fetch or copy it again."
            ) from error
        with zipped:
            refuse_tricks(zipped, source.name)
            part = around(file, zipped)
            if part:
                text = (
                    f"{source.name} is incomplete: it ends behind {part[:200]!r}, a part of it that is an archive too."
                )
                raise FormatError(text, hint="Fetch or copy it again.")
            yield Archive(file, zipped, source.name)
