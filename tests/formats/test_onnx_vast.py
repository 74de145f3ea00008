"""Very large ONNX graphs are read another way, with the same result: every model here is read both ways."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as n

from inspector.errors import FormatError
from inspector.formats import Source, _onnx_columns, _onnx_vast, _onnx_vast_shapes
from inspector.formats import onnx as reader
from inspector.ir import Model, Value


@pytest.fixture
def vast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every graph counts as very large; blocks and stretches are short, so that much crosses from one to another."""
    monkeypatch.setattr(_onnx_vast, "VAST", 0)
    monkeypatch.setattr(_onnx_vast, "LEAST", 0)
    monkeypatch.setattr(_onnx_columns, "BLOCK", 3)
    monkeypatch.setattr(_onnx_vast_shapes, "STRETCH", 4)


def saved(path: Path, nodes: list[onnx.NodeProto], weights: list[onnx.TensorProto], **more: object) -> Path:
    ends = (
        [h.make_tensor_value_info("input", T.FLOAT, ["batch", 6, 8])],
        [h.make_tensor_value_info("output", T.FLOAT, None)],
    )
    graph = h.make_graph(nodes, "g", *ends, weights, **more)  # type: ignore[arg-type]
    onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 18), h.make_opsetid("mine", 1)]), path)
    return path


def of_everything(path: Path) -> Path:
    """Names that are missing, twice there, long or not ASCII; literals; chains that compute shapes; odd tensors."""
    node, rng = h.make_node, np.random.default_rng(0)
    nodes = [
        node("MatMul", ["input", "w"], ["a"], "/block.0/attention/q/MatMul"),
        node("Add", ["a", "b"], ["c"], "/block.0/attention/q/Add"),
        node("Constant", [], ["axes"], value=n.from_array(np.array([-1], np.int64))),
        node("Shape", ["c"], ["shape"], "/block.0/Shape"),
        node("Gather", ["shape", "zero"], ["first"], "/block.0/Gather", axis=0),
        node("Unsqueeze", ["first", "front"], ["lead"], "/block.0/Unsqueeze"),
        node("Relu", ["c"], ["r"]),
        node("Relu", ["r"], ["s"], "/block.0/attention/q/MatMul"),
        node("Concat", ["lead", "axes"], ["target"], "/block.1/Concat", axis=0),
        node("Größe", ["s"], ["ü"], "/schräg/x", domain="mine", label="ß"),
        node("Identity", ["s"], ["t" * 300], "/long/" + "n" * 300),
        node("Reshape", ["s", "target"], ["flat"], "/block.1/Reshape"),
        node("Constant", [], ["factor"], "", value_float=2.5),
        node("Mul", ["flat", "factor"], ["m"], "/block.1/Mul"),
        node("Dropout", ["m", "", ""], ["d", ""], "/block.1/Dropout", doc_string="words"),
        node("Gemm", ["d", "big", "b2"], ["output"], "/block.1/head/Gemm", transB=1, alpha=0.5),
    ]
    weights = [
        n.from_array(rng.standard_normal((8, 8)).astype("f4"), "w"),
        n.from_array(rng.standard_normal(8).astype("f4"), "b"),
        n.from_array(np.array(0, np.int64), "zero"),
        n.from_array(np.array([0], np.int64), "front"),
        n.from_array(rng.standard_normal((50, 48)).astype("f4"), "big"),
        h.make_tensor("b2", T.FLOAT, [50], [0.5] * 50),
        n.from_array(np.array(["a", "b"], object), "größe"),
        T(name="beside", data_type=T.FLOAT, dims=[3], data_location=T.EXTERNAL),
    ]
    weights[-1].external_data.add(key="location", value="weights.bin")
    told = [h.make_tensor_value_info("m", T.FLOAT, ["batch", 48]), h.make_tensor_value_info("ü", T.FLOAT, [1, 2])]
    return saved(path, nodes, weights, value_info=told)


def both(path: Path, monkeypatch: pytest.MonkeyPatch, dims: dict[str, int] | None = None) -> tuple[Model, Model]:
    """The model as any other is read, and as a very large one is."""
    small = _onnx_vast.VAST
    monkeypatch.setattr(_onnx_vast, "VAST", 1 << 40)
    plain = reader.resize(Source(path), dims or {})
    monkeypatch.setattr(_onnx_vast, "VAST", small)
    assert reader.sketch(Source(path)) is not None
    return plain, reader.resize(Source(path), dims or {})


def anonymous(model: Model) -> Model:
    """The model with one name for all sizes of which inference knows nothing; it may number them as it likes."""

    def known(value: Value) -> Value:
        named = [isinstance(dim, str) and dim.startswith("unk__") for dim in value.shape or ()]
        shape = value.shape and tuple("unknown" if odd else dim for dim, odd in zip(value.shape, named, strict=True))
        return replace(value, shape=shape)

    graphs = tuple(
        replace(
            graph,
            inputs=tuple(map(known, graph.inputs)),
            outputs=tuple(map(known, graph.outputs)),
            values={name: known(value) for name, value in graph.values.items()},
        )
        for graph in model.graphs
    )
    return replace(model, graphs=graphs, signatures=())


@pytest.mark.usefixtures("vast")
@pytest.mark.parametrize("dims", [{}, {"batch": 3}])
def test_a_model_with_one_of_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dims: dict[str, int]) -> None:
    plain, large = both(of_everything(tmp_path / "all.onnx"), monkeypatch, dims)
    assert anonymous(large) == anonymous(plain)
    shape = large.graphs[0].values["flat"].shape
    assert shape is not None
    assert shape == (3, 48) if dims else shape[0] == "batch", "nodes compute it"
    assert large.signatures[0].outputs[0].shape == large.graphs[0].outputs[0].shape


@pytest.mark.usefixtures("vast")
@pytest.mark.parametrize("dims", [{}, {"batch": 3}])
def test_sizes_that_are_worked_out_at_run_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dims: dict[str, int]
) -> None:
    node = h.make_node
    nodes = [
        node("Shape", ["input"], ["shape"]),
        node("Slice", ["shape", "zero", "two"], ["lead"]),
        node("Relu", ["input"], ["r"]),
        node("ReduceProd", ["lead"], ["rows"], keepdims=1),
        node("Concat", ["rows", "rest"], ["target"], axis=0),
        *[node("Relu", ["r" if i == 0 else f"r{i - 1}"], [f"r{i}"]) for i in range(6)],
        node("Reshape", ["r5", "target"], ["flat"]),
        node("NonZero", ["flat"], ["places"]),
        node("MatMul", ["flat", "w"], ["m"]),
        *[node("Tanh", ["m" if i == 0 else f"m{i - 1}"], [f"m{i}"]) for i in range(5)],
        node("Reshape", ["m4", "shape"], ["back"]),
        node("Flatten", ["back"], ["wide"], axis=2),
        node("Sigmoid", ["wide"], ["output"]),
    ]
    values = {"zero": [0], "two": [2], "rest": [8]}
    weights = [n.from_array(np.array(value, np.int64), name) for name, value in values.items()]
    path = saved(tmp_path / "sizes.onnx", nodes, [*weights, n.from_array(np.zeros((8, 8), "f4"), "w")])
    plain, large = both(path, monkeypatch, dims)
    assert anonymous(large) == anonymous(plain)
    batch, rows = (3, 18) if dims else ("batch", "6*batch")
    found = large.graphs[0].values
    assert [found[name].shape for name in ("flat", "m", "m4", "output")] == [(rows, 8)] * 4
    assert found["back"].shape == (batch, 6, 8)


@pytest.mark.usefixtures("vast")
def test_an_old_model_that_lists_its_weights_among_the_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = of_everything(tmp_path / "old.onnx")
    model = onnx.load(path, load_external_data=False)
    listed = [h.make_tensor_value_info(w.name, w.data_type, w.dims) for w in model.graph.initializer]
    model.graph.input.extend(listed)
    model.ir_version = 3
    path.write_bytes(model.SerializeToString())
    plain, large = both(path, monkeypatch)
    assert anonymous(large) == anonymous(plain)
    assert large.graphs[0].values["c"].shape == ("batch", 6, 8)


@pytest.mark.usefixtures("vast")
@pytest.mark.parametrize("name", ["digits_mlp.onnx", "digits_cnn.onnx"])
def test_a_sample(samples: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    plain, large = both(samples / name, monkeypatch)
    assert anonymous(large) == anonymous(plain)


@pytest.mark.usefixtures("vast")
def test_a_sketch_has_everything_but_shapes(tmp_path: Path) -> None:
    source = Source(of_everything(tmp_path / "all.onnx"))
    sketch, whole = reader.sketch(source), reader.read(source)
    assert sketch is not None
    assert sketch.graphs[0].nodes == whole.graphs[0].nodes
    assert sketch.tensors == whole.tensors
    assert sketch.graphs[0].values.keys() < whole.graphs[0].values.keys()
    shares: list[float] = []
    settled = reader.settle(source, sketch, {}, shares.append)
    assert anonymous(settled) == anonymous(whole)
    assert shares == sorted(shares)
    assert shares[-1] == 1


@pytest.mark.usefixtures("vast")
def test_graphs_in_nodes_are_read_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def branch(op: str) -> onnx.GraphProto:
        result = h.make_tensor_value_info(op, T.FLOAT, None)
        return h.make_graph([h.make_node(op, ["input"], [op])], op, [], [result])

    nodes = [
        h.make_node("If", ["yes"], ["x"], "choice", then_branch=branch("Relu"), else_branch=branch("Neg")),
        h.make_node("Relu", ["x"], ["output"], "last"),
    ]
    path = saved(tmp_path / "if.onnx", nodes, [n.from_array(np.array(True), "yes")])
    assert reader.sketch(Source(path)) is None, "shapes in branches are worth the time"
    model = reader.read(Source(path))
    assert [graph.name for graph in model.graphs] == ["g", "choice/else_branch", "choice/then_branch"]
    monkeypatch.setattr(reader, "HUGE", 2)
    sketch = reader.sketch(Source(path))
    assert sketch is not None
    assert [graph.nodes for graph in sketch.graphs] == [graph.nodes for graph in model.graphs]
    assert [note.text for note in sketch.notes] == [
        "Shapes in branches, loops and functions of so large a model are not worked out."
    ]


@pytest.mark.usefixtures("vast")
@pytest.mark.parametrize("at", [60, 200, 400])
def test_a_damaged_file_is_refused(tmp_path: Path, at: int) -> None:
    path = of_everything(tmp_path / "all.onnx")
    data = bytearray(path.read_bytes())
    data[at : at + 12] = b"\xff" * 12
    path.write_bytes(data)
    with pytest.raises(FormatError):
        reader.read(Source(path))
