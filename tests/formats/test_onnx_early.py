"""Operators of which onnx's inference tells nothing: those of its first versions, and some for classical models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper
from onnx_models import read

from inspector.engines.summary.summary import Summary

node, value = helper.make_node, helper.make_tensor_value_info


def saved(path: Path, nodes: list[Any], x: list[Any], imports: dict[str, int], **weights: tuple[int, ...]) -> Path:
    stored = [numpy_helper.from_array(np.ones(shape, np.float32), name) for name, shape in weights.items()]
    ends = [value("x", 1, x), *(value(item.name, 1, item.dims) for item in stored)]  # as files had to be then
    graph = helper.make_graph(nodes, "g", ends, [helper.make_tensor_value_info("y", 1, None)], stored)
    opsets = [helper.make_opsetid(domain, version) for domain, version in imports.items()]
    path.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=3).SerializeToString())
    return path


@pytest.mark.parametrize("version", [1, 3, 5])
def test_a_network_of_the_first_versions_has_its_shapes(tmp_path: Path, version: int) -> None:
    nodes = [
        node("Conv", ["x", "w"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["c", "s", "s", "s", "s"], ["n"], is_test=1, consumed_inputs=[0, 0, 0, 1, 1]),
        node("Relu", ["n"], ["r"]),
        node("Add", ["r", "s"], ["a"], broadcast=1, axis=1),
        node("Pad", ["a"], ["p"], paddings=[0, 0, 1, 1, 0, 0, 0, 2])
        if version == 1
        else node("Pad", ["a"], ["p"], pads=[0, 0, 1, 1, 0, 0, 0, 2]),
        node("Concat", ["p", "p"], ["j"], axis=1),
        node("MaxPool", ["j"], ["m"], kernel_shape=[3, 3], strides=[3, 3]),
        node("Dropout", ["m"], ["d"], is_test=1),
        node("Reshape", ["d"], ["f"], shape=[0, -1]) if version < 5 else node("Flatten", ["d"], ["f"]),
        node("Gemm", ["f", "g", "b"], ["e"], transB=1, broadcast=1),
        node("Cast", ["e"], ["i"], to="FLOAT16"),
        node("Softmax", ["i"], ["y"]),
    ]
    weights: dict[str, tuple[int, ...]] = {"w": (6, 3, 3, 3), "s": (6,), "g": (10, 108), "b": (10,)}
    model = read(saved(tmp_path / "m.onnx", nodes, ["batch", 3, 8, 8], {"": version}, **weights))
    assert model.main is not None
    shapes = {name: each.shape for name, each in model.main.values.items()}
    assert shapes["a"] == ("batch", 6, 8, 8)
    assert shapes["p"] == ("batch", 6, 9, 11)
    assert shapes["m"] == ("batch", 12, 3, 3)
    assert (shapes["f"], shapes["e"], shapes["y"]) == (("batch", 108), ("batch", 10), ("batch", 10))
    assert (model.main.values["i"].dtype, model.main.values["r"].dtype) == ("float16", "float32")
    totals = Summary(model, {"batch": 2}).totals
    assert totals.macs == 2 * (6 * 64 * 27 + 1080)
    assert totals.complete


def test_classical_models_have_their_shapes(tmp_path: Path) -> None:
    ml = {"domain": "ai.onnx.ml"}
    nodes = [
        node("Imputer", ["x"], ["i"], imputed_value_floats=[0.5], replaced_value_float=float("nan"), **ml),
        node("Scaler", ["i"], ["s"], scale=[1.0] * 4, offset=[0.0] * 4, **ml),
        node("Normalizer", ["s"], ["n"], norm="L2", **ml),
        node("LinearRegressor", ["n"], ["l"], coefficients=[1.0] * 12, intercepts=[0.0] * 3, targets=3, **ml),
        node("FeatureVectorizer", ["n", "l"], ["v"], inputdimensions=[4, 3], **ml),
        node(
            "TreeEnsembleRegressor", ["v"], ["y"], n_targets=2, nodes_treeids=[0], nodes_nodeids=[0],
            nodes_featureids=[0], nodes_values=[0.0], nodes_modes=["LEAF"], nodes_truenodeids=[0],
            nodes_falsenodeids=[0],
            target_treeids=[0, 0], target_nodeids=[0, 0], target_ids=[0, 1], target_weights=[1.0, 2.0], **ml,
        ),
    ]  # fmt: skip
    as_it_runs(saved(tmp_path / "m.onnx", nodes, ["rows", 4], {"": 15, "ai.onnx.ml": 3}), (5, 4))


def as_it_runs(path: Path, x: tuple[int, ...]) -> None:
    """Every value has the shape that it has in ONNX Runtime; the first size of the input is `rows`."""
    proto = onnx.load(path)
    made = [name for each in proto.graph.node for name in each.output]
    proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name in made if name != "y")
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]
    real = dict(zip(names, session.run(names, {"x": np.ones(x, np.float32)}), strict=True))
    found = read(path).main
    assert found is not None
    for name in made:
        shape = found.values[name].shape
        assert shape is not None, name
        assert tuple(x[0] if size == "rows" else size for size in shape) == real[name].shape, name
        assert found.values[name].dtype == "float32"


def test_what_onnx_tells_wrong_is_right(tmp_path: Path) -> None:
    """No window of a pooling begins in the padding behind; a spectrum is onesided; what follows from both."""
    pool = {"kernel_shape": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1}
    inner = helper.make_graph(
        [node("MaxPool", ["t"], ["q"], strides=[2, 3], **pool), node("Relu", ["q"], ["z"])],
        "g", [], [helper.make_tensor_value_info("z", 1, None)],
    )  # fmt: skip
    nodes = [
        node("AveragePool", ["x"], ["a"], strides=[3, 3], **pool),
        node("Relu", ["a"], ["r"]),
        node("Constant", [], ["flat"], value_ints=[0, 0, -1]),
        node("Reshape", ["r", "flat"], ["f"]),
        node("Unsqueeze", ["f", "last"], ["t"]),
        node("Constant", [], ["yes"], value=numpy_helper.from_array(np.array(True))),
        node("If", ["yes"], ["i"], then_branch=inner, else_branch=inner),
        node("Constant", [], ["line"], value_ints=[0, -1, 1]),
        node("Reshape", ["x", "line"], ["l"]),
        node("Constant", [], ["step"], value_int=8),
        node("STFT", ["l", "step", "window"], ["s"]),
        node("Flatten", ["s"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes, "m", [value("x", 1, ["rows", 3, 8, 8])], [helper.make_tensor_value_info("y", 1, None)],
        [numpy_helper.from_array(np.ones(16, np.float32), "window"), numpy_helper.from_array(np.array([-1]), "last")],
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    for each in [each for each in graph.node if each.op_type == "Constant"]:  # those are no values but tensors
        (item,) = each.attribute
        array = numpy_helper.to_array(item.t) if item.HasField("t") else np.array(item.ints or item.i)
        made.graph.initializer.append(numpy_helper.from_array(array, each.output[0]))
        made.graph.node.remove(each)
    onnx.save(made, path := tmp_path / "m.onnx")
    as_it_runs(path, (5, 3, 8, 8))
    model = read(path)
    assert model.main is not None
    assert model.main.values["a"].shape == ("rows", 3, 3, 3)
    assert {each.domain for graph in model.graphs for each in graph.nodes} == {""}
    assert list(model.metadata) == ["ir version", "opset ai.onnx"]


def test_a_normalisation_by_groups_keeps_the_shape(tmp_path: Path) -> None:
    nodes = [node("GroupNormalization", ["x", "s", "s"], ["n"], num_groups=2), node("Flatten", ["n"], ["y"])]
    stored = [numpy_helper.from_array(np.ones(4, np.float32), "s")]
    end = [helper.make_tensor_value_info("y", 1, None)]
    graph = helper.make_graph(nodes, "m", [value("x", 1, ["rows", 4, 3])], end, stored)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.save(made, tmp_path / "m.onnx")
    as_it_runs(tmp_path / "m.onnx", (5, 4, 3))
