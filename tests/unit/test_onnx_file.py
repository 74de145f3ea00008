"""What is done to every ONNX file that is written, on plain texts and on models made here."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from inspector.engines.convert import onnx_file
from inspector.engines.convert.onnx_tf_pack.build import safe_names
from inspector.engines.convert.onnx_tf_pack.prepare import strip_dropout
from inspector.errors import ConversionError


def model(
    nodes: list[onnx.NodeProto], inputs: tuple[str, ...] = ("x",), outputs: tuple[str, ...] = ("y",)
) -> onnx.ModelProto:
    def value(name: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3])

    graph = helper.make_graph(nodes, "g", [value(name) for name in inputs], [value(name) for name in outputs])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def run(made: onnx.ModelProto, **feeds: np.ndarray) -> list[np.ndarray]:
    from onnx.reference import ReferenceEvaluator

    return list(ReferenceEvaluator(made).run(None, feeds))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('File "/home/ann/models/net.py", line 12, in forward', 'File "net.py", line 12, in forward'),
        ('File "/usr/lib/python3.11/site-packages/torch/nn/linear.py", line 3', 'File "torch/nn/linear.py", line 3'),
        (r'File "C:\Users\ann\net.py", line 12', 'File "net.py", line 12'),
        ("/a/b/net.py(12): forward", "net.py(12): forward"),
        ("aten.linear.default", "aten.linear.default"),
        ("/flatten/Flatten_output_0", "/flatten/Flatten_output_0"),
    ],
)
def test_paths_of_the_machine_become_relative(text: str, wanted: str) -> None:
    assert onnx_file.relative(text) == wanted


def test_tidy_reaches_nodes_values_and_functions() -> None:
    node = helper.make_node("Relu", ["x"], ["y"], doc_string="/home/ann/net.py(3)")
    node.metadata_props.add(key="trace", value='File "/home/ann/net.py", line 3')
    made = model([node])
    made.graph.metadata_props.add(key="where", value="/home/ann/net.py")
    onnx_file.tidy(made)
    assert b"/home/ann" not in made.SerializeToString()
    assert b"net.py" in made.SerializeToString()


def test_renaming_inputs_and_outputs_keeps_the_computation() -> None:
    made = model([helper.make_node("Relu", ["x"], ["h"]), helper.make_node("Neg", ["h"], ["y"])])
    onnx_file.rename(made, ["image"], ["h"])  # the new output's name is taken inside
    onnx.checker.check_model(made, full_check=True)
    x = np.array([[-1, 0, 2]], np.float32)
    assert onnx_file.input_names(made) == ["image"]
    assert run(made, image=x)[0].tolist() == [[0, 0, -2]]


@pytest.mark.parametrize(
    ("names", "what"),
    [(["a", "b"], "2 names were given for 1 inputs."), (["a", "b", "c"], "3 names were given for 1 inputs.")],
)
def test_the_wrong_number_of_names_is_refused(names: list[str], what: str) -> None:
    with pytest.raises(ConversionError) as caught:
        onnx_file.rename(model([helper.make_node("Relu", ["x"], ["y"])]), names)
    assert caught.value.what == what


def test_erfc_becomes_one_minus_erf() -> None:
    made = model([helper.make_node("Erfc", ["x"], ["y"], name="e")])
    assert onnx_file.replace_erfc(made) == 1
    onnx.checker.check_model(made)
    assert run(made, x=np.array([[0, 1, -1]], np.float32))[0] == pytest.approx(np.array([[1, 0.1572992, 1.8427008]]))


def test_dropout_is_stripped_where_it_does_nothing() -> None:
    made = model(
        [
            helper.make_node("Dropout", ["x"], ["a"]),
            helper.make_node("Dropout", ["a"], ["b"]),
            helper.make_node("Relu", ["b"], ["y"]),
        ]
    )
    assert strip_dropout(made.graph) == 2
    assert [(node.op_type, list(node.input)) for node in made.graph.node] == [("Relu", ["x"])]


def test_dropout_whose_mask_is_used_or_that_trains_stays() -> None:
    made = model([helper.make_node("Dropout", ["x"], ["y", "mask"]), helper.make_node("Not", ["mask"], ["z"])])
    assert strip_dropout(made.graph) == 0
    made = model([helper.make_node("Dropout", ["x", "r", "t"], ["h"]), helper.make_node("Relu", ["h"], ["y"])])
    made.graph.initializer.append(numpy_helper.from_array(np.array(True), "t"))
    assert strip_dropout(made.graph) == 0


def test_names_that_tensorflow_takes_are_different_from_each_other() -> None:
    assert safe_names(["input", "x.1", "x:1", "lambda", "1a", "_b"]) == {
        "input": "input",
        "x.1": "x_1",
        "x:1": "x_1_1",
        "lambda": "lambda_",
        "1a": "x1a",
        "_b": "x_b",
    }
