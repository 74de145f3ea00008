"""A GraphDef as a model: frozen graphs and the graphs of TensorFlow.js, which keep their weights in constants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from inspector.formats._bundle import dtype_name
from inspector.formats._tf_graph import Library, Sketch, draw, function_graph
from inspector.formats._tf_names import FILES, shape
from inspector.ir import Graph, Module, Note, Signature, Tensor, Value

PLACEHOLDERS = frozenset({"Placeholder", "PlaceholderV2"})
SILENT = frozenset({"Const", "NoOp", "Placeholder", "PlaceholderV2"})
OUTPUTS = 1000
UNRANKED = 24
"""Version of a graph before which a placeholder without a shape has that of a scalar (core/public/version.h)."""

Placed = Callable[[Tensor], Tensor]
"""A tensor of a constant at its place in the file."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A drawn GraphDef."""

    graphs: tuple[Graph, ...]
    tensors: dict[str, Tensor]
    signature: Signature
    modules: tuple[Module, ...]
    notes: tuple[Note, ...]


def frozen(proto: Any, placed: Placed, signature: Signature | None = None, ends: tuple[str, ...] = ()) -> Frozen:
    """Draw a GraphDef.

    Args:
        proto: The GraphDef.
        placed: Gives a constant its place.
        signature: Inputs and outputs as the file names them; what nobody reads is an output where None.
        ends: References of the signature's outputs.
    """
    library = Library({function.signature.name: function for function in proto.library.function}, {}, {}, {})
    inputs = _inputs(proto, signature)
    notes: list[Note] = []
    if signature is None:
        names = _unread(proto)
        if len(names) > OUTPUTS:
            notes.append(Note("warning", f"Nobody reads {len(names):,} nodes; the first {OUTPUTS:,} are outputs."))
        pairs = [(name, name) for name in names[:OUTPUTS]]
    else:
        pairs = list(zip((value.name for value in signature.outputs), ends, strict=True))
    sketch = Sketch(library, proto.node, "", {value.doc: value.name for value in inputs})
    main = draw(sketch, "main", [Value(value.name, value.dtype, value.shape) for value in inputs], pairs)
    main = main if signature is None else _told(main, signature)
    graphs = [main]
    while library.waiting:
        name, bound = library.waiting.popleft()
        graphs.append(function_graph(library, name, bound, prefix=f"{name}/"))
    tensors = {name: placed(tensor) for name, tensor in library.tensors.items()}
    notes += reaching(node.op for node in proto.node)
    if not library.complete:
        notes.append(Note("warning", "The graph is too large; a part of it is shown."))
    return Frozen(
        tuple(graphs),
        tensors,
        Signature(signature.name if signature else "graph", main.inputs, main.outputs),
        tuple(scopes(main)),
        tuple(notes),
    )


def _told(graph: Graph, signature: Signature) -> Graph:
    """The graph with what the signature says of outputs whose shape it does not say itself."""
    outputs = tuple(
        replace(value, dtype=value.dtype or said.dtype, shape=said.shape if value.shape is None else value.shape)
        for value, said in zip(graph.outputs, signature.outputs, strict=True)
    )
    return replace(graph, outputs=outputs, values={**graph.values, **{value.name: value for value in outputs}})


def _inputs(proto: Any, signature: Signature | None) -> list[Value]:
    """Inputs under the names to show; `doc` is the name of the node."""
    if signature is not None:
        return list(signature.inputs)
    found = []
    for node in proto.node:
        if node.op in PLACEHOLDERS:
            given = shape(node.attr["shape"].shape) if node.attr["shape"].HasField("shape") else None
            if proto.versions.producer < UNRANKED:
                given = given or None
            found.append(Value(node.name, dtype_name(node.attr["dtype"].type), given, node.name))
    return found


def _unread(proto: Any) -> list[str]:
    """Nodes whose outputs nobody reads."""
    read = {item.lstrip("^").partition(":")[0] for node in proto.node for item in node.input}
    return [node.name for node in proto.node if node.name not in read and node.op not in SILENT]


def scopes(graph: Graph) -> Iterator[Module]:
    """The tree of name scopes."""
    paths: dict[str, None] = {"": None}
    for node in graph.nodes:
        parts = node.module.split(".")[:64] if node.module else []
        paths.update(dict.fromkeys(".".join(parts[:at]) for at in range(1, len(parts) + 1)))
    if len(paths) > 1:
        yield from (Module(path, "") for path in sorted(paths))


def reaching(operators: Iterator[str]) -> Iterator[Note]:
    """A note where operators reach outside the model."""
    outside = sorted(set(operators) & FILES.keys())
    if outside:
        words = ", ".join(f"{op} ({FILES[op]})" for op in outside)
        yield Note(
            "danger",
            f"The model has operators that reach outside of it: {words[:500]}.",
            "Running it with TensorFlow may do that; nothing was run here.",
        )


def at(tensor: Tensor, spans: dict[tuple[str, str], tuple[int, int]]) -> Tensor:
    """A constant at the place of its TensorProto."""
    found = spans.get((str(tensor.place.layout.get("function", "")), tensor.place.member))
    if found is None:
        return tensor
    return replace(tensor, place=replace(tensor.place, offset=found[0], size=found[1]))
