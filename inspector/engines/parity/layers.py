"""Where two models part: the values inside them, paired, and the first pair that is off.

Each pair is held against noise as outputs are. A pair that is off although everything computed from it agrees again is
no error but a wrong pair (a convolution before its normalisation with one after it), and is dropped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from inspector.engines.parity.metrics import figures
from inspector.engines.parity.noise import AT_MOST, COARSE, EXPLAINED_RMS, explained, noise, step, tolerance
from inspector.engines.parity.pairing import CLOSE, Match, Side, pair
from inspector.engines.parity.taps import Tap
from inspector.engines.parity.verdict import LayerPair, OutputVerdict

Array = NDArray[Any]


class Layers(msgspec.Struct, frozen=True, kw_only=True):
    """What the layers say; fields are those of `Parity`."""

    layers: tuple[LayerPair, ...] = ()
    first_divergence: LayerPair | None = None


def judge_layers(
    a: Sequence[Tap],
    b: Sequence[Tap],
    moved: Sequence[Tap] = (),
    *,
    numbers: tuple[str, str] = ("", ""),
    rtol: float | None = None,
    atol: float | None = None,
) -> Layers:
    """Pair and compare.

    Args:
        a: Values of the reference, with files. b: of the other, for the same feed.
        moved: Values of the reference where every input has moved by its last bit; may be empty.
        numbers: Formats that the weights are stored in.
        rtol: The user's tolerances; None leaves them to the noise.
        atol: Likewise.
    """
    one, other = (Side(*_floats(taps)) for taps in (a, b))
    nudged = {tap.value: tap.file for tap in moved if tap.file}
    coarse = max((COARSE[name] for name in numbers if name in COARSE), default=0.0)
    found = pair(one, other, max(CLOSE, min(EXPLAINED_RMS * coarse, AT_MOST)))
    judged: dict[int, LayerPair] = {}
    for match in found:
        tap, x = one.taps[match.a], np.asarray(one.arrays[match.a])
        y = match.turned(np.asarray(other.arrays[match.b]), x)
        last_bit = [np.load(nudged[tap.value])] if tap.value in nudged else []
        judged[match.a] = _judged(match, (tap, other.taps[match.b]), (x, y), last_bit, numbers, (rtol, atol))
    kept = _without_healed(a, {one.taps[i].value: layer for i, layer in judged.items()})
    off = (layer for layer in kept if layer.verdict is OutputVerdict.DIFFERENT)
    return Layers(layers=kept, first_divergence=next(off, None))


def _floats(taps: Sequence[Tap]) -> tuple[list[Tap], list[Array]]:
    """Those that hold floating-point numbers, their arrays left on disk until they are looked at."""
    kept, arrays = [], []
    for tap in taps:
        array = np.load(Path(tap.file), mmap_mode="r", allow_pickle=False) if tap.file else None
        if array is not None and array.dtype.kind == "f" and array.size:
            kept.append(tap)
            arrays.append(array)
    return kept, arrays


def _judged(
    match: Match,
    taps: tuple[Tap, Tap],
    values: tuple[Array, Array],
    moved: Sequence[Array],
    numbers: tuple[str, str],
    asked: tuple[float | None, float | None],
) -> LayerPair:
    (a, b), (x, y) = taps, values
    seen = figures([x], [y])
    allowed = tolerance(noise([x], [], [], moved), step(x.dtype, numbers[0]), seen.largest, *asked)
    word = OutputVerdict.DIFFERENT
    if not seen.odd and seen.max_abs == 0:
        word = OutputVerdict.IDENTICAL
    elif not seen.odd and seen.max_abs <= allowed.value:
        word = OutputVerdict.NOISE
    elif not seen.odd and explained(numbers, seen.max_abs, seen.rms, seen.largest):
        word = OutputVerdict.PRECISION
    return LayerPair(
        a=a.value,
        b=b.value,
        paired_by=match.by,
        shape=tuple(x.shape),
        layout=match.layout,
        max_abs=seen.max_abs,
        mean_abs=seen.mean_abs,
        max_rel=seen.max_rel,
        largest=seen.largest,
        tolerance=allowed.value,
        verdict=word,
        node_a=a.node,
        node_b=b.node,
        op_a=a.op,
        op_b=b.op,
        module=a.module,
    )


def _without_healed(taps: Sequence[Tap], judged: dict[str, LayerPair]) -> tuple[LayerPair, ...]:
    """The pairs without those that are off while what is next computed from them agrees."""
    users: dict[str, list[str]] = defaultdict(list)
    for tap in taps:
        for name in tap.inputs:
            users[name].append(tap.value)
    kept = dict(judged)
    after: dict[str, frozenset[str]] = {}
    """For each value the next ones computed from it that are in a pair."""
    for tap in reversed(taps):
        nexts: set[str] = set()
        for user in users[tap.value]:
            nexts |= {user} if user in kept else after.get(user, frozenset())
        after[tap.value] = frozenset(nexts)
        off = tap.value in kept and kept[tap.value].verdict is OutputVerdict.DIFFERENT
        if off and nexts and all(kept[name].verdict is not OutputVerdict.DIFFERENT for name in nexts):
            del kept[tap.value]
    return tuple(kept[tap.value] for tap in taps if tap.value in kept)
