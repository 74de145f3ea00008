"""Datasets that are views of others (HDF5 file format specification 3.0, VII.F): which parts, and the values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from inspector.formats._hdf5_bytes import Bytes, Cursor, DamageError, UnreadError
from inspector.formats._hdf5_layout import Dataset
from inspector.formats._hdf5_values import empty
from inspector.formats._tensors import Array

SOURCES = 1000
"""Parts of which a dataset may be a view."""

OLD = "its values are views of a kind that is not read"
Axis = tuple[int, int, int, int]
"""Of a choice along a dimension: the first element, the step, how many blocks, and how long each is."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a view; a choice of None is all."""

    file: str
    path: str
    there: tuple[Axis, ...] | None
    here: tuple[Axis, ...] | None


def parts(item: Dataset) -> list[Part]:
    """What a view shows.

    Raises:
        DamageError: It cannot be told.
    """
    place = item.file.within(item.held)
    data = item.file.within(item.node.file.texts.get(place.address(), place.number(4)))
    version, count = data.number(1), data.length()
    if version:
        raise UnreadError(OLD)
    if count > SOURCES:
        raise DamageError(f"it is a view of {count:,} parts")
    found = []
    for _ in range(count):
        file, path = (data.word().decode("utf-8", "surrogateescape") for _ in range(2))
        found.append(Part(file, path, _choice(data, item.file), _choice(data, item.file)))
    return found


def _choice(data: Cursor, file: Bytes) -> tuple[Axis, ...] | None:
    """A choice of elements: all of them, or blocks at regular steps."""
    kind, version = data.number(4), data.number(4)
    if kind == 3:
        data.take(8)
        return None
    if kind != 2 or version not in (1, 2, 3):
        raise UnreadError(OLD)
    if version == 1:
        data.take(8)
        rank, count = data.number(4), data.number(4)
        if count != 1:
            raise UnreadError(OLD)
        starts, ends = ([data.number(4) for _ in range(rank)] for _ in range(2))
        return tuple((start, 1, 1, end - start + 1) for start, end in zip(starts, ends, strict=True))
    regular, width = data.number(1) & 1, 8
    if version == 3:
        width = data.number(1)
    else:
        data.take(4)
    if not regular:
        raise UnreadError(OLD)
    axes = [tuple(data.number(width) for _ in range(4)) for _ in range(data.number(4))]
    return tuple((start, step, count, block) for start, step, count, block in axes)


def shown(item: Dataset, read: Callable[[str], Array]) -> Array:
    """The values of a view.

    Args:
        item: The view.
        read: Gives the values at a path as they are stored.

    Raises:
        DamageError: What it shows is not there.
    """
    made, known = empty(item, item.shape or ()), dict[str, Array]()
    for part in parts(item):
        if part.path not in known:
            known[part.path] = read(part.path)
        values = _chosen(known[part.path], part.there)
        if values.dtype != made.dtype and "V" in (values.dtype.kind, made.dtype.kind):
            raise UnreadError(OLD)
        places = _places(made.shape, part.here)
        wanted = tuple(len(place) for place in places)
        if values.size != np.prod(wanted, dtype=object):
            raise DamageError("its values are views of parts that do not fit it")
        made[np.ix_(*places)] = values.reshape(wanted)
    return made


def _chosen(values: Array, choice: tuple[Axis, ...] | None) -> Array:
    return values[np.ix_(*_places(values.shape, choice))]


def _places(shape: tuple[int, ...], choice: tuple[Axis, ...] | None) -> list[Array]:
    """The chosen elements along each dimension."""
    if choice is None:
        return [np.arange(size) for size in shape]
    if len(choice) != len(shape):
        raise DamageError("its values are views of parts that do not fit it")
    places = []
    for size, (start, step, count, block) in zip(shape, choice, strict=True):
        if count and block and (count * block > size or start + (count - 1) * step + block > size):
            raise DamageError("its values are views of parts that do not fit it")
        blocks = start + step * np.arange(count if block else 0)
        places.append((blocks[:, None] + np.arange(block if count else 0)).reshape(-1))
    return places
