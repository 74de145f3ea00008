"""HDF5 read so that nothing outside the opened file is ever reached.

HDF5 follows external links, soft links, raw external storage and virtual datasets without a word; here every component
of a path must be a hard link and every dataset must lie in the file itself. Sizes are compared with what is stored
before anything is allocated. Some damage sends the library round in circles for ever (a broken heap of strings of
variable length), where no exception and no signal handler reaches it: reading has an alarm, which ends the process.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from typing import Any, BinaryIO

import numpy as np

from inspector.errors import FormatError
from inspector.formats._tensors import LARGEST, Array, numpy_dtype

OBJECTS = 200_000
"""Most parts of a file that are listed."""

DEPTH = 64
INFLATION = 1100
"""Deflate cannot shrink by more than about a thousand."""

FILTERS = frozenset({1, 2, 3, 4, 5, 6, 32000})
"""Filters that the library has in itself; for any other it would look for a plug-in to load."""

NOTHING = 2
"""HDF5's number for a dataset without a size (H5S_NULL)."""

STRUCTURE, VALUES = 20.0, 600.0
"""Seconds that reading may take; structure is read in one or two, gigabytes of compressed values in a minute."""

SOURCES = 1000
"""Parts of which a dataset may be a view."""

STAYS = "What lies outside of the file, or is not what it says, is not read."

ROW = 1 << 22
"""Elements of a row that is read for a few of them."""

WORDS = 1 << 16
"""Bytes of an attribute that is a name."""

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
        refused: Paths that were not followed, with the reason.
        broken: Whether the listing was cut short by damage or limits.
    """

    datasets: dict[str, Stored] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    broken: str = ""


@contextmanager
def hdf5(file: BinaryIO, what: str) -> Iterator[Any]:
    """An open HDF5 file.

    Raises:
        FormatError: It is none, or it is damaged.
    """
    import h5py

    with _alarm(STRUCTURE):
        try:
            opened = h5py.File(file, "r")
        except BROKEN as error:
            raise FormatError(f"{what} is damaged or incomplete.", hint="Fetch or copy the file again.") from error
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """End the process where what is inside takes too long; where somebody else has an alarm, that one is left."""
    if not hasattr(signal, "setitimer") or signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL:
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def listing(opened: Any) -> Listing:
    """All groups and datasets that may be followed."""
    import h5py

    found = Listing()
    try:
        root = h5py.h5o.get_info(opened.id).addr
    except BROKEN as error:
        found.broken = str(error)[:100]
        return found
    _walk(opened.id, "", 0, found, {root})
    return found


def _walk(group: Any, path: str, depth: int, found: Listing, seen: set[Any]) -> None:
    """Go through a group, by the library's own handles: there may be a hundred thousand parts."""
    from h5py import h5d, h5g, h5o

    try:
        keys = list(group)
    except BROKEN as error:
        found.broken = str(error)[:100]
        return
    for key in keys:
        if depth > DEPTH or len(seen) + len(found.datasets) + len(found.refused) > OBJECTS:
            found.broken = "it is nested too deeply or holds too many parts"
            return
        inner = f"{path}/{_name(key)}" if path else _name(key)
        try:
            item = _step(group, key)
            address = h5o.get_info(item).addr
        except FormatError as error:
            found.refused.append(f"{inner[:200]}: {error.what}")
            continue
        except BROKEN as error:
            found.refused.append(f"{inner[:200]}: it is damaged ({str(error)[:80]})")
            continue
        if isinstance(item, h5g.GroupID) and address not in seen:
            seen.add(address)
            if (text := _attribute(item, b"name")) is not None:
                found.names[inner] = text
            _walk(item, inner, depth + 1, found, seen)
        elif isinstance(item, h5d.DatasetID):
            _dataset(item, inner, found)


def _name(key: bytes) -> str:
    return key.decode("utf-8", "surrogateescape")


def _attribute(item: Any, key: bytes) -> str | None:
    """A text attribute; None where there is none, or it is too long for a name."""
    from h5py import AttributeManager, h5a

    try:
        if not h5a.exists(item, key) or h5a.open(item, key).get_storage_size() > WORDS:
            return None
        if not is_text(h5a.open(item, key)):
            return None
        holder = type("Holder", (), {"id": item})()
        value = AttributeManager(holder)[_name(key)]
    except BROKEN:
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")[:4096]
    return value[:4096] if isinstance(value, str) else None


def is_text(item: Any) -> bool:
    """Whether an attribute or a dataset is of texts.

    Nothing else of variable length is read: where its type is damaged so that it is neither text nor sequence, libhdf5
    1.14.6 takes reading for writing and ends the process (`H5T__conv_vlen` calls `H5VL_blob_put` without a file).
    """
    from h5py import h5t

    return isinstance(item.get_type(), h5t.TypeStringID)


def _step(group: Any, key: bytes) -> Any:
    """The handle of a member that is reached by a hard link.

    Raises:
        FormatError: It is another kind of link, or damaged.
    """
    from h5py import h5l, h5o

    try:
        if group.links.get_info(key).type != h5l.TYPE_HARD:
            raise FormatError("it is a link that leads elsewhere")
        return h5o.open(group, key)
    except BROKEN as error:
        raise FormatError(f"it is damaged ({str(error)[:80]})") from error


def _dataset(item: Any, path: str, found: Listing) -> None:
    try:
        kind, shape = item.dtype, item.shape
        reason = _refusal(item, kind, shape)
        if reason:
            found.refused.append(f"{path[:200]}: {reason}")
            return
        offset, size = int(item.get_offset() or 0), int(item.get_storage_size())
        found.datasets[path] = Stored(path, _dtype(item, kind), tuple(map(int, shape)), offset, size)
    except BROKEN as error:
        found.refused.append(f"{path[:200]}: it is damaged ({str(error)[:80]})")


def _refusal(item: Any, kind: np.dtype[Any], shape: tuple[int, ...] | None) -> str:
    """Why a dataset is not read; empty where it may be."""
    from h5py import h5d

    made = item.get_create_plist()
    if shape is None or item.get_space().get_simple_extent_type() == NOTHING:
        return "it is empty"
    if kind.hasobject and not is_text(item):
        return "its values are of a kind that we do not know"
    if made.get_external_count():
        return "its values lie in another file"
    stored = item.get_storage_size()
    if made.get_layout() == h5d.VIRTUAL:
        reason, stored = _views(item, made)
        if reason:
            return reason
    strange = {int(made.get_filter(at)[0]) for at in range(made.get_nfilters())} - FILTERS
    if strange:
        return f"it is compressed by a filter that we do not know ({min(strange)})"
    claimed = prod(shape) * kind.itemsize
    if claimed > max(1 << 26, stored * INFLATION) or claimed > LARGEST:
        return f"it claims {claimed:,} bytes and stores {stored:,}"
    return ""


def _views(item: Any, made: Any) -> tuple[str, int]:
    """Why a view is not read (nothing where it is of plain datasets of the same file), and the bytes it is made of."""
    from h5py import h5d, h5i

    count, stored = made.get_virtual_count(), 0
    if count > SOURCES:
        return f"it is a view of {count:,} parts", 0
    for at in range(count):
        if made.get_virtual_filename(at) != ".":
            return "its values are views of other files", 0
        try:
            part = reach(h5i.get_file_id(item), made.get_virtual_dsetname(at))
        except FormatError:
            return "its values are views of what may not be reached", 0
        if not isinstance(part, h5d.DatasetID) or part.get_create_plist().get_layout() == h5d.VIRTUAL:
            return "its values are views of views", 0
        reason = _refusal(part, part.dtype, part.shape)
        if reason:
            return f"its values are views of others: {reason}", 0
        stored += part.get_storage_size()
    return "", stored


def _dtype(item: Any, kind: np.dtype[Any]) -> str:
    if kind.kind == "V" and kind.itemsize == 2 and _attribute(item, b"dtype") in (None, "bfloat16"):
        return "bfloat16"
    if kind.kind in "SO":
        return "string"
    return str(kind.newbyteorder("=").name)


def reach(handle: Any, path: str) -> Any:
    """The handle of what stands at a path, each step of it a hard link.

    Args:
        handle: Of the file or of a group.
        path: Names with slashes between.

    Raises:
        FormatError: There is nothing, or a link on the way leads elsewhere.
    """
    from h5py import h5g, h5o

    try:
        item = h5o.open(handle, b"/")
    except BROKEN as error:
        raise FormatError("The file is damaged.", hint="Fetch or copy the file again.") from error
    for key in path.strip("/").split("/"):
        if not isinstance(item, h5g.GroupID):
            raise FormatError(f"The values at {path[:200]!r} are not in the file.", hint=STAYS)
        try:
            item = _step(item, key.encode("utf-8", "surrogateescape"))
        except FormatError as error:
            raise FormatError(f"The values at {path[:200]!r} were not read: {error.what}.", hint=STAYS) from error
    return item


def group_at(opened: Any, path: str) -> Any:
    """A group of the file itself; None where there is none, or a link on the way leads elsewhere."""
    import h5py

    try:
        found = reach(opened.id, path)
    except FormatError:
        return None
    return h5py.Group(found) if isinstance(found, h5py.h5g.GroupID) else None


def values(opened: Any, path: str) -> Array:
    """The values of a dataset, its path checked component by component.

    Raises:
        FormatError: It may not be read, or is damaged.
    """
    return _read(opened, path, lambda item: np.asarray(item[()]))


def values_part(opened: Any, path: str, start: int, count: int) -> Array | None:
    """Some values of a dataset in C order, as an array of one dimension; only the rows that hold them are read.

    Returns:
        The values; None where a row along the first dimension is too large to be read for a few of them.

    Raises:
        FormatError: It may not be read, or is damaged.
    """

    def cut(item: Any) -> Array:
        row = prod(item.shape[1:])
        first, last = start // row, -(-(start + count) // row)
        return np.asarray(item[first:last]).reshape(-1)[start - first * row :][:count]

    shape = _dataset_at(opened, path).shape or ()
    row = prod(shape[1:])
    return _read(opened, path, cut) if shape and 0 < row <= ROW else None


def _dataset_at(opened: Any, path: str) -> Any:
    import h5py

    handle = reach(opened.id, path)
    if not isinstance(handle, h5py.h5d.DatasetID):
        raise FormatError(f"The values at {path[:200]!r} are not in the file.", hint=STAYS)
    return handle


def _read(opened: Any, path: str, take: Callable[[Any], Array]) -> Array:
    """What is taken of a dataset that may be read, in the machine's own byte order."""
    import h5py

    handle = _dataset_at(opened, path)
    try:
        reason = _refusal(handle, handle.dtype, handle.shape)
        if reason:
            raise FormatError(f"The values at {path[:200]!r} were not read: {reason}.", hint=STAYS)
        with _alarm(VALUES):
            array = take(h5py.Dataset(handle))
        kind = _dtype(handle, handle.dtype)
        if kind == "bfloat16":
            return np.ascontiguousarray(array).view(numpy_dtype(kind))
        return np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="))).reshape(array.shape)
    except BROKEN as error:
        raise FormatError(
            f"The values at {path[:200]!r} are damaged ({str(error)[:80]}).", hint="Fetch or copy the file again."
        ) from error
