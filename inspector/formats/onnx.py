"""ONNX: one protocol buffer, its weights inside or in files beside it.

The file is not decoded whole: its bulky data is left where it lies (see `_onnx_wire`), and what remains goes through
onnx's own shape inference, which also decodes it. Constant nodes stand as tensors, like initializers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from inspector.errors import FormatError
from inspector.formats._documents import documented
from inspector.formats._format import Format, Glimpse, Support
from inspector.formats._modules import tree
from inspector.formats._onnx_calls import Calls
from inspector.formats._onnx_checks import beyond, disorder, foreign, overlaps, strange_settings
from inspector.formats._onnx_graphs import Reader, twice
from inspector.formats._onnx_names import says
from inspector.formats._onnx_packed import RULES, packed
from inspector.formats._onnx_shapes import check, decode
from inspector.formats._onnx_tensors import Shelf, blanks, check_external, fetch, fetch_part, mapped
from inspector.formats._onnx_types import text
from inspector.formats._onnx_vast import VastModel, survey
from inspector.formats._onnx_vast_reader import VastReader
from inspector.formats._onnx_vast_shapes import inferred
from inspector.formats._onnx_wire import fields, strip, varint
from inspector.formats._source import Source
from inspector.ir import Graph, Model, Module, Note, Role, Signature, Tensor

MODEL_FIELDS = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
"""Wire types of ModelProto's fields."""

LONG = (6, 14, 20, 25)
"""Fields that may be longer than what is looked at."""

NAMED = (2, 3, 4)
"""Fields that may be so where the file's name says what it is: other formats begin with a long field of theirs."""

WRITTEN = re.compile(rb'\s*(<\s*ir_version\s*:|(#[^\n]*\n\s*)*ir_version\s*:\s*\d|\{\s*"irVersion"\s*:)')
"""How a model that is written as text begins: ONNX's own form, that of protocol buffers, and theirs in JSON."""

HUGE = 200_000
"""Nodes of a graph beyond which shapes in the graphs that its nodes run are given up."""

GRAPH_FIELDS = frozenset({1, 2, 5, 10, 11, 12, 13, 14, 15, 16})


def sniff(glimpse: Glimpse) -> Support:
    """Whether the bytes are a ModelProto: a version, and a graph or its operator sets."""
    if WRITTEN.match(glimpse.head):
        return Support.YES
    head, seen, last = memoryview(glimpse.head), set(), 0
    try:
        for number, wire, _, at, stop in fields(head, 0, max(len(head), glimpse.size)):
            if MODEL_FIELDS.get(number) != wire:
                return Support.NO
            if number == 1 and not 1 <= varint(head, at, len(head))[0] <= 99:
                return Support.NO
            if number == 7 and at < len(head) and head[at] >> 3 not in GRAPH_FIELDS:
                return Support.NO
            seen.add(number)
            last = number
            if stop >= len(head):
                break
    except (FormatError, IndexError):
        # A file that ends early is still ONNX when it began so.
        named = glimpse.path.suffix.lower() == ".onnx"
        return (
            Support.YES
            if {1, 7} <= seen
            else Support.MAYBE
            if 1 in seen and (seen & {2, 3, 8} or named)
            else Support.NO
        )
    if 1 in seen and seen & {7, 8}:
        return Support.YES
    # The graph may stand first, or behind long documentation or metadata.
    long = LONG + NAMED if glimpse.path.suffix.lower() == ".onnx" else LONG
    return Support.MAYBE if 7 in seen or (1 in seen and last in long) else Support.NO


def read(source: Source) -> Model:
    """The whole structure; weights are places.

    Raises:
        FormatError: It is no ONNX model, is damaged, nests graphs too deeply, or is written as text.
    """
    return resize(source, {})


def resize(source: Source, dims: Mapping[str, int]) -> Model:
    """The same with named sizes fixed, from which many more shapes follow.

    Raises:
        FormatError: It is no ONNX model, is damaged, nests graphs too deeply, or a size makes no sense.
    """
    check(dims)
    data = mapped(source)
    if WRITTEN.match(data):
        raise FormatError(
            f"{source.name} is an ONNX model written as text.",
            hint="Save it in its binary form: onnx.save(onnx.load(NAME, format='textproto'), 'model.onnx'); "
            "other formats are onnxtxt and json.",
        )
    vast = survey(data)
    large = None if vast is None else _vast(source, data, vast)
    if vast is not None and large is not None:
        return _settled(vast, large, dims, lambda share: None)
    stripped = strip(data)
    calls = Calls()
    proto, notes = decode(stripped.data, dims, calls=calls)
    if not proto.HasField("graph"):
        raise FormatError(f"{source.name} holds no graph.", hint="It is incomplete; fetch or copy it again.")
    return _built(source, data, proto, Reader(stripped, Shelf(stripped, notes=notes), bodies=calls.bodies))


def sketch(source: Source) -> Model | None:
    """A very large model without what takes long: shapes between its nodes, modules; None for any other model.

    Raises:
        FormatError: It is damaged.
    """
    data = mapped(source)
    vast = survey(data)
    return None if vast is None else _vast(source, data, vast)


def settle(source: Source, model: Model, dims: Mapping[str, int], report: Callable[[float], None]) -> Model:
    """What `sketch` gave, with the shapes between its nodes.

    Raises:
        FormatError: The file changed since then.
    """
    check(dims)
    vast = survey(mapped(source))
    if vast is None:
        raise FormatError(f"{source.name} changed since it was opened.", hint="Close it and open it again.")
    return _settled(vast, model, dims, report)


def _vast(source: Source, data: memoryview, vast: VastModel) -> Model | None:
    """The model without shapes; None where there are graphs in it and shapes in those can be had in reasonable time."""
    reader = VastReader(vast.stripped, Shelf(vast.stripped), told=says(data))
    model = _built(source, data, vast, reader)
    if len(model.graphs) == 1:
        return model
    note = Note("info", "Shapes in branches, loops and functions of so large a model are not worked out.")
    return None if len(vast.graph.node) < HUGE else replace(model, notes=(*model.notes, note))


def _settled(vast: VastModel, model: Model, dims: Mapping[str, int], report: Callable[[float], None]) -> Model:
    values, notes = inferred(vast, model.tensors, dims, report)
    main = model.graphs[0]
    ends = ((values.get(value.name, value) for value in side) for side in (main.inputs, main.outputs))
    main = replace(main, inputs=tuple(next(ends)), outputs=tuple(next(ends)), values={**main.values, **values})
    signatures = (Signature("main", main.inputs, main.outputs),)
    graphs = (main, *model.graphs[1:])
    literals = [name for name, tensor in model.tensors.items() if tensor.place.member.startswith("graph.node[")]
    notes += _checked(graphs, model.tensors, literals)
    modules = model.modules or _modules(graphs, {})
    return replace(model, graphs=graphs, modules=modules, signatures=signatures, notes=(*model.notes, *notes))


def _built(source: Source, data: memoryview, proto: Any, reader: Reader) -> Model:
    """The IR of what was decoded."""
    reader.model(proto)
    shelf = reader.shelf
    tensors = _trained(shelf.settled(blanks(source, data, proto)), reader.training)
    graphs = tuple(reader.graphs.values())
    if shelf.taken_by(RULES):
        packed(graphs, tensors)
    notes = [*shelf.notes, *check_external(source, tensors), *overlaps(tensors.values())]
    notes += [*strange_settings(shelf.settings), *_remarks(proto), *beyond(proto, len(data))]
    notes += [] if isinstance(proto, VastModel) else _checked(graphs, tensors, reader.constants)
    metadata, texts = _facts(proto)
    return Model(
        "onnx",
        " ".join(filter(None, (text(proto.producer_name), text(proto.producer_version)))),
        graphs,
        tensors,
        () if isinstance(proto, VastModel) and not reader.classes else _modules(graphs, reader.classes),
        (Signature("main", graphs[0].inputs, graphs[0].outputs),),
        metadata,
        texts,
        tuple(notes),
    )


def _trained(tensors: dict[str, Tensor], training: Iterable[str]) -> dict[str, Tensor]:
    """What the graphs that train a model hold is the optimizer's, not the model's."""
    starts = tuple(f"{name}/" for name in training)
    if not starts:
        return tensors
    return {n: replace(t, role=Role.OPTIMIZER) if n.startswith(starts) else t for n, t in tensors.items()}


def _modules(graphs: tuple[Graph, ...], classes: Mapping[str, str]) -> tuple[Module, ...]:
    """The modules that nodes belong to; of some the classes are known."""
    return tree(dict.fromkeys((node.module for graph in graphs for node in graph.nodes), "") | dict(classes))


def _facts(proto: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Metadata in a line each, and longer texts by name."""
    metadata = {"ir version": str(proto.ir_version)}
    metadata |= {f"opset {text(item.domain) or 'ai.onnx'}": str(item.version) for item in proto.opset_import}
    if proto.domain:
        metadata["domain"] = text(proto.domain)
    if proto.model_version:
        metadata["model version"] = str(proto.model_version)
    texts = {"documentation": text(proto.doc_string or proto.graph.doc_string)}
    for entry in (*proto.metadata_props, *proto.graph.metadata_props):
        key, words = text(entry.key), text(entry.value)
        key = "licence" if key in ("license", "model_license", "licence") else key
        target = texts if len(words) > 300 or "\n" in words.strip() else metadata
        target.setdefault(key, words)
    return metadata, {name: words for name, words in texts.items() if words}


def _checked(graphs: tuple[Graph, ...], tensors: Mapping[str, Tensor], literals: Iterable[str]) -> list[Note]:
    """What is only seen by looking at every node."""
    notes = [*foreign(graphs), *disorder(graphs[0], tensors)]
    name = twice(graphs[0], literals)
    if name:
        notes.append(Note("warning", f"The value {name[:100]!r} is written twice.", "Runtimes will refuse it."))
    return notes


def _remarks(proto: Any) -> list[Note]:
    notes = []
    if not proto.opset_import:
        notes.append(Note("warning", "The file does not say which operator set it uses.", "Runtimes will refuse it."))
    if proto.training_info:
        notes.append(Note("info", "The file also holds graphs that train the model."))
    return notes


def document(op: str, domain: str) -> str:
    """Documentation of an operator from onnx's own schemas, as plain text."""
    import onnx

    domain = "" if domain == "ai.onnx" else domain
    try:
        schema = onnx.defs.get_schema(op, domain)
    except onnx.defs.SchemaError:
        if not domain and op.startswith("torch.nn."):  # a module that an exporter wrote down, no operator
            return documented("torch")(op, "")
        own = {"com.microsoft": op, "com.microsoft.nchwc": f"nchwc::{op}"}.get(domain, "")
        if op == "SimplifiedLayerNormalization":  # that one goes under ONNX's own name
            own = op
        return documented("onnxruntime")(own, "")
    parts = [f"{op}, since version {schema.since_version}", schema.doc.strip()]
    for title, entries in (("Inputs", schema.inputs), ("Outputs", schema.outputs)):
        lines = [f"{entry.name} ({entry.type_str}): {' '.join(entry.description.split())}" for entry in entries]
        parts.append("\n".join([title, *lines]) if lines else "")
    lines = [f"{name}: {' '.join(item.description.split())}" for name, item in sorted(schema.attributes.items())]
    parts.append("\n".join(["Attributes", *lines]) if lines else "")
    return "\n\n".join(filter(None, parts))


FORMAT = Format(
    id="onnx",
    title="ONNX",
    suffixes=(".onnx",),
    sniff=sniff,
    read=read,
    fetch=fetch,
    fetch_part=fetch_part,
    mime="application/x-onnx",
    magic=tuple((0, bytes((8, version, 18))) for version in range(3, 14)),
    document=document,
    resize=resize,
    sketch=sketch,
    settle=settle,
)
