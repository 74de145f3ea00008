"""Shapes between the nodes of a very large ONNX graph: onnx's own inference, applied to one stretch of it at a time.

A stretch is a model of its own: its nodes, the tensors and literals that they take, and what is known of the values
that come from before. A shape that is computed by nodes (Shape, Gather, Concat, Reshape …) needs their values and not
only their types, so the short chains that make small values are repeated at the beginning of each stretch that takes
them. Thus as much is found as by one inference over everything, in bounded memory, with a breath between two stretches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from inspector.formats._onnx_shapes import decode, fixed
from inspector.formats._onnx_types import decoded, text, type_of
from inspector.formats._onnx_vast import NODE, VALUE_INFO, VastModel
from inspector.formats._onnx_wire import header
from inspector.ir import Note, Shape, Tensor, Value

STRETCH = 20_000
"""Nodes that are looked at in one go."""

REPEATED = 2000
"""Nodes of earlier stretches that one may repeat."""

FRESH = "unk__"
"""How inference begins the names that it gives to sizes of which it knows nothing."""

NAMED = re.compile(rf"\b{FRESH}\d+\b")

Report = Callable[[float], None]


def inferred(
    model: VastModel, tensors: Mapping[str, Tensor], dims: Mapping[str, int], report: Report
) -> tuple[dict[str, Value], list[Note]]:
    """What is known of each value, and what went wrong.

    Args:
        model: The file.
        tensors: What is stored in it, by name.
        dims: Sizes to take for named dimensions.
        report: Told the share that is done.
    """
    work = _Inference(model, tensors, dims)
    count = len(model.graph.node)
    for first in range(0, count, STRETCH):
        work.stretch(first, min(first + STRETCH, count))
        report(min(first + STRETCH, count) / count)
    return work.values, work.notes


class _Inference:
    def __init__(self, model: VastModel, tensors: Mapping[str, Tensor], dims: Mapping[str, int]) -> None:
        import onnx

        self._onnx = onnx
        self._model = model
        self._tensors = tensors
        self._dims = dims
        ends = fixed(_copy(model.rest), dims) if dims else model.rest
        self._inputs = {info.name: info.SerializeToString() for info in ends.graph.input}
        self._ends = {dim.dim_param for info in ends.graph.input for dim in _dims(info.type)}
        """Names of dimensions of the inputs."""
        self._outputs = {info.name: info.SerializeToString() for info in ends.graph.output}
        self._said = {info.name: index for index, info in enumerate(model.graph.value_info)}
        head = _copy(model.rest)
        head.ClearField("graph")
        self._head = head.SerializeToString()
        self._raw: dict[str, bytes] = {}
        """Types of the values so far, as bytes, of which few are different."""
        self._types: dict[bytes, tuple[str, Shape | None]] = {}
        self._small: dict[str, int] = {}
        """Nodes that make values of at most one dimension."""
        self._fresh = 0
        self.values: dict[str, Value] = {}
        self.notes: list[Note] = []
        for info in (*ends.graph.input, *ends.graph.output):
            self._keep(text(info.name), info.type.SerializePartialToString())

    def stretch(self, first: int, stop: int) -> None:
        """Find the shapes of some nodes' outputs."""
        nodes = self._nodes(first, stop)
        made: dict[str, int] = {}
        needed: dict[str, None] = {}
        for index, node in enumerate(nodes, first):
            needed.update((name, None) for name in _takes(node) if name not in made)
            made.update((name, index) for name in node.output)
        pieces, known = self._around(needed)
        names = set(self._fresh_names(known))
        pieces += [field(13, body) for body in known]
        pieces += [field(13, body) for name in made if (body := self._declared(name))]
        pieces += [field(12, self._outputs[name]) for name in made if name in self._outputs]
        for index in range(first, stop):
            pieces.append(field(NODE, self._model.graph.node.raw(index)))
        proto, notes = decode(self._head + field(7, b"".join(pieces)), {}, self._ends)
        self.notes += [note for note in notes if note not in self.notes]
        renamed: dict[str, str] = {}
        for info in (*proto.graph.value_info, *proto.graph.output):
            if info.name in made:
                raw = info.type.SerializePartialToString()
                if FRESH.encode() in raw:
                    raw = self._renamed(info.type, names, renamed)
                self._keep(text(info.name), raw)
                shape = self.values[text(info.name)].shape
                if shape is not None and len(shape) < 2:
                    self._small[info.name] = made[info.name]

    def _nodes(self, first: int, stop: int) -> list[Any]:
        return [self._model.graph.node[index] for index in range(first, stop)]

    def _around(self, needed: Iterable[str]) -> tuple[list[bytes], list[bytes]]:
        """Tensors, literals and small values that a stretch takes, ready to be put before it; and types of the rest."""
        stored: dict[str, bytes] = {}
        repeated: dict[int, bytes] = {}
        known: dict[str, bytes] = {}
        graph = self._model.graph
        waiting = list(needed)
        while waiting:
            name = waiting.pop()
            tensor = self._tensors.get(text(name))
            if name in stored or name in known:
                continue
            if tensor is not None and tensor.place.member.startswith("graph.initializer["):
                index = int(tensor.place.member.partition("[")[2].partition("]")[0])
                listed = field(11, self._inputs[name]) if name in self._inputs else b""  # as old files have to
                stored[name] = field(5, graph.initializer.raw(index)) + listed
            elif tensor is not None and tensor.place.member.startswith("graph.node["):
                index = int(tensor.place.member.partition("[")[2].partition("]")[0])
                repeated[index] = field(NODE, graph.node.raw(index))
            elif name in self._inputs:
                stored[name] = field(11, self._inputs[name])
            elif name in self._raw:
                known[name] = field(1, name) + field(2, self._raw[name])
                maker = self._small.get(name)
                if maker is not None and maker not in repeated and len(repeated) < REPEATED:
                    repeated[maker] = field(NODE, graph.node.raw(maker))
                    waiting += _takes(graph.node[maker])
        return [*stored.values(), *(repeated[index] for index in sorted(repeated))], list(known.values())

    def _declared(self, name: str) -> bytes:
        """What the file itself says of a value; nothing where it says nothing."""
        if name not in self._said:
            return b""
        raw = self._model.graph.value_info.raw(self._said[name])
        if not self._dims:
            return raw
        alone = decoded(self._onnx.ModelProto, field(7, field(VALUE_INFO, raw)))
        body: bytes = fixed(alone, self._dims).graph.value_info[0].SerializeToString()
        return body

    def _keep(self, name: str, raw: bytes) -> None:
        known = self._types.get(raw)
        if known is None:
            known = self._types[raw] = type_of(decoded(self._onnx.TypeProto, raw))
        self._raw[name] = raw
        self.values[name] = Value(name, *known)

    def _renamed(self, proto: Any, old: set[str], renamed: dict[str, str]) -> bytes:
        """A type whose new names of sizes are none that an earlier stretch gave to others."""

        def new(match: re.Match[str]) -> str:
            name = match[0]
            if name in old:
                return name
            if name not in renamed:
                renamed[name] = f"{FRESH}{self._fresh}"
                self._fresh += 1
            return renamed[name]

        for dim in _dims(proto):
            if FRESH in dim.dim_param:
                dim.dim_param = NAMED.sub(new, dim.dim_param)
        raw: bytes = proto.SerializePartialToString()
        return raw

    def _fresh_names(self, known: Iterable[bytes]) -> Iterator[str]:
        """Names of that kind that come from before."""
        for body in known:
            if FRESH.encode() in body:
                info = decoded(self._onnx.ValueInfoProto, body)
                for dim in _dims(info.type):
                    yield from NAMED.findall(dim.dim_param)


def field(number: int, body: bytes | str) -> bytes:
    """A field of wire type 2."""
    data = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else body
    return header(number, len(data)) + data


def _copy(proto: Any) -> Any:
    new = type(proto)()
    new.CopyFrom(proto)
    return new


def _takes(node: Any) -> Iterator[str]:
    """Names of what a node takes, and of all that the graphs in it do."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield from here.input
        for attribute in here.attribute:
            for graph in (attribute.g, *attribute.graphs) if attribute.type in (5, 10) else ():
                waiting += graph.node
                yield from (info.name for info in graph.output)


def _dims(proto: Any) -> Iterable[Any]:
    return proto.tensor_type.shape.dim if proto.HasField("tensor_type") else ()
