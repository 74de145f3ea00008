"""How fast it is, as charts: a box with every run as a point, and the share of runs that were done in time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QResizeEvent

from inspector.engines.latency.results import Measured
from inspector.viewmodels.measured import name_of
from inspector.viewmodels.verdicts import milliseconds
from inspector.views import look
from inspector.views.plots import Chart, faded, pen

ROWS, KEY_LINE = 2, 18
STYLES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)
Floats = NDArray[np.float64]


class LatencyChart(Chart):
    """What both charts share: the runs of each candidate on a logarithmic axis of milliseconds."""

    _results: tuple[Measured, ...] = ()

    def __init__(self, name: str, y: str) -> None:
        super().__init__(name, "milliseconds", y, log_x=True)

    def show_results(self, results: Sequence[Measured]) -> None:
        """Show those that could be measured."""
        self._results = tuple(result for result in results if result.samples_ms and not result.error)
        self.redraw()

    def series(self) -> dict[str, Any]:
        """The runs by candidate, in milliseconds."""
        return {name_of(result): list(result.samples_ms) for result in self._results}

    def _logs(self, result: Measured) -> Floats:
        logs: Floats = np.log10(np.maximum(np.asarray(result.samples_ms, float), 1e-6))
        return logs

    def _fit(self) -> tuple[float, float]:
        """The range that holds all but the wildest thousandth, at least a factor of two."""
        logs = np.concatenate([self._logs(result) for result in self._results])
        low, high = float(logs.min()), float(np.quantile(logs, 0.998))
        if high - low < math.log10(2):
            middle = (low + high) / 2
            low, high = middle - math.log10(2) / 2, middle + math.log10(2) / 2
        room = (high - low) * 0.06
        self.setXRange(low - room, high + room, padding=0)
        return low - room, high + room


class BoxChart(LatencyChart):
    """A row a candidate: quartiles as a box, the median as a line, every run as a point."""

    def __init__(self) -> None:
        super().__init__("Latency", "")

    def draw(self) -> None:
        """Rows from the top."""
        if not self._results:
            return
        left, _ = self._fit()
        for row, result in enumerate(self._results):
            self._row(row, result, left)
        self.fix_y(-max(ROWS, len(self._results)) + 0.45, 0.7)

    def _row(self, row: int, result: Measured, left: float) -> None:
        logs, colour, y = self._logs(result), look.series_colour(row), -float(row)
        spread = np.random.default_rng(row).uniform(-0.14, 0.14, len(logs))
        points = pg.ScatterPlotItem(logs, y + spread, size=5, pen=None, brush=faded(colour, 90), pxMode=True)
        q1, middle, q3 = (float(q) for q in np.quantile(logs, (0.25, 0.5, 0.75)))
        inside = logs[(logs >= q1 - 1.5 * (q3 - q1)) & (logs <= q3 + 1.5 * (q3 - q1))]
        for a, b in ((float(inside.min()), q1), (q3, float(inside.max()))):
            self.addItem(pg.PlotCurveItem([a, b], [y, y], pen=pen(colour, 1.5)))
        self.addItem(
            pg.BarGraphItem(x0=[q1], x1=[q3], y=[y], height=0.36, pen=pen(colour, 1.5), brush=faded(colour, 48))
        )
        self.addItem(points)
        self.addItem(pg.PlotCurveItem([middle, middle], [y - 0.22, y + 0.22], pen=pen("text", 2.5)))
        self.text(f"{name_of(result)}  {milliseconds(result.median_ms)}", left, y + 0.42, "text", (0, 0.5))

    def tip(self, at: QPointF) -> str:
        """The figures of the row under the mouse."""
        row = round(-at.y())
        if not 0 <= row < len(self._results):
            return ""
        one = self._results[row]
        low, high = one.ci95_ms
        return (
            f"{name_of(one)}\nmedian {milliseconds(one.median_ms)} ({milliseconds(low)} to {milliseconds(high)})\n"
            f"90 % within {milliseconds(one.p90_ms)}, 99 % within {milliseconds(one.p99_ms)}\n"
            f"{len(one.samples_ms)} runs"
        )


class CdfChart(LatencyChart):
    """A curve a candidate: which share of its runs took at most so long."""

    def __init__(self) -> None:
        super().__init__("Latency, cumulative", "share of runs, %")

    def draw(self) -> None:
        """Steps; above them, where no curve can be, which is which."""
        axis = self.getPlotItem().getAxis("left")
        axis.setTicks([[(share, str(share)) for share in range(0, 101, 20)]])
        if not self._results:
            return
        left, right = self._fit()
        line = KEY_LINE / max(80.0, self.height() - 64.0)
        top = 104 / max(0.3, 1 - line * len(self._results))
        for row, result in enumerate(self._results):
            logs = np.sort(self._logs(result))
            share = np.arange(1, len(logs) + 1) / len(logs) * 100
            x, y = np.repeat(logs, 2), np.concatenate([[0.0], np.repeat(share, 2)[:-1]])
            line_pen = pen(look.series_colour(row), 2, STYLES[row // 8 % len(STYLES)])
            self.addItem(pg.PlotCurveItem(x, y, pen=line_pen))
            height = top * (1 - line * (row + 0.6))
            sample = [left + (right - left) * part for part in (0.01, 0.05)]
            self.addItem(pg.PlotCurveItem(sample, [height, height], pen=line_pen))
            self.text(name_of(result), left + (right - left) * 0.06, height)
        self.setYRange(0, top, padding=0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The names keep their height."""
        super().resizeEvent(event)
        if self._results:
            self.redraw()

    def tip(self, at: QPointF) -> str:
        """What share of each was done by then."""
        lines = [milliseconds(10 ** at.x())]
        for result in self._results:
            share = float(np.mean(self._logs(result) <= at.x())) * 100
            lines.append(f"{share:.0f} %  {name_of(result)}")
        return "\n".join(lines) if self._results else ""
