"""A placed graph, ready to be painted and pointed at: columns of numbers with an index. No Qt, no colours.

Layered pictures are long: what lies in a rectangle is found by sorting once along the longer axis and cutting out the
slice that can reach into it, which beats a grid here and needs no cell size. The few things longer than LONG (frames of
open modules, skip connections) are kept apart and compared one by one, all at once in numpy.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inspector.engines.layout.scene import Box, Folded, Link, Placed

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Area = tuple[float, float, float, float]
"""x, y, width, height."""

LONG = 1500.0


class Extents:
    """Bounding rectangles (left, top, right, bottom) that can be asked what touches an area."""

    def __init__(self, bounds: Floats) -> None:
        self._bounds = bounds
        size = bounds[:, 2:].max(axis=0, initial=0) - bounds[:, :2].min(axis=0, initial=0) if len(bounds) else (0, 1)
        self._axis = 0 if size[0] > size[1] else 1
        low, high = bounds[:, self._axis], bounds[:, self._axis + 2]
        is_long = high - low > LONG
        self._long: Ints = np.flatnonzero(is_long)
        short: Ints = np.flatnonzero(~is_long)
        self._short: Ints = short[np.argsort(low[short], kind="stable")]
        self._starts = low[self._short]

    def touching(self, area: Area) -> Ints:
        """Numbers of those that touch the area, in their own order."""
        x, y, width, height = area
        low = area[self._axis]
        high = low + area[self._axis + 2]
        first = int(np.searchsorted(self._starts, low - LONG))
        last = int(np.searchsorted(self._starts, high, side="right"))
        near = np.concatenate([self._long, self._short[first:last]])
        b = self._bounds[near]
        hit = (b[:, 0] <= x + width) & (b[:, 2] >= x) & (b[:, 1] <= y + height) & (b[:, 3] >= y)
        found: Ints = np.sort(near[hit])
        return found


class Scene:
    """What is on view.

    Args:
        folded: Boxes and links.
        placed: Where they are.

    Raises:
        ValueError: The two do not belong together.
    """

    def __init__(self, folded: Folded, placed: Placed) -> None:
        self.graph, self.nodes, self.colour = folded.graph, folded.nodes, folded.colour
        self.boxes: tuple[Box, ...] = folded.boxes
        self.links: tuple[Link, ...] = folded.links
        self.width, self.height = max(1.0, placed.width), max(1.0, placed.height)
        self.engine, self.seconds = placed.engine, placed.seconds
        self.rects: Floats = np.frombuffer(placed.rects, "<f4").reshape(-1, 4)
        self.points: Floats = np.frombuffer(placed.points, "<f4").reshape(-1, 2)
        self.starts: NDArray[np.int32] = np.frombuffer(placed.starts, "<i4")
        self._check()
        self.frames = np.array([box.open for box in self.boxes], bool)

    def _check(self) -> None:
        """Everything here comes from processes that read untrusted files."""
        count, sizes = len(self.boxes), np.diff(self.starts)
        if len(self.rects) != count or len(self.starts) != len(self.links) + 1:
            raise ValueError("The picture does not fit its graph.")
        if self.starts[0] != 0 or self.starts[-1] != len(self.points) or (sizes < 2).any():
            raise ValueError("The routes of the picture do not fit together.")
        if any(box.parent >= i for i, box in enumerate(self.boxes)):
            raise ValueError("A box lies in one that comes later.")
        if any(not (0 <= link.source < count and 0 <= link.target < count) for link in self.links):
            raise ValueError("A link leads to a box that is not there.")
        if not (np.isfinite(self.rects).all() and np.isfinite(self.points).all()):
            raise ValueError("A box has no place.")

    @cached_property
    def index(self) -> dict[str, int]:
        """Boxes by key."""
        return {box.key: i for i, box in enumerate(self.boxes)}

    @cached_property
    def _box_extents(self) -> Extents:
        return Extents(np.concatenate([self.rects[:, :2], self.rects[:, :2] + self.rects[:, 2:]], axis=1))

    @cached_property
    def _link_bounds(self) -> Floats:
        if not len(self.links):
            return np.empty((0, 4), np.float32)
        at = self.starts[:-1]
        return np.concatenate([np.minimum.reduceat(self.points, at), np.maximum.reduceat(self.points, at)], axis=1)

    @cached_property
    def _link_extents(self) -> Extents:
        return Extents(self._link_bounds)

    @cached_property
    def lengths(self) -> Floats:
        """How long each link is along its longer side."""
        found: Floats = (self._link_bounds[:, 2:] - self._link_bounds[:, :2]).max(axis=1, initial=0)
        return found

    @cached_property
    def _by_box(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Links sorted by source, where each source's begin; the same by target."""
        ends = np.array([(link.source, link.target) for link in self.links], np.int64).reshape(-1, 2)
        numbers = np.arange(len(self.boxes) + 1)
        by_source, by_target = np.argsort(ends[:, 0], kind="stable"), np.argsort(ends[:, 1], kind="stable")
        return (
            by_source,
            np.searchsorted(ends[by_source, 0], numbers),
            by_target,
            np.searchsorted(ends[by_target, 1], numbers),
        )

    def outgoing(self, box: int) -> list[int]:
        """Links that leave a box."""
        order, starts, _, _ = self._by_box
        return [int(i) for i in order[starts[box] : starts[box + 1]]]

    def incoming(self, box: int) -> list[int]:
        """Links that end at a box."""
        _, _, order, starts = self._by_box
        return [int(i) for i in order[starts[box] : starts[box + 1]]]

    def boxes_in(self, area: Area) -> Ints:
        """Boxes that touch an area, frames before what they hold."""
        return self._box_extents.touching(area)

    def links_in(self, area: Area) -> Ints:
        """Links whose bounds touch an area."""
        return self._link_extents.touching(area)

    def at(self, x: float, y: float) -> int:
        """The innermost box at a point; -1 where there is none."""
        found = self.boxes_in((x, y, 0.0, 0.0))
        return int(found[-1]) if len(found) else -1

    def area(self, box: int) -> Area:
        """The rectangle of a box as plain numbers."""
        x, y, width, height = self.rects[box].tolist()
        return x, y, width, height

    def route(self, link: int) -> Floats:
        """The points of a link's polyline."""
        return self.points[self.starts[link] : self.starts[link + 1]]

    def outer(self, box: int) -> Iterator[int]:
        """The open modules around a box, innermost first."""
        box = self.boxes[box].parent
        while box >= 0:
            yield box
            box = self.boxes[box].parent

    @cached_property
    def depths(self) -> list[int]:
        """How many open modules lie around each box."""
        found: list[int] = []
        for box in self.boxes:
            found.append(found[box.parent] + 1 if box.parent >= 0 else 0)
        return found

    @cached_property
    def categories(self) -> list[str]:
        """Categories that are on view, the most frequent first."""
        counts: dict[str, int] = {}
        for box in self.boxes:
            if box.kind in ("node", "module", "repeat") and not box.open:
                counts[box.category] = counts.get(box.category, 0) + 1
        return sorted(counts, key=lambda name: -counts[name])

    @cached_property
    def largest(self) -> float:
        """The largest number that a closed box is coloured by; 0 where there is none."""
        return max((box.measure for box in self.boxes if box.measure is not None and not box.open), default=0.0)

    @cached_property
    def has_unknown(self) -> bool:
        """Whether a node or a module has no number to be coloured by."""
        return any(box.measure is None and box.kind in ("node", "module", "repeat") for box in self.boxes)

    @cached_property
    def tones(self) -> list[str]:
        """Words that boxes are coloured by, the most frequent first."""
        counts: dict[str, int] = {}
        for box in self.boxes:
            if box.tone and not box.open:
                counts[box.tone] = counts.get(box.tone, 0) + 1
        return sorted(counts, key=lambda name: -counts[name])

    def neighbour(self, box: int, direction: str) -> int:
        """Where an arrow key leads: along the links, or to the nearest box beside; the box itself at an end.

        Args:
            box: From where.
            direction: left, right, up or down.
        """
        x, y, width, height = self.area(box)
        centre = (x + width / 2, y + height / 2)
        sign = -1 if direction in ("left", "up") else 1
        axis = 0 if direction in ("left", "right") else 1
        linked = {self.links[i].target for i in self.outgoing(box)} | {self.links[i].source for i in self.incoming(box)}
        best, far = box, float("inf")
        for other in self._candidates(box, linked):
            ox, oy, ow, oh = self.area(other)
            step = ((ox + ow / 2) - centre[0], (oy + oh / 2) - centre[1])
            along, aside = sign * step[axis], abs(step[1 - axis])
            if along <= 4 or (other not in linked and aside > along):
                continue
            cost = along + 2 * aside + (0 if other in linked else 4000)
            if cost < far:
                best, far = other, cost
        return best

    def _candidates(self, box: int, linked: set[int]) -> set[int]:
        x, y, width, height = self.area(box)
        near = self.boxes_in((x - 600, y - 200, width + 1200, height + 400))
        return linked | {int(i) for i in near if i != box and not self.frames[i]}
