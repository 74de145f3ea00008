"""Statistics and texts of the values of a tensor, in pieces, so that a large one needs no second copy of itself.

Mean and variance of the pieces are joined by the formula of Chan, Golub and LeVeque (1979), which does not lose what
is small beside a large mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.ir.text import inert

PIECE = 1 << 20
"""Elements worked on at once."""

SAMPLE = 1 << 24
"""Elements that are looked at when a tensor is shown; of a larger one they are a sample."""
BLOCKS = 64
"""Places of a large tensor that its sample is taken from."""
BINS = 64
DISTINCT = 1 << 20
"""Elements among which different values are counted."""

Statistics = dict[str, float | int | None]
Array = NDArray[Any]


def sample(size: int) -> list[tuple[int, int]]:
    """Which elements are looked at: blocks (start, count), all of a tensor that is not large, else spread evenly."""
    if size <= SAMPLE:
        return [(0, size)]
    each = SAMPLE // BLOCKS
    return [((size - each) * number // (BLOCKS - 1), each) for number in range(BLOCKS)]


def has_figures(dtype: np.dtype[Any]) -> bool:
    """Whether values of this type are numbers."""
    return dtype.kind in "biufc" or _is_number(dtype)


class Tally:
    """Statistics of pieces that are given one after the other.

    Minimum, maximum, mean and standard deviation are of the finite values, None where there is none; `sparsity` is
    the share of zeros. Complex numbers are measured by their magnitude.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self.low, self.high = float("inf"), float("-inf")
        self._least: int | None = None
        self._most: int | None = None
        self.count = self.finite = self._zeros = self._nans = self._infs = 0
        self._mean = self._squares = 0.0

    def add(self, part: Array) -> None:
        """Count a piece in; one dimension."""
        for start in range(0, part.size, PIECE):
            self._add(part[start : start + PIECE])

    def _add(self, part: Array) -> None:
        piece = reals(part)
        self.count += piece.size
        fine = np.isfinite(piece)
        good = piece if fine.all() else piece[fine]
        if good.size != piece.size:
            self._nans += int(np.count_nonzero(np.isnan(piece)))
            self._infs += int(np.count_nonzero(np.isinf(piece)))
        if not good.size:
            return
        self._zeros += good.size - int(np.count_nonzero(good))
        self.low, self.high = min(self.low, float(good.min())), max(self.high, float(good.max()))
        if self._dtype.kind in "iu":  # beyond 2**53 a float is not exact
            least, most = int(part.min()), int(part.max())
            self._least = least if self._least is None else min(self._least, least)
            self._most = most if self._most is None else max(self._most, most)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(good.mean())
            squares = float(np.square(good - mean).sum())
            total, shift = self.finite + good.size, mean - self._mean
            self._squares += squares + shift * shift * (self.finite * good.size / total)
            self._mean += shift * (good.size / total)
        self.finite = total

    def statistics(self) -> Statistics:
        """What has come of it so far."""
        some = self.finite > 0
        spread = self._squares / self.finite if some else 0.0
        return {
            "min": self._plain(self.low, self._least) if some else None,
            "max": self._plain(self.high, self._most) if some else None,
            "mean": self._mean if some else None,
            "std": (sqrt(spread) if np.isfinite(spread) else float("inf")) if some else None,
            "sparsity": self._zeros / self.count if self.count else None,
            "nan": self._nans,
            "inf": self._infs,
        }

    def _plain(self, value: float, exact: int | None) -> float | int:
        if exact is not None:
            return exact
        return int(value) if self._dtype.kind == "b" or _is_small_integer(self._dtype) else value


class Bins:
    """Counts of the finite values between evenly spaced edges; none where the spread leaves no room for bins."""

    def __init__(self, low: float, high: float) -> None:
        self.edges: NDArray[np.float64] = np.zeros(0)
        self.counts: NDArray[np.int64] = np.zeros(0, np.int64)
        if not np.isfinite(high - low) or high - low > np.finfo(np.float64).max / 4:
            return
        if low == high:
            low, high = low - 0.5, high + 0.5
        edges = np.linspace(low, high, BINS + 1)
        if np.all(np.diff(edges) > 0):  # neighbours in floating point have no room between them
            self.edges, self.counts = edges, np.zeros(BINS, np.int64)

    def add(self, part: Array) -> None:
        """Count a piece in; one dimension."""
        if not self.edges.size:
            return
        for start in range(0, part.size, PIECE):
            piece = reals(part[start : start + PIECE])
            good = piece[np.isfinite(piece)]
            self.counts += np.histogram(good, BINS, (self.edges[0], self.edges[-1]))[0]


def measured(
    dtype: np.dtype[Any], parts: Callable[[], Iterable[Array]]
) -> tuple[Statistics, tuple[float, ...], tuple[int, ...]]:
    """Statistics of values, and edges and counts of their histogram; `parts` gives the values, and is called twice.

    Of strings it is told how many are empty, and how long the longest is.
    """
    if not has_figures(dtype):
        return _of_strings(parts()), (), ()
    tally = Tally(dtype)
    seen: list[Array] = []
    room = DISTINCT
    for part in parts():
        tally.add(part)
        if room > 0:
            seen.append(part[:room])
            room -= seen[-1].size
    statistics = tally.statistics()
    if tally.count:
        of = "distinct" if tally.count <= DISTINCT else f"distinct in {DISTINCT:,}"
        statistics[of] = int(np.unique(reals(np.concatenate(seen))).size)
    if not tally.finite:
        return statistics, (), ()
    bins = Bins(tally.low, tally.high)
    for part in parts():
        bins.add(part)
    return statistics, tuple(bins.edges.tolist()), tuple(bins.counts.tolist())


def _of_strings(parts: Iterable[Array]) -> Statistics:
    longest = empty = 0
    distinct: set[str] = set()
    for part in parts:
        for value in part.tolist():
            word = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            longest, empty = max(longest, len(word)), empty + (not word)
            if len(distinct) < DISTINCT:
                distinct.add(word)
    return {"distinct": len(distinct), "empty": empty, "longest": longest}


def reals(part: Array) -> NDArray[np.float64]:
    """Values as float64, complex ones by their magnitude."""
    with np.errstate(all="ignore"):  # a signalling NaN is one more NaN
        return (np.abs(part) if part.dtype.kind == "c" else part).astype(np.float64)


def _is_number(dtype: np.dtype[Any]) -> bool:
    """Whether numpy's void kind hides a number of ml_dtypes."""
    return dtype.kind in "Vf" and dtype.type.__module__.startswith("ml_dtypes")


def _is_small_integer(dtype: np.dtype[Any]) -> bool:
    return dtype.name in {"int2", "uint2", "int4", "uint4", "int1", "uint1"}


def texts(part: Array) -> Iterator[str]:
    """Values as texts, each of which reads back as the same number; one dimension."""
    plain = part.dtype.kind in "iubfcOSU" and not _is_number(part.dtype)
    return map(_writer(part.dtype), (part if plain else reals(part)).tolist())


def _writer(dtype: np.dtype[Any]) -> Callable[[Any], str]:
    match dtype.kind:
        case "b":
            return lambda value: "true" if value else "false"
        case "i" | "u":
            return str
        case "f" if dtype.itemsize == 8:
            return lambda value: f"{value:.17g}"
        case "f" if dtype.itemsize == 4:
            return lambda value: f"{value:.9g}"
        case "f" | "V":
            digits = 9 if dtype.itemsize == 1 else 6
            return lambda value: f"{value:.{digits}g}"
        case "c":
            parts = 17 if dtype.itemsize == 16 else 9
            return lambda value: f"{value.real:.{parts}g}{value.imag:+.{parts}g}i"
        case "S":
            return lambda value: inert(value.decode("utf-8", "replace"), 200)
        case _:
            return lambda value: inert(
                value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value), 200
            )
