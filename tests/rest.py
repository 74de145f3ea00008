"""Waiting until a window has come to rest, however busy the machine is.

A layout tells its parent only in the next turn of events, and that one its own: a fixed number of milliseconds is
enough turns on an idle machine and too few on a busy one, so what is waited for is that nothing moves any more.
"""

from __future__ import annotations

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

TURNS, LONGEST = 10, 100


def places() -> dict[int, tuple[int, int, int, int]]:
    """Where every visible widget lies, in pixels of its parent."""
    return {id(widget): widget.geometry().getRect() for widget in QApplication.allWidgets() if widget.isVisible()}


def rest(qtbot: QtBot, ms: int = 50) -> None:
    """Return when no widget has moved, come or gone for that long; after a hundred times of it, in any case."""
    before: dict[int, tuple[int, int, int, int]] = {}
    for _look in range(LONGEST):
        qtbot.wait(ms)
        for _turn in range(TURNS):
            QApplication.sendPostedEvents()
            QApplication.processEvents()
        if before == (before := places()):
            return
