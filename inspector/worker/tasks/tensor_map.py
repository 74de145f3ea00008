"""A slice of a tensor as a picture: each cell with the mean, the least and the greatest of the values it covers.

Kernels of a convolution are shown as tiles: the two dimensions that are shown are small, and two others are laid out
around them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from inspector.errors import InspectorError
from inspector.ir.text import inert
from inspector.worker.tasks._document import document
from inspector.worker.tasks._figures import has_figures, reals
from inspector.worker.tasks._plane import GAP, INF, NAN, Picture, Plane, picture
from inspector.worker.tasks._task import Context, Task
from inspector.worker.tasks._values import Values, values

CELLS = 256
"""Most cells in each direction."""
TILE = 32
"""Dimensions up to this size can be those of a tile."""
KERNEL = 15
"""Sizes up to which the dimensions of space are those of a kernel."""
SPACE = {"keras": (0, 1), "tf": (0, 1), "tfjs": (0, 1), "tflite": (1, 2)}
"""Where kernels have their dimensions of space, by the first word of a format's id; elsewhere they are the last."""
TILED = 112
"""Most cells in each direction of a picture of tiles: their cells must be told apart."""


class TensorMapArgs(msgspec.Struct, frozen=True):
    """Which slice of which tensor.

    Attributes:
        rows, columns: Dimensions that are shown; -1 leaves the choice to the worker.
        at: Indices in the other dimensions (entries of the shown ones are ignored); empty for the first.
        tiles: Lay out tiles; None where that is what kernels are usually shown as.
        cells: Most cells in each direction, 256 at most.
        real: As in `TensorArgs`.
    """

    name: str
    rows: int = -1
    columns: int = -1
    at: tuple[int, ...] = ()
    tiles: bool | None = None
    cells: int = CELLS
    real: bool | None = None


class TensorMap(msgspec.Struct, frozen=True):
    """A picture of a slice.

    Attributes:
        rows, columns: Dimensions shown; -1 where the tensor has none.
        at: Index in every dimension; of the shown ones 0, of those laid out as tiles that of the first tile.
        height, width: Cells; 0 where there is nothing to show.
        extent: Elements that the picture covers, down and across.
        mean, low, high: float64 of each cell, row by row, little endian; NaN where it has no finite value.
        odd: A byte for each cell: 1 NaN, 2 infinity, 4 no value (between tiles).
        sampled: Whether only some of the values of a cell were looked at.
        can_tile: Whether tiles can be laid out for these dimensions.
        tiles: Tiles down and across, (0, 0) without; `tiled` are the dimensions laid out, -1 for none.
    """

    name: str
    shape: tuple[int, ...]
    rows: int
    columns: int
    at: tuple[int, ...]
    height: int
    width: int
    extent: tuple[int, int]
    mean: bytes
    low: bytes
    high: bytes
    odd: bytes
    sampled: bool = False
    can_tile: bool = False
    tiles: tuple[int, int] = (0, 0)
    tiled: tuple[int, int] = (-1, -1)
    real: bool = False


def run(args: TensorMapArgs, context: Context) -> TensorMap:
    """Paint it, in numbers."""
    opened = document(context)
    tensor = opened.tensor(args.name)
    context.report(None, f"Reading {inert(tensor.name)}")
    found = values(opened, tensor, args.real)
    if not has_figures(found.dtype):
        raise InspectorError("There is no picture of strings.", "Read them in the list of values.")
    rank = len(found.shape)
    rows, columns = _shown(found.shape, args.rows, args.columns, SPACE.get(opened.format.id.partition(".")[0], (2, 3)))
    at = tuple(
        min(max(0, args.at[dim]), max(0, size - 1)) if dim < len(args.at) and dim not in (rows, columns) else 0
        for dim, size in enumerate(found.shape)
    )
    can_tile = rank > 2 and max(found.shape[rows], found.shape[columns]) <= TILE and found.size > 0
    in_tile = found.shape[rows] * found.shape[columns] if can_tile else 0
    tiles = can_tile and (1 < in_tile < found.size if args.tiles is None else args.tiles)
    most = min(max(1, args.cells), CELLS)
    tiled, grid = (-1, -1), (0, 0)
    if tiles:
        drawn, tiled, grid = _tiles(found, rows, columns, at, most)
        at = tuple(
            min(index, found.shape[dim] - grid[tiled.index(dim)]) if dim in tiled else index
            for dim, index in enumerate(at)
        )
    elif rank < 2 or rows < columns:
        drawn = picture(Plane(found, rows, columns, at), most)
    else:
        drawn = _turned(picture(Plane(found, columns, rows, at), most))
    height, width = drawn.mean.shape
    return TensorMap(
        name=inert(tensor.name),
        shape=found.shape,
        rows=rows,
        columns=columns,
        at=at,
        height=height,
        width=width,
        extent=(drawn.rows, drawn.columns),
        mean=_packed(drawn.mean),
        low=_packed(drawn.low),
        high=_packed(drawn.high),
        odd=drawn.odd.tobytes(),
        sampled=drawn.sampled,
        can_tile=can_tile,
        tiles=grid,
        tiled=tiled,
        real=found.real,
    )


def _shown(shape: Sequence[int], rows: int, columns: int, space: tuple[int, int]) -> tuple[int, int]:
    """The dimensions to show: those asked for, where they make sense; of kernels those of space."""
    rank = len(shape)
    if rank < 2:
        return -1, rank - 1
    if 0 <= rows < rank and 0 <= columns < rank and rows != columns:
        return rows, columns
    if rank == 4:
        high, wide = (shape[dim] for dim in space)
        if high == wide == 1:
            others = [dim for dim in range(4) if dim not in space]
            return others[0], others[1]
        if 0 < high <= KERNEL and 0 < wide <= KERNEL:
            return space
    return rank - 2, rank - 1


def _tiles(
    found: Values, rows: int, columns: int, at: tuple[int, ...], most: int
) -> tuple[Picture, tuple[int, int], tuple[int, int]]:
    """Small planes beside each other: down the first other dimension, across the last one, with a gap between."""
    shape = found.shape
    others = sorted(
        (dim for dim in range(len(shape)) if dim not in (rows, columns)), key=lambda dim: (-shape[dim], dim)
    )
    down, across = (others[0], -1) if len(others) == 1 else sorted(others[:2])
    if across >= 0 and rows < down:  # space first (Keras): the channels that go out come last
        down, across = across, down
    high, wide = shape[rows] + 1, shape[columns] + 1
    most = min(most, TILED)
    grid = (
        min(shape[down], max(1, (most + 1) // high)),
        min(shape[across], max(1, (most + 1) // wide)) if across >= 0 else 1,
    )
    cells = np.full((grid[0] * high - 1, grid[1] * wide - 1), np.nan)
    odd = np.full(cells.shape, GAP, np.uint8)
    for top in range(grid[0]):
        for left in range(grid[1]):
            index = list(at)
            index[down] = min(at[down], shape[down] - grid[0]) + top
            if across >= 0:
                index[across] = min(at[across], shape[across] - grid[1]) + left
            tile = _tile(found, rows, columns, tuple(index))
            place = slice(top * high, top * high + high - 1), slice(left * wide, left * wide + wide - 1)
            cells[place] = np.where(np.isfinite(tile), tile, np.nan)
            odd[place] = np.where(np.isnan(tile), NAN, np.where(np.isinf(tile), INF, 0))
    return Picture(cells, cells, cells, odd, *cells.shape), (down, across), grid


def _tile(found: Values, rows: int, columns: int, at: tuple[int, ...]) -> Any:
    first, second = min(rows, columns), max(rows, columns)
    plane = Plane(found, first, second, at)
    tile = reals(plane.rows(0, plane.shape[0]))
    return tile if rows < columns else tile.T


def _turned(drawn: Picture) -> Picture:
    return Picture(
        drawn.mean.T, drawn.low.T, drawn.high.T, drawn.odd.T, drawn.columns, drawn.rows, drawn.sampled
    )  # fmt: skip


def _packed(cells: Any) -> bytes:
    return np.ascontiguousarray(cells, "<f8").tobytes()


TASK = Task("tensor_map", TensorMapArgs, TensorMap, run)
