"""How far two arrays are apart, in every figure that people ask for.

NaN and infinities are handled exactly: the same one at the same place is equal, anything else is a difference of its
own, counted apart, so that one NaN does not turn every figure into NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.engines.parity.verdict import Histogram

SAMPLES, ALL_SAMPLES = 5000, 500_000
"""Values kept for the scatter plot: of one output, and of all together (they travel in one message)."""
BINS = 40
FLOOR = 1e-3
"""Relative errors are taken against at least this share of the largest value."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figures:
    """One pair of outputs over all feeds; fields are those of `OutputParity`, and two more.

    Attributes:
        odd: Places where one is NaN or infinite and the other is not the same.
        rms: Root mean square difference over root mean square of a.
    """

    max_abs: float = 0.0
    mean_abs: float = 0.0
    max_rel: float = 0.0
    cosine: float | None = None
    psnr: float | None = None
    snr: float | None = None
    argmax_agreement: float | None = None
    largest: float = 0.0
    nan_a: int = 0
    nan_b: int = 0
    inf_a: int = 0
    inf_b: int = 0
    worst: tuple[int, ...] = ()
    histogram: Histogram = field(default_factory=lambda: Histogram((), ()))
    sample_a: tuple[float, ...] = ()
    sample_b: tuple[float, ...] = ()
    odd: int = 0
    rms: float = 0.0


def figures(a: Sequence[NDArray[Any]], b: Sequence[NDArray[Any]], outputs: int = 1) -> Figures:
    """All figures of one output of so many: arrays of a and of b, one pair a feed, equal in shape."""
    if a[0].dtype.kind in "US" or b[0].dtype.kind in "US":
        return _texts(a, b)
    if "c" in (a[0].dtype.kind, b[0].dtype.kind):
        a, b = ([array.astype(np.complex128) for array in arrays] for arrays in (a, b))
    x, y = _flat(a), _flat(b)
    finite = np.isfinite(x) & np.isfinite(y)
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    odd = ~finite & ~same
    if all(array.dtype.kind in "iub" for array in (a[0], b[0])):
        odd |= same & _unequal(a, b)  # whole numbers beyond 2**53 that are one and the same as floats
    with np.errstate(invalid="ignore", over="ignore"):
        gap = np.where(finite, np.abs(y - x), 0.0)
    xs, ys, gaps = x[finite], y[finite], gap[finite]
    largest = float(np.abs(xs).max(initial=0.0))
    scale = np.maximum(np.abs(xs), FLOOR * largest)
    shown = int(np.argmax(odd)) if odd.any() else int(np.argmax(gap)) if gap.size else 0
    picked = _picked(len(x), shown, min(SAMPLES, max(2, ALL_SAMPLES // outputs)))
    return Figures(
        max_abs=float(gaps.max(initial=0.0)),
        mean_abs=float(gaps.mean()) if gaps.size else 0.0,
        max_rel=float(np.divide(gaps, scale, out=np.zeros_like(gaps), where=scale > 0).max(initial=0.0)),
        **_ratios(xs, ys, gaps),
        argmax_agreement=_argmax(a, b),
        largest=largest,
        nan_a=int(np.isnan(x).sum()),
        nan_b=int(np.isnan(y).sum()),
        inf_a=int(np.isinf(x).sum()),
        inf_b=int(np.isinf(y).sum()),
        worst=_place(a, shown) if gap.size and (odd.any() or gap[shown] > 0) else (),
        histogram=_histogram(gaps),
        sample_a=tuple(x[picked].tolist()),
        sample_b=tuple(y[picked].tolist()),
        odd=int(odd.sum()),
    )


def _flat(arrays: Sequence[NDArray[Any]]) -> Floats:
    """One flat float64 array; complex values as pairs of floats."""
    parts = []
    for array in arrays:
        array = np.ascontiguousarray(array)
        if array.dtype.kind == "c":
            array = array.astype(np.complex128).view(np.float64)
        parts.append(array.astype(np.float64).ravel())
    return np.concatenate(parts)


def _ratios(x: Floats, y: Floats, gap: Floats) -> dict[str, Any]:
    """Cosine, PSNR, SNR and relative root mean square; None where they would be infinite or mean nothing."""
    if not x.size:
        return {}
    power, error = float(np.mean(x * x)), float(np.mean(gap * gap))
    norms = float(np.linalg.norm(x) * np.linalg.norm(y))
    extent = float(x.max() - x.min())
    return {
        "cosine": min(1.0, float(x @ y) / norms) if norms > 0 and np.isfinite(norms) else None,
        "psnr": 10 * float(np.log10(extent**2 / error)) if error > 0 and extent > 0 else None,
        "snr": 10 * float(np.log10(power / error)) if error > 0 and power > 0 else None,
        "rms": float(np.sqrt(error / power)) if power > 0 else float(error > 0),
    }


def _argmax(a: Sequence[NDArray[Any]], b: Sequence[NDArray[Any]]) -> float | None:
    """Share of rows whose largest value stands at the same place; for floats of rank 2 with several columns."""
    if a[0].dtype.kind != "f" or a[0].ndim != 2 or a[0].shape[1] < 2:
        return None
    agree = [left.argmax(1) == right.argmax(1) for left, right in zip(a, b)]
    flat = np.concatenate(agree)
    return float(flat.mean()) if flat.size else None


def _histogram(gaps: Floats) -> Histogram:
    logs = np.log10(gaps[gaps > 0])
    if not logs.size:
        return Histogram((), ())
    low, high = float(np.floor(logs.min())), float(np.ceil(logs.max()))
    counts, edges = np.histogram(logs, bins=BINS, range=(low, high if high > low else low + 1))
    return Histogram(tuple(edges.tolist()), tuple(counts.tolist()))


def _picked(count: int, worst: int, most: int) -> NDArray[np.int64]:
    """Indices for the scatter plot, evenly spread, the worst among them."""
    if count <= most:
        return np.arange(count)
    spread = np.linspace(0, count - 1, most - 1).astype(np.int64)
    return np.unique(np.append(spread, worst))


def _place(arrays: Sequence[NDArray[Any]], flat: int) -> tuple[int, ...]:
    """Feed and index of a position in the flattened whole."""
    for feed, array in enumerate(arrays):
        size = array.size * (2 if array.dtype.kind == "c" else 1)
        if flat < size:
            index = np.unravel_index(flat // (size // array.size), array.shape)
            return (feed, *(int(i) for i in index))
        flat -= size
    return ()


def _unequal(a: Sequence[NDArray[Any]], b: Sequence[NDArray[Any]]) -> NDArray[np.bool_]:
    return np.concatenate([np.ravel(left != right) for left, right in zip(a, b)])


def _texts(a: Sequence[NDArray[Any]], b: Sequence[NDArray[Any]]) -> Figures:
    differ = _unequal(a, b)
    worst = _place(a, int(np.argmax(differ))) if differ.any() else ()
    return Figures(odd=int(differ.sum()), worst=worst)
