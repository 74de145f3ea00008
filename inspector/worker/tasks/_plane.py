"""Two dimensions of a tensor as a plane, and the plane as a picture of few cells, in bounded memory and time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.worker.tasks._figures import reals
from inspector.worker.tasks._values import Values

Reals = NDArray[np.float64]

READ = 1 << 24
"""Values that are read for one picture; of a larger plane each cell shows some of its rows."""
BAND = 1 << 21
"""Values worked on at once."""
LONG = 1 << 22
"""Values that are read for one row: of longer ones only pieces are."""
NAN, INF, GAP = 1, 2, 4
"""What a cell holds besides finite numbers, as bits; GAP is the room between tiles."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Cells of a plane: arrays of height × width.

    Attributes:
        mean, low, high: Of the finite values of each cell; NaN where there is none.
        odd: uint8 bits: NAN, INF, GAP.
        rows, columns: Size of the plane.
        sampled: Whether only some values of each cell were read.
    """

    mean: Reals
    low: Reals
    high: Reals
    odd: NDArray[np.uint8]
    rows: int
    columns: int
    sampled: bool = False


@dataclass(frozen=True, slots=True)
class Plane:
    """Two dimensions of a tensor, the first before the second, at an index in the others."""

    values: Values
    first: int
    second: int
    at: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns; a vector has one row, a scalar one cell."""
        shape = self.values.shape
        if len(shape) < 2:
            return 1, prod(shape)
        return shape[self.first], shape[self.second]

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        """Rows of the plane, as stored."""
        shape = self.values.shape
        height = stop - start
        if len(shape) < 2:
            return self.values.part(0, prod(shape)).reshape(1, -1)
        if self.values.whole is not None:
            index: list[Any] = list(self.at)
            index[self.first], index[self.second] = slice(start, stop), slice(None)
            return np.asarray(self.values.whole[tuple(index)])
        strides = [prod(shape[dim + 1 :]) for dim in range(len(shape))]
        base = sum(
            at * step
            for dim, (at, step) in enumerate(zip(self.at, strides, strict=True))
            if dim not in (self.first, self.second)
        )
        down, across = strides[self.first], strides[self.second]
        wide = shape[self.second]
        if across == 1 and down == wide:
            return self.values.part(base + start * down, height * wide).reshape(height, wide)
        span = (wide - 1) * across + 1
        lines = [self.values.part(base + row * down, span)[::across] for row in range(start, stop)]
        return np.stack(lines) if lines else np.zeros((0, wide))

    def piece(self, row: int, start: int, stop: int) -> NDArray[Any]:
        """Some columns of a row, as stored."""
        shape = self.values.shape
        if len(shape) < 2:
            return self.values.part(start, stop - start)
        strides = [prod(shape[dim + 1 :]) for dim in range(len(shape))]
        index = [*self.at]
        index[self.first], index[self.second] = row, start
        base = sum(at * step for at, step in zip(index, strides, strict=True))
        across = strides[self.second]
        return self.values.part(base, (stop - start - 1) * across + 1)[::across]

    @property
    def cost(self) -> int:
        """Values that are read for one row."""
        shape = self.values.shape
        if len(shape) < 2 or self.values.whole is not None:
            return self.shape[1]
        return (shape[self.second] - 1) * prod(shape[self.second + 1 :]) + 1


def picture(plane: Plane, most: int) -> Picture:
    """The plane in at most `most` × `most` cells, as even as can be."""
    rows, columns = plane.shape
    height, width = min(rows, most), min(columns, most)
    if not height or not width:
        empty = np.zeros((height, width))
        return Picture(empty, empty, empty, np.zeros((height, width), np.uint8), rows, columns)
    edges = [bounds(columns, width, at) for at in range(width)]
    if plane.cost > LONG:
        return _of_long_rows(plane, height, edges)
    per_cell = -(-rows // height)
    allowed = max(1, READ // max(1, plane.cost) // height)
    sampled = allowed < per_cell
    lines = [
        _cells(_bands(plane, *bounds(rows, height, at), min(allowed, per_cell)), edges, columns) for at in range(height)
    ]
    mean, low, high, odd = (np.stack([line[part] for line in lines]) for part in range(4))
    return Picture(mean, low, high, odd.astype(np.uint8), rows, columns, sampled)


def _of_long_rows(plane: Plane, height: int, edges: list[tuple[int, int]]) -> Picture:
    """A picture of rows of which not one can be read whole: each cell shows the first values of its middle row."""
    rows, columns = plane.shape
    apart = max(1, plane.cost // columns)
    each = max(1, READ // (height * len(edges) * apart))
    cells = []
    for at in range(height):
        row = sum(bounds(rows, height, at)) // 2
        pieces = [reals(plane.piece(row, start, min(stop, start + each))) for start, stop in edges]
        found = [_cells(iter([piece[None]]), [(0, piece.size)], piece.size) for piece in pieces]
        cells.append([np.concatenate([cell[part] for cell in found]) for part in range(4)])
    mean, low, high, odd = (np.stack([line[part] for line in cells]) for part in range(4))
    whole = each >= max(stop - start for start, stop in edges) and height == rows
    return Picture(mean, low, high, odd.astype(np.uint8), rows, columns, not whole)


def bounds(size: int, cells: int, at: int) -> tuple[int, int]:
    """First element of a cell, and the one after its last."""
    return at * size // cells, (at + 1) * size // cells


def _bands(plane: Plane, start: int, stop: int, allowed: int) -> Iterator[Reals]:
    """Rows of one line of cells, evenly spread where not all are allowed, a bounded number of values at once."""
    count = min(allowed, stop - start)
    if count == stop - start:
        each = max(1, BAND // max(1, plane.cost))
        for at in range(start, stop, each):
            yield reals(plane.rows(at, min(stop, at + each)))
    else:
        for number in range(count):
            row = start + (stop - start) * number // count
            yield reals(plane.rows(row, row + 1))


def _cells(bands: Iterator[Reals], edges: list[tuple[int, int]], columns: int) -> tuple[Any, Any, Any, Any]:
    """Mean, least, greatest, oddities of one line of cells."""
    total, count = np.zeros(columns), np.zeros(columns)
    low, high = np.full(columns, np.inf), np.full(columns, -np.inf)
    odd = np.zeros(columns, np.uint8)
    for band in bands:
        fine = np.isfinite(band)
        if not fine.all():
            odd |= np.where(np.isnan(band).any(0), NAN, 0).astype(np.uint8)
            odd |= np.where(np.isinf(band).any(0), INF, 0).astype(np.uint8)
            low = np.minimum(low, np.where(fine, band, np.inf).min(0))
            high = np.maximum(high, np.where(fine, band, -np.inf).max(0))
            total += np.where(fine, band, 0.0).sum(0)
        else:
            low, high = np.minimum(low, band.min(0)), np.maximum(high, band.max(0))
            total += band.sum(0)
        count += fine.sum(0)
    starts = np.array([start for start, _ in edges])
    counts = np.add.reduceat(count, starts)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = np.add.reduceat(total, starts) / counts
    none = counts == 0
    least, most = np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
    return mean, np.where(none, np.nan, least), np.where(none, np.nan, most), np.bitwise_or.reduceat(odd, starts)
