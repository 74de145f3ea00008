"""Tiles: squares of a painted scene, kept, so that moving over 50,000 boxes costs the copying of a few pictures.

While the zoom changes, tiles come from a pyramid with steps of √2 and are scaled a little; when it rests, tiles of
exactly this zoom replace them. A frame may spend only its budget on new tiles; where one is missing, what is there of
other zooms stands in for it, so nothing goes blank and nothing jumps.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from math import ceil, floor, log2
from time import perf_counter

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPixmap, QRegion

from inspector.views.graph_camera import Camera
from inspector.views.graph_paint import MARGIN, GraphPainter

SIDE = 256
"""Device pixels of a tile's side; a frame that has to paint one overruns its budget by at most that one."""
KEPT = 256
"""Tiles that are kept: a quarter of a megabyte each."""
STAND_INS = 48
"""Tiles of other zooms that a frame draws at most."""
Key = tuple[float, int, int]


def step(zoom: float) -> float:
    """The nearest zoom of the pyramid."""
    return float(2.0 ** (round(2 * log2(zoom)) / 2))


class Tiles:
    """The tiles of one scene in one style.

    Args:
        graph: Paints the scene.
        ratio: Device pixels of a pixel of the widget.
    """

    def __init__(self, graph: GraphPainter, ratio: float) -> None:
        self.graph, self.ratio = graph, ratio
        self._tiles: OrderedDict[Key, QPixmap | None] = OrderedDict()

    def draw(self, painter: QPainter, camera: Camera, *, moving: bool, budget: float) -> bool:
        """Draw what the camera sees; False where tiles are still missing after the budget (seconds) was spent."""
        zoom = step(camera.zoom) if moving else camera.zoom
        wanted = list(self._wanted(camera, zoom))
        missing = [key for key in wanted if key not in self._tiles]
        end = perf_counter() + budget
        while missing:
            self._paint(missing.pop(0))
            if perf_counter() > end:
                break
        if missing:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            self._stand_in(painter, camera, missing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, zoom != camera.zoom)
        for key in wanted:
            self._show(painter, camera, key)
        self._forget(len(wanted))
        return not missing

    def _wanted(self, camera: Camera, zoom: float) -> Iterator[Key]:
        """Tiles of this zoom that the camera sees, those in the middle first."""
        side = SIDE / self.ratio / zoom
        x, y, width, height = camera.area
        scene = self.graph.scene
        left, right = max(x, -MARGIN), min(x + width, scene.width + MARGIN)
        top, bottom = max(y, -MARGIN), min(y + height, scene.height + MARGIN)
        keys = [
            (zoom, i, j)
            for i in range(floor(left / side), ceil(right / side))
            for j in range(floor(top / side), ceil(bottom / side))
        ]
        middle = (x + width / 2) / side - 0.5, (y + height / 2) / side - 0.5
        yield from sorted(keys, key=lambda key: abs(key[1] - middle[0]) + abs(key[2] - middle[1]))

    def _paint(self, key: Key) -> None:
        zoom, i, j = key
        side = SIDE / self.ratio / zoom
        pixmap = QPixmap(SIDE, SIDE)
        pixmap.fill(self.graph.style.ground)
        with QPainter(pixmap) as painter:
            scale = zoom * self.ratio
            painter.translate(-i * SIDE, -j * SIDE)
            painter.scale(scale, scale)
            self.graph.paint(painter, (i * side, j * side, side, side), zoom)
        self._tiles[key] = pixmap

    def _show(self, painter: QPainter, camera: Camera, key: Key) -> None:
        pixmap = self._tiles.get(key)
        if pixmap is None:
            return
        self._tiles.move_to_end(key)
        painter.drawPixmap(self._target(camera, key), pixmap, QRectF(0, 0, SIDE, SIDE))

    def _stand_in(self, painter: QPainter, camera: Camera, missing: list[Key]) -> None:
        """Draw what there is of other zooms where tiles are missing, the most alike last."""
        zoom = missing[0][0]
        x, y, width, height = camera.area
        seen = [
            key
            for key in self._tiles
            if key[0] != zoom and 0.2 < key[0] / zoom < 8 and self._touches(key, x, y, x + width, y + height)
        ]
        holes = QRegion()
        for key in missing:
            holes += self._target(camera, key).toAlignedRect()
        painter.setClipRegion(holes)
        for key in sorted(seen, key=lambda key: -abs(log2(key[0] / zoom)))[-STAND_INS:]:
            self._show(painter, camera, key)
        painter.setClipping(False)

    def _target(self, camera: Camera, key: Key) -> QRectF:
        zoom, i, j = key
        side = SIDE / self.ratio / zoom
        x, y = camera.to_view(i * side, j * side)
        if zoom == camera.zoom:
            x, y = round(x * self.ratio) / self.ratio, round(y * self.ratio) / self.ratio
        return QRectF(x, y, side * camera.zoom, side * camera.zoom)

    def _touches(self, key: Key, left: float, top: float, right: float, bottom: float) -> bool:
        side = SIDE / self.ratio / key[0]
        return (
            key[1] * side < right
            and (key[1] + 1) * side > left
            and key[2] * side < bottom
            and (key[2] + 1) * side > top
        )

    def _forget(self, needed: int) -> None:
        while len(self._tiles) > max(KEPT, 2 * needed):
            self._tiles.popitem(last=False)
