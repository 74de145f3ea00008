"""The page with the layer table: filter, grouping, columns, export, and the totals of what is shown."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QWidget,
)

from inspector.viewmodels.column_choice import ColumnChoice
from inspector.viewmodels.columns import COLUMNS, column_number
from inspector.viewmodels.destination import folder_for
from inspector.viewmodels.document import DocumentModel, Grouping
from inspector.viewmodels.layer_export import Writer, into_file, to_csv, to_json, to_markdown, to_tsv
from inspector.viewmodels.layers import LayerRole
from inspector.viewmodels.row_filter import HELP, unread
from inspector.viewmodels.selection import Target
from inspector.views import look
from inspector.views.layer_view import LayerView
from inspector.views.pieces import Elided, EmptyPane, button, column, line, row, tool

COPIES: tuple[tuple[str, Writer], ...] = (
    ("Copy as text", to_tsv),
    ("Copy as Markdown", to_markdown),
    ("Copy as JSON", to_json),
    ("Copy as CSV", to_csv),
)
FILTERS = "Comma separated (*.csv);;JSON (*.json);;Markdown (*.md);;Tab separated (*.tsv)"


class LayerPage(QWidget):
    """Filter bar, table, totals."""

    export_failed = Signal(str, str)

    def __init__(self, document: DocumentModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._selecting = False
        self._place: QPoint | None = None
        self.choice = ColumnChoice(document.settings, lambda: self._bare)
        self.table = LayerView(document, self.choice)
        self.filter = self._filter_field()
        self.totals = Elided("", "caption", Qt.TextElideMode.ElideRight)
        self.totals.setObjectName("layerTotals")
        self.totals.setFont(look.tabular())
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        viewport = self.table.viewport()
        self.table.customContextMenuRequested.connect(lambda at: self.rows_menu().popup(viewport.mapToGlobal(at)))
        self._empty = EmptyPane("list-tree", "Reading layers…", "They appear here as soon as the file is read.")
        self._stack = QStackedLayout()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.table)
        self.levels = self._depths()
        bar = row(
            self.filter,
            8,
            *self._groupings(),
            4,
            self.levels,
            0,
            self._columns_button(),
            self._export_button(),
            spacing=4,
        )
        bar.setContentsMargins(16, 8, 16, 8)
        bar.setStretch(0, 100)
        foot = row(self.totals, margins=(16, 8, 16, 8))
        self.setLayout(column(bar, line(), self._stack, line(), foot, spacing=0))
        self.setProperty("surface", "base")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.table.show_columns()
        document.overview_changed.connect(self.table.show_columns)
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
        field.setToolTip(HELP.replace("<", "&lt;").join(("<qt><pre>", "</pre></qt>")))
        field.setClearButtonEnabled(True)
        field.addAction(look.icon("search"), QLineEdit.ActionPosition.LeadingPosition).setText("Filter layers")
        field.setMinimumWidth(64)  # in a narrow window the levels then fit beside it and push no dock aside
        field.setMaximumWidth(320)
        field.textChanged.connect(self._document.layers.set_filter)
        for key, act in (("Esc", self._leave_filter), ("Return", self._to_table), ("Down", self._to_table)):
            QShortcut(QKeySequence(key), field, context=Qt.ShortcutContext.WidgetShortcut).activated.connect(act)
        return field

    def _leave_filter(self) -> None:
        """Escape empties the field, and then goes back to the table."""
        if self.filter.text():
            self.filter.clear()
        else:
            self._to_table()

    def _to_table(self) -> None:
        """To what was found."""
        if self.table.isVisible():
            self.table.setFocus()
            if not self.table.currentIndex().isValid():
                self.table.selectRow(0)

    def _groupings(self) -> list[QWidget]:
        group = QButtonGroup(self)
        self._group_buttons: dict[str, QPushButton] = {}
        made: list[QWidget] = []
        for key, title, tip in (
            ("layers", "Layers", "One row for each module that owns something"),
            ("operators", "Operators", "One row for each single operation"),
            ("modules", "Modules", "Layers beneath the modules that they are part of, with sums"),
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

    def _depths(self) -> QComboBox:
        box = QComboBox()
        box.setObjectName("layerDepth")
        box.setAccessibleName("Levels of modules")
        box.setToolTip("How many levels of modules are shown open")
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        box.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        box.activated.connect(lambda number: self._document.set_depth(box.itemData(number)))
        box.hide()
        return box

    def _offer_depths(self) -> None:
        """As many levels as there are."""
        layers, box = self._document.layers, self.levels
        deepest = layers.deepest + 1
        if box.count() != deepest:
            box.clear()
            for levels in range(1, deepest):
                box.addItem("1 level" if levels == 1 else f"{levels} levels", levels)
            box.addItem("All levels", 0)
        wanted = self._document.settings.depth
        box.setCurrentIndex(box.findData(wanted) if 0 < wanted < deepest else box.count() - 1)
        box.setVisible(layers.is_tree)

    def set_grouping(self, grouping: Grouping) -> None:
        """Group by layers, operators or modules."""
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
            menu.addAction(title, partial(self.table.copy, write, every=True))
        menu.addSeparator()
        menu.addAction("Save as…", self.ask_export)
        made.setMenu(menu)
        made.setPopupMode(made.ToolButtonPopupMode.InstantPopup)
        return made

    def rows_menu(self) -> QMenu:
        """The menu of the rows: the selected ones, or all where none is, as text of any kind."""
        menu = QMenu(self)
        menu.setObjectName("rowsMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for title, write in COPIES:
            menu.addAction(title, partial(self.table.copy, write))
        return menu

    def ask_export(self) -> None:
        """Ask where to, then export."""
        proposed = str(folder_for(self._document.path) / f"{self._document.path.stem}.layers.csv")
        name, _chosen = QFileDialog.getSaveFileName(self, "Export the layer table", proposed, FILTERS)
        if name:
            self.export(Path(name))

    def export(self, file: Path) -> None:
        """Write the rows that are shown; the suffix says how."""
        into_file(self, file, self._document.layers.shown(), self.table.visible_keys(), self.export_failed.emit)

    # Columns

    @property
    def _bare(self) -> bool:
        """Whether the file holds weights only."""
        overview = self._document.overview
        return overview is not None and not overview.totals.nodes

    def _choose_columns(self, at: QPoint) -> None:
        menu = self.columns_menu()
        menu.popup(at)

    def columns_menu(self) -> QMenu:
        """The menu of the header: which columns are shown, and the way back."""
        menu = QMenu(self)
        menu.setObjectName("columnsMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        for item in COLUMNS:
            action = QAction(item.title, menu, checkable=True)
            action.setToolTip(item.tip if item.key != "name" else "Names are always shown")
            action.setChecked(not self.table.isColumnHidden(column_number(item.key)))
            action.setEnabled(item.key != "name")
            action.toggled.connect(lambda on, key=item.key: self.show_column(key, on))
            menu.addAction(action)
        menu.addSeparator()
        reset = menu.addAction("Reset columns", self.reset_columns)
        usual = self.choice.is_usual()
        reset.setEnabled(not usual)
        reset.setToolTip(
            "They are as they are at first" if usual else "The usual columns in the usual order, as wide as they want"
        )
        return menu

    def show_column(self, key: str, on: bool) -> None:
        """Show or hide a column, for every table from now on."""
        shown = self.table.visible_keys()
        self.choice.show([*shown, key] if on else [each for each in shown if each != key])
        self.table.show_columns()

    def reset_columns(self) -> None:
        """Forget which columns were chosen, how they were arranged and how wide they were made."""
        self.choice.reset()
        self.table.show_columns()

    def showEvent(self, event: QShowEvent) -> None:
        """What was done to the columns of another table meanwhile holds for this one too."""
        super().showEvent(event)
        self.table.show_columns()

    # Rows and selection

    def _on_counted(self) -> None:
        layers = self._document.layers
        nothing = layers.rowCount() == 0
        if nothing and layers.filter:
            hint = "Every word must fit. The tooltip of the field says what can be typed."
            self._empty.say("Nothing fits the filter", unread(layers.filter) or hint)
        elif nothing:
            self._empty.say("No layers", "The file holds no operations.")
        self._stack.setCurrentWidget(self._empty if nothing else self.table)
        self.totals.setText(layers.summary())
        self._show_selected(self._document.selection.target)

    def _on_rows(self) -> None:
        self._offer_depths()
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
        self._show_selected(target, reveal=True)

    def _show_selected(self, target: Target | None, *, reveal: bool = False) -> None:
        index = self._document.row_of(target)
        if index is not None and reveal and self._document.complete:
            self._document.layers.reveal(index)
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
