"""Decode a stripped ONNX model with all the shapes that onnx's own inference can tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from inspector.errors import FormatError
from inspector.formats._onnx_types import text
from inspector.formats._onnx_wire import damaged
from inspector.ir import Note

UNNAMED = "batch"
"""How the user names the first size of an input that has no name."""


def decode(data: bytes, dims: Mapping[str, int]) -> tuple[Any, list[Note]]:
    """The model with the shapes between its nodes, and a note where they could not be worked out.

    Args:
        data: The serialised model.
        dims: Sizes to take for named dimensions.

    Raises:
        FormatError: The bytes are no model.
    """
    import onnx
    from google.protobuf.message import DecodeError

    refusals = (onnx.shape_inference.InferenceError, onnx.checker.ValidationError, DecodeError)
    try:
        # The plain case is decoded once, by the inference itself.
        model = _fixed(onnx.ModelProto.FromString(data), dims) if dims else data
        return onnx.shape_inference.infer_shapes(model, data_prop=True), []
    except (*refusals, RuntimeError, ValueError, TypeError, IndexError) as error:
        words = str(error).strip().split("\n")[0][:300]
    try:
        proto = onnx.ModelProto.FromString(data)
    except DecodeError as error:
        raise damaged(0) from error
    return proto, [Note("warning", "Shapes between the layers could not be worked out.", words)]


def _fixed(model: Any, dims: Mapping[str, int]) -> Any:
    """The model with named dimensions as numbers; other names of inner sizes give way to what follows from them."""
    for info in model.graph.input:
        for axis, dim in enumerate(_dims(info)):
            name = text(dim.dim_param) or (UNNAMED if axis == 0 else "")
            if not dim.HasField("dim_value") and name in dims:
                dim.dim_value = dims[name]
    for info in (*model.graph.value_info, *model.graph.output):
        for dim in _dims(info):
            if dim.HasField("dim_param"):
                _settle(dim, dims)
    return model


def _settle(dim: Any, dims: Mapping[str, int]) -> None:
    name = text(dim.dim_param)
    if name in dims:
        dim.dim_value = dims[name]
    else:
        dim.ClearField("dim_param")


def _dims(info: Any) -> Iterable[Any]:
    return info.type.tensor_type.shape.dim if info.type.HasField("tensor_type") else ()


def check(dims: Mapping[str, int]) -> None:
    """Refuse sizes that no dimension has.

    Raises:
        FormatError: One is negative or absurd.
    """
    for name, size in dims.items():
        if not 0 <= size < 1 << 40:
            raise FormatError(f"The dimension {name[:100]!r} cannot be {size:,}.", hint="Give a size of 1 or more.")
