"""Operators of TensorFlow in a TensorFlow Lite model (`FlexEinsum`): the node that stands in their custom options.

The options are a FlexBuffer of two strings, the operator and its `NodeDef`
(`tensorflow/lite/delegates/flex/kernel.cc`); both are read as data.
"""

from __future__ import annotations

from typing import Any

from inspector.formats._flat import BROKEN
from inspector.formats._tf_names import PLUMBING, attribute
from inspector.ir import Attribute

FLEX = "flex"
"""Domain of these operators."""
MOST = 1 << 20
"""Bytes of options; those of a constant in them are not read."""


def is_flex(name: str) -> bool:
    """Whether a custom operator is one of TensorFlow's."""
    return name.startswith("Flex") and name[4:5].isupper()


def flex_settings(operator: Any) -> dict[str, Attribute]:
    """The attributes of TensorFlow's operator; none where they cannot be read."""
    from flatbuffers import flexbuffers
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto.node_def_pb2 import NodeDef

    if not 0 < operator.CustomOptionsLength() <= MOST:
        return {}
    try:
        parts = flexbuffers.GetRoot(operator.CustomOptionsAsNumpy().tobytes()).AsVector
        node = NodeDef.FromString(parts[1].AsStringBytes)
        return {key: attribute(value) for key, value in node.attr.items() if key not in PLUMBING and key[:1] != "_"}
    except (*BROKEN, DecodeError):
        return {}
