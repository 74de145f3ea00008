"""HDF5 read so that nothing outside the opened file is ever reached, and by no library.

HDF5 itself follows external links, soft links, raw external storage and virtual datasets without a word; here every
component of a path must be a hard link and every dataset must lie in the file itself. Sizes are compared with what is
stored before anything is allocated. The library is not asked: damaged files crash libhdf5 1.14.6 (a text of variable
length whose type is damaged), or send it round in circles where no exception and no signal handler reaches it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from typing import BinaryIO

import numpy as np

from inspector.errors import FormatError
from inspector.formats._hdf5_bytes import Bytes, DamageError, UnreadError
from inspector.formats._hdf5_headers import TYPE
from inspector.formats._hdf5_layout import COMPACT, VIEW, WHOLE, Dataset, dataset, stored_size
from inspector.formats._hdf5_nodes import Hdf5, Link, Node
from inspector.formats._hdf5_values import KNOWN, rows, texts, whole
from inspector.formats._hdf5_views import parts, shown
from inspector.formats._tensors import LARGEST, Array, numpy_dtype

OBJECTS = 200_000
"""Most parts of a file that are listed."""

DEPTH = 64
INFLATION = 1100
"""Deflate cannot shrink by more than about a thousand."""

STAYS = "What lies outside of the file, or is not what it says, is not read."

ROW = 1 << 22
"""Elements of a row that is read for a few of them."""

WORDS = 1 << 16
"""Bytes of an attribute that is a name."""

AGAIN = "Fetch or copy the file again."


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
def hdf5(file: BinaryIO, what: str) -> Iterator[Hdf5]:
    """An open HDF5 file.

    Raises:
        FormatError: It is none, or it is damaged.
    """
    try:
        opened = Hdf5(Bytes(file))
    except DamageError as error:
        raise FormatError(f"{what} is damaged or incomplete.", hint=AGAIN) from error
    yield opened


def listing(opened: Hdf5) -> Listing:
    """All groups and datasets that may be followed."""
    found, root = Listing(), opened.root
    _walk(root, "", 0, found, {root.address})
    return found


def _walk(group: Node, path: str, depth: int, found: Listing, seen: set[int]) -> None:
    """Go through a group; there may be a hundred thousand parts."""
    try:
        links = group.links()
    except DamageError as error:
        found.broken = str(error)
        return
    named = Counter(link.name for link in links)
    for link in links:
        if depth > DEPTH or len(seen) + len(found.datasets) + len(found.refused) > OBJECTS:
            found.broken = "it is nested too deeply or holds too many parts"
            return
        inner = f"{path}/{_name(link.name)}" if path else _name(link.name)
        try:
            group.file.bytes.spend(1 + (len(inner) >> 4))
            if named[link.name] > 1 or not link.name or b"/" in link.name:
                raise FormatError("it has no name of its own")
            item = _step(group, link)
        except FormatError as error:
            found.refused.append(f"{inner[:200]}: {error.what}")
            continue
        except DamageError as error:
            found.broken = str(error)
            return
        if item.is_group and item.address not in seen:
            seen.add(item.address)
            if (text := _attribute(item, b"name")) is not None:
                found.names[inner] = text
            _walk(item, inner, depth + 1, found, seen)
        elif item.is_dataset:
            _dataset(item, inner, found)
        elif item.part(TYPE) is None and not item.is_group:
            found.refused.append(f"{inner[:200]}: it is damaged (it says nothing of what it is)")


def _name(key: bytes) -> str:
    return key.decode("utf-8", "surrogateescape")


def _attribute(item: Node, key: bytes) -> str | None:
    """A text attribute; None where there is none, or it is too long for a name."""
    try:
        attribute = item.attribute(key)
        value = attribute.text(WORDS) if attribute is not None else None
    except (DamageError, OverflowError):
        return None
    return value.decode("utf-8", "replace")[:4096] if value is not None else None


def _said(error: DamageError) -> str:
    return str(error) if isinstance(error, UnreadError) else f"it is damaged ({error})"


def _step(group: Node, link: Link) -> Node:
    """A member that is reached by a hard link.

    Raises:
        FormatError: It is another kind of link, or damaged.
    """
    if link.address < 0:
        raise FormatError("it is a link that leads elsewhere")
    try:
        return Node(group.file, link.address)
    except DamageError as error:
        raise FormatError(_said(error)) from error


def _dataset(item: Node, path: str, found: Listing) -> None:
    try:
        made = dataset(item)
        reason = _refusal(made)
        if reason:
            found.refused.append(f"{path[:200]}: {reason}")
            return
        offset = made.address if made.how == WHOLE and made.address >= 0 else 0
        found.datasets[path] = Stored(path, _dtype(made), made.shape or (), offset, stored_size(made))
    except DamageError as error:
        found.refused.append(f"{path[:200]}: {_said(error)}")


def _refusal(item: Dataset) -> str:
    """Why a dataset is not read; empty where it may be.

    Raises:
        DamageError: It cannot be told how much is stored of it.
    """
    if item.shape is None:
        return "it is empty"
    if item.outside:
        return "its values lie in another file"
    if item.how == VIEW:
        reason, stored = _views(item)
        if reason:
            return reason
    else:
        stored = stored_size(item)
    strange = {each.number for each in item.filters} - KNOWN
    if strange:
        return f"it is compressed by a filter that we do not know ({min(strange)})"
    claimed = prod(item.shape) * item.kind.size
    if claimed > max(1 << 26, stored * INFLATION) or claimed > LARGEST:
        return f"it claims {claimed:,} bytes and stores {stored:,}"
    if item.how == COMPACT or (item.how == WHOLE and item.address >= 0):
        if claimed > stored:
            return f"it claims {claimed:,} bytes and stores {stored:,}"
        if item.address + stored > item.file.size:
            return "it reaches beyond the end of the file"
    return ""


def _views(item: Dataset) -> tuple[str, int]:
    """Why a view is not read (nothing where it is of plain datasets of the same file), and the bytes it is made of."""
    stored = 0
    for part in parts(item):
        if part.file != ".":
            return "its values are views of other files", 0
        try:
            node = reach(item.node.file, part.path)
        except FormatError:
            return "its values are views of what may not be reached", 0
        plain = dataset(node) if node.is_dataset else None
        if plain is None or plain.how == VIEW:
            return "its values are views of views", 0
        reason = _refusal(plain)
        if reason:
            return f"its values are views of others: {reason}", 0
        stored += stored_size(plain)
    return "", stored


def _dtype(item: Dataset) -> str:
    if item.kind.name == "void16" and _attribute(item.node, b"dtype") in (None, "bfloat16"):
        return "bfloat16"
    return item.kind.name


def reach(opened: Hdf5, path: str) -> Node:
    """What stands at a path from the root, each step of it a hard link.

    Args:
        opened: The file.
        path: Names with slashes between.

    Raises:
        FormatError: There is nothing, or a link on the way leads elsewhere.
    """
    item = opened.root
    for key in path.strip("/").split("/"):
        name = key.encode("utf-8", "surrogateescape")
        try:
            link = item.link(name) if item.is_group else None
        except DamageError as error:
            what = f"The values at {path[:200]!r} were not read: {_said(error)}."
            raise FormatError(what, hint=STAYS) from error
        if link is None:
            raise FormatError(f"The values at {path[:200]!r} are not in the file.", hint=STAYS)
        try:
            item = _step(item, link)
        except FormatError as error:
            raise FormatError(f"The values at {path[:200]!r} were not read: {error.what}.", hint=STAYS) from error
    return item


def group_at(opened: Hdf5, path: str) -> Node | None:
    """A group of the file itself; None where there is none, or a link on the way leads elsewhere."""
    try:
        found = reach(opened, path)
    except FormatError:
        return None
    return found if found.is_group else None


def values(opened: Hdf5, path: str) -> Array:
    """The values of a dataset, its path checked component by component.

    Raises:
        FormatError: It may not be read, or is damaged.
    """
    return _read(opened, path, _all)


def values_part(opened: Hdf5, path: str, start: int, count: int) -> Array | None:
    """Some values of a dataset in C order, as an array of one dimension; only the rows that hold them are read.

    Returns:
        The values; None where a row along the first dimension is too large to be read for a few of them.

    Raises:
        FormatError: It may not be read, or is damaged.
    """
    fits = True

    def cut(item: Dataset) -> Array:
        nonlocal fits
        shape = item.shape or ()
        row = prod(shape[1:])
        fits = bool(shape) and 0 < row <= ROW and item.how != VIEW
        if not fits:
            return np.empty(0, item.kind.numpy)
        first, last = start // row, -(-(start + count) // row)
        return rows(item, first, min(last, shape[0])).reshape(-1)[start - first * row :][:count]

    found = _read(opened, path, cut)
    return found if fits else None


def _all(item: Dataset) -> Array:
    """All values of a dataset as they are stored."""
    if item.how != VIEW:
        return whole(item)
    return shown(item, lambda path: _all(dataset(reach(item.node.file, path))))


def _read(opened: Hdf5, path: str, take: Callable[[Dataset], Array]) -> Array:
    """What is taken of a dataset that may be read, in the machine's own byte order."""
    node = reach(opened, path)
    if not node.is_dataset:
        raise FormatError(f"The values at {path[:200]!r} are not in the file.", hint=STAYS)
    try:
        item = dataset(node)
        reason = _refusal(item)
        if reason:
            raise FormatError(f"The values at {path[:200]!r} were not read: {reason}.", hint=STAYS)
        array = take(item)
        kind = _dtype(item)
        if item.kind.texts == 2:
            return texts(item, array)
        if kind == "bfloat16":
            return np.ascontiguousarray(array).view(numpy_dtype(kind))
        return np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="))).reshape(array.shape)
    except DamageError as error:
        raise FormatError(f"The values at {path[:200]!r} were not read: {_said(error)}.", hint=AGAIN) from error
