"""Which rows of a table stand where: filtered, ordered, folded. Worked out in slices, so that a window is never held.

`arranging` is a generator: between two slices it yields, and its end has the answer. Few rows are run through at once,
a million a slice at a time while the window goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from typing import Any

from inspector.engines.summary.rows import Row, Totals
from inspector.viewmodels.columns import haystack
from inspector.viewmodels.row_filter import Test

SLICE, PILE = 4000, 500
"""Rows looked at, and texts made, between two looks at the clock: a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How the rows are to stand.

    Attributes:
        tests: What a row must pass.
        value: What rows are sorted by; None for the order of execution.
        descending: Largest first.
        depth: Levels of modules that are shown open; 0 for all.
        folds: Modules that the user opened or closed against that, by name.
    """

    tests: Sequence[Test] = ()
    value: Callable[[Row], Any] | None = None
    descending: bool = False
    depth: int = 0
    folds: Mapping[str, bool] = field(default_factory=dict)

    def is_open(self, row: Row) -> bool:
        """Whether what lies in a module is shown."""
        return self.folds.get(row.name, not self.depth or row.level + 1 < self.depth)


@dataclass(frozen=True, slots=True)
class Arranged:
    """The answer: positions of the rows in the order of the view; number and sums of the layers that pass the filter.

    Without a filter there is nothing to sum: `totals` is None and `hits` is 0.
    """

    view: list[int]
    hits: int
    totals: Totals | None


Slices = Generator[None, None, Arranged]


def arranging(rows: Sequence[Row], hay: list[str], parents: Sequence[int], wish: Wish) -> Slices:
    """Arrange rows.

    Args:
        rows: All of them; in a tree each module before what is in it.
        hay: What plain words are looked for in, of the first rows; it grows when more is needed.
        parents: Position of the module that each row is in, -1 for none; empty where the table is no tree.
        wish: How.
    """
    every: Sequence[int] = range(len(rows))
    hits = every if not wish.tests else (yield from _filtered(rows, hay, wish.tests))
    if wish.tests:
        totals = yield from _summed(rows, hits)
        count = totals.layers
    else:
        totals, count = None, 0
    if not parents:
        view = list(hits) if wish.value is None else (yield from _sorted(rows, hits, wish))
        return Arranged(view, count, totals)
    shown = (yield from _with_modules(hits, parents)) if wish.tests else every
    if wish.value is not None:
        ordered = yield from _sorted(rows, shown, wish)
        view = yield from _as_tree(rows, ordered, parents, wish)
    else:
        view = yield from _unfolded(rows, shown, wish)
    return Arranged(view, count, totals)


def run(slices: Slices) -> Arranged:
    """All slices at once."""
    while True:
        try:
            next(slices)
        except StopIteration as end:
            answer: Arranged = end.value
            return answer


def _cut(items: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(items), SLICE):
        yield items[start : start + SLICE]


def piling(rows: Sequence[Row], hay: list[str]) -> Generator[None, None, None]:
    """Make the texts that plain words are looked for in, so that the first filter need not wait for them."""
    while len(hay) < len(rows):
        hay.extend(map(haystack, rows[len(hay) : len(hay) + PILE]))
        yield


def _filtered(rows: Sequence[Row], hay: list[str], tests: Sequence[Test]) -> Generator[None, None, list[int]]:
    yield from piling(rows, hay)
    hits: list[int] = []
    for part in _cut(range(len(rows))):
        for test in tests:
            part = [index for index in part if test(rows[index], hay[index])]
        hits += part
        yield
    return hits


def _with_modules(hits: Sequence[int], parents: Sequence[int]) -> Generator[None, None, list[int]]:
    """The hits and the modules that they are in."""
    shown: set[int] = set()
    for part in _cut(hits):
        for index in part:
            here = index
            while here >= 0 and here not in shown:
                shown.add(here)
                here = parents[here]
        yield
    return sorted(shown)


def _sorted(rows: Sequence[Row], shown: Sequence[int], wish: Wish) -> Generator[None, None, list[int]]:
    """By value; what is not known stands last, whichever way."""
    assert wish.value is not None
    runs: list[list[tuple[Any, int]]] = []
    unknown: list[int] = []
    for part in _cut(shown):
        keys = [(wish.value(rows[index]), index) for index in part]
        unknown += [index for key, index in keys if key is None or key == ""]
        runs.append(
            sorted(
                (pair for pair in keys if pair[0] is not None and pair[0] != ""), key=_first, reverse=wish.descending
            )
        )
        yield
    merged = runs[0] if len(runs) == 1 else merge(*runs, key=_first, reverse=wish.descending)
    ordered: list[int] = []
    rest = iter(merged)
    while part_ := [index for _key, index in islice(rest, SLICE)]:
        ordered += part_
        yield
    return ordered + unknown


def _first(pair: tuple[Any, int]) -> Any:
    return pair[0]


def _unfolded(rows: Sequence[Row], shown: Sequence[int], wish: Wish) -> Generator[None, None, list[int]]:
    """In the order of the tree, without what lies in closed modules; a filter opens all."""
    view: list[int] = []
    closed: int | None = None
    for part in _cut(shown):
        for index in part:
            row = rows[index]
            if closed is not None and row.level > closed:
                continue
            view.append(index)
            closed = row.level if row.layers and not wish.tests and not wish.is_open(row) else None
        yield
    return view


def _as_tree(
    rows: Sequence[Row], ordered: Sequence[int], parents: Sequence[int], wish: Wish
) -> Generator[None, None, list[int]]:
    """Sorted within each module."""
    inside: dict[int, list[int]] = {}
    for part in _cut(ordered):
        for index in part:
            inside.setdefault(parents[index], []).append(index)
        yield
    view: list[int] = []
    waiting = inside.get(-1, [])[::-1]
    while waiting:
        index = waiting.pop()
        view.append(index)
        if index in inside and (wish.tests or wish.is_open(rows[index])):
            waiting += reversed(inside[index])
        if not len(view) % SLICE:
            yield
    return view


def _summed(rows: Sequence[Row], hits: Sequence[int]) -> Generator[None, None, Totals]:
    """Totals of the layers among some rows; what never runs is in no sum but that of the parameters."""
    total = Totals()
    for part in _cut(hits):
        layers = [rows[index] for index in part if not rows[index].layers]
        run = [row for row in layers if row.runs]
        total = Totals(
            layers=total.layers + len(layers),
            parameters=total.parameters + sum(row.parameters for row in layers),
            trainable=total.trainable + sum(row.trainable for row in layers),
            macs=total.macs + sum(row.macs or 0 for row in run),
            flops=total.flops + sum(row.flops or 0 for row in run),
            parameter_bytes=total.parameter_bytes + sum(row.parameter_bytes for row in layers),
            activation_bytes=total.activation_bytes + sum(row.activation_bytes or 0 for row in run),
            moved_bytes=total.moved_bytes + sum(row.moved_bytes or 0 for row in run),
            peak_bytes=max(total.peak_bytes, *(row.live_bytes or 0 for row in run), 0),
            complete=total.complete and all(row.macs is not None for row in layers),
        )
        yield
    return total
