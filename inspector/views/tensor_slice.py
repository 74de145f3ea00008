"""Which slice of a tensor the picture shows: two dimensions, and an index in each of the others."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QSpinBox, QWidget

from inspector.viewmodels.heat import Heat
from inspector.viewmodels.tensor import Slice
from inspector.views.pieces import Elided, column, roomy

MOST = 16
"""Dimensions that have a field of their own."""
PAUSE = 120
"""Milliseconds after the last change before a picture is asked for: a turning wheel asks once."""


class SliceBar(QWidget):
    """Fields for the dimensions shown, the indices in the others, and the tiles; hidden below three dimensions."""

    chosen = Signal(object)
    """A Slice."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("tensorSlice")
        self.setAccessibleName("Slice")
        self._heat: Heat | None = None
        self._shape: tuple[int, ...] = ()
        self._showing = False
        self.rows, self.columns = QComboBox(), QComboBox()
        for box, name in ((self.rows, "Dimension shown downwards"), (self.columns, "Dimension shown across")):
            box.setAccessibleName(name)
            box.setToolTip(name)
            box.setMinimumWidth(56)  # the panel beside the model is narrow
        self.tiles = QCheckBox("Tiles")
        self.tiles.setToolTip("Lay out the small slices beside each other, as kernels of a convolution are shown")
        self.indices: list[tuple[QWidget, QSpinBox]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 4, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(8)
        self._grid.addWidget(_field("Down", self.rows), 0, 0)
        self._grid.addWidget(_field("Across", self.columns), 0, 1)
        self._grid.addWidget(self.tiles, 1, 0, 1, 2)
        for at in (0, 1):
            self._grid.setColumnStretch(at, 1)
        self._timer = QTimer(self, singleShot=True, interval=PAUSE)
        self._timer.timeout.connect(self._tell)
        self.rows.activated.connect(lambda: self._on_dimension(self.rows, self.columns))
        self.columns.activated.connect(lambda: self._on_dimension(self.columns, self.rows))
        self.tiles.clicked.connect(lambda: self._timer.start())
        self.hide()

    def show_heat(self, heat: Heat | None) -> None:
        """Follow what is shown."""
        self._heat = heat
        self.setVisible(heat is not None and len(heat.source.shape) > 2)
        if heat is None:
            return
        self._showing = True
        if heat.source.shape != self._shape:
            self._rebuild(heat.source.shape)
        source = heat.source
        self.rows.setCurrentIndex(source.rows)
        self.columns.setCurrentIndex(source.columns)
        self.tiles.setVisible(source.can_tile)
        self.tiles.setChecked(source.tiles != (0, 0))
        for dim, (field, box) in enumerate(self.indices):
            if not self._timer.isActive():
                box.setValue(source.at[dim])
            field.setVisible(dim not in {source.rows, source.columns})
        self._arrange()
        self._showing = False

    def _rebuild(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._timer.stop()
        for field, _ in self.indices:
            self._grid.removeWidget(field)
            field.hide()
            field.deleteLater()
        self.indices = []
        for box in (self.rows, self.columns):
            box.clear()
            box.addItems([f"{dim} ({size:,})" for dim, size in enumerate(shape)])
        for dim, size in enumerate(shape[:MOST]):
            index = QSpinBox()
            index.setRange(0, max(0, min(size, 1 << 31) - 1))
            index.setWrapping(True)
            index.setAccessibleName(f"Index in dimension {dim}, {size:,} in all")
            index.setToolTip(f"0 to {max(0, size - 1):,}")
            index.setMinimumWidth(56)
            roomy(index)
            index.valueChanged.connect(self._on_index)
            self.indices.append((_field(f"Index {dim} of {size:,}", index, self), index))

    def _arrange(self) -> None:
        """The fields that there are, two in a line."""
        shown = [field for field, _ in self.indices if not field.isHidden()]
        for number, field in enumerate(shown):
            self._grid.addWidget(field, 2 + number // 2, number % 2)
        stops: list[QWidget] = [self.tiles, *(index for field, index in self.indices if field in shown)]
        for before, after in pairwise(stops):
            QWidget.setTabOrder(before, after)

    def _on_index(self) -> None:
        if not self._showing:
            self._timer.start()

    def _on_dimension(self, changed: QComboBox, other: QComboBox) -> None:
        """The same dimension twice makes no slice: the other one takes the place that is free."""
        if changed.currentIndex() == other.currentIndex() and self._heat is not None:
            before = self._heat.source.rows if changed is self.rows else self._heat.source.columns
            other.setCurrentIndex(before)
        self._timer.start()

    def _tell(self) -> None:
        if self._heat is None:
            return
        at = tuple(box.value() for _, box in self.indices)
        same = (self.rows.currentIndex(), self.columns.currentIndex()) == (
            self._heat.source.rows,
            self._heat.source.columns,
        )
        tiles = self.tiles.isChecked() if same else None
        self.chosen.emit(Slice(self.rows.currentIndex(), self.columns.currentIndex(), at, tiles))


def _field(name: str, box: QWidget, parent: QWidget | None = None) -> QWidget:
    """A field with its name above it."""
    made = QWidget(parent)
    made.setLayout(column(Elided(name, "caption", Qt.TextElideMode.ElideRight), box, spacing=2))
    return made
