"""What a measurement gives, as data."""

from __future__ import annotations

import msgspec


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One model on one device. Times are milliseconds of wall clock as a caller waits.

    Attributes:
        samples_ms: Every timed run, in the order of the rounds.
        round_of: Round of each sample, so that ratios are taken within rounds.
        ci95_ms: Bootstrap 95 % interval of the median.
        peak_rss_mb: Peak resident memory of the worker process.
        facts: Versions, threads, precision, batch and shapes.
        error: Why it could not be measured; then the figures are zero.
    """

    model: str
    runtime: str
    device: str
    title: str
    load_ms: float = 0.0
    first_ms: float = 0.0
    median_ms: float = 0.0
    mean_ms: float = 0.0
    p90_ms: float = 0.0
    p99_ms: float = 0.0
    iqr_ms: float = 0.0
    ci95_ms: tuple[float, float] = (0.0, 0.0)
    samples_ms: tuple[float, ...] = ()
    round_of: tuple[int, ...] = ()
    warmup: int = 0
    peak_rss_mb: float = 0.0
    file_mb: float = 0.0
    facts: dict[str, str] = {}
    error: str = ""


class Ratio(msgspec.Struct, frozen=True, kw_only=True):
    """How many times as long `a` takes as `b`: above 1, `b` is faster. `a` and `b` are indices of results."""

    a: int
    b: int
    ratio: float
    ci95: tuple[float, float]
    sentence: str


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """A whole measurement: where, what, and what follows from it."""

    environment: dict[str, str]
    results: tuple[Measured, ...]
    ratios: tuple[Ratio, ...] = ()
    sentence: str = ""
