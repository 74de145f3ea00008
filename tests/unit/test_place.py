"""Placing: boxes do not overlap, frames hold what is theirs, links begin and end at their boxes."""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest
from graphs import chain, first_scene, transformer

from inspector.engines.layout import place as module
from inspector.engines.layout.fold import fold
from inspector.engines.layout.layered import layered
from inspector.engines.layout.place import HEADER, Orientation, packed, place
from inspector.engines.layout.scene import Box, Folded, Link
from inspector.errors import InspectorError
from inspector.viewmodels.graph_scene import Scene


def whole(layers: int = 3) -> Folded:
    model = transformer(layers)
    assert model.main is not None
    return fold(model, model.main, everything=True)


def small(*links: tuple[int, int], count: int = 4) -> Folded:
    boxes = tuple(Box(key=f"n:{k}", kind="node", title=f"Op{k}") for k in range(count))
    return Folded(graph="g", boxes=boxes, links=tuple(Link(a, b) for a, b in links), nodes=count)


def check(scene: Scene, *, straight: bool = True) -> None:
    rects = scene.rects
    assert (rects[:, :2] >= -0.5).all()
    assert (rects[:, 0] + rects[:, 2] <= scene.width + 0.5).all()
    for i, box in enumerate(scene.boxes):
        x, y, width, height = scene.area(i)
        assert height > 0
        if box.parent >= 0:
            left, top, wide, high = scene.area(box.parent)
            assert left <= x + 0.5
            assert top + HEADER <= y + 0.5
            assert x + width <= left + wide + 0.5
            assert y + height <= top + high + 0.5
        for j in range(i):
            other = scene.boxes[j]
            if other.parent == box.parent:
                a, b, w, h = scene.area(j)
                assert x >= a + w or a >= x + width or y >= b + h or b >= y + height, (box.key, other.key)
    for k, link in enumerate(scene.links):
        route = scene.route(k)
        for end, number in ((route[0], link.source), (route[-1], link.target)):
            x, y, width, height = scene.area(number)
            assert x - 1 <= end[0] <= x + width + 1
            assert y - 1 <= end[1] <= y + height + 1
        if straight:
            steps = np.abs(np.diff(route, axis=0))
            assert (steps.min(axis=1) < 0.6).all(), "a link runs askew"


@pytest.mark.parametrize("orientation", ["vertical", "horizontal"])
def test_an_open_transformer(orientation: Orientation) -> None:
    folded = whole()
    placed = place(folded, orientation)
    assert placed.engine == "graphlay"
    scene = Scene(folded, placed)
    check(scene)
    assert (scene.height > scene.width) == (orientation == "vertical")


@pytest.mark.parametrize("orientation", ["vertical", "horizontal"])
def test_our_own_layout_holds_the_same_promises(orientation: Orientation) -> None:
    folded = whole()
    rects, routes = layered(folded, orientation, padding=12.0, header=24.0)
    check(Scene(folded, packed(rects, routes, "layered", 0.0)))


@pytest.mark.parametrize("orientation", ["vertical", "horizontal"])
@pytest.mark.parametrize("links", [((0, 1), (1, 2), (2, 0)), ((0, 0), (0, 1)), (), ((0, 1), (0, 1), (3, 2))])
def test_cycles_loops_and_lone_boxes(links: tuple[tuple[int, int], ...], orientation: Orientation) -> None:
    folded = small(*links)
    check(Scene(folded, place(folded, orientation)))
    rects, routes = layered(folded, orientation, padding=12.0, header=24.0)
    check(Scene(folded, packed(rects, routes, "layered", 0.0)))


def test_nothing_at_all() -> None:
    placed = place(Folded(graph="g", boxes=(), links=(), nodes=0))
    assert (placed.width, placed.height) == (0.0, 0.0)


def test_the_flow_runs_down_or_to_the_right() -> None:
    folded = small((0, 1), (1, 2), (2, 3))
    down, right = Scene(folded, place(folded)), Scene(folded, place(folded, "horizontal"))
    assert (np.diff(down.rects[:, 1]) > 0).all()
    assert (np.diff(right.rects[:, 0]) > 0).all()


def test_another_layout_stands_in_when_graphlay_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_folded: Folded, _orientation: str) -> None:
        raise ValueError("no luck")

    monkeypatch.setattr(module, "_graphlay", fails)
    folded = whole()
    placed = place(folded)
    assert placed.engine == "layered, because graphlay failed: no luck"
    check(Scene(folded, placed))


def test_small_boxes_go_to_what_feeds_them() -> None:
    """Beside a deep open module a chain of small ones stays together."""
    boxes = [Box(key="i", kind="input", title="x"), Box(key="m", kind="module", title="Deep", open=True)]
    boxes += [Box(key=f"d{k}", kind="node", title="Op", parent=1) for k in range(12)]
    boxes += [Box(key=f"s{k}", kind="node", title="Side") for k in range(2)]
    links = [Link(0, 2), *(Link(k, k + 1) for k in range(2, 13)), Link(0, 14), Link(14, 15)]
    scene = first = Scene(folded := Folded(graph="g", boxes=tuple(boxes), links=tuple(links), nodes=15), place(folded))
    check(scene)
    assert first.rects[15, 1] - first.rects[0, 1] < 250


def test_too_many_boxes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT", 3)
    with pytest.raises(InspectorError, match="has 4 boxes; at most 3") as caught:
        place(small())
    assert caught.value.hint == "Open fewer modules."


@pytest.mark.parametrize("layers", [700])
def test_five_thousand_nodes_folded(layers: int) -> None:
    start = process_time()
    scene = first_scene(transformer(layers))
    assert process_time() - start < 30  # a hang: it takes half a second
    assert scene.nodes > 4900
    assert len(scene.boxes) < 100


def test_a_long_flat_graph() -> None:
    """A view of two thousand boxes without groups still comes soon."""
    model = chain(2000)
    assert model.main is not None
    folded = fold(model, model.main, everything=True)
    start = process_time()
    placed = place(folded)
    assert process_time() - start < 60  # a hang: it takes a second
    assert Scene(folded, placed).height > 10_000


def test_a_picture_of_another_graph_is_refused() -> None:
    placed = place(small((0, 1)))
    with pytest.raises(ValueError, match="does not fit"):
        Scene(small((0, 1), count=5), placed)


def test_a_link_to_nowhere_is_refused() -> None:
    placed = place(small((0, 1)))
    with pytest.raises(ValueError, match="not there"):
        Scene(small((0, 9)), placed)
