"""What is known of the values of one ONNX graph while sizes that are worked out at run time are followed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from inspector.formats._onnx_moves import stored
from inspector.formats._onnx_types import RANK
from inspector.formats._onnx_values import Array
from inspector.ir import Dim, Shape


class Scope:
    """What is known of the values of one graph; new findings go into its protos when it is closed.

    Args:
        graph: The GraphProto.
        around: The graph around it.
        meant: What names of unknown sizes turned out to be so far.
        settable: Whether what is stored under the name of an input is only its default.
    """

    def __init__(self, graph: Any, around: Scope | None, meant: Mapping[str, Dim], *, settable: bool) -> None:
        self._graph, self._around, self._meant = graph, around, meant
        self._tensors = {tensor.name: tensor for tensor in graph.initializer}
        self._types: dict[str, Any] = {}
        self._values: dict[str, Array | None] = {}
        self._shapes: dict[str, Shape | None] = {}
        self._new: dict[str, Any] = {}
        self.ends = {info.name for info in graph.output}
        if around is not None:  # its own names hide those around it
            self._types.update((name, None) for node in graph.node for name in node.output)
        for info in (*graph.value_info, *graph.input, *graph.output):
            self._types[info.name] = info.type
        for name, tensor in self._tensors.items():
            self._types[name] = _type(tensor.data_type, tuple(tensor.dims))
        for info in graph.input if settable else ():
            self._tensors.pop(info.name, None)

    def value(self, name: str) -> Array | None:
        """A value's elements; None where nothing is known of them."""
        if name in self._values:
            return self._values[name]
        if name in self._tensors:
            found = self._values[name] = stored(self._tensors[name])
            return found
        return None if self._around is None or name in self._types else self._around.value(name)

    def hold(self, name: str, value: Array | None) -> None:
        """Note a value's elements."""
        if name:
            self._values[name] = value

    def type(self, name: str) -> Any:
        """A value's TypeProto; None where nothing is known of it."""
        if name in self._types:
            proto = self._types[name]
            return proto if proto is not None and proto.WhichOneof("value") else None
        return None if self._around is None else self._around.type(name)

    def shape(self, name: str) -> Shape | None:
        """A value's shape."""
        if name not in self._shapes:
            proto = self.type(name)
            found = None if proto is None else shape_of(proto)
            if found and self._meant:
                found = tuple(self._meant.get(dim, dim) if isinstance(dim, str) else dim for dim in found)
            self._shapes[name] = found
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
        self._types[name] = self._new[name] = _type(kind, shape)
        self._shapes[name] = shape

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


def _type(kind: int, shape: Shape) -> Any:
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
    found: list[Dim] = []
    for dim in proto.tensor_type.shape.dim:
        size = dim.dim_value if dim.HasField("dim_value") else None
        found.append(dim.dim_param or None if size is None else size if size >= 0 else None)
    return tuple(found) if len(found) <= RANK else None
