"""How cells of the layer table are painted: fonts by kind, a dot of the category's colour, a bar for a share."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from inspector.viewmodels.columns import COLUMNS
from inspector.viewmodels.layers import LayerRole
from inspector.views import look

PAD = 8
SMALL = 0.92
"""Size of shapes: letters of one width look larger than others."""


class LayerCells(QStyledItemDelegate):
    """Paints every cell of the table; the column's style says how."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._fonts: dict[str, QFont] = {}
        self.restyle()

    def restyle(self) -> None:
        """The window's font has changed."""
        self._fonts = {"mono": look.mono_font(SMALL), "number": look.tabular(), "bar": look.tabular()}

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw the ground as the style has it, then the text in its place."""
        style = COLUMNS[index.column()].style
        self.initStyleOption(option, index)
        text, option.text = option.text, ""
        widget: QWidget = option.widget
        widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, widget)
        room = QRectF(option.rect).adjusted(PAD, 0, -PAD, 0)
        painter.save()
        if style == "type":
            self._dot(painter, room, index.data(LayerRole.CATEGORY))
            room.setLeft(room.left() + 14)
        elif style == "bar":
            self._bar(painter, room, index.data(LayerRole.SHARE) or 0.0)
            room.setLeft(room.right() - 48)
        painter.setFont(self._fonts.get(style, option.font))
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        faint = style == "bar" or text in {"–", "0", "?"}
        painter.setPen(look.colour("on_selection" if chosen else "muted" if faint else "text"))
        mode = Qt.TextElideMode.ElideMiddle if style == "text" else Qt.TextElideMode.ElideRight
        shown = painter.fontMetrics().elidedText(text, mode, int(room.width()))
        side = Qt.AlignmentFlag.AlignRight if style in {"number", "bar"} else Qt.AlignmentFlag.AlignLeft
        painter.drawText(room, int(side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine), shown)
        painter.restore()

    @staticmethod
    def _dot(painter: QPainter, room: QRectF, category: str) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.category_colour(category))
        painter.drawRoundedRect(QRectF(room.left(), room.center().y() - 4, 8, 8), 2, 2)

    @staticmethod
    def _bar(painter: QPainter, room: QRectF, share: float) -> None:
        track = QRectF(room.left(), room.center().y() - 3, max(0.0, room.width() - 52), 6)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.colour("bar_track"))
        painter.drawRoundedRect(track, 3, 3)
        if share > 0:
            painter.setBrush(look.colour("bar"))
            painter.drawRoundedRect(QRectF(track.left(), track.top(), max(3.0, track.width() * share), 6), 3, 3)
