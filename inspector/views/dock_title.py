"""The title of a dock: its name and a way to hide it. Docks that share a place have tabs instead."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

from inspector.views.pieces import label, row, tool

HEIGHT = 36


class DockTitle(QWidget):
    """Can be dragged like any title bar."""

    def __init__(self, dock: QDockWidget) -> None:
        super().__init__(dock)
        self._dock = dock
        name = label(dock.windowTitle(), "heading")
        name.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self._close = tool("close", f"Hide {dock.windowTitle()}", dock.close)
        self.setLayout(row(name, 0, self._close, margins=(16, 0, 8, 0)))
        dock.topLevelChanged.connect(lambda _floating: self.refresh())
        dock.dockLocationChanged.connect(lambda _area: self.refresh())
        self._shared = False

    def sizeHint(self) -> QSize:
        """One line, or nothing."""
        return QSize(64, 0 if self._shared else HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """The same."""
        return self.sizeHint()

    def refresh(self, _shown: bool = True) -> None:
        """Stand back where the tabs of the place already say the name."""
        window = self._dock.parentWidget()
        others = window.tabifiedDockWidgets(self._dock) if isinstance(window, QMainWindow) else []
        shared = not self._dock.isFloating() and any(not other.isHidden() for other in others)
        if shared != self._shared:
            self._shared = shared
            self._close.setVisible(not shared)  # Tab must not stop where nothing is seen
            self.setFixedHeight(0 if shared else HEIGHT)
            self.updateGeometry()
