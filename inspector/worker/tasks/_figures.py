"""Statistics and texts of the values of a tensor, in pieces, so that a large one needs no second copy of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.ir.text import inert

PIECE = 1 << 20
"""Elements worked on at once."""

BINS = 64

Statistics = dict[str, float | int | None]


def measured(array: NDArray[Any]) -> tuple[Statistics, tuple[float, ...], tuple[int, ...]]:
    """Statistics of an array, and edges and counts of its histogram.

    Minimum, maximum, mean and standard deviation are of the finite values, None where there is none; `sparsity` is
    the share of zeros. Complex numbers are measured by their magnitude. Strings have no statistics.
    """
    if array.dtype.kind in "OSUV" and not _is_number(array.dtype):
        return {}, (), ()
    low, high = np.inf, -np.inf
    total = 0.0
    finite = zeros = nans = infs = 0
    for piece in _pieces(array):
        good = piece[np.isfinite(piece)]
        zeros += int(np.count_nonzero(good == 0))
        nans += int(np.count_nonzero(np.isnan(piece)))
        infs += int(np.count_nonzero(np.isinf(piece)))
        finite += good.size
        if good.size:
            low, high = min(low, float(good.min())), max(high, float(good.max()))
            total += float(good.sum())
    mean = total / finite if finite else None
    statistics: Statistics = {
        "min": _plain(low, array.dtype) if finite else None,
        "max": _plain(high, array.dtype) if finite else None,
        "mean": mean,
        "std": _deviation(array, mean, finite) if mean is not None else None,
        "sparsity": zeros / array.size if array.size else None,
        "nan": nans,
        "inf": infs,
    }
    if not finite:
        return statistics, (), ()
    return statistics, *_histogram(array, low, high)


def _deviation(array: NDArray[Any], mean: float, finite: int) -> float:
    squares = 0.0
    for piece in _pieces(array):
        good = piece[np.isfinite(piece)]
        with np.errstate(over="ignore"):
            squares += float(np.square(good - mean).sum())
    return sqrt(squares / finite) if np.isfinite(squares) else float("inf")


def _histogram(array: NDArray[Any], low: float, high: float) -> tuple[tuple[float, ...], tuple[int, ...]]:
    if high - low > np.finfo(np.float64).max / 4 or not np.isfinite(high - low):
        return (), ()
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts = np.zeros(BINS, np.int64)
    edges = np.linspace(low, high, BINS + 1)
    if not np.all(np.diff(edges) > 0):  # neighbours in floating point: there is no room for bins
        return (), ()
    for piece in _pieces(array):
        counts += np.histogram(piece[np.isfinite(piece)], edges)[0]
    return tuple(edges.tolist()), tuple(counts.tolist())


def _pieces(array: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    flat = array.reshape(-1)
    for start in range(0, flat.size, PIECE):
        piece = flat[start : start + PIECE]
        yield (np.abs(piece) if piece.dtype.kind == "c" else piece).astype(np.float64)


def _plain(value: float, dtype: np.dtype[Any]) -> float | int:
    return int(value) if dtype.kind in "iub" and abs(value) < 2**53 else value


def _is_number(dtype: np.dtype[Any]) -> bool:
    """Whether numpy's void kind hides a number of ml_dtypes."""
    return dtype.kind == "V" and dtype.type.__module__.startswith("ml_dtypes")


def texts(array: NDArray[Any], start: int, count: int) -> tuple[str, ...]:
    """Some of the values in order of storage, each as text that reads back as the same number."""
    part = array.reshape(-1)[start : start + count]
    return tuple(map(_writer(part.dtype), part.tolist() if part.dtype.kind in "iubfcOSU" else part.astype(np.float64)))


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
            return lambda value: f"{float(value):.6g}"
        case "c":
            return lambda value: f"{value.real:.9g}{value.imag:+.9g}i"
        case "S":
            return lambda value: inert(value.decode("utf-8", "replace"), 200)
        case _:
            return lambda value: inert(
                value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value), 200
            )
