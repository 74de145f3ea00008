"""The tensor panel: type, statistics, histogram, values page by page, and Save .npy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QGridLayout,
    QHeaderView,
    QLabel,
    QStackedLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from inspector.errors import InspectorError
from inspector.viewmodels import words
from inspector.viewmodels.destination import folder_for
from inspector.viewmodels.tensor import PAGE, TensorModel
from inspector.views import look
from inspector.views.figures import HistogramView
from inspector.views.pieces import Elided, EmptyPane, button, column, label, line, row, tool
from inspector.worker.tasks.tensor import TensorView

NO_PARENT = QModelIndex()


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
        for name, value in statistics.items():
            figure = label(words.figure(value))
            figure.setFont(look.tabular())
            figure.setToolTip("" if value is None else repr(value))
            figure.setAlignment(Qt.AlignmentFlag.AlignRight)
            figure.setAccessibleName(f"{name.replace('_', ' ')}: {words.figure(value)}")
            self.pairs.append((label(name.replace("_", " "), "caption"), figure))
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


class TensorPanel(QWidget):
    """Shows the tensor that is looked at."""

    failed = Signal(object)
    told = Signal(str)
    """A sentence for the status bar."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tensorPanel")
        self.setAccessibleName("Tensor")
        self.setMinimumWidth(240)
        self._model: TensorModel | None = None
        self.title = Elided("", "heading")
        self.facts = label("", "caption", wrap=True)
        self.histogram = HistogramView()
        self.statistics = Statistics()
        self.values = ValueTable(self)
        self.empty = EmptyPane("symbol-array", "No tensor", "Click a weight in the node panel. Only then is it read.")
        self._stack = QStackedLayout()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self._content())
        holder = QVBoxLayout(self)
        holder.setContentsMargins(0, 0, 0, 0)
        holder.addLayout(self._stack)

    def sizeHint(self) -> QSize:
        """Narrow and high."""
        return QSize(288, 400)

    def set_model(self, model: TensorModel | None) -> None:
        """Follow another document's tensor."""
        if self._model is not None:
            self._model.changed.disconnect(self.refresh)
            self._model.saved.disconnect(self._on_saved)
            self._model.save_failed.disconnect(self._on_save_failed)
        self._model = model
        if model is not None:
            model.changed.connect(self.refresh)
            model.saved.connect(self._on_saved)
            model.save_failed.connect(self._on_save_failed)
        self.refresh()

    def _content(self) -> QWidget:
        self.save_button = button("Save .npy", self.ask_save, icon="save")
        self.save_button.setObjectName("saveTensor")
        self._back = tool("chevron-left", "Values before", lambda: self._turn(-1))
        self._on = tool("chevron-right", "Values after", lambda: self._turn(1))
        self._where = label("", "caption")
        self._where.setFont(look.tabular())
        top = column(self.title, self.facts, 4, self.histogram, self.statistics, spacing=4, margins=(16, 16, 16, 8))
        pager = row(label("Values", "heading"), 0, self._where, self._back, self._on, spacing=4, margins=(16, 4, 8, 4))
        foot = row(self.save_button, 0, margins=(16, 8, 16, 8))
        inner = QWidget()
        inner.setLayout(column(top, line(), pager, row(self._table(), margins=(12, 0, 0, 0)), line(), foot, spacing=0))
        return inner

    def _table(self) -> QTableView:
        table = QTableView()
        table.setObjectName("tensorValues")
        table.setAccessibleName("Values")
        table.setModel(self.values)
        table.setShowGrid(False)
        table.setFrameShape(QFrame.Shape.NoFrame)
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        table.verticalHeader().setDefaultSectionSize(22)
        table.horizontalHeader().hide()
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        table.setMinimumHeight(96)
        return table

    # What it says

    def refresh(self) -> None:
        """Show what the model holds now."""
        model = self._model
        if model is None or model.view is None:
            self._say_empty(model)
            self._stack.setCurrentIndex(0)
            return
        view = model.view
        self.title.setText(view.name)
        trains = {True: ", trainable", False: ", not trained", None: ""}[view.trainable]
        shape = words.shape(view.shape)
        self.facts.setText(f"{shape}  ·  {view.dtype}  ·  {words.size(view.nbytes)}  ·  {view.role}{trains}")
        self.histogram.show_counts(view.histogram.edges, view.histogram.counts)
        self.statistics.show_figures(view.statistics)
        self.values.replace(view)
        last = view.start + len(view.values)
        first = view.start + 1 if view.values else 0
        self._where.setText(f"{first:,}–{last:,} of {view.total:,}")
        self._back.setEnabled(view.start > 0)
        self._on.setEnabled(last < view.total)
        self._stack.setCurrentIndex(1)

    def _say_empty(self, model: TensorModel | None) -> None:
        if model is not None and model.error is not None:
            self.empty.say(model.error.what, model.error.hint)
        elif model is not None and model.loading:
            self.empty.say("Reading…", model.name)
        else:
            self.empty.say("No tensor", "Click a weight in the node panel. Only then is it read.")

    def _turn(self, way: int) -> None:
        if self._model is not None and self._model.view is not None:
            self._model.turn(self._model.view.start + way * PAGE)

    # Saving

    def ask_save(self) -> None:
        """Ask where to, then save."""
        if self._model is None or self._model.view is None:
            return
        proposed = "".join(c if c.isalnum() or c in "._-" else "_" for c in self._model.name)[-100:] + ".npy"
        folder = folder_for(self._model.document.path)
        name, _kind = QFileDialog.getSaveFileName(self, "Save tensor", str(folder / proposed), "NumPy array (*.npy)")
        if name:
            self.save(Path(name))

    def save(self, file: Path) -> None:
        """Write the tensor as .npy."""
        if self._model is not None:
            self.save_button.setEnabled(False)
            self._model.save(file)

    def _on_saved(self, file: str) -> None:
        self.save_button.setEnabled(True)
        self.told.emit(f"Saved {file}")

    def _on_save_failed(self, error: InspectorError) -> None:
        self.save_button.setEnabled(True)
        self.failed.emit(error)
