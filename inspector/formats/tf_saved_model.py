"""TensorFlow SavedModels, without TensorFlow: signatures, graphs, functions and variables.

Only protocol buffers and the checkpoint's index are read; loading a SavedModel with TensorFlow runs what it holds, so
operators that reach outside the model (files, Python) are named as a danger before anybody does that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from inspector.errors import FormatError
from inspector.formats._bundle import dtype_name, strings, varint
from inspector.formats._documents import documented
from inspector.formats._format import Format, Glimpse, Support
from inspector.formats._raw import fetch_raw_part, read_at
from inspector.formats._source import Source
from inspector.formats._tensors import Array, decode
from inspector.formats._tf_constants import with_roles
from inspector.formats._tf_graph import Library, Sketch, draw, function_graph, unwrap
from inspector.formats._tf_names import CALLS, FILES, SAVING, bodies, shape
from inspector.formats._tf_proto import FILE, constant, load
from inspector.formats._tf_shapes import propagate
from inspector.formats._tf_variables import Variables, read_variables
from inspector.formats._zip_directory import strange_names
from inspector.ir import Graph, Model, Module, Note, Signature, Tensor, Value

HIDDEN = ("__saved_model_init_op", "__saved_model_train_op")
DAMAGED = "The model is damaged; fetch or copy it again."


def sniff(glimpse: Glimpse) -> Support:
    """A folder with `saved_model.pb`, or that file itself: the schema's version, then a graph of nearly that size."""
    if FILE in glimpse.entries:
        return Support.YES
    if glimpse.head[:3] != b"\x08\x01\x12":
        return Support.NO
    try:
        size, at = varint(glimpse.head, 3)
    except FormatError:
        return Support.NO
    if glimpse.head[at + size : at + size + 1] not in (
        b"",
        b"\x12",
    ):  # CoreML begins alike; here only graphs may follow
        return Support.NO
    return Support.YES if glimpse.head[at : at + 1] == b"\n" and at + size <= glimpse.size else Support.MAYBE


def read(source: Source) -> Model:
    """The whole structure; variables as ranges of bytes of the checkpoint."""
    meta = load(source)
    variables = read_variables(source, meta)
    library = Library(
        {function.signature.name: function for function in meta.graph_def.library.function},
        variables.handles,
        _captured(meta, variables),
        variables.tensors,
    )
    signatures = list(_signatures(meta))
    graphs = _graphs(meta, library, signatures)
    info = meta.meta_info_def
    model = Model(
        format="tf.saved_model",
        producer=f"TensorFlow {info.tensorflow_version}".strip(),
        graphs=tuple(graphs),
        tensors=library.tensors,
        modules=tuple(_modules(graphs)),
        signatures=tuple(_in_order(signature, graphs) for signature in signatures),
        metadata={
            "tags": ", ".join(info.tags),
            "functions": str(len(library.functions)),
            **({"variables stored twice": str(variables.copies)} if variables.copies else {}),
        },
        notes=(*variables.notes, *_notes(meta, graphs, library)),
    )
    return propagate(with_roles(model))


def _signatures(meta: Any) -> Iterator[Signature]:
    """The default one first."""
    for name in sorted(meta.signature_def, key=lambda name: (name != "serving_default", name)):
        if name not in HIDDEN:
            found = meta.signature_def[name]
            yield Signature(name, _values(found.inputs), _values(found.outputs))


def _values(side: Any) -> tuple[Value, ...]:
    return tuple(Value(key, dtype_name(info.dtype), shape(info.tensor_shape)) for key, info in sorted(side.items()))


def _captured(meta: Any, variables: Variables) -> dict[str, list[str]]:
    """Variables that functions hold, as their last arguments."""
    functions = meta.object_graph_def.concrete_functions
    return {name: [variables.objects.get(at, "") for at in functions[name].bound_inputs] for name in functions}


def _graphs(meta: Any, library: Library, signatures: list[Signature]) -> list[Graph]:
    """A graph a signature, then the functions that they run."""
    graphs: list[Graph] = []
    drawn: set[str] = set()
    for signature in signatures:
        graph, function = _signature_graph(meta, library, signature, drawn)
        if graph is not None:
            graphs.append(graph)
        drawn.add(function)
    while library.waiting:
        name, bound = library.waiting.popleft()
        graphs.append(function_graph(library, name, bound, prefix=f"{name}/"))
    return graphs


def _signature_graph(meta: Any, library: Library, signature: Signature, drawn: set[str]) -> tuple[Graph | None, str]:
    """The graph behind a signature, and the function that it is; no graph where that is drawn already."""
    proto = meta.signature_def[signature.name]
    prefix = f"{signature.name}/" if drawn else ""
    inputs = {info.name.partition(":")[0]: key for key, info in proto.inputs.items() if info.name}
    outer = Sketch(library, meta.graph_def.node, prefix, inputs)
    ends = [(key, proto.outputs[key].name) for key in sorted(proto.outputs) if proto.outputs[key].name]
    parts = [outer.split(reference) for _, reference in ends]
    makers = {node for node, _, _ in parts}
    call = outer.protos.get(next(iter(makers), "")) if len(makers) == 1 else None
    function = next(iter(bodies(call.attr)), "") if call is not None and call.op in CALLS else ""
    if call is None or function not in library.functions:
        return (draw(outer, signature.name, list(signature.inputs), ends) if ends else None), ""
    arguments = [arg.name for arg in library.functions[function].signature.input_arg]
    given = [outer.resolve(item) for item in call.input if not item.startswith("^")]
    bound = dict(zip(arguments, given, strict=False))
    held = reversed(library.captured.get(function, []))  # by number: names of handles need not be those of variables
    bound.update((argument, tensor) for argument, tensor in zip(reversed(arguments), held, strict=False) if tensor)
    name, bound, numbers = unwrap(library, function, bound, [number for _, _, number in parts])
    if name in drawn:
        return None, name
    shown = sorted(zip((key for key, _ in ends), numbers, strict=True), key=lambda pair: pair[1])
    known = {value.name: value for value in signature.inputs}
    return function_graph(library, name, bound, title=signature.name, prefix=prefix, known=known, shown=shown), name


def _in_order(signature: Signature, graphs: list[Graph]) -> Signature:
    """A signature with its inputs and outputs in the order of the function; protocol buffers keep none."""
    graph = next((graph for graph in graphs if graph.name == signature.name), None)
    if graph is None:
        return signature
    order = [value.name for value in (*graph.inputs, *graph.outputs)]

    def place(value: Value) -> int:
        return order.index(value.name) if value.name in order else len(order)

    inputs, outputs = (tuple(sorted(side, key=place)) for side in (signature.inputs, signature.outputs))
    return Signature(signature.name, inputs, outputs)


def _modules(graphs: list[Graph]) -> Iterator[Module]:
    """The tree of name scopes."""
    paths: dict[str, None] = {"": None}
    for graph in graphs[:1]:
        for node in graph.nodes:
            parts = node.module.split(".") if node.module else []
            paths.update(dict.fromkeys(".".join(parts[:at]) for at in range(1, len(parts) + 1)))
    if len(paths) > 1:
        yield from (Module(path, "") for path in sorted(paths))


def _notes(meta: Any, graphs: list[Graph], library: Library) -> Iterator[Note]:
    reached = {node.op for graph in graphs for node in graph.nodes}
    everywhere = {node.op for node in meta.graph_def.node}
    for function in meta.graph_def.library.function:
        everywhere |= {node.op for node in function.node_def}
    outside = sorted((everywhere - SAVING | reached) & FILES.keys())
    if outside:
        words = ", ".join(f"{op} ({FILES[op]})" for op in outside)
        yield Note(
            "danger",
            f"The model has operators that reach outside of it: {words[:500]}.",
            "Loading or running it with TensorFlow may do that; nothing was run here.",
        )
    away = [item.filename for item in meta.asset_file_def if strange_names((item.filename,))]
    if away:
        words = ", ".join(repr(name[:100]) for name in away[:5])
        yield Note("danger", f"The model names files outside its folder: {words}.", "They were not read.")
    if not library.complete:
        yield Note("warning", "The graph is too large; a part of it is shown.")
    if not graphs:
        yield Note("info", "The model has no signature, so it has no graph that can be called.")


def fetch(source: Source, tensor: Tensor) -> Array:
    """The values of a variable or of a constant."""
    place = tensor.place
    if not place.file:
        values = constant(load(source), str(place.layout.get("function", "")), place.member)
        if values.shape != tensor.shape:  # two nodes have one name
            raise FormatError(f"The values of {tensor.name[:100]!r} do not have its shape.", hint=DAMAGED)
        return values
    if place.layout.get("sliced"):
        raise FormatError(f"{tensor.name[:100]!r} is stored in slices.", hint="Its values cannot be shown yet.")
    with source.open(place.file) as file:
        data = read_at(file, place.offset, place.size, f"tensor {tensor.name[:100]!r}")
    if tensor.dtype == "string":
        if tensor.count > len(data):  # each has a length of a byte or more before it
            raise FormatError(f"There are fewer texts in {tensor.name[:100]!r} than its shape says.", hint=DAMAGED)
        words = [item.decode("utf-8", "backslashreplace") for item in strings(data, tensor.count)]
        return np.array(words, dtype=object).reshape(tensor.shape)
    return decode(data, tensor.dtype, tensor.shape, big=place.layout.get("byte_order") == "big")


def fetch_part(source: Source, tensor: Tensor, start: int, count: int) -> Array | None:
    """Some values of a variable; see `Format.fetch_part`."""
    plain = tensor.place.file and not tensor.place.layout.get("sliced")
    return fetch_raw_part(source, tensor, start, count) if plain else None


FORMAT = Format(
    id="tf.saved_model",
    title="TensorFlow SavedModel",
    suffixes=("", ".pb"),
    sniff=sniff,
    read=read,
    fetch=fetch,
    document=documented("tensorflow"),
    fetch_part=fetch_part,
    mime="application/x-tensorflow-savedmodel",
    magic=((0, b"\x08\x01\x12"),),
    reshape=propagate,
)
