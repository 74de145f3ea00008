"""What TensorFlow's operators and attributes are called, as far as a reader has to know."""

from __future__ import annotations

from typing import Any

from inspector.formats._bundle import dtype_name
from inspector.ir import Attribute, Shape

CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
READS = frozenset({"ReadVariableOp", "DisableCopyOnRead"})
SAME = frozenset({"Identity", "StopGradient", "PreventGradient", "CheckNumerics", "EnsureShape"})
HANDLES = frozenset({"VarHandleOp", "VariableV2", "Variable"})
BODIES = ("f", "body", "cond", "then_branch", "else_branch", "branches", "predicate", "MapDefun")
TRUTHS = frozenset(
    {"Less", "LessEqual", "Greater", "GreaterEqual", "Equal", "NotEqual", "LogicalAnd", "LogicalOr", "LogicalNot"}
)
FILES = {
    "ReadFile": "reads files", "WriteFile": "writes files", "MatchingFiles": "lists files",
    "WholeFileReader": "reads files", "WholeFileReaderV2": "reads files", "TextLineReader": "reads files",
    "TextLineReaderV2": "reads files", "TFRecordReader": "reads files", "TFRecordReaderV2": "reads files",
    "FixedLengthRecordReader": "reads files", "FixedLengthRecordReaderV2": "reads files",
    "TextLineDataset": "reads files", "TFRecordDataset": "reads files", "TFRecordDatasetV2": "reads files",
    "FixedLengthRecordDataset": "reads files", "FixedLengthRecordDatasetV2": "reads files",
    "LoadDataset": "reads files", "SaveDataset": "writes files", "SaveDatasetV2": "writes files",
    "CacheDataset": "writes files", "CacheDatasetV2": "writes files", "SqlDataset": "opens a database",
    "MatchingFilesDataset": "lists files", "WriteSummary": "writes files", "CreateSummaryFileWriter": "writes files",
    "PyFunc": "runs Python", "PyFuncStateless": "runs Python", "EagerPyFunc": "runs Python",
    "LoadLibrary": "loads a library", "DebugIdentityV2": "writes files", "RpcCall": "uses the network",
    "Save": "writes files", "SaveV2": "writes files", "SaveSlices": "writes files", "Restore": "reads files",
    "RestoreV2": "reads files", "MergeV2Checkpoints": "writes files", "DeleteFile": "deletes files",
    "ImmutableConst": "reads files",
}  # fmt: skip
"""Operators that reach outside the model."""

SAVING = frozenset({"Save", "SaveV2", "SaveSlices", "Restore", "RestoreV2", "MergeV2Checkpoints"})
"""Of these, every SavedModel has some for its own variables; they count where a signature reaches them."""

RANK = 64
"""Shapes of more dimensions are not known: nothing has them, and working with them can take for ever."""

PLUMBING = frozenset({"config_proto", "executor_type"})


def shape(proto: Any) -> Shape | None:
    """A shape of TensorFlow's; None for each size that is open."""
    if proto.unknown_rank or len(proto.dim) > RANK:
        return None
    return tuple(None if dim.size < 0 else int(dim.size) for dim in proto.dim)


def output_shapes(attributes: Any) -> list[Shape | None]:
    """Shapes of all outputs of a node, where the file says so."""
    for key in ("_output_shapes", "output_shapes"):
        if key in attributes:
            return [shape(item) for item in attributes[key].list.shape]
    if "shape" in attributes and attributes["shape"].HasField("shape"):
        return [shape(attributes["shape"].shape)]
    return []


def output_dtype(op: str, attributes: Any, index: int) -> str:
    """dtype of an output, from the attributes that name one."""
    if op in TRUTHS:
        return "bool"
    for key in ("Tout", "output_types", "T"):
        if key in attributes and attributes[key].list.type:
            types = attributes[key].list.type
            return dtype_name(types[index]) if index < len(types) else ""
    if op in ("Shape", "Size", "Rank"):
        return dtype_name(attributes["out_type"].type) if "out_type" in attributes else "int32"
    if op in ("ArgMax", "ArgMin"):
        return dtype_name(attributes["output_type"].type) if "output_type" in attributes else "int64"
    for key in ("DstT", "dtype", "out_type", "Tout", "output_type", "T", "Tparams", "Tvalues"):
        if key in attributes and attributes[key].type:
            return dtype_name(attributes[key].type)
    return ""


def attribute(value: Any) -> Attribute:
    """An attribute's value as plain data."""
    kind = value.WhichOneof("value")
    if kind == "s":
        return _text(value.s)
    if kind in ("i", "f", "b"):
        return getattr(value, kind)  # type: ignore[no-any-return]
    if kind == "type":
        return dtype_name(value.type) or f"type {value.type}"
    if kind == "shape":
        return shape(value.shape)
    if kind == "func":
        return f"graph:{value.func.name}"
    if kind == "tensor":
        return "tensor"
    if kind == "list":
        return _list(value.list)
    return None


def _list(items: Any) -> Attribute:
    for key in ("i", "f", "b"):
        if getattr(items, key):
            return tuple(getattr(items, key)[:1000])
    if items.s:
        return tuple(_text(item) for item in items.s[:1000])
    if items.type:
        return tuple(dtype_name(item) for item in items.type[:1000])
    if items.shape:
        return tuple(shape(item) for item in items.shape[:1000])
    return tuple(f"graph:{item.name}" for item in items.func[:1000])


def _text(data: bytes) -> str:
    return data[:4096].decode("utf-8", "backslashreplace")


def bodies(attributes: Any) -> list[str]:
    """Names of the functions that a node runs."""
    found = []
    for key in BODIES:
        if key in attributes:
            value = attributes[key]
            found += [value.func.name] if value.HasField("func") else [item.name for item in value.list.func]
    return [name for name in found if name]
