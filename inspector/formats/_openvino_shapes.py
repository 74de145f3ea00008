"""Shapes through an OpenVINO network whose inputs have open sizes.

A file says -1 for every size that depends on an open one: a window of the batch, a flattened sequence. What they are is
worked out with the rules of TensorFlow's operators, which most of OpenVINO's are under other names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from inspector.formats._openvino_graph import dtype_of
from inspector.formats._openvino_rules import OPENVINO, OWN
from inspector.formats._tf_translated import Constants, Translated, is_open, through
from inspector.ir import Attribute, Model, Node, Shape

Makes = Callable[[Node, Constants], tuple[list[str], dict[str, Attribute]]]


def reshape(model: Model, shapes: Mapping[str, Shape | None]) -> Model:
    """The model under these shapes of its inputs, by the names that the signature gives them.

    Raises:
        FormatError: The file does not allow one of the shapes, or an operator cannot take what would reach it.
    """
    if not model.graphs or not (shapes or is_open(model.graphs[0])):
        return model
    called = {value.doc.partition(",")[0] or value.name: value.name for value in model.graphs[0].inputs}
    return through(model, _node, {called.get(name, name): shape for name, shape in shapes.items()}, OPENVINO)


def _node(node: Node, made: Constants) -> Translated:
    op, makes = OPERATORS.get(node.op, ("", _plain))
    if not op and f"{OWN}{node.op}" in OPENVINO:
        return f"{OWN}{node.op}", list(node.inputs), dict(node.attributes)
    return (op or f"{OWN}{node.op}", *makes(node, made))


def _plain(node: Node, made: Constants) -> tuple[list[str], dict[str, Attribute]]:
    return list(node.inputs), dict(node.attributes)


def _joined(node: Node, made: Constants) -> tuple[list[str], dict[str, Attribute]]:
    at = node.attributes.get("axis")
    return [*node.inputs, made.number(at if isinstance(at, int) else 0)], {}


def _swapped(node: Node, made: Constants) -> tuple[list[str], dict[str, Attribute]]:
    """Split: TensorFlow has the axis first."""
    return [*node.inputs[1:2], *node.inputs[:1]], {"num_split": node.attributes.get("num_splits", 1)}


def _parts(node: Node, made: Constants) -> tuple[list[str], dict[str, Attribute]]:
    """VariadicSplit: TensorFlow has the axis last."""
    return [*node.inputs[:1], *node.inputs[2:3], *node.inputs[1:2]], {}


def _cast(node: Node, made: Constants) -> tuple[list[str], dict[str, Attribute]]:
    return list(node.inputs), {"DstT": dtype_of(str(node.attributes.get("destination_type", "")))}


def _shape_of(node: Node, made: Constants) -> tuple[list[str], dict[str, Attribute]]:
    return list(node.inputs), {"out_type": dtype_of(str(node.attributes.get("output_type", "i64")))}


def _strided(node: Node, made: Constants) -> tuple[list[str], dict[str, Attribute]]:
    """Masks are lists of 0 and 1; steps may be left out."""
    masks: dict[str, Attribute] = {
        f"{name}_mask": _bits(node.attributes.get(f"{name}_mask"))
        for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    }
    inputs = list(node.inputs)
    begin = made.tensors.get(inputs[1]) if len(inputs) == 3 else None
    if begin is not None and begin.count <= 64:
        inputs.append(made.numbers((1,) * begin.count))
    return inputs, masks


def _bits(mask: Any) -> int:
    flags = mask if isinstance(mask, tuple) else (mask,)
    return sum(1 << at for at, flag in enumerate(flags[:64]) if flag == 1)


def _channels_second(node: Node, made: Constants) -> tuple[list[str], dict[str, Attribute]]:
    return list(node.inputs), {**node.attributes, "data_format": "NCHW"}


def _alike(words: str) -> dict[str, tuple[str, Makes]]:
    """`OpenVINO:TensorFlow`, for operators that need nothing else."""
    pairs = (word.split(":") for word in words.split())
    return {name: (op, _plain) for name, op in pairs}


KEEPS = (
    "Relu ReLU PRelu PReLU Elu Selu Sigmoid Tanh HSwish HSigmoid HardSigmoid Swish Mish SoftPlus SoftSign Softmax "
    "SoftMax Clamp LogSoftmax Exp Log Sqrt Sign Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Erf Gelu MVN "
    "NormalizeL2 LRN GRN BatchNormInference FakeQuantize FakeConvert GroupNormalization RMS CumSum ReverseSequence "
    "ShuffleChannels Roll ReadValue Assign ScatterUpdate ScatterNDUpdate ScatterElementsUpdate ConvertLike Reverse "
    "LogicalNot"
)
"""Operators that keep the shape of their first input."""

OPERATORS: dict[str, tuple[str, Makes]] = {
    "Concat": ("ConcatV2", _joined),
    "Split": ("Split", _swapped),
    "VariadicSplit": ("SplitV", _parts),
    "Convert": ("Cast", _cast),
    "ShapeOf": ("Shape", _shape_of),
    "StridedSlice": ("StridedSlice", _strided),
    "SpaceToDepth": ("SpaceToDepth", _channels_second),
    "DepthToSpace": ("DepthToSpace", _channels_second),
    **_alike(
        "Add:Add Subtract:Sub Multiply:Mul Divide:Div Mod:Mod FloorMod:FloorMod Maximum:Maximum Minimum:Minimum "
        "Power:Pow SquaredDifference:SquaredDifference Equal:Equal NotEqual:NotEqual Less:Less LessEqual:LessEqual "
        "Greater:Greater GreaterEqual:GreaterEqual LogicalAnd:LogicalAnd LogicalOr:LogicalOr "
        "LogicalXor:ApproximateEqual Select:SelectV2 Negative:Neg Abs:Abs Floor:Floor Ceiling:Ceil Round:Round "
        "Reshape:Reshape Squeeze:Squeeze Unsqueeze:ExpandDims Transpose:Transpose Tile:Tile Gather:GatherV2 "
        "GatherND:GatherNd Range:Range OneHot:OneHot Einsum:Einsum ReduceMean:Mean ReduceSum:Sum ReduceProd:Prod "
        "ReduceMax:Max ReduceMin:Min ReduceL1:EuclideanNorm ReduceL2:EuclideanNorm ReduceLogicalAnd:All "
        "ReduceLogicalOr:Any"
    ),
    **dict.fromkeys(KEEPS.split(), ("Relu", _plain)),
}
"""TensorFlow's operator and what enters it, by the name of OpenVINO's."""
