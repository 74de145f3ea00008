"""The picture of a slice, worked out for the eye: its scale of colours, and what each cell says."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inspector.viewmodels import words
from inspector.worker.tasks.tensor_map import TensorMap

Which = Literal["mean", "low", "high"]
OUTLIERS = 99.5
"""The scale ends at this percentile of the magnitudes where the greatest would make all others pale."""
LEVELS = 251
"""Colours; the middle one is zero."""
STRANGE, NOTHING = 254, 255
"""Levels of cells with NaN or infinities, and of those without a number."""
NAN, INF, GAP = 1, 2, 4


def _check(source: TensorMap) -> None:
    """See that the dimensions are those of the tensor: what a worker says is not believed.

    Raises:
        ValueError: They are not.
    """
    rank = len(source.shape)
    within = all(-1 <= dim < rank for dim in (source.rows, source.columns, *source.tiled))
    tiled = source.tiles != (0, 0)
    if not within or len(source.at) != rank or ((rank > 1 or tiled) and min(source.rows, source.columns) < 0):
        raise ValueError("its dimensions are not those of the tensor")
    if min(source.extent) < 0 or min(source.shape, default=1) < 0:
        raise ValueError("it has negative sizes")


class Heat:
    """A picture as arrays of height × width.

    Attributes:
        source: What the worker gave.
        exact: Whether each cell is one value.
        limit: The magnitude at which the colours end, both ways.
        clipped: Whether there are values beyond it.
        has_nan, has_inf: Whether any cell has such values.
    """

    def __init__(self, source: TensorMap) -> None:
        self.source = source
        _check(source)
        size = (source.height, source.width)
        self.mean, self.low, self.high = (
            np.frombuffer(data, "<f8").reshape(size) for data in (source.mean, source.low, source.high)
        )
        self.odd: NDArray[np.uint8] = np.frombuffer(source.odd, np.uint8).reshape(size)
        self.exact = source.extent == size and not source.sampled
        self.has_nan = bool((self.odd & NAN).any())
        self.has_inf = bool((self.odd & INF).any())
        self.which: Which = "mean"
        self.limit, self.clipped = 1.0, False
        self._scale()

    def choose(self, which: Which) -> None:
        """Colour the cells by their mean, least or greatest value."""
        self.which = which
        self._scale()

    def _scale(self) -> None:
        shown = self.shown
        sizes = np.abs(shown[np.isfinite(shown)])
        most = float(sizes.max()) if sizes.size else 0.0
        usual = float(np.percentile(sizes, OUTLIERS)) if sizes.size else 0.0
        self.clipped = usual > 0 and most > 2 * usual
        self.limit = (usual if self.clipped else most) or 1.0

    @property
    def shown(self) -> NDArray[np.float64]:
        """The figure that colours the cells."""
        return {"mean": self.mean, "low": self.low, "high": self.high}[self.which]

    def levels(self) -> NDArray[np.uint8]:
        """Colours of the cells: 0 for -limit and below, LEVELS - 1 for limit and above; or STRANGE or NOTHING."""
        half = (LEVELS - 1) / 2
        with np.errstate(invalid="ignore", over="ignore"):
            scaled = np.rint(np.clip(self.shown / self.limit, -1, 1) * half + half)
        found = np.where(np.isfinite(scaled), scaled, NOTHING)
        return np.where(self.odd & (NAN | INF), STRANGE, found).astype(np.uint8)

    def index(self, row: int, column: int) -> tuple[tuple[int, int], ...] | None:
        """Which elements a cell shows: first and last index in each dimension; None between tiles."""
        source = self.source
        found = [(at, at) for at in source.at]
        if source.tiles != (0, 0):
            high, wide = source.shape[source.rows] + 1, source.shape[source.columns] + 1
            if row % high == high - 1 or column % wide == wide - 1:
                return None
            places = {source.rows: row % high, source.columns: column % wide}
            for dim, tile in zip(source.tiled, (row // high, column // wide), strict=True):
                if dim >= 0:
                    places[dim] = source.at[dim] + tile
            for dim, place in places.items():
                found[dim] = (place, place)
            return tuple(found)
        for dim, place, cells, size in (
            (source.rows, row, source.height, source.extent[0]),
            (source.columns, column, source.width, source.extent[1]),
        ):
            if dim >= 0:
                found[dim] = (place * size // cells, (place + 1) * size // cells - 1)
        return tuple(found)

    def place(self, row: int, column: int) -> str:
        """Where a cell lies, as one writes an index: `[3, 128–131]`; empty between tiles."""
        found = self.index(row, column)
        if found is None:
            return ""
        return f"[{', '.join(str(a) if a == b else f'{a}–{b}' for a, b in found)}]"

    def text(self, row: int, column: int) -> str:
        """What a cell says: its place and its value or values."""
        place = self.place(row, column)
        if not place:
            return ""
        odd = int(self.odd[row, column])
        strange = [name for bit, name in ((NAN, "NaN"), (INF, "infinite")) if odd & bit]
        mean, low, high = (float(each[row, column]) for each in (self.mean, self.low, self.high))
        if not np.isfinite(mean):
            return f"{place}  {' and '.join(strange) or 'no number'}"
        if low == high:
            said = f"{mean:.6g}"
        else:
            said = f"mean {words.figure(mean)}, {words.figure(low)} … {words.figure(high)}"
        return f"{place}  {said}{', some ' + ' and '.join(strange) if strange else ''}"

    def number(self, row: int, column: int) -> int | None:
        """The first element of a cell, counted in C order."""
        found = self.index(row, column)
        if found is None:
            return None
        number = 0
        for size, (first, _) in zip(self.source.shape, found, strict=True):
            number = number * size + first
        return number

    def ends(self) -> tuple[str, str]:
        """What stands at the ends of the scale."""
        text = f"{self.limit:.3g}"
        return (f"≤ -{text}", f"≥ {text}") if self.clipped else (f"-{text}", text)

    def caption(self) -> str:
        """What the picture shows, in a sentence."""
        strange = " and ".join(name for has, name in ((self.has_nan, "NaN"), (self.has_inf, "infinite")) if has)
        return f"{self._extent()}{f', {strange} marked' if strange else ''}"

    def _extent(self) -> str:
        source = self.source
        if source.tiles != (0, 0):
            down, across = source.tiles
            of = [source.shape[dim] if dim >= 0 else 1 for dim in source.tiled]
            all_of = "" if (down, across) == tuple(of) else f" of {of[0]:,}{words.TIMES}{of[1]:,}"
            kernel = f"{source.shape[source.rows]}{words.TIMES}{source.shape[source.columns]}"
            return f"{down:,}{words.TIMES}{across:,}{all_of} tiles of {kernel}"
        down, across = source.extent
        if self.exact:
            return f"{down:,}{words.TIMES}{across:,} values"
        size = f"{-(-down // source.height):,}{words.TIMES}{-(-across // source.width):,}"
        return f"{down:,}{words.TIMES}{across:,} values, up to {size} to a cell{', sampled' if source.sampled else ''}"
