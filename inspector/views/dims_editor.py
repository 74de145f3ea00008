"""Small fields for the sizes and shapes that a file leaves open; the table follows what is typed."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QLineEdit, QWidget

from inspector.viewmodels import words
from inspector.viewmodels.document import DocumentModel
from inspector.viewmodels.sizes import Sizes, parse_shape
from inspector.views import look
from inspector.views.flow import FlowBox
from inspector.views.pieces import button, label, repolish, row

LARGEST = 2**31 - 1
LONGEST, MOST = 32, 40
"""Characters of a name that are shown, and fields of either kind."""


class DimsEditor(QWidget):
    """One field for each open dimension that has a name, and one for each input whose shape is open without."""

    def __init__(self, document: DocumentModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dimsEditor")
        self._document = document
        self.fields: dict[str, QLineEdit] = {}
        self.shape_fields: dict[str, QLineEdit] = {}
        self._box = FlowBox(16)
        self._lead = label("", "caption")
        self._reset = button("Leave open", self._forget, quiet=True)
        self._reset.setToolTip("Forget the sizes typed here")
        self._lead.setMinimumHeight(28)
        line = row(spacing=8)
        line.addWidget(self._lead, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self._box, 1)
        line.addWidget(self._reset, 0, Qt.AlignmentFlag.AlignTop)
        self.setLayout(line)
        document.overview_changed.connect(self.refresh)
        document.state_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show a field for everything that is open, and what it is set to."""
        overview, document = self._document.overview, self._document
        if overview is None:
            return
        inputs = overview.signatures[0].inputs if overview.signatures else ()
        open_ones = {*overview.typed, *document.shapes}
        shapeless = tuple(port.name for port in inputs if port.name in open_ones)
        if (tuple(self.fields), tuple(self.shape_fields)) != (overview.dims[:MOST], shapeless[:MOST]):
            self._build(overview.dims, shapeless)
        self._lead.setText("Shapes of the inputs" if shapeless else "Sizes")
        for name, field in self.fields.items():
            if not is_typed_in(field):
                field.setText(str(document.dims.get(name, "")))
        for name, field in self.shape_fields.items():
            if is_typed_in(field):
                continue
            field.setText(words.shape(document.shapes[name]) if name in document.shapes else "")
            repolish(field, "wrong", False)
        self._reset.setVisible(bool(document.dims or document.shapes))
        self.setVisible(bool(overview.dims or shapeless))

    def _build(self, dims: tuple[str, ...], inputs: tuple[str, ...]) -> None:
        self._box.flow.clear()
        self.fields, self.shape_fields = {}, {}
        for name in inputs[:MOST]:
            field = self._field(name, f"Shape of {name}", "1×1×28×28", 160)
            field.setToolTip("Sizes such as 1x1x28x28, or batch,1,28,28 where one stays open; empty leaves all open")
            field.setFont(look.mono_font())
            field.editingFinished.connect(self._on_shapes)
            self.shape_fields[name] = field
        for name in dims[:MOST]:
            field = self._field(name, f"Size of {name}", "any", 104)
            field.setAlignment(Qt.AlignmentFlag.AlignRight)
            field.setValidator(QIntValidator(1, LARGEST, field))
            field.setToolTip(f"A whole number from 1 to {LARGEST:,}; empty leaves it open")
            field.textChanged.connect(lambda text, field=field: mark(field, bool(text)))
            field.editingFinished.connect(self._on_dims)
            self.fields[name] = field

    def _field(self, name: str, accessible: str, example: str, width: int) -> QLineEdit:
        field = QLineEdit()
        field.setObjectName(f"dim_{name}")
        field.setAccessibleName(accessible)
        field.setPlaceholderText(example)
        field.setFixedWidth(look.scaled(width))
        words_ = label(name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…", mono=True)
        words_.setToolTip(words.tip(name))
        pair = QWidget()
        pair.setLayout(row(words_, field, spacing=8))
        self._box.flow.addWidget(pair)
        return field

    def _on_dims(self) -> None:
        known = {name: size for name, size in self._document.dims.items() if name not in self.fields}
        fields = [(name, field) for name, field in self.fields.items() if field.hasAcceptableInput()]
        typed = {name: int(field.text()) for name, field in fields}
        for field in self.fields.values():
            field.setModified(bool(field.property("wrong")))  # the others have been taken
        self._document.set_dims(known | typed)

    def _on_shapes(self) -> None:
        shapes = {}
        for name, field in self.shape_fields.items():
            shape = parse_shape(field.text()) if field.text().strip() else None
            repolish(field, "wrong", shape is None and bool(field.text().strip()))
            field.setModified(False)
            if shape is not None:
                shapes[name] = shape
        if not any(field.property("wrong") for field in self.shape_fields.values()):
            self._document.set_shapes(shapes)

    def _forget(self) -> None:
        for field in (*self.fields.values(), *self.shape_fields.values()):
            field.setModified(False)
        self._document.sizing.choose(Sizes())  # one step, which one step takes back


def mark(field: QLineEdit, filled: bool) -> None:
    """Show whether what is typed is no size: such a field asks for nothing."""
    repolish(field, "wrong", filled and not field.hasAcceptableInput())


def is_typed_in(field: QLineEdit) -> bool:
    """Whether somebody is typing there just now: an answer to what was typed before must not wipe that out."""
    return field.hasFocus() and field.isModified()
