"""The devices of this machine as chips to tick; those that cannot be used stand behind one chip and say why."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from inspector.viewmodels.devices import Chip
from inspector.views import look
from inspector.views.flow import FlowBox
from inspector.views.pieces import column, label

HEIGHT = 26
WIDTH, ROWS_SHOWN = 448, 7
"""Of the list of what cannot be used."""
REASON = Qt.ItemDataRole.UserRole


class Pill(QAbstractButton):
    """A rounded chip with a mark at its left; a click or Space presses it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.setText(text)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def sizeHint(self) -> QSize:
        """The text, a mark, and room around."""
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 40, HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """An outline, filled where it is ticked."""
        on, able = self.isChecked(), self.isEnabled()
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(look.colour("accent_soft" if on else "hover" if able and self.underMouse() else "base"))
            edge = "accent" if on or self.hasFocus() else self.outline()
            painter.setPen(QPen(look.colour(edge), 2 if self.hasFocus() else 1))
            painter.drawRoundedRect(box, HEIGHT / 2, HEIGHT / 2)
            painter.setPen(QPen(look.colour("accent" if on else "muted" if able else "disabled"), 1.75))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            self.mark(painter, QPointF(17, self.height() / 2))
            painter.setPen(look.colour(self.letters() if able else "disabled"))
            painter.drawText(box.adjusted(28, 0, -8, 0), int(Qt.AlignmentFlag.AlignVCenter), self.text())

    def outline(self) -> str:
        """Colour of its edge when it is neither ticked nor in focus."""
        return "line_strong"

    def letters(self) -> str:
        """Colour of its text."""
        return "text"

    def mark(self, painter: QPainter, middle: QPointF) -> None:
        """What stands left of the text."""
        raise NotImplementedError


class DeviceChip(Pill):
    """One device that can be used; its tick is a shape, not a colour alone."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip.title)
        self.chip = chip
        self.setCheckable(True)
        self.setToolTip(chip.details)
        self.setAccessibleName(chip.title)

    def mark(self, painter: QPainter, middle: QPointF) -> None:
        """A tick, or a ring to be ticked."""
        if not self.isChecked():
            painter.drawEllipse(middle, 3, 3)
            return
        tick = QPainterPath(middle + QPointF(-4.5, 0))
        tick.lineTo(middle + QPointF(-1.5, 3.5))
        tick.lineTo(middle + QPointF(4.5, -3.5))
        painter.drawPath(tick)


class MoreChip(Pill):
    """How many devices cannot be used; pressed it lists them."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} not usable")
        self.setObjectName("missingDevices")
        self.setToolTip("Show which devices cannot be used here, and why")
        self.setAccessibleName(f"{count} devices cannot be used: show which, and why")

    def outline(self) -> str:
        """Fainter than a device."""
        return "line"

    def letters(self) -> str:
        """Quieter than a device."""
        return "muted"

    def mark(self, painter: QPainter, middle: QPointF) -> None:
        """It opens downwards."""
        painter.drawPolyline([middle + QPointF(-4, -2), middle + QPointF(0, 2), middle + QPointF(4, -2)])


class ReasonCells(QStyledItemDelegate):
    """A device greyed, and below it why it cannot be used."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """As high as the reason is long."""
        metrics = QFontMetrics(option.font)
        room = QRect(0, 0, WIDTH - 48, 1000)
        reason = metrics.boundingRect(room, int(Qt.TextFlag.TextWordWrap), index.data(REASON))
        return QSize(WIDTH - 24, metrics.height() + 4 + reason.height() + 12)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw both."""
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.colour("hover"))
            painter.drawRoundedRect(option.rect, 4, 4)
        room = option.rect.adjusted(8, 6, -8, -6)
        font = QFont(option.font)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(look.colour("muted"))
        painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft), index.data())
        painter.setFont(option.font)
        below = room.adjusted(0, QFontMetrics(option.font).height() + 4, 0, 0)
        painter.drawText(below, int(Qt.TextFlag.TextWordWrap), index.data(REASON))
        painter.restore()


class MissingDevices(QFrame):
    """The devices that cannot be used, each with its reason: a list that the arrow keys walk; Escape closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("role", "popup")
        self.list = QListWidget()
        self.list.setObjectName("missingDeviceList")
        self.list.setAccessibleName("Devices that cannot be used here")
        self.list.setItemDelegate(ReasonCells(self.list))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.list.installEventFilter(self)
        self.setLayout(column(label("Not usable for this comparison", "heading"), self.list, margins=(12, 12, 4, 8)))
        self.setFocusProxy(self.list)

    def show_chips(self, chips: Sequence[Chip]) -> None:
        """List these."""
        self.list.clear()
        for chip in chips:
            item = QListWidgetItem(chip.title)
            item.setData(REASON, chip.reason)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{chip.title}: {chip.reason}")
            item.setToolTip(chip.details)
            self.list.addItem(item)

    def open_below(self, widget: QWidget) -> None:
        """Show it under a widget."""
        rows = [self.list.sizeHintForRow(row) for row in range(min(ROWS_SHOWN, self.list.count()))]
        self.list.setFixedSize(WIDTH - 16, sum(rows) + 8)
        self.adjustSize()
        self.move(widget.mapToGlobal(QPoint(0, widget.height() + 4)))
        self.list.setCurrentRow(0)
        self.show()
        self.list.setFocus(Qt.FocusReason.PopupFocusReason)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Escape, Enter and Tab close it."""
        keys = {Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab, Qt.Key.Key_Backtab}
        if event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and Qt.Key(event.key()) in keys:
            self.close()
            return True
        return False


class DeviceList(FlowBox):
    """Chips of the devices that can be used, and one that lists the others.

    Args:
        ticked: Called with device and whether it is used.
    """

    def __init__(self, ticked: Callable[[str, bool], object]) -> None:
        super().__init__(gap=8)
        self.setObjectName("deviceList")
        self.setAccessibleName("Devices")
        self._ticked = ticked
        self._shown: tuple[Chip, ...] | None = None
        self._words = ""
        self.chips: list[DeviceChip] = []
        self.missing: tuple[Chip, ...] = ()
        """Those that cannot be used; each has its reason."""
        self.more: MoreChip | None = None
        self.popup = MissingDevices(self)

    def show_chips(self, chips: Sequence[Chip], on: Callable[[str], bool], words: str) -> None:
        """Show these; where there are none, say the words."""
        if self._shown != tuple(chips) or (not chips and words != self._words):
            self._shown, self._words = tuple(chips), words
            self._fill(chips, words)
        for made in self.chips:
            made.blockSignals(True)
            made.setChecked(on(made.chip.id))
            made.blockSignals(False)
            made.update()

    def _fill(self, chips: Sequence[Chip], words: str) -> None:
        self.flow.clear()
        self.missing = tuple(chip for chip in chips if chip.reason)
        self.chips = [DeviceChip(chip) for chip in chips if not chip.reason]
        for made in self.chips:
            made.toggled.connect(lambda on, id=made.chip.id: self._ticked(id, on))
            self.flow.addWidget(made)
        self.popup.show_chips(self.missing)
        self.more = MoreChip(len(self.missing)) if self.missing else None
        if self.more is not None:
            self.more.clicked.connect(self._list_missing)
            self.flow.addWidget(self.more)
        if not chips:
            waiting = label(words, "caption")
            waiting.setMinimumHeight(HEIGHT)  # nothing jumps when the chips come
            self.flow.addWidget(waiting)
        self.updateGeometry()

    def _list_missing(self) -> None:
        if self.more is not None:
            self.popup.open_below(self.more)
