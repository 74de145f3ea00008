"""Cards of one width beside each other; where they get too narrow for what they say, in as many lines as it takes."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from inspector.views import look

NARROWEST = 132
"""Pixels of a card, at the usual size of letters."""


class CardGrid(QWidget):
    """Up to all of its cards in one line."""

    def __init__(self, gap: int = 8) -> None:
        super().__init__()
        self._cards: list[QWidget] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(gap)
        self._across = 0
        self.setMinimumWidth(1)  # it goes over to another line instead of asking for room
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_cards(self, cards: list[QWidget]) -> None:
        """Show these instead of what was there."""
        for old in self._cards:
            old.hide()
            old.deleteLater()
        self._cards = cards
        self._across = 0
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As many in a line as fit."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Lines as even as they can be: five cards are three and two, not four and one."""
        fit = max(1, (self.width() + self._grid.spacing()) // (look.scaled(NARROWEST) + self._grid.spacing()))
        lines = -(-len(self._cards) // fit)
        across = -(-len(self._cards) // lines) if lines else 0
        if across == self._across:
            return
        self._across = across
        while self._grid.takeAt(0) is not None:
            pass
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, int(column < across))
        for number, card in enumerate(self._cards):
            self._grid.addWidget(card, number // across, number % across, Qt.AlignmentFlag(0))
            card.show()
