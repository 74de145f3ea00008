"""The layer table: rows as they came from the worker, an order, and a filter.

Sorting and filtering are done here on plain lists and not by QSortFilterProxyModel, which calls back into Python twice
a comparison: at 100,000 rows that is seven seconds against 0.1. What a cell says is worked out when it is
seen; what the filter searches, when the row comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from inspector.engines.summary.rows import Row, Totals
from inspector.viewmodels import words
from inspector.viewmodels.columns import COLUMNS, haystack

Index = QModelIndex | QPersistentModelIndex
NO_PARENT = QModelIndex()


class LayerRole(IntEnum):
    """What the table says beside Qt's own roles."""

    SORT = Qt.ItemDataRole.UserRole + 1
    """What the column sorts by."""
    SHARE = Qt.ItemDataRole.UserRole + 2
    """Share of all parameters, 0 … 1."""
    CATEGORY = Qt.ItemDataRole.UserRole + 3
    """Key of the category's colour."""
    ROW = Qt.ItemDataRole.UserRole + 4
    """The `Row` itself."""


class LayerTable(QAbstractTableModel):
    """Rows of one model in one grouping."""

    counted = Signal()
    """The rows that are shown, or their totals, have changed."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Row] = []
        self._hay: list[str] = []
        self._view: list[int] = []
        self._totals = Totals()
        self._filter = ""
        self._sort: tuple[int, Qt.SortOrder] | None = None

    # What it holds

    @property
    def totals(self) -> Totals:
        """Sums over the whole model, as the worker counted them."""
        return self._totals

    @property
    def filter(self) -> str:
        """What the user typed."""
        return self._filter

    def replace(self, rows: Iterable[Row], totals: Totals) -> None:
        """Show other rows; filter and order stay."""
        self.beginResetModel()
        self._rows, self._totals = list(rows), totals
        self._hay = [haystack(row) for row in self._rows]
        self._view = self._arranged()
        self.endResetModel()
        self.counted.emit()

    def extend(self, rows: Sequence[Row], last: bool = True) -> None:
        """More rows of the same model have come; a sorted or filtered view takes them in when the last have."""
        first = len(self._rows)
        self._hay.extend(haystack(row) for row in rows)  # page by page: all at once would hold the window
        if self._filter or self._sort is not None:
            self._rows.extend(rows)
            if last:
                self._arrange()
                self.counted.emit()
            return
        self.beginInsertRows(NO_PARENT, first, first + len(rows) - 1)
        self._rows.extend(rows)
        self._view.extend(range(first, len(self._rows)))
        self.endInsertRows()
        self.counted.emit()

    def row(self, position: int) -> Row:
        """The row that stands at a position of the view."""
        return self._rows[self._view[position]]

    def shown(self) -> list[Row]:
        """The rows that pass the filter, in the order of the view."""
        return [self._rows[index] for index in self._view]

    def all_rows(self) -> list[Row]:
        """Every row in execution order, whatever the filter."""
        return self._rows

    def position(self, index: int) -> int | None:
        """Where the row at this place of execution order stands in the view; None when it is filtered out."""
        try:
            return self._view.index(index)
        except ValueError:
            return None

    def count(self) -> int:
        """How many rows there are, shown or not."""
        return len(self._rows)

    # Filter and order

    def set_filter(self, text: str) -> None:
        """Show only rows in which every one of these words occurs."""
        if text != self._filter:
            self._filter = text
            self._arrange()
            self.counted.emit()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order the view by a column; a negative column is execution order."""
        self._sort = None if column < 0 else (column, order)
        self._arrange()

    def _arrange(self) -> None:
        self.layoutAboutToBeChanged.emit()
        old = self.persistentIndexList()
        kept = [(self._view[index.row()], index.column()) for index in old]
        self._view = self._arranged()
        if old:
            where = {row: position for position, row in enumerate(self._view)}
            new = [self.index(where[row], column) if row in where else QModelIndex() for row, column in kept]
            self.changePersistentIndexList(old, new)
        self.layoutChanged.emit()

    def _arranged(self) -> list[int]:
        wanted = self._filter.lower().replace("*", " ").split()
        view: list[int] = list(range(len(self._rows)))
        if wanted:
            hay = self._hay
            view = [index for index in view if all(word in hay[index] for word in wanted)]
        if self._sort is not None:
            column, order = self._sort
            value, rows = COLUMNS[column].value, self._rows
            known = [(value(rows[index]), index) for index in view]
            unknown = [index for key, index in known if key is None or key == ""]
            sure: list[tuple[Any, int]] = [(key, index) for key, index in known if key is not None and key != ""]
            sure.sort(key=lambda pair: pair[0], reverse=order is Qt.SortOrder.DescendingOrder)
            view = [index for _key, index in sure] + unknown  # what is not known stands last, whichever way
        return view

    # Qt's questions

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        """Rows that pass the filter."""
        return 0 if parent.isValid() else len(self._view)

    def columnCount(self, parent: Index = NO_PARENT) -> int:
        """Every column, hidden ones too."""
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a cell says, sorts by or shares."""
        if not index.isValid():
            return None
        row, column = self._rows[self._view[index.row()]], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return words.percent(self._share(row)) if column.style == "bar" else column.text(row)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.style == "number" else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row, column.key)
        if role == LayerRole.SHARE:
            return self._share(row)
        if role == LayerRole.CATEGORY:
            return row.category
        if role == LayerRole.SORT:
            return column.value(row)
        if role == LayerRole.ROW:
            return row
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Titles, and what they mean."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(COLUMNS):
            return None
        column = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.tip
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.style == "number" else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def _share(self, row: Row) -> float:
        return row.parameters / self._totals.parameters if self._totals.parameters else 0.0

    def _tip(self, row: Row, key: str) -> str:
        ports = {"input_shapes": row.inputs, "output_shapes": row.outputs}.get(key)
        if ports is None:
            return {"name": row.name, "type": row.category, "source": row.source}.get(key, "")
        return "\n".join(f"{port.name}: {words.port(port)}" for port in ports[:20])

    # What the totals line says

    def summary(self) -> str:
        """`12 of 230 layers · 669,706 parameters · …` of what is shown."""
        shown, every = len(self._view), len(self._rows)
        totals = self._totals if shown == every else _sum(self.shown())
        amount = words.count(shown) if shown == every else f"{words.count(shown)} of {words.count(every)}"
        about = "" if totals.complete else "at least "
        parts = (
            f"{amount} {'row' if every == 1 else 'rows'}",
            f"{words.count(totals.parameters)} parameters",
            f"{words.count(totals.trainable)} trainable",
            f"{about}{words.count(totals.macs)} multiply-adds",
            f"{words.size(totals.activation_bytes)} activations",
        )
        return "   ·   ".join(parts)


def _sum(rows: Sequence[Row]) -> Totals:
    """Totals of some rows only; what never runs is in no sum but that of the parameters."""
    run = [row for row in rows if row.runs]
    return Totals(
        layers=len(rows),
        parameters=sum(row.parameters for row in rows),
        trainable=sum(row.trainable for row in rows),
        macs=sum(row.macs or 0 for row in run),
        flops=sum(row.flops or 0 for row in run),
        parameter_bytes=sum(row.parameter_bytes for row in rows),
        activation_bytes=sum(row.activation_bytes or 0 for row in run),
        moved_bytes=sum(row.moved_bytes or 0 for row in run),
        peak_bytes=max((row.live_bytes or 0 for row in run), default=0),
        complete=all(row.macs is not None for row in rows),
    )
