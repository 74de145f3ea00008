"""The look of the window: one accent, neutral greys, light and dark, and colours of operator categories.

Fusion with a palette of our own, because the system's scheme setters do nothing on some platforms; the system's scheme
is followed all the same. Colours come from `resources/palettes/*.json`: a theme is a file, not code. Views ask
`colour("muted")` while painting and connect to `themed.changed` if they cache what they painted.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from inspector.assets import resource
from inspector.views.icons import icon

__all__ = [
    "CATEGORIES", "GRID", "apply", "category_colour", "colour", "icon", "is_dark", "mono_font", "scaled",
    "series_colour", "tabular", "theme", "themed",
]  # fmt: skip

Theme = Literal["system", "light", "dark"]

DRAWN_FOR = 13
"""Pixels of the font for which widths are written down."""
GRID = 8
"""Every distance is a multiple (or a half) of this many pixels."""

CATEGORIES = (
    "linear", "convolution", "normalisation", "activation", "pooling", "attention", "recurrent", "embedding",
    "elementwise", "shape", "constant", "control", "other",
)  # fmt: skip


class Themed(QObject):
    """Says when the colours have changed."""

    changed = Signal()


class _Palette(msgspec.Struct, frozen=True):
    colours: dict[str, str]
    categories: dict[str, str]
    series: tuple[str, ...]


class _State:
    """Which palette is on; one a process, as there is one QApplication."""

    def __init__(self) -> None:
        self.theme: str = "system"
        self.dark = False
        self.palettes: dict[bool, _Palette] = {}
        self.listening = False

    def palette(self, dark: bool) -> _Palette:
        if dark not in self.palettes:
            file = resource("palettes", "dark.json" if dark else "light.json")
            self.palettes[dark] = msgspec.json.decode(file.read_bytes(), type=_Palette)
        return self.palettes[dark]


_state = _State()
themed = Themed()


def is_dark() -> bool:
    """Whether the dark palette is on."""
    return _state.dark


def theme() -> str:
    """What the user chose: system, light or dark."""
    return _state.theme


def colour(name: str, dark: bool | None = None) -> QColor:
    """A colour of the palette that is on (or of the one asked for): text, muted, line, base, accent, good, warning …"""
    return _colour(_state.palette(_state.dark if dark is None else dark).colours[name])


def category_colour(category: str, dark: bool | None = None) -> QColor:
    """The colour of an operator category; unknown ones get that of `other`."""
    colours = _state.palette(_state.dark if dark is None else dark).categories
    return _colour(colours.get(category, colours["other"]))


def series_colour(index: int) -> QColor:
    """The colour of the n-th series of a plot; they repeat after eight."""
    series = _state.palette(_state.dark).series
    return _colour(series[index % len(series)])


def _colour(text: str) -> QColor:
    """`#RRGGBB`, or `#RRGGBBAA` as in style sheets of the web."""
    colour = QColor(text[:7])
    if len(text) == 9:
        colour.setAlpha(int(text[7:], 16))
    return colour


def mono_font(scale: float = 1.0) -> QFont:
    """The system's fixed-pitch font in the size of the window's font, for shapes and code."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    return _sized(font, scale)


def tabular(scale: float = 1.0) -> QFont:
    """The window's font with figures of one width, for columns of numbers."""
    font = QFont(QGuiApplication.font())
    font.setFeature(QFont.Tag("tnum"), 1)
    return _sized(font, scale)


def scaled(pixels: int) -> int:
    """A width or height that holds text, where the desktop's font is larger than the one it was drawn for."""
    return round(pixels * max(1.0, QFontInfo(QGuiApplication.font()).pixelSize() / DRAWN_FOR))


def _sized(font: QFont, scale: float) -> QFont:
    own = QGuiApplication.font()
    if own.pixelSize() > 0:
        font.setPixelSize(max(8, round(own.pixelSize() * scale)))
    else:
        font.setPointSizeF(own.pointSizeF() * scale)
    return font


def apply(app: QApplication, theme: str = "system") -> None:
    """Dress the application; called again it changes the theme of every open window.

    Args:
        app: The application.
        theme: system, light or dark; system follows the desktop's scheme from now on.
    """
    hints = app.styleHints()
    if not _state.listening:
        hints.colorSchemeChanged.connect(lambda _scheme: _follow(app))
        _state.listening = True
    _state.theme = theme
    scheme = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}.get(theme, Qt.ColorScheme.Unknown)
    hints.setColorScheme(scheme)  # native title bars and web views; does nothing on some platforms
    _dress(app, scheme is Qt.ColorScheme.Dark or (theme == "system" and hints.colorScheme() is Qt.ColorScheme.Dark))


def _follow(app: QApplication) -> None:
    if _state.theme == "system":
        _dress(app, app.styleHints().colorScheme() is Qt.ColorScheme.Dark)


def _dress(app: QApplication, dark: bool) -> None:
    _state.dark = dark
    if app.style().name() != "fusion":
        app.setStyle("Fusion")
    app.setPalette(_qt_palette())
    app.setStyleSheet(_style_sheet())
    themed.changed.emit()


def _style_sheet() -> str:
    colours = _state.palette(_state.dark).colours
    rules = resource("palettes", "window.qss").read_text(encoding="utf-8")
    coloured = re.sub(r"@(\w+)", lambda match: colours[match[1]], rules)
    coloured = re.sub(r"font-size: (\d+)px", lambda match: f"font-size: {scaled(int(match[1]))}px", coloured)
    return coloured.replace("$icons", resource("icons").as_posix())


def _qt_palette() -> QPalette:
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    names = {
        role.Window: "window", role.WindowText: "text", role.Base: "base", role.AlternateBase: "alternate",
        role.Text: "text", role.Button: "raised", role.ButtonText: "text", role.BrightText: "bad",
        role.ToolTipBase: "raised", role.ToolTipText: "text", role.Highlight: "selection",
        role.HighlightedText: "on_selection", role.Link: "link", role.LinkVisited: "link",
        role.PlaceholderText: "muted", role.Light: "raised", role.Midlight: "hover", role.Mid: "line_strong",
        role.Dark: "line_strong", role.Shadow: "line_strong", role.Accent: "accent",
    }  # fmt: skip
    palette = QPalette()
    for key, name in names.items():
        palette.setColor(key, colour(name))
    for key in (role.WindowText, role.Text, role.ButtonText, role.PlaceholderText):
        palette.setColor(group.Disabled, key, colour("disabled"))
    return palette
