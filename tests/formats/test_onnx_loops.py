"""Loops whose bodies do not say the shape of what they carry, as scripts of PyTorch are written down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnx import helper, numpy_helper
from onnx_models import read

from inspector.engines.summary.sizes import Sizes
from inspector.engines.summary.summary import Summary
from inspector.ir import Model

F, N, B = 1, 7, 9
node, value = helper.make_node, helper.make_tensor_value_info


def body(nodes: list[Any], states: str, gives: str, rows: str = "", inner: str = "") -> Any:
    """A body that goes on; it takes `states`, of which it says only that they are fractions."""
    i, go, on = (f"{inner}{name}" for name in ("i", "go", "on"))
    ends = [value(name, F, None) for name in (*gives.split(), *rows.split())]
    takes = [value(i, N, []), value(go, B, []), *(value(name, F, None) for name in states.split())]
    return helper.make_graph([node("Identity", [go], [on]), *nodes], "body", takes, [value(on, B, []), *ends])


def saved(path: Path, nodes: list[Any], outputs: str, **stored: Any) -> Path:
    tensors = [numpy_helper.from_array(np.asarray(item), name) for name, item in stored.items()]
    ends = [value(name, F, None) for name in outputs.split()]
    graph = helper.make_graph(nodes, "main", [value("x", F, ["batch", 7, 4])], ends, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def opened(path: Path) -> Model:
    """The model; what is known of its outputs is what they are when it runs."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]
    real = dict(zip(names, session.run(names, {"x": np.ones((3, 7, 4), np.float32)}), strict=True))
    model = read(path)
    assert model.main is not None
    for name in names:
        shape = Sizes({"batch": 3}).shown(model.main.values[name].shape)
        assert shape is not None, name
        assert [a for a in shape if isinstance(a, int)] == [
            b for a, b in zip(shape, real[name].shape, strict=True) if isinstance(a, int)
        ], name
    return model


def shapes(model: Model, graph: int, *names: str) -> list[Any]:
    return [model.graphs[graph].values[name].shape for name in names]


def test_a_recurrence_that_is_written_as_a_loop_is_known(tmp_path: Path) -> None:
    step = body(
        [
            node("Gather", ["x", "i"], ["t"], axis=1),
            node("MatMul", ["t", "w"], ["a"]),
            node("MatMul", ["h", "u"], ["b"]),
            node("Add", ["a", "b"], ["s"]),
            node("Tanh", ["s"], ["n"]),
            node("Identity", ["n"], ["row"]),
        ],
        "h", "n", "row",
    )  # fmt: skip
    nodes = [
        node("Shape", ["x"], ["size"], end=1),
        node("Concat", ["size", "five"], ["start"], axis=0),
        node("ConstantOfShape", ["start"], ["h0"]),
        node("Loop", ["steps", "", "h0"], ["last", "all"], body=step),
        node("Relu", ["all"], ["y"]),
    ]
    stored = {"w": np.ones((4, 5), "f4"), "u": np.ones((5, 5), "f4"), "five": [5], "steps": np.array(7)}
    model = opened(saved(tmp_path / "m.onnx", nodes, "last y", **stored))
    assert shapes(model, 0, "last", "all", "y") == [("batch", 5), (7, "batch", 5), (7, "batch", 5)]
    assert shapes(model, 1, "h", "t", "a", "b", "s", "n") == [("batch", 5), ("batch", 4), *[("batch", 5)] * 4]
    totals = Summary(model, {"batch": 3}, lambda name: (7.0,) if name == "steps" else None).totals
    assert totals.macs == 7 * 3 * (4 * 5 + 5 * 5)
    assert totals.complete


def test_what_a_run_changes_stays_open_and_the_rest_is_known(tmp_path: Path) -> None:
    """One state grows, another takes the shape of that, a third is turned every time; the last one stays."""
    step = body(
        [
            node("Concat", ["grows", "row"], ["g"], axis=1),
            node("Relu", ["g"], ["f"]),
            node("Transpose", ["turns"], ["t"], perm=[1, 0]),
            node("Neg", ["stays"], ["s"]),
        ],
        "grows follows turns stays", "g f t s", "s",
    )  # fmt: skip
    nodes = [
        node("Slice", ["x", "zero", "one", "one"], ["row"]),
        node(
            "Loop", ["three", "", "x", "x", "matrix", "x"], ["grown", "followed", "turned", "stayed", "rows"], body=step
        ),
    ]
    stored = {"zero": [0], "one": [1], "three": np.array(3), "matrix": np.ones((2, 6), "f4")}
    model = opened(saved(tmp_path / "m.onnx", nodes, "grown followed turned stayed rows", **stored))
    grown, followed, turned, stayed, rows = shapes(model, 0, "grown", "followed", "turned", "stayed", "rows")
    assert (stayed, rows) == (("batch", 7, 4), (3, "batch", 7, 4))
    for shape in (grown, followed):
        assert (shape[0], shape[2]) == ("batch", 4)
        assert not isinstance(shape[1], int)
    assert grown[1] is None or grown[1] != followed[1]
    assert not any(isinstance(dim, int) for dim in turned)


def test_loops_in_loops_and_branches(tmp_path: Path) -> None:
    inner = body([node("MatMul", ["p", "w"], ["q"])], "p", "q", inner="inner_")
    other = helper.make_graph([node("Relu", ["o"], ["e"])], "e", [], [value("e", F, None)])
    one = helper.make_graph([node("Loop", ["two", "", "o"], ["l"], body=inner)], "l", [], [value("l", F, None)])
    outer = body([node("If", ["go"], ["r"], then_branch=one, else_branch=other)], "o", "r")
    nodes = [node("Loop", ["three", "", "x"], ["y"], body=outer)]
    model = opened(saved(tmp_path / "m.onnx", nodes, "y", w=np.ones((4, 4), "f4"), two=np.array(2), three=np.array(3)))
    assert shapes(model, 0, "y") == [("batch", 7, 4)]
    products = [graph.values["q"].shape for graph in model.graphs if "q" in graph.values]
    assert products == [("batch", 7, 4)]
