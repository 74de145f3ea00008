"""Which value inside one model is which inside the other.

Exporters rename, fuse, split and transpose, so a name alone is no evidence: names repeat by accident (`relu_1`), and a
fused convolution may keep the name of the one before its normalisation. The best evidence is that two values agree on
the same feeds, whatever their layout. Those pairs come first, as many as keep the order of both models, and names and
module paths decide between equals. Where two models part, nothing agrees any more: what is left over is paired by
name, by module, and by likeness between the pairs that are certain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.engines.parity.align import plain, transpositions
from inspector.engines.parity.taps import Tap
from inspector.ir.operators import canonical, category

CLOSE = 1e-3
"""Relative distance of contents that are taken for the same."""
ALIKE = 0.35
"""Relative distance of contents that may be the same with an error in them; unrelated ones are 0.5 to 0.7 apart."""
EXTREMES = 100
"""Smallest and largest values may be so many times further apart than the means."""
TRIES = 8
"""Candidates for one value whose contents are compared value by value."""
RANK = 4
"""Up to this rank every order of axes is tried, beyond it the usual ones."""

Array = NDArray[Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Match:
    """Two values that belong together, by position in their lists, and how b is turned to fit a."""

    a: int
    b: int
    by: str
    apart: float
    axes: tuple[int, ...] = ()
    layout: str = ""

    def turned(self, b: Array, like: Array) -> Array:
        """The value of b as a lays it out."""
        return (b.transpose(self.axes) if self.axes else b).reshape(like.shape)


@dataclass(frozen=True)
class Side:
    """The values of one model in topological order, with the figures by which they are recognised."""

    taps: Sequence[Tap]
    arrays: Sequence[Array]
    prints: Floats = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "prints", np.array([_print(array) for array in self.arrays]).reshape(-1, 6))

    def by_size(self) -> dict[int, NDArray[np.int64]]:
        """Positions of the values of each size."""
        found: dict[int, list[int]] = defaultdict(list)
        for i, array in enumerate(self.arrays):
            found[array.size].append(i)
        return {size: np.array(numbers) for size, numbers in found.items()}


def _print(array: Array) -> tuple[float, ...]:
    """Figures that no change of layout changes: mean, mean size, root mean square, smallest, largest, spread."""
    values = np.asarray(array, np.float64)
    finite = np.isfinite(values)
    values = values.ravel() if finite.all() else values[finite]
    if not values.size:
        return (0.0,) * 6
    low, high = float(values.min()), float(values.max())
    rms = float(np.sqrt(np.mean(np.square(values))))
    return float(values.mean()), float(np.abs(values).mean()), rms, low, high, high - low


def pair(a: Side, b: Side, close: float = CLOSE) -> list[Match]:
    """Pairs in a's order; each value is in one at most.

    Args:
        a: One model.
        b: The other, fed the same.
        close: Relative distance of contents that are taken for the same.
    """
    pairing = _Pairing(a, b, close)
    agreeing = pairing.agreeing()
    for match in in_order(agreeing, pairing.weight):
        pairing.take(match)
    certain = sorted(pairing.taken.values(), key=lambda match: match.a)
    for match in sorted(agreeing, key=pairing.weight, reverse=True):  # branches may stand in another order
        pairing.take(match)
    for match in pairing.named():
        pairing.take(match)
    for match in pairing.of_modules():
        pairing.take(match)
    for match in in_order(pairing.alike(certain), pairing.weight):
        pairing.take(match)
    for match in sorted(pairing.alike_below(), key=pairing.weight, reverse=True):
        pairing.take(match)
    return sorted(pairing.taken.values(), key=lambda match: match.a)


class _Pairing:
    """Two sides and what has been paired of them."""

    def __init__(self, a: Side, b: Side, close: float) -> None:
        self.a, self.b, self.close = a, b, close
        self.taken: dict[int, Match] = {}
        self._used: set[int] = set()
        self._names_a, self._names_b = ([plain(tap.value) for tap in side.taps] for side in (a, b))
        self._by_size = b.by_size()

    def take(self, match: Match) -> None:
        """Keep a pair if both are still free."""
        if match.a not in self.taken and match.b not in self._used:
            self.taken[match.a] = match
            self._used.add(match.b)

    def _free(self, side: Side) -> list[int]:
        used = self.taken if side is self.a else self._used
        return [i for i in range(len(side.taps)) if i not in used]

    def _same_name(self, i: int, j: int) -> bool:
        return bool(self._names_a[i]) and self._names_a[i] == self._names_b[j]

    def _same_module(self, i: int, j: int) -> bool:
        return bool(self.a.taps[i].module) and self.a.taps[i].module == self.b.taps[j].module

    def _by(self, i: int, j: int) -> str:
        return "name" if self._same_name(i, j) else "module" if self._same_module(i, j) else "content"

    def weight(self, match: Match) -> float:
        """How much speaks for a pair."""
        one, other = self.a.taps[match.a].op, self.b.taps[match.b].op
        found = 1.0 - match.apart
        found += 0.5 * self._same_name(match.a, match.b) + 0.3 * self._same_module(match.a, match.b)
        found += 0.2 * (canonical(one) == canonical(other))
        return found - 0.1 * ((category(one) == "shape") != (category(other) == "shape"))

    # Pairs that agree

    def agreeing(self) -> list[Match]:
        """All pairs whose contents are the same, whatever their layout; constants agree with too much to count."""
        found = []
        for i in range(len(self.a.taps)):
            for j in self._near(i, self.close, TRIES):
                flat = not self.a.prints[i][5]
                if flat and not self._same_name(i, j):
                    continue
                match = self._turn(i, j, self._by(i, j))
                if match is not None and match.apart <= self.close:
                    found.append(match)
        return found

    def _near(self, i: int, close: float, most: int) -> list[int]:
        """Values of b of this size with these figures, the nearest first."""
        numbers = self._by_size.get(self.a.arrays[i].size)
        if numbers is None:
            return []
        mine, theirs = self.a.prints[i], self.b.prints[numbers]
        scale = mine[2] + theirs[:, 2]
        apart = np.abs(theirs[:, :5] - mine[:5]) / np.where(scale > 0, scale, 1.0)[:, None]
        cost = np.maximum(apart[:, :3].max(axis=1), apart[:, 3:].max(axis=1) / EXTREMES)
        fit = np.flatnonzero(cost <= close)
        return [int(numbers[k]) for k in fit[np.argsort(cost[fit], kind="stable")][:most]]

    def _turn(self, i: int, j: int, by: str) -> Match | None:
        """The layout in which two values are nearest to each other."""
        a, b = self.a.arrays[i], self.b.arrays[j]
        best: Match | None = None
        for layout, axes in _turns(a.shape, b.shape):
            match = Match(i, j, by, 0.0, axes, layout)
            found = Match(i, j, by, distance(a, match.turned(b, a)), axes, layout)
            if best is None or found.apart < 0.9 * best.apart:
                best = found
            if best.apart <= self.close:
                break
        return best

    # Pairs that do not agree

    def named(self) -> list[Match]:
        """Of what is left, values of one name whose nodes do the same kind of thing."""
        by_name = {self._names_b[j]: j for j in reversed(self._free(self.b)) if self._names_b[j]}
        found = []
        for i in self._free(self.a):
            j = by_name.get(self._names_a[i], -1)
            if j >= 0 and category(self.a.taps[i].op) == category(self.b.taps[j].op):
                found.append(self._turn(i, j, "name"))
        return [match for match in found if match is not None]

    def of_modules(self) -> list[Match]:
        """Of what is left, values of one module: in order where both have as many, else the last of each."""
        ours, theirs = (self._modules(side) for side in (self.a, self.b))
        found = []
        for path, mine in ours.items():
            others = theirs.get(path, [])
            pairs = zip(mine, others) if len(mine) == len(others) else zip(mine[-1:], others[-1:])
            found += [self._turn(i, j, "module") for i, j in pairs]
        return [match for match in found if match is not None]

    def _modules(self, side: Side) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for i in self._free(side):
            if side.taps[i].module:
                found[side.taps[i].module].append(i)
        return found

    def alike(self, certain: Sequence[Match]) -> list[Match]:
        """Of what is left, values that are alike and lie between the same certain pairs."""
        anchors_a = np.array([match.a for match in certain])
        anchors_b = [-1, *(match.b for match in certain), len(self.b.taps)]

        def between(i: int, j: int) -> bool:
            at = int(np.searchsorted(anchors_a, i))
            return anchors_b[at] < j < anchors_b[at + 1]

        return self._alike(between)

    def alike_below(self) -> list[Match]:
        """Of what is left, values that are alike and computed from the same pairs (branches in another order)."""
        to_b = {match.a: match.b for match in self.taken.values()}
        above_a, above_b = _above(self.a.taps, set(self.taken)), _above(self.b.taps, self._used)
        from_a = [frozenset(to_b[k] for k in above) for above in above_a]
        return self._alike(lambda i, j: bool(from_a[i]) and from_a[i] == above_b[j])

    def _alike(self, allowed: Callable[[int, int], bool]) -> list[Match]:
        found = []
        for i in self._free(self.a):
            near = [j for j in self._near(i, ALIKE, 4 * TRIES) if j not in self._used and allowed(i, j)]
            for j in near[:TRIES]:
                match = self._turn(i, j, "content")
                if match is not None and match.apart <= ALIKE:
                    found.append(match)
        return found


def _above(taps: Sequence[Tap], paired: set[int]) -> list[frozenset[int]]:
    """For each value the nearest ones in a pair that it is computed from."""
    numbers = {tap.value: k for k, tap in enumerate(taps)}
    found: list[frozenset[int]] = []
    for tap in taps:
        inputs = [k for name in tap.inputs if (k := numbers.get(name, len(found))) < len(found)]
        found.append(frozenset().union(*({k} if k in paired else found[k] for k in inputs)))
    return found


def _turns(a: Sequence[int], b: Sequence[int]) -> Iterable[tuple[str, tuple[int, ...]]]:
    """Ways to turn a value of shape b into one of shape a, the likeliest first."""
    same_rank = len(a) == len(b)
    if tuple(a) == tuple(b):
        yield "", ()
    if same_rank:
        usual = transpositions(len(a))
        known = {axes for _, axes in usual} | {tuple(range(len(a)))}
        more = permutations(range(len(a))) if 1 < len(a) <= RANK else ()
        for layout, axes in (*usual, *(("", axes) for axes in more if axes not in known)):
            if tuple(a) == tuple(b[axis] for axis in axes):
                yield layout or f"axes {' '.join(map(str, axes))}", axes
    if tuple(a) != tuple(b) and prod(a) == prod(b):
        yield f"{_words(b)}→{_words(a)}", ()


def _words(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape)) or "scalar"


def distance(x: Array, y: Array) -> float:
    """Relative root mean square distance, between 0 and 1."""
    left, right = np.asarray(x, np.float64).ravel(), np.asarray(y, np.float64).ravel()
    finite = np.isfinite(left) & np.isfinite(right)
    if not finite.all():
        left, right = left[finite], right[finite]
    if not left.size:
        return 0.0
    size = float(np.sqrt(np.mean(np.square(left))) + np.sqrt(np.mean(np.square(right))))
    return min(1.0, float(np.sqrt(np.mean(np.square(left - right)))) / size) if size else 0.0


def in_order(matches: Sequence[Match], weight: Callable[[Match], float]) -> list[Match]:
    """Of these the heaviest chain that goes forward in both models."""
    ordered = sorted(matches, key=lambda match: (match.a, -match.b))
    total = [0.0] * len(ordered)
    before = [-1] * len(ordered)
    tree = [-1] * (2 + max((match.b for match in ordered), default=0))  # Fenwick: the heaviest chain ending up to b
    for k, match in enumerate(ordered):
        at, best = match.b, -1
        while at > 0:
            if tree[at] >= 0 and (best < 0 or total[tree[at]] > total[best]):
                best = tree[at]
            at -= at & -at
        before[k], total[k] = best, weight(match) + (total[best] if best >= 0 else 0.0)
        at = match.b + 1
        while at < len(tree):
            if tree[at] < 0 or total[k] > total[tree[at]]:
                tree[at] = k
            at += at & -at
    chain = []
    at = max(range(len(ordered)), key=total.__getitem__, default=-1)
    while at >= 0:
        chain.append(ordered[at])
        at = before[at]
    return chain[::-1]
