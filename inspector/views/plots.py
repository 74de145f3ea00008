"""Charts in the colours of the window. Importing this module loads pyqtgraph (0.3 s): only panes that show one do.

A chart keeps the data it was given and draws it anew when the colours change; `series()` says what is drawn, for tests
and for export. Logarithmic axes hold decimal logarithms, because pyqtgraph's own log mode reaches lines only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPen, QWheelEvent
from PySide6.QtWidgets import QToolTip

from inspector.viewmodels.words import tip as inert_tip
from inspector.views import look

Ticks = list[tuple[float, list[float]]]
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(exponent: int) -> str:
    """`10⁻⁶`, and plain `1`, `10`, `0.1` near one."""
    if -2 <= exponent <= 3:
        return f"{10.0**exponent:g}"
    return f"10{str(exponent).translate(SUPERSCRIPT)}"


class LogAxis(pg.AxisItem):  # type: ignore[misc]
    """An axis of decimal logarithms with a label at each decade, and at 2 and 5 where there is room."""

    def tickValues(self, low: float, high: float, size: float) -> Ticks:
        """Decades, then 2 and 5 between them."""
        first, last = math.floor(low), math.ceil(high)
        stride = max(1, math.ceil((last - first) / max(1, size // 48)))
        decades = [float(e) for e in range(first, last + 1) if low <= e <= high and e % stride == 0]
        between = [e + math.log10(m) for e in range(first, last + 1) for m in (2, 5)]
        between = [value for value in between if low <= value <= high]
        if stride > 1 or size / max(1e-9, high - low) < 110:
            between = []
        return [(1.0, decades), (0.3, between)]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Powers of ten; plain numbers between them."""
        return [power_of_ten(round(v)) if abs(v - round(v)) < 1e-6 else _plain(10.0**v) for v in values]


def _plain(value: float) -> str:
    exponent = math.floor(math.log10(value) + 1e-9)
    if -3 <= exponent <= 3:
        return f"{value:.{max(0, -exponent)}f}"
    return f"{round(value / 10.0**exponent)}·{power_of_ten(exponent)}"


class Chart(pg.PlotWidget):  # type: ignore[misc]
    """One chart.

    Args:
        name: For screen readers and as the name of exported files.
        x, y: What the axes show, with the unit.
        log_x: Whether x holds decimal logarithms.
    """

    def __init__(self, name: str, x: str, y: str, *, log_x: bool = False) -> None:
        axes = {"bottom": LogAxis("bottom")} if log_x else {}
        super().__init__(axisItems=axes)
        self.name = name
        self.setAccessibleName(name)
        self._labels = {"bottom": x, "left": y}
        self._names: dict[Any, str] = {}
        item = self.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        self.setFrameShape(self.Shape.NoFrame)
        self.setAntialiasing(True)
        self.setMouseTracking(True)
        self.scene().sigMouseMoved.connect(self._on_moved)
        look.themed.changed.connect(self.redraw)

    def minimumSizeHint(self) -> QSize:
        """Smaller than this a chart says nothing."""
        return QSize(240, 208)

    def sizeHint(self) -> QSize:
        """The same whatever is drawn: pyqtgraph's follows the data, and the page would jump."""
        return QSize(480, 208)

    def redraw(self) -> None:
        """Draw the data in the colours of the moment."""
        item = self.getPlotItem()
        item.clear()
        self.setBackground(look.colour("base"))
        font = look.tabular(0.92)
        for side in ("bottom", "left"):
            axis = item.getAxis(side)
            axis.setStyle(tickFont=font, tickLength=-4, tickTextOffset=8, hideOverlappingLabels=side == "left")
            axis.enableAutoSIPrefix(False)  # "milliseconds (x0.001)" helps nobody
            axis.setPen(pen("line_strong"))
            axis.setTextPen(pen("muted"))
            text = self._labels[side]
            axis.setLabel(text, **{"color": look.colour("muted").name(), "font-size": _points(font)}) if text else None
            axis.showLabel(bool(text))
        item.showGrid(x=True, y=True, alpha=0.12)
        self.draw()

    def draw(self) -> None:
        """Put the items in; called with an empty chart whose axes are dressed."""
        raise NotImplementedError

    def series(self) -> dict[str, Any]:
        """What is drawn, as plain lists."""
        raise NotImplementedError

    def tip(self, at: QPointF) -> str:
        """What to say of the place under the mouse, in data coordinates; empty for nothing."""
        return ""

    def text(self, words: str, x: float, y: float, tone: str = "text", anchor: tuple[float, float] = (0, 0.5)) -> None:
        """Words at a place in data coordinates."""
        made = pg.TextItem(words, color=look.colour(tone), anchor=anchor)
        made.setFont(look.tabular(0.92))
        made.setPos(x, y)
        self.addItem(made, ignoreBounds=True)

    def fix_y(self, low: float, high: float) -> None:
        """Rows stand where they are; only x moves. They name themselves, so there is no axis."""
        self.getPlotItem().hideAxis("left")
        self.getPlotItem().showGrid(x=True, y=False, alpha=0.12)
        self.getPlotItem().getViewBox().setMouseEnabled(x=True, y=False)
        self.setYRange(low, high, padding=0)

    def _on_moved(self, place: QPointF) -> None:
        box = self.getPlotItem().getViewBox()
        if not box.sceneBoundingRect().contains(place):
            QToolTip.hideText()
            return
        words = self.tip(box.mapSceneToView(place))
        if words:
            QToolTip.showText(self.mapToGlobal(self.mapFromScene(place)), inert_tip(words), self)
        else:
            QToolTip.hideText()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom with Ctrl; without it the page scrolls."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().wheelEvent(event)
        else:
            event.ignore()

    def mouseDoubleClickEvent(self, event: Any) -> None:
        """Back to the whole."""
        super().mouseDoubleClickEvent(event)
        self.redraw()


def pen(name: str | QColor, width: float = 1.0, style: Qt.PenStyle = Qt.PenStyle.SolidLine, alpha: int = 255) -> QPen:
    """A pen in a colour of the palette, of the same width at every zoom."""
    made = QPen(faded(name, alpha), width, style)
    made.setCosmetic(True)
    return made


def faded(name: str | QColor, alpha: int) -> QColor:
    """A colour of the palette, more or less transparent."""
    made = QColor(look.colour(name) if isinstance(name, str) else name)
    if alpha < 255:
        made.setAlpha(alpha)
    return made


def _points(font: QFont) -> str:
    size = font.pixelSize()
    if size <= 0:
        dpi = QGuiApplication.primaryScreen().logicalDotsPerInchY()
        size = round(font.pointSizeF() * dpi / 72)
    return f"{size}px"


def log10(value: float, floor: float) -> float:
    """The decimal logarithm, of `floor` where the value is smaller."""
    return math.log10(max(value, floor))


def nearest(xs: Sequence[float], ys: Sequence[float], at: QPointF, scale: Callable[[], tuple[float, float]]) -> int:
    """The place of the point that is nearest on the screen, within 12 pixels; -1 where there is none."""
    dx, dy = scale()
    best, found = 12.0**2, -1
    for place, (x, y) in enumerate(zip(xs, ys, strict=True)):
        distance = ((x - at.x()) / dx) ** 2 + ((y - at.y()) / dy) ** 2
        if distance < best:
            best, found = distance, place
    return found
