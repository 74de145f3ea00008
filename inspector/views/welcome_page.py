"""What stands in the window before a model is open: where to drop one, what was open last, and a sample."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from inspector.assets import resource
from inspector.viewmodels.words import tip
from inspector.views import look
from inspector.views.pieces import Elided, Picture, button, column, label, repolish, row

CAN = (
    ("eye", "See", "Inputs, outputs, the graph, and the figures of every layer."),
    ("arrow-swap", "Convert", "To another framework, in the background, over the best route there is."),
    ("verified", "Prove", "The same inputs through both models: is it still the same model?"),
    ("dashboard", "Measure", "Latency on every device of this machine, with an interval you can trust."),
)
SHOWN = 8


class RecentLine(QPushButton):
    """A button of two lines."""

    def sizeHint(self) -> QSize:
        """What its lines need."""
        return QSize(320, 48)

    def minimumSizeHint(self) -> QSize:
        """Its lines are cut where there is less room."""
        return QSize(160, 48)


class WelcomePage(QWidget):
    """The first page."""

    open_wanted = Signal()
    sample_wanted = Signal()
    file_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("welcomePage")
        self.setAccessibleName("Welcome")
        self.setProperty("surface", "base")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(0)
        left = column(self._drop_zone(), 16, *self._abilities(), 0, spacing=8)
        right = column(label("Recent", "heading"), self._recent, 0, spacing=8)
        side = QWidget()
        side.setLayout(right)
        side.setMinimumWidth(160)
        side.setMaximumWidth(320)
        right.setContentsMargins(0, 0, 0, 0)
        body = row(spacing=32)
        body.addLayout(left, 2)
        body.addWidget(side, 1)
        inner = QWidget()
        inner.setMaximumWidth(960)
        inner.setLayout(column(self._head(), 24, body, spacing=0))
        across = row(spacing=0)
        across.addStretch(1)
        across.addWidget(inner, 100)
        across.addStretch(1)
        page = column(spacing=0, margins=(24, 24, 24, 24))
        page.addStretch(1)
        page.addLayout(across)
        page.addStretch(2)
        self.setLayout(page)
        self.show_recent([])

    def show_recent(self, files: list[str]) -> None:
        """List the files opened last."""
        while (item := self._recent.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for file in files[:SHOWN]:
            self._recent.addWidget(self._recent_line(Path(file)))
        if not files:
            self._recent.addWidget(label("Files you open are listed here.", "caption", wrap=True))

    def set_over(self, over: bool) -> None:
        """Files hover above the window."""
        repolish(self._drop, "over", over)

    def _head(self) -> QWidget:
        head = QWidget()
        picture = Picture(QIcon(str(resource("icons", "inspector.svg"))), 48)
        words = column(
            label("Inspector", "title"),
            Elided(
                "Open a neural network, see what it is, convert it, and prove it is still the same.",
                "caption",
                Qt.TextElideMode.ElideRight,
            ),
            spacing=4,
        )
        layout = row(picture, 8, words, spacing=8)
        layout.setStretch(2, 1)
        head.setLayout(layout)
        return head

    def _drop_zone(self) -> QFrame:
        self._drop = QFrame()
        self._drop.setProperty("role", "drop")
        self._drop.setMinimumHeight(look.scaled(176))
        words = label("Drop a model file or folder anywhere", "heading")
        kinds = Elided(
            "ONNX   ·   PyTorch   ·   TorchScript   ·   Keras   ·   TensorFlow   ·   TFLite", "caption",
            Qt.TextElideMode.ElideRight,
        )  # fmt: skip
        for text in (words, kinds):
            text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.open_button = button("Open…", self.open_wanted.emit, primary=True, icon="folder-opened")
        self.sample_button = button("Open the sample", self.sample_wanted.emit, icon="beaker")
        self.sample_button.setObjectName("sampleButton")
        picture = row(0, Picture(look.icon("cloud-upload", "muted"), 32), 0)
        buttons = row(0, self.open_button, self.sample_button, 0)
        self._drop.setLayout(column(0, picture, words, kinds, 8, buttons, 0, margins=24))
        return self._drop

    @staticmethod
    def _abilities() -> list[QWidget]:
        made = []
        for icon, title, words in CAN:
            line = QWidget()
            name = label(title, "heading")
            name.setFixedWidth(look.scaled(68))
            layout = row(Picture(look.icon(icon, "accent"), 16), name, label(words, "caption", wrap=True), spacing=8)
            layout.setStretch(2, 1)
            line.setLayout(layout)
            made.append(line)
        return made

    def _recent_line(self, file: Path) -> QPushButton:
        made = RecentLine()
        made.setProperty("quiet", True)
        made.setCursor(Qt.CursorShape.PointingHandCursor)
        made.clicked.connect(lambda: self.file_wanted.emit(str(file)))
        made.setAccessibleName(f"Open {file.name}")
        made.setToolTip(tip(str(file)))
        name, folder = Elided(file.name), Elided(str(file.parent), "caption", Qt.TextElideMode.ElideLeft)
        for text in (name, folder):
            text.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        made.setLayout(column(name, folder, spacing=2, margins=(8, 4, 8, 4)))
        return made
