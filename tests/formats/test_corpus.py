"""Real model files of other people: what is found in them, against corpus.toml and against onnx itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from corpus import Row, cases, fetched, installed, rows

from inspector.engines.summary.summary import Summary
from inspector.errors import FormatError
from inspector.formats import Source, formats, identify
from inspector.ir import Model, Value


def words(value: Value) -> str:
    """`x float32[batch,3]`, with `?` for what the file does not say."""
    shape = "" if value.shape is None else f"[{','.join('?' if dim is None else str(dim) for dim in value.shape)}]"
    return f"{value.name} {value.dtype}{shape}"


def check(row: Row, path: Path) -> Model:
    source, facts = Source(path), row.facts
    fmt = identify(source)
    assert fmt.id == facts["format"]
    model = fmt.read(source)
    if "inputs" in facts:
        assert [words(value) for value in model.signatures[0].inputs] == facts["inputs"]
        assert [words(value) for value in model.signatures[0].outputs] == facts["outputs"]
        assert model.main is not None
        assert (len(model.main.nodes), len(model.graphs)) == (facts["nodes"], facts["graphs"])
    else:  # weights alone
        assert not model.graphs
        assert (len(model.tensors), len(model.modules)) == (facts["tensors"], facts["modules"])
    assert Summary(model).totals.parameters == facts["parameters"]
    for tensor in model.tensors.values():
        assert fmt.fetch(source, tensor).shape == tensor.shape
    return model


def floats_in(graph: Any) -> int:
    """Elements of all floating arrays of an ONNX graph, counted by onnx: initializers, constants, inner graphs."""
    from onnx import AttributeProto, numpy_helper

    stored = list(graph.initializer)
    total = 0
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                total += floats_in(attribute.g)
            elif node.op_type == "Constant" and attribute.name == "value":
                stored.append(attribute.t)
    arrays = map(numpy_helper.to_array, stored)
    return total + sum(array.size for array in arrays if array.dtype.kind == "f" and array.ndim)


def compare_with_onnx(model: Model, path: Path) -> None:
    import onnx

    ours = sum(t.count for t in model.tensors.values() if t.dtype.startswith("float") and t.shape)
    assert ours == floats_in(onnx.load(path).graph)


def test_a_model_has_as_many_parameters_in_every_format() -> None:
    """Or a reason that stands beside it in the table."""
    families: dict[str, dict[str, Row]] = {}
    for row in rows("package"):
        if "family" in row.facts:
            families.setdefault(row.facts["family"], {})[row.id] = row
    assert len(families) >= 7
    for name, family in families.items():
        plain = {row.facts["parameters"] for row in family.values() if "because" not in row.facts}
        assert len(plain) == 1, name
        assert len(family) > 1, name
        for row in family.values():
            assert ("because" in row.facts) == (row.facts["parameters"] not in plain), row.id


@pytest.mark.parametrize("row", rows("installed"), ids=lambda row: row.id)
def test_models_that_come_with_installed_packages(row: Row) -> None:
    path = installed(row)
    compare_with_onnx(check(row, path), path)


@pytest.mark.slow
def test_what_is_no_model_is_refused_in_these_words() -> None:
    refused = [case for case in cases() if case.refused]
    assert len(refused) > 300
    for case in refused:
        with pytest.raises(FormatError) as caught:
            identify(Source(case.path))
        assert caught.value.what == case.refused
        assert caught.value.hint


@pytest.mark.slow
def test_all_models_of_onnx_open() -> None:
    """Each of one operator, and those without their weights."""
    many = [case.path for case in cases() if case.many and not case.refused]
    assert len(many) == 149
    for path in many:
        source = Source(path)
        model = identify(source).read(source)
        assert model.main is not None
        assert len(model.main.nodes) > 0


@pytest.mark.slow
@pytest.mark.parametrize("row", rows("package"), ids=lambda row: row.id)
def test_models_of_public_packages(row: Row) -> None:
    path = fetched(row)
    if row.facts["format"] not in formats():
        pytest.skip(f"The format {row.facts['format']} is not read yet.")
    model = check(row, path)
    if row.facts["format"] == "onnx":
        compare_with_onnx(model, path)
