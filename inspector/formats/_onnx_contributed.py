"""Shapes behind the operators that ONNX Runtime adds to ONNX's own: it writes them when it optimises a model.

They stand in the domain `com.microsoft`, of which onnx's inference knows nothing: without these rules all that follows
the first of them is unknown. Formulas: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md.
Likewise some of `ai.onnx.ml`: https://onnx.ai/onnx/operators.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from inspector.formats import _onnx_sizes as sizes
from inspector.formats._onnx_computed import broadcast
from inspector.formats._onnx_values import FLOAT, Call
from inspector.ir import Dim, Shape

DOMAINS = ("com.microsoft", "ai.onnx.ml")

Rule = Callable[[Call], Shape | None]


def _first(call: Call) -> Shape | None:
    return call.shape()


def _paired(call: Call) -> Shape | None:
    """Quantized sums and products: each operand has a scale and a zero point behind it."""
    first, second = call.shape(0), call.shape(3)
    return None if first is None or second is None else broadcast(first, second)


def _turned(shape: Shape | None, turned: int) -> Shape | None:
    """The shape of a matrix, or of many, as it is multiplied."""
    if shape is None or not turned or len(shape) < 2:
        return shape
    return (*shape[:-2], shape[-1], shape[-2])


def _matmul(call: Call) -> Shape | None:
    if call.integer("transBatchA", 0) or call.integer("transBatchB", 0):
        return None
    first, second = (_turned(call.shape(at), call.integer(name, 0)) for at, name in ((0, "transA"), (1, "transB")))
    if first is None or second is None or len(first) < 2 or len(second) < 2:
        return None
    return (*broadcast(first[:-2], second[:-2]), first[-2], second[-1])


def _gemm(second: int) -> Rule:
    def rule(call: Call) -> Shape | None:
        first = _turned(call.shape(0), call.integer("transA", 0))
        other = _turned(call.shape(second), call.integer("transB", 0))
        if first is None or other is None or len(first) != 2 or len(other) != 2:
            return None
        return first[0], other[1]

    return rule


def _packed(call: Call) -> Shape | None:
    """A matrix in blocks of a few bits: its own shape says nothing, an attribute does."""
    shape, width = call.shape(), call.integer("N", 0)
    return (*shape[:-1], width) if shape and width > 0 else None


def _parts(dim: Dim, count: int) -> Dim:
    """A dimension that consists of so many equal parts: one of them."""
    size = sizes.of(dim)
    return None if size is None else sizes.written(sizes.over(size, count))


def _attention(call: Call) -> Shape | None:
    """Query, key and value are made inside, by one matrix."""
    shape, weights, widths = call.shape(), call.shape(1), call.integers("qkv_hidden_sizes")
    if shape is None or len(shape) != 3 or weights is None or len(weights) != 2:
        return None
    return (*shape[:2], widths[2] if widths and len(widths) == 3 else _parts(weights[1], 3))


def _multi_head(call: Call) -> Shape | None:
    query, value = call.shape(0), call.shape(2)
    if query is None:
        return None
    if len(query) == 5:  # packed: batch, length, heads, 3, size
        return *query[:2], sizes.written(sizes.product(map(sizes.of, (query[2], query[4]))))
    if len(query) != 3 or value is None:
        return None
    if len(value) == 4:  # batch, heads, length, size
        return *query[:2], sizes.written(sizes.product(map(sizes.of, (value[1], value[3]))))
    return (*query[:2], value[2]) if len(value) == 3 else None


def _grouped(call: Call) -> Shape | None:
    query, heads, shared = call.shape(), call.integer("num_heads", 0), call.integer("kv_num_heads", 0)
    if query is None or len(query) != 3 or heads <= 0 or shared <= 0:
        return None
    if call.given(1):
        return query
    size = _parts(query[2], heads + 2 * shared)
    return *query[:2], size * heads if isinstance(size, int) else None


def _embedded(call: Call) -> Shape | None:
    words, table = call.shape(), call.shape(2)
    return None if words is None or table is None or len(table) != 2 else (*words, table[1])


def _gathered(call: Call) -> Shape | None:
    """Rows of a table whose numbers stand one in each element."""
    table, places = call.shape(), call.shape(1)
    axis = call.integer("gather_axis", 0)
    if not table or places is None or not -len(table) <= axis < len(table):
        return None
    return *table[: axis % len(table)], *places, *table[axis % len(table) + 1 :]


def _joined(call: Call) -> Shape | None:
    """Quantized parts side by side: each has a scale and a zero point behind it, the whole has them in front."""
    parts = [shape for shape in call.shapes[2::3] if shape]
    if len(parts) < len(call.shapes[2::3]) or len({len(shape) for shape in parts}) != 1:
        return None
    axis, total = call.integer("axis", 0) % len(parts[0]), sizes.of(0)
    for shape in parts:
        size = sizes.of(shape[axis])
        total = None if total is None or size is None else sizes.plus(total, size)
    return *parts[0][:axis], sizes.written(total), *parts[0][axis + 1 :]


def _averaged(call: Call) -> Shape | None:
    shape = call.shape()
    if shape is None or len(shape) < 3:
        return None
    ones = (1,) * (len(shape) - 2)
    return (shape[0], *ones, shape[-1]) if call.integer("channels_last", 0) else (*shape[:2], *ones)


def _targets(name: str) -> Rule:
    """So many numbers for each row, of which one may stand alone."""

    def rule(call: Call) -> Shape | None:
        shape = call.shape()
        return None if not shape else (shape[0] if len(shape) > 1 else 1, call.integer(name, 1))

    return rule


def _vectors(call: Call) -> Shape | None:
    shape, parts = call.shape(), call.integers("inputdimensions")
    return (shape[0], sum(parts)) if shape is not None and len(shape) == 2 and parts else None


_ALIKE = (
    "Imputer Inverse MoE Normalizer QMoE Scaler "
    "BiasAdd BiasDropout BiasGelu BiasSoftmax DequantizeLinear FastGelu Gelu GroupNorm QLinearLeakyRelu QLinearSigmoid "
    "QLinearSoftmax QuantizeLinear QuickGelu RotaryEmbedding SimplifiedLayerNormalization SkipGroupNorm "
    "SkipLayerNormalization SkipSimplifiedLayerNormalization Trilu"
)

RULES: dict[str, Rule] = {
    **dict.fromkeys(_ALIKE.split(), _first),
    **dict.fromkeys(("QLinearAdd", "QLinearMul"), _paired),
    **dict.fromkeys(("FusedMatMul", "TransposeMatMul", "FusedMatMulActivation"), _matmul),
    **dict.fromkeys(("DynamicQuantizeMatMul", "MatMulIntegerToFloat"), _matmul),
    **dict.fromkeys(("FusedGemm", "GemmFastGelu"), _gemm(1)),
    "QGemm": _gemm(3),
    **dict.fromkeys(("MatMulNBits", "MatMulBnb4", "MatMulFpQ4"), _packed),
    **dict.fromkeys(("Attention", "QAttention"), _attention),
    "MultiHeadAttention": _multi_head,
    "GroupQueryAttention": _grouped,
    "EmbedLayerNormalization": _embedded,
    "GatherBlockQuantized": _gathered,
    "QLinearConcat": _joined,
    "QLinearGlobalAveragePool": _averaged,
    "LinearRegressor": _targets("targets"),
    "SVMRegressor": _targets("one"),
    "TreeEnsembleRegressor": _targets("n_targets"),
    "FeatureVectorizer": _vectors,
}
"""The shape of the first output, by operator."""

SUMS = {"SkipLayerNormalization": 3, "SkipSimplifiedLayerNormalization": 3}
"""Which further output is what was normalised, of the same shape."""

OWN = frozenset({"SimplifiedLayerNormalization"})
"""Those that are written without a domain."""

SCALES = {
    "DequantizeLinear": 1,
    "GatherBlockQuantized": 2,
    "MatMulIntegerToFloat": 2,
    "EmbedLayerNormalization": 2,
    "QAttention": 3,
}
"""Of which input the output has the type, where not of the first: of a scale, or of a table."""

POINTS = {"QLinearConcat": 1, "QuantizeLinear": 2, "QGemm": 8}
"""Likewise: of the zero point, where there is one."""

REAL = frozenset(
    {"FeatureVectorizer", "LinearRegressor", "Normalizer", "SVMRegressor", "Scaler", "TreeEnsembleRegressor"}
)
"""Those that give fractions whatever they take."""

FUSED = {
    "FusedConv": ("Conv", (0, 1, 2)),
    "DynamicQuantizeLSTM": ("LSTM", (0, 0, 0)),
    "QLinearAveragePool": ("MaxPool", (0,)),
}
"""What gives the same shape as another operator, which onnx knows, and from which of its inputs."""

ASIDE = ("activation", "channels_last", "count_include_pad")
"""How attributes begin that have no say in it."""

BYTE_KINDS = (2, 3)


def packed(node: Any, kinds: Sequence[int], table: Shape | None) -> Shape | None:
    """The shape of a quantized table with one number in each element, where several are packed into bytes.

    Args:
        node: A GatherBlockQuantized.
        kinds: Element types of its inputs.
        table: As stored.
    """
    bits = next((int(item.i) for item in node.attribute if item.name == "bits"), 4)
    if not table or not kinds or kinds[0] not in BYTE_KINDS or not 0 < bits < 8 or not isinstance(table[-1], int):
        return table
    return (*table[:-1], table[-1] * (8 // bits))


def kind(call: Call, kinds: Sequence[int]) -> int:
    """Element type of the outputs; 0 where it is not known.

    Args:
        call: The node.
        kinds: Element types of its inputs.
    """
    op = call.node.op_type
    if op in REAL:
        return FLOAT
    at = POINTS.get(op, SCALES.get(op, 0))
    return kinds[at] if at < len(kinds) else 0
