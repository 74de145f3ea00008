"""When whom is timed: warm-up until stable, then rounds in which every candidate has one turn, in random order.

Whatever drifts (clock speed, neighbours, temperature) drifts over all candidates alike; so ratios are taken within
rounds. Samples of one turn are alike for reasons of their own: chance is reckoned by the round, not by the sample.

A turn begins with untimed runs. They do more than fill the caches: the system takes some milliseconds to give the
threads that have just woken up cores of their own, and a model of 0.04 ms would be through with its turn before that.

Where its tensors happen to lie in memory makes a model one or two per cent faster or slower for as long as it is open,
which is far more than the interval of a quiet machine. So a model that opens quickly is opened afresh for every turn;
for one that does not, this luck of the draw is in its figures. The luck of a process as a whole (a few per cent for
models of microseconds) stays: starting one for every turn would take ten times as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from statistics import median

ROUNDS = 25
"""Rounds of a measurement, if there are as many runs: enough for the interval of a median."""
WINDOW, CLOSE = 5, 0.05
"""Warm when the medians of the last two windows of runs are within five per cent."""
WARMUP_RUNS, WARMUP_MS = 100, 2000.0
"""A warm-up that never becomes stable ends here."""
SETTLE, SETTLE_MS = 2, 20.0
"""Untimed runs at the beginning of each turn: so many, and for so long."""
REOPEN_MS = 250.0
"""A model that takes longer than this to open and warm up stays open over the rounds."""


def plan(runs: int, rounds: int = ROUNDS) -> tuple[int, ...]:
    """Timed runs of each candidate in each round: as many in all as were asked for, as even as can be."""
    rounds = max(1, min(runs, rounds))
    return tuple(runs * (i + 1) // rounds - runs * i // rounds for i in range(rounds))


def orders(candidates: int, rounds: int, seed: int) -> list[list[int]]:
    """The order of turns in each round."""
    random = Random(seed)  # noqa: S311 - not for secrets
    return [random.sample(range(candidates), candidates) for _ in range(rounds)]


def stable(times: Sequence[float]) -> bool:
    """Whether the warm-up can end: the last runs are no faster than those before, or it has taken long enough."""
    if sum(times) >= WARMUP_MS and len(times) >= 2:
        return True
    if len(times) < 2 * WINDOW:
        return False
    last, before = median(times[-WINDOW:]), median(times[-2 * WINDOW : -WINDOW])
    return abs(last - before) <= CLOSE * max(last, before)
