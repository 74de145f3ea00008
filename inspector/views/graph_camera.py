"""Where the eye is: which part of a scene a widget shows, and how large."""

from __future__ import annotations

from dataclasses import dataclass

from inspector.viewmodels.graph_scene import Area, Scene

LEAST, MOST = 0.002, 4.0
MARGIN = 24.0
THIN = 16.0
"""Pixels across that a whole picture must have to be worth showing whole."""
READING = 0.5
"""A first view smaller than this shows the beginning instead of everything."""


@dataclass(slots=True)
class Camera:
    """A zoom and the scene point in the upper left corner; the offset keeps to whole pixels, so that text is sharp."""

    zoom: float = 1.0
    x: float = 0.0
    y: float = 0.0
    width: float = 100.0
    height: float = 100.0

    @property
    def area(self) -> Area:
        """The part of the scene that is seen."""
        return self.x, self.y, self.width / self.zoom, self.height / self.zoom

    def to_scene(self, x: float, y: float) -> tuple[float, float]:
        """The scene point under a point of the widget."""
        return self.x + x / self.zoom, self.y + y / self.zoom

    def to_view(self, x: float, y: float) -> tuple[float, float]:
        """The point of the widget where a scene point is seen."""
        return (x - self.x) * self.zoom, (y - self.y) * self.zoom

    def put(self, scene: tuple[float, float], view: tuple[float, float]) -> None:
        """Move so that a scene point is seen at a point of the widget."""
        self.x = round(scene[0] * self.zoom - view[0]) / self.zoom
        self.y = round(scene[1] * self.zoom - view[1]) / self.zoom

    def pan(self, dx: float, dy: float) -> None:
        """Move by pixels of the widget."""
        self.put((self.x, self.y), (dx, dy))

    def zoom_at(self, x: float, y: float, zoom: float) -> None:
        """Zoom while the scene point under a point of the widget stays there."""
        kept = self.to_scene(x, y)
        self.zoom = min(MOST, max(LEAST, zoom))
        self.put(kept, (x, y))

    def fit(self, scene: Scene) -> None:
        """Show everything; of a picture that would be a mere line, as much as still looks like something."""
        x, y = self.to_scene(self.width / 2, self.height / 2)
        self.zoom = min(1.0, max(LEAST, self._fitting(scene)))
        least = min(THIN / min(scene.width, scene.height), 0.2)
        if self.zoom >= least:
            self.centre(scene.width / 2, scene.height / 2)
            return
        self.zoom = least
        across = scene.width < scene.height
        self.centre(scene.width / 2 if across else x, y if across else scene.height / 2)

    def begin(self, scene: Scene) -> None:
        """A first view: everything where it can be read, else the beginning across the whole width."""
        if self._fitting(scene) >= READING:
            self.fit(scene)
            return
        down = scene.height >= scene.width
        room, length = (self.width, scene.width) if down else (self.height, scene.height)
        self.zoom = min(1.0, max(READING + 0.1, (room - 2 * MARGIN) / length))
        self.centre(scene.width / 2, scene.height / 2)
        if down:
            self.put((0.0, 0.0), (self.to_view(0.0, 0.0)[0], MARGIN))
        else:
            self.put((0.0, 0.0), (MARGIN, self.to_view(0.0, 0.0)[1]))

    def centre(self, x: float, y: float) -> None:
        """Show a scene point in the middle."""
        self.put((x, y), (self.width / 2, self.height / 2))

    def hold(self, scene: Scene) -> None:
        """Never lose the picture: some of it stays in sight."""
        keep = 60.0
        left, top = self.to_view(0.0, 0.0)
        right, bottom = self.to_view(scene.width, scene.height)
        dx = max(0.0, keep - right) - max(0.0, left - self.width + keep)
        dy = max(0.0, keep - bottom) - max(0.0, top - self.height + keep)
        if dx or dy:
            self.put((self.x, self.y), (dx, dy))

    def shows_all(self, scene: Scene) -> bool:
        """Whether nothing of the scene is out of sight."""
        left, top = self.to_view(0.0, 0.0)
        right, bottom = self.to_view(scene.width, scene.height)
        return left >= 0 and top >= 0 and right <= self.width and bottom <= self.height

    def _fitting(self, scene: Scene) -> float:
        return min((self.width - 2 * MARGIN) / scene.width, (self.height - 2 * MARGIN) / scene.height)
