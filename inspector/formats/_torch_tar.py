"""Checkpoints of PyTorch before 0.1.10: a tar archive of `sys_info`, `pickle`, `tensors` and `storages`.

Each member is a sequence of pickles with numbers between them. `storages` has a count, then for each its key, place and
type, its length and its elements, and last the views of storages; `tensors` has a count, then for each its key and
storage, and its rank, sizes, strides and offset. In `pickle` tensors stand by their keys alone. As PyTorch's
`torch.serialization` reads it; nothing is unpacked, for tar keeps members as they are.
"""

from __future__ import annotations

import struct
import tarfile
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from inspector.errors import FormatError
from inspector.formats._pickle import Global, Unpickled, references, survey
from inspector.formats._torchzip import STORAGES, Strided
from inspector.ir.model import BITS

PARTS = ("sys_info", "pickle", "tensors", "storages")
COUNT = 1_000_000
ENTRIES = 64
FIRST = 4096
PICKLE = 256 << 20
AGAIN = "Fetch or copy the file again."


@dataclass(slots=True)
class _Member:
    """A member of the archive, read from front to back."""

    file: BinaryIO
    name: str
    at: int
    end: int
    asked: list[Unpickled] = field(default_factory=list)

    def pickle(self) -> Any:
        """The next object."""
        size = FIRST
        while True:
            self.file.seek(self.at)
            data = self.file.read(min(size, self.end - self.at))
            found = survey(data, self.name)
            if found.broken is None or len(data) < size or size >= PICKLE:
                break
            size *= 16
        if found.broken is not None:
            raise found.broken
        self.at += found.end
        if found.globals or found.called:
            self.asked.append(found)
        return found.value

    def numbers(self, count: int) -> tuple[int, ...]:
        """The next numbers of eight bytes."""
        size = 8 * count
        if self.at + size > self.end:
            raise FormatError(f"The part {self.name!r} of the checkpoint ends too early.", hint=AGAIN)
        self.file.seek(self.at)
        self.at += size
        return struct.unpack(f"<{count}q", self.file.read(size))

    def count(self) -> int:
        """How many entries follow."""
        found = self.pickle()
        if not isinstance(found, int) or not 0 <= found <= COUNT:
            raise FormatError(f"The part {self.name!r} of the checkpoint is damaged.", hint=AGAIN)
        return found


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint taken apart: its object, the pickles beside it, first byte and size of each storage by its key."""

    data: Unpickled
    others: tuple[Unpickled, ...]
    storages: dict[str, tuple[int, int]]


def is_tar(head: bytes) -> bool:
    """Whether a file begins as such an archive does."""
    return head[257:262] == b"ustar" and head[:100].rstrip(b"\0").decode("latin-1") in PARTS


def open_tar(file: BinaryIO, name: str) -> Checkpoint:
    """The checkpoint taken apart.

    Raises:
        FormatError: It is damaged.
    """
    members = _members(file, name)
    if not {"pickle", "tensors", "storages"} <= members.keys():
        raise FormatError(f"{name} is a tar archive without a checkpoint.", hint="Unpack it.")
    storages = members["storages"]
    found, views = _storages(storages)
    tensors = _tensors(members["tensors"], found, views)
    whole = members["pickle"]
    file.seek(whole.at)
    data = survey(file.read(min(whole.end - whole.at, PICKLE)), "object")
    _tie(data.value, tensors)
    others = (*storages.asked, *members["tensors"].asked)
    return Checkpoint(data, others, {key: (offset, size) for key, (_, offset, size) in found.items()})


def _members(file: BinaryIO, name: str) -> dict[str, _Member]:
    """Where the parts of the checkpoint lie in the file."""
    file.seek(0)
    entries: list[tarfile.TarInfo] = []
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            while (entry := tar.next()) is not None and len(entries) < ENTRIES:
                entries.append(entry)
    except (tarfile.TarError, OSError, ValueError, EOFError, OverflowError) as error:
        if not entries:  # what stands before the place where the file ends is worth reading
            raise FormatError(f"{name} is a tar archive that is cut off or damaged.", hint=AGAIN) from error
    size = file.seek(0, 2)
    return {
        entry.name: _Member(file, entry.name, entry.offset_data, min(entry.offset_data + entry.size, size))
        for entry in entries
        if entry.isreg() and not entry.issparse()
    }


def _storages(member: _Member) -> tuple[dict[str, tuple[str, int, int]], dict[str, tuple[str, int]]]:
    """dtype, place and size of each storage; storage and first element of each view."""
    found: dict[str, tuple[str, int, int]] = {}
    for _ in range(member.count()):
        entry = member.pickle()
        if not isinstance(entry, tuple) or len(entry) != 3 or not isinstance(entry[2], Global):
            raise FormatError("A storage of the checkpoint is damaged.", hint=AGAIN)
        dtype = STORAGES.get(entry[2].name, "uint8")
        (count,) = member.numbers(1)
        size = count * BITS[dtype] // 8
        if count < 0 or member.at + size > member.end:
            return found, {}  # the file ends here: what is missing is said to be
        found[str(entry[0])] = (dtype, member.at, size)
        member.at += size
    listed = member.pickle()
    views = {}
    for view in listed if isinstance(listed, list) else ():
        if isinstance(view, tuple) and len(view) == 4 and isinstance(view[2], int) and view[2] >= 0:
            views[str(view[0])] = (str(view[1]), view[2])
    return found, views


def _tensors(
    member: _Member, storages: dict[str, tuple[str, int, int]], views: dict[str, tuple[str, int]]
) -> dict[str, Strided]:
    """Tensors by their keys."""
    made: dict[str, Strided] = {}
    for _ in range(member.count()):
        entry = member.pickle()
        if not isinstance(entry, tuple) or len(entry) != 3:
            raise FormatError("A tensor of the checkpoint is damaged.", hint=AGAIN)
        (rank,) = member.numbers(1)
        rank &= 0xFFFFFFFF  # four bytes and four without meaning
        if rank > 64:
            raise FormatError("A tensor of the checkpoint is damaged.", hint=AGAIN)
        sizes, strides = member.numbers(rank), member.numbers(rank)
        (offset,) = member.numbers(1)
        if min((*sizes, *strides, offset)) < 0:
            raise FormatError("A tensor of the checkpoint is damaged.", hint=AGAIN)
        root, shift = views.get(str(entry[1]), (str(entry[1]), 0))
        dtype, _, size = storages.get(root, ("float32", 0, 0))
        made[str(entry[0])] = Strided(root, dtype, sizes, strides, offset + shift, size // (BITS[dtype] // 8))
    return made


def _tie(value: Any, tensors: dict[str, Strided]) -> None:
    """Put tensors in the place of their keys, and classes where later files have them."""
    for item in references(value):
        if isinstance(item.id, tuple) and item.id and isinstance(item.id[0], Global):
            item.id = ("module", *item.id)
        elif isinstance(item.id, str | int) and str(item.id) in tensors:
            item.id = tensors[str(item.id)]
