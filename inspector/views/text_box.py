"""One of the texts of a model (code of TorchScript, a licence) in a window of its own."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QWidget

from inspector.errors import InspectorError
from inspector.viewmodels.document import DocumentModel
from inspector.views import look
from inspector.views.pieces import button, column, row
from inspector.worker.tasks.text import TASK as TEXT
from inspector.worker.tasks.text import Text, TextArgs


class TextBox(QDialog):
    """Shows a text; it is asked for when the box opens."""

    def __init__(self, document: DocumentModel, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("textBox")
        self.setWindowTitle(f"{name} – {document.name}")
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setFont(look.mono_font())
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setPlaceholderText("Reading…")
        self.text.setAccessibleName(name)
        copy = button("Copy", lambda: QGuiApplication.clipboard().setText(self.text.toPlainText()))
        close = button("Close", self.accept, primary=True)
        close.setDefault(True)
        self.setLayout(column(self.text, row(0, copy, close), spacing=16, margins=16))
        self.resize(800, 600)
        ask = document.ask(TEXT, TextArgs(name=name), self._on_text, self._on_failed)
        self.finished.connect(lambda _result: document.drop(ask))

    def _on_text(self, text: Text) -> None:
        self.text.setPlainText(text.text)

    def _on_failed(self, error: InspectorError) -> None:
        self.text.setPlainText(f"{error.what}\n{error.hint}")
