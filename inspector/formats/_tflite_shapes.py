"""Shapes through a TensorFlow Lite model from other sizes of its inputs: its operators as those of TensorFlow.

Only for sizes that the file leaves open; what it says of a value stays. Filters lie in another order than TensorFlow's,
and some inputs of TensorFlow are settings here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from inspector.formats._tf_shapes import RULES, Rule
from inspector.formats._tf_shapes_dims import Fact, Step, over, total
from inspector.formats._tf_translated import Constants, through
from inspector.formats._tf_translated import Translated as Whole
from inspector.formats._tflite_flex import FLEX
from inspector.formats._tflite_lists import written
from inspector.ir import Attribute, Model, Node, Shape

Settings = Mapping[str, Any]

WIDTHS = {
    "LSTM": (6,), "UNIDIRECTIONAL_SEQUENCE_LSTM": (6,), "BIDIRECTIONAL_SEQUENCE_LSTM": (6, 23),
    "RNN": (2,), "UNIDIRECTIONAL_SEQUENCE_RNN": (2,), "BIDIRECTIONAL_SEQUENCE_RNN": (2, 6),
}  # fmt: skip
"""Which inputs of a recurrent operator hold the matrices, each (cells, width of the output), of its directions."""


def _recurrent(step: Step) -> list[Fact]:
    """As wide as what comes back into the cells; the basic cell has one matrix and its state after the product."""
    x = step.shape()
    if not x:
        return [Fact(step.dtype)]
    if len(step.ins) == 5 and step.node.op == "LSTM":
        return [Fact(step.dtype, step.shape(1)), Fact(step.dtype, step.shape(4))]
    found = [step.shape(at) for at in WIDTHS[step.node.op]]
    wide = [matrix[1] if matrix and len(matrix) == 2 else None for matrix in found]
    if step.flag("MergeOutputs"):
        wide = [total(wide)]
    return [Fact(step.dtype, (*x[:-1], size)) for size in wide]


def _filtered(step: Step) -> Fact:
    """SVDF: one number for each group of so many filters."""
    x, filters = step.shape(), step.shape(1)
    return Fact(step.dtype, (x[0], over(filters[0], step.integer("Rank", 1))) if x and filters else None)


RECURRENT: Mapping[str, Rule] = {**dict.fromkeys(WIDTHS, _recurrent), "SVDF": _filtered}
"""Rules of operators that TensorFlow has not."""


def reshape(model: Model, shapes: Mapping[str, Shape | None]) -> Model:
    """The model under these shapes of its inputs.

    Raises:
        FormatError: The file does not allow one of the shapes, or an operator cannot take what would reach it.
    """
    lists = written(model)

    def translated(node: Node, made: Constants) -> Whole:
        whole = lists.get(node.outputs[0], "") if lists and node.outputs else ""
        return ("Snapshot", [whole], {}) if whole else _node(node, made)

    return through(model, translated, shapes, {**RULES, **RECURRENT})


def _node(node: Node, made: Constants) -> Whole:
    """A node as TensorFlow's; one that is not known here keeps its name, which is none of TensorFlow's."""
    if node.domain == FLEX:
        return node.op[4:], list(node.inputs), dict(node.attributes)
    op, translate = OPERATORS.get(node.op, (node.op, _plain))
    return op, *translate(node, made)


def _turned(made: Constants, name: str, order: tuple[int, ...]) -> str:
    """A filter with its dimensions in another order; itself where it is none."""
    old = made.tensors.get(name)
    if old is None or len(old.shape) != len(order):
        return name
    new = f"{name}\0{order}"
    made.tensors[new] = replace(old, name=new, shape=tuple(old.shape[at] for at in order))
    return new


def _divided(made: Constants, name: str, multiplier: int) -> str:
    """A filter for each channel, (1, height, width, channels · multiplier), as TensorFlow has it."""
    old = made.tensors.get(name)
    if old is None or len(old.shape) != 4 or multiplier < 1:
        return name
    new = f"{name}\0deep"
    shape = (old.shape[1], old.shape[2], old.shape[3] // multiplier, multiplier)
    made.tensors[new] = replace(old, name=new, shape=shape)
    return new


Translated = tuple[list[str], dict[str, Attribute]]
Translate = Callable[[Node, Constants], Translated]


def _plain(node: Node, made: Constants) -> Translated:
    return list(node.inputs), {}


def _whole(settings: Settings, key: str, default: int = 1) -> int:
    value = settings.get(key)
    return value if isinstance(value, int) else default


def _window(settings: Settings) -> dict[str, Attribute]:
    return {
        "padding": str(settings.get("Padding", "VALID")),
        "strides": (1, _whole(settings, "StrideH"), _whole(settings, "StrideW"), 1),
        "dilations": (1, _whole(settings, "DilationHFactor"), _whole(settings, "DilationWFactor"), 1),
    }


def _conv(node: Node, made: Constants) -> Translated:
    x, weight, *rest = node.inputs
    return [x, _turned(made, weight, (1, 2, 3, 0)), *rest], _window(node.attributes)


def _depthwise(node: Node, made: Constants) -> Translated:
    x, weight, *rest = node.inputs
    return [x, _divided(made, weight, _whole(node.attributes, "DepthMultiplier")), *rest], _window(node.attributes)


def _transposed(node: Node, made: Constants) -> Translated:
    sizes, weight, x, *_ = node.inputs
    return [sizes, _turned(made, weight, (1, 2, 0, 3)), x], _window(node.attributes)


def _pool(node: Node, made: Constants) -> Translated:
    kernel = (1, _whole(node.attributes, "FilterHeight"), _whole(node.attributes, "FilterWidth"), 1)
    return list(node.inputs), {**_window(node.attributes), "ksize": kernel}


def _joined(node: Node, made: Constants) -> Translated:
    return [*node.inputs, made.number(_whole(node.attributes, "Axis", 0))], {}


def _cast(node: Node, made: Constants) -> Translated:
    return list(node.inputs), {"DstT": str(node.attributes.get("OutDataType", "FLOAT32")).lower()}


def _gathered(node: Node, made: Constants) -> Translated:
    axis = made.number(_whole(node.attributes, "Axis", 0))
    return [*node.inputs[:2], axis], {"batch_dims": _whole(node.attributes, "BatchDims", 0)}


def _loop(node: Node, made: Constants) -> Translated:
    """Its condition and its body, which lie in this order."""
    test, body = node.graphs
    return list(node.inputs), {"cond": test, "body": body}


def _whole_settings(node: Node, made: Constants) -> Translated:
    return list(node.inputs), node.attributes


def _settings(**names: str) -> Translate:
    """Settings that have other names in TensorFlow."""

    def translate(node: Node, made: Constants) -> Translated:
        found = {name: node.attributes[key] for name, key in names.items() if key in node.attributes}
        return list(node.inputs), found

    return translate


def _same_as(op: str, translate: Translate, *names: str) -> dict[str, tuple[str, Translate]]:
    return dict.fromkeys(names, (op, translate))


def _alike(words: str) -> dict[str, tuple[str, Translate]]:
    """`LITE:TensorFlow`, for operators that need nothing else."""
    pairs = (word.split(":") for word in words.split())
    return {name: (op, _plain) for name, op in pairs}


ALIKE = (
    "RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 LEAKY_RELU ELU LOGISTIC TANH SOFTMAX LOG_SOFTMAX HARD_SWISH GELU EXP LOG SQRT "
    "RSQRT SQUARE NEG ABS SIN COS FLOOR CEIL ROUND SIGN LOGICAL_NOT ZEROS_LIKE CUMSUM REVERSE_V2 REVERSE_SEQUENCE "
    "L2_NORMALIZATION LOCAL_RESPONSE_NORMALIZATION QUANTIZE DEQUANTIZE FAKE_QUANT MATRIX_SET_DIAG"
)
"""Operators that keep the shape of their first input."""

OPERATORS: dict[str, tuple[str, Translate]] = {
    "CONV_2D": ("Conv2D", _conv),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2dNative", _depthwise),
    "TRANSPOSE_CONV": ("Conv2DBackpropInput", _transposed),
    "AVERAGE_POOL_2D": ("AvgPool", _pool),
    "MAX_POOL_2D": ("MaxPool", _pool),
    "L2_POOL_2D": ("AvgPool", _pool),
    "FULLY_CONNECTED": ("FullyConnected", _settings(keep_dims="KeepNumDims")),
    "CONCATENATION": ("ConcatV2", _joined),
    "GATHER": ("GatherV2", _gathered),
    "SQUEEZE": ("Squeeze", _settings(squeeze_dims="SqueezeDims")),
    "PACK": ("Pack", _settings(axis="Axis")),
    "UNPACK": ("Unpack", _settings(axis="Axis")),
    "SPLIT": ("Split", _settings(num_split="NumSplits")),
    "ONE_HOT": ("OneHot", _settings(axis="Axis")),
    "BATCH_MATMUL": ("BatchMatMulV2", _settings(adj_x="AdjX", adj_y="AdjY")),
    "SPACE_TO_DEPTH": ("SpaceToDepth", _settings(block_size="BlockSize")),
    "DEPTH_TO_SPACE": ("DepthToSpace", _settings(block_size="BlockSize")),
    "STRIDED_SLICE": (
        "StridedSlice",
        _settings(
            begin_mask="BeginMask", end_mask="EndMask", ellipsis_mask="EllipsisMask", new_axis_mask="NewAxisMask",
            shrink_axis_mask="ShrinkAxisMask",
        ),
    ),
    "SUM": ("Sum", _settings(keep_dims="KeepDims")),
    "MEAN": ("Mean", _settings(keep_dims="KeepDims")),
    "REDUCE_MAX": ("Max", _settings(keep_dims="KeepDims")),
    "REDUCE_MIN": ("Min", _settings(keep_dims="KeepDims")),
    "REDUCE_PROD": ("Prod", _settings(keep_dims="KeepDims")),
    "REDUCE_ANY": ("Any", _settings(keep_dims="KeepDims")),
    "REDUCE_ALL": ("All", _settings(keep_dims="KeepDims")),
    "CAST": ("Cast", _cast),
    "WHILE": ("While", _loop),
    "IF": ("If", _plain),
    **_alike(
        "RESHAPE:Reshape EXPAND_DIMS:ExpandDims TRANSPOSE:Transpose PAD:Pad PADV2:Pad MIRROR_PAD:Pad SLICE:Slice "
        "SPLIT_V:SplitV TILE:Tile FILL:Fill RANGE:Range SHAPE:Shape RANK:Rank GATHER_ND:GatherNd "
        "ARG_MAX:ArgMax ARG_MIN:ArgMin TOPK_V2:TopKV2 SELECT:Select SELECT_V2:SelectV2 WHERE:Where PRELU:Relu "
        "RESIZE_BILINEAR:ResizeBilinear RESIZE_NEAREST_NEIGHBOR:ResizeNearestNeighbor BROADCAST_TO:BroadcastTo "
        "SPACE_TO_BATCH_ND:SpaceToBatchND BATCH_TO_SPACE_ND:BatchToSpaceND SCATTER_ND:ScatterNd ADD_N:AddN "
        "ADD:Add SUB:Sub MUL:Mul DIV:Div FLOOR_DIV:FloorDiv FLOOR_MOD:FloorMod MAXIMUM:Maximum MINIMUM:Minimum POW:Pow "
        "SQUARED_DIFFERENCE:SquaredDifference LESS:Less LESS_EQUAL:LessEqual GREATER:Greater EQUAL:Equal "
        "GREATER_EQUAL:GreaterEqual NOT_EQUAL:NotEqual LOGICAL_AND:LogicalAnd LOGICAL_OR:LogicalOr"
    ),
    **{name: (name, _whole_settings) for name in RECURRENT},
    **_same_as("Relu", _plain, *ALIKE.split()),
}  # fmt: skip
"""TensorFlow's operator and what enters it, by the name of TensorFlow Lite's."""
