"""Shapes, types and multiply-adds of six hundred operators of torch, against a run of each."""

from __future__ import annotations

import pytest
from built import Built, build

from inspector.engines.summary.summary import Summary


@pytest.fixture(scope="module")
def operators(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build("build_torch_operators.py", tmp_path_factory.mktemp("torch_operators"))


@pytest.mark.parametrize("name", ["shaped", "counted"])
def test_each_result_has_the_shape_and_type_that_a_run_gives(operators: Built, name: str) -> None:
    main = operators.read(f"{name}.pt").main
    assert main is not None
    wanted = operators.facts[name]["outputs"]
    assert len(main.outputs) == len(wanted) > 20
    found = [[None if value.shape is None else list(value.shape), value.dtype] for value in main.outputs]
    assert not [(each, got) for got, each in zip(found, wanted, strict=True) if got != each[1:]]


def test_products_count_as_torch_counts_them(operators: Built) -> None:
    totals = Summary(operators.read("counted.pt")).totals
    assert totals.complete
    assert totals.macs == operators.facts["counted"]["macs"] > 0
