"""The layer table itself: widths, copying, and the keys and clicks that open and close modules."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt
from PySide6.QtGui import QFontMetrics, QGuiApplication, QKeyEvent, QKeySequence, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from inspector.viewmodels.column_choice import ColumnChoice
from inspector.viewmodels.columns import COLUMNS, KEYS, Column, column_number
from inspector.viewmodels.document import DocumentModel
from inspector.viewmodels.layer_export import Writer, as_text, to_tsv
from inspector.viewmodels.layers import LayerRole
from inspector.views import look
from inspector.views.layer_cells import PAD, SMALL, LayerCells, fold_mark, indent
from inspector.views.layer_header import LayerHeader

ROW_HEIGHT = 28
FITTED = {"name": 320, "type": 200, "input_shapes": 208, "output_shapes": 176, "source": 320, "shares": 200}
"""Columns of words, which may be cut, and how wide they are at most."""
NARROW, LEGIBLE, FIRST = 80, 120, 0.45
"""How far they are narrowed to keep all columns in view, and names are; the share of their room that names may take."""
SAMPLED = 200
MOST_KEPT = 2000
"""Rows that stay selected while the table is arranged anew."""


class LayerView(QTableView):
    """The table; copying takes the selected rows, or all where none is selected."""

    def __init__(self, document: DocumentModel, choice: ColumnChoice) -> None:
        super().__init__()
        self._document, self._choice = document, choice
        self._wanted: dict[str, int] = {}
        self.setObjectName("layerTable")
        self.setAccessibleName("Layers")
        self.setModel(document.layers)
        self.setItemDelegate(LayerCells(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(look.scaled(ROW_HEIGHT))
        self.header = LayerHeader(self)
        self.setHorizontalHeader(self.header)
        self.header.setSelectionModel(QItemSelectionModel(document.layers, self.header))  # else it looks at every row
        for number, item in enumerate(COLUMNS):
            self.setColumnWidth(number, item.width)
        self.header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        self.header.widened.connect(self._on_widened)
        self.header.arranged.connect(self._on_arranged)
        document.layers.moving.connect(self._on_moving)
        document.layers.dataChanged.connect(self.forget_widths)  # names have marks now: whose values theirs repeat
        look.themed.changed.connect(self.viewport().update)

    def show_columns(self) -> None:
        """Show the columns that the user chose, in the order that he gave them."""
        shown = self._choice.shown()
        for number, key in enumerate(KEYS):
            self.setColumnHidden(number, key not in shown and key != "name")
        self.header.arrange(self._choice.order())
        self.fit()

    def fit(self) -> None:
        """Make columns as wide as their first rows want, the widest narrower where that keeps all of them in view.

        Those whose width the user has set keep it.
        """
        if self.header.is_held or not self._document.layers.rowCount():
            return
        given = self._choice.widths()
        keys = self.visible_keys()
        for key in keys:
            if key not in self._wanted:
                self._wanted[key] = self._wish(COLUMNS[column_number(key)])
        widths = {key: given.get(key, self._wanted[key]) for key in keys}
        wishes = {key: self._wanted[key] for key in keys if key in FITTED and key not in given}
        room = self.viewport().width() - sum(width for key, width in widths.items() if key not in wishes)
        if "name" in wishes:  # names before all others
            widths["name"] = min(wishes.pop("name"), max(LEGIBLE + self._deepest(), round(room * FIRST)))
            room -= widths["name"]
        cap = max(wishes.values(), default=0)
        while cap > NARROW and sum(min(wish, cap) for wish in wishes.values()) > room:
            cap -= 1
        for key, width in widths.items():
            self.setColumnWidth(column_number(key), min(width, cap) if key in wishes else width)

    def _deepest(self) -> int:
        """How far the names of the first rows are indented, where they are in a tree."""
        layers = self._document.layers
        if not layers.is_tree:
            return 0
        return max(indent(layers.row(position).level) for position in range(min(SAMPLED, layers.rowCount())))

    def _wish(self, item: Column) -> int:
        if item.style == "bar":
            return look.scaled(item.width)
        layers = self._document.layers
        fonts = {"mono": look.mono_font(SMALL), "number": look.tabular()}
        metrics = QFontMetrics(fonts.get(item.style, self.font()))
        shown = range(min(SAMPLED, layers.rowCount()))
        texts = [str(layers.index(position, column_number(item.key)).data())[:200] for position in shown]
        known = {text: metrics.horizontalAdvance(text) for text in set(texts)}  # most columns hold few texts
        wide = [known[text] for text in texts]
        if item.key == "name" and layers.is_tree:  # names of modules are bold, a tenth wider or so
            rows = [layers.row(position) for position in shown]
            wide = [
                indent(row.level) + (each * 9 // 8 if row.layers else each)
                for each, row in zip(wide, rows, strict=True)
            ]
        if item.key == "name":  # what stands behind a name, fainter
            marks = [layers.index(position, 0).data(LayerRole.ALIKE) for position in shown]
            wide = [
                each + (metrics.horizontalAdvance(mark) + PAD if mark else 0)
                for each, mark in zip(wide, marks, strict=True)
            ]
        widest = max(metrics.horizontalAdvance(item.title), *wide)
        return min(widest + (34 if item.style == "type" else 18), FITTED.get(item.key, 160))

    def forget_widths(self) -> None:
        """Other rows are shown: measure them anew."""
        self._wanted = {}
        self.fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the columns in view."""
        super().resizeEvent(event)
        self.fit()

    def _on_widened(self, widths: dict[str, int]) -> None:
        self._choice.widen(widths)
        self.fit()

    def _on_arranged(self, keys: list[str]) -> None:
        self._choice.arrange(keys)
        self.fit()

    def visible_keys(self) -> list[str]:
        """Keys of the columns that are shown, as they stand."""
        return [key for key in self.header.order() if not self.isColumnHidden(column_number(key))]

    def selected_rows(self) -> list[int]:
        """Positions of the selected rows in the order of the view."""
        ranges = self.selectionModel().selection().toList()
        return sorted({row for each in ranges for row in range(each.top(), each.bottom() + 1)})

    def _on_moving(self) -> None:
        """Keeping hold of very many rows while they move would hold the window."""
        ranges = self.selectionModel().selection().toList()
        if len(ranges) > MOST_KEPT or sum(each.height() for each in ranges) > MOST_KEPT:
            self.clearSelection()

    def place(self) -> QPoint:
        """How far it is scrolled."""
        return QPoint(self.horizontalScrollBar().value(), self.verticalScrollBar().value())

    def go_to(self, place: QPoint) -> None:
        """Scroll to where it was."""
        self.executeDelayedItemsLayout()
        self.horizontalScrollBar().setValue(place.x())
        self.verticalScrollBar().setValue(place.y())

    def copy(self, write: Writer = to_tsv, *, every: bool = False) -> None:
        """Put the selected rows, or all, on the clipboard as text; `every` takes all in any case."""
        chosen = [] if every else self.selected_rows()
        layers = self._document.layers
        rows = [layers.row(position) for position in chosen] if chosen else layers.shown()
        as_text(self, write, rows, self.visible_keys(), QGuiApplication.clipboard().setText)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy rows, not the one cell that Qt would; in a tree, arrows to the sides open and close modules."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif not (event.key() in {Qt.Key.Key_Left, Qt.Key.Key_Right} and self._step(event.key() == Qt.Key.Key_Right)):
            super().keyPressEvent(event)
            return
        event.accept()

    def _step(self, inwards: bool) -> bool:
        """Open or close the current module, or go to the one around it; False where there is nothing to do."""
        layers, current = self._document.layers, self.currentIndex()
        if not layers.is_tree or not current.isValid():
            return False
        open_ = current.data(LayerRole.OPEN)
        if open_ is not None and open_ != inwards:
            layers.toggle(current.row())
        elif not inwards and (above := layers.parent_of(current.row())) is not None:
            self.setCurrentIndex(layers.index(above, current.column()))
        return True

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click on the mark before a module's name opens or closes it."""
        index = self.indexAt(event.position().toPoint())
        if event.button() is Qt.MouseButton.LeftButton and self._is_on_mark(index, event.position().toPoint()):
            self._document.layers.toggle(index.row())
            event.accept()
            return
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A double click anywhere on a module opens or closes it."""
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and not self._is_on_mark(index, event.position().toPoint()):
            self._document.layers.toggle(index.row())
        super().mouseDoubleClickEvent(event)

    def _is_on_mark(self, index: QModelIndex, at: QPoint) -> bool:
        if not index.isValid() or index.column() != column_number("name") or index.data(LayerRole.OPEN) is None:
            return False
        return fold_mark(self.visualRect(index), index.data(LayerRole.LEVEL)).contains(at)
