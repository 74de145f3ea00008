"""Shapes, types and multiply-adds of six hundred operators of torch, against a run of each."""

from __future__ import annotations

import pytest
from built import Built, build

from inspector.engines.summary.summary import Summary
from inspector.formats import identify


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


@pytest.mark.parametrize("name", ["steps", "filled", "heads", "spectrogram", "masked"])
@pytest.mark.parametrize("way", ["script", "trace"])
def test_odd_modules_count_and_are_shaped_as_a_run_says(operators: Built, name: str, way: str) -> None:
    facts, source = operators.facts["odd"][name], operators.source(f"{name}_{way}.pt")
    fmt = identify(source)
    model = fmt.read(source)
    assert model.main is not None
    if way == "script":
        assert fmt.reshape is not None
        model = fmt.reshape(model, {model.main.inputs[0].name: tuple(facts["input"])})
    assert model.main is not None
    assert [value.shape for value in model.main.outputs] == [tuple(facts["output"])]
    assert Summary(model).totals.macs == facts["macs"]
