"""Figures of a tensor in pairs, and a page of its values: the parts of the tensor panel that are tables."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from inspector.viewmodels import words
from inspector.views import look
from inspector.views.pieces import label
from inspector.worker.tasks.tensor import TensorView

NO_PARENT = QModelIndex()
CALLED = {"sparsity": "zeros", "nan": "NaN", "inf": "infinite"}
"""What a statistic is called, where that is not its name."""


class ValueTable(QAbstractTableModel):
    """One page of values with their places in the tensor."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: TensorView | None = None

    def replace(self, view: TensorView | None) -> None:
        """Show another page."""
        self.beginResetModel()
        self._view = view
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = NO_PARENT) -> int:
        """Values of this page."""
        return 0 if parent.isValid() or self._view is None else len(self._view.values)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = NO_PARENT) -> int:
        """Place and value."""
        return 2

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a cell says."""
        if self._view is None or not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            if index.column() == 1:
                return self._view.values[index.row()]
            return place(self._view.start + index.row(), self._view.shape)
        if role == Qt.ItemDataRole.ToolTipRole and index.column() == 1:
            return words.tip(self._view.values[index.row()])  # it may be longer than the column
        if role == Qt.ItemDataRole.FontRole:
            return look.mono_font(0.92)
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 0:
            return look.colour("muted")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if index.column() == 1 else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None


def place(number: int, shape: tuple[int, ...]) -> str:
    """Where the n-th value stands: `12, 0, 3`."""
    found = []
    for size in reversed(shape):
        number, rest = divmod(number, max(1, size))
        found.append(str(rest))
    return ", ".join(reversed(found)) or "scalar"


class Statistics(QWidget):
    """Names and figures: two pairs in a line where both fit whole, else one."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("tensorStatistics")
        self.setAccessibleName("Statistics")
        self.pairs: list[tuple[QLabel, QLabel]] = []
        self.beside = 0
        """How many pairs stand in a line."""
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self.setMinimumWidth(1)  # it goes over to one pair a line instead of asking for room

    def show_figures(self, statistics: dict[str, float | int | None]) -> None:
        """Show these."""
        for widget in (each for pair in self.pairs for each in pair):
            widget.hide()
            widget.deleteLater()
        self.pairs = []
        for key, value in statistics.items():
            name = CALLED.get(key, key)
            text = words.percent(value) if key == "sparsity" and value is not None else words.figure(value)
            figure = label(text)
            figure.setFont(look.tabular())
            figure.setToolTip("" if value is None else repr(value))
            figure.setAlignment(Qt.AlignmentFlag.AlignRight)
            figure.setAccessibleName(f"{name}: {text}")
            self.pairs.append((label(name, "caption"), figure))
        self.beside = 0
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """One or two in a line."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        widths = [
            max((pair[at].sizeHint().width() for pair in self.pairs[side::2]), default=0)
            for side in (0, 1)
            for at in (0, 1)
        ]
        beside = 2 if sum(widths) + 40 <= self.width() else 1
        if beside == self.beside:
            return
        self.beside = beside
        while self._grid.takeAt(0) is not None:
            pass
        for number, pair in enumerate(self.pairs):
            for at, widget in enumerate(pair):
                self._grid.addWidget(widget, number // beside, number % beside * 3 + at)
        self._grid.setColumnMinimumWidth(2, 8 * (beside - 1))
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(4, beside - 1)
