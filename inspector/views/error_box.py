"""Errors: one sentence of what happened, one of what to do, and details that can be copied whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from inspector.errors import InspectorError
from inspector.views import look
from inspector.views.pieces import Picture, button, card, column, label, row

WIDEST = 560


def as_text(what: str, hint: str, details: str = "") -> str:
    """The whole error as it is copied."""
    return "\n".join(part for part in (what, hint, details) if part) + "\n"


def copy(text: str) -> None:
    """Put a text on the clipboard."""
    QGuiApplication.clipboard().setText(text)


def details_of(error: Exception) -> str:
    """What a worker's log or a traceback says about it; empty where there is nothing."""
    return str(getattr(error, "details", "") or "")


class ErrorBox(QDialog):
    """An error that belongs to no page."""

    def __init__(self, what: str, hint: str = "", details: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("errorBox")
        self.setAccessibleName("Error")
        self.setWindowTitle("Inspector")
        self.what, self.hint = label(what, "heading", wrap=True), label(hint, "caption", wrap=True)
        self.hint.setVisible(bool(hint))
        self.details = _details(details)
        self.details.hide()
        words = column(self.what, self.hint, spacing=8)
        top = row(column(Picture(look.icon("error", "bad"), 24), 0), 8, spacing=8)
        top.addLayout(words, 1)
        self.more = button("Details", self._show_details, quiet=True)
        self.more.setVisible(bool(details))
        self.copy_button = button("Copy", lambda: copy(as_text(what, hint, details)))
        close = button("Close", self.accept, primary=True)
        close.setDefault(True)
        layout = column(top, self.details, 8, row(self.more, 0, self.copy_button, close), spacing=8, margins=24)
        layout.setStretchFactor(self.details, 1)
        self.setLayout(layout)
        self.setMinimumWidth(480)

    def _show_details(self) -> None:
        self.details.setVisible(not self.details.isVisible())
        self.resize(720 if self.details.isVisible() else 480, 480 if self.details.isVisible() else 0)


class ErrorCard(QWidget):
    """An error in the place of what it kept from appearing."""

    def __init__(self, error: InspectorError, title: str, actions: Sequence[tuple[str, Callable[[], object]]]) -> None:
        super().__init__()
        self.setObjectName("errorBox")
        self.setAccessibleName(f"Error: {error.what}")
        details = details_of(error)
        self.what, self.hint = label(error.what, "heading", wrap=True), label(error.hint, "caption", wrap=True)
        self.hint.setVisible(bool(error.hint))
        self.details = _details(details)
        self.details.hide()
        self.buttons: list[QPushButton] = [
            button(text, done, primary=number == 0) for number, (text, done) in enumerate(actions)
        ]
        self.buttons.append(button("Copy", lambda: copy(as_text(error.what, error.hint, details)), quiet=True))
        if details:
            self.buttons.append(button("Details", lambda: self.details.setVisible(self.details.isHidden()), quiet=True))
        words = QVBoxLayout()
        words.addLayout(row(Picture(look.icon("error", "bad"), 16), label(title, "caption"), 0))
        for widget in (self.what, self.hint, self.details):
            words.addWidget(widget)
        words.addSpacing(8)
        words.addLayout(row(*self.buttons, 0))
        words.setSpacing(8)
        box = card(words, 24)
        box.setMaximumWidth(WIDEST)
        middle = row(0, box, 0)
        middle.setStretchFactor(box, 100)  # as wide as it may be, but it pushes no dock aside
        page = column(spacing=0, margins=24)
        page.addStretch(1)
        page.addLayout(middle)
        page.addStretch(2)
        self.setLayout(page)
        self.setProperty("surface", "base")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)


def _details(text: str) -> QPlainTextEdit:
    made = QPlainTextEdit(text)
    made.setReadOnly(True)
    made.setFont(look.mono_font())
    made.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
    made.setMinimumHeight(160)
    made.setAccessibleName("Details")
    return made
