"""What is odd about a model's file rather than its model: a name that says something else, bytes behind its end."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from inspector.errors import FormatError
from inspector.formats._format import Format
from inspector.formats._source import Source
from inspector.formats._zip_directory import end_of_archive
from inspector.ir import Model, Note

HDF5 = b"\x89HDF\r\n\x1a\n"
SHARED = "torch."
"""Formats that begin so share their suffixes in the wild."""
INDEX = ".index.json"
ALIGNMENT = 32
"""To this many bytes GGUF fills up, where the file does not say another number."""


def remarks(source: Source, model: Model, own: Format, known: Iterable[Format]) -> Iterator[Note]:
    """Notes on the file of a model that was read as one of the formats that are known."""
    if source.path.is_dir():
        return
    suffix = source.path.suffix.lower()
    owners = [fmt for fmt in known if suffix and suffix in fmt.suffixes]
    family = own.id.startswith(SHARED) and any(fmt.id.startswith(SHARED) for fmt in owners)
    if owners and own not in owners and not family and not source.name.endswith(INDEX):
        yield Note("info", f"The file is called {suffix}, but by its bytes it is: {own.title}.")
    try:
        with source.open() as file:
            extra = os.fstat(file.fileno()).st_size - _end(file, model)
    except (FormatError, OSError):
        return
    if extra > 0:
        text = f"{extra:,} bytes stand behind the end of the model: it may be two files in one."
        yield Note("warning", text, "They were not read.")


def _end(file: BinaryIO, model: Model) -> int:
    """Where the model's own bytes end, for formats that say so; past every file for others."""
    head = file.read(64)
    if head.startswith(b"PK"):
        return end_of_archive(file)
    if head.startswith(HDF5):
        return _end_of_hdf5(head)
    if head.startswith(b"GGUF"):
        return _end_of_gguf(model)
    return 1 << 62


def _end_of_hdf5(head: bytes) -> int:
    """The end that the superblock says (HDF5 file format specification, II.A)."""
    version = head[8]
    width, start = (head[13], 24 if version == 0 else 28) if version < 2 else (head[9], 12)
    if version > 3 or width not in (2, 4, 8):
        return 1 << 62
    said = head[start + 2 * width : start + 3 * width]
    return int.from_bytes(said, "little") + int.from_bytes(head[start : start + width], "little")


def _end_of_gguf(model: Model) -> int:
    """The end of the last tensor, filled up."""
    places = [tensor.place for tensor in model.tensors.values() if not tensor.place.file]
    try:
        step = max(1, int(model.metadata.get("general.alignment", ALIGNMENT)))
    except ValueError:
        step = ALIGNMENT
    end = max((place.offset + place.size for place in places), default=1 << 62)
    return -(-end // step) * step
