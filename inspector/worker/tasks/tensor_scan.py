"""Statistics of all values of a large tensor, a step at a time, so that other questions are answered in between.

Who asks goes on asking until it is done, and stops it by asking no more. The values are read twice: first for the
statistics, then, their range being known, for the histogram.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from inspector.engines.parity.verdict import Histogram
from inspector.ir.text import inert
from inspector.worker.tasks._document import document
from inspector.worker.tasks._figures import PIECE, Bins, Statistics, Tally, has_figures
from inspector.worker.tasks._task import Context, Task
from inspector.worker.tasks._values import values
from inspector.worker.tasks.tensor import figures

STEP = 16 * PIECE
"""Elements of one step: about half a second."""


class TensorScanArgs(msgspec.Struct, frozen=True):
    """Which tensor, as stored or real (see `TensorArgs`); `begin` starts anew."""

    name: str
    begin: bool = False
    real: bool | None = None


class TensorScan(msgspec.Struct, frozen=True):
    """How far it is, between 0 and 1; at 1 the figures of all `looked_at` values are there."""

    done: float
    statistics: dict[str, float | int | None]
    histogram: Histogram
    looked_at: int


@dataclass(slots=True)
class _Scan:
    key: tuple[str, bool | None]
    tally: Tally
    bins: Bins | None = None
    at: int = 0


def run(args: TensorScanArgs, context: Context) -> TensorScan:
    """Do one step."""
    opened = document(context)
    tensor = opened.tensor(args.name)
    found = values(opened, tensor, args.real)
    if not has_figures(found.dtype):
        statistics, histogram, looked_at = figures(opened, tensor, found)
        return TensorScan(1.0, statistics, histogram, looked_at)
    key = (tensor.name, args.real)
    scan: _Scan | None = opened.kept.get("scan")
    if scan is None or scan.key != key or args.begin:
        opened.kept["scan"] = scan = _Scan(key, Tally(found.dtype))
    context.report(scan.at / max(1, found.size), f"Reading {inert(tensor.name)}")
    end = min(found.size, scan.at + STEP)
    for part in found.parts(iter([(scan.at, end - scan.at)])):
        (scan.bins or scan.tally).add(part)
    scan.at = end
    if end < found.size:
        return TensorScan((end / found.size + (scan.bins is not None)) / 2, {}, Histogram((), ()), 0)
    if scan.bins is None and scan.tally.finite:
        scan.bins, scan.at = Bins(scan.tally.low, scan.tally.high), 0
        return TensorScan(0.5, {}, Histogram((), ()), 0)
    del opened.kept["scan"]
    edges, counts = (scan.bins.edges, scan.bins.counts) if scan.bins is not None else ((), ())
    histogram = Histogram(tuple(map(float, edges)), tuple(map(int, counts)))
    whole: Statistics = scan.tally.statistics()
    figures(opened, tensor, found, (whole, histogram, found.size))
    return TensorScan(1.0, whole, histogram, found.size)


TASK = Task("tensor_scan", TensorScanArgs, TensorScan, run)
