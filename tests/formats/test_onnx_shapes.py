"""Shapes of ONNX models: every one that onnx's own inference knows of the whole file, read from the stripped one."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest

from inspector.formats import Source, identify
from inspector.ir import Shape

DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"
CASES, BUNDLED = 1884, 149


def told(info: Any) -> Shape | None:
    """What onnx says of a tensor."""
    kind = info.type.tensor_type
    if not info.type.HasField("tensor_type") or not kind.HasField("shape"):
        return None
    return tuple(_size(dim) for dim in kind.shape.dim)


def _size(dim: Any) -> int | str | None:
    if dim.HasField("dim_value"):
        return int(dim.dim_value) if dim.dim_value >= 0 else None  # it notes -1 here and there
    return str(dim.dim_param) or None


def values(graph: Any) -> Iterator[Any]:
    """All that is said of values, in the graph and inside it."""
    yield from (*graph.input, *graph.output, *graph.value_info)
    for node in graph.node:
        for attribute in node.attribute:
            for inner in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
                yield from values(inner)


def compared(paths: Iterable[Path]) -> tuple[Counter[str], list[str]]:
    """How many values onnx and we know, and where we differ; a file that does not open ends the test."""
    counts: Counter[str] = Counter()
    apart = []
    for path in paths:
        source = Source(path)
        model = identify(source).read(source)
        counts["files"] += 1
        ours: dict[str, Shape | None] = {name: tensor.shape for name, tensor in model.tensors.items()}
        for graph in model.graphs[::-1]:
            ours |= {value.name: value.shape for value in (*graph.inputs, *graph.outputs, *graph.values.values())}
        found: dict[str, int | str | None] = {}
        whole = onnx.shape_inference.infer_shapes(onnx.load(path), data_prop=True)
        for info in values(whole.graph):
            shape = told(info)
            counts["values"] += 1
            counts["onnx knows"] += shape is not None
            counts["we know"] += ours.get(info.name) is not None
            if shape is not None and not says_as_much(ours.get(info.name), shape, found):
                apart.append(f"{path.parent.name}: {info.name} is {shape}, ours {ours.get(info.name)}")
            counts["we know better"] += shape is not None and ours.get(info.name) != shape
    return counts, apart


def says_as_much(ours: Shape | None, theirs: Shape, found: dict[str, int | str | None]) -> bool:
    """Whether we know a shape at least as well as onnx; a name that it made up may be something else, the same always.

    Args:
        ours: What we say.
        theirs: What onnx says.
        found: What its names for unknown sizes turned out to be.
    """
    if ours is None or len(ours) != len(theirs):
        return False
    for mine, other in zip(ours, theirs, strict=True):
        if isinstance(other, str) and re.fullmatch(r"unk__\d+", other):
            other = found.setdefault(other, mine)
        if other is not None and mine != other:
            return False
    return True


def test_small_bundled_models_have_the_shapes_that_onnx_knows() -> None:
    counts, apart = compared(sorted(DATA.glob("simple/*/*.onnx")) + sorted(DATA.glob("pytorch-operator/*/*.onnx")))
    assert apart == []
    assert counts["files"] == 58
    assert counts["we know"] >= counts["onnx knows"] > 100


@pytest.mark.slow
def test_every_case_and_model_of_onnx_opens_with_the_shapes_that_onnx_knows(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.loader import load_model_tests

        cases = {case.name: case.model for case in load_model_tests(kind="node")}
    for name, model in cases.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.onnx").write_bytes(model.SerializeToString())
    for what, paths, count in (("cases", tmp_path.rglob("*.onnx"), CASES), ("models", DATA.rglob("*.onnx"), BUNDLED)):
        counts, apart = compared(sorted(paths))
        print(what, dict(counts), f"{len(apart)} apart")
        assert apart == []
        assert counts["files"] == count
