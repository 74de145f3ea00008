"""Two plots beside each other with their figures below, or one after the other where two would be too narrow."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from inspector.views.pieces import line

BESIDE = 648
"""From this width on there are two columns."""
GAP = 16


class Halves(QWidget):
    """Two halves. The plots share one height, and what they say in figures begins on one level.

    Args:
        left, right: A plot, and what stands below it.
    """

    def __init__(self, left: tuple[QWidget, QVBoxLayout], right: tuple[QWidget, QVBoxLayout]) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(8)
        self._between = line(vertical=True)
        self._beside: bool | None = None
        self._halves: list[tuple[QWidget, QWidget]] = []
        for plot, below in (left, right):
            box = QWidget()
            box.setLayout(below)
            for widget in (plot, box):
                widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            self._halves.append((plot, box))
        self._arrange(beside=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Two columns or one."""
        super().resizeEvent(event)
        self._arrange(beside=event.size().width() >= BESIDE)

    def _arrange(self, beside: bool) -> None:
        if beside == self._beside:
            return
        self._beside = beside
        while self._grid.takeAt(0) is not None:
            pass
        for number, (plot, figures) in enumerate(self._halves):
            column, row = (2 * number, 0) if beside else (0, 2 * number)
            self._grid.addWidget(plot, row, column)
            self._grid.addWidget(figures, row + 1, column)
            self._grid.setColumnStretch(2 * number, 1 if beside or not number else 0)
            self._grid.setRowStretch(2 * number, 0 if beside and number else 1)
        self._grid.addWidget(self._between, 0, 1, 2, 1)
        self._between.setVisible(beside)
        self._grid.setHorizontalSpacing(GAP if beside else 0)
