"""Folding of very large graphs: pieces, of which only those that are open are looked into."""

from __future__ import annotations

import pytest
from graphs import transformer

from inspector.engines.layout import vast as module
from inspector.engines.layout.fold import first_view, fold
from inspector.engines.layout.grouping import hierarchy
from inspector.engines.layout.hierarchy import Hierarchy
from inspector.engines.layout.place import place
from inspector.engines.layout.scene import Folded
from inspector.engines.layout.vast import Vast
from inspector.ir.model import Graph, Model, Node, Value


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five pieces are enough."""
    monkeypatch.setattr(module, "PIECES", 5)
    monkeypatch.setattr(module, "NEAR", 8)


def view(model: Model, tree: Hierarchy, *keys: str) -> Folded:
    assert model.main is not None
    return fold(model, model.main, keys or first_view(tree), known=tree)


def flat(count: int) -> Model:
    """Blocks of three nodes with a skip around each, and nothing in their names."""
    nodes, last = [], "x"
    for k in range(0, count, 3):
        nodes += [Node(f"n{k}", "MatMul", (last,), (f"a{k}",)), Node(f"n{k + 1}", "Relu", (f"a{k}",), (f"b{k}",))]
        nodes.append(Node(f"n{k + 2}", "Add", (f"b{k}", last), (f"v{k}",)))
        last = f"v{k}"
    ends = (Value("x", "float32", (1, 8)),), (Value(last, "float32", (1, 8)),)
    values = {node.outputs[0]: Value(node.outputs[0], "float32", (1, 8)) for node in nodes}
    return Model("onnx", graphs=(Graph("flat", *ends, tuple(nodes), values),))


def test_pieces_are_cut_between_modules_and_called_after_them() -> None:
    model = transformer()
    tree = Vast(model, model.graphs[0]).tree(())
    seen = view(model, tree)
    pieces = [box for box in seen.boxes if box.kind == "module"]
    titles = [box.title for box in pieces]
    assert titles == ["net", "layers.2 … layers.3", "layers.4 … layers.6", "layers.7 … layers.9", "layers … head"]
    assert sum(box.nodes for box in pieces) == len(model.graphs[0].nodes)
    assert {seen.boxes[link.source].kind for link in seen.links} >= {"input", "module"}


def test_a_piece_that_is_opened_shows_what_a_whole_hierarchy_shows() -> None:
    model = flat(300)
    graph = model.graphs[0]
    large, whole = Vast(model, graph), hierarchy(model, graph)
    keys = {f"m:#~{k}" for k in range(5)}
    every = fold(model, graph, keys, everything=True, known=large.tree(keys))
    plain = fold(model, graph, (), everything=True, known=whole)

    def nodes(seen: Folded) -> set[str]:
        return {box.key for box in seen.boxes if box.kind in ("node", "input", "output")}

    def links(seen: Folded) -> set[tuple[str, str, str]]:
        return {(seen.boxes[link.source].key, seen.boxes[link.target].key, link.label) for link in seen.links}

    assert nodes(every) == nodes(plain)
    assert links(every) == links(plain)
    assert place(every).width > 0


def test_sealed_pieces_cannot_be_opened_but_carry_their_values() -> None:
    model = flat(300)
    tree = Vast(model, model.graphs[0]).tree({"m:#~2"})
    seen = fold(model, model.graphs[0], (), everything=True, known=tree)
    sealed = [box for box in seen.boxes if box.kind == "module" and not box.open and box.parent == -1]
    assert [box.key for box in sealed] == ["m:#~0", "m:#~1", "m:#~3", "m:#~4"]
    into = {seen.boxes[link.target].key for link in seen.links if seen.boxes[link.source].key == "m:#~1"}
    assert into
    assert all(key.startswith("n:") for key in into), "the nodes of the open piece that take its values"


@pytest.mark.parametrize("key", ["n:n150", "n:node57", "m:net.layers.7", "i:x", "o:v297", "m:#~3"])
def test_what_is_looked_for_is_found_and_seen(key: str) -> None:
    model = transformer() if "node" in key or "net" in key else flat(300)
    large = Vast(model, model.graphs[0])
    shown, path = large.place(key)
    assert shown
    seen = fold(model, model.graphs[0], path, known=large.tree(path))
    assert shown in {box.key for box in seen.boxes}
    assert large.place("n:nothing") == ("", ())
