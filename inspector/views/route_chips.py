"""The chain of converters as chips: what it passes through, by which tool, and the other ways there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from inspector.engines.convert.plan import Route
from inspector.viewmodels.convert import title_of
from inspector.views.flow import FlowBox
from inspector.views.pieces import label, tool


class RouteChips(FlowBox):
    """One route, and a menu of the others.

    Args:
        chosen: Called with the number of the route that the user takes.
    """

    def __init__(self, chosen: Callable[[int], object]) -> None:
        super().__init__(gap=4)
        self.setObjectName("convertRoute")
        self._chosen = chosen

    def show_route(self, route: Route | None, routes: Sequence[Route]) -> None:
        """Show this one of these."""
        self.flow.clear()
        self.setAccessibleName(f"Route: {route.words}" if route else "No route")
        if route is None:
            return
        self.flow.addWidget(_chip(title_of(route.formats[0])))
        for edge in route.edges:
            needs = ", ".join(need.package for need in edge.needs)
            step = label(f"─ {edge.tool} →", "caption")
            step.setToolTip(f"{edge.id}: {title_of(edge.source)} to {title_of(edge.target)}\nUses {needs or 'nothing'}")
            self.flow.addWidget(step)
            self.flow.tie()
            self.flow.addWidget(_chip(title_of(edge.target)))
        if len(routes) > 1:
            self.flow.addWidget(self._menu(route, routes))

    def _menu(self, route: Route, routes: Sequence[Route]) -> QWidget:
        made = tool("chevron-down", f"{len(routes)} ways there; take another one")
        made.setPopupMode(made.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(made)
        menu.setToolTipsVisible(True)
        group = QActionGroup(menu)
        for number, way in enumerate(routes):
            chain = " → ".join(f"{edge.tool}" for edge in way.edges)
            action = QAction(f"{chain}  ({title_of(way.formats[-1])})", menu, checkable=True, checked=way is route)
            action.setToolTip(way.why)
            action.triggered.connect(lambda _=False, number=number: self._chosen(number))
            group.addAction(action)
            menu.addAction(action)
        made.setMenu(menu)
        return made


def _chip(text: str) -> QWidget:
    return label(text, "badge")
