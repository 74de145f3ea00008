"""Folding: which boxes and links a view has."""

from __future__ import annotations

from dataclasses import replace
from time import process_time

import pytest
from graphs import Builder, chain, transformer

from inspector.engines.layout.fold import FIRST, first_view, fold
from inspector.engines.layout.grouping import hierarchy
from inspector.engines.layout.scene import Folded
from inspector.ir.model import Graph, Model, Node, Value


def folded(model: Model, *open: str, everything: bool = False, depth: int = 0, first: bool = False) -> Folded:
    assert model.main is not None
    return fold(model, model.main, None if first else open, everything=everything, depth=depth)


def titles(view: Folded) -> list[str]:
    return [box.title for box in view.boxes]


def pairs(view: Folded) -> set[tuple[str, str]]:
    return {(view.boxes[link.source].key, view.boxes[link.target].key) for link in view.links}


def test_a_lone_root_opens_by_itself() -> None:
    view = folded(transformer())
    assert titles(view) == ["ids", "mask", "Cast", "Embedding", "ModuleList", "Linear", "v110"]
    assert {box.parent for box in view.boxes} == {-1}
    assert view.nodes == 111


def test_repeated_siblings_are_one_box() -> None:
    view = folded(transformer(), "m:net.layers")
    (run,) = [box for box in view.boxes if box.kind == "repeat"]
    assert (run.key, run.title, run.text, run.nodes) == ("m:net.layers#0", "Layer", "×12 · 108 nodes", 108)
    assert view.boxes[run.parent].key == "m:net.layers"


def test_an_open_run_shows_its_members() -> None:
    view = folded(transformer(), "m:net.layers", "m:net.layers#0")
    members = [box for box in view.boxes if box.title == "Layer" and box.kind == "module"]
    assert [box.key for box in members] == [f"m:net.layers.{k}" for k in range(12)]
    assert [box.text for box in members[:2]] == ["0", "1"]


def test_a_module_of_one_node_is_that_node_under_the_module_s_name() -> None:
    view = folded(transformer())
    head = view.boxes[titles(view).index("Linear")]
    assert (head.key, head.kind, head.text, head.category) == ("n:node110", "node", "net.head  8×4", "linear")


def test_skip_connections_stay_visible_when_folded() -> None:
    layer = "m:net.layers.3"
    view = folded(transformer(), "m:net.layers", "m:net.layers#0", layer)
    inner = [box for box in view.boxes if box.kind != "stub" and box.parent == [b.key for b in view.boxes].index(layer)]
    assert [box.title for box in inner] == ["Attention", "Add", "Mlp", "Add", "LayerNorm"]
    keys = [box.key for box in inner]
    assert {(keys[0], keys[1]), (keys[1], keys[2]), (keys[1], keys[3]), (keys[2], keys[3])} <= pairs(view)
    assert ("m:net.layers.2", keys[1]) in pairs(view)


def test_a_value_that_feeds_many_far_boxes_becomes_stubs() -> None:
    view = folded(transformer(), "m:net.layers", "m:net.layers#0")
    stubs = [box for box in view.boxes if box.kind == "stub"]
    assert stubs[0].key == "s:v0"
    count = len(stubs) - 1
    assert count >= 5
    assert stubs[0].title == f"v0 → {count}"
    direct = [pair for pair in pairs(view) if pair[0] == "n:node0" and pair[1].startswith("m:")]
    assert len(direct) + count == 12  # every user is served once


def test_links_between_folded_boxes_are_one_with_a_count() -> None:
    build = Builder()
    a, b = build.op("Relu", "x", module="one"), build.op("Tanh", "x", module="one")
    build.op("Add", a, b, module="two")
    build.op("Relu", build.op("Mul", a, b, module="two"), module="two")
    view = folded(build.model(("x",), ("v2",)))
    (link,) = [link for link in view.links if view.boxes[link.target].key == "m:two"]
    assert (view.boxes[link.source].key, link.label) == ("m:one", "2 values")


def test_a_module_called_twice_is_two_boxes_and_nothing_runs_backwards() -> None:
    build = Builder()
    build.modules = {"act": "ReLU", "a": "Conv2d", "b": "Conv2d"}
    x = build.op("relu", build.op("conv", "x", module="a"), module="act")
    x = build.op("relu", build.op("conv", x, module="b"), module="act")
    view = folded(build.model(("x",), (x,)))
    assert titles(view) == ["x", "Conv2d", "ReLU", "Conv2d", "ReLU", "v3"]
    assert all(link.source < link.target for link in view.links)


def test_parallel_parts_of_one_module_stay_together() -> None:
    build = Builder()
    a, b = build.op("Gemm", "x", module="heads"), build.op("Gemm", "x", module="heads")
    view = folded(build.model(("x",), (build.op("Add", a, b),)))
    assert titles(view) == ["x", "heads", "Add", "v2"]


def test_a_lone_node_between_two_nodes_of_a_module_joins_it() -> None:
    build = Builder()
    a = build.op("Relu", build.op("Conv", "x", module="block"))
    build.op("Softmax", build.op("Tanh", build.op("Conv", a, module="block"), module="block"))
    view = folded(build.model(("x",), ("v4",)))
    assert titles(view) == ["x", "block", "Softmax", "v4"]
    assert view.boxes[1].nodes == 4


def test_constants_are_part_of_the_nodes_that_use_them() -> None:
    build = Builder()
    shape = build.op("Constant")
    build.op("Reshape", "x", shape)
    model = build.model(("x",), ("v1",))
    assert titles(folded(model)) == ["x", "Reshape", "v1"]
    assert model.main is not None
    assert hierarchy(model, model.main).place("n:node0") == ("n:node1", ())


def test_weights_among_the_inputs_are_no_boxes() -> None:
    build = Builder()
    build.op("Gemm", "x", weight=(8, 8))
    model = build.model(("x", ".weight0"), ("v0",))
    assert titles(folded(model)) == ["x", "Gemm", "v0"]


def test_values_that_an_inner_graph_takes_from_outside_are_links() -> None:
    inner = Graph("then", outputs=(Value("r"),), nodes=(Node("n", "Neg", ("v0",), ("r",)),))
    build = Builder()
    build.op("Relu", "x")
    build.op("If", "flag", graphs=("then",))
    view = folded(build.model(("x", "flag"), ("v1",), inner))
    assert ("n:node0", "n:node1") in pairs(view)


def test_graphs_that_run_themselves_end() -> None:
    loop = Graph("loop", nodes=(Node("n", "Call", ("a",), ("b",), graphs=("loop",)),))
    build = Builder()
    build.op("Call", "x", graphs=("loop",))
    assert len(folded(build.model(("x",), ("v0",), loop)).boxes) == 3


def test_cycles_and_loops_survive() -> None:
    nodes = (
        Node("a", "Merge", ("x", "c"), ("b",)),
        Node("b", "Next", ("b",), ("c",)),
        Node("s", "Self", ("s",), ("s",)),
    )
    model = Model("x", graphs=(Graph("g", (Value("x"),), (), nodes),))
    assert {("n:a", "n:b"), ("n:b", "n:a"), ("n:s", "n:s")} <= pairs(folded(model))


@pytest.mark.parametrize("count", [301, 5000, 20_000])
def test_flat_graphs_are_cut_into_pieces(count: int) -> None:
    view = folded(chain(count), first=True)
    assert 5 < len(view.boxes) <= 100
    assert sum(box.nodes for box in view.boxes if box.kind in ("module", "node") and not box.open) == count
    assert view.boxes[0].kind == "input"
    assert view.boxes[-1].kind == "output"


def test_pieces_are_cut_where_few_values_cross() -> None:
    view = folded(chain(1000))
    assert all(link.label != "2 values" for link in view.links)
    assert len(view.links) == len(view.boxes) - 1


@pytest.mark.parametrize("layers", [1, 2, 12, 300])
def test_the_first_view_is_neither_empty_nor_crowded(layers: int) -> None:
    view = folded(transformer(layers), first=True)
    assert 6 <= len(view.boxes) <= FIRST + 20


def test_a_small_graph_is_shown_whole() -> None:
    view = folded(transformer(3), first=True)
    assert sum(box.kind == "node" for box in view.boxes) == view.nodes


def test_everything_open_shows_every_node_once() -> None:
    view = folded(transformer(), everything=True)
    nodes = [box.key for box in view.boxes if box.kind == "node"]
    assert len(nodes) == len(set(nodes)) == 111
    assert len({box.key for box in view.boxes}) == len(view.boxes)


def test_depth_opens_levels() -> None:
    view = folded(transformer(), depth=2)
    assert {box.key for box in view.boxes if box.open} == {"m:net.layers", "m:net.layers#0"}


def test_parents_come_before_children() -> None:
    view = folded(transformer(), everything=True)
    assert all(box.parent < i for i, box in enumerate(view.boxes))
    assert all(view.boxes[box.parent].open for box in view.boxes if box.parent >= 0)


def test_where_a_key_lies() -> None:
    model = transformer()
    assert model.main is not None
    tree = hierarchy(model, model.main)
    run = ("m:net.layers", "m:net.layers#0", "m:net.layers.2")
    assert tree.place("n:node21") == ("n:node21", (*run, "m:net.layers.2.attention"))
    assert tree.place("m:net.layers.2.norm") == ("n:node28", run)
    assert tree.place("n:nowhere") == ("", ())


def test_names_from_the_file_are_made_inert() -> None:
    nodes = (Node("a\x00\u202eb", "Re\nlu", ("x",), ("y",), module="m\x07"),)
    model = Model("x", graphs=(Graph("g", (Value("x\x1b[31m"),), (), (*nodes, replace(nodes[0], name="c"))),))
    view = folded(model, everything=True)
    assert all(text.isprintable() for box in view.boxes for text in (box.key, box.title, box.text))


def test_a_hundred_thousand_nodes_fold() -> None:
    model = chain(100_000)
    assert model.main is not None
    tree = hierarchy(model, model.main)
    start = process_time()
    view = fold(model, model.main, first_view(tree), known=tree)
    assert process_time() - start < 30, "0.3 s on an idle machine; this is a hang"
    assert view.nodes == 100_000


def test_an_empty_graph_is_an_empty_view() -> None:
    view = folded(Model("x", graphs=(Graph("g"),)), first=True)
    assert view.boxes == ()
    assert view.links == ()
