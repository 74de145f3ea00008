"""Options of the route as a form: one group a step, one field an option, made from their types."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from inspector.viewmodels.convert import Form
from inspector.viewmodels.options import Field
from inspector.views import look
from inspector.views.flow import FlowBox
from inspector.views.pieces import column, label, repolish, roomy

Told = Callable[[Any], None]
FAR = 2**31 - 1
TITLE_WIDTH = 168


class OptionsForm(QWidget):
    """The options of every step of a route, one step below the other.

    Args:
        chosen: Called with edge, option and value.
    """

    def __init__(self, chosen: Callable[[str, str, Any], None]) -> None:
        super().__init__()
        self.setObjectName("convertOptions")
        self._chosen = chosen
        self._steps = QVBoxLayout(self)
        self._steps.setContentsMargins(0, 0, 0, 0)
        self._steps.setSpacing(16)

    def show_forms(self, forms: list[Form]) -> None:
        """Show these instead of the ones before."""
        while (item := self._steps.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for form in forms:
            self._steps.addWidget(self._step(form))
        if not forms:
            self._steps.addWidget(label("This route has no options.", "caption"))

    def _step(self, form: Form) -> QWidget:
        box = QWidget()
        title = label(form.title, "heading", wrap=True)
        title.setFixedWidth(look.scaled(TITLE_WIDTH))
        fields = FlowBox(gap=16)
        for field in form.fields:
            fields.flow.addWidget(self._field(form, field))
        line = QHBoxLayout(box)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(16)
        line.addWidget(title, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(fields, 1)
        return box

    def _field(self, form: Form, field: Field) -> QWidget:
        edge, name = form.edge.id, field.name
        widget = field_widget(field, form.values[name], lambda value: self._chosen(edge, name, value))
        widget.setObjectName(f"{edge}.{name}")
        widget.setAccessibleName(field.title)
        widget.setAccessibleDescription(field.help)
        title = label("" if field.kind == "switch" else field.title, "caption")
        title.setBuddy(widget)
        box = QWidget()
        box.setToolTip(field.help)
        box.setLayout(column(title, widget, spacing=4))
        return box


def field_widget(field: Field, value: Any, told: Told) -> QWidget:
    """The widget that a field is set with."""
    match field.kind:
        case "switch":
            return _switch(field, value, told)
        case "choice":
            return _choice(field, value, told)
        case "whole" if not field.optional:
            return _whole(field, value, told)
        case "number" if not field.optional:
            return _number(field, value, told)
        case _:
            return _text(field, value, told)


def _switch(field: Field, value: bool, told: Told) -> QWidget:
    made = QCheckBox(field.title)
    made.setChecked(bool(value))
    made.toggled.connect(told)
    return made


def _choice(field: Field, value: Any, told: Told) -> QWidget:
    made = QComboBox()
    for choice in field.choices:
        made.addItem(str(choice), choice)
    made.setCurrentIndex(field.choices.index(value) if value in field.choices else 0)
    made.currentIndexChanged.connect(lambda place: told(field.choices[place]))
    return made


def _whole(field: Field, value: int, told: Told) -> QWidget:
    made = QSpinBox()
    roomy(made)
    made.setRange(int(field.low if field.low is not None else -FAR), int(field.high if field.high is not None else FAR))
    made.setValue(int(value or 0))
    made.setFixedWidth(look.scaled(96))
    made.valueChanged.connect(told)
    return made


def _number(field: Field, value: float, told: Told) -> QWidget:
    made = QDoubleSpinBox()
    roomy(made)
    made.setDecimals(6)
    made.setRange(field.low if field.low is not None else -1e12, field.high if field.high is not None else 1e12)
    made.setValue(float(value or 0))
    made.valueChanged.connect(told)
    return made


def _text(field: Field, value: Any, told: Told) -> QWidget:
    made = QLineEdit(as_text(field, value))
    made.setFixedWidth(look.scaled(176))
    made.setPlaceholderText({"words": "separated by commas", "table": "{}"}.get(field.kind, ""))

    def edited(text: str) -> None:
        try:
            read = from_text(field, text)
        except ValueError:
            repolish(made, "wrong", True)
            return
        repolish(made, "wrong", False)
        told(read)

    made.textChanged.connect(edited)
    return made


def as_text(field: Field, value: Any) -> str:
    """A value as it stands in a line."""
    if value is None:
        return ""
    match field.kind:
        case "words":
            return ", ".join(value)
        case "table":
            return json.dumps(value) if value else ""
        case _:
            return str(value)


def from_text(field: Field, text: str) -> Any:
    """The value that a line stands for; raises ValueError where it stands for none."""
    text = text.strip()
    match field.kind:
        case "words":
            return tuple(word.strip() for word in text.split(",") if word.strip())
        case "table":
            read = json.loads(text) if text else {}
            if not isinstance(read, dict):
                raise ValueError(text)
            return read
        case "whole":
            return int(text) if text else None
        case "number":
            return float(text) if text else None
        case _:
            return text if text or not field.optional else None
