"""What is known of the values of one ONNX graph while sizes that are worked out at run time are followed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from inspector.formats._onnx_moves import stored
from inspector.formats._onnx_types import RANK, text
from inspector.formats._onnx_values import Array
from inspector.ir import Dim, Shape

FRESH = "unk__"
"""How names begin that inference gives to sizes of which it knows nothing."""


class Scope:
    """What is known of the values of one graph; new findings go into its protos when it is closed.

    Args:
        graph: The GraphProto.
        around: The graph around it.
        meant: What names of unknown sizes turned out to be so far.
        settable: Whether what is stored under the name of an input is only its default.
    """

    def __init__(self, graph: Any, around: Scope | None, meant: Mapping[str, Dim], *, settable: bool) -> None:
        self._graph, self._around = graph, around
        self._stored = {tensor.name: tensor for tensor in graph.initializer}
        self._settable = {info.name for info in graph.input} if settable else set()
        self._types: dict[str, Any] = {}
        self._values: dict[str, Array | None] = {}
        self._shapes: dict[str, Shape | None] = {}
        self._new: dict[str, Any] = {}
        self._protos: dict[tuple[int, Shape], Any] = {} if around is None else around._protos
        self._users: dict[str, list[str]] = {}
        """Values by the unknown sizes that they have."""
        self._ends = {info.name for info in graph.output}
        if around is not None:  # its own names hide those around it
            self._types.update((name, None) for node in graph.node for name in node.output)
        for info in (*graph.value_info, *graph.input, *graph.output):
            name = info.name
            self._types[name] = info.type
            self._note(name, shape_of(info.type))
        for name in meant.keys() & self._users.keys():
            deque(self.settle(name, meant[name]), 0)

    def ends(self, names: Iterable[str]) -> bool:
        """Whether one of these is an output of the graph."""
        return not self._ends.isdisjoint(names)

    def value(self, name: str) -> Array | None:
        """A value's elements; None where nothing is known of them."""
        if name in self._values:
            return self._values[name]
        if name in self._stored:
            found = self._values[name] = None if name in self._settable else stored(self._stored[name])
            return found
        return None if self._around is None or name in self._types else self._around.value(name)

    def hold(self, name: str, value: Array | None) -> None:
        """Note a value's elements."""
        if name:
            self._values[name] = value

    def type(self, name: str) -> Any:
        """A value's TypeProto; None where nothing is known of it."""
        if name in self._stored:
            tensor = self._stored[name]
            if name not in self._types and len(tensor.dims) <= RANK:
                self._types[name] = self._proto(tensor.data_type, tuple(tensor.dims))
        if name in self._types:
            proto = self._types[name]
            return proto if proto is not None and proto.WhichOneof("value") else None
        return None if self._around is None else self._around.type(name)

    def shape(self, name: str) -> Shape | None:
        """A value's shape."""
        if name not in self._shapes:
            proto = self.type(name)
            self._shapes[name] = None if proto is None else shape_of(proto)
        return self._shapes[name]

    def kind(self, name: str) -> int:
        """A value's element type."""
        proto = self.type(name)
        return int(proto.tensor_type.elem_type) if proto is not None and proto.HasField("tensor_type") else 0

    def vague(self, names: Iterable[str], known: frozenset[str]) -> bool:
        """Whether a shape is not known in numbers and names of the inputs."""
        for name in names:
            shape = self.shape(name) if name else ()
            if shape is None or any(not isinstance(dim, int) and dim not in known for dim in shape):
                return True
        return False

    def put(self, name: str, kind: int, shape: Shape) -> None:
        """Keep a new finding."""
        self._types[name] = self._new[name] = self._proto(kind, shape)
        self._note(name, shape)

    def _proto(self, kind: int, shape: Shape) -> Any:
        """A TypeProto; a model has few different ones."""
        proto = self._protos.get((kind, shape))
        if proto is None:
            proto = self._protos[kind, shape] = type_proto(kind, shape)
        return proto

    def _note(self, name: str, shape: Shape | None) -> None:
        """Remember a shape, and which unknown sizes are in it."""
        self._shapes[name] = shape
        for dim in shape or ():
            if type(dim) is str and dim.startswith(FRESH):
                self._users.setdefault(dim, []).append(name)

    def foreign(self, unknown: str) -> bool:
        """Whether an unknown size is that of a value around this graph."""
        return self._around is not None and (unknown in self._around._users or self._around.foreign(unknown))

    def settle(self, unknown: str, dim: Dim, known: str = "") -> Iterator[str]:
        """Put what an unknown size turned out to be wherever it stands; names of the values that have it.

        Args:
            unknown: The size.
            dim: What it turned out to be.
            known: The value that told it, which is left as it is.
        """
        for name in self._users.pop(unknown, ()):
            shape = self.shape(name) if name != known else None
            if shape is not None and unknown in shape:
                self.put(name, self.kind(name), tuple(dim if each == unknown else each for each in shape))
                yield name

    def close(self) -> None:
        """Write what was found into the graph."""
        if not self._new:
            return
        there = set()
        for info in (*self._graph.value_info, *self._graph.output):
            if info.name in self._new:
                info.type.CopyFrom(self._new[info.name])
                there.add(info.name)
        for name, proto in self._new.items():
            if name not in there:
                self._graph.value_info.add(name=name).type.CopyFrom(proto)


def type_proto(kind: int, shape: Shape) -> Any:
    """A TypeProto of a tensor."""
    import onnx

    proto = onnx.TypeProto()
    proto.tensor_type.elem_type = kind
    dims = proto.tensor_type.shape
    dims.SetInParent()
    for dim in shape:
        if isinstance(dim, int):
            dims.dim.add(dim_value=dim)
        else:
            dims.dim.add(dim_param=dim) if dim else dims.dim.add()
    return proto


def shape_of(proto: Any) -> Shape | None:
    """The shape in a TypeProto."""
    if not proto.HasField("tensor_type") or not proto.tensor_type.HasField("shape"):
        return None
    dims = proto.tensor_type.shape.dim
    return tuple(map(_dim, dims)) if len(dims) <= RANK else None


def _dim(dim: Any) -> Dim:
    size: int = dim.dim_value
    if size > 0:
        return size
    return text(dim.dim_param) or (0 if size == 0 and dim.HasField("dim_value") else None)
