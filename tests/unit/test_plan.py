"""The planner: cheapest chain first, reasons for what is left out."""

from __future__ import annotations

from itertools import pairwise

import pytest

from inspector.engines.convert.edge import Edge, Step
from inspector.engines.convert.edge import edges as every_edge
from inspector.engines.convert.plan import NoRoute, Route, plan, reachable
from inspector.errors import ConversionError
from inspector.needs import Need


def run(step: Step) -> dict[str, str]:
    return {}


def edge(source: str, target: str, cost: float = 1.0, needs: tuple[Need, ...] = ()) -> Edge:
    return Edge(f"{source}_to_{target}", source, target, f"{source}2{target}", run, needs=needs, cost=cost)


GRAPH = (edge("a", "b"), edge("b", "c"), edge("a", "c", 2.5), edge("c", "d", 0.5), edge("b", "d", 3), edge("d", "a"))


def ids(routes: list[Route]) -> list[tuple[str, ...]]:
    return [route.ids for route in routes]


def test_the_cheapest_chain_comes_first_then_the_next() -> None:
    routes = plan(GRAPH, "a", "d")
    assert ids(routes) == [("a_to_b", "b_to_c", "c_to_d"), ("a_to_c", "c_to_d"), ("a_to_b", "b_to_d")]
    assert [route.cost for route in routes] == [2.5, 3.0, 4.0]
    assert routes[0].formats == ("a", "b", "c", "d")


def test_of_equally_cheap_chains_the_shorter_comes_first() -> None:
    routes = plan((edge("a", "b"), edge("b", "c"), edge("a", "c", 2)), "a", "c")
    assert ids(routes) == [("a_to_c",), ("a_to_b", "b_to_c")]


def test_no_chain_visits_a_format_twice() -> None:
    for route in plan((*GRAPH, edge("c", "b"), edge("d", "b")), "a", "d"):
        assert len(set(route.formats)) == len(route.formats)
        assert all(first.target == second.source for first, second in pairwise(route.edges))


def test_every_route_says_why_it_stands_where_it_stands() -> None:
    first, second, *_ = plan(GRAPH, "a", "d")
    assert first.why == "The cheapest of 3 ways: 3 steps, cost 2.5."
    assert second.why == "Tried when the ones before it fail: 2 steps, cost 3."
    assert plan(GRAPH, "c", "d")[0].why == "The only way: 1 step, cost 0.5."
    assert first.words == "a ─a2b→ b ─b2c→ c ─c2d→ d"


def test_via_is_kept_in_order() -> None:
    assert ids(plan(GRAPH, "a", "d", via=("a_to_c",))) == [("a_to_c", "c_to_d")]
    assert ids(plan(GRAPH, "a", "d", via=("a_to_b", "b_to_d"))) == [("a_to_b", "b_to_d")]
    with pytest.raises(NoRoute):
        plan(GRAPH, "a", "d", via=("b_to_d", "a_to_b"))


def test_via_of_an_unknown_edge_offers_the_nearest() -> None:
    with pytest.raises(ConversionError) as caught:
        plan(GRAPH, "a", "d", via=("a_too_b",))
    assert caught.value.what == "There is no converter called 'a_too_b'."
    assert caught.value.hint == "Did you mean a_to_b?"


def test_what_is_not_installed_is_gone_around_and_named_when_there_is_no_other_way() -> None:
    missing = Need("nobody_has_this", extra="all")
    graph = (edge("a", "b", needs=(missing,)), edge("b", "d"), edge("a", "c", 5), edge("c", "d"), edge("a", "e"))
    assert ids(plan(graph, "a", "d")) == [("a_to_c", "c_to_d")]
    with pytest.raises(NoRoute) as caught:
        plan(graph, "a", "b")
    assert caught.value.what == "There is no way from a to b."
    assert "From a you can reach: c, d, e." in caught.value.hint
    assert "a_to_b was left out: nobody_has_this is not installed: pip install 'inspector[all]'" in caught.value.hint
    assert caught.value.skipped.keys() == {"a_to_b"}


def test_reachable_gives_a_route_or_the_reason_for_every_target() -> None:
    missing = Need("nobody_has_this", extra="all")
    graph = (edge("a", "b"), edge("b", "c", needs=(missing,)), edge("x", "y"))
    found = reachable("a", graph, targets=("z",))
    assert isinstance(found["b"], Route)
    assert found["c"] == "nobody_has_this is not installed: pip install 'inspector[all]'"
    assert found["y"] == "No converter leads from a to y."
    assert found["z"] == "No converter leads from a to z."
    assert "a" not in found


def test_the_edges_that_exist_lead_from_pt2_to_tflite_in_three_steps() -> None:
    routes = plan(every_edge().values(), "torch.export", "tflite", usable=lambda edge: "")
    assert routes[0].ids == ("torch_export_to_onnx", "onnx_to_tf_saved_model", "tf_saved_model_to_tflite")


@pytest.mark.parametrize("one", every_edge().values(), ids=lambda one: one.id)
def test_every_edge_is_complete(one: Edge) -> None:
    assert one.id == f"{one.source}_to_{one.target}".replace(".", "_")
    assert one.needs
    assert one.packages
    assert one.cost > 0
    one.options()  # every option has a default
