"""A scene on a widget: camera, tiles, and what is painted over them. How it is steered is `graph.py`'s business.

What is seen comes from tiles; selection, hover, search marks and the map are painted over them, because they change
often. A new scene keeps what was clicked, or what was in the middle, where it was on the screen.
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPoint, QPointF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from inspector.viewmodels.graph_scene import Scene
from inspector.views import look
from inspector.views.graph_camera import Camera
from inspector.views.graph_minimap import Minimap
from inspector.views.graph_paint import GraphPainter
from inspector.views.graph_style import Style
from inspector.views.graph_tiles import Tiles
from inspector.views.graph_words import tooltip

NOTCH = 2.0**0.25
"""Zoom of one notch of a wheel; of a key, twice that."""
BUDGET, FIRST_BUDGET = 0.007, 0.05
"""Seconds that a frame, and the first frame of a scene, may spend on new tiles."""
REST_MS = 140
"""After so long without zooming, tiles of exactly this zoom are painted."""


class GraphSurface(QWidget):
    """Shows a scene."""

    selected = Signal(str)
    """Key of the box that the user selected; empty for none."""
    zoomed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.scene: Scene | None = None
        self.camera = Camera()
        self._style = Style.of(look.is_dark())
        self._tiles: Tiles | None = None
        self._map: Minimap | None = None
        self._selected = self._hovered = -1
        self._marks: list[int] = []
        self._anchor: tuple[str, QPointF] | None = None
        self._touched = self._fresh = False
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self.update)
        look.themed.changed.connect(self._on_themed)

    # What is shown

    def set_scene(self, scene: Scene, *, fit: bool = False) -> None:
        """Show another scene: what was clicked, or what was in the middle, stays where it is on the screen."""
        old, key = self.scene, self.selected_key
        kept = None if fit else self._kept(scene)
        self.scene = scene
        self._selected = scene.index.get(key, -1)
        self._hovered, self._marks, self._anchor = -1, [], None
        self._dress()
        if old is None or kept is None:
            self._touched = False
            self.camera.begin(scene)
        else:
            box, at = kept
            self.camera.put(scene.area(box)[:2], (at.x(), at.y()))
            self.camera.hold(scene)
        self.zoomed.emit(self.camera.zoom)
        self.update()

    def _kept(self, scene: Scene) -> tuple[int, QPointF] | None:
        """A box of the new scene and where its corner is to be seen."""
        if self._anchor is not None and self._anchor[0] in scene.index:
            return scene.index[self._anchor[0]], self._anchor[1]
        if self.scene is None:
            return None
        x, y = self.camera.to_scene(self.camera.width / 2, self.camera.height / 2)
        near = [int(i) for i in self.scene.boxes_in(self.camera.area)]
        near.sort(key=lambda i: _distance(self.scene, i, x, y))
        found = next((i for i in near if self.scene.boxes[i].key in scene.index), None)
        if found is None:
            return None
        at = self.camera.to_view(*self.scene.area(found)[:2])
        return scene.index[self.scene.boxes[found].key], QPointF(*at)

    def _dress(self) -> None:
        if self.scene is not None:
            graph = GraphPainter(self.scene, self._style)
            self._tiles = Tiles(graph, self.devicePixelRatioF())
            self._map = Minimap(graph, self.devicePixelRatioF())
            self._fresh = True

    def _on_themed(self) -> None:
        self._style = Style.of(look.is_dark())
        self._dress()
        self.update()

    @property
    def selected_key(self) -> str:
        """Key of the selected box; empty for none."""
        return self.scene.boxes[self._selected].key if self.scene is not None and self._selected >= 0 else ""

    def select(self, key: str, reveal: bool = True) -> bool:
        """Select a box without saying so; False where it is not on view."""
        if not key or self.scene is None or key not in self.scene.index:
            self._set_selected(-1)
            return not key
        self._set_selected(self.scene.index[key])
        if reveal:
            self._reveal(self._selected)
        return True

    def mark(self, keys: Iterable[str]) -> None:
        """Mark boxes as found."""
        index = self.scene.index if self.scene is not None else {}
        self._marks = [index[key] for key in keys if key in index]
        self.update()

    def _set_selected(self, box: int) -> None:
        if box != self._selected:
            self._selected = box
            words = tooltip(self.scene, box, plain=True) if self.scene is not None and box >= 0 else ""
            self.setAccessibleDescription(words)
            self.update()

    def _choose(self, box: int) -> None:
        """The user selects a box."""
        self._set_selected(box)
        self.selected.emit(self.selected_key)

    def _reveal(self, box: int) -> None:
        """Bring a box into sight, large enough to be read."""
        assert self.scene is not None
        x, y, width, height = self.scene.area(box)
        left, top = self.camera.to_view(x, y)
        right, bottom = self.camera.to_view(x + width, y + height)
        inside = left >= 0 and top >= 0 and right <= self.width() and bottom <= self.height()
        if inside and self.camera.zoom >= 0.35:
            return
        if self.camera.zoom < 0.35:
            self.camera.zoom = 0.8
        if self.scene.boxes[box].open:
            self.camera.put((x, y), (48.0, 48.0))
        else:
            self.camera.centre(x + width / 2, y + height / 2)
        self._moved(zoomed=True)

    # Zoom and place

    def fit(self) -> None:
        """Show everything."""
        if self.scene is not None:
            self.camera.fit(self.scene)
            self._touched = False
            self._moved(zoomed=True)

    def actual_size(self) -> None:
        """Zoom to 100 %."""
        self._zoom_to(1.0, self.rect().center())

    def zoom_in(self) -> None:
        """A step closer."""
        self._zoom_to(self.camera.zoom * NOTCH**2, self.rect().center())

    def zoom_out(self) -> None:
        """A step back."""
        self._zoom_to(self.camera.zoom / NOTCH**2, self.rect().center())

    def _zoom_to(self, zoom: float, at: QPoint | QPointF) -> None:
        if self.scene is not None:
            self._touched = True
            self.camera.zoom_at(float(at.x()), float(at.y()), zoom)
            self._moved(zoomed=True)

    def _pan(self, dx: float, dy: float) -> None:
        self._touched = True
        self.camera.pan(dx, dy)
        self._moved()

    def _moved(self, *, zoomed: bool = False) -> None:
        if self.scene is not None:
            self.camera.hold(self.scene)
        if zoomed:
            self._rest.start()
            self.zoomed.emit(self.camera.zoom)
        self.update()

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tiles, then what changes often."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self._style.ground)
            if self.scene is None or self._tiles is None or self._map is None:
                return
            budget = FIRST_BUDGET if self._fresh else BUDGET
            whole = self._tiles.draw(painter, self.camera, moving=self._rest.isActive(), budget=budget)
            self._fresh = False
            self._overlay(painter, self._tiles.graph)
            if self._map.shown(self.camera):
                self._map.draw(painter, self.camera)
        if not whole:
            QTimer.singleShot(0, self.update)

    def _overlay(self, painter: QPainter, graph: GraphPainter) -> None:
        zoom = self.camera.zoom
        painter.save()
        painter.scale(zoom, zoom)
        painter.translate(-self.camera.x, -self.camera.y)
        for box in self._marks:
            graph.mark(painter, box, zoom)
        if self._hovered >= 0 and self._hovered != self._selected:
            graph.highlight(painter, self._hovered, zoom, strong=False)
        if self._selected >= 0:
            graph.highlight(painter, self._selected, zoom, strong=True)
        painter.restore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what is in the middle there; a view nobody has touched is fitted again."""
        old = self.camera.to_scene(self.camera.width / 2, self.camera.height / 2)
        self.camera.width, self.camera.height = max(1.0, float(self.width())), max(1.0, float(self.height()))
        if self.scene is not None:
            if self._touched:
                self.camera.centre(*old)
            else:
                self.camera.begin(self.scene)
            self._moved(zoomed=True)

    def sizeHint(self) -> QSize:
        """Room for a small graph."""
        return QSize(800, 600)


def _distance(scene: Scene | None, box: int, x: float, y: float) -> float:
    assert scene is not None
    left, top, width, height = scene.area(box)
    return abs(left + width / 2 - x) + abs(top + height / 2 - y) + (1e6 if scene.boxes[box].open else 0.0)
