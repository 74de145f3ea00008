"""Shapes through a TensorFlow Lite model from other sizes of its inputs: its operators as those of TensorFlow.

Only for sizes that the file leaves open; what it says of a value stays. Filters lie in another order than TensorFlow's,
and some inputs of TensorFlow are settings here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from inspector.formats._tf_shapes import propagate
from inspector.formats._tf_shapes_words import RENAMED
from inspector.ir import Attribute, Graph, Model, Node, Place, Shape, Tensor, Value

Settings = Mapping[str, Any]


@dataclass(slots=True)
class Translation:
    """Tensors that TensorFlow's operators need beside those of the file."""

    tensors: dict[str, Tensor] = field(default_factory=dict)

    def number(self, value: int) -> str:
        """A constant."""
        name = f"\0{value}"
        self.tensors[name] = Tensor(name, "int32", (), Place(layout={"numbers": (value,)}))
        return name

    def turned(self, name: str, order: tuple[int, ...]) -> str:
        """A filter with its dimensions in another order; itself where it is none."""
        old = self.tensors.get(name)
        if old is None or len(old.shape) != len(order):
            return name
        made = f"{name}\0{order}"
        self.tensors[made] = replace(old, name=made, shape=tuple(old.shape[at] for at in order))
        return made

    def divided(self, name: str, multiplier: int) -> str:
        """A filter for each channel, (1, height, width, channels · multiplier), as TensorFlow has it."""
        old = self.tensors.get(name)
        if old is None or len(old.shape) != 4 or multiplier < 1:
            return name
        made = f"{name}\0deep"
        shape = (old.shape[1], old.shape[2], old.shape[3] // multiplier, multiplier)
        self.tensors[made] = replace(old, name=made, shape=shape)
        return made


def reshape(model: Model, shapes: Mapping[str, Shape | None]) -> Model:
    """The model under these shapes of its inputs.

    Raises:
        FormatError: The file does not allow one of the shapes, or an operator cannot take what would reach it.
    """
    made = Translation(dict(model.tensors))
    graphs = tuple(replace(graph, nodes=tuple(_node(node, made) for node in graph.nodes)) for graph in model.graphs)
    found = propagate(replace(model, graphs=graphs, tensors=made.tensors), shapes)
    told = tuple(_told(old, new) for old, new in zip(model.graphs, found.graphs, strict=True))
    return replace(model, graphs=told, signatures=found.signatures)


def _told(old: Graph, new: Graph) -> Graph:
    """The graph of the file with the shapes that were found; dtypes are those of the file."""

    def sized(value: Value, found: Value | None) -> Value:
        return value if found is None or found.shape is None else replace(value, shape=found.shape)

    outputs = tuple(sized(a, b) for a, b in zip(old.outputs, new.outputs, strict=True))
    values = {name: sized(value, new.values.get(name)) for name, value in old.values.items()}
    return Graph(old.name, new.inputs, outputs, old.nodes, values)


def _node(node: Node, made: Translation) -> Node:
    """A node as TensorFlow's; one that is not known here keeps its name, which is none of TensorFlow's."""
    op, translate = OPERATORS.get(node.op, (node.op, _plain))
    inputs, attributes = translate(node, made)
    names = {RENAMED: tuple(f"{node.name}:{at}" for at in range(len(node.outputs)))}
    return replace(node, op=op, inputs=tuple(inputs), attributes={**attributes, **names})


Translated = tuple[list[str], dict[str, Attribute]]
Translate = Callable[[Node, Translation], Translated]


def _plain(node: Node, made: Translation) -> Translated:
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


def _conv(node: Node, made: Translation) -> Translated:
    x, weight, *rest = node.inputs
    return [x, made.turned(weight, (1, 2, 3, 0)), *rest], _window(node.attributes)


def _depthwise(node: Node, made: Translation) -> Translated:
    x, weight, *rest = node.inputs
    return [x, made.divided(weight, _whole(node.attributes, "DepthMultiplier")), *rest], _window(node.attributes)


def _transposed(node: Node, made: Translation) -> Translated:
    sizes, weight, x, *_ = node.inputs
    return [sizes, made.turned(weight, (1, 2, 0, 3)), x], _window(node.attributes)


def _pool(node: Node, made: Translation) -> Translated:
    kernel = (1, _whole(node.attributes, "FilterHeight"), _whole(node.attributes, "FilterWidth"), 1)
    return list(node.inputs), {**_window(node.attributes), "ksize": kernel}


def _joined(node: Node, made: Translation) -> Translated:
    return [*node.inputs, made.number(_whole(node.attributes, "Axis", 0))], {}


def _cast(node: Node, made: Translation) -> Translated:
    return list(node.inputs), {"DstT": str(node.attributes.get("OutDataType", "FLOAT32")).lower()}


def _gathered(node: Node, made: Translation) -> Translated:
    axis = made.number(_whole(node.attributes, "Axis", 0))
    return [*node.inputs[:2], axis], {"batch_dims": _whole(node.attributes, "BatchDims", 0)}


def _settings(**names: str) -> Translate:
    """Settings that have other names in TensorFlow."""

    def translate(node: Node, made: Translation) -> Translated:
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
    **_same_as("Relu", _plain, *ALIKE.split()),
}  # fmt: skip
"""TensorFlow's operator and what enters it, by the name of TensorFlow Lite's."""
