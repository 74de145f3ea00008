"""A line of the overview: which weights repeat the values of others, how far the search is, and how to stop it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from inspector.viewmodels.document import DocumentModel
from inspector.viewmodels.repeats import Phase
from inspector.views.pieces import button, label, row

HIGH = 28
"""Pixels of a line with its button, kept free from the start so that nothing jumps."""


class RepeatsLine(QWidget):
    """Follows the search of one document."""

    def __init__(self, document: DocumentModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("repeatsLine")
        self.setAccessibleName("Repeated weights")
        self.setMinimumHeight(HIGH)
        self._document, self._repeats = document, document.repeats
        self.text = label("", "caption", wrap=True)
        self.button = button("", self._on_button, quiet=True)
        self.button.setObjectName("repeatsButton")
        self.button.setFixedHeight(HIGH)
        line = row(spacing=8)
        line.addWidget(self.text, 1)
        line.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        self.setLayout(line)
        self._repeats.changed.connect(self.refresh)
        document.rows_changed.connect(self.refresh)
        document.overview_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Say what is known now."""
        self.text.setText(self._repeats.text)
        self.text.setToolTip(self._repeats.tip)
        self.button.setText(self._repeats.offer)
        self.button.setVisible(bool(self._repeats.offer))
        self.setVisible(bool(self._document.totals.parameters))

    def _on_button(self) -> None:
        if self._repeats.phase is Phase.LOOKING:
            self._repeats.stop()
        else:
            self._repeats.begin()
