"""HDF5 read so that nothing outside the opened file is ever reached.

HDF5 follows external links, soft links, raw external storage and virtual datasets without a word; here every component
of a path must be a hard link and every dataset must lie in the file itself. Sizes are compared with what is stored
before anything is allocated.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

from inspector.errors import FormatError
from inspector.formats._tensors import LARGEST, Array, numpy_dtype

OBJECTS = 500_000
DEPTH = 64
INFLATION = 1100
"""Deflate cannot shrink by more than about a thousand."""

FILTERS = frozenset({"gzip", "lzf", "szip"})
BROKEN = (OSError, KeyError, RuntimeError, ValueError, TypeError, OverflowError, AttributeError, NotImplementedError)
"""What h5py raises on hostile bytes."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A dataset: where it is and what it claims."""

    path: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    size: int


@dataclass(slots=True)
class Listing:
    """Everything in an HDF5 file.

    Attributes:
        datasets: By path, without a leading slash.
        names: The attribute `name` of groups, by path (Keras writes the layer's name there).
        attributes: Text attributes of the root.
        refused: Paths that were not followed, with the reason.
        broken: Whether the listing was cut short by damage or limits.
    """

    datasets: dict[str, Stored] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    broken: str = ""


@contextmanager
def hdf5(file: BinaryIO, what: str) -> Iterator[Any]:
    """An open HDF5 file.

    Raises:
        FormatError: It is none, or it is damaged.
    """
    import h5py

    try:
        opened = h5py.File(file, "r")
    except BROKEN as error:
        raise FormatError(f"{what} is damaged or incomplete.", hint="Fetch or copy the file again.") from error
    try:
        yield opened
    finally:
        opened.close()


def listing(opened: Any) -> Listing:
    """All groups and datasets that may be followed."""
    found = Listing()
    found.attributes = {str(key): text for key, value in _attributes(opened) if (text := _text(value)) is not None}
    _walk(opened, "", 0, found, set())
    return found


def _walk(group: Any, path: str, depth: int, found: Listing, seen: set[Any]) -> None:
    import h5py

    if depth > DEPTH or len(seen) > OBJECTS:
        found.broken = "it is nested too deeply or holds too many parts"
        return
    try:
        keys = list(group)
    except BROKEN as error:
        found.broken = str(error)[:100]
        return
    for key in keys:
        inner = f"{path}/{key}" if path else str(key)
        try:
            item = _member(group, key)
        except FormatError as error:
            found.refused.append(f"{inner[:200]}: {error.what}")
            continue
        try:
            address = h5py.h5o.get_info(item.id).addr
        except BROKEN as error:
            found.refused.append(f"{inner[:200]}: it is damaged ({str(error)[:80]})")
            continue
        if isinstance(item, h5py.Group) and address not in seen:
            seen.add(address)
            name = dict(_attributes(item)).get("name")
            if (text := _text(name)) is not None:
                found.names[inner] = text
            _walk(item, inner, depth + 1, found, seen)
        elif isinstance(item, h5py.Dataset):
            _dataset(item, inner, found)


def _attributes(item: Any) -> list[tuple[str, Any]]:
    try:
        return list(item.attrs.items())[:1000]
    except BROKEN:
        return []


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")[:4096]
    return value[:4096] if isinstance(value, str) else None


def _member(group: Any, key: str) -> Any:
    """A member reached by a hard link.

    Raises:
        FormatError: It is another kind of link, or damaged.
    """
    import h5py

    try:
        link = group.get(key, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise FormatError("it is a link that leads elsewhere")
        return group[key]
    except BROKEN as error:
        raise FormatError(f"it is damaged ({str(error)[:80]})") from error


def _dataset(item: Any, path: str, found: Listing) -> None:
    try:
        reason = _refusal(item)
        if reason:
            found.refused.append(f"{path[:200]}: {reason}")
            return
        offset = item.id.get_offset()
        found.datasets[path] = Stored(
            path, _dtype(item), tuple(map(int, item.shape)), int(offset or 0), int(item.id.get_storage_size())
        )
    except BROKEN as error:
        found.refused.append(f"{path[:200]}: it is damaged ({str(error)[:80]})")


def _refusal(item: Any) -> str:
    """Why a dataset is not read; empty where it may be."""
    if item.shape is None:
        return "it is empty"
    if item.external:
        return "its values lie in another file"
    if item.is_virtual:
        return "its values are views of other files"
    if item.compression is not None and item.compression not in FILTERS:
        return "it is compressed by a filter that we do not know"
    claimed, stored = item.size * item.dtype.itemsize, item.id.get_storage_size()
    if claimed > max(1 << 26, stored * INFLATION) or claimed > LARGEST:
        return f"it claims {claimed:,} bytes and stores {stored:,}"
    return ""


def _dtype(item: Any) -> str:
    given = _text(dict(_attributes(item)).get("dtype"))
    if item.dtype.kind == "V" and item.dtype.itemsize == 2 and given in (None, "bfloat16"):
        return "bfloat16"
    if item.dtype.kind in "SO":
        return "string"
    return str(item.dtype.newbyteorder("=").name)


def values(opened: Any, path: str) -> Array:
    """The values of a dataset, its path checked component by component.

    Raises:
        FormatError: It may not be read, or is damaged.
    """
    import h5py

    item = opened
    for key in path.split("/"):
        if not isinstance(item, h5py.Group):
            raise FormatError(f"The values at {path[:200]!r} are not in the file.")
        item = _member(item, key)
    if not isinstance(item, h5py.Dataset):
        raise FormatError(f"The values at {path[:200]!r} are not in the file.")
    try:
        reason = _refusal(item)
        if reason:
            raise FormatError(f"The values at {path[:200]!r} were not read: {reason}.")
        array = np.asarray(item[()])
        kind = _dtype(item)
        if kind == "bfloat16":
            return np.ascontiguousarray(array).view(numpy_dtype(kind))
        return np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="))).reshape(array.shape)
    except BROKEN as error:
        raise FormatError(
            f"The values at {path[:200]!r} are damaged ({str(error)[:80]}).", hint="Fetch or copy the file again."
        ) from error
