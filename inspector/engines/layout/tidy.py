"""Tidying a placed graph: boxes go to what feeds them, frames shrink to what they hold, gaps close.

A layered layout centres a small box beside a tall open module and leaves a layer's gap inside every frame. Each step
keeps routes orthogonal and valid: a box only moves along the straight ends of its links, frames only shrink, and gaps
are closed across the whole picture, where nothing but parallel lines runs.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from inspector.engines.layout.scene import Folded

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

TALL = 80.0
"""A box moves when this is gained."""
MOST = 1000
"""Boxes that are looked at for moving: each costs a look at everything else."""
ROOM = 8.0
"""Between a bend and the box that follows it."""
GAP = 30.0
"""The widest empty band that is left."""


def slide_boxes(folded: Folded, rects: Array, routes: list[Array], axis: int) -> None:
    """Move boxes that are far from what feeds them, or stubs far from what they feed, along their straight links.

    Args:
        folded: Boxes and links.
        rects: x, y, width, height of each box; changed in place.
        routes: Points of each link; their ends are moved with the boxes.
        axis: 0 where layers follow each other from left to right, 1 from top to bottom.
    """
    fed: dict[int, list[int]] = defaultdict(list)
    feeds: dict[int, list[int]] = defaultdict(list)
    for k, link in enumerate(folded.links):
        feeds[link.source].append(k)
        fed[link.target].append(k)
    lanes: Lanes | None = None
    order = sorted(range(len(rects)), key=lambda i: float(rects[i, axis]))
    for i in order:
        kind = folded.boxes[i].kind
        if folded.boxes[i].open or (not fed[i] and kind != "stub"):
            continue
        way = _way(i, rects, routes, fed[i], feeds[i], axis)
        if way is None or abs(way) < TALL:
            continue
        lanes = lanes or Lanes(folded, rects, routes, axis)
        lanes.slide(i, way, fed[i], feeds[i])
        if lanes.slid >= MOST:
            break


def _way(i: int, rects: Array, routes: list[Array], fed: list[int], feeds: list[int], axis: int) -> float | None:
    """How far a box may move towards its neighbours, up for negative; None where a link is not straight at its end."""
    top, bottom = rects[i, axis], rects[i, axis] + rects[i, axis + 2]
    limit = -np.inf if fed else np.inf
    for k in fed:
        near, end = routes[k][-2], routes[k][-1]
        if abs(end[1 - axis] - near[1 - axis]) > 0.01 or abs(end[axis] - top) > 0.5 or near[axis] >= end[axis]:
            return None
        limit = max(limit, near[axis] + (GAP if len(routes[k]) == 2 else ROOM))
    for k in feeds:
        end, near = routes[k][0], routes[k][1]
        if abs(end[1 - axis] - near[1 - axis]) > 0.01 or abs(end[axis] - bottom) > 0.5 or near[axis] <= end[axis]:
            return None
        if not fed:
            limit = min(limit, near[axis] - (GAP if len(routes[k]) == 2 else ROOM))
    return float(min(0.0, limit - top) if fed else max(0.0, limit - bottom))


class Lanes:
    """What stands in the way of a sliding box."""

    def __init__(self, folded: Folded, rects: Array, routes: list[Array], axis: int) -> None:
        self._rects, self._routes, self._axis = rects, routes, axis
        self._parents = [box.parent for box in folded.boxes]
        starts = np.concatenate([route[:-1] for route in routes])
        ends = np.concatenate([route[1:] for route in routes])
        self._low, self._high = np.minimum(starts, ends), np.maximum(starts, ends)
        self._owner = np.repeat(np.arange(len(routes)), [len(route) - 1 for route in routes])
        self.slid = 0

    def slide(self, i: int, way: float, fed: list[int], feeds: list[int]) -> None:
        """Move a box as far as the way is free, and the ends of its links with it."""
        axis, across = self._axis, 1 - self._axis
        low, high = self._rects[i, axis], self._rects[i, axis] + self._rects[i, axis + 2]
        left = self._rects[i, across] - ROOM
        right = left + self._rects[i, across + 2] + 2 * ROOM
        first, last = (low + way, low - 1) if way < 0 else (high + 1, high + way)
        rects = self._rects
        others = (
            (rects[:, axis] < last) & (rects[:, axis] + rects[:, axis + 2] > first)
            & (rects[:, across] < right) & (rects[:, across] + rects[:, across + 2] > left)
        )  # fmt: skip
        others[i] = False
        others[self._around(i)] = False
        lines = (
            (self._low[:, axis] < last) & (self._high[:, axis] > first)
            & (self._low[:, across] < right) & (self._high[:, across] > left)
            & ~np.isin(self._owner, fed if way < 0 else feeds)
        )  # fmt: skip
        self.slid += 1
        if others.any() or lines.any():
            return
        parent = self._parents[i]
        if parent >= 0 and way < 0:
            way = max(way, rects[parent, axis] + TALL / 2 - low)
        elif parent >= 0:
            way = min(way, rects[parent, axis] + rects[parent, axis + 2] - TALL / 2 - high)
        if abs(way) < TALL:
            return
        rects[i, axis] += way
        for k, end in [*((k, -1) for k in fed), *((k, 0) for k in feeds)]:
            self._routes[k][end][axis] += way
            segments = np.flatnonzero(self._owner == k)
            route = self._routes[k]
            self._low[segments] = np.minimum(route[:-1], route[1:])
            self._high[segments] = np.maximum(route[:-1], route[1:])

    def _around(self, i: int) -> list[int]:
        found: list[int] = []
        i = self._parents[i]
        while i >= 0:
            found.append(i)
            i = self._parents[i]
        return found


def shrink_frames(folded: Folded, rects: Array, routes: list[Array], padding: float, header: float) -> None:
    """Make open modules as small as what they hold: boxes, and the bends of links that end in them."""
    boxes = folded.boxes
    parents = np.array([box.parent for box in boxes], np.int64)
    low, high = _held_points(folded, rects, routes, parents)
    for i in range(len(boxes) - 1, -1, -1):
        x, y, width, height = rects[i]
        if boxes[i].open:
            left, right = max(x, low[i, 0] - padding), min(x + width, high[i, 0] + padding)
            top, bottom = max(y, low[i, 1] - padding - header), min(y + height, high[i, 1] + padding)
            missing = max(0.0, boxes[i].width - (right - left))
            left, right = max(x, left - missing / 2), min(x + width, right + missing / 2)
            rects[i] = x, y, width, height = left, top, right - left, bottom - top
        p = parents[i]
        if p >= 0:
            low[p] = np.minimum(low[p], (x, y))
            high[p] = np.maximum(high[p], (x + width, y + height))


def _held_points(folded: Folded, rects: Array, routes: list[Array], parents: Ints) -> tuple[Array, Array]:
    """Bounds of the points of links inside each open module that a link ends in."""
    low = np.full((len(parents), 2), np.inf)
    high = np.full((len(parents), 2), -np.inf)
    if not routes:
        return low, high
    points = np.concatenate(routes)
    owner = np.repeat(np.arange(len(routes)), [len(route) for route in routes])
    for ends in ([link.source for link in folded.links], [link.target for link in folded.links]):
        frame = parents[np.array(ends, np.int64)][owner]
        held = points
        while (frame >= 0).any():
            frame, held, owner_rects = frame[frame >= 0], held[frame >= 0], rects[frame[frame >= 0]]
            inside = ((held > owner_rects[:, :2]) & (held < owner_rects[:, :2] + owner_rects[:, 2:])).all(axis=1)
            np.minimum.at(low, frame[inside], held[inside])
            np.maximum.at(high, frame[inside], held[inside])
            frame = parents[frame]
    return low, high


def close_gaps(folded: Folded, rects: Array, routes: list[Array], axis: int, header: float) -> None:
    """Close bands across the whole picture in which nothing begins, ends or bends."""
    opened = np.array([box.open for box in folded.boxes], bool)
    if not len(rects):
        return
    low, high = rects[:, axis], rects[:, axis] + rects[:, axis + 2]
    points = np.concatenate(routes)[:, axis] if routes else np.empty(0)
    solid_ends = np.where(opened, low + (header if axis == 1 else 0.0), high)
    marks = np.unique(np.round(np.concatenate([low, high, solid_ends, points]), 2))
    depth = np.zeros(len(marks) + 1, np.int64)
    np.add.at(depth, np.searchsorted(marks, np.round(low, 2)), 1)
    np.add.at(depth, np.searchsorted(marks, np.round(solid_ends, 2)), -1)
    free = np.cumsum(depth)[: len(marks) - 1] == 0
    steps = np.diff(marks)
    moved = np.concatenate([[0.0], np.cumsum(np.where(free, np.minimum(steps, GAP), steps))])
    new_low, new_high = np.interp(low, marks, moved), np.interp(high, marks, moved)
    rects[:, axis], rects[:, axis + 2] = new_low, new_high - new_low
    for route in routes:
        route[:, axis] = np.interp(route[:, axis], marks, moved)
