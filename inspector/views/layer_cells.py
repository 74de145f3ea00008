"""How cells of the layer table are painted: fonts by kind, a dot of the category's colour, a bar for a share."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFont, QGuiApplication, QPainter, QPolygonF
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from inspector.viewmodels.columns import COLUMNS
from inspector.viewmodels.layers import LayerRole
from inspector.views import look

PAD = 8
STEP, MARK = 16, 16
"""Pixels that each level of a tree is indented, and that the mark of a module takes."""
DEEP = 12
"""Levels that are indented; names need room as well."""
FIGURE = 56
"""Pixels behind a bar for its figure, at the usual size of letters."""
EQUAL, LEGIBLE = "=", 8
"""What marks a weight that repeats another, and letters below which the other's name is left to the tooltip."""
SMALL = 0.92
"""Size of shapes: letters of one width look larger than others."""


def indent(level: int) -> int:
    """Pixels before the name of a row of this level."""
    return min(level, DEEP) * STEP + MARK


def fold_mark(cell: QRect, level: int | None) -> QRect:
    """Where the mark stands that opens and closes a module."""
    return QRect(cell.left() + PAD - 4 + indent(level or 0) - MARK, cell.top(), MARK + 4, cell.height())


class LayerCells(QStyledItemDelegate):
    """Paints every cell of the table; the column's style says how."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._fonts: dict[str, QFont] = {}
        self.restyle()

    def restyle(self) -> None:
        """The window's font has changed."""
        module = QFont(QGuiApplication.font())
        module.setWeight(QFont.Weight.DemiBold)
        self._fonts = {
            "mono": look.mono_font(SMALL), "number": look.tabular(), "bar": look.tabular(), "module": module
        }  # fmt: skip

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
        font = self._fonts.get(style, option.font)
        level = index.data(LayerRole.LEVEL) if COLUMNS[index.column()].key == "name" else None
        if level is not None:
            open_ = index.data(LayerRole.OPEN)
            if open_ is not None:
                self._mark(painter, fold_mark(option.rect, level), open_)
                font = self._fonts["module"]
            room.setLeft(room.left() + indent(level))
        if style == "type":
            self._dot(painter, room, index.data(LayerRole.CATEGORY))
            room.setLeft(room.left() + 14)
        elif style == "bar":
            self._bar(painter, room, index.data(LayerRole.SHARE) or 0.0)
            room.setLeft(room.right() - look.scaled(FIGURE))
        painter.setFont(font)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        faint = style == "bar" or (text in {"–", "0", "?"} and level is None)
        painter.setPen(look.colour("on_selection" if chosen else "muted" if faint else "text"))
        mode = Qt.TextElideMode.ElideMiddle if style == "text" else Qt.TextElideMode.ElideRight
        alike = index.data(LayerRole.ALIKE) if COLUMNS[index.column()].key == "name" else ""
        kept = painter.fontMetrics().horizontalAdvance(EQUAL) + PAD if alike.startswith(EQUAL) else 0
        shown = painter.fontMetrics().elidedText(text, mode, int(room.width()) - kept)
        side = Qt.AlignmentFlag.AlignRight if style in {"number", "bar"} else Qt.AlignmentFlag.AlignLeft
        painter.drawText(room, int(side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine), shown)
        if alike:
            self._alike(painter, room, shown, alike, chosen)
        painter.restore()

    @staticmethod
    def _alike(painter: QPainter, room: QRectF, name: str, alike: str, chosen: bool) -> None:
        """Behind the name, fainter: whose weights it uses, or whose values its own repeat."""
        metrics = painter.fontMetrics()
        left = room.adjusted(metrics.horizontalAdvance(name) + PAD, 0, 0, 0)
        words = metrics.elidedText(alike, Qt.TextElideMode.ElideMiddle, int(left.width()))
        words = EQUAL if alike.startswith(EQUAL) and words != alike and len(words) < LEGIBLE else words
        painter.setPen(look.colour("on_selection" if chosen else "muted"))
        side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        painter.drawText(left, int(side), words)

    @staticmethod
    def _mark(painter: QPainter, place: QRect, open_: bool) -> None:
        """A small triangle, down for open, to the side for closed."""
        x, y = place.center().x() + 0.5, place.center().y() + 0.5
        corners = [(-4.0, -2.0), (4.0, -2.0), (0.0, 3.0)] if open_ else [(-2.0, -4.0), (-2.0, 4.0), (3.0, 0.0)]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.colour("muted"))
        painter.drawPolygon(QPolygonF([QPointF(x + dx, y + dy) for dx, dy in corners]))

    @staticmethod
    def _dot(painter: QPainter, room: QRectF, category: str) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.category_colour(category))
        painter.drawRoundedRect(QRectF(room.left(), room.center().y() - 4, 8, 8), 2, 2)

    @staticmethod
    def _bar(painter: QPainter, room: QRectF, share: float) -> None:
        track = QRectF(room.left(), room.center().y() - 3, max(0.0, room.width() - look.scaled(FIGURE) - 4), 6)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.colour("bar_track"))
        painter.drawRoundedRect(track, 3, 3)
        if share > 0:
            painter.setBrush(look.colour("bar"))
            painter.drawRoundedRect(QRectF(track.left(), track.top(), max(3.0, track.width() * share), 6), 3, 3)
