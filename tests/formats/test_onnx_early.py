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
    path = saved(tmp_path / "m.onnx", nodes, ["rows", 4], {"": 15, "ai.onnx.ml": 3})
    proto = onnx.load(path)
    made = [name for each in proto.graph.node for name in each.output]
    proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name in made if name != "y")
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]
    real = dict(zip(names, session.run(names, {"x": np.ones((5, 4), np.float32)}), strict=True))
    found = read(path).main
    assert found is not None
    for name in made:
        shape = found.values[name].shape
        assert shape is not None
        assert tuple(5 if size == "rows" else size for size in shape) == real[name].shape, name
        assert found.values[name].dtype == "float32"
