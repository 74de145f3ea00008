"""Decode a stripped ONNX model with all the shapes that onnx's own inference can tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from inspector.errors import FormatError
from inspector.formats import _onnx_mistakes as mistakes
from inspector.formats._onnx_calls import SHORT, Calls
from inspector.formats._onnx_folding import refine
from inspector.formats._onnx_functions import has_functions, runs_away
from inspector.formats._onnx_open import DEEPEST, inside
from inspector.formats._onnx_steps import ROOM, ROOM_PER_BYTE, bounded, refusals, wild
from inspector.formats._onnx_types import text
from inspector.formats._onnx_wire import damaged
from inspector.ir import Note

UNNAMED = "batch"
"""How the user names the first size of an input that has no name."""


ENDLESS = Note(
    "warning", "Shapes inside functions could not be worked out.", "They call each other too often, or without an end."
)


def decode(
    data: bytes, dims: Mapping[str, int], names: Iterable[str] = (), calls: Calls | None = None
) -> tuple[Any, list[Note]]:
    """The model with the shapes between its nodes, and a note where they could not be worked out.

    Args:
        data: The serialised model.
        dims: Sizes to take for named dimensions.
        names: Names of dimensions of the inputs, where those are not all in this part of a model.
        calls: Where the bodies of its functions go, one for each way to call them; without it none are made.

    Raises:
        FormatError: The bytes are no model.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        # The plain case is decoded once, by the inference itself.
        with bounded(ROOM + ROOM_PER_BYTE * len(data)):
            odd = mistakes.may_be_in(data)
            whole = bool(dims) or odd or has_functions(data)
            model = onnx.ModelProto.FromString(data) if whole else data
            model = fixed(model, dims) if dims else model
            if odd:
                mistakes.hide(model)
            aside = _functions(model) if whole and runs_away(model) else []
            sliced = whole or b"Slice" in data
            follows = not (sliced and wild(model if whole else onnx.ModelProto.FromString(data)))
            told = onnx.shape_inference.infer_shapes(model, data_prop=follows)
            told = _as_dense(told, follows) if told.graph.sparse_initializer else told
            told.functions.extend(aside)
            if odd:
                mistakes.show(told)
        # What follows is bounded by itself; protobuf's own code does not outlive a limit of address space.
        called = calls if told.functions and not aside else None
        if called is not None:
            called.begin(told, follows=follows)
        refine(told, names, called)
        return told, [ENDLESS] if aside else [SHORT] if called is not None and called.short else []
    except MemoryError:
        words = "Some of its values would become shapes of millions of dimensions."
    except refusals() as error:
        words = str(error).strip().split("\n")[0][:300]
    if calls is not None:
        calls.clear()
    try:
        proto = onnx.ModelProto.FromString(data)
    except DecodeError as error:
        raise damaged(0) from error
    return proto, [Note("warning", "Shapes between the layers could not be worked out.", words)]


def _functions(model: Any) -> list[Any]:
    """Take the functions out of a model."""
    taken = list(model.functions)
    model.ClearField("functions")
    return taken


def _as_dense(model: Any, follows: bool) -> Any:
    """The model with the shapes that follow if its sparse tensors were dense: of others inference tells nothing."""
    import onnx

    sparse = list(model.graph.sparse_initializer)
    model.graph.ClearField("sparse_initializer")
    known = {info.name for info in (*model.graph.value_info, *model.graph.input)}
    for tensor in sparse:
        if tensor.values.name not in known:
            kind = onnx.helper.make_tensor_value_info(tensor.values.name, tensor.values.data_type, list(tensor.dims))
            model.graph.value_info.append(kind)
    told = onnx.shape_inference.infer_shapes(model, data_prop=follows)
    told.graph.sparse_initializer.extend(sparse)
    return told


def fixed(model: Any, dims: Mapping[str, int]) -> Any:
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
    for part in (model.graph, *model.functions):
        for graph in inside(part):
            _fix_inner(graph, dims, 1)
    return model


def _fix_inner(graph: Any, dims: Mapping[str, int], depth: int) -> None:
    """The same names stand for the same sizes in a graph that a node runs."""
    for info in (*graph.input, *graph.value_info, *graph.output):
        for dim in _dims(info):
            if dim.dim_param in dims:
                dim.dim_value = dims[dim.dim_param]
    for inner in inside(graph) if depth < DEEPEST else ():
        _fix_inner(inner, dims, depth + 1)


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
