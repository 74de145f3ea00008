"""Proofs and measurements as text that other programs read: the same keys as the command line's `--json`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from inspector.engines.latency.results import Bench
from inspector.engines.parity.verdict import Parity

PARITY_COLUMNS = (
    "a", "b", "shape", "dtype", "aligned_by", "layout", "verdict", "max_abs", "mean_abs", "max_rel", "cosine", "psnr",
    "snr", "argmax_agreement", "noise_floor", "tolerance", "largest", "nan_a", "nan_b", "inf_a", "inf_b", "sentence",
)  # fmt: skip
BENCH_COLUMNS = (
    "model", "runtime", "device", "title", "load_ms", "first_ms", "median_ms", "mean_ms", "p90_ms", "p99_ms", "iqr_ms",
    "ci95_low_ms", "ci95_high_ms", "peak_rss_mb", "file_mb", "runs", "error",
)  # fmt: skip


def to_json(result: Parity | Bench) -> str:
    """The whole result."""
    return msgspec.json.format(msgspec.json.encode(result)).decode() + "\n"


def parity_csv(parity: Parity) -> str:
    """A line an output."""
    rows = [[_cell(getattr(output, name)) for name in PARITY_COLUMNS] for output in parity.outputs]
    return _csv(PARITY_COLUMNS, rows)


def bench_csv(bench: Bench) -> str:
    """A line a candidate."""
    rows = []
    for result in bench.results:
        more = {"ci95_low_ms": result.ci95_ms[0], "ci95_high_ms": result.ci95_ms[1], "runs": len(result.samples_ms)}
        rows.append([_cell(more[name] if name in more else getattr(result, name)) for name in BENCH_COLUMNS])
    return _csv(BENCH_COLUMNS, rows)


def scatter_csv(parity: Parity) -> str:
    """A line a value of the scatter plots."""
    rows = [(o.a, o.b, a, b) for o in parity.outputs for a, b in zip(o.sample_a, o.sample_b, strict=False)]
    return _csv(("a", "b", "source", "result"), rows)


def histogram_csv(parity: Parity) -> str:
    """A line a bar of the histograms; edges as differences."""
    rows = [
        (o.a, o.b, 10.0**low, 10.0**high, count)
        for o in parity.outputs
        for low, high, count in zip(o.histogram.edges, o.histogram.edges[1:], o.histogram.counts, strict=False)
    ]
    return _csv(("a", "b", "from", "to", "values"), rows)


def samples_csv(bench: Bench) -> str:
    """A line a timed run."""
    rows = []
    for result in bench.results:
        rounds: Sequence[int | str] = result.round_of or [""] * len(result.samples_ms)
        rows += [
            (_cell(result.model), result.device, turn, sample)
            for turn, sample in zip(rounds, result.samples_ms, strict=False)
        ]
    return _csv(("model", "device", "round", "ms"), rows)


def _cell(value: Any) -> Any:
    """Plain cells; text that a spreadsheet would run as a formula is made harmless."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    if isinstance(value, str):
        text = str(getattr(value, "value", value))
        return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
    return value


def _csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue()
