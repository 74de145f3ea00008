"""The devices of this machine as chips to tick; missing ones are greyed and say why."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from inspector.viewmodels.devices import Chip
from inspector.views import look
from inspector.views.flow import FlowBox
from inspector.views.pieces import label


class DeviceChip(QAbstractButton):
    """One device: ticked in the accent, otherwise an outline, greyed where it cannot be used."""

    def __init__(self, chip: Chip) -> None:
        super().__init__()
        self.chip = chip
        self.setCheckable(True)
        self.setText(chip.title)
        self.setEnabled(not chip.reason)
        self.setToolTip(chip.reason or chip.details)
        self.setAccessibleName(f"{chip.title}: {chip.reason}" if chip.reason else chip.title)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if not chip.reason else Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        if not chip.reason:
            self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        """The text, a tick, and room around."""
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 40, 26)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A rounded chip; its tick is a shape, not a colour alone."""
        on, able = self.isChecked() and self.isEnabled(), self.isEnabled()
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            ground = "accent_soft" if on else "hover" if able and self.underMouse() else "base"
            edge = "accent" if on or self.hasFocus() else "line_strong" if able else "line"
            painter.setBrush(look.colour(ground) if able else Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(look.colour(edge), 2 if self.hasFocus() else 1))
            painter.drawRoundedRect(box, 13, 13)
            self._mark(painter, on, able)
            painter.setPen(look.colour("text" if able else "disabled"))
            painter.drawText(box.adjusted(28, 0, -8, 0), int(Qt.AlignmentFlag.AlignVCenter), self.text())

    def _mark(self, painter: QPainter, on: bool, able: bool) -> None:
        painter.setPen(QPen(look.colour("accent" if on else "disabled"), 1.75))
        middle = QPointF(17, self.height() / 2)
        if on:
            tick = QPainterPath(middle + QPointF(-4.5, 0))
            tick.lineTo(middle + QPointF(-1.5, 3.5))
            tick.lineTo(middle + QPointF(4.5, -3.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(tick)
        elif not able:
            painter.drawLine(middle + QPointF(-3.5, 0), middle + QPointF(3.5, 0))
        else:
            painter.drawEllipse(middle, 3, 3)


class DeviceList(FlowBox):
    """Chips of all devices.

    Args:
        ticked: Called with device and whether it is used.
    """

    def __init__(self, ticked: Callable[[str, bool], object]) -> None:
        super().__init__(gap=8)
        self.setObjectName("deviceList")
        self.setAccessibleName("Devices")
        self._ticked = ticked
        self._shown: tuple[Chip, ...] | None = None
        self.chips: list[DeviceChip] = []

    def show_chips(self, chips: Sequence[Chip], on: Callable[[str], bool], words: str) -> None:
        """Show these; where there are none, say the words."""
        if self._shown != tuple(chips) or not chips:
            self._shown = tuple(chips)
            self.flow.clear()
            self.chips = [DeviceChip(chip) for chip in chips]
            for made in self.chips:
                made.toggled.connect(lambda on, id=made.chip.id: self._ticked(id, on))
                self.flow.addWidget(made)
            if not chips:
                self.flow.addWidget(label(words, "caption"))
            self.updateGeometry()
        for made in self.chips:
            made.blockSignals(True)
            made.setChecked(not made.chip.reason and on(made.chip.id))
            made.blockSignals(False)
            made.update()
