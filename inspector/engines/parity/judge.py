"""The verdict: a word for each output, one for the pair, and the sentence that says why.

An output of which any constant would pass proves nothing: when it moves by no more than twice the tolerance over
different inputs, a converter that ignored the input would not be caught. Its word is `vacuous`, even where the two
agree to the last bit. A pair is `same` only when every output of a is identical or within noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.engines.parity.align import OutputPair, pair_outputs
from inspector.engines.parity.bundle import Arrays
from inspector.engines.parity.metrics import Figures, figures
from inspector.engines.parity.noise import Tolerance, explained, noise, step, tolerance
from inspector.engines.parity.verdict import Next, OutputParity, OutputVerdict, Parity, Verdict

NEXT = {
    Verdict.SAME: Next.MEASURE,
    Verdict.PRECISION: Next.REAL_INPUTS,
    Verdict.DIFFERENT: Next.ANOTHER_SEED,
    Verdict.NOTHING_PROVED: Next.REAL_INPUTS,
}


@dataclass(frozen=True, slots=True)
class Runs:
    """What was run, one entry a feed.

    Attributes:
        feeds: What was fed to a; empty when it is not at hand.
        a, b: Outputs of the two models for the same feeds.
        again: Outputs of a for the same feeds, a second time. exact: of a in float64. moved: of a when each input moves
            by its last bit. Each may be empty.
        numbers_a, numbers_b: Formats of the numbers that the weights are stored in ("float16", "int8"; empty: unknown).
    """

    a: Sequence[Arrays]
    b: Sequence[Arrays]
    feeds: Sequence[Arrays] = ()
    again: Sequence[Arrays] = ()
    exact: Sequence[Arrays] = ()
    moved: Sequence[Arrays] = ()
    numbers_a: str = ""
    numbers_b: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What stands in the verdict besides the figures.

    Attributes:
        failed: What b could not run although a could, in words; makes the pair different.
    """

    feeds: str = ""
    a: str = ""
    b: str = ""
    device_a: str = ""
    device_b: str = ""
    renamed: tuple[tuple[str, str], ...] = ()
    failed: str = ""


NOT_TOLD = About()


def judge(runs: Runs, rtol: float | None = None, atol: float | None = None, about: About = NOT_TOLD) -> Parity:
    """Compare what two models gave for the same feeds; rtol and atol are the user's, None leaves it to the noise."""
    pairs, only_a, only_b = pair_outputs(runs.a, runs.b)
    outputs = [_output(runs, pair, rtol, atol) for pair in pairs]
    outputs += [_missing(runs.a[0][name], name) for name in only_a]
    renamed = about.renamed + tuple((pair.a, pair.b) for pair in pairs if pair.a != pair.b)
    verdict = _verdict(outputs, about.failed)
    return Parity(
        verdict=verdict,
        sentence=_sentence(verdict, outputs, only_b, about.failed),
        outputs=tuple(outputs),
        feeds=about.feeds,
        a=about.a,
        b=about.b,
        device_a=about.device_a,
        device_b=about.device_b,
        renamed=renamed,
        next=NEXT[verdict],
    )


def _output(runs: Runs, pair: OutputPair, rtol: float | None, atol: float | None) -> OutputParity:
    a = [np.asarray(feed[pair.a]) for feed in runs.a]
    b = [pair.turned(np.asarray(feed[pair.b]), like) for feed, like in zip(runs.b, a)]
    others = [[feed[pair.a] for feed in given if pair.a in feed] for given in (runs.again, runs.exact, runs.moved)]
    floor = noise(a, *others)
    seen = figures(a, b, len(runs.a[0]))
    allowed = tolerance(floor, step(a[0].dtype, runs.numbers_a), seen.largest, rtol, atol)
    moves = movement(a, runs.feeds)
    # What the user allows says nothing of whether the output moves: that is held against the noise alone.
    still = 2 * tolerance(floor, step(a[0].dtype, runs.numbers_a), seen.largest, None, None).value
    word, sentence = _word(runs, a, b, seen, allowed, (moves, still), (rtol, atol))
    shown = {f: getattr(seen, f) for f in Figures.__dataclass_fields__ if f not in {"odd", "rms"}}
    return OutputParity(
        a=pair.a,
        b=pair.b,
        shape=tuple(max((array.shape for array in a), key=prod)),
        dtype=str(a[0].dtype),
        aligned_by=pair.by,
        layout=pair.layout,
        noise_floor=floor.floor,
        tolerance=allowed.value,
        why=allowed.why,
        verdict=word,
        sentence=sentence,
        **shown,
    )


def _word(
    runs: Runs,
    a: Sequence[NDArray[Any]],
    b: Sequence[NDArray[Any]],
    seen: Figures,
    allowed: Tolerance,
    moving: tuple[float, float],
    asked: tuple[float | None, float | None],
) -> tuple[OutputVerdict, str]:
    """The word for one output and the sentence that explains it."""
    if seen.odd:
        return OutputVerdict.DIFFERENT, _odd(seen, a[0].dtype)
    far = f"It differs by at most {seen.max_abs:.3g}"
    within = _within(a, b, asked) if any(x is not None for x in asked) else seen.max_abs <= allowed.value
    moves, still = moving
    if within and moves <= still:
        what = f"by no more than {moves:.3g}" if moves else "at all"
        return OutputVerdict.VACUOUS, f"It does not move with the input ({what}), so agreement proves nothing."
    if within:
        if all(_equal(left, right) for left, right in zip(a, b)):
            return OutputVerdict.IDENTICAL, "Every value is the same."
        return OutputVerdict.NOISE, f"{far}; up to {allowed.value:.3g} is noise."
    coarse = explained((runs.numbers_a, runs.numbers_b), seen.max_abs, seen.rms, seen.largest)
    if coarse and moves > 2 * seen.max_abs:
        return OutputVerdict.PRECISION, f"{far}, as much as {coarse} weights explain."
    place = f" at {list(seen.worst)} (feed first)" if seen.worst else ""
    return (
        OutputVerdict.DIFFERENT,
        f"It differs by up to {seen.max_abs:.3g}{place}; up to {allowed.value:.3g} is noise.",
    )


def _equal(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def _within(a: Sequence[NDArray[Any]], b: Sequence[NDArray[Any]], asked: tuple[float | None, float | None]) -> bool:
    """The user's tolerances, value by value, as numpy.allclose has them."""
    rtol, atol = asked[0] or 0.0, asked[1] or 0.0
    return all(
        np.array_equal(x, y) if x.dtype.kind in "US" else np.allclose(y, x, rtol=rtol, atol=atol, equal_nan=True)
        for x, y in zip(a, b)
    )


def _odd(seen: Figures, dtype: np.dtype[Any]) -> str:
    place = f", first at {list(seen.worst)} (feed first)"
    if dtype.kind not in "fc":
        return f"{seen.odd:,} values are not equal{place}."
    return f"NaN or infinity stands in one and not in the other at {seen.odd:,} places{place}."


def movement(outputs: Sequence[NDArray[Any]], feeds: Sequence[Arrays] = ()) -> float:
    """By how much an output moves between different inputs: over feeds of one shape, and over the rows of a batch.

    Rows count only where the first dimension follows the size of the batch, or there is one feed and nothing else.
    """
    found = [0.0]
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for i, array in enumerate(outputs):
        by_shape.setdefault(array.shape, []).append(i)
    for alike in by_shape.values():
        found += [_spread(np.stack([outputs[i] for i in alike]))] if len(alike) > 1 else []
    rows = [_rows(feed) for feed in feeds] or [array.shape[0] if array.ndim else 0 for array in outputs]
    follows = all(array.ndim and array.shape[0] == count for array, count in zip(outputs, rows))
    if follows and (len(outputs) == 1 or len(set(rows)) > 1):
        found += [_spread(array) for array in outputs if array.shape[0] > 1]
    return max(found)


def _rows(feed: Arrays) -> int:
    sizes = [array.shape[0] for array in feed.values() if array.ndim]
    return max(sizes, default=0)


def _spread(stacked: NDArray[Any]) -> float:
    """Largest difference along the first axis; a NaN that comes or goes counts as infinite."""
    if stacked.dtype.kind in "USb":
        return float((stacked != stacked[:1]).any())
    if not stacked.size:
        return 0.0
    values = np.abs(stacked) if stacked.dtype.kind == "c" else stacked.astype(np.float64)
    finite = np.isfinite(values)
    if (finite != finite[:1]).any():
        return float("inf")
    kept = np.where(finite, values, 0.0)
    return float((kept.max(0) - kept.min(0)).max(initial=0.0))


def _missing(array: NDArray[Any], name: str) -> OutputParity:
    return OutputParity(
        a=name,
        b="",
        shape=tuple(array.shape),
        dtype=str(array.dtype),
        aligned_by="",
        verdict=OutputVerdict.NOT_RUN,
        sentence="The second model has no output that fits it.",
    )


def _verdict(outputs: Sequence[OutputParity], failed: str) -> Verdict:
    words = {output.verdict for output in outputs}
    if failed or words & {OutputVerdict.DIFFERENT, OutputVerdict.NOT_RUN}:
        return Verdict.DIFFERENT
    if not words or OutputVerdict.VACUOUS in words:
        return Verdict.NOTHING_PROVED
    return Verdict.PRECISION if OutputVerdict.PRECISION in words else Verdict.SAME


def _sentence(verdict: Verdict, outputs: Sequence[OutputParity], only_b: Sequence[str], failed: str) -> str:
    agree = f"all {len(outputs)} outputs agree" if len(outputs) > 1 else "the output agrees"
    more = f" The second model also gives {', '.join(only_b)}, which the first does not." if only_b else ""
    worst = max(outputs, key=lambda output: output.max_abs, default=None)
    if verdict is Verdict.SAME:
        assert worst is not None
        if all(output.verdict is OutputVerdict.IDENTICAL for output in outputs):
            return f"It is the same model: {agree} to the last bit.{more}"
        return f"It is the same model: {agree} within noise, {worst.max_abs:.2g} apart at most.{more}"
    if verdict is Verdict.PRECISION:
        worst = max((o for o in outputs if o.verdict is OutputVerdict.PRECISION), key=lambda o: o.max_abs)
        return f"It is the same model in coarser numbers: output {worst.a} is {worst.max_abs:.2g} apart at most.{more}"
    if verdict is Verdict.NOTHING_PROVED:
        still = [output.a for output in outputs if output.verdict is OutputVerdict.VACUOUS]
        if not still:
            return "Nothing is proved: there is no output to compare."
        return f"Nothing is proved: {_names(still)} not move with the input, so a wrong model would pass too.{more}"
    if failed:
        return f"It is not the same model: {failed}"
    lost = [output.a for output in outputs if output.verdict is OutputVerdict.NOT_RUN]
    if lost:
        return f"It is not the same model: the second has no output that fits {', '.join(lost[:3])}."
    bad = max((o for o in outputs if o.verdict is OutputVerdict.DIFFERENT), key=lambda o: o.max_abs)
    return f"It is not the same model: output {bad.a} is off. {bad.sentence}{more}"


def _names(names: Sequence[str]) -> str:
    return f"output {names[0]} does" if len(names) == 1 else f"outputs {', '.join(names[:3])} do"


__all__ = ["About", "Runs", "judge", "movement"]
