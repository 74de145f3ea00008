"""A slice of a tensor as a picture in colours that part at zero, with a scale; each cell says what it shows."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from inspector.viewmodels.heat import LEVELS, NOTHING, STRANGE, Heat
from inspector.views import look

SCALE, GAP = 10, 8
"""Height of the colour scale, and the room above it."""
LEAST, MOST = 40, 400
"""Height of the picture."""
SQUARE = 1 / 4
"""A picture is at least this high for its width, unless it is of one row."""
STOPS = ("heat_least", "heat_less", "heat_zero", "heat_more", "heat_most")


def colours() -> list[QColor]:
    """The colours of the levels, from least to most."""
    stops = [look.colour(name) for name in STOPS]
    found = []
    for level in range(LEVELS):
        at = level / (LEVELS - 1) * (len(stops) - 1)
        first = min(int(at), len(stops) - 2)
        found.append(_between(stops[first], stops[first + 1], at - first))
    return found


def _between(one: QColor, other: QColor, share: float) -> QColor:
    parts = [
        round(a + (b - a) * share)
        for a, b in ((one.red(), other.red()), (one.green(), other.green()), (one.blue(), other.blue()))
    ]
    return QColor(*parts)


class HeatMapView(QWidget):
    """The picture and its scale. The arrow keys walk from cell to cell, Enter goes to its value."""

    said = Signal(str)
    """What the cell under the mouse or the cursor shows; empty for none."""
    picked = Signal(int)
    """The first element of the cell that was clicked, counted in C order."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("tensorHeatMap")
        self.setAccessibleName("Heat map")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._heat: Heat | None = None
        self._image = QImage()
        self._cursor: tuple[int, int] | None = None
        look.themed.changed.connect(self._paint_cells)

    def show_heat(self, heat: Heat | None) -> None:
        """Show this picture; the cursor stays where it was, where there is such a cell."""
        same = heat is not None and self._heat is not None and heat.mean.shape == self._heat.mean.shape
        self._heat = heat
        self._cursor = self._cursor if same else None
        self.setAccessibleDescription(heat.caption() if heat is not None else "")
        self._paint_cells()
        self._fit()

    def cell_at(self, position: QPointF | QPoint) -> tuple[int, int] | None:
        """Row and column of the cell at a place of the widget."""
        plot = self._plot()
        if self._heat is None or not plot.contains(QPointF(position)):
            return None
        rows, columns = self._heat.mean.shape
        row = int((position.y() - plot.top()) / plot.height() * rows)
        column = int((position.x() - plot.left()) / plot.width() * columns)
        return min(row, rows - 1), min(column, columns - 1)

    def image(self) -> QImage:
        """The cells as painted, a pixel each."""
        return self._image

    # Painting

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(240, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the proportions of the slice."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self._heat is None or not self._heat.mean.size:
            return
        down, across = self._heat.source.extent
        share = max(down / max(1, across), SQUARE if down > 1 else 0)
        high = max(LEAST, min(MOST, round(self.width() * min(share, 1.0))))
        self.setFixedHeight(high + GAP + SCALE + self.fontMetrics().height() + 2)

    def _plot(self) -> QRectF:
        below = GAP + SCALE + self.fontMetrics().height() + 2
        return QRectF(0, 0, self.width(), self.height() - below)

    def _paint_cells(self) -> None:
        heat = self._heat
        if heat is None or not heat.mean.size:
            self._image = QImage()
            self.update()
            return
        levels = heat.levels()
        rows, columns = levels.shape
        image = QImage(levels.tobytes(), columns, rows, columns, QImage.Format.Format_Indexed8).copy()
        shades = [colour.rgb() for colour in colours()]
        table = [*shades, *[0] * (NOTHING + 1 - len(shades))]
        table[STRANGE] = look.colour("heat_odd").rgb()
        image.setColorTable(table)
        self._image = image.convertToFormat(QImage.Format.Format_ARGB32)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the cells, the cursor and the scale."""
        heat = self._heat
        if heat is None or self._image.isNull():
            return
        plot = self._plot()
        with QPainter(self) as painter:
            painter.drawImage(plot, self._image)
            painter.setPen(look.colour("line"))
            painter.drawRect(plot.adjusted(0, 0, -1, -1))
            if self._cursor is not None and self.hasFocus():
                self._draw_cursor(painter, plot, heat)
            self._draw_scale(painter, plot, heat)

    def _draw_cursor(self, painter: QPainter, plot: QRectF, heat: Heat) -> None:
        assert self._cursor is not None
        rows, columns = heat.mean.shape
        wide, high = plot.width() / columns, plot.height() / rows
        room = QRectF(plot.left() + self._cursor[1] * wide, plot.top() + self._cursor[0] * high, wide, high)
        ring = room.adjusted(-2, -2, 2, 2)
        painter.setPen(QPen(look.colour("base"), 3))
        painter.drawRect(ring)
        painter.setPen(QPen(look.colour("text"), 1.5))
        painter.drawRect(ring)

    def _draw_scale(self, painter: QPainter, plot: QRectF, heat: Heat) -> None:
        bar = QRectF(plot.left(), plot.bottom() + GAP, plot.width(), SCALE)
        shades = colours()
        step = bar.width() / len(shades)
        for number, shade in enumerate(shades):
            painter.fillRect(QRectF(bar.left() + number * step, bar.top(), step + 1, bar.height()), shade)
        painter.setPen(look.colour("line"))
        painter.drawRect(bar.adjusted(0, 0, -1, -1))
        painter.setPen(look.colour("muted"))
        painter.setFont(look.tabular(0.92))
        under = QRectF(bar.left(), bar.bottom() + 2, bar.width(), self.fontMetrics().height())
        low, high = heat.ends()
        painter.drawText(under, int(Qt.AlignmentFlag.AlignLeft), low)
        painter.drawText(under, int(Qt.AlignmentFlag.AlignHCenter), "0")
        painter.drawText(under, int(Qt.AlignmentFlag.AlignRight), high)

    # Mouse and keys

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say what the cell under the mouse shows."""
        cell = self.cell_at(event.position())
        self.said.emit(self._heat.text(*cell) if self._heat is not None and cell is not None else "")

    def leaveEvent(self, event: QEvent) -> None:
        """Say what the cursor's cell shows."""
        super().leaveEvent(event)
        self._say()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the cursor there, and go to the value."""
        cell = self.cell_at(event.position())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self._cursor = cell
            self._say()
            self._pick()
            self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys walk (with Shift by ten), Home and End go along the row, Enter goes to the value."""
        if self._heat is None or not self._heat.mean.size:
            super().keyPressEvent(event)
            return
        step = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        moves = {
            Qt.Key.Key_Left: (0, -step), Qt.Key.Key_Right: (0, step), Qt.Key.Key_Up: (-step, 0),
            Qt.Key.Key_Down: (step, 0), Qt.Key.Key_Home: (0, -(1 << 20)), Qt.Key.Key_End: (0, 1 << 20),
        }  # fmt: skip
        move = moves.get(Qt.Key(event.key()))
        if move is not None:
            rows, columns = self._heat.mean.shape
            row, column = self._cursor or (0, 0)
            self._cursor = (min(max(0, row + move[0]), rows - 1), min(max(0, column + move[1]), columns - 1))
            self._say()
            self.update()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}:
            self._pick()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The cursor shows where the keys begin."""
        super().focusInEvent(event)
        self._cursor = self._cursor or (0, 0)
        self._say()
        self.update()

    def _say(self) -> None:
        known = self._heat is not None and self._cursor is not None and self._heat.mean.size
        text = self._heat.text(*self._cursor) if known and self._heat and self._cursor else ""
        self.setAccessibleDescription(text)
        self.said.emit(text)

    def _pick(self) -> None:
        if self._heat is not None and self._cursor is not None:
            number = self._heat.number(*self._cursor)
            if number is not None:
                self.picked.emit(number)
