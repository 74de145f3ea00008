"""Reading `saved_model.pb`: the outer message by hand, what is inside with TensorFlow's own definitions."""

from __future__ import annotations

from typing import Any

import numpy as np

from inspector.errors import FormatError
from inspector.formats._bundle import dtype_name, fields
from inspector.formats._raw import read_at
from inspector.formats._source import Source
from inspector.formats._tensors import LARGEST, Array, decode, numpy_dtype
from inspector.formats._tf_names import shape
from inspector.ir.model import bytes_of

FILE = "saved_model.pb"
SIZE = (2 << 30) - 1
"""Protocol buffers end here."""

VALUES = {
    "float32": "float_val", "float64": "double_val", "int32": "int_val", "int16": "int_val", "int8": "int_val",
    "uint8": "int_val", "uint16": "int_val", "qint8": "int_val", "quint8": "int_val", "qint32": "int_val",
    "int64": "int64_val", "bool": "bool_val", "uint32": "uint32_val", "uint64": "uint64_val", "string": "string_val",
    "float16": "half_val", "bfloat16": "half_val", "complex64": "scomplex_val", "complex128": "dcomplex_val",
}  # fmt: skip


WHOLE = ("int32", "int64", "bool", "uint8", "int16", "int8", "uint16", "uint32")
SMALL, FEW = 1024, 16
"""Whole and other numbers that are kept of a constant while the graph is read."""


def load(source: Source) -> Any:
    """The graph that serves, with its functions and signatures.

    Raises:
        FormatError: The file is missing or damaged.
    """
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto.meta_graph_pb2 import MetaGraphDef

    with source.open(FILE if source.path.is_dir() else "") as file:
        size = file.seek(0, 2)
        if size > SIZE:
            raise FormatError(
                f"{FILE} has {size:,} bytes, more than a protocol buffer can.",
                hint="No model that is known has so much; it was not read.",
            )
        data = read_at(file, 0, size, "model")
    damaged = FormatError(f"{FILE} is damaged or incomplete.", hint="Fetch or copy the model again.")
    try:
        parts = [item for number, item in fields(data) if number == 2 and isinstance(item, bytes)]
        graphs = [MetaGraphDef.FromString(part) for part in parts]
    except (DecodeError, ValueError, RecursionError, FormatError) as error:
        raise damaged from error
    if not graphs:
        raise damaged
    return next((graph for graph in graphs if "serve" in graph.meta_info_def.tags), graphs[0])


def object_graph(data: bytes) -> Any:
    """The graph of objects of a checkpoint; None where it is damaged."""
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto.trackable_object_graph_pb2 import TrackableObjectGraph

    try:
        return TrackableObjectGraph.FromString(data)
    except (DecodeError, ValueError):
        return None


def trained(meta: Any) -> dict[str, bool]:
    """Names of TensorFlow 1 variables, and whether they are trained."""
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto.variable_pb2 import VariableDef

    found: dict[str, bool] = {}
    for key in ("variables", "global_variables", "trainable_variables"):
        for item in meta.collection_def[key].bytes_list.value if key in meta.collection_def else ():
            try:
                name = VariableDef.FromString(item).variable_name.partition(":")[0]
            except (DecodeError, ValueError):
                continue
            found[name] = found.get(name, False) or key == "trainable_variables"
    return found


def constant(meta: Any, function: str, node: str) -> Array:
    """The values of a constant.

    Raises:
        FormatError: There is none of this name.
    """
    nodes = meta.graph_def.node
    if function:
        nodes = next((f.node_def for f in meta.graph_def.library.function if f.signature.name == function), ())
    for item in nodes:
        if item.name == node and item.op == "Const":
            return tensor_values(item.attr["value"].tensor)
    raise FormatError(f"The constant {node[:100]!r} is not in the file.", hint="Fetch or copy the model again.")


def tensor_values(proto: Any) -> Array:
    """The values of a tensor; where fewer are stored than it has, the last one repeats."""
    dtype = dtype_name(proto.dtype)
    sizes = tuple(size if isinstance(size, int) else 0 for size in shape(proto.tensor_shape) or ())
    count = int(np.prod(sizes, dtype=object))
    if (bytes_of(dtype, sizes) or count) > LARGEST or count > LARGEST:
        raise FormatError(f"A constant claims {count:,} values.", hint="The file may be damaged.")
    if proto.tensor_content:
        return decode(proto.tensor_content, dtype, sizes)
    if dtype not in VALUES:
        raise FormatError(
            f"A constant of type {dtype or proto.dtype} cannot be shown.", hint="Convert the model to see its values."
        )
    stored = list(getattr(proto, VALUES[dtype]))
    if dtype == "string":
        words = [item.decode("utf-8", "backslashreplace") for item in stored]
        return _filled(np.array(words, dtype=object), count, "").reshape(sizes)
    if dtype in ("float16", "bfloat16"):
        return _filled(np.array(stored, np.uint16).view(numpy_dtype(dtype)), count, 0).reshape(sizes)
    if dtype.startswith("complex"):
        parts = np.array(stored, np.float32 if dtype == "complex64" else np.float64)
        return _filled(parts.view(dtype), count, 0).reshape(sizes)
    return _filled(np.array(stored, numpy_dtype(dtype)), count, 0).reshape(sizes)


def numbers(proto: Any, dtype: str, sizes: tuple[int, ...]) -> tuple[int | float, ...] | None:
    """The values of a small constant that shapes may be made of; None where it is none or has none here."""
    count = 1
    for size in sizes:
        count *= size
    if count > (SMALL if dtype in WHOLE else FEW) or dtype not in (*WHOLE, "float32", "float64"):
        return None
    if (bytes_of(dtype, sizes) or 0) > 1024 and not proto.tensor_content and not getattr(proto, VALUES[dtype]):
        return None  # zeros, which are stored as nothing, or values that were left in the file
    try:
        return tuple(tensor_values(proto).reshape(-1).tolist())
    except (FormatError, ValueError):
        return None


def _filled(stored: Array, count: int, nothing: Any) -> Array:
    if len(stored) >= count:
        return stored[:count]
    last = stored[-1] if len(stored) else nothing
    return np.concatenate([stored, np.full(count - len(stored), last, stored.dtype)])
