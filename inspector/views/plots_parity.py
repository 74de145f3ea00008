"""Is it still the same model, as charts: error of each output, source against result, and how the errors are spread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFontMetrics

from inspector.engines.parity.verdict import OutputParity
from inspector.viewmodels.verdicts import difference, excess, tone_of
from inspector.views import look
from inspector.views.plots import Chart, faded, log10, nearest, pen

ROWS, MOST_ROWS = 2, 24
"""How many rows there is room for at least, and how many are drawn at most."""
ALONE = (-2.0, 0.75)
"""From the bottom to the top of the chart of a single output."""


class ErrorChart(Chart):
    """One bar an output: its largest difference, beside the mean, the noise floor and the tolerance."""

    def __init__(self) -> None:
        super().__init__("Error per output", "absolute difference", "", log_x=True)
        self._outputs: tuple[OutputParity, ...] = ()

    def show_outputs(self, outputs: Sequence[OutputParity]) -> None:
        """Show these; of very many the worst."""
        worst = sorted(outputs, key=excess, reverse=True)[:MOST_ROWS]
        self._outputs = tuple(o for o in outputs if o in worst)
        self.redraw()

    def series(self) -> dict[str, Any]:
        """The lengths of the bars by output, and what they are held against."""
        return {
            "outputs": [output.b for output in self._outputs],
            "max_abs": [output.max_abs for output in self._outputs],
            "mean_abs": [output.mean_abs for output in self._outputs],
            "tolerance": [output.tolerance for output in self._outputs],
            "noise_floor": [output.noise_floor for output in self._outputs],
        }

    def draw(self) -> None:
        """Bars from the left edge; zero is a bar of no length that says so."""
        outputs = self._outputs
        if not outputs:
            return
        figures = [v for o in outputs for v in (o.max_abs, o.mean_abs, o.tolerance, o.noise_floor) if 0 < v < math.inf]
        low = math.floor(math.log10(min(figures, default=1e-8))) - 0.5
        high = math.ceil(math.log10(max(figures, default=1.0))) + 0.7
        self.setXRange(low, high, padding=0)
        if len(outputs) == 1:
            self._alone(outputs[0], low, high)
            return
        for row, output in enumerate(outputs):
            self._row(output, -row, low, high)
        rows = max(ROWS, len(outputs))
        self._key(low, high, 0.5 - rows)
        self.fix_y(0.2 - rows, 0.75)

    def _alone(self, output: OutputParity, low: float, high: float) -> None:
        """One output has the whole chart: its largest and its mean difference, before what they are held against."""
        bottom, top = ALONE
        if 0 < output.noise_floor < math.inf:
            end = math.log10(output.noise_floor)
            self._bar(low, end, (bottom + top) / 2, top - bottom, faded("line_strong", 60))
            self._beside(f"noise floor {difference(output.noise_floor)}", end, bottom + 0.42, low, high, "muted")
        if 0 < output.tolerance < math.inf:
            end = math.log10(output.tolerance)
            self.addItem(pg.InfiniteLine(end, pen=pen("text", 1.5, Qt.PenStyle.DashLine)))
            self._beside(f"tolerance {difference(output.tolerance)}", end, bottom + 0.16, low, high, "text")
        rows = (("largest", output.max_abs, look.colour(tone_of(output.verdict))), ("mean", output.mean_abs, None))
        for row, (words, value, brush) in enumerate(rows):
            end = log10(value, 10.0**low) if 0 < value < math.inf else low if value == 0 else high
            self._bar(low, end, -row, 0.26, brush or faded("text", 150))
            figure = "identical" if output.max_abs == 0 and tone_of(output.verdict) == "good" else difference(value)
            self.text(f"{words}  {figure}", low, 0.32 - row, "text", (0, 0.5))
        self.fix_y(bottom, top)

    def _beside(self, words: str, x: float, y: float, low: float, high: float, tone: str) -> None:
        """Words right of a line, or left of it where the chart ends soon."""
        self.text(words, x, y, tone, (0 if x < (low + high) / 2 else 1, 0.5))

    def _key(self, low: float, high: float, y: float) -> None:
        """What the marks mean, in their own shapes, below the rows."""
        step = (high - low) / 4
        starts = [low + (place + 0.04) * step for place in range(4)]
        self._bar(starts[0], starts[0] + 0.16 * step, y, 0.12, look.colour("good"))
        self._dot(starts[1] + 0.1 * step, y)
        self._mark(starts[2] + 0.1 * step, y, 0.14)
        self._bar(starts[3], starts[3] + 0.16 * step, y, 0.2, faded("line_strong", 90))
        for x, words in zip(starts, ("largest", "mean", "tolerance", "noise floor"), strict=True):
            self.text(words, x + 0.2 * step, y, "muted")

    def _row(self, output: OutputParity, y: float, low: float, high: float) -> None:
        floor = 10.0**low
        tone = tone_of(output.verdict)
        if 0 < output.noise_floor < math.inf:
            self._bar(low, log10(output.noise_floor, floor), y, 0.44, faded("line_strong", 90))
        end = high if not math.isfinite(output.max_abs) else log10(output.max_abs, floor) if output.max_abs > 0 else low
        self._bar(low, end, y, 0.24, look.colour(tone))
        if 0 < output.mean_abs < math.inf:
            self._dot(log10(output.mean_abs, floor), y)
        if 0 < output.tolerance < math.inf:
            self._mark(log10(output.tolerance, floor), y, 0.3)
        name = output.a if output.a == output.b else f"{output.a} → {output.b}"
        name = QFontMetrics(look.tabular(0.92)).elidedText(name, Qt.TextElideMode.ElideMiddle, 260)
        figure = "identical" if output.max_abs == 0 and tone == "good" else difference(output.max_abs)
        self.text(f"{name}  {figure}", low, y + 0.4, "text", (0, 0.5))

    def _bar(self, x0: float, x1: float, y: float, height: float, brush: Any) -> None:
        self.addItem(pg.BarGraphItem(x0=[x0], x1=[x1], y=[y], height=height, pen=None, brush=brush))

    def _dot(self, x: float, y: float) -> None:
        self.addItem(pg.ScatterPlotItem([x], [y], size=7, pen=pen("base"), brush=look.colour("text")))

    def _mark(self, x: float, y: float, half: float) -> None:
        self.addItem(pg.PlotCurveItem([x, x], [y - half, y + half], pen=pen("text", 2)))

    def tip(self, at: QPointF) -> str:
        """The figures of the row under the mouse."""
        row = 0 if len(self._outputs) == 1 and ALONE[0] < at.y() < ALONE[1] else round(-at.y())
        if not 0 <= row < len(self._outputs):
            return ""
        output = self._outputs[row]
        return (
            f"{output.b}: {output.verdict.value}\n"
            f"largest {difference(output.max_abs)} · mean {difference(output.mean_abs)}\n"
            f"tolerance {difference(output.tolerance)} · noise floor {difference(output.noise_floor)}\n{output.why}"
        ).strip()


class ScatterChart(Chart):
    """Values of the source against values of the result: on the line they are the same."""

    def __init__(self) -> None:
        super().__init__("Source against result", "source", "result")
        self._a: np.ndarray[Any, Any] = np.zeros(0)
        self._b = self._a

    def show_output(self, output: OutputParity | None) -> None:
        """Show the sampled values of one output."""
        a, b = (output.sample_a, output.sample_b) if output else ((), ())
        length = min(len(a), len(b))
        self._a, self._b = np.asarray(a[:length], float), np.asarray(b[:length], float)
        finite = np.isfinite(self._a) & np.isfinite(self._b)
        self._a, self._b = self._a[finite], self._b[finite]
        self.redraw()

    def series(self) -> dict[str, Any]:
        """The points."""
        return {"source": self._a.tolist(), "result": self._b.tolist()}

    def draw(self) -> None:
        """The diagonal, the points, the worst one ringed."""
        if not self._a.size:
            return
        low, high = float(min(self._a.min(), self._b.min())), float(max(self._a.max(), self._b.max()))
        room = (high - low or 1.0) * 0.05
        ends = [low - room, high + room]
        self.addItem(pg.PlotCurveItem(ends, ends, pen=pen("line_strong", 1.5)))
        size = 5 if self._a.size > 500 else 7
        points = pg.ScatterPlotItem(
            self._a, self._b, size=size, pen=None, brush=faded(look.series_colour(0), 110), pxMode=True
        )
        self.addItem(points)
        worst = int(np.argmax(np.abs(self._a - self._b)))
        if self._a[worst] != self._b[worst]:
            ring = pg.ScatterPlotItem(
                [self._a[worst]], [self._b[worst]], size=13, pen=pen("bad", 1.5), brush=None, pxMode=True
            )
            self.addItem(ring)
        self.setXRange(*ends, padding=0)
        self.setYRange(*ends, padding=0)

    def tip(self, at: QPointF) -> str:
        """Both values of the nearest point."""
        box = self.getPlotItem().getViewBox()
        place = nearest(self._a.tolist(), self._b.tolist(), at, box.viewPixelSize)
        if place < 0:
            return ""
        a, b = float(self._a[place]), float(self._b[place])
        return f"source {a:.7g}\nresult {b:.7g}\ndifference {difference(b - a)}"


class HistogramChart(Chart):
    """How the differences are spread, with the tolerance as a line."""

    def __init__(self) -> None:
        super().__init__("Histogram of errors", "absolute difference", "values", log_x=True)
        self._output: OutputParity | None = None

    def show_output(self, output: OutputParity | None) -> None:
        """Show one output."""
        self._output = output
        self.redraw()

    def series(self) -> dict[str, Any]:
        """Edges (decimal logarithms) and counts."""
        histogram = self._output.histogram if self._output else None
        return {
            "edges": list(histogram.edges) if histogram else [],
            "counts": list(histogram.counts) if histogram else [],
        }

    def draw(self) -> None:
        """Bars between the edges."""
        output = self._output
        if output is None:
            return
        if not output.histogram.counts:
            self._nothing("Every value is identical." if output.max_abs == 0 else "There are no differences to spread.")
            return
        edges, counts = np.asarray(output.histogram.edges), np.asarray(output.histogram.counts)
        bars = pg.BarGraphItem(
            x0=edges[:-1],
            x1=edges[1:],
            y0=np.zeros(len(counts)),
            y1=counts,
            pen=pen("base"),
            brush=look.series_colour(0),
        )
        self.addItem(bars)
        top = float(counts.max()) * 1.15
        marks = [math.log10(v) for v in (output.noise_floor, output.tolerance) if 0 < v < math.inf]
        left, right = min([edges[0], *marks]) - 0.3, max([edges[-1], *marks]) + 0.6
        self._line(output.noise_floor, "noise floor", "muted", top * 0.96, (left + right) / 2)
        self._line(output.tolerance, "tolerance", "text", top * 0.88, (left + right) / 2)
        self.setXRange(left, right, padding=0)
        self.setYRange(0, top, padding=0)

    def _line(self, value: float, words: str, tone: str, height: float, middle: float) -> None:
        if 0 < value < math.inf:
            at = math.log10(value)
            self.addItem(pg.InfiniteLine(at, pen=pen(tone, 1.5, Qt.PenStyle.DashLine)))
            self.text(f"{words} {difference(value)}", at, height, tone, (0 if at < middle else 1, 0.5))

    def _nothing(self, words: str) -> None:
        self.setXRange(-9, 0, padding=0)
        self.setYRange(0, 1, padding=0)
        self.text(words, -4.5, 0.5, "muted", (0.5, 0.5))

    def tip(self, at: QPointF) -> str:
        """The bar under the mouse."""
        if self._output is None:
            return ""
        edges, counts = self._output.histogram.edges, self._output.histogram.counts
        for low, high, count in zip(edges, edges[1:], counts, strict=False):
            if low <= at.x() < high:
                return f"{count:,} values differ by {difference(10**low)} to {difference(10**high)}"
        return ""
