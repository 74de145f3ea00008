"""Very large ONNX graphs: nodes, initializers and value infos are read from columns, never decoded as a whole.

A file of a million nodes is three hundred megabytes of protobuf; decoded it takes gigabytes, and its shape inference a
quarter of a minute. Here the plain parts become nodes and tensors straight from the bytes. What is rare is decoded by
itself and goes the usual way: nodes that run other graphs, literals, names that are not ASCII, metadata.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from inspector.formats._onnx_columns import Bytes, Spans, spans
from inspector.formats._onnx_types import decoded
from inspector.formats._onnx_wire import (
    MESSAGES,
    WHOLE,
    Buffer,
    Stripped,
    Stripper,
    fields,
    header,
)  # fmt: skip

VAST = 30_000
"""A graph of at least so many nodes is read this way."""

LEAST = 1 << 19
"""Bytes that a file of so many nodes has at least."""

GRAPH, NODE, INITIALIZER, VALUE_INFO = 7, 1, 5, 13
"""Fields of ModelProto and, of those that are many, of GraphProto."""

Listed = tuple[int, int, int, int]
"""A field: number, where its tag, its value and what follows begin."""


@dataclass(frozen=True, slots=True)
class Many:
    """One repeated message of the graph: its items stay bytes until one is asked for.

    Attributes:
        buffer: The file.
        data: The same as an array.
        spans: Where the messages lie.
        kind: Class that decodes one.
        smaller: Those of which bulky data was left out, by position.
    """

    buffer: Buffer
    data: Bytes
    spans: Spans
    kind: Any
    smaller: dict[int, bytes] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.spans)

    def __getitem__(self, index: int) -> Any:
        return decoded(self.kind, self.raw(index), int(self.spans.at[index]))

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def raw(self, index: int) -> bytes:
        """The bytes of one, without what is bulky."""
        found = self.smaller.get(index)
        return bytes(self.buffer[self.spans.at[index] : self.spans.stop[index]]) if found is None else found

    def blocks(self) -> Iterator[tuple[int, bytes, Spans]]:
        """Pieces: the position of the first message, bytes that hold them all, and where they lie therein."""
        for first, part in self.spans.blocks():
            low, high = int(part.begin[0]), int(part.stop[-1])
            sizes = part.stop - part.begin
            if high - low <= 2 * int(sizes.sum()) and (np.diff(part.begin) > 0).all():
                yield first, bytes(self.buffer[low:high]), Spans(part.begin - low, part.at - low, part.stop - low)
                continue
            pairs = zip(part.begin.tolist(), part.stop.tolist(), strict=True)
            shift = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)[:-1]]) - part.begin
            data = b"".join([bytes(self.buffer[begin:stop]) for begin, stop in pairs])
            yield first, data, Spans(part.begin + shift, part.at + shift, part.stop + shift)


@dataclass(frozen=True, slots=True)
class VastGraph:
    """Stands for a GraphProto: what is many as `Many`, the rest as decoded."""

    rest: Any
    node: Many
    initializer: Many
    value_info: Many

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rest, name)


@dataclass(frozen=True, slots=True)
class VastModel:
    """Stands for a ModelProto of a very large graph.

    Attributes:
        rest: The model without its nodes, initializers and value infos.
        graph: Its graph with them.
        stripped: What was left out of nodes and tensors.
    """

    rest: Any
    graph: VastGraph
    stripped: Stripped

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rest, name)


def survey(buffer: Buffer) -> VastModel | None:
    """The model in these bytes where its graph is very large, else None.

    Raises:
        FormatError: The bytes are no protobuf message.
    """
    import onnx

    if len(buffer) < LEAST:
        return None
    top = [(number, begin, at, stop) for number, wire, begin, at, stop in fields(buffer, 0, len(buffer)) if wire < 3]
    graphs = [(at, stop) for number, _, at, stop in top if number == GRAPH]
    if len(graphs) != 1:
        return None
    data = np.frombuffer(buffer, np.uint8)
    found = spans(buffer, data, *graphs[0])
    if NODE not in found or len(found[NODE]) < VAST:
        return None
    stripped = Stripped()
    stripper = Stripper(buffer, stripped)
    none = Spans(*(np.zeros(0, np.int64) for _ in range(3)))
    parts = []
    for number, kind in ((NODE, onnx.NodeProto), (INITIALIZER, onnx.TensorProto), (VALUE_INFO, onnx.ValueInfoProto)):
        where = found.pop(number, none)
        parts.append(Many(buffer, data, where, kind, _smaller(stripper, number, where)))
    rest = decoded(onnx.ModelProto, _rest(buffer, top, _graph(stripper, buffer, found), stripper))
    return VastModel(rest, VastGraph(rest.graph, *parts), stripped)


def _smaller(stripper: Stripper, number: int, where: Spans) -> dict[int, bytes]:
    """The long ones among nodes and tensors, without their bulky data."""
    if number not in MESSAGES["graph"]:
        return {}
    name, kind = MESSAGES["graph"][number]
    long = np.flatnonzero(where.stop - where.at > WHOLE[kind]).tolist()
    at, stop = where.at, where.stop
    copies = ((i, stripper.message(kind, int(at[i]), int(stop[i]), f"graph.{name}[{i}]", 1)) for i in long)
    return {i: copy for i, copy in copies if isinstance(copy, bytes)}


def _graph(stripper: Stripper, buffer: Buffer, found: dict[int, Spans]) -> bytes:
    """The graph without what is many."""
    listed = []
    for number, where in found.items():
        listed += [(number, *each) for each in zip(where.begin.tolist(), where.at.tolist(), where.stop.tolist())]
    return b"".join(_pieces(stripper, buffer, "graph", listed, "graph.", 1))


def _rest(buffer: Buffer, top: list[Listed], graph: bytes, stripper: Stripper) -> bytes:
    """The model without what is many in its graph."""
    others = [each for each in top if each[0] != GRAPH]
    return b"".join([header(GRAPH, len(graph)), graph, *_pieces(stripper, buffer, "model", others, "", 0)])


def _pieces(
    stripper: Stripper, buffer: Buffer, kind: str, listed: list[Listed], path: str, depth: int
) -> Iterator[bytes | Buffer]:
    """Fields of a message without their bulky data."""
    counts: Counter[int] = Counter()
    for number, begin, at, stop in listed:
        name, inner = MESSAGES[kind].get(number, ("", ""))
        if inner and stop - at > WHOLE.get(inner, 0):
            new = stripper.field(inner, at, stop, f"{path}{name}[{counts[number]}]", depth)
            if new is not None:
                yield header(number, len(new))
                yield new
            else:
                yield buffer[begin:stop]
        else:
            yield buffer[begin:stop]
        counts[number] += 1
