"""A layered layout of our own: plain, linear, never fails. It stands in where graphlay does.

Innermost groups first: each group's children are put in layers by longest path (edges against the order of the boxes
are taken as running backwards, so cycles do no harm), ordered by the mean position of their neighbours, and centred;
then the group is one box of the next one out. Links are elbows between the boxes; one that skips layers may run behind
boxes, which is the price of plainness.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from inspector.engines.layout.scene import Folded

Array = NDArray[np.float64]
LAYER_GAP, NODE_GAP, SWEEPS, LOOP = 44.0, 28.0, 4, 14.0


def layered(folded: Folded, orientation: str, *, padding: float, header: float) -> tuple[Array, list[Array]]:
    """Rectangles of the boxes (x, y, width, height) and the route of each link."""
    boxes = folded.boxes
    children: dict[int, list[int]] = defaultdict(list)
    for i, box in enumerate(boxes):
        children[box.parent].append(i)
    links = _by_group(folded)
    rects = np.array([(0.0, 0.0, box.width, box.height) for box in boxes], np.float64).reshape(-1, 4)
    for group in sorted((g for g in children if g >= 0), reverse=True):  # parents come before children
        size = _arrange(rects, children[group], links[group], orientation)
        rects[children[group], :2] += (padding, header + padding)
        rects[group, 2] = max(rects[group, 2], size[0] + 2 * padding)
        rects[group, 3] = size[1] + 2 * padding + header
    _arrange(rects, children[-1], links[-1], orientation)
    for i, box in enumerate(boxes):
        if box.parent >= 0:
            rects[i, :2] += rects[box.parent, :2]
    routes = [_route(rects[link.source], rects[link.target], orientation) for link in folded.links]
    return rects, routes


def _by_group(folded: Folded) -> dict[int, list[tuple[int, int]]]:
    """Links lifted to where their ends are siblings, by the group that they are siblings in."""
    boxes = folded.boxes
    depth: list[int] = []
    for box in boxes:
        depth.append(depth[box.parent] + 1 if box.parent >= 0 else 0)
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for link in folded.links:
        a, b = link.source, link.target
        while depth[a] > depth[b]:
            a = boxes[a].parent
        while depth[b] > depth[a]:
            b = boxes[b].parent
        while boxes[a].parent != boxes[b].parent:
            a, b = boxes[a].parent, boxes[b].parent
        if a != b:
            found[boxes[a].parent].append((min(a, b), max(a, b)))
    return found


def _arrange(rects: Array, members: list[int], links: list[tuple[int, int]], orientation: str) -> tuple[float, float]:
    """Place the members of one group from 0, 0 on; gives the size that they take."""
    across, along = (0, 1) if orientation == "vertical" else (1, 0)
    layer = dict.fromkeys(members, 0)
    for a, b in sorted(links):
        layer[b] = max(layer[b], layer[a] + 1)
    rows: dict[int, list[int]] = defaultdict(list)
    for member in members:
        rows[layer[member]].append(member)
    _order(rows, links)
    lengths = {k: sum(rects[i, 2 + across] + NODE_GAP for i in row) - NODE_GAP for k, row in rows.items()}
    widest = max(lengths.values(), default=0.0)
    at = 0.0
    for k in sorted(rows):
        x = (widest - lengths[k]) / 2
        thick = max(rects[i, 2 + along] for i in rows[k])
        for i in rows[k]:
            rects[i, across] = x
            rects[i, along] = at + (thick - rects[i, 2 + along]) / 2
            x += rects[i, 2 + across] + NODE_GAP
        at += thick + LAYER_GAP
    size = (widest, max(0.0, at - LAYER_GAP))
    return size if orientation == "vertical" else (size[1], size[0])


def _order(rows: dict[int, list[int]], links: list[tuple[int, int]]) -> None:
    """Sort each row by the mean relative position of its neighbours, a few sweeps down and up."""
    neighbours: dict[int, list[int]] = defaultdict(list)
    for a, b in links:
        neighbours[a].append(b)
        neighbours[b].append(a)
    spot = {i: k / len(row) for row in rows.values() for k, i in enumerate(row)}
    for sweep in range(SWEEPS):
        for k in sorted(rows, reverse=sweep % 2 == 1):
            mean = {
                i: sum(spot[n] for n in neighbours[i]) / len(neighbours[i]) if neighbours[i] else spot[i]
                for i in rows[k]
            }
            rows[k].sort(key=mean.__getitem__)
            spot.update({i: place / len(rows[k]) for place, i in enumerate(rows[k])})


def _route(source: Array, target: Array, orientation: str) -> Array:
    """An elbow from the end of one box to the beginning of the other; a loop beside the box where they are one."""
    if source is target or np.array_equal(source, target):
        x, y, w, h = source
        return np.array(
            [(x + w, y + h / 3), (x + w + LOOP, y + h / 3), (x + w + LOOP, y + h * 2 / 3), (x + w, y + h * 2 / 3)],
            np.float64,
        )
    if orientation == "vertical":
        a = (source[0] + source[2] / 2, source[1] + source[3])
        b = (target[0] + target[2] / 2, target[1])
        middle = (a[1] + b[1]) / 2
        bends = [(a[0], middle), (b[0], middle)]
    else:
        a = (source[0] + source[2], source[1] + source[3] / 2)
        b = (target[0], target[1] + target[3] / 2)
        middle = (a[0] + b[0]) / 2
        bends = [(middle, a[1]), (middle, b[1])]
    return np.array([a, *bends, b], np.float64)
