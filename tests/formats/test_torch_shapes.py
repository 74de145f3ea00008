"""Shapes of TorchScript files of well-known architectures: those that torch noted while it traced, and of a run."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from built import Built, build

from inspector.engines.summary.sizes import Sizes
from inspector.formats import identify
from inspector.ir import Model, Value

MODELS = ("resnet", "mobilenet", "vit", "bert", "recurrent", "attention", "scripted", "many")


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build("build_torch_shapes.py", tmp_path_factory.mktemp("torch_shapes"))


def outputs(model: Model) -> list[list[Any] | None]:
    assert model.main is not None
    return [None if value.shape is None else list(value.shape) for value in model.main.outputs]


def known(value: Value | None) -> bool:
    return value is not None and value.shape is not None and all(isinstance(size, int) for size in value.shape)


@pytest.mark.parametrize("name", MODELS)
def test_a_traced_file_says_every_shape(shapes: Built, name: str) -> None:
    """It holds the shapes of its inputs; what follows from them is what torch noted of each operator."""
    facts, model = shapes.facts[name], shapes.read(f"{name}_trace.pt")
    assert outputs(model) == facts["outputs"]
    main = model.main
    assert main is not None
    found: dict[str, Counter[tuple[Any, ...]]] = {}
    for node in main.nodes:
        for at, output in enumerate(node.outputs):
            value = main.values.get(output)
            if at and node.op in ("aten::embedding_bag", "aten::_native_multi_head_attention"):
                continue  # what it keeps for its gradient, and weights that nobody asked for
            assert known(value), (node.name, value)
            assert value is not None
            found.setdefault(node.op, Counter())[value.shape or ()] += 1
    for op, noted in facts["operators"].items():
        extra = found.get(op, Counter()) - Counter(tuple(shape) for shape in noted)
        assert not extra or op == "aten::chunk", (op, extra)


@pytest.mark.parametrize("name", MODELS)
def test_a_scripted_file_says_them_once_told_those_of_its_inputs(shapes: Built, name: str) -> None:
    facts, source = shapes.facts[name], shapes.source(f"{name}_script.pt")
    fmt = identify(source)
    model = fmt.read(source)
    assert model.main is not None
    assert fmt.reshape is not None
    inputs = [value.name for value in model.main.inputs]
    told = fmt.reshape(model, {key: tuple(shape) for key, shape in zip(inputs, facts["inputs"], strict=True)})
    assert outputs(told) == facts["outputs"]
    assert told.main is not None
    open_ones = [node for node in told.main.nodes if not known(told.main.values.get(node.outputs[0]))]
    assert len(open_ones) <= {"many": 12, "scripted": 2}.get(name, 0)


@pytest.mark.parametrize("name", MODELS)
def test_open_sizes_are_arithmetic_that_gives_the_true_ones(shapes: Built, name: str) -> None:
    """Batch, height and width by name: what the table says of every value is what numbers would give."""
    facts, source = shapes.facts[name], shapes.source(f"{name}_script.pt")
    fmt = identify(source)
    model = fmt.read(source)
    assert model.main is not None
    assert fmt.reshape is not None
    given = {value.name: tuple(shape) for value, shape in zip(model.main.inputs, facts["inputs"], strict=True)}
    open_axes = {key: (0, 2, 3) if len(shape) == 4 else (0,) for key, shape in given.items()}
    sizes = {f"d{at}_{given[key][at]}": given[key][at] for key, axes in open_axes.items() for at in axes}
    named = {
        key: tuple(f"d{at}_{size}" if at in open_axes[key] else size for at, size in enumerate(shape))
        for key, shape in given.items()
    }
    true, told = fmt.reshape(model, given).main, fmt.reshape(model, named).main
    assert true is not None
    assert told is not None
    worth = Sizes(sizes)
    unknown = 0
    for key, value in true.values.items():
        other = told.values.get(key)
        if value.shape is None:
            continue
        if other is None or other.shape is None or None in other.shape:
            unknown += 1
        else:
            assert tuple(worth.fixed(size, 1) for size in other.shape) == value.shape, (key, other.shape)
    assert unknown <= {"many": 6, "attention": 2, "scripted": 4, "vit": 1}.get(name, 0)


def test_a_batch_that_is_named_stays_named(shapes: Built) -> None:
    source = shapes.source("resnet_script.pt")
    fmt = identify(source)
    assert fmt.reshape is not None
    model = fmt.reshape(fmt.read(source), {"x": ("batch", 3, 224, 224)})
    assert outputs(model) == [["batch", 1000]]
    assert model.main is not None
    assert {value.shape[0] for value in model.main.values.values() if value.shape and len(value.shape) == 4} == {
        "batch"
    }
