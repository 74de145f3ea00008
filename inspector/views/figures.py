"""Numbers as small pictures, painted by hand: bars of the largest layers, and a histogram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log1p

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from inspector.viewmodels import words
from inspector.views import look

LINE = 28


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a bar list."""

    name: str
    type: str
    category: str
    share: float
    text: str


class BarList(QWidget):
    """The largest layers, one below the other; a click or Enter picks one."""

    picked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._bars: tuple[Bar, ...] = ()
        self._high = LINE
        self._over = -1
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Largest layers")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        look.themed.changed.connect(self.update)

    def show_bars(self, bars: Sequence[Bar]) -> None:
        """Show these, largest first."""
        self._bars = tuple(bars)
        self._high = look.scaled(LINE)
        self.setFixedHeight(self._high * len(self._bars))
        self.setAccessibleDescription("; ".join(f"{bar.name}: {bar.text}" for bar in self._bars))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw every line: dot, name, bar, figure."""
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for number, bar in enumerate(self._bars):
                self._line(painter, QRectF(0, number * self._high, self.width(), self._high), bar, number == self._over)

    def _line(self, painter: QPainter, room: QRectF, bar: Bar, over: bool) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        if over:
            painter.setBrush(look.colour("selection" if self.hasFocus() else "hover"))
            painter.drawRoundedRect(room, 4, 4)
        painter.setBrush(look.category_colour(bar.category))
        painter.drawRoundedRect(QRectF(8, room.center().y() - 4, 8, 8), 2, 2)
        name_width = max(96.0, room.width() * 0.34)
        figures = float(look.scaled(144))
        side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.setFont(self.font())
        metrics = QFontMetrics(self.font())
        painter.setPen(look.colour("text"))
        name = metrics.elidedText(bar.name, Qt.TextElideMode.ElideMiddle, int(name_width - 8))
        painter.drawText(QRectF(24, room.top(), name_width, self._high), int(side), name)
        used = 24 + metrics.horizontalAdvance(name) + 8
        if used + 32 < name_width + 24:
            painter.setPen(look.colour("muted"))
            kind = metrics.elidedText(bar.type, Qt.TextElideMode.ElideRight, int(name_width + 24 - used))
            painter.drawText(QRectF(used, room.top(), name_width + 24 - used, self._high), int(side), kind)
        track = QRectF(name_width + 40, room.center().y() - 4, room.width() - name_width - 40 - figures, 8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.colour("bar_track"))
        painter.drawRoundedRect(track, 4, 4)
        if bar.share > 0:
            painter.setBrush(look.colour("bar"))
            painter.drawRoundedRect(QRectF(track.left(), track.top(), max(4.0, track.width() * bar.share), 8), 4, 4)
        painter.setFont(look.tabular())
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.setPen(look.colour("text"))
        painter.drawText(QRectF(room.right() - figures, room.top(), look.scaled(80), self._high), int(right), bar.text)
        painter.setPen(look.colour("muted"))
        painter.drawText(
            QRectF(room.right() - look.scaled(64), room.top(), look.scaled(56), self._high),
            int(right),
            words.percent(bar.share),
        )

    def _at(self, position: QPointF) -> int:
        number = int(position.y() // self._high)
        return number if 0 <= number < len(self._bars) else -1

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Light the line under the mouse."""
        self._set_over(self._at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        """No line is lit."""
        self._set_over(-1)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Pick the line."""
        if (number := self._at(event.position())) >= 0:
            self.picked.emit(number)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show where the arrow keys begin."""
        super().focusInEvent(event)
        if self._over < 0 and self._bars:
            self._set_over(0)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """No line is lit."""
        super().focusOutEvent(event)
        self._set_over(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys walk, Enter picks."""
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
        if step is not None and self._bars:
            self._set_over((self._over + step) % len(self._bars))
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space} and self._over >= 0:
            self.picked.emit(self._over)
        else:
            super().keyPressEvent(event)

    def _set_over(self, number: int) -> None:
        if number != self._over:
            self._over = number
            self.setCursor(Qt.CursorShape.PointingHandCursor if number >= 0 else Qt.CursorShape.ArrowCursor)
            self.update()


class HistogramView(QWidget):
    """How the values of a tensor are distributed."""

    def __init__(self) -> None:
        super().__init__()
        self._edges: tuple[float, ...] = ()
        self._counts: tuple[int, ...] = ()
        self._logarithmic = False
        self.setMouseTracking(True)
        self.setAccessibleName("Histogram of the values")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        look.themed.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Wide and low."""
        return QSize(240, 112)

    def show_counts(self, edges: Sequence[float], counts: Sequence[int]) -> None:
        """Show this many values between each two edges."""
        fits = len(edges) == len(counts) + 1
        self._edges, self._counts = (tuple(edges), tuple(counts)) if fits else ((), ())
        self.setVisible(bool(self._counts))
        self.update()

    def set_logarithmic(self, on: bool) -> None:
        """Make the bars as high as the logarithm of what they count, so that rare values are seen."""
        self._logarithmic = on
        self.update()

    def share(self, amount: int) -> float:
        """How high the bar of so many values is, between 0 and 1."""
        most = max(self._counts, default=0) or 1
        return log1p(amount) / log1p(most) if self._logarithmic else amount / most

    def _plot(self) -> QRectF:
        return QRectF(0, 4, self.width(), self.height() - 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bars, a base line, and the ends of the scale."""
        if not self._counts:
            return
        plot = self._plot()
        step = plot.width() / len(self._counts)
        with QPainter(self) as painter:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.colour("bar"))
            for number, amount in enumerate(self._counts):
                if amount:
                    height = max(1.0, plot.height() * self.share(amount))
                    gap = 1.0 if step > 3 else 0.0
                    painter.drawRect(
                        QRectF(plot.left() + number * step, plot.bottom() - height, max(1.0, step - gap), height)
                    )
            painter.fillRect(QRectF(plot.left(), plot.bottom(), plot.width(), 1), look.colour("line_strong"))
            painter.setPen(look.colour("muted"))
            painter.setFont(look.tabular(0.92))
            ends = QRectF(0, plot.bottom() + 2, self.width(), 18)
            low, high = self._edges[0], self._edges[-1]
            painter.drawText(ends, int(Qt.AlignmentFlag.AlignLeft), f"{low:.4g}")
            painter.drawText(ends, int(Qt.AlignmentFlag.AlignRight), f"{high:.4g}")
            if low < 0 < high:
                zero = plot.left() + plot.width() * (0 - low) / (high - low)
                painter.fillRect(QRectF(zero, plot.top(), 1, plot.height()), look.colour("muted"))
                if 64 < zero < self.width() - 64:
                    painter.drawText(QRectF(zero - 16, ends.top(), 32, 18), int(Qt.AlignmentFlag.AlignHCenter), "0")

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say what the bar under the mouse counts."""
        if not self._counts:
            return
        number = int(event.position().x() / max(1, self.width()) * len(self._counts))
        if 0 <= number < len(self._counts):
            low, high = self._edges[number], self._edges[number + 1]
            text = f"{low:.4g} … {high:.4g}\n{words.count(self._counts[number])} values"
            QToolTip.showText(event.globalPosition().toPoint(), text, self)
