"""The intermediate representation: what every reader fills and every engine reads.

Frozen and slotted; sequences are tuples. No array lies in it: a `Tensor` is a *place*, so that opening a file of any
size costs only its structure. Names are the file's own; text from a file is untrusted and is escaped where it is shown.

dtypes are numpy's names plus ml_dtypes' ("float32", "bfloat16", "float8_e4m3fn", "int4", "string", …); an empty string
means the file does not say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import prod
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(kind: type[T]) -> type[T]:
    """A slotted dataclass that type checkers hold for frozen.

    Freezing at run time costs a microsecond for each object, three quarters of making it; a model has millions.
    """
    return dataclass(slots=True)(kind)


Dim = int | str | None
"""A size, a name of a dynamic size, or None where the file does not say."""

Shape = tuple[Dim, ...]

Attribute = bool | int | float | str | bytes | None | tuple["Attribute", ...] | dict[str, "Attribute"]
"""A node's attribute as plain data. Tensors stand as their text form, graphs as `graph:NAME`."""

BITS = {
    "bool": 8, "string": 0, "": 0,
    "int2": 2, "uint2": 2, "int4": 4, "uint4": 4, "float4_e2m1fn": 4, "float6_e2m3fn": 6, "float6_e3m2fn": 6,
    "float8_e3m4": 8, "float8_e4m3": 8, "float8_e4m3b11fnuz": 8,
    "int8": 8, "uint8": 8, "qint8": 8, "quint8": 8,
    "float8_e4m3fn": 8, "float8_e4m3fnuz": 8, "float8_e5m2": 8, "float8_e5m2fnuz": 8, "float8_e8m0fnu": 8,
    "int16": 16, "uint16": 16, "float16": 16, "bfloat16": 16,
    "int32": 32, "uint32": 32, "float32": 32, "qint32": 32,
    "int64": 64, "uint64": 64, "float64": 64, "complex32": 32, "complex64": 64, "complex128": 128,
}  # fmt: skip
"""Bits of one element, by dtype name."""


def bytes_of(dtype: str, shape: Shape) -> int | None:
    """Bytes of a dense array of this dtype and shape; None where a dimension is not a number."""
    sizes = [size for size in shape if isinstance(size, int)]
    if len(sizes) != len(shape) or dtype not in BITS:
        return None
    return -(-prod(sizes) * BITS[dtype] // 8)


class Role(StrEnum):
    """What a stored tensor is for; only weights and buffers count as parameters."""

    WEIGHT = "weight"
    """Learned by training."""
    BUFFER = "buffer"
    """Part of the model's state but not trained: running means, anchors."""
    CONSTANT = "constant"
    """Shape constants, integer indices, scalars of an expression."""
    OPTIMIZER = "optimizer"
    """Slots of the optimizer that trained it."""
    COPY = "copy"
    """The same weights once more: averaged while training (EMA, SWA)."""


@record
class Place:
    """Where a tensor's bytes lie; its format's `fetch` understands it.

    Attributes:
        file: Name of the file, relative to the model's folder; empty for the model file itself.
        member: Member of an archive, path inside an HDF5 file, or a path of fields inside a protocol buffer.
        offset: First byte within the file or member.
        size: Number of bytes stored.
        layout: What else is needed to read it (strides, byte order, "raw_data", "float_data", quantization …).
    """

    file: str = ""
    member: str = ""
    offset: int = 0
    size: int = 0
    layout: dict[str, Attribute] = field(default_factory=dict)


@record
class Tensor:
    """A stored tensor: its name, type and place, not its values."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    place: Place
    role: Role = Role.WEIGHT
    trainable: bool | None = None
    """None where the file does not say."""
    same_as: str = ""
    """Name of the tensor that shares these bytes, where the file says so (tied weights)."""
    holds: int = 0
    """Numbers packed into its elements, where the file says how many; 0 where each element is one."""

    @property
    def count(self) -> int:
        """Number of elements as stored."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the dense array; those stored, where elements of the type have no width of their own."""
        return self.place.size if self.dtype not in BITS else bytes_of(self.dtype, self.shape) or 0


@dataclass(frozen=True, slots=True)
class Value:
    """A value that flows along an edge of the graph."""

    name: str
    dtype: str = ""
    shape: Shape | None = None
    """None where not even the rank is known."""
    doc: str = ""


@record
class Node:
    """One operation (for Keras: one layer).

    Attributes:
        name: Unique in its graph; readers make one up where the file has none.
        op: Operator type in the format's own words: `Conv`, `aten.linear.default`, `Dense`, `CONV_2D`.
        inputs: Names of values or tensors, in the operator's order; an empty name is an omitted optional input.
        outputs: Names of values.
        module: Path of the module that it belongs to, dotted (`encoder.layer.0.attention`); see `Model.modules`.
        tensors: Names of tensors it owns that are not among `inputs` (Keras layers).
        graphs: Names of the graphs it runs (bodies of If and Loop, a function).
        source: Where in the author's program it was written, as `file:line`, where the file says so.
    """

    name: str
    op: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    attributes: dict[str, Attribute] = field(default_factory=dict)
    domain: str = ""
    module: str = ""
    tensors: tuple[str, ...] = ()
    graphs: tuple[str, ...] = ()
    source: str = ""
    doc: str = ""


@record
class Module:
    """A module of the author's program: its dotted path and its class. The root has the empty path."""

    path: str
    type: str
    attributes: dict[str, Attribute] = field(default_factory=dict)
    """Hyper-parameters where the file has them."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in topological order, and what is known of the values between them.

    `values` holds every value whose dtype or shape is known, by name, graph inputs and outputs included.
    """

    name: str
    inputs: tuple[Value, ...] = ()
    outputs: tuple[Value, ...] = ()
    nodes: tuple[Node, ...] = ()
    values: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call the model: named inputs and outputs in order."""

    name: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """Something the user should know about the file; `level` is info, warning or danger, `details` are lines."""

    level: str
    text: str
    hint: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """A model file, read.

    Attributes:
        format: Id of the format that read it.
        graphs: The main graph first; may be empty where the file holds weights only.
        tensors: Every stored tensor by name, those of subgraphs included.
        modules: The module tree as a flat tuple, parents before children; may be empty.
        signatures: At least one where the file says how to call it; the first is the default.
        texts: Named texts worth reading: code of TorchScript, docs, licence.
    """

    format: str
    producer: str = ""
    graphs: tuple[Graph, ...] = ()
    tensors: dict[str, Tensor] = field(default_factory=dict)
    modules: tuple[Module, ...] = ()
    signatures: tuple[Signature, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    @property
    def main(self) -> Graph | None:
        """The main graph, where there is one."""
        return self.graphs[0] if self.graphs else None

    def graph(self, name: str) -> Graph | None:
        """The graph of this name, where there is one."""
        return next((graph for graph in self.graphs if graph.name == name), None)
