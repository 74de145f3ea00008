"""Preferences and About."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QComboBox, QDialog, QFormLayout, QSpinBox, QWidget

from inspector import __version__
from inspector.assets import resource
from inspector.settings import Settings
from inspector.views.pieces import Picture, button, column, label, roomy, row

THEMES = (("system", "As the system"), ("light", "Light"), ("dark", "Dark"))
ORIENTATIONS = (("vertical", "Downwards"), ("horizontal", "To the right"))


class Preferences(QDialog):
    """What the user may choose once for all models; every change counts at once."""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("preferences")
        self.setWindowTitle("Preferences")
        self._settings = settings
        self.theme = _choice(THEMES, settings.theme)
        self.orientation = _choice(ORIENTATIONS, settings.orientation)
        self.runs = _number(1, 100_000, settings.runs)
        self.seed = _number(0, 2**31 - 1, settings.seed)
        form = QFormLayout()
        form.setHorizontalSpacing(24)
        form.setVerticalSpacing(8)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.addRow(_name("Theme"), self.theme)
        form.addRow(_name("Graphs run"), self.orientation)
        form.addRow(_name("Timed runs"), self.runs)
        form.addRow(_name("Seed of the inputs"), self.seed)
        words = label(
            "More runs make the interval of a latency narrower. The same seed gives the same inputs.", "caption"
        )
        words.setWordWrap(True)
        close = button("Close", self.accept, primary=True)
        close.setDefault(True)
        self.setLayout(column(form, words, 8, row(0, close), spacing=16, margins=24))
        self.setMinimumWidth(400)
        self.runs.valueChanged.connect(lambda number: setattr(settings, "runs", number))
        self.seed.valueChanged.connect(lambda number: setattr(settings, "seed", number))
        self.orientation.activated.connect(lambda: setattr(settings, "orientation", self.orientation.currentData()))


class About(QDialog):
    """What this is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("about")
        self.setWindowTitle("About Inspector")
        picture = Picture(QIcon(str(resource("icons", "inspector.svg"))), 64)
        name = label(f"Inspector {__version__}", "title")
        words = label(
            "Opens, shows, converts, proves and times neural-network files. "
            "Opening a file never runs code from it and sends nothing anywhere.",
            "caption",
            wrap=True,
        )
        words.setMinimumWidth(320)
        close = button("Close", self.accept, primary=True)
        close.setDefault(True)
        texts = column(name, words, label("MIT licence", "caption"), 0, spacing=8)
        head = row(column(picture, 0), 8, spacing=8)
        head.addLayout(texts, 1)
        self.setLayout(column(head, row(0, close), spacing=16, margins=24))


def _name(text: str) -> QWidget:
    """As high as its field, so that their lines of text meet."""
    made = label(text)
    made.setMinimumHeight(28)
    return made


def _choice(items: tuple[tuple[str, str], ...], now: str) -> QComboBox:
    made = QComboBox()
    for key, title in items:
        made.addItem(title, key)
    made.setCurrentIndex(max(0, made.findData(now)))
    return made


def _number(low: int, high: int, now: int) -> QSpinBox:
    made = QSpinBox()
    roomy(made)
    made.setRange(low, high)
    made.setValue(now)
    made.setGroupSeparatorShown(True)
    return made
