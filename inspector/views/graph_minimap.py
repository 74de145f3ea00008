"""The map in the corner of a graph: the whole picture, small, and a frame around what is seen."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap

from inspector.views.graph_camera import Camera
from inspector.views.graph_paint import GraphPainter

LONGEST, SHORTEST, EDGE, INSET = 168.0, 28.0, 12.0, 6.0


class Minimap:
    """Painted over the graph; knows where it lies and what a click on it means."""

    def __init__(self, graph: GraphPainter, ratio: float) -> None:
        self._graph, self._ratio = graph, ratio
        scene = graph.scene
        scale = LONGEST / max(scene.width, scene.height)
        self.size = (max(SHORTEST, scene.width * scale), max(SHORTEST, scene.height * scale))
        self._picture: QPixmap | None = None

    def place(self, camera: Camera) -> QRectF:
        """Where it lies in the widget."""
        width, height = self.size[0] + 2 * INSET, self.size[1] + 2 * INSET
        return QRectF(camera.width - width - EDGE, camera.height - height - EDGE, width, height)

    def shown(self, camera: Camera) -> bool:
        """Whether it is needed and there is room for it."""
        return not camera.shows_all(self._graph.scene) and min(camera.width, camera.height) > 2 * LONGEST

    def draw(self, painter: QPainter, camera: Camera) -> None:
        """Paint it."""
        style, place = self._graph.style, self.place(camera)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        ground = QColor(style.raised)
        ground.setAlpha(235)
        painter.setBrush(ground)
        painter.setPen(QPen(style.line, 1.0))
        painter.drawRoundedRect(place.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        inner = place.adjusted(INSET, INSET, -INSET, -INSET)
        painter.drawPixmap(inner, self.picture(), QRectF(self.picture().rect()))
        painter.setClipRect(place.adjusted(2, 2, -2, -2))
        sx, sy = self._scales()
        x, y, width, height = camera.area
        seen = QRectF(inner.x() + x * sx, inner.y() + y * sy, max(4.0, width * sx), max(4.0, height * sy))
        wash = QColor(style.accent)
        wash.setAlpha(36)
        painter.setBrush(wash)
        painter.setPen(QPen(style.accent, 1.4))
        painter.drawRoundedRect(seen, 2, 2)
        painter.setClipping(False)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def scene_point(self, camera: Camera, at: QPointF) -> tuple[float, float]:
        """The scene point that a click on the map means."""
        place = self.place(camera)
        sx, sy = self._scales()
        return (at.x() - place.x() - INSET) / sx, (at.y() - place.y() - INSET) / sy

    def picture(self) -> QPixmap:
        """The whole scene, painted once."""
        if self._picture is None:
            scene = self._graph.scene
            sx, sy = self._scales()
            self._picture = QPixmap(round(self.size[0] * self._ratio), round(self.size[1] * self._ratio))
            self._picture.fill(Qt.GlobalColor.transparent)
            with QPainter(self._picture) as painter:
                painter.scale(sx * self._ratio, sy * self._ratio)
                self._graph.paint(painter, (0.0, 0.0, scene.width, scene.height), min(sx, sy, 0.09))
        return self._picture

    def _scales(self) -> tuple[float, float]:
        scene = self._graph.scene
        return self.size[0] / scene.width, self.size[1] / scene.height
