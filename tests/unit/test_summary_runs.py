"""How often bodies run, what lives meanwhile, and what is a FLOP: with real files of ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from inspector.engines.summary.flops import VIEWS, Ones, intensity, moves, ones
from inspector.engines.summary.overview import overview
from inspector.engines.summary.summary import OPERATORS, Summary
from inspector.formats import Source, identify
from inspector.worker.tasks._document import Document

F, N, B = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
node, value = helper.make_node, helper.make_tensor_value_info


def weight(name: str, *shape: int) -> onnx.TensorProto:
    return numpy_helper.from_array(np.random.default_rng(len(name)).random(shape, np.float32), name)


def number(name: str, of: Any) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(of), name)


def graph(nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], stored: Sequence[Any] = ()) -> Any:
    return helper.make_graph(nodes, "g", inputs, outputs, stored)


def figures(folder: Path, made: Any, functions: Sequence[Any] = (), **dims: int) -> Summary:
    """What the document worker works out of the file."""
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    model = helper.make_model(made, opset_imports=opsets, functions=functions, ir_version=9)
    onnx.checker.check_model(model)
    path = folder / "m.onnx"
    onnx.save(model, path)
    source = Source(path)
    fmt = identify(source)
    return Document(source, fmt, fmt.read(source), 0.0).summary(dims)


def loop(count: Any, going_on: Sequence[Any], stored: Sequence[Any] = (), inner: Sequence[Any] = ()) -> Any:
    """x (1, 4) times w (4, 4), again and again."""
    body = graph(
        [node("MatMul", ["v", "w"], ["u"]), *going_on],
        [value("i", N, []), value("c", B, []), value("v", F, [1, 4])],
        [value("d", B, []), value("u", F, [1, 4])],
        inner,
    )
    return graph(
        [node("Loop", ["n", "", "x"], ["y"], body=body)],
        [value("x", F, [1, 4]), *([] if count is not None else [value("n", N, [])])],
        [value("y", F, [1, 4])],
        [weight("w", 4, 4), *stored, *([number("n", count)] if count is not None else [])],
    )


KEPT = [node("Identity", ["c"], ["d"])]
ALWAYS = [node("Constant", [], ["d"], value=number("t", True))]
COUNTER = [node("Less", ["i", "limit"], ["d"])]
LATER = [node("Add", ["i", "two"], ["j"]), node("Less", ["j", "limit"], ["d"])]
VALUES = [node("ReduceSum", ["u"], ["s"], keepdims=0), node("Greater", ["s", "zero"], ["d"])]


@pytest.mark.parametrize(
    ("count", "going_on", "inner", "runs"),
    [
        (np.int64(5), KEPT, [], 5),
        (np.int64(5), ALWAYS, [], 5),
        (np.int64(5), COUNTER, [number("limit", np.int64(5))], 5),
        (np.int64(0), KEPT, [], 0),
        (np.int64(500), COUNTER, [number("limit", np.int64(7))], 8),  # run 7 is the last: it asks whether 7 is less
        (np.int64(500), LATER, [number("limit", np.int64(7)), number("two", np.int64(2))], 6),
        (np.int64(4), LATER, [number("limit", np.int64(7)), number("two", np.int64(2))], 4),
        (np.int64(5), VALUES, [number("zero", np.float32(0))], None),
        (None, KEPT, [], None),
    ],
)
def test_a_loop_runs_as_often_as_the_file_says(
    tmp_path: Path, count: Any, going_on: Any, inner: Any, runs: int | None
) -> None:
    summary = figures(tmp_path, loop(count, going_on, inner=inner))
    (row,) = [row for row in summary.rows() if row.type == "MatMul"]
    assert row.runs == (1 if runs is None else runs)
    assert row.macs == 16 * (runs or 1)
    assert summary.totals.macs == 16 * (1 if runs is None else runs)
    assert summary.totals.complete == (runs is not None)
    notes = [note.text for note in overview(summary, file="m", size=1, title="t").notes]
    assert ("Loops whose length depends on values count as one run." in notes) == (runs is None)


def test_the_length_of_a_loop_may_come_from_a_shape(tmp_path: Path) -> None:
    made = loop(None, KEPT, [number("at", np.array([1])), number("one", np.int64(1)), number("axis", np.array([0]))])
    del made.input[1:]
    steps = [
        node("Shape", ["x"], ["all"]),
        node("Gather", ["all", "at"], ["some"]),
        node("Squeeze", ["some", "axis"], ["size"]),
        node("Add", ["size", "one"], ["n"]),
    ]
    last = made.node.pop()
    made.node.extend([*steps, last])
    assert figures(tmp_path, made).totals.macs == 16 * 5


def test_a_scan_runs_once_for_each_slice(tmp_path: Path) -> None:
    body = graph(
        [node("MatMul", ["v", "w"], ["m"]), node("Add", ["m", "s"], ["t"]), node("Identity", ["t"], ["o"])],
        [value("s", F, [4]), value("v", F, [4])],
        [value("t", F, [4]), value("o", F, [4])],
    )
    made = graph(
        [node("Scan", ["s0", "x"], ["last", "y"], body=body, num_scan_inputs=1)],
        [value("s0", F, [4]), value("x", F, [7, 4])],
        [value("last", F, [4]), value("y", F, [7, 4])],
        [weight("w", 4, 4)],
    )
    totals = figures(tmp_path, made).totals
    assert (totals.macs, totals.flops) == (7 * 16, 7 * (2 * 16 + 4))


def branch(size: int) -> Any:
    stored = [weight(f"a{size}", 4, size), weight(f"b{size}", size, 4)]
    steps = [node("MatMul", ["x", f"a{size}"], [f"h{size}"]), node("MatMul", [f"h{size}", f"b{size}"], [f"y{size}"])]
    return graph(steps, [], [value(f"y{size}", F, [1, 4])], stored)


def test_of_two_branches_the_larger_one_counts(tmp_path: Path) -> None:
    choice = node("If", ["c"], ["y"], then_branch=branch(8), else_branch=branch(64))
    made = graph([choice], [value("x", F, [1, 4]), value("c", B, [])], [value("y", F, [1, 4])])
    summary = figures(tmp_path, made)
    assert summary.totals.macs == 2 * 4 * 64
    assert summary.totals.parameters == 2 * 4 * (8 + 64)
    found = {(row.macs, row.runs) for row in summary.rows() if row.type == "MatMul"}
    assert found == {(4 * 8, 0), (4 * 64, 1)}
    assert summary.totals.peak_bytes == 16 + 1 + 16 + 256 + 16  # x, c, y, what the larger branch has at most
    notes = [note.text for note in overview(summary, file="m", size=1, title="t").notes]
    assert notes == ["Of the branches of a condition the one that does most counts."]


def test_a_function_counts_each_time_it_is_called(tmp_path: Path) -> None:
    body = [node("MatMul", ["a", "b"], ["c"]), node("Relu", ["c"], ["d"])]
    twice = helper.make_function("own", "Step", ["a", "b"], ["d"], body, [helper.make_opsetid("", 18)])
    calls = [node("Step", ["x", "w"], ["h"], domain="own"), node("Step", ["h", "w"], ["y"], domain="own")]
    made = graph(calls, [value("x", F, [1, 4])], [value("y", F, [1, 4])], [weight("w", 4, 4)])
    summary = figures(tmp_path, made, [twice])
    assert summary.totals.parameters == 16
    assert {row.runs for row in summary.rows() if row.type == "Relu"} == {2}


def test_what_lives_while_a_residual_block_runs(tmp_path: Path) -> None:
    steps = [
        node("Relu", ["x"], ["a"]),
        node("Reshape", ["a", "shape"], ["flat"]),  # a view: no memory of its own
        node("Reshape", ["flat", "back"], ["b"]),
        node("Sigmoid", ["b"], ["c"]),
        node("Add", ["x", "c"], ["y"]),
    ]
    stored = [number("shape", np.array([1000])), number("back", np.array([10, 100]))]
    made = graph(steps, [value("x", F, [10, 100])], [value("y", F, [10, 100])], stored)
    summary = figures(tmp_path, made)
    assert [row.live_bytes for row in summary.rows(OPERATORS)] == [8000, 8000, 8000, 12000, 12000]
    assert summary.totals.peak_bytes == 12000
    assert summary.totals.activation_bytes == 5 * 4000
    assert summary.totals.flops == 3 * 1000
    assert summary.totals.moved_bytes == 2 * 4000 + 2 * 4000 + 3 * 4000
    assert summary.rows(OPERATORS)[4].intensity == pytest.approx(1000 / 12000)


def test_a_graph_that_runs_itself_ends(tmp_path: Path) -> None:
    from inspector.ir import Graph, Model, Node

    first = Graph("one", nodes=(Node("a", "Relu", graphs=("two",)),))
    second = Graph("two", nodes=(Node("b", "Relu", graphs=("one", "two")),))
    summary = Summary(Model("onnx", graphs=(first, second)))
    assert summary.totals.nodes == 2
    assert len(summary.rows()) == 2


def test_a_loop_that_makes_no_sense_counts_once() -> None:
    from inspector.ir import Graph, Model, Node

    body = Graph("body", nodes=(Node("r", "Relu", ("q",), ("q",)),))
    for op, inputs in (("Loop", ()), ("Scan", ("x",)), ("While", ("x",)), ("Loop", ("q", "q"))):
        main = Graph("main", nodes=(Node("l", op, inputs, ("y",), {"num_scan_inputs": 9}, graphs=("body", "body")),))
        assert Summary(Model("onnx", graphs=(main, body)), fetch=lambda name: (2.0,)).totals.nodes == 2


def test_what_counts_one_for_each_element() -> None:
    for name in ("relu", "gelu", "softmax", "add", "batch_norm", "layer_norm", "quantize"):
        assert ones(name) is Ones.GIVEN
    for name in ("max_pool", "global_average_pool", "reduce_mean", "arg_max"):
        assert ones(name) is Ones.TAKEN
    for name in ("reshape", "concat", "cast", "dropout", "conv", "gather", "if", "nobody knows"):
        assert ones(name) is Ones.NONE
    assert not any(map(moves, (*VIEWS, "if", "loop", "call")))
    assert moves("transpose")
    assert intensity(10, 5) == 2
    assert intensity(None, 5) is intensity(10, 0) is intensity(10, None) is None
