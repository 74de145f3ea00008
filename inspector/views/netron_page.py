"""The Netron tab: Netron inside the window, or what to do to get it. The web engine is loaded when first shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QStackedLayout, QWidget

from inspector.viewmodels.netron import Alike, NetronModel
from inspector.views import look
from inspector.views.pieces import EmptyPane, button

if TYPE_CHECKING:
    from inspector.views.netron_web import NetronView


class NetronPage(QWidget):
    """One model in Netron.

    Signals:
        rendered: The graph stands on the page.
    """

    rendered = Signal()

    def __init__(self, model: NetronModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("netronPage")
        self.setAccessibleName("Netron")
        self.model = model
        self.view: NetronView | None = None
        self._wanted: tuple[str, ...] = ()
        self._alike: Alike | None = None
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self.pane = self._pane()
        self._stack.addWidget(self.pane)
        look.themed.changed.connect(self._follow_theme)

    @property
    def is_rendered(self) -> bool:
        """Whether the graph stands on the page."""
        return self.view is not None and self.view.is_ready

    def select(self, node_name: str, *others: str, alike: Alike | None = None) -> None:
        """Select a node by its name, by one of the others, or by its type and place; waits until the graph stands."""
        self._wanted, self._alike = tuple(name for name in (node_name, *others) if name), alike
        if self._wanted and self.view is not None and self.view.is_ready:
            self.view.select(self._wanted, alike)

    def load(self) -> None:
        """Start Netron; also for a large graph."""
        if self.view is not None or self.model.missing:
            return
        self.pane.say("Netron is drawing the graph …", self.model.model_file.name)
        from inspector.views.netron_web import NetronView

        self.view = NetronView(self.model, look.is_dark(), look.colour("base").name(), self)
        self.view.rendered.connect(self._on_rendered)
        self.view.failed.connect(self._on_failed)
        # The view must be shown to be drawn, the pane stands over it until it is.
        self._stack.addWidget(self.view)
        self._stack.setStackingMode(QStackedLayout.StackingMode.StackAll)
        self._stack.setCurrentWidget(self.pane)

    def reload(self) -> None:
        """The file has changed: draw it anew, at once or when the page is shown next."""
        if self.view is None:
            return
        self._stack.setStackingMode(QStackedLayout.StackingMode.StackOne)
        self._stack.removeWidget(self.view)
        self.view.deleteLater()
        self.view = None
        self._stack.setCurrentWidget(self.pane)
        if self.isVisible():
            QTimer.singleShot(0, self, self.load)

    def showEvent(self, event: QShowEvent) -> None:
        """Start at the first showing, once the pane has been painted."""
        super().showEvent(event)
        if self.view is None and not self.model.missing and not self.model.warning:
            QTimer.singleShot(0, self, self.load)

    def _pane(self) -> EmptyPane:
        if self.model.missing:
            copy = button("Copy the command", self._copy, primary=True, icon="copy")
            words = f"{self.model.missing}\n\nThe Graph tab shows the model without it."
            return EmptyPane("type-hierarchy", "Netron is not installed", words, copy)
        if self.model.warning:
            start = button("Open in Netron", self.load, primary=True)
            return EmptyPane("type-hierarchy", "A large graph for Netron", self.model.warning, start)
        return EmptyPane("type-hierarchy", "Netron is drawing the graph …", self.model.model_file.name)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.model.install_command)

    def _on_rendered(self) -> None:
        assert self.view is not None
        self._stack.setStackingMode(QStackedLayout.StackingMode.StackOne)
        self._stack.setCurrentWidget(self.view)
        self.rendered.emit()
        if self._wanted:
            self.view.select(self._wanted, self._alike)

    def _on_failed(self, what: str) -> None:
        self._stack.setStackingMode(QStackedLayout.StackingMode.StackOne)
        self._stack.setCurrentWidget(self.pane)
        self.pane.say("Netron could not show this model", f"{what}\nThe Graph tab reads it by itself.")

    def _follow_theme(self) -> None:
        if self.view is not None:
            self.view.set_dark(look.is_dark(), look.colour("base").name())
