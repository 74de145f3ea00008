"""Files that `torch.save` wrote, in all their containers: zip archives, the legacy sequence of pickles, plain pickles.

The legacy file is a magic number, a protocol number, facts of the system and the object, each a pickle of its own,
then the keys of the storages and the storages one after another, each with its length in front.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Literal

from inspector.errors import FormatError
from inspector.formats._globals import damage
from inspector.formats._pickle import Global, Unpickled, references, survey
from inspector.formats._source import Source
from inspector.formats._torch_tar import is_tar, open_tar
from inspector.formats._torchzip import STORAGES, Strided, place
from inspector.formats._zip import Archive, archive
from inspector.ir import Note, Place
from inspector.ir.model import BITS

MAGIC = 0x1950A86A20F9469CFC6C
ZIP = b"PK"
LEGACY = (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", b"\x80\x01\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.")
PICKLE = 256 << 20
FIRST = 4 << 20
PLAIN = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"(d", b"(i", b"c", b"}", b"]", b"(l", b"ctorch")


@dataclass(frozen=True, slots=True)
class Stored:
    """A storage of a legacy file: where its elements begin, and how many bytes it has."""

    offset: int
    size: int


@dataclass(slots=True)
class Opened:
    """A file of torch's, taken apart.

    Attributes:
        data: The object that was saved.
        others: Pickles beside it; what they ask for counts too.
        folder: Of a zip, what stands before the keys of storages.
        storages: Of a legacy file, by key.
        sizes: Of a zip, bytes of each member.
    """

    container: Literal["zip", "legacy", "pickle"]
    data: Unpickled
    others: tuple[Unpickled, ...] = ()
    folder: str = ""
    big: bool = False
    storages: Mapping[str, Stored] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def pickles(self) -> tuple[Unpickled, ...]:
        """Everything that loading the file would run."""
        return (self.data, *self.others)

    def place(self, tensor: Strided, shift: int = 0) -> Place:
        """Where a tensor's bytes lie; `shift` is the first element of a view of a storage (legacy files)."""
        where = place(tensor, self.folder, big=self.big)
        offset = where.offset + shift * BITS[tensor.dtype] // 8
        if self.container == "zip":
            return where
        stored = self.storages.get(tensor.key)
        if stored is None or offset + where.size > stored.size:
            return Place(member=tensor.key, offset=-1, size=where.size, layout=where.layout)
        return Place(offset=stored.offset + offset, size=where.size, layout=where.layout)

    def has(self, where: Place) -> bool:
        """Whether the file has the bytes that a place claims."""
        if self.container == "zip":
            return where.member in self.sizes and where.offset + where.size <= self.sizes[where.member]
        return where.offset >= 0


def open_torch(source: Source) -> Opened:
    """The file taken apart; nothing in it is imported or called.

    Raises:
        FormatError: It is none of torch's, or damaged.
    """
    opened = _opened(source.path, *_stamp(source.path))
    return replace(opened, notes=[*damage(opened.data, source.name), *opened.notes])


def peek(path: Path) -> Opened | None:
    """The file taken apart as far as it goes, for recognition; None where it is none of torch's."""
    try:
        return _opened(path, *_stamp(path))
    except (FormatError, OSError):
        return None


def forget() -> None:
    """Free what recognition kept."""
    _opened.cache_clear()


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise FormatError(f"{path.name} cannot be opened: {error.strerror}.") from error
    return found.st_size, found.st_mtime_ns


@lru_cache(maxsize=1)
def _opened(path: Path, _size: int, _changed: int) -> Opened:
    """Recognition and reading look at the same file in turn; it is taken apart once."""
    source = Source(path)
    with source.open() as file:
        head = file.read(512)
        if is_tar(head):
            return _tarred(file, path.name)
        if not head.startswith(ZIP):
            return _legacy(file, path.name) if head.startswith(LEGACY) else _plain(file, path.name)
    with archive(source) as zipped:
        return _zipped(zipped, path.name)


def _tarred(file: BinaryIO, name: str) -> Opened:
    found = open_tar(file, name)
    storages = {key: Stored(offset, size) for key, (offset, size) in found.storages.items()}
    facts = {"container": "tar archive (before PyTorch 0.1.10)"}
    return Opened("legacy", found.data, found.others, storages=storages, facts=facts)


def _zipped(zipped: Archive, name: str) -> Opened:
    tops = sorted(
        (member[: -len("data.pkl")] for member in zipped.names if member.rpartition("/")[2] == "data.pkl"), key=len
    )
    if not tops:
        raise FormatError(f"{name} has no object (data.pkl).", hint="It was not written by torch.save.")
    top = tops[0]
    data = survey(raw := zipped.read(f"{top}data.pkl", PICKLE), "object (data.pkl)")
    order = zipped.read(f"{top}byteorder", 64).strip() if f"{top}byteorder" in zipped else b"little"
    version = zipped.read(f"{top}version", 64).strip() if f"{top}version" in zipped else b""
    others = _trailing(raw, data.end) if data.broken is None else ()
    opened = Opened("zip", data, others, f"{top}data/", order == b"big")
    opened.sizes = {member: zipped.size(member) for member in zipped.names}
    opened.facts = {"container": "zip archive", "archive version": version.decode("ascii", "replace")}
    opened.notes += zipped.notes
    if len(tops) > 1:
        text = f"The archive holds {len(tops):,} objects (data.pkl); the one in {top[:-1][:200]!r} is shown."
        opened.notes.append(Note("warning", text, "Programs may differ in which of them they load."))
    if data.broken is None and data.end < len(raw):
        text = f"There are {len(raw) - data.end:,} bytes after the end of the pickle."
        opened.notes.append(Note("warning", text))
    return opened


def _trailing(raw: bytes, at: int) -> tuple[Unpickled, ...]:
    """Pickles that stand one after another from this place on."""
    found: list[Unpickled] = []
    while at < len(raw) and len(found) < 16:
        more = survey(raw, "pickle after the pickle", at)
        if not more.globals and more.broken is not None:
            break
        found.append(more)
        at = max(more.end, at + 1)
    return tuple(found)


def _pickle_at(file: BinaryIO, start: int, what: str) -> Unpickled:
    """The pickle that begins at a place of a file; its end counts from the start of the file."""
    size = FIRST
    while True:
        file.seek(start)
        data = file.read(size)
        found = survey(data, what)
        if found.broken is None or found.end < len(data) or len(data) < size or size >= PICKLE:
            break
        size = min(size * 8, PICKLE)
    return Unpickled(found.value, found.globals, found.called, found.nested, start + found.end, found.broken)


def _plain(file: BinaryIO, name: str) -> Opened:
    file.seek(0)
    if not file.read(16).startswith(PLAIN):
        raise FormatError(f"{name} is no pickle.")
    data = _pickle_at(file, 0, "pickle")
    opened = Opened("pickle", data, facts={"container": "pickle"})
    if data.broken is None:
        _after(file, data.end, "the pickle", opened)
    return opened


def _after(file: BinaryIO, at: int, what: str, opened: Opened) -> None:
    """Say what stands behind the end of a file's own contents; pickles there count for what the file asks."""
    size = file.seek(0, 2)
    if at >= size:
        return
    file.seek(at)
    opened.others = (*opened.others, *_trailing(file.read(FIRST), 0))
    opened.notes.append(Note("warning", f"There are {size - at:,} bytes after the end of {what}."))


def _legacy(file: BinaryIO, name: str) -> Opened:
    at = 0
    before: list[Unpickled] = []
    for what in ("magic number", "protocol number", "facts of the system"):
        part = _pickle_at(file, at, what)
        if part.broken is not None:
            return Opened("legacy", part, (*before,))
        before.append(part)
        at = part.end
    system = before[2].value.named() if hasattr(before[2].value, "named") else {}
    data = _pickle_at(file, at, "object")
    opened = Opened("legacy", data, (*before,), big=system.get("little_endian") is False)
    opened.facts = {"container": "legacy (before PyTorch 1.6)", "protocol": str(before[1].value)[:20]}
    if data.broken is not None:
        return opened
    keys = _pickle_at(file, data.end, "list of storages")
    opened.others = (*before, keys)
    if keys.broken is not None or not isinstance(keys.value, list):
        text = "The file ends before its tensors: their values are missing."
        opened.notes.append(Note("warning", text, "The file is incomplete; fetch or copy it again."))
        return opened
    opened.storages, end = _storages(file, keys, _widths(data.value))
    if len(opened.storages) == len(keys.value):
        _after(file, end, "the tensors", opened)
    return opened


def _storages(file: BinaryIO, keys: Unpickled, widths: dict[str, int]) -> tuple[dict[str, Stored], int]:
    """Where the storages lie that follow the list of their keys, as far as the file reaches; where the last ends."""
    found: dict[str, Stored] = {}
    size, at = file.seek(0, 2), keys.end
    for key in keys.value:
        if not isinstance(key, str | int) or at + 8 > size or str(key) not in widths:
            break
        file.seek(at)
        count = struct.unpack("<q", file.read(8))[0]
        length = count * widths[str(key)]
        if count < 0 or at + 8 + length > size:
            break
        found[str(key)] = Stored(at + 8, length)
        at += 8 + length
    return found, at


def _widths(value: Any) -> dict[str, int]:
    """Bytes of an element, by key of the storage, from every storage that the object refers to."""
    widths: dict[str, int] = {}
    for item in references(value):
        parts = item.id if isinstance(item.id, tuple) else ()
        if len(parts) >= 5 and parts[0] == "storage" and isinstance(parts[1], Global):
            widths[str(parts[2])] = BITS.get(STORAGES.get(parts[1].name, ""), 0) // 8
    return widths
