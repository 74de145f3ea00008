"""Functions of ONNX models: each call has the shapes and figures that the model has when they are written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, inliner, numpy_helper
from onnx_models import ONNX, read

from inspector.engines.summary.overview import overview
from inspector.engines.summary.summary import OPERATORS, Summary
from inspector.formats import Source, _onnx_calls
from inspector.ir import Graph, Model, Node

F, N, B = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
node, value = helper.make_node, helper.make_tensor_value_info
IMPORTS = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]


def referring(op: str, inputs: list[str], outputs: list[str], **settings: tuple[str, int]) -> Any:
    """A node some of whose attributes are those of the call."""
    made = node(op, inputs, outputs)
    for name, (given, kind) in settings.items():
        made.attribute.add(name=name, ref_attr_name=given, type=kind)
    return made


def function(name: str, inputs: str, outputs: str, nodes: list[Any], *attributes: str, **parts: Any) -> Any:
    imports = parts.pop("imports", IMPORTS)
    return helper.make_function("own", name, inputs.split(), outputs.split(), nodes, imports, attributes, **parts)


def own(op: str, inputs: str, outputs: str, **settings: Any) -> Any:
    return node(op, inputs.split(" "), outputs.split(), domain="own", **settings)


LINEAR = function(
    "Linear", "x w b", "y",
    [node("Transpose", ["w"], ["t"], perm=[1, 0]), node("MatMul", ["x", "t"], ["m"]), node("Add", ["m", "b"], ["y"])],
)  # fmt: skip
BLOCK = function(
    "Block", "x w b left_out", "y z",
    [
        own("Linear", "x w b", "m"),
        referring("LeakyRelu", ["m"], ["y"], alpha=("slope", 1)),
        referring("Constant", [], ["shape"], value_ints=("to", 7)),
        node("Reshape", ["y", "shape"], ["z"]),
    ],
    "slope", "to",
)  # fmt: skip


def model(nodes: list[Any], ends: dict[str, int], functions: list[Any], /, x: Any = ("batch", 4), **stored: Any) -> Any:
    """A model of one input; `ends` are its outputs and their ranks, `stored` the shapes or values of what it keeps."""
    random = np.random.default_rng(0)
    arrays = {
        name: item if isinstance(item, np.ndarray) else random.random(item, np.float32) for name, item in stored.items()
    }
    graph = helper.make_graph(
        nodes, "main", [value("x", F, x)], [value(name, F, [None] * rank) for name, rank in ends.items()],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )  # fmt: skip
    return helper.make_model(graph, functions=functions, opset_imports=IMPORTS, ir_version=10)


def opened(path: Path, made: Any, *, copies: int = 1, **dims: int) -> tuple[Model, Summary]:
    """The model and its figures, after it was checked that they are those of the model without functions.

    Args:
        path: Where to put it.
        made: The model.
        copies: How often its parameters stand in the latter.
        dims: Sizes.
    """
    onnx.checker.check_model(made)
    onnx.save(made, path)
    flat = path.with_name("flat.onnx")
    onnx.save(inliner.inline_local_functions(made), flat)
    found, other = read(path), read(flat)
    totals, wanted = (Summary(each, dims).totals for each in (found, other))
    assert totals.parameters * copies == wanted.parameters
    for name in ("macs", "flops", "activation_bytes", "moved_bytes", "complete"):
        assert getattr(totals, name) == getattr(wanted, name), name
    assert wanted.complete
    assert wanted.peak_bytes <= totals.peak_bytes  # what is handed over lives until the call ends
    assert found.main is not None
    assert other.main is not None
    for one, two in zip(found.main.outputs, other.main.outputs, strict=True):
        assert (one.dtype, one.shape) == (two.dtype, two.shape)
    return found, Summary(found, dims)


def body(found: Model, caller: Node) -> Graph:
    graph = found.graph(caller.graphs[-1])
    assert graph is not None
    return graph


def shapes(graph: Graph) -> list[Any]:
    return [graph.values[name].shape for each in graph.nodes for name in each.outputs]


def test_each_call_has_the_shapes_of_what_it_takes(tmp_path: Path) -> None:
    nodes = [
        own("Block", "x w1 b1", "h h2", slope=0.1, to=[0, 4, 2]),
        own("Block", "h w2 b2", "k k2", slope=0.2, to=[-1, 2]),
        own("Block", "k w3 b3", "l l2", slope=0.2, to=[-1, 2]),
        own("Block", "l w4 b4", "y y2", slope=0.2, to=[-1, 2]),
    ]
    weights = {"w1": (8, 4), "w2": (16, 8), "w3": (16, 16), "w4": (16, 16), "b1": 8, "b2": 16, "b3": 16, "b4": 16}
    ends = {"y": 2, "y2": 2, "h2": 3, "k2": 2}
    found, summary = opened(tmp_path / "m.onnx", model(nodes, ends, [LINEAR, BLOCK], **weights), batch=3)
    assert found.notes == ()
    assert [graph.name for graph in found.graphs] == [
        "main", "own:Linear", "own:Linear#2", "own:Linear#3", "own:Block", "own:Block#2", "own:Block#3",
    ]  # fmt: skip
    first, _, third, fourth = found.graphs[0].nodes
    assert third.graphs == fourth.graphs  # they take the same
    assert shapes(body(found, first)) == [("batch", 8), ("batch", 8), (3,), ("batch", 4, 2)]
    assert shapes(body(found, third)) == [("batch", 16), ("batch", 16), (2,), ("8*batch", 2)]
    (inner,) = [each for each in body(found, third).nodes if each.op == "Linear"]
    assert shapes(body(found, inner)) == [(16, 16), ("batch", 16), ("batch", 16)]
    assert [item.shape for item in body(found, inner).inputs] == [("batch", 16), (16, 16), (16,)]
    settings = [each.attributes for each in body(found, first).nodes if each.op in ("LeakyRelu", "Constant")]
    assert settings == [{"alpha": pytest.approx(0.1)}, {"value_ints": (0, 4, 2)}]
    rows = {row.graph: row for row in summary.rows(OPERATORS) if row.type == "MatMul"}
    assert {name: (row.macs, row.runs) for name, row in rows.items()} == {
        "own:Linear": (3 * 4 * 8, 1), "own:Linear#2": (3 * 8 * 16, 1), "own:Linear#3": (2 * 3 * 16 * 16, 2),
    }  # fmt: skip
    calls = [row for row in summary.rows() if row.graph == "main"]
    texts = [note.text for note in overview(summary, file="m", size=1, title="ONNX").notes]
    assert "What a function does is in its own rows, counted for each call; calls have no figures." in texts
    assert [row.macs for row in calls] == [0] * 4  # though there are operators that are called Linear
    assert [row.parameters for row in calls] == [40, 144, 272, 272]


def test_sizes_that_the_user_types_reach_into_calls(tmp_path: Path) -> None:
    nodes = [own("Block", "x w b", "y y2", slope=0.1, to=[-1, 3])]
    onnx.save(model(nodes, {"y": 2, "y2": 2}, [LINEAR, BLOCK], w=(6, 4), b=6), path := tmp_path / "m.onnx")
    assert ONNX.resize is not None
    found = ONNX.resize(Source(path), {"batch": 5})
    assert shapes(found.graphs[-1]) == [(5, 6), (5, 6), (2,), (10, 3)]


def test_calls_in_branches_and_loops_and_the_other_way_round(tmp_path: Path) -> None:
    branches = [
        helper.make_graph([own("Linear", f"x {w} b", f"o{w}")], w, [], [value(f"o{w}", F, [None, 8])]) for w in "uv"
    ]
    step = helper.make_graph(
        [own("Linear", "s q b", "t"), node("Identity", ["go"], ["on"]), own("Linear", "s q b", "r")],
        "step", [value("i", N, []), value("go", B, []), value("s", F, [2, 8])],
        [value("on", B, []), value("t", F, [2, 8]), value("r", F, [2, 8])],
    )  # fmt: skip
    repeat = function("Repeat", "s q b n", "last all", [node("Loop", ["n", "", "s"], ["last", "all"], body=step)])
    nodes = [
        node("If", ["yes"], ["h"], then_branch=branches[0], else_branch=branches[1]),
        own("Repeat", "h q b five", "y y2"),
    ]
    weights = {"u": (8, 4), "v": (8, 4), "q": (8, 8), "b": 8, "yes": np.array(True), "five": np.array(5)}
    made = model(nodes, {"y": 2, "y2": 3}, [repeat, LINEAR], x=(2, 4), **weights)
    onnx.save(made, path := tmp_path / "m.onnx")
    found = read(path)
    assert [item.shape for item in found.graphs[0].outputs] == [(2, 8), (5, 2, 8)]
    totals = Summary(found, fetch=lambda name: (5.0,) if name == "five" else None).totals
    linears = {graph.name: shapes(graph) for graph in found.graphs if graph.name.startswith("own:Linear")}
    assert list(linears.values()) == [[(8, 8), (2, 8), (2, 8)], [(4, 8), (2, 8), (2, 8)]] or list(linears.values()) == [
        [(4, 8), (2, 8), (2, 8)],
        [(8, 8), (2, 8), (2, 8)],
    ]
    assert totals.parameters == 8 * 4 * 2 + 64 + 8
    assert totals.macs == 2 * 4 * 8 + 5 * 2 * 2 * 8 * 8  # the length of the loop is handed over
    assert totals.complete


def test_values_that_are_handed_over_tell_shapes(tmp_path: Path) -> None:
    """The target of a Reshape, whole or in part, known or only by name, and what comes back as a value."""
    reshape = function("View", "x to", "y", [node("Reshape", ["x", "to"], ["y"])])
    size = function("Rows", "x", "n", [node("Shape", ["x"], ["s"], start=0, end=1)])
    size.output[0] = "s"
    nodes = [
        own("View", "x flat", "h"),
        own("View", "x rows", "k"),
        own("Rows", "k", "n"),
        node("Concat", ["n", "two", "rest"], ["to"], axis=0),
        own("View", "h to", "y"),
    ]
    stored = {name: np.array(item) for name, item in {"flat": [-1], "rows": [2, -1], "two": [2], "rest": [-1]}.items()}
    found, _ = opened(tmp_path / "m.onnx", model(nodes, {"y": 3, "h": 1}, [reshape, size], **stored), batch=6)
    assert [item.shape for item in found.graphs[0].outputs] == [(2, 2, "batch"), ("4*batch",)]
    views = [shapes(graph) for graph in found.graphs if graph.name.startswith("own:View")]
    assert views == [[("4*batch",)], [(2, "2*batch")], [(2, 2, "batch")]]


def test_what_is_not_known_in_one_call_is_not_the_same_in_another(tmp_path: Path) -> None:
    some = function("Some", "x", "y", [node("NonZero", ["x"], ["n"]), node("Cast", ["n"], ["y"], to=F)])
    nodes = [own("Some", "x", "a"), node("Relu", ["x"], ["r"]), own("Some", "r", "b")]
    onnx.save(model(nodes, {"a": 2, "b": 2}, [some], x=(3, 4)), path := tmp_path / "m.onnx")
    found = read(path)
    first, second = (item.shape for item in found.graphs[0].outputs)
    assert first is not None
    assert second is not None
    assert first[0] == second[0] == 2
    assert None in (first[1], second[1]) or first[1] != second[1]
    (inner,) = found.graphs[1:]
    assert [len(shape) for shape in shapes(inner)] == [2, 2]


def test_a_function_of_another_operator_set_and_one_with_a_default(tmp_path: Path) -> None:
    """Axes are an attribute of Unsqueeze until 13, and an input since; the function says which it means."""
    older = [helper.make_opsetid("", 12)]
    wider = function("Wider", "x", "y", [node("Unsqueeze", ["x"], ["y"], axes=[0])], imports=older)
    part = function(
        "Part", "x", "y", [referring("Softmax", ["x"], ["y"], axis=("axis", 2))],
        attribute_protos=[helper.make_attribute("axis", 1)],
    )  # fmt: skip
    nodes = [own("Wider", "x", "h"), own("Part", "h", "k"), own("Part", "k", "y", axis=2)]
    onnx.save(model(nodes, {"y": 3}, [wider, part]), path := tmp_path / "m.onnx")
    found = read(path)
    assert [shapes(graph) for graph in found.graphs[1:]] == [[(1, "batch", 4)]] * 3
    assert [graph.nodes[0].attributes for graph in found.graphs[2:]] == [{"axis": 1}, {"axis": 2}]


def test_functions_of_one_name_are_told_apart(tmp_path: Path) -> None:
    kinds = [function("Pick", "x", "y", [node(op, ["x"], ["y"])], overload=op) for op in ("Transpose", "Relu")]
    nodes = [own("Pick", "x", "h", overload="Transpose"), own("Pick", "h", "y", overload="Relu")]
    found, _ = opened(tmp_path / "m.onnx", model(nodes, {"y": 2}, kinds), batch=3)
    assert [[each.op for each in body(found, caller).nodes] for caller in found.graphs[0].nodes] == [
        ["Transpose"],
        ["Relu"],
    ]
    assert [shapes(graph) for graph in found.graphs[1:]] == [[(4, "batch")]] * 2


def test_constants_of_a_function_are_counted_once_and_can_be_read(tmp_path: Path) -> None:
    table = numpy_helper.from_array(np.arange(800, dtype=np.float32).reshape(1, 800), "t")
    shift = function("Shift", "x", "y", [node("Constant", [], ["t"], value=table), node("Add", ["x", "t"], ["y"])])
    nodes = [own("Shift", "x", "h"), node("Concat", ["h", "h"], ["k"], axis=0), own("Shift", "k", "y")]
    found, summary = opened(tmp_path / "m.onnx", model(nodes, {"y": 2}, [shift], x=(2, 800)), copies=2)
    assert [shapes(graph) for graph in found.graphs[1:]] == [[(2, 800)], [(4, 800)]]
    assert summary.totals.parameters == 800
    (tensor,) = found.tensors.values()
    assert {each.inputs for graph in found.graphs[1:] for each in graph.nodes} == {("x", tensor.name)}
    assert ONNX.fetch(Source(tmp_path / "m.onnx"), tensor).sum() == 800 * 799 / 2


def test_very_many_ways_to_call_a_function_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_onnx_calls, "EFFORT", 10)
    one = function("One", "x", "y", [node("Concat", ["x", "x"], ["y"], axis=1)])
    nodes = [own("One", f"h{at}" if at else "x", f"h{at + 1}") for at in range(20)]
    onnx.save(model(nodes, {"h20": 2}, [one], x=(1, 1)), path := tmp_path / "m.onnx")
    found = read(path)
    assert [item.shape for item in found.graphs[0].outputs] == [(1, 1 << 20)]
    assert len(found.graphs) == 1 + 10 + 1
    assert found.graphs[-1].values == {}
    assert [note.text for note in found.notes] == ["Shapes in functions are those of the calls that came first."]


def test_what_a_tensor_is_for_is_seen_through_functions(tmp_path: Path) -> None:
    """Running statistics, 8-bit weights and their scales are what they are, however deep the call that uses them."""
    norm = function("Norm", "x s b m v", "y", [node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"])])
    real = function("Real", "q s", "w", [node("DequantizeLinear", ["q", "s"], ["w"], axis=0)])
    deep = function("Deep", "x s b m v q c", "y", [
        own("Norm", "x s b m v", "n"), own("Real", "q c", "w"), node("MatMul", ["n", "w"], ["y"]),
    ])  # fmt: skip
    stored = dict.fromkeys("sbmvc", (4,)) | {"q": np.ones((4, 6), np.int8)}
    found, summary = opened(
        tmp_path / "m.onnx",
        model([own("Deep", "x s b m v q c", "y")], {"y": 2}, [norm, real, deep], x=(2, 4), **stored),
    )
    roles = {name: str(tensor.role) for name, tensor in found.tensors.items()}
    assert roles == {"s": "weight", "b": "weight", "m": "buffer", "v": "buffer", "c": "constant", "q": "weight"}
    assert (summary.totals.parameters, summary.totals.trainable) == (4 * 4 + 24, 2 * 4 + 24)


def test_weights_that_a_call_hands_over_as_attributes_are_its_own(tmp_path: Path) -> None:
    times = function("Times", "x", "y", [
        referring("Constant", [], ["c"], value=("w", 4)), node("MatMul", ["x", "c"], ["y"]),
    ], "w")  # fmt: skip
    inside = referring("Times", ["x"], ["y"], w=("v", 4))
    inside.domain = "own"
    outside = function("Outside", "x", "y", [inside], "v")
    small, large = (np.arange(size, dtype=np.float32).reshape(-1, 4) for size in (16, 1600))
    parts = [numpy_helper.from_array(each, name) for each, name in ((small, "a"), (large.T.copy(), "b"))]
    nodes = [own("Times", "x", "h", w=parts[0]), own("Outside", "h", "y", v=parts[1])]
    onnx.save(model(nodes, {"y": 2}, [times, outside], x=(2, 4)), path := tmp_path / "m.onnx")
    found = read(path)
    summary = Summary(found)
    assert (summary.totals.parameters, summary.totals.macs) == (1616, 2 * 16 + 2 * 1600)
    assert [row.parameters for row in summary.rows() if row.graph == "main"] == [16, 1600]
    values = [ONNX.fetch(Source(path), found.tensors[each.tensors[0]]) for each in found.graphs[0].nodes]
    assert [np.array_equal(a, b) for a, b in zip(values, (small, large.T), strict=True)] == [True, True]
