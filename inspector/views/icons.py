"""Icons drawn from the icon font that qtawesome carries, in the colours of the palette of the moment.

The font file and its character map are read where qtawesome keeps them, without importing the package: its import and
its loading of eleven fonts cost 0.4 s, a third of what a start may take; one font costs 3 ms. The glyph is drawn when
Qt paints, so a change of theme re-tints every icon without anybody telling it.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import msgspec
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPixmap

FAMILY = "codicon"


@cache
def _characters() -> dict[str, str]:
    """The character of each icon, by name."""
    names = msgspec.json.decode(_file("charmap*.json").read_bytes(), type=dict[str, str])
    return {name: chr(int(code, 16)) for name, code in names.items()}


@cache
def _family() -> str:
    """The font's family, loaded at first painting."""
    loaded = QFontDatabase.addApplicationFont(str(_file("*.ttf")))
    return QFontDatabase.applicationFontFamilies(loaded)[0]


def _file(pattern: str) -> Path:
    spec = find_spec("qtawesome")
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        for file in sorted(Path(folder, "fonts").glob(f"{FAMILY}-{pattern}")):
            return file
    raise FileNotFoundError("The icon font of qtawesome is missing: pip install --force-reinstall qtawesome")


class GlyphEngine(QIconEngine):
    """Paints one character of the icon font in a colour asked for at painting time."""

    def __init__(self, character: str, tint: str) -> None:
        super().__init__()
        self._character, self._tint = character, tint

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw the glyph to fill the rectangle; in a wider one it stands left, which keeps a button's text off it."""
        from inspector.views import look

        name = "disabled" if mode is QIcon.Mode.Disabled else self._tint
        font = QFont(_family())
        side = max(1, min(rect.width(), rect.height()))
        font.setPixelSize(side)
        painter.save()
        painter.setFont(font)
        painter.setPen(QColor(look.colour(name)))
        square = QRect(rect.left(), rect.top() + (rect.height() - side) // 2, side, side)
        painter.drawText(square, int(Qt.AlignmentFlag.AlignCenter), self._character)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """The glyph on a transparent ground."""
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        with QPainter(pixmap) as painter:
            self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        return pixmap

    def clone(self) -> QIconEngine:
        """Another engine for the same glyph."""
        return GlyphEngine(self._character, self._tint)


@cache
def icon(name: str, tint: str = "muted") -> QIcon:
    """A Codicon by its name (https://microsoft.github.io/vscode-codicons), tinted with a colour of the palette.

    Raises:
        KeyError: There is no icon of this name.
    """
    return QIcon(GlyphEngine(_characters()[name], tint))
