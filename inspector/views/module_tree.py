"""The module tree in the left dock."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QHeaderView,
    QStackedLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from inspector.viewmodels.document import DocumentModel
from inspector.viewmodels.modules import TYPE, ModuleTree, figure
from inspector.viewmodels.selection import Target
from inspector.views import look
from inspector.views.pieces import EmptyPane

OPEN_UNTIL = 200
"""Trees of up to this many modules are shown open."""
MOST_FOLDS = 2000
"""Modules whose folds are remembered."""
FIGURES_FROM = 176
"""Narrower than this, the names need the room of the figures."""


class ModuleCells(QStyledItemDelegate):
    """The name, and the class fainter behind it where there is room."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """One line of 24 pixels."""
        return QSize(super().sizeHint(option, index).width(), 24)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw both."""
        self.initStyleOption(option, index)
        text, option.text = option.text, ""
        widget: QWidget = option.widget
        widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, widget)
        room = option.rect.adjusted(4, 0, -8, 0)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if index.column() == 1:
            painter.setFont(look.tabular(0.92))
            painter.setPen(look.colour("on_selection" if chosen else "muted"))
            painter.drawText(room, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), text)
        else:
            painter.setPen(look.colour("on_selection" if chosen else "text"))
            metrics = painter.fontMetrics()
            side = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            name = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, room.width())
            painter.drawText(room, side, name)
            left = room.adjusted(metrics.horizontalAdvance(name) + 8, 0, 0, 0)
            kind = index.data(TYPE) or ""
            if metrics.horizontalAdvance(kind) <= left.width():  # whole or not at all: the tooltip has it
                painter.setPen(look.colour("on_selection" if chosen else "muted"))
                painter.drawText(left, side, kind)
        painter.restore()


class ModuleTreeView(QWidget):
    """Shows the modules of the document that is in front."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(128)
        self._document: DocumentModel | None = None
        self._selecting = self._filled = False
        self._folds: WeakKeyDictionary[DocumentModel, dict[str, bool]] = WeakKeyDictionary()
        self.model = ModuleTree(self)
        self.tree = QTreeView()
        self.tree.setObjectName("moduleTree")
        self.tree.setAccessibleName("Modules")
        self.tree.setModel(self.model)
        self.tree.setItemDelegate(ModuleCells(self.tree))
        self.tree.setUniformRowHeights(True)
        self.tree.setHeaderHidden(True)
        self.tree.setIndentation(12)
        self.tree.setAllColumnsShowFocus(True)
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Fixed)
        header.setMinimumSectionSize(16)
        self.empty = EmptyPane("list-tree", "No modules", "Open a model to see the modules it is made of.")
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.tree)
        self.tree.selectionModel().currentChanged.connect(self._on_current)
        self.tree.clicked.connect(lambda index: self._on_current(index, QModelIndex()))

    def sizeHint(self) -> QSize:
        """Narrow and high."""
        return QSize(232, 400)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Names come first."""
        super().resizeEvent(event)
        self.tree.setColumnHidden(1, self.width() < FIGURES_FROM)

    def set_document(self, document: DocumentModel | None) -> None:
        """Follow another document."""
        if self._document is not None:
            self._remember()
            self._document.modules_changed.disconnect(self._refill)
            self._document.state_changed.disconnect(self._say_why)
            self._document.selection.changed.disconnect(self._on_selected)
        self._document, self._filled = document, False
        if document is not None:
            document.modules_changed.connect(self._refill)
            document.state_changed.connect(self._say_why)
            document.selection.changed.connect(self._on_selected)
        self._refill()

    def _refill(self) -> None:
        modules = self._document.modules if self._document else ()
        self._remember()
        self._selecting = True
        self.model.replace(modules)
        self._selecting = False
        metrics = QFontMetrics(look.tabular(0.92))
        figures = {figure(number) for number in {module.parameters for module in modules}}  # few of many are different
        widest = max(map(metrics.horizontalAdvance, figures), default=0)
        self.tree.setColumnWidth(1, widest + 20)
        self._stack.setCurrentWidget(self.tree if modules else self.empty)
        self._say_why()
        if len(modules) <= OPEN_UNTIL:
            self.tree.expandAll()
        else:
            self.tree.expandToDepth(1)
        self._filled = bool(modules)
        self._fold_again()
        self._on_selected(self._document.selection.target if self._document else None)

    def _say_why(self) -> None:
        """Why there are none, where there are none."""
        document = self._document
        if document is not None and document.error is not None:
            self.empty.say("No modules", "The file could not be read.")
        elif document is not None and document.overview is None:
            self.empty.say("No modules yet", "They appear here as soon as the file is read.")
        elif document is not None:
            self.empty.say("No modules", "This file does not say which modules it was built from.")
        else:
            self.empty.say("No modules", "Open a model to see the modules it is made of.")

    def _remember(self) -> None:
        """Keep which modules of the document on show are folded, for when it comes back or is read again."""
        if self._document is not None and self._filled:
            parents = self.model.parents(MOST_FOLDS)
            self._folds[self._document] = {path: self.tree.isExpanded(index) for path, index in parents}

    def _fold_again(self) -> None:
        """Fold what was folded, as far as it is still there."""
        folds = self._folds.get(self._document, {}) if self._document is not None else {}
        for path, index in self.model.parents(MOST_FOLDS) if folds else ():
            if path in folds and self.tree.isExpanded(index) != folds[path]:
                self.tree.setExpanded(index, folds[path])

    def _on_current(self, current: QModelIndex, _previous: QModelIndex) -> None:
        module = self.model.module(current)
        if module is not None and self._document is not None and not self._selecting:
            self._document.selection.select(Target("module", module.path, module=module.path))

    def _on_selected(self, target: Target | None) -> None:
        self._selecting = True
        index = self.model.index_of(target.module) if target is not None else QModelIndex()
        if index.isValid():
            self.tree.setCurrentIndex(index)
            self.tree.scrollTo(index)
        else:
            self.tree.selectionModel().clear()
        self._selecting = False
