"""The docks: modules on the left, node and tensor on the right, jobs at the bottom. They follow the tab in front."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import QByteArray, QObject, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QTabWidget, QWidget

from inspector.viewmodels.details import DetailsModel
from inspector.viewmodels.document import DocumentModel
from inspector.viewmodels.jobs import JobsModel
from inspector.viewmodels.tensor import TensorModel
from inspector.views.dock_title import DockTitle
from inspector.views.jobs_dock import JobList
from inspector.views.module_tree import ModuleTreeView
from inspector.views.node_panel import NodePanel
from inspector.views.tensor_panel import TensorPanel

AREA = Qt.DockWidgetArea
LEFT, RIGHT = 224, 272
"""Widths of the sides until the user chooses."""
TITLES = {"modules": "Modules", "node": "Node", "tensor": "Tensor", "jobs": "Jobs"}
AREAS = {
    "modules": AREA.LeftDockWidgetArea,
    "node": AREA.RightDockWidgetArea,
    "tensor": AREA.RightDockWidgetArea,
    "jobs": AREA.BottomDockWidgetArea,
}


class Docks(QObject):
    """The docks of one window; they are there while a tab is open."""

    def __init__(self, window: QMainWindow, jobs: JobsModel) -> None:
        super().__init__(window)
        self._window = window
        self.modules = ModuleTreeView()
        self.node = NodePanel()
        self.tensor = TensorPanel()
        self.jobs = JobList(jobs)
        self._models: dict[DocumentModel, tuple[DetailsModel, TensorModel]] = {}
        self._document: DocumentModel | None = None
        contents: dict[str, QWidget] = {
            "modules": self.modules, "node": self.node, "tensor": self.tensor, "jobs": self.jobs
        }  # fmt: skip
        window.setTabPosition(AREA.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        window.setCorner(Qt.Corner.BottomLeftCorner, AREA.LeftDockWidgetArea)
        window.setCorner(Qt.Corner.BottomRightCorner, AREA.RightDockWidgetArea)
        self.docks = {key: self._dock(key, content) for key, content in contents.items()}
        window.tabifyDockWidget(self.docks["node"], self.docks["tensor"])
        self.docks["node"].raise_()
        for bar in window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            bar.setAccessibleName("Panels")
        titles = [dock.titleBarWidget() for dock in self.docks.values()]
        for dock in self.docks.values():
            for title in titles:
                dock.visibilityChanged.connect(cast("DockTitle", title).refresh)
        self.docks["jobs"].hide()
        self._shown = {key: key != "jobs" for key in TITLES}
        self._sized = False

    def _dock(self, key: str, content: QWidget) -> QDockWidget:
        dock = QDockWidget(TITLES[key], self._window)
        dock.setObjectName(f"{key}Dock")
        dock.setWidget(content)
        dock.setTitleBarWidget(DockTitle(dock))
        self._window.addDockWidget(AREAS[key], dock)
        return dock

    # Which are shown

    def restore(self, state: str) -> None:
        """Put them where they were, from base64; at the very first time, where they should be."""
        if state:
            self._sized = self._window.restoreState(QByteArray.fromBase64(state.encode()))
        QTimer.singleShot(0, self, self._first_sizes)
        for dock in self.docks.values():
            cast("DockTitle", dock.titleBarWidget()).refresh()

    def _first_sizes(self) -> None:
        if self._sized or not self.is_shown("modules"):
            return  # what is hidden has no width: later, when it is shown
        self._sized = True
        sides = [self.docks["modules"], self.docks["node"]]
        self._window.resizeDocks(sides, [LEFT, RIGHT], Qt.Orientation.Horizontal)

    def state(self) -> str:
        """Where they are, as base64."""
        return bytes(self._window.saveState().toBase64().data()).decode()

    def is_shown(self, key: str) -> bool:
        """Whether a dock is there, perhaps behind another."""
        return not self.docks[key].isHidden()

    def toggle(self, key: str) -> None:
        """Show a dock, or hide it when it is in front."""
        if self.is_shown(key) and not self.docks[key].visibleRegion().isEmpty():
            self.docks[key].hide()
        else:
            self.bring(key)

    def bring(self, key: str) -> None:
        """Show a dock and bring it before those it shares its place with."""
        self.docks[key].show()
        self.docks[key].raise_()

    def hide_all(self) -> None:
        """No tab is open: nothing for them to show."""
        self._shown = {key: self.is_shown(key) for key in TITLES}
        for dock in self.docks.values():
            dock.hide()

    def show_again(self) -> None:
        """A tab is open again: show those that were shown."""
        for key, shown in self._shown.items():
            self.docks[key].setVisible(shown)
        QTimer.singleShot(0, self, self._first_sizes)

    # Whose content they show

    def add(self, document: DocumentModel) -> None:
        """A document was opened; its panels' models live as long as it."""
        details, tensor = DetailsModel(document, document), TensorModel(document, document)
        self._models[document] = (details, tensor)
        self.tensor.hear(tensor)
        document.selection.tensor_changed.connect(lambda name: self._on_tensor(document, name))

    def remove(self, document: DocumentModel) -> None:
        """A document was closed."""
        if self._document is document:
            self.follow(None)
        self._models.pop(document, None)

    def follow(self, document: DocumentModel | None) -> None:
        """Show the content of another document."""
        self._document = document
        details, tensor = self._models[document] if document is not None else (None, None)
        self.modules.set_document(document)
        self.node.set_model(details)
        self.tensor.set_model(tensor)

    def _on_tensor(self, document: DocumentModel, name: str) -> None:
        if document is self._document and name:
            self.bring("tensor")
