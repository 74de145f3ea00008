"""Deleting objects in the thread of the jobs without stopping the window for ever.

A QObject that dies tells everyone whom it listened to, and holds one of Qt's locks meanwhile. Where such a sender was
made in Python, telling it wants Python's lock; deleting is done by the event loop, which does not have it. The window's
thread may well hold Python's lock and want Qt's (showing a widget emits signals on the way): then both wait for ever.
So what dies here is cut off first, which Qt does with its own lock released.

WORKAROUND: https://bugreports.qt.io/browse/PYSIDE-803 and its kin; `tests/worker/test_discard.py` shows it.
"""

from __future__ import annotations

from PySide6.QtCore import QObject


def discard(thing: QObject) -> None:
    """Delete an object and its children at the next turn of this thread's event loop; call it in that thread."""
    family = [thing, *thing.findChildren(QObject)]
    for sender in family:
        for receiver in family:
            if sender is not receiver:
                QObject.disconnect(sender, None, receiver, None)  # type: ignore[call-overload]  # None: everything
    thing.deleteLater()
