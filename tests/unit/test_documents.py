"""What is told of operators: the data is whole, names are found in every spelling, and a node's details show it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
import tflite

from inspector.assets import resource
from inspector.formats import Source, formats
from inspector.formats._documents import Family, documented, signatures, texts
from inspector.jobs.terminal import ask_document
from inspector.worker.tasks.details import TASK as DETAILS
from inspector.worker.tasks.details import Details, DetailsArgs


@pytest.mark.parametrize("family", get_args(Family))
def test_every_name_stands_once_and_every_text_is_a_sentence(family: Family) -> None:
    lines = resource("operators", f"{family}.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.partition(": ") for line in lines if line and not line.startswith("#")]
    assert all(mark and words[-1] == "." and len(words) < 700 for _, mark, words in rows)
    assert not [name for name, count in Counter(" ".join(head for head, _, _ in rows).split()).items() if count > 1]
    assert len(texts(family)) >= (80 if family == "onnxruntime" else 150)
    assert set(signatures()[family]) <= set(texts(family))


def test_what_is_known_covers_what_there_is() -> None:
    builtin = {name for name in vars(tflite.BuiltinOperator) if name.isupper()}
    assert len(builtin & set(texts("tensorflow"))) > 0.97 * len(builtin)
    assert {"Dense", "LSTM", "MultiHeadAttention", "TFOpLambda"} <= set(texts("keras"))
    assert len(signatures()["keras"]) > 150


@pytest.mark.parametrize(
    ("op", "begins"),
    [
        ("aten.linear.default", "linear: input · weightᵀ + bias"),
        ("aten::linear", "linear: "),
        ("aten.add_.Tensor", "In place: add: "),
        ("aten::__getitem__", "__getitem__: "),
        ("prim::If", "prim::If: Runs one of two blocks"),
        ("torch.nn.modules.linear.Linear", "Linear: "),
        ("__torch__.torch.nn.modules.conv.Conv2d", "Conv2d: "),
        ("_operator.getitem", "getitem: "),
        ("quantized::conv2d_relu", "quantized::conv2d_relu: Convolution of integers, with relu"),
        ("aten::quantized_lstm", "quantized_lstm: Recurrent layers"),
        ("quantized_decomposed.dequantize_per_channel.default", "quantized_decomposed::dequantize_per_channel: Inte"),
        ("torchao.dequantize_affine.default", "torchao::dequantize_affine: "),
        ("torch.ao.nn.intrinsic.quantized.modules.conv_relu.ConvReLU2d", "ConvReLU2d: "),
        ("torch.ao.nn.quantized.dynamic.modules.rnn.LSTM", "LSTM: "),
        ("higher_order.cond", "higher_order::cond: Runs one of two graphs"),
        ("torchvision::nms", "torchvision::nms: Non-maximum suppression"),
        ("onednn.qlinear_pointwise.default", "onednn::qlinear_pointwise: A linear layer"),
        ("torch.ao.quantization.stubs.QuantStub", "QuantStub: "),
        ("torch.sym_max", "sym_max: "),
        ("mine::linear", ""),
        ("mine.linear.default", ""),
        ("aten::no_such_thing_", ""),
    ],
)
def test_names_of_torch(op: str, begins: str) -> None:
    found = documented("torch")(op, "")
    assert found.startswith(begins)
    assert bool(found) == bool(begins)


def test_every_operator_that_exports_are_made_of_is_told_of() -> None:
    import torch
    import torch.ao.quantization.fx._decomposed  # its operators are there once it is imported

    packets = [getattr(torch.ops.aten, name) for name in dir(torch.ops.aten)]
    core = {
        str(getattr(packet, way))
        for packet in packets
        if isinstance(packet, torch._ops.OpOverloadPacket)
        for way in packet.overloads()
        if torch.Tag.core in getattr(packet, way).tags
    }
    assert len(core) > 150
    spaces = ("quantized::", "quantized_decomposed::", "prim::is_")
    rest = {schema.name for schema in torch._C._jit_get_all_schemas() if schema.name.startswith(spaces)}
    for known in (core, rest):  # a newer torch may have one more
        assert len({op for op in known if not documented("torch")(op, "")}) < 0.03 * len(known)
    told = documented("torch")("quantized_decomposed.quantize_per_tensor.default", "")
    assert "float scale, int zero_point, int quant_min, int quant_max" in told  # not ATen's of that name


def test_a_custom_operator_is_not_taken_for_ours() -> None:
    assert documented("tensorflow")("CONV_2D", "").endswith("DilationHFactor, QuantizedBiasType")
    assert documented("tensorflow")("CONV_2D", "custom") == ""
    tfjs = formats()["tfjs"].document
    assert "kernel: height" in tfjs("Conv2D", "layers model")
    assert "filter (height" in tfjs("Conv2D", "graph model")


def test_operators_of_openvino_and_layers_from_before_it_had_sets() -> None:
    document = formats()["openvino"].document
    assert document("TopK", "opset11").endswith("\n\n    TopK(data, k); axis, mode, sort, index_element_type, stable")
    assert document("PReLU", "opset1").endswith("    PReLU(data, slope)")
    assert document("ROIPooling", "opset2").startswith("ROIPooling: ")
    assert "auto_broadcast" in document("Power", "opset1")
    assert document("Power", "") == "Power: (scale · x + shift) to the power of the attribute power."
    assert document("TopK", "mine") == document("Interpolate", "") == document("NoSuch", "opset8") == ""
    files = sorted((Path(__file__).parents[1] / "formats" / "openvino").glob("*.xml"))
    nodes = [
        node for path in files for graph in formats()["openvino"].read(Source(path)).graphs for node in graph.nodes
    ]
    assert len(nodes) > 100
    assert {node.op for node in nodes if not document(node.op, node.domain)} == set()


def test_operators_of_onnx_runtime() -> None:
    document = formats()["onnx"].document
    assert document("Gemm", "").startswith("Gemm, since version")
    assert "MatMulNBits(A, B, scales, zero_points?" in document("MatMulNBits", "com.microsoft")
    assert document("SimplifiedLayerNormalization", "").startswith("SimplifiedLayerNormalization: ")
    assert document("Conv", "com.microsoft.nchwc").startswith("nchwc::Conv: Convolution with channels in blocks")
    assert document("torch.nn.modules.linear.Linear", "").startswith("Linear: input · weightᵀ + bias")
    assert document("MatMulNBits", "mine") == document("Attention", "mine") == document("NoSuch", "com.microsoft") == ""


@pytest.mark.parametrize(
    ("name", "row", "said"),
    [
        ("digits_mlp.pt2", 1, "    linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor"),
        ("digits_mlp.torchscript.pt", 1, "    linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor"),
        ("digits_keras.keras", 1, "    Dense(units, activation=None, use_bias=True"),
        ("digits_mlp.onnx", 1, "General Matrix multiplication"),
        ("../../tests/formats/openvino/windows.xml", 1, "    Gather(data, indices, axis); batch_dims"),
    ],
)
def test_a_real_worker_tells_it(samples: Path, name: str, row: int, said: str) -> None:
    from inspector.worker.tasks.rows import TASK as ROWS
    from inspector.worker.tasks.rows import RowsArgs

    _, page = ask_document(samples / name, [(ROWS, RowsArgs())])
    seen: Details
    _, seen = ask_document(samples / name, [(DETAILS, DetailsArgs("row", page.rows[row].name))])
    assert said in seen.doc
