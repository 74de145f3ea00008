"""Time the open model: warm-up runs, then timed ones, and how much memory it took."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from time import perf_counter_ns

import msgspec

from inspector.engines.latency.schedule import SETTLE, stable
from inspector.engines.parity.align import Fit
from inspector.engines.parity.bundle import load
from inspector.worker.tasks._task import Context, Task
from inspector.worker.tasks.session_run import fitted, opened

FEEDS = "timed feeds"
"""Key of the feeds in the worker's state: a round must not read a file again."""


class SessionTimeArgs(msgspec.Struct, frozen=True, kw_only=True):
    """What to time.

    Attributes:
        feeds: A .npz file.
        runs: Timed runs; 0 only warms up.
        warmup: Runs before them at most; they end when the times have become stable.
        settle_ms: Untimed runs for so long instead, two at least: what precedes a turn of a round.
        fits: How inputs are taken from the feeds when they were made for another model.
    """

    feeds: str
    runs: int
    warmup: int = 0
    settle_ms: float = 0.0
    fits: tuple[Fit, ...] = ()


class SessionTimed(msgspec.Struct, frozen=True):
    """Milliseconds of wall clock of each run; peak memory of this process in MB (0 where the system does not say)."""

    samples_ms: tuple[float, ...]
    warmup_ms: tuple[float, ...]
    peak_rss_mb: float


def run(args: SessionTimeArgs, context: Context) -> SessionTimed:
    """Run it, without the garbage collector in between."""
    session = opened(context)
    key, feeds = context.state.get(FEEDS, (None, {}))
    if key != (args.feeds, args.fits):
        feeds = fitted(load(Path(args.feeds)), session, args.fits)
        context.state[FEEDS] = ((args.feeds, args.fits), feeds)

    def once() -> float:
        start = perf_counter_ns()
        session.run(feeds)
        return (perf_counter_ns() - start) / 1e6

    collecting = gc.isenabled()
    gc.disable()
    try:
        warmup: list[float] = []
        while len(warmup) < args.warmup and not stable(warmup):
            warmup.append(once())
        settling: list[float] = []
        while args.settle_ms and (sum(settling) < args.settle_ms or len(settling) < SETTLE):
            settling.append(once())
        samples = tuple(once() for _ in range(args.runs))
    finally:
        if collecting:
            gc.enable()
    return SessionTimed(samples, (*warmup, *settling), peak_rss_mb())


def peak_rss_mb() -> float:
    """Most resident memory that this process ever had."""
    if sys.platform == "win32":
        return 0.0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


TASK = Task("session_time", SessionTimeArgs, SessionTimed, run)
