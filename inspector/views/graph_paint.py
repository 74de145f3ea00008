"""Paints a scene: the one painter behind the window's tiles, the pictures that are saved, and paper.

Three levels of detail by zoom. From READABLE on: rounded boxes with two lines of text, arrows, shapes beside the lines.
From PLAIN on: coloured rectangles with their title where it can still be read. Below: coloured rectangles only, drawn
in one call for each category. Paths and cut-off texts are made once for each scene.
"""

from __future__ import annotations

from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF

from inspector.engines.layout.scene import Box
from inspector.viewmodels.graph_scene import Area, Ints, Scene
from inspector.views.graph_colours import tint
from inspector.views.graph_labels import LinkLabels
from inspector.views.graph_style import Style, mixed

READABLE, TITLED, PLAIN = 0.5, 0.3, 0.1
"""Zooms from which text, titles, outlines are worth painting."""
RADIUS, BEND, ARROW = 6.0, 6.0, 6.5
STRIP = 4.0
LABEL_ZOOM = 0.75
MARGIN = 24.0
"""What may stick out of a box: plates of repeats, borders, arrow heads."""
VISIBLE = 3.0
"""Pixels that a frame or a link must have to be painted from far away."""
LINKS_FAR = 1500
"""Links of one picture beyond which, far away, only every n-th is drawn: more would be a grey area all the same."""
REMEMBERED = 20_000
"""Paths that are kept: about a kilobyte each."""
CROWD = 4000
"""Boxes of one picture beyond which, far away, they are set as pixels."""
PILLS = frozenset({"input", "output", "stub"})
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
CENTRE = Qt.AlignmentFlag.AlignCenter


class GraphPainter:
    """Paints parts of one scene in one style."""

    def __init__(self, scene: Scene, style: Style) -> None:
        self.scene, self.style = scene, style
        self._paths: dict[int, QPainterPath] = {}
        self._arrows: dict[int, QPolygonF] = {}
        self._texts: dict[int, tuple[str, str]] = {}
        self._title, self._body = style.title_metrics(), style.body_metrics()
        self._labels = LinkLabels(scene, self._body, self.path)

    def paint(self, painter: QPainter, area: Area, zoom: float) -> None:
        """Paint what touches an area of the scene; the painter is already scaled and moved to scene coordinates."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, zoom >= PLAIN)
        if len(self._paths) > REMEMBERED:
            self._paths.clear()
            self._arrows.clear()
        scene = self.scene
        wide = (area[0] - MARGIN, area[1] - MARGIN, area[2] + 2 * MARGIN, area[3] + 2 * MARGIN)
        shown, links = scene.boxes_in(wide), scene.links_in(wide)
        frames, boxes = shown[scene.frames[shown]], shown[~scene.frames[shown]]
        if zoom < PLAIN:
            frames = frames[(scene.rects[frames, 2:] * zoom).max(axis=1, initial=0) >= VISIBLE]
            links = links[scene.lengths[links] * zoom >= VISIBLE]
            links = links[:: max(1, -(-len(links) // LINKS_FAR))]
        for i in frames.tolist():
            self._frame(painter, i, zoom)
        self._links(painter, links.tolist(), zoom)
        if zoom >= LABEL_ZOOM:
            painter.setFont(self.style.body)
            painter.setPen(self.style.muted)
            for place, text in self._labels.touching(area):
                painter.drawText(place, text)
        if zoom < PLAIN and len(boxes) > CROWD:
            self._dust(painter, boxes, area, zoom)
        elif zoom < TITLED:
            self._far(painter, boxes.tolist(), zoom)
        else:
            for i in frames.tolist():
                self._header(painter, i, zoom)
            for i in boxes.tolist():
                self._box(painter, i, zoom)

    def _frame(self, painter: QPainter, i: int, zoom: float) -> None:
        style = self.style
        rect = QRectF(*self.scene.area(i))
        painter.setBrush(style.frame(self.scene.depths[i]))
        painter.setPen(_cosmetic(QPen(style.line, 1.0)))
        if zoom < TITLED:
            painter.drawRect(rect)
            return
        painter.drawRoundedRect(rect, RADIUS + 2, RADIUS + 2)

    def _header(self, painter: QPainter, i: int, zoom: float) -> None:
        """The title of an open module, over the links that run in from above."""
        box, style = self.scene.boxes[i], self.style
        x, y, width, _ = self.scene.area(i)
        title, text = self._words(i, box, width - 48)
        text = text if zoom >= READABLE else ""
        first = self._title.horizontalAdvance(title)
        second = self._body.horizontalAdvance(text) + 8 if text else 0.0
        ground = style.frame(self.scene.depths[i])
        painter.fillRect(QRectF(x + 6, y + 6, min(width - 12, 22 + first + second + 4), 18), ground)
        _minus(painter, QPointF(x + 14, y + 15), tint(self.scene, style, box).solid)
        painter.setFont(style.title)
        painter.setPen(style.text)
        painter.drawText(QRectF(x + 24, y + 4, first + 4, 22), LEFT, title)
        painter.setFont(style.body)
        painter.setPen(style.muted)
        painter.drawText(QRectF(x + 32 + first, y + 4, second, 22), LEFT, text)

    def _links(self, painter: QPainter, links: list[int], zoom: float) -> None:
        pen = QPen(self.style.edge, 1.2 if zoom >= PLAIN else 0.0)
        if zoom < PLAIN:
            pen = _cosmetic(QPen(mixed(self.style.edge, self.style.ground, 0.6), 1.0))
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for i in links:
            painter.drawPath(self.path(i))
        if zoom < TITLED:
            return
        painter.setBrush(self.style.edge)
        painter.setPen(Qt.PenStyle.NoPen)
        for i in links:
            painter.drawPolygon(self.arrow(i))

    def _far(self, painter: QPainter, boxes: list[int], zoom: float) -> None:
        groups: dict[int, list[QRectF]] = {}
        rects = self.scene.rects[boxes]
        rects = np.concatenate([rects[:, :2], np.maximum(rects[:, 2:], 1.0 / zoom)], axis=1)
        for colour, rect in zip(self._colours[boxes].tolist(), rects.tolist(), strict=True):
            groups.setdefault(colour, []).append(QRectF(*rect))
        painter.setPen(Qt.PenStyle.NoPen)
        for colour, group in groups.items():
            painter.setBrush(QColor(colour))
            painter.drawRects(group)

    def _dust(self, painter: QPainter, boxes: Ints, area: Area, zoom: float) -> None:
        """Very many boxes of a few pixels each, set in an image at once."""
        width, height = max(1, round(area[2] * zoom)), max(1, round(area[3] * zoom))
        image = np.zeros((height, width), np.uint32)
        rects = self.scene.rects[boxes]
        left = ((rects[:, 0] - area[0]) * zoom).astype(np.int64)
        top = ((rects[:, 1] - area[1]) * zoom).astype(np.int64)
        across = np.maximum(1, np.round(rects[:, 2] * zoom)).astype(np.int64)
        down = np.maximum(1, np.round(rects[:, 3] * zoom)).astype(np.int64)
        colours = self._colours[boxes]
        for dy in range(int(down.max())):
            for dx in range(int(across.max())):
                x, y = left + dx, top + dy
                inside = (dx < across) & (dy < down) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
                image[y[inside], x[inside]] = colours[inside]
        picture = QImage(image.tobytes(), width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
        painter.drawImage(QRectF(*area), picture)

    @cached_property
    def _colours(self) -> NDArray[np.uint32]:
        """The colour of each box from far away."""
        return np.array([self._far_colour(box).rgb() for box in self.scene.boxes], np.uint32)

    def _far_colour(self, box: Box) -> QColor:
        return self.style.accent if box.kind in PILLS else tint(self.scene, self.style, box).far

    def _box(self, painter: QPainter, i: int, zoom: float) -> None:
        box = self.scene.boxes[i]
        rect = QRectF(*self.scene.area(i))
        if box.kind in PILLS:
            self._pill(painter, i, box, rect, zoom)
            return
        tones = tint(self.scene, self.style, box)
        pen = QPen(tones.border, 1.0)
        painter.setPen(pen)
        painter.setBrush(tones.fill)
        if box.kind == "repeat":
            for shift in (6.0, 3.0):
                painter.drawRoundedRect(rect.translated(shift, shift), RADIUS, RADIUS)
        painter.drawRoundedRect(rect, RADIUS, RADIUS)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tones.solid)
        painter.drawRoundedRect(QRectF(rect.x() + 3, rect.y() + 5, STRIP - 1, rect.height() - 10), 1.5, 1.5)
        inner = rect.adjusted(12, 0, -8, 0)
        if box.kind in ("module", "repeat"):
            _plus(painter, QPointF(rect.right() - 14, rect.center().y()), tones.solid)
            inner.adjust(0, 0, -16, 0)
        self._two_lines(painter, i, box, inner, zoom)

    def _two_lines(self, painter: QPainter, i: int, box: Box, inner: QRectF, zoom: float) -> None:
        title, text = self._words(i, box, inner.width())
        style = self.style
        painter.setFont(style.title)
        painter.setPen(style.text)
        if not text:
            painter.drawText(inner, LEFT, title)
            return
        middle = inner.center().y()
        painter.drawText(QRectF(inner.x(), middle - 17, inner.width(), 18), LEFT, title)
        if zoom >= READABLE:
            painter.setFont(style.body)
            painter.setPen(style.muted if box.measure is None else style.text)  # grey is lost on a strong colour
            painter.drawText(QRectF(inner.x(), middle + 1, inner.width(), 15), LEFT, text)

    def _pill(self, painter: QPainter, i: int, box: Box, rect: QRectF, zoom: float) -> None:
        style = self.style
        stub = box.kind == "stub"
        pen = QPen(style.edge if stub else style.accent, 1.0)
        if stub:
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(style.ground if stub else style.soft)
        painter.drawRoundedRect(rect, min(rect.height() / 2, 14), min(rect.height() / 2, 14))
        if stub:
            title, text = self._body.elidedText(box.title, Qt.TextElideMode.ElideMiddle, rect.width() - 10), ""
        else:
            title, text = self._words(i, box, rect.width() - 16)
        painter.setFont(style.body if stub else style.title)
        painter.setPen(style.muted if stub else style.text)
        if not text:
            painter.drawText(rect, CENTRE, title)
            return
        middle = rect.center().y()
        painter.drawText(QRectF(rect.x(), middle - 17, rect.width(), 18), CENTRE, title)
        if zoom >= READABLE:
            painter.setFont(style.body)
            painter.setPen(style.muted)
            painter.drawText(QRectF(rect.x(), middle + 1, rect.width(), 15), CENTRE, text)

    def _words(self, i: int, box: Box, room: float) -> tuple[str, str]:
        """Title and text, cut to the room."""
        if i not in self._texts:
            middle = Qt.TextElideMode.ElideMiddle
            title = self._title.elidedText(box.title, middle, room)
            if box.open:
                room -= self._title.horizontalAdvance(title)
            self._texts[i] = title, self._body.elidedText(box.text, middle, room)
        return self._texts[i]

    def path(self, link: int) -> QPainterPath:
        """A link's polyline with rounded bends, ending where its arrow begins."""
        if link not in self._paths:
            points = cast("list[list[float]]", self.scene.route(link).tolist())
            tail, tip = points[-2], points[-1]
            dx, dy = tip[0] - tail[0], tip[1] - tail[1]
            length = max(1e-6, (dx * dx + dy * dy) ** 0.5)
            back = min(ARROW * 0.8, length)
            points[-1] = [tip[0] - dx / length * back, tip[1] - dy / length * back]
            self._paths[link] = _rounded(points)
        return self._paths[link]

    def arrow(self, link: int) -> QPolygonF:
        """The head of a link's arrow."""
        if link not in self._arrows:
            (x0, y0), (x, y) = self.scene.route(link)[-2:].tolist()
            dx, dy = x - x0, y - y0
            length = max(1e-6, (dx * dx + dy * dy) ** 0.5)
            ux, uy = dx / length * ARROW, dy / length * ARROW
            self._arrows[link] = QPolygonF(
                [
                    QPointF(x, y),
                    QPointF(x - ux - uy * 0.5, y - uy + ux * 0.5),
                    QPointF(x - ux + uy * 0.5, y - uy - ux * 0.5),
                ]
            )
        return self._arrows[link]

    def highlight(self, painter: QPainter, box: int, zoom: float, *, strong: bool) -> None:
        """Mark a box, and where it is selected its links: painted over the tiles."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        colour = self.style.accent
        scale = 1.0 / max(zoom, 0.05)
        rect = QRectF(*self.scene.area(box))
        radius = RADIUS + 1
        if strong:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for i in [*self.scene.outgoing(box)[:500], *self.scene.incoming(box)[:500]]:
                painter.setPen(QPen(colour, max(1.8, 1.4 * scale)))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawPath(self.path(i))
                if zoom >= TITLED:
                    painter.setPen(Qt.PenStyle.NoPen)
                    painter.setBrush(colour)
                    painter.drawPolygon(self.arrow(i))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, max(2.2, 2.0 * scale) if strong else max(1.4, 1.2 * scale)))
        painter.drawRoundedRect(rect.adjusted(-1.5, -1.5, 1.5, 1.5), radius, radius)

    def mark(self, painter: QPainter, box: int, zoom: float) -> None:
        """Mark a box as found by the search."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self.style.mark, max(2.0, 2.0 / max(zoom, 0.05))))
        rect = QRectF(*self.scene.area(box)).adjusted(-3, -3, 3, 3)
        painter.drawRoundedRect(rect, RADIUS + 3, RADIUS + 3)


def _cosmetic(pen: QPen) -> QPen:
    pen.setCosmetic(True)
    return pen


def _rounded(points: list[list[float]]) -> QPainterPath:
    path = QPainterPath(QPointF(*points[0]))
    for (x0, y0), (x, y), (x2, y2) in zip(points, points[1:], points[2:]):
        before = max(1e-6, ((x - x0) ** 2 + (y - y0) ** 2) ** 0.5)
        after = max(1e-6, ((x2 - x) ** 2 + (y2 - y) ** 2) ** 0.5)
        bend = min(BEND, before / 2, after / 2)
        path.lineTo(x - (x - x0) / before * bend, y - (y - y0) / before * bend)
        path.quadTo(x, y, x + (x2 - x) / after * bend, y + (y2 - y) / after * bend)
    path.lineTo(QPointF(*points[-1]))
    return path


def _plus(painter: QPainter, at: QPointF, colour: QColor) -> None:
    _minus(painter, at, colour)
    painter.drawLine(QPointF(at.x(), at.y() - 4), QPointF(at.x(), at.y() + 4))


def _minus(painter: QPainter, at: QPointF, colour: QColor) -> None:
    painter.setPen(QPen(colour, 1.6))
    painter.drawLine(QPointF(at.x() - 4, at.y()), QPointF(at.x() + 4, at.y()))
