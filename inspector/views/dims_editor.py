"""Small fields for the sizes that a file leaves open; the table follows what is typed."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from inspector.viewmodels.document import DocumentModel
from inspector.views.pieces import button, label, repolish, row

LARGEST = 2**31 - 1


class DimsEditor(QWidget):
    """One field for each open dimension of the inputs."""

    def __init__(self, document: DocumentModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dimsEditor")
        self._document = document
        self.fields: dict[str, QLineEdit] = {}
        self._line = QHBoxLayout()
        self._line.setSpacing(8)
        self._reset = button("Leave open", lambda: document.set_dims({}), quiet=True)
        self._reset.setToolTip("Forget the sizes typed here")
        lead = label("Sizes", "caption")
        lead.setToolTip("The file leaves these dimensions open; type a size to see the figures for it.")
        self.setLayout(row(lead, 8, self._line, self._reset, 0))
        document.overview_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show a field for each open dimension and what it is set to."""
        overview = self._document.overview
        names = overview.dims if overview is not None else ()
        if tuple(self.fields) != tuple(names):
            self._build(names)
        for name, field in self.fields.items():
            size = self._document.dims.get(name)
            if not field.hasFocus() or field.text() != (str(size) if size else ""):
                field.setText("" if size is None else str(size))
            repolish(field, "wrong", False)
        self._reset.setVisible(bool(self._document.dims))
        self.setVisible(bool(names))

    def _build(self, names: tuple[str, ...]) -> None:
        while (item := self._line.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self.fields = {}
        for name in names:
            field = QLineEdit()
            field.setObjectName(f"dim_{name}")
            field.setAccessibleName(f"Size of {name}")
            field.setPlaceholderText("any")
            field.setFixedWidth(72)
            field.setAlignment(Qt.AlignmentFlag.AlignRight)
            field.setValidator(QIntValidator(1, LARGEST, field))
            field.editingFinished.connect(self._on_edited)
            self.fields[name] = field
            self._line.addWidget(label(name, mono=True))
            self._line.addWidget(field)

    def _on_edited(self) -> None:
        known = {name: size for name, size in self._document.dims.items() if name not in self.fields}
        typed = {name: int(field.text()) for name, field in self.fields.items() if field.text()}
        self._document.set_dims(known | typed)
