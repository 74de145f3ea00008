"""The panes of the window as F6 goes through them: the tabs, the page in front, the strip that converts, the docks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

if TYPE_CHECKING:
    from inspector.app.window import MainWindow


def step(window: MainWindow, by: int) -> None:
    """Give the focus to the next pane (1) or the one before (-1), where it was in it last, else to its beginning."""
    panes = [pane for pane in _panes(window) if _first(pane) is not None]
    if not panes:
        return
    focus = QApplication.focusWidget()
    inside = [pane is focus or (focus is not None and pane.isAncestorOf(focus)) for pane in panes]
    here = inside.index(True) if True in inside else -by
    pane = panes[(here + by) % len(panes)]
    last = pane.focusWidget()
    wanted = last if last is not None and _takes(last) and pane.isAncestorOf(last) else _first(pane)
    if wanted is not None:
        wanted.setFocus(Qt.FocusReason.OtherFocusReason)


def _panes(window: MainWindow) -> Iterator[QWidget]:
    """Those that can be seen, from the top to the bottom and from the left to the right."""
    page = window.page
    if page is None:
        yield window.welcome
        return
    yield window.tabs.tabBar()
    yield page.pages.tabBar()
    content = page.pages.currentWidget()
    yield content if content is not None and content.isVisible() else page
    if page.convert is not None and page.convert.isVisible():
        yield page.convert
    if window.docks is not None:
        for key in ("modules", "node", "tensor", "jobs"):
            dock = window.docks.docks[key]
            if not dock.visibleRegion().isEmpty():
                yield dock.widget()


def _takes(widget: QWidget) -> bool:
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.isEnabled() and widget.isVisible()


def _first(pane: QWidget) -> QWidget | None:
    """Where Tab would come to first in a pane."""
    if _takes(pane):
        return pane
    widget = pane.nextInFocusChain()
    while widget is not None and widget is not pane:
        if pane.isAncestorOf(widget) and _takes(widget):
            return widget
        widget = widget.nextInFocusChain()
    return None
