"""The layer table: rows as they came from the worker, an order, a filter, and modules that are open or closed.

Sorting and filtering are done here on plain lists and not by QSortFilterProxyModel, which calls back into Python twice
a comparison: at 100,000 rows that is seven seconds against 0.1. What a cell says is worked out when it is
seen; what the filter searches, when the row comes. A tree is a list as well: each module stands before what is in it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer, Signal

from inspector.engines.summary.repeats import Repeats
from inspector.engines.summary.repeats_words import distinct, relation
from inspector.engines.summary.rows import Row, Totals
from inspector.viewmodels import words
from inspector.viewmodels.arrange import Arranged, Slices, Wish, arranging, piling, run
from inspector.viewmodels.columns import COLUMNS, Column
from inspector.viewmodels.overview import largest
from inspector.viewmodels.row_filter import conditions
from inspector.viewmodels.unknown import why_unknown

Index = QModelIndex | QPersistentModelIndex
NO_PARENT = QModelIndex()
AT_ONCE_S, TURN_S = 0.04, 0.012
"""What arranging may take while the user waits; what is left is done between events, in turns."""
FEW = 64
"""Marks of a view that are looked for one by one."""


class LayerRole(IntEnum):
    """What the table says beside Qt's own roles."""

    SORT = Qt.ItemDataRole.UserRole + 1
    """What the column sorts by."""
    SHARE = Qt.ItemDataRole.UserRole + 2
    """Share of the whole model, 0 … 1."""
    CATEGORY = Qt.ItemDataRole.UserRole + 3
    """Key of the category's colour."""
    ROW = Qt.ItemDataRole.UserRole + 4
    """The `Row` itself."""
    LEVEL = Qt.ItemDataRole.UserRole + 5
    """How deep it lies in the tree; None where the table is none."""
    OPEN = Qt.ItemDataRole.UserRole + 6
    """Whether a module is open; None for what is no module."""
    ALIKE = Qt.ItemDataRole.UserRole + 7
    """`shares NAME` or `= NAME`: whose weights it uses, or whose values its own repeat; empty for most."""


class LayerTable(QAbstractTableModel):
    """Rows of one model in one grouping."""

    counted = Signal()
    """The rows that are shown, or their totals, have changed."""
    moving = Signal()
    """Rows are about to stand elsewhere."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Row] = []
        self._hay: list[str] = []
        self._parents: list[int] = []
        """Of each row the position of the module it is in; empty where the table is no tree."""
        self._around: list[int] = []
        """The modules around the row that came last."""
        self._view: list[int] = []
        self._hits = 0
        self._sums: Totals | None = None
        self._totals = Totals()
        self._repeats = Repeats()
        self._filter = ""
        self._sort: tuple[int, Qt.SortOrder] | None = None
        self._depth = 0
        self._folds: dict[str, bool] = {}
        self._slices: Slices | None = None
        self._turn = QTimer(self, interval=0)
        self._turn.timeout.connect(lambda: self._go_on())
        self.largest: list[Row] = []
        """The rows with most parameters."""
        self.deepest = 0
        """Levels of modules."""
        self._layers = 0
        self._now = Wish()
        self._piling: Iterator[None] = iter(())

    # What it holds

    @property
    def totals(self) -> Totals:
        """Sums over the whole model, as the worker counted them."""
        return self._totals

    @property
    def filter(self) -> str:
        """What the user typed."""
        return self._filter

    @property
    def is_tree(self) -> bool:
        """Whether rows lie beneath rows."""
        return bool(self._parents)

    @property
    def is_arranging(self) -> bool:
        """Whether the view is still being worked out."""
        return self._slices is not None

    def replace(self, rows: Iterable[Row], totals: Totals) -> None:
        """Show other rows; filter, order and folds stay."""
        self._stop()
        self.beginResetModel()
        self._rows, self._totals = list(rows), totals
        self._hay, self._parents, self._around, self.largest = [], [], [], []
        self.deepest = self._layers = 0
        self._take(self._rows, 0)
        self._set(run(self._arranging()))
        self.endResetModel()
        self._turn.start()
        self.counted.emit()

    def extend(self, rows: Sequence[Row], last: bool = True) -> None:
        """More rows of the same model have come; what is not simply all of them takes them in when the last have."""
        first = len(self._rows)
        if self._filter or self._sort is not None or self.is_tree:
            self._rows.extend(rows)
            self._take(rows, first)
            if last:
                self._arrange()
            return
        self.beginInsertRows(NO_PARENT, first, first + len(rows) - 1)
        self._rows.extend(rows)
        self._take(rows, first)
        self._view.extend(range(first, len(self._rows)))
        self._turn.start()
        self._hits = len(self._view)
        self.endInsertRows()
        self.counted.emit()

    def set_repeats(self, repeats: Repeats) -> None:
        """Mark rows whose weights repeat the values of others."""
        if repeats != self._repeats:
            self._repeats = repeats
            if self._view:
                self.dataChanged.emit(self.index(0, 0), self.index(len(self._view) - 1, len(COLUMNS) - 1))
            self.counted.emit()

    def _take(self, rows: Sequence[Row], first: int) -> None:
        """Note what is to be known of new rows; page by page, all at once would hold the window."""
        self._piling = piling(self._rows, self._hay)
        self.largest = largest([*self.largest, *rows])
        self._layers += sum(1 for row in rows if not row.layers)
        if not self.is_tree and not any(row.layers for row in rows):
            return
        self._parents += [-1] * (first - len(self._parents))
        for position, row in enumerate(rows, first):
            del self._around[row.level :]
            self._parents.append(self._around[-1] if self._around else -1)
            if row.layers:
                self._around.append(position)
                self.deepest = max(self.deepest, row.level + 1)

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
        """Where the row at this place of execution order stands in the view; None when it is not shown."""
        try:
            return self._view.index(index)
        except ValueError:
            return None

    def count(self) -> int:
        """How many rows there are, shown or not."""
        return len(self._rows)

    # Filter, order, folds

    def set_filter(self, text: str) -> None:
        """Show only rows that fit what was typed; `row_filter` says how it is read."""
        if text != self._filter:
            self._filter = text
            self._arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order the view by a column; a negative column is execution order."""
        self._sort = None if column < 0 else (column, order)
        self._arrange()

    def set_depth(self, depth: int) -> None:
        """Show so many levels of modules open, 0 for all; what was opened and closed one by one is forgotten."""
        self._depth = depth
        self._folds = {}
        if self.is_tree:
            self._arrange()

    def toggle(self, position: int, open_: bool | None = None) -> None:
        """Open or close the module at a position of the view."""
        row = self.row(position)
        if row.layers and not self._filter and open_ != self._now.is_open(row):
            self._folds[row.name] = not self._now.is_open(row)
            self._arrange()

    def reveal(self, index: int) -> None:
        """Open the modules around the row at this place of execution order."""
        closed = False
        here = self._parents[index] if self.is_tree else -1
        while here >= 0:
            if not self._now.is_open(self._rows[here]):
                self._folds[self._rows[here].name] = closed = True
            here = self._parents[here]
        if closed:
            self._arrange()

    def parent_of(self, position: int) -> int | None:
        """Position of the module that the row at a position is in; None where it is in none."""
        above = self._parents[self._view[position]] if self.is_tree else -1
        return None if above < 0 else self.position(above)

    def _wish(self) -> Wish:
        value, descending = None, False
        if self._sort is not None:
            column, order = self._sort
            value, descending = COLUMNS[column].value, order is Qt.SortOrder.DescendingOrder
        return Wish(conditions(self._filter), value, descending, self._depth, self._folds)

    def _arranging(self) -> Slices:
        self._now = self._wish()
        return arranging(self._rows, self._hay, self._parents, self._now)

    def _arrange(self) -> None:
        """Work the view out anew: at once where that is quick, else between events."""
        self._slices = self._arranging()
        self._turn.start()
        self._go_on(AT_ONCE_S)

    def _stop(self) -> None:
        self._turn.stop()
        self._slices = None

    def _go_on(self, seconds: float = TURN_S) -> None:
        """Arrange for a while, or where there is nothing to arrange, make what filters look through."""
        slices = self._slices or self._piling
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            try:
                next(slices)
            except StopIteration as answer:
                done, self._slices = self._slices is not None, None
                if done:
                    self._show(answer.value)
                else:
                    self._stop()
                return

    def _show(self, arranged: Arranged) -> None:
        self.moving.emit()
        self.layoutAboutToBeChanged.emit()
        old = self.persistentIndexList()
        kept = [(self._view[index.row()], index.column()) for index in old]
        self._set(arranged)
        if old:
            chosen = {row for row, _ in kept}
            if len(chosen) <= FEW:
                where = {row: position for row in chosen if (position := self.position(row)) is not None}
            else:
                where = {row: position for position, row in enumerate(self._view) if row in chosen}
            new = [self.index(where[row], column) if row in where else QModelIndex() for row, column in kept]
            self.changePersistentIndexList(old, new)
        self.layoutChanged.emit()
        self.counted.emit()

    def _set(self, arranged: Arranged) -> None:
        self._view, self._hits, self._sums = arranged.view, arranged.hits, arranged.totals

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
            if column.style == "bar":
                return words.percent(self._share(row, column))
            return self._name(row, self._view[index.row()]) if column.key == "name" else column.text(row)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.style == "number" else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row, column.key)
        if role == LayerRole.SHARE:
            return self._share(row, column)
        if role == LayerRole.CATEGORY:
            return row.category
        if role == LayerRole.SORT:
            return column.value(row)
        if role == LayerRole.ROW:
            return row
        if role == LayerRole.ALIKE:
            others = self._repeated(row)
            return f"shares {row.shares[0]}" if row.shares else f"= {others[0]}" if others else ""
        if role == LayerRole.LEVEL:
            return row.level if self.is_tree else None
        if role == LayerRole.OPEN and row.layers:
            return bool(self._filter) or self._now.is_open(row)
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

    def _share(self, row: Row, column: Column) -> float:
        whole = column.whole(self._totals)
        value = column.value(row)
        return value / whole if whole and isinstance(value, int) else 0.0

    def _name(self, row: Row, index: int) -> str:
        """In a tree what the module around it does not say already."""
        above = self._parents[index] if self.is_tree else -1
        return row.name.removeprefix(f"{self._rows[above].name}.") if above >= 0 else row.name

    def _tip(self, row: Row, key: str) -> str:
        ports = {"input_shapes": row.inputs, "output_shapes": row.outputs}.get(key)
        if ports is not None:
            return words.tip("\n".join(f"{port.name}: {words.port(port)}" for port in ports[:20]))
        if key in {"name", "parameters", "shares"} and (row.shares or self._repeated(row)):
            lines = [row.name, *(f"shares {name}, counted there" for name in row.shares)]
            return words.tip(
                "\n".join([*lines, *filter(None, (relation(name, self._repeats) for name in row.weights))])
            )
        said = {"name": row.name, "type": row.category, "source": row.source}.get(key)
        return words.tip(why_unknown(row, key) if said is None else said)

    def _repeated(self, row: Row) -> list[str]:
        """Whose values weights of a row repeat; a module's row says nothing of those in it."""
        pairs = {} if row.layers else self._repeats.pairs
        return [pairs[name] for name in row.weights if name in pairs] if pairs else []

    # What the totals line says

    def summary(self) -> str:
        """`12 of 230 layers · 669,706 parameters · …` of what passes the filter."""
        every = self._layers
        totals = self._totals if self._sums is None else self._sums
        amount = words.count(every) if self._sums is None else f"{words.count(self._hits)} of {words.count(every)}"
        about = "" if totals.complete else "at least "
        parts = [
            f"{amount} {'row' if every == 1 else 'rows'}",
            f"{words.count(totals.parameters)} parameters",
            f"{words.count(totals.trainable)} trainable",
        ]
        if self._repeats.weights and self._sums is None:
            parts.insert(2, f"{words.count(distinct(self._repeats, totals.parameters))} distinct")
        if self._totals.nodes or totals.macs:  # a file of weights only says nothing of these
            parts += [
                f"{about}{words.count(totals.macs)} multiply-adds",
                f"{words.size(totals.activation_bytes)} activations",
                f"{words.size(totals.peak_bytes)} peak",
            ]
        if totals.intensity is not None:
            parts.append(f"{words.ratio(totals.intensity)} FLOPs/byte")
        return "   ·   ".join(parts)
