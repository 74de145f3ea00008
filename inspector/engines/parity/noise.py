"""How much of a difference is no difference: the noise floor, and the tolerance that follows from it.

The floor of an output is the larger of: how far a second run of the same model is off, and how far the same model in
float64 is off. Where float64 cannot be had, how far the outputs go when every input moves by its last bit takes its
place: it needs nothing of the runtime and tells how well conditioned the model is, though it overstates what rounding
does. Where a last bit moves an output by more than a thousandth (a sort, a top-k, a threshold flips), it says nothing
about rounding and is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ABOVE_FLOOR = 8
ABOVE_STEP = 64
CHAOS = 1e-3

COARSE = {
    "float16": 2.0**-11, "bfloat16": 2.0**-9, "int8": 2.0**-8, "uint8": 2.0**-8, "qint8": 2.0**-8, "quint8": 2.0**-8,
    "float8_e4m3fn": 2.0**-4, "float8_e4m3fnuz": 2.0**-4, "float8_e5m2": 2.0**-3, "float8_e5m2fnuz": 2.0**-3,
    "int4": 2.0**-4, "uint4": 2.0**-4, "float4_e2m1fn": 2.0**-2, "int2": 2.0**-2, "uint2": 2.0**-2,
}  # fmt: skip
"""Largest relative rounding error of formats narrower than float32; of quantised ones against the largest value."""
EXPLAINED_RMS, EXPLAINED_MAX, AT_MOST = 16, 64, 0.25
"""A coarse format explains a relative root mean square error of 16 of its rounding errors and single errors of 64,
never more than a quarter."""


@dataclass(frozen=True, slots=True)
class Noise:
    """The floor of one output, and where it comes from."""

    floor: float
    source: str


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What the largest difference is held against, and why."""

    value: float
    why: str


Arrays = Sequence[NDArray[Any]]


def noise(a: Arrays, again: Arrays, exact: Arrays, moved: Arrays) -> Noise:
    """The noise floor of one output over all feeds; references that could not be had are empty."""
    if not a or a[0].dtype.kind not in "fc":
        return Noise(0.0, "")
    references = ((again, "run to run"), (exact, "float64 reference"))
    found = [(_apart(a, other), words) for other, words in references if other]
    largest = max((float(np.abs(array[np.isfinite(array)]).max(initial=0.0)) for array in a), default=0.0)
    last_bit = _apart(a, moved)
    if moved and not exact and last_bit <= CHAOS * largest:
        found.append((last_bit, "last bit of the inputs"))
    floor, source = max(found, default=(0.0, ""))
    return Noise(floor, source if floor else "")


def _apart(a: Arrays, b: Arrays) -> float:
    gaps = [0.0]
    for left, right in zip(a, b):
        if left.shape == right.shape:
            with np.errstate(invalid="ignore"):
                wide = np.complex128 if left.dtype.kind == "c" else np.float64
                gap = np.abs(right.astype(wide) - left.astype(wide))
            gaps.append(float(gap[np.isfinite(gap)].max(initial=0.0)))
    return max(gaps)


def step(dtype: np.dtype[Any], numbers: str) -> float:
    """The relative step of the numbers that an output of a was computed with.

    Args:
        dtype: Of the output.
        numbers: Format of a's weights; float16 weights make float16 noise even where the output is widened at the end.
    """
    own = float(np.finfo(dtype).eps) if dtype.kind in "fc" else 0.0
    return max(own, 2 * COARSE[numbers]) if own and numbers in {"float16", "bfloat16"} else own


def tolerance(floor: Noise, eps: float, largest: float, rtol: float | None, atol: float | None) -> Tolerance:
    """The user's, or the larger of 8 × noise floor and 64 × step × largest value."""
    if rtol is not None or atol is not None:
        return Tolerance((atol or 0.0) + (rtol or 0.0) * largest, f"asked for: rtol {rtol or 0:g}, atol {atol or 0:g}")
    measured, rule = ABOVE_FLOOR * floor.floor, ABOVE_STEP * eps * largest
    if measured > rule:
        return Tolerance(measured, f"{ABOVE_FLOOR} × the noise floor of {floor.floor:.2g} ({floor.source})")
    if rule:
        return Tolerance(rule, f"{ABOVE_STEP} × the step of its numbers, {eps:.2g}, × the largest value, {largest:.3g}")
    return Tolerance(0.0, "whole numbers must be equal")


def explained(numbers: Sequence[str], max_abs: float, rms: float, largest: float) -> str:
    """The number format that explains a difference, or an empty string."""
    coarse = max((name for name in numbers if name in COARSE), key=lambda name: COARSE[name], default="")
    if not coarse:
        return ""
    error = COARSE[coarse]
    within = rms <= min(EXPLAINED_RMS * error, AT_MOST) and max_abs <= min(EXPLAINED_MAX * error, AT_MOST) * largest
    return coarse if within else ""
