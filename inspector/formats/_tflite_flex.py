"""Operators of TensorFlow in a TensorFlow Lite model (`FlexEinsum`): the node that stands in their custom options.

The options are a FlexBuffer of two strings, the operator and its `NodeDef`
(`tensorflow/lite/delegates/flex/kernel.cc`); both are read as data.
"""

from __future__ import annotations

from typing import Any

from inspector.formats._flat import BROKEN
from inspector.formats._tf_names import PLUMBING, attribute
from inspector.ir import Attribute, Node

FLEX = "flex"
"""Domain of these operators."""
PREFIX = "Flex"
MOST = 1 << 20
"""Bytes of options; those of a constant in them are not read."""


def is_flex(name: str) -> bool:
    """Whether a custom operator is one of TensorFlow's."""
    return name.startswith(PREFIX) and name[4:5].isupper()


RUNS = "runs"
"""Attribute with the operator that the node names, where that is another than the custom operator's name says."""


def named(node: Node) -> set[str]:
    """What the operator is called, and what its settings run where that is another."""
    other = node.attributes.get(RUNS)
    return {node.op, PREFIX + other} if isinstance(other, str) else {node.op}


def flex_settings(name: str, operator: Any) -> dict[str, Attribute]:
    """The attributes of TensorFlow's operator; none where they cannot be read.

    The delegate runs the operator that the node names, whatever the custom operator is called.
    """
    from flatbuffers import flexbuffers
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto.node_def_pb2 import NodeDef

    if not 0 < operator.CustomOptionsLength() <= MOST:
        return {}
    try:
        parts = flexbuffers.GetRoot(operator.CustomOptionsAsNumpy().tobytes()).AsVector
        node = NodeDef.FromString(parts[1].AsStringBytes)
        own = {key: attribute(value) for key, value in node.attr.items() if key not in PLUMBING and key[:1] != "_"}
        return own | ({RUNS: node.op} if PREFIX + node.op != name else {})
    except (*BROKEN, DecodeError):
        return {}
