"""Frozen graphs of TensorFlow (`.pb`, `.pbtxt`), without TensorFlow: nodes, functions, constants at their places.

Inputs are the placeholders, outputs the nodes that nobody reads: the file has no signature.
"""

from __future__ import annotations

import mmap
import re
import warnings
from functools import partial
from typing import Any

from inspector.errors import FormatError
from inspector.formats._documents import documented
from inspector.formats._format import Format, Glimpse, Support
from inspector.formats._onnx_wire import fields
from inspector.formats._raw import read_at
from inspector.formats._source import HEAD, Source
from inspector.formats._tensors import Array
from inspector.formats._tf_frozen import at, frozen
from inspector.formats._tf_proto import SIZE, constant, tensor_values
from inspector.formats._tf_shapes import propagate
from inspector.formats._tf_wire import Lean, lean
from inspector.ir import Model, Note, Tensor

TEXT = 128 << 20
OPERATOR = re.compile(rb"[A-Za-z_][A-Za-z0-9_>.]{0,200}")
START = re.compile(rb"(\s|#[^\n]*\n)*(node|versions|library|version)\s*:?\s*[{\d]")
INNER = re.compile(rb'node\s*:?\s*\{\s*(name|op)\s*:\s*["\']')
NODE_FIELDS = frozenset({1, 2, 3, 4, 5, 6, 7})
AGAIN = "Fetch or copy the file again."


def sniff(glimpse: Glimpse) -> Support:
    """A message whose first node has a name and an operator, or the same as text."""
    head = glimpse.head
    if START.match(head) and INNER.search(head) and re.search(rb'\bop\s*:\s*["\']', head):
        return Support.YES
    return Support.YES if head[:1] in (b"\x0a", b"\x12") and _first_node(memoryview(head), glimpse.size) else Support.NO


def _first_node(head: memoryview, size: int) -> bool:
    """Whether the first node that the bytes show is one of TensorFlow's."""
    try:
        for number, wire, _tag, start, end in fields(head, 0, max(len(head), size)):
            if number in (2, 3, 4) and end <= len(head):
                continue
            return number == 1 and wire == 2 and _is_node(head, start, min(end, len(head)), whole=end <= len(head))
    except (FormatError, IndexError):
        return False
    return False


def _is_node(head: memoryview, start: int, end: int, *, whole: bool) -> bool:
    seen: list[int] = []
    try:
        for number, wire, _tag, begin, stop in fields(head, start, end):
            if number not in NODE_FIELDS or wire != 2:
                return False
            seen.append(number)
            if number == 2 and not OPERATOR.fullmatch(bytes(head[begin:stop])):
                return False
    except (FormatError, IndexError):
        if whole:
            return False
    return 2 in seen and seen[0] in (1, 2)


def read(source: Source) -> Model:
    """The whole structure; weights as places."""
    with source.open() as file:
        head = file.read(HEAD)
    text = START.match(head) is not None and INNER.search(head) is not None
    proto, spans = (_from_text(source), {}) if text else _from_bytes(source)
    drawn = frozen(proto, partial(at, spans=spans))
    versions = {"graph version": proto.versions.producer, "functions": len(proto.library.function)}
    model = Model(
        format="tf.graph_def",
        producer="TensorFlow",
        graphs=drawn.graphs,
        tensors=drawn.tensors,
        modules=drawn.modules,
        signatures=(drawn.signature,),
        metadata={key: str(number) for key, number in versions.items() if number},
        notes=(*drawn.notes, *_unsigned(proto)),
    )
    return propagate(model)


def _unsigned(proto: Any) -> list[Note]:
    """TensorFlow writes its version last: a graph without one may have been cut off between two nodes."""
    if proto.versions.producer or proto.version:
        return []
    text = "The file does not say which version of TensorFlow wrote it, which is the last that TensorFlow writes."
    return [Note("warning", text, "It may be incomplete; fetch or copy it again where something is missing.")]


def _from_bytes(source: Source) -> tuple[Any, dict[tuple[str, str], tuple[int, int]]]:
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto.graph_pb2 import GraphDef

    found = _lean(source)
    try:
        return GraphDef.FromString(found.data), found.spans
    except (DecodeError, ValueError, RecursionError) as error:
        raise FormatError(f"{source.name} is damaged or incomplete.", hint=AGAIN) from error


def _lean(source: Source) -> Lean:
    """The graph without the bulk of its constants."""
    with source.open() as file:
        size = file.seek(0, 2)
        if size > SIZE:
            raise FormatError(
                f"{source.name} has {size:,} bytes, more than a protocol buffer can.",
                hint="No model that is known has so much; it was not read.",
            )
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (ValueError, OSError) as error:
            raise FormatError(f"{source.name} cannot be read: {error}.") from error
        with data, memoryview(data) as buffer:
            return lean(buffer)


def _from_text(source: Source) -> Any:
    from google.protobuf import text_format
    from tensorboard.compat.proto.graph_pb2 import GraphDef

    with source.open() as file:
        size = file.seek(0, 2)
        if size > TEXT:
            raise FormatError(
                f"{source.name} has {size:,} bytes of text; the limit is {TEXT:,}.",
                hint="Save the graph in its binary form (.pb).",
            )
        data = read_at(file, 0, size, "graph")
    graph = GraphDef()
    try:
        with warnings.catch_warnings():  # protobuf decodes texts, and grumbles at odd ones
            warnings.simplefilter("ignore", DeprecationWarning)
            text_format.Parse(data, graph, allow_unknown_field=True)
    except (text_format.ParseError, ValueError, RecursionError, OverflowError, TypeError) as error:
        line = error.GetLine() if isinstance(error, text_format.ParseError) else None
        last = line is not None and line > data.rstrip().count(b"\n")
        if last and re.search(r"Expected|missing ending quote", str(error)):  # more should follow the last line
            raise FormatError(
                f"{source.name} ends too early: it is incomplete or damaged.",
                hint="Wait until it is written, or fetch it again.",
            ) from error
        raise FormatError(f"{source.name} is damaged ({str(error)[:100]}).", hint=AGAIN) from error
    return graph


def fetch(source: Source, tensor: Tensor) -> Array:
    """The values of a constant."""
    values = _fetched(source, tensor)
    if values.shape != tensor.shape:  # two nodes have one name
        raise FormatError(f"The values of {tensor.name[:100]!r} do not have its shape.", hint=AGAIN)
    return values


def _fetched(source: Source, tensor: Tensor) -> Array:
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto.meta_graph_pb2 import MetaGraphDef
    from tensorboard.compat.proto.tensor_pb2 import TensorProto

    place = tensor.place
    if not place.offset:
        meta = MetaGraphDef()
        meta.graph_def.CopyFrom(_from_text(source))
        return constant(meta, str(place.layout.get("function", "")), place.member)
    with source.open() as file:
        data = read_at(file, place.offset, place.size, f"tensor {tensor.name[:100]!r}")
    try:
        return tensor_values(TensorProto.FromString(data))
    except (DecodeError, ValueError, RecursionError) as error:
        raise FormatError(f"The values of {tensor.name[:100]!r} are damaged.", hint=AGAIN) from error


FORMAT = Format(
    id="tf.graph_def",
    title="TensorFlow graph",
    suffixes=(".pb", ".pbtxt", ".graphdef"),
    sniff=sniff,
    read=read,
    fetch=fetch,
    document=documented("tensorflow"),
    mime="application/x-tensorflow-graphdef",
    reshape=propagate,
)
