"""Placing: from boxes and links to positions and routes.

graphlay does it: layers, nested boxes, orthogonal routes around boxes. It is young, so it is wrapped here alone, its
answer is checked, and the layout of our own (`layered.py`) stands in where it raises or answers nonsense; where it
hangs or crashes, whoever started this process ends it and asks for less. More than LIMIT boxes are refused.

fast-sugiyama, which was looked at for large flat graphs, ignores the sizes of boxes and overflows its stack at 50,000;
folding leaves no list of more than some 150 boxes in one group, so there is no large flat graph to place.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from inspector.engines.layout.layered import layered
from inspector.engines.layout.scene import Folded, Placed
from inspector.engines.layout.tidy import close_gaps, shrink_frames, slide_boxes
from inspector.errors import InspectorError

Orientation = Literal["vertical", "horizontal"]
Array = NDArray[np.float64]

LIMIT = 60_000
"""Boxes beyond which placing would take minutes, and nobody could read the result."""
PADDING = 12.0
HEADER = 24.0
SPACING = {
    "layer_gap": 34.0, "node_gap": 26.0, "dummy_gap": 16.0, "port_gap": 14.0, "stub": 9.0, "bundle_lane_gap": 8.0,
    "isolated_gap": 26.0,
}  # fmt: skip


def place(folded: Folded, orientation: Orientation = "vertical") -> Placed:
    """Positions of all boxes and routes of all links.

    Raises:
        InspectorError: There are more boxes than can be placed.
    """
    check_size(folded)
    start = perf_counter()
    try:
        rects, routes = _graphlay(folded, orientation)
        engine = "graphlay"
    except (ValueError, KeyError, TypeError, ArithmeticError) as error:
        rects, routes = layered(folded, orientation, padding=PADDING, header=HEADER)
        engine = f"layered, because graphlay failed: {str(error)[:200]}"
    return packed(rects, routes, engine, perf_counter() - start)


def check_size(folded: Folded) -> None:
    """Refuse a view of too many boxes before anybody works on it.

    Raises:
        InspectorError: There are more than LIMIT.
    """
    check_count(len(folded.boxes))


def check_count(boxes: int) -> None:
    """Refuse so many boxes.

    Raises:
        InspectorError: There are more than LIMIT.
    """
    if boxes > LIMIT:
        raise InspectorError(
            f"This view has {boxes:,} boxes; at most {LIMIT:,} can be laid out.", "Open fewer modules."
        )


def packed(rects: Array, routes: list[Array], engine: str, seconds: float) -> Placed:
    """Columns of a placed scene, moved so that the picture begins at 0, 0."""
    points = np.concatenate(routes) if routes else np.empty((0, 2))
    starts = np.zeros(len(routes) + 1, np.int32)
    np.cumsum([len(route) for route in routes], out=starts[1:])
    corners = np.concatenate([rects[:, :2], rects[:, :2] + rects[:, 2:], points])
    low = corners.min(axis=0) if len(corners) else np.zeros(2)
    high = corners.max(axis=0) if len(corners) else np.zeros(2)
    moved = rects.copy()
    moved[:, :2] -= low
    size = high - low
    return Placed(
        rects=moved.astype("<f4").tobytes(), points=(points - low).astype("<f4").tobytes(),
        starts=starts.astype("<i4").tobytes(), width=float(size[0]), height=float(size[1]), engine=engine,
        seconds=seconds,
    )  # fmt: skip


def _graphlay(folded: Folded, orientation: Orientation) -> tuple[Array, list[Array]]:
    from graphlay import _native

    nodes: list[dict[str, Any]] = []
    for box in folded.boxes:
        node: dict[str, Any] = {"size": {"width": box.width, "height": box.height}, "shape": "box", "key": ""}
        if box.parent >= 0:
            node["parent"] = box.parent
        nodes.append(node)
    edges = [{"source": link.source, "target": link.target, "weight": 1.0} for link in folded.links]
    options = {
        "direction": "topbottom" if orientation == "vertical" else "leftright",
        "effort": "fast" if len(nodes) > 400 else "balanced",
        "spacing": SPACING | _frame_room(orientation),
        "routing": {"style": "orthogonal", "merge_edges": "forks"},
    }
    request = {"graph": {"nodes": nodes, "edges": edges}, "preset": "layered", "options": options}
    answer = msgspec.json.decode(_native.layout(msgspec.json.encode(request).decode()))
    places = [(n["center"]["x"], n["center"]["y"], n["size"]["width"], n["size"]["height"]) for n in answer["nodes"]]
    rects = np.array(places, np.float64).reshape(-1, 4)
    rects[:, :2] -= rects[:, 2:] / 2
    routes = [np.array([(p["x"], p["y"]) for p in e["points"]], np.float64).reshape(-1, 2) for e in answer["edges"]]
    _check(folded, rects, routes)
    axis = 1 if orientation == "vertical" else 0
    slide_boxes(folded, rects, routes, axis)
    shrink_frames(folded, rects, routes, PADDING, HEADER)
    close_gaps(folded, rects, routes, axis, HEADER + PADDING)
    if orientation == "horizontal":
        close_gaps(folded, rects, routes, 1, HEADER + PADDING)
    return rects, routes


def _frame_room(orientation: Orientation) -> dict[str, float]:
    """Room inside frames; what is too much is taken back by `shrink_frames`.

    graphlay's own header lies where the flow begins, at the left of a horizontal picture, and ours is always above.
    """
    if orientation == "horizontal":
        return {"compound_padding": PADDING + HEADER, "compound_header": 0.0}
    return {"compound_padding": PADDING, "compound_header": HEADER / 2}


def _check(folded: Folded, rects: Array, routes: list[Array]) -> None:
    """An answer is one if it is for as many as asked for, finite, and every link is drawn."""
    if len(rects) != len(folded.boxes) or len(routes) != len(folded.links):
        raise ValueError("it answered for another graph")
    if not np.isfinite(rects).all() or not all(len(route) > 1 and np.isfinite(route).all() for route in routes):
        raise ValueError("it left something without a place")
