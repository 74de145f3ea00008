"""One name and one colour for each operator, in every format's words."""

from __future__ import annotations

import onnx
import pytest

from inspector.ir.operators import CATEGORIES, canonical, category

SAME = {
    ("linear", "linear"): "Gemm aten.linear.default aten::linear Dense FULLY_CONNECTED aten.addmm.default Linear "
    "torch.nn.modules.linear.Linear __torch__.torch.nn.modules.linear.___torch_mangle_7.Linear EinsumDense",
    (
        "matmul",
        "linear",
    ): "MatMul aten.mm.default aten.bmm.default BatchMatMulV2 BATCH_MATMUL aten::matmul QLinearMatMul "
    "DynamicQuantizeMatMul MatMulIntegerToFloat",
    ("conv", "convolution"): "Conv aten.conv2d.default Conv2D Conv1D Conv3d CONV_2D DEPTHWISE_CONV_2D SeparableConv2D "
    "DepthwiseConv2dNative _FusedDepthwiseConv2dNative NhwcConv aten::_convolution "
    "aten.convolution.default QLinearConv ConvInteger",
    ("conv_transpose", "convolution"): "ConvTranspose Conv2DTranspose TRANSPOSE_CONV Conv2DBackpropInput "
    "aten.conv_transpose2d.input ConvTranspose2d",
    ("batch_norm", "normalisation"): "BatchNormalization BatchNorm2d FusedBatchNormV3 aten.batch_norm.default "
    "aten._native_batch_norm_legit_no_training.default",
    ("layer_norm", "normalisation"): "LayerNormalization LayerNorm aten.native_layer_norm.default",
    ("relu", "activation"): "Relu ReLU RELU aten.relu.default aten.relu_.default aten::relu_",
    ("gelu", "activation"): "Gelu GELU aten.gelu.default",
    ("max_pool", "pooling"): "MaxPool MaxPooling2D MAX_POOL_2D aten.max_pool2d.default MaxPool2d",
    ("reduce_mean", "pooling"): "ReduceMean aten.mean.dim MEAN REDUCE_MEAN",
    ("sdpa", "attention"): "aten.scaled_dot_product_attention.default aten::scaled_dot_product_attention",
    ("multi_head_attention", "attention"): "MultiHeadAttention MultiheadAttention",
    ("lstm", "recurrent"): "LSTM aten.lstm.input UNIDIRECTIONAL_SEQUENCE_LSTM ConvLSTM2D LSTMBlockCell",
    ("add", "elementwise"): "Add ADD AddV2 aten.add.Tensor aten::add_ BiasAdd _operator.add",
    ("mul", "elementwise"): "Mul Multiply aten.mul.Scalar MUL",
    ("reshape", "shape"): "Reshape Flatten aten.view.default aten.flatten.using_ints EXPAND_DIMS Unsqueeze",
    ("concat", "shape"): "Concat Concatenate CONCATENATION aten.cat.default ConcatV2",
    ("slice", "shape"): "Slice STRIDED_SLICE aten.slice.Tensor aten.select.int _operator.getitem",
    ("constant", "constant"): "Constant Const prim::Constant aten.zeros.default ConstantOfShape",
    ("if", "control"): "If IF StatelessIf Case torch.ops.higher_order.cond",
    ("embedding", "embedding"): "Embedding aten.embedding.default EMBEDDING_LOOKUP",
}


@pytest.mark.parametrize(
    ("op", "name", "colour"),
    [(op, name, colour) for (name, colour), ops in SAME.items() for op in ops.split()],
)
def test_the_same_operation_has_one_name(op: str, name: str, colour: str) -> None:
    assert (canonical(op), category(op)) == (name, colour)


def test_a_class_of_somebody_elses_only_bears_the_name() -> None:
    assert (canonical("keras>Dense"), category("keras>Dense")) == ("linear", "linear")
    assert canonical("mine>Dense") != "linear"
    assert category("mine>Dense") == category("re>lu") == "other"


def test_canonical_names_are_their_own() -> None:
    for name, colour in SAME:
        assert category(name) == colour


def test_sums_are_told_apart_by_dialect() -> None:
    assert canonical("Sum") == "add"
    assert canonical("Max", "ai.onnx") == "maximum"
    assert canonical("Sum", "tensorflow") == canonical("aten.sum.dim_IntList") == canonical("SUM") == "reduce_sum"
    assert canonical("Select") == "where"
    assert canonical("aten::select") == "slice"


def test_what_nobody_knows_keeps_its_name_and_is_other() -> None:
    assert canonical("com.acme.FancyThing") == "fancything"
    assert category("com.acme.FancyThing") == "other"
    assert canonical("") == canonical("???") == "unknown"


def test_every_operator_of_onnx_has_a_category() -> None:
    schemas = {schema.name for schema in onnx.defs.get_all_schemas() if schema.domain == ""}
    strange = {name for name in schemas if category(name) == "other"}
    assert all(category(name) in CATEGORIES for name in schemas)
    # Signal processing, losses and texts have no colour of their own.
    assert strange <= {
        "AffineGrid", "BlackmanWindow", "CenterCropPad", "DFT", "Det", "HammingWindow", "HannWindow", "ImageDecoder",
        "MelWeightMatrix", "NegativeLogLikelihoodLoss", "RegexFullMatch", "STFT", "SoftmaxCrossEntropyLoss",
        "StringConcat", "StringNormalizer", "StringSplit", "TfIdfVectorizer",
    }  # fmt: skip
