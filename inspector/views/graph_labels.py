"""Where shapes are written beside links: only where a link is long and alone enough, and never over something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFontMetricsF, QPainterPath

from inspector.viewmodels.graph_scene import Area, Scene

LONGEST = 220.0
"""Labels longer than this are left to the tip."""
HEIGHT = 13.0
CELL = 256.0
"""Side of the squares in which labels look for their neighbours."""


class LinkLabels:
    """The labels of one scene; each is decided once, when it is first asked for."""

    def __init__(self, scene: Scene, metrics: QFontMetricsF, path: Callable[[int], QPainterPath]) -> None:
        self._scene, self._metrics, self._path = scene, metrics, path
        self._decided: dict[int, tuple[QPointF, str] | None] = {}
        self._taken: dict[tuple[int, int], list[QRectF]] = {}

    def touching(self, area: Area) -> Iterator[tuple[QPointF, str]]:
        """Labels that may touch an area: place of the base line, and text."""
        wide = (area[0] - LONGEST, area[1] - HEIGHT, area[2] + 2 * LONGEST, area[3] + 2 * HEIGHT)
        for i in self._scene.links_in(wide).tolist():
            if i not in self._decided:
                self._decided[i] = self._decide(i)
            found = self._decided[i]
            if found is not None:
                yield found

    def _decide(self, i: int) -> tuple[QPointF, str] | None:
        link, scene = self._scene.links[i], self._scene
        if not link.label or scene.boxes[link.source].kind in ("input", "stub") or len(scene.outgoing(link.source)) > 1:
            return None
        spot = self._spot(i, self._metrics.horizontalAdvance(link.label))
        if spot is None or not self._is_free(i, spot):
            return None
        for cell in _cells(spot):
            self._taken.setdefault(cell, []).append(spot)
        return QPointF(spot.x(), spot.bottom() - 3), link.label

    def _spot(self, i: int, width: float) -> QRectF | None:
        """Beside the first run of a link."""
        (x, y), (x2, y2) = self._scene.route(i)[:2].tolist()
        if width > LONGEST:
            return None
        if abs(x2 - x) < 1 and y2 - y >= 16:
            aside = -5 - width if x + 5 + width > self._scene.width else 5
            return QRectF(x + aside, y + 3, width, HEIGHT)
        if abs(y2 - y) < 1 and x2 - x >= width + 8:
            return QRectF(x + 4, y - 15, width, HEIGHT)
        return None

    def _is_free(self, i: int, spot: QRectF) -> bool:
        scene = self._scene
        area = (spot.x(), spot.y(), spot.width(), spot.height())
        around = list(scene.outer(scene.links[i].source))
        if around and not QRectF(*scene.area(around[0])).contains(spot):
            return False
        if any(k not in around for k in scene.boxes_in(area).tolist()):
            return False
        if any(k != i and self._path(k).intersects(spot) for k in scene.links_in(area).tolist()):
            return False
        return not any(other.intersects(spot) for cell in _cells(spot) for other in self._taken.get(cell, ()))


def _cells(spot: QRectF) -> set[tuple[int, int]]:
    return {(int(x // CELL), int(y // CELL)) for x in (spot.left(), spot.right()) for y in (spot.top(), spot.bottom())}
