"""The page with the layer table: filter, grouping, columns, export, and the totals of what is shown."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QFontMetrics, QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QFileDialog,
    QHeaderView,
    QLineEdit,
    QMenu,
    QPushButton,
    QStackedLayout,
    QTableView,
    QWidget,
)

from inspector.viewmodels.columns import COLUMNS, DEFAULT, KEYS, Column, column_number
from inspector.viewmodels.destination import folder_for
from inspector.viewmodels.document import DocumentModel, Grouping
from inspector.viewmodels.layer_export import WRITERS, Writer, to_csv, to_json, to_markdown, to_tsv
from inspector.viewmodels.layers import LayerRole
from inspector.viewmodels.selection import Target
from inspector.views import look
from inspector.views.layer_cells import SMALL, LayerCells
from inspector.views.pieces import Elided, EmptyPane, button, column, line, row, tool

ROW_HEIGHT = 28
FITTED = {"name": 320, "type": 200, "input_shapes": 208, "output_shapes": 176, "source": 320}
"""Columns of words, which may be cut, and how wide they are at most."""
NARROW, FIRST = 80, 0.45
"""How far they are narrowed to keep all columns in view; the share of their room that the names may take."""
SAMPLED = 200
COPIES: tuple[tuple[str, Writer], ...] = (
    ("Copy as text", to_tsv),
    ("Copy as Markdown", to_markdown),
    ("Copy as JSON", to_json),
    ("Copy as CSV", to_csv),
)
FILTERS = "Comma separated (*.csv);;JSON (*.json);;Markdown (*.md);;Tab separated (*.tsv)"


class LayerView(QTableView):
    """The table; copying takes the selected rows, or all where none is selected."""

    def __init__(self, document: DocumentModel) -> None:
        super().__init__()
        self._document = document
        self._auto, self._fitting = True, False
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
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        header.setSectionsMovable(True)
        header.setMinimumSectionSize(48)
        header.setSortIndicatorClearable(True)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        for number, item in enumerate(COLUMNS):
            self.setColumnWidth(number, item.width)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        header.sectionResized.connect(self._on_resized)
        look.themed.changed.connect(self.viewport().update)

    def fit(self) -> None:
        """Make columns as wide as their first rows want, the widest narrower where that keeps all of them in view."""
        if not self._auto or not self._document.layers.rowCount():
            return
        self._wanted = self._wanted or {key: self._wish(item) for key, item in zip(KEYS, COLUMNS, strict=True)}
        keys = self.visible_keys()
        fixed = sum(self._wanted[key] for key in keys if key not in FITTED)
        wishes = {key: self._wanted[key] for key in keys if key in FITTED}
        room = self.viewport().width() - fixed
        first = min(wishes.pop("name"), max(NARROW, round(room * FIRST)))  # names before all others
        room -= first
        cap = max(wishes.values(), default=0)
        while cap > NARROW and sum(min(wish, cap) for wish in wishes.values()) > room:
            cap -= 1
        self._fitting = True
        for key in keys:
            width = first if key == "name" else min(wishes[key], cap) if key in wishes else self._wanted[key]
            self.setColumnWidth(column_number(key), width)
        self._fitting = False

    def _wish(self, item: Column) -> int:
        if item.style == "bar":
            return item.width
        layers = self._document.layers
        fonts = {"mono": look.mono_font(SMALL), "number": look.tabular()}
        metrics = QFontMetrics(fonts.get(item.style, self.font()))
        texts = [item.text(layers.row(position))[:200] for position in range(min(SAMPLED, layers.rowCount()))]
        widest = max(metrics.horizontalAdvance(text) for text in (item.title, *texts))
        return min(widest + (34 if item.style == "type" else 18), FITTED.get(item.key, 160))

    def forget_widths(self) -> None:
        """Other rows are shown: measure them anew."""
        self._wanted = {}
        self.fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the columns in view until the user sets a width."""
        super().resizeEvent(event)
        self.fit()

    def _on_resized(self, column: int, old: int, new: int) -> None:
        header = self.horizontalHeader()
        stretched = header.visualIndex(column) == max(header.visualIndex(column_number(k)) for k in self.visible_keys())
        if not (self._fitting or stretched or not self.isVisible() or 0 in {old, new}):
            self._auto = False  # the user has set a width

    def visible_keys(self) -> list[str]:
        """Keys of the columns that are shown."""
        return [key for number, key in enumerate(KEYS) if not self.isColumnHidden(number)]

    def selected_rows(self) -> list[int]:
        """Positions of the selected rows in the order of the view."""
        return sorted(index.row() for index in self.selectionModel().selectedRows())

    def place(self) -> QPoint:
        """How far it is scrolled."""
        return QPoint(self.horizontalScrollBar().value(), self.verticalScrollBar().value())

    def go_to(self, place: QPoint) -> None:
        """Scroll to where it was."""
        self.executeDelayedItemsLayout()
        self.horizontalScrollBar().setValue(place.x())
        self.verticalScrollBar().setValue(place.y())

    def copy(self) -> None:
        """Put the selected rows, or all, on the clipboard as tab-separated text."""
        chosen = self.selected_rows()
        layers = self._document.layers
        rows = [layers.row(position) for position in chosen] if chosen else layers.shown()
        QGuiApplication.clipboard().setText(to_tsv(rows, self.visible_keys()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy rows, not the one cell that Qt would."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
            event.accept()
            return
        super().keyPressEvent(event)


class LayerPage(QWidget):
    """Filter bar, table, totals."""

    export_failed = Signal(str, str)

    def __init__(self, document: DocumentModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._selecting = False
        self._place: QPoint | None = None
        self.table = LayerView(document)
        self.filter = self._filter_field()
        self.totals = Elided("", "caption", Qt.TextElideMode.ElideRight)
        self.totals.setObjectName("layerTotals")
        self.totals.setFont(look.tabular())
        self._empty = EmptyPane("list-tree", "Reading layers…", "They appear here as soon as the file is read.")
        self._stack = QStackedLayout()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.table)
        bar = row(self.filter, 8, *self._groupings(), 0, self._columns_button(), self._export_button(), spacing=4)
        bar.setContentsMargins(16, 8, 16, 8)
        bar.setStretch(0, 100)
        foot = row(self.totals, margins=(16, 8, 16, 8))
        self.setLayout(column(bar, line(), self._stack, line(), foot, spacing=0))
        self.setProperty("surface", "base")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._show_columns(document.settings.columns or list(DEFAULT))
        document.layers.counted.connect(self._on_counted)
        document.rows_changed.connect(self._on_rows)
        document.renewed.connect(self._on_renewed)
        document.selection.changed.connect(self._on_selected)
        self.table.selectionModel().currentRowChanged.connect(self._on_current)
        self.table.selectionModel().selectionChanged.connect(lambda: self._on_clicked())

    # The bar

    def _filter_field(self) -> QLineEdit:
        field = QLineEdit()
        field.setObjectName("layerFilter")
        field.setAccessibleName("Filter layers")
        field.setPlaceholderText("Filter by name, type, shape or dtype")
        field.setClearButtonEnabled(True)
        field.addAction(look.icon("search"), QLineEdit.ActionPosition.LeadingPosition).setText("Filter layers")
        field.setMinimumWidth(144)
        field.setMaximumWidth(320)
        field.textChanged.connect(self._document.layers.set_filter)
        return field

    def _groupings(self) -> list[QWidget]:
        group = QButtonGroup(self)
        self._group_buttons: dict[str, QPushButton] = {}
        made: list[QWidget] = []
        for key, title, tip in (
            ("layers", "Layers", "One row for each module that owns something"),
            ("operators", "Operators", "One row for each single operation"),
        ):
            one = button(title, lambda key=key: self._document.set_grouping(key), quiet=True)  # type: ignore[misc]
            self._group_buttons[key] = one
            one.setCheckable(True)
            one.setChecked(key == self._document.grouping)
            one.setToolTip(tip)
            one.setObjectName(f"grouping_{key}")
            group.addButton(one)
            made.append(one)
        return made

    def set_grouping(self, grouping: Grouping) -> None:
        """Group by layers or operators."""
        self._group_buttons[grouping].setChecked(True)
        self._document.set_grouping(grouping)

    def _columns_button(self) -> QWidget:
        made = tool("split-horizontal", "Choose columns")
        made.clicked.connect(lambda: self._choose_columns(made.mapToGlobal(QPoint(0, made.height()))))
        header = self.table.horizontalHeader()
        header.customContextMenuRequested.connect(lambda at: self._choose_columns(header.mapToGlobal(at)))
        return made

    def _export_button(self) -> QWidget:
        made = tool("export", "Copy or export the table")
        menu = QMenu(made)
        for title, write in COPIES:
            menu.addAction(title, partial(self._copy_as, write))
        menu.addSeparator()
        menu.addAction("Save as…", self.ask_export)
        made.setMenu(menu)
        made.setPopupMode(made.ToolButtonPopupMode.InstantPopup)
        return made

    def _copy_as(self, write: Writer) -> None:
        QGuiApplication.clipboard().setText(write(self._document.layers.shown(), self.table.visible_keys()))

    def ask_export(self) -> None:
        """Ask where to, then export."""
        proposed = str(folder_for(self._document.path) / f"{self._document.path.stem}.layers.csv")
        name, _chosen = QFileDialog.getSaveFileName(self, "Export the layer table", proposed, FILTERS)
        if name:
            self.export(Path(name))

    def export(self, file: Path) -> None:
        """Write the rows that are shown; the suffix says how."""
        write = WRITERS.get(file.suffix.lower(), to_csv)
        try:
            file.write_text(write(self._document.layers.shown(), self.table.visible_keys()), encoding="utf-8")
        except OSError as error:
            self.export_failed.emit(f"{file} cannot be written: {error.strerror}.", "Choose another folder.")

    # Columns

    def _show_columns(self, keys: list[str]) -> None:
        for number, key in enumerate(KEYS):
            self.table.setColumnHidden(number, key not in keys and key != "name")
        self.table.fit()

    def _choose_columns(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for item in COLUMNS:
            action = QAction(item.title, menu, checkable=True)
            action.setToolTip(item.tip)
            action.setChecked(not self.table.isColumnHidden(column_number(item.key)))
            action.setEnabled(item.key != "name")
            action.toggled.connect(lambda on, key=item.key: self.show_column(key, on))
            menu.addAction(action)
        menu.addSeparator()
        menu.addAction("Back to the usual ones", lambda: self._remember(list(DEFAULT)))
        menu.popup(at)

    def show_column(self, key: str, on: bool) -> None:
        """Show or hide a column, for every table from now on."""
        keys = [*self.table.visible_keys(), key] if on else [k for k in self.table.visible_keys() if k != key]
        self._remember([k for k in KEYS if k in keys])

    def _remember(self, keys: list[str]) -> None:
        self._document.settings.columns = [] if keys == list(DEFAULT) else keys
        self._show_columns(keys)

    # Rows and selection

    def _on_counted(self) -> None:
        layers = self._document.layers
        nothing = layers.rowCount() == 0
        if nothing and layers.filter:
            self._empty.say("Nothing fits the filter", "Every word must occur in the name, type, shape or dtype.")
        elif nothing:
            self._empty.say("No layers", "The file holds no operations.")
        self._stack.setCurrentWidget(self._empty if nothing else self.table)
        self.totals.setText(layers.summary())
        self._show_selected(self._document.selection.target)

    def _on_rows(self) -> None:
        self._on_counted()
        self.table.forget_widths()
        if self._place is not None:
            place, self._place = self._place, None
            QTimer.singleShot(0, self.table, lambda: self.table.go_to(place))  # once Qt knows how high it is

    def _on_renewed(self) -> None:
        """The file was read again: what comes now is shown where the user was."""
        self._place = self.table.place()

    def _on_current(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if not self._selecting and current.isValid():
            self._document.selection.select(DocumentModel.target_of(current.data(LayerRole.ROW)))

    def _on_clicked(self) -> None:
        current = self.table.currentIndex()
        if current.isValid() and self.table.selectionModel().isSelected(current):
            self._on_current(current, QModelIndex())

    def _on_selected(self, target: Target | None) -> None:
        current = self.table.currentIndex()
        if current.isValid() and target == DocumentModel.target_of(current.data(LayerRole.ROW)):
            return  # it was selected here
        self._show_selected(target)

    def _show_selected(self, target: Target | None) -> None:
        index = self._document.row_of(target)
        position = None if index is None else self._document.layers.position(index)
        self._selecting = True
        if position is None:
            self.table.selectionModel().clear()
        else:
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            found = self._document.layers.index(position, column_number("name"))
            self.table.selectionModel().setCurrentIndex(found, flags)
            if self._place is None:
                self.table.scrollTo(found)
        self._selecting = False
