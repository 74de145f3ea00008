"""Small pieces that every page is made of: labels that never read a file as markup, lines, cards, empty panes."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics, QIcon, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from inspector.viewmodels import words
from inspector.views import look

ICON_AND_GAP = QSize(20, 16)
"""An icon of 16 pixels and the gap between it and a button's text."""

UNBROKEN = 24
"""Characters without a space after which a line may be broken all the same."""
BREAK = "\u200b"

L = TypeVar("L", QVBoxLayout, QHBoxLayout)


def label(text: str = "", role: str = "", *, wrap: bool = False, mono: bool = False) -> QLabel:
    """A label of plain text; its role is one of the style sheet: title, heading, caption, figure, badge, error."""
    made = Wrapped(text) if wrap else QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    made.setCursor(Qt.CursorShape.ArrowCursor)
    if role:
        made.setProperty("role", role)
    if mono:
        made.setFont(look.mono_font())
    return made


class Wrapped(QLabel):
    """Lines that are broken where they must be, in names too, which would make a window wider than the screen."""

    def __init__(self, text: str = "") -> None:
        super().__init__(_breakable(text))
        self.setWordWrap(True)

    def setText(self, text: str) -> None:
        """Show another text."""
        super().setText(_breakable(text))

    def text(self) -> str:
        """The text as it was given."""
        return super().text().replace(BREAK, "")


def _breakable(text: str) -> str:
    return re.sub(rf"(\S{{{UNBROKEN}}})(?=\S)", rf"\1{BREAK}", text)


class Elided(QLabel):
    """One line that is cut with an ellipsis where there is no room; the tooltip has it whole."""

    def __init__(self, text: str = "", role: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle) -> None:
        super().__init__(text)
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        if role:
            self.setProperty("role", role)

    def minimumSizeHint(self) -> QSize:
        """It may shrink to a few letters."""
        return QSize(24, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as much as fits."""
        room = self.contentsRect()
        text = QFontMetrics(self.font()).elidedText(self.text(), self._mode, room.width())
        self.setToolTip(words.tip(self.text()) if text != self.text() else "")
        with QPainter(self) as painter:
            painter.setPen(self.palette().color(self.foregroundRole()))
            painter.drawText(room, int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), text)


def line(vertical: bool = False) -> QFrame:
    """A hairline."""
    made = QFrame()
    made.setProperty("role", "line")
    if vertical:
        made.setFixedWidth(1)
    else:
        made.setFixedHeight(1)
    return made


def card(layout: QLayout, margin: int = 16) -> QFrame:
    """A framed surface around a layout."""
    made = QFrame()
    made.setProperty("role", "card")
    layout.setContentsMargins(margin, margin, margin, margin)
    made.setLayout(layout)
    return made


def column(
    *items: QWidget | QLayout | int, spacing: int = 8, margins: tuple[int, int, int, int] | int = 0
) -> QVBoxLayout:
    """Things below each other; a number is a gap, 0 takes the room that is left."""
    return _fill(QVBoxLayout(), items, spacing, margins)


def row(*items: QWidget | QLayout | int, spacing: int = 8, margins: tuple[int, int, int, int] | int = 0) -> QHBoxLayout:
    """Things beside each other; a number is a gap, 0 takes the room that is left."""
    return _fill(QHBoxLayout(), items, spacing, margins)


def _fill(
    layout: L, items: tuple[QWidget | QLayout | int, ...], spacing: int, margins: tuple[int, int, int, int] | int
) -> L:
    layout.setSpacing(spacing)
    around = (margins,) * 4 if isinstance(margins, int) else margins
    layout.setContentsMargins(*around)
    for item in items:
        if isinstance(item, QWidget):
            layout.addWidget(item)
        elif isinstance(item, int):
            layout.addStretch(1) if item == 0 else layout.addSpacing(item)
        else:
            layout.addLayout(item)
    return layout


def button(
    text: str, clicked: Callable[[], object], *, primary: bool = False, quiet: bool = False, icon: str = ""
) -> QPushButton:
    """A push button; at most one on a page is primary."""
    made = QPushButton(text)
    made.setProperty("primary", primary)
    made.setProperty("quiet", quiet)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    if icon:
        made.setIcon(look.icon(icon, "on_accent" if primary else "muted"))
        made.setIconSize(ICON_AND_GAP)
    made.clicked.connect(lambda: clicked())
    return made


def tool(icon: str, tip: str, clicked: Callable[[], object] | None = None) -> QToolButton:
    """A small button with a picture only; what it does is its tooltip and its accessible name."""
    made = QToolButton()
    made.setIcon(look.icon(icon))
    made.setIconSize(QSize(16, 16))
    made.setToolTip(words.tip(tip))
    made.setAccessibleName(tip)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    if clicked is not None:
        made.clicked.connect(lambda: clicked())
    return made


def roomy(box: QAbstractSpinBox) -> None:
    """Let the figure stand as far from the edge as in other fields: padding of the style sheet does not reach it."""
    box.lineEdit().setTextMargins(6, 0, 0, 0)


def bar_alone(tabs: QTabWidget) -> None:
    """Let Tab stop at the bar only; by default the widget around it is a second stop that leads back to the bar."""
    tabs.setFocusProxy(None)  # type: ignore[arg-type]  # allowed by Qt; without it the bar's policy would be set
    tabs.setFocusPolicy(Qt.FocusPolicy.NoFocus)


def chain(*parts: QWidget) -> None:
    """Let Tab go through these parts one after the other, within each as before.

    The ring of all widgets of a window is gone round once, not once for each part: with fifty models open it has
    twenty thousand widgets and the window four hundred parts.
    """
    inside: dict[QWidget, list[tuple[int, QWidget]]] = {}
    begins: dict[QWidget, int] = {}
    for part in parts:
        if part not in begins:
            _go_round(part, set(parts), inside, begins)
    stops: dict[QWidget, None] = {}
    for part in parts:
        found, begin = inside[part], begins[part]
        own = [each for at, each in found if at >= begin] + [each for at, each in found if at < begin]
        for each in own:
            if each.focusPolicy() & Qt.FocusPolicy.TabFocus and not _is_inner(each):
                stops[each] = None
    for before, after in pairwise(stops):
        QWidget.setTabOrder(before, after)


def _is_inner(widget: QWidget) -> bool:
    """Whether it is the line inside a field, which hands the focus on to the field.

    WORKAROUND: asking it for its `focusProxy` makes PySide take the field for its child, so that both belong to nobody
    and the next garbage collection deletes them from the window (`tests/gui/test_options_stay.py` shows it).
    """
    return isinstance(widget, QLineEdit) and isinstance(widget.parentWidget(), QAbstractSpinBox | QComboBox)


def _go_round(
    first: QWidget, parts: set[QWidget], inside: dict[QWidget, list[tuple[int, QWidget]]], begins: dict[QWidget, int]
) -> None:
    """Note for each part of a window what is inside it, by its place in the ring, and where the part itself stands."""
    widget: QWidget | None = first
    at = 0
    while widget is not None and (at == 0 or widget is not first):
        if widget in parts:
            begins[widget] = at
        around: QWidget | None = widget
        while around is not None:
            if around in parts:
                inside.setdefault(around, []).append((at, widget))
            around = None if around.isWindow() else around.parentWidget()
        widget = widget.nextInFocusChain()
        at += 1


def show_share(bar: QProgressBar, share: float | None) -> None:
    """How much is done, 0 … 1; None where nobody knows, which moves."""
    bar.setRange(0, 0 if share is None else 1000)
    bar.setValue(0 if share is None else round(share * 1000))


def grey(widget: QWidget, why: str) -> None:
    """Let a widget be used, or where there is a reason not to, grey it and let its tooltip give the reason."""
    if widget.property("ownTip") is None:
        widget.setProperty("ownTip", widget.toolTip())
    widget.setEnabled(not why)
    widget.setToolTip(words.tip(why) if why else widget.property("ownTip"))


def repolish(widget: QWidget, name: str, value: object) -> None:
    """Set a property that the style sheet looks at."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class Picture(QWidget):
    """An icon at a size of its own, tinted anew at every painting."""

    def __init__(self, icon: QIcon, size: int) -> None:
        super().__init__()
        self._icon = icon
        self.setFixedSize(size, size)

    def show_icon(self, icon: QIcon) -> None:
        """Another icon."""
        self._icon = icon
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the icon."""
        with QPainter(self) as painter:
            self._icon.paint(painter, self.rect())


class EmptyPane(QWidget):
    """What stands where nothing is yet: what will appear here and how to get it."""

    def __init__(self, icon: str, title: str, words: str = "", action: QPushButton | None = None) -> None:
        super().__init__()
        self.title = label(title, "heading", wrap=True)
        self.words = label(words, "caption", wrap=True)
        for text in (self.title, self.words):
            text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.words.setVisible(bool(words))
        picture = row(0, Picture(look.icon(icon, "disabled"), 32), 0)
        inner = column(0, picture, 4, self.title, self.words, spacing=8, margins=24)
        if action is not None:
            inner.addSpacing(8)
            inner.addLayout(row(0, action, 0))
        inner.addStretch(1)
        self.setLayout(inner)

    def say(self, title: str, words: str = "") -> None:
        """Other words."""
        self.title.setText(title)
        self.words.setText(words)
        self.words.setVisible(bool(words))
