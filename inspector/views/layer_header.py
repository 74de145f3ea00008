"""The header of the layer table: tells what the user dragged, apart from what fitting and stretching do to columns."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHeaderView, QWidget

from inspector.viewmodels.columns import KEYS, column_number


class LayerHeader(QHeaderView):
    """Sections that can be dragged wider and to other places."""

    widened = Signal(object)
    """Widths in pixels that the user gave, by key."""
    arranged = Signal(object)
    """Keys of all columns in the order that the user gave them."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._before: tuple[list[str], dict[str, int]] | None = None
        self.setSectionsClickable(True)
        self.setSectionsMovable(True)
        self.setHighlightSections(False)
        self.setStretchLastSection(True)
        self.setMinimumSectionSize(48)
        self.setSortIndicatorClearable(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)

    @property
    def is_held(self) -> bool:
        """Whether the user is dragging: nothing may move beneath the pointer."""
        return self._before is not None

    def order(self) -> list[str]:
        """Keys of all columns as they stand, hidden ones too."""
        return [KEYS[self.logicalIndex(place)] for place in range(self.count())]

    def arrange(self, keys: list[str]) -> None:
        """Put the columns in this order."""
        for place, key in enumerate(keys):
            self.moveSection(self.visualIndex(column_number(key)), place)

    def _widths(self) -> dict[str, int]:
        """Of the columns that are shown, but for the last one, which takes the room that is left."""
        shown = [key for key in self.order() if not self.isSectionHidden(column_number(key))]
        return {key: self.sectionSize(column_number(key)) for key in shown[:-1]}

    def _tell(self) -> None:
        if self._before is None:
            return
        (order, widths), self._before = self._before, None
        if order != self.order():
            self.arranged.emit(self.order())
            return  # the place of the last column changes widths by itself
        given = {key: width for key, width in self._widths().items() if widths.get(key) != width}
        if given:
            self.widened.emit(given)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A drag may begin."""
        self._before = (self.order(), self._widths())
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """What has been dragged is there to stay."""
        super().mouseReleaseEvent(event)
        self._tell()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """On a border: as wide as what is in the column."""
        self._before = (self.order(), self._widths())
        super().mouseDoubleClickEvent(event)
        self._tell()
