"""Ctrl+K: every command by a few of its letters, those that cannot run now with the reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from inspector.viewmodels.fuzzy import best
from inspector.views import look
from inspector.views.pieces import column, line

WIDTH, LINE, SHOWN = 560, 32, 11
ENTRY = Qt.ItemDataRole.UserRole + 1
NO_PARENT = QModelIndex()


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be done; with a reason it cannot be done now."""

    title: str
    keys: str
    run: Callable[[], object]
    reason: str = ""


class _Entries(QAbstractListModel):
    """The entries that fit what is typed."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._every: list[Entry] = []
        self.shown: list[Entry] = []

    def replace(self, entries: list[Entry]) -> None:
        self._every = entries
        self.narrow("")

    def narrow(self, typed: str) -> None:
        self.beginResetModel()
        found = [self._every[place] for place in best(typed, [entry.title for entry in self._every])]
        self.shown = sorted(found, key=lambda entry: bool(entry.reason))
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.shown)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.shown[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return entry.reason
        return entry if role == ENTRY else None


class _Lines(QStyledItemDelegate):
    """Title on the left, keys or the reason on the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(WIDTH, LINE)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        entry: Entry = index.data(ENTRY)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.colour("selection"))
            painter.drawRoundedRect(option.rect.adjusted(4, 1, -4, -1), 4, 4)
        room = option.rect.adjusted(16, 0, -16, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(look.colour("disabled" if entry.reason else "on_selection" if chosen else "text"))
        painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | middle), entry.title)
        left = painter.fontMetrics().horizontalAdvance(entry.title) + 24
        side = painter.fontMetrics().elidedText(
            entry.reason or entry.keys, Qt.TextElideMode.ElideRight, max(0, room.width() - left)
        )
        painter.setPen(look.colour("muted"))
        painter.drawText(room, int(Qt.AlignmentFlag.AlignRight | middle), side)
        painter.restore()


class CommandPalette(QFrame):
    """A field and the commands that fit it, over the top of the window."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self.setObjectName("commandPalette")
        self.setAccessibleName("Commands")
        self.setProperty("role", "card")
        self._entries = _Entries(self)
        self.field = QLineEdit()
        self.field.setObjectName("commandField")
        self.field.setPlaceholderText("Type a command")
        self.field.setAccessibleName("Command")
        self.field.setFrame(False)
        self.field.setStyleSheet("QLineEdit { border: none; background: transparent; padding: 8px; }")
        self.list = QListView()
        self.list.setModel(self._entries)
        self.list.setItemDelegate(_Lines(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setStyleSheet("QListView { background: transparent; }")
        self.list.clicked.connect(self._run)
        self.setLayout(column(self.field, line(), self.list, spacing=0, margins=(4, 4, 4, 4)))
        self.field.textChanged.connect(self._on_typed)
        self.field.installEventFilter(self)
        self.hide()

    def open(self, entries: list[Entry]) -> None:
        """Show these commands."""
        self._entries.replace(entries)
        self.field.clear()
        self._on_typed("")
        parent = self._window
        height = self.field.sizeHint().height() + 11 + LINE * min(SHOWN, len(entries))
        self.setGeometry((parent.width() - WIDTH) // 2, 48, WIDTH, min(height, parent.height() - 96))
        self.show()
        self.raise_()
        self.field.setFocus()

    def _on_typed(self, typed: str) -> None:
        self._entries.narrow(typed)
        self.list.setCurrentIndex(self._entries.index(0, 0))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The field keeps the keyboard; arrows and Enter are the list's."""
        if event.type() == QEvent.Type.FocusOut:
            self.hide()
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: SHOWN, Qt.Key.Key_PageUp: -SHOWN}
        if event.key() in step:
            row = self.list.currentIndex().row() + step[Qt.Key(event.key())]
            last = self._entries.rowCount() - 1
            self.list.setCurrentIndex(self._entries.index(min(max(row, 0), last), 0))
            return True
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._run(self.list.currentIndex())
            return True
        if event.key() == Qt.Key.Key_Escape:
            self._leave()
            return True
        return False

    def _run(self, index: QModelIndex) -> None:
        if index.isValid():
            entry = self._entries.shown[index.row()]
            if not entry.reason:
                self._leave()
                entry.run()

    def _leave(self) -> None:
        self.hide()
        self._window.setFocus()
