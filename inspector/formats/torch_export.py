"""torch.export: an archive with the program as JSON and the weights as plain members (.pt2).

Two layouts are read: the archive of torch 2.8 and later (`models/*.json`, `data/weights`, with the weights as raw
bytes or, in its first version, as a pickle) and the flat one before (`serialized_exported_program.json`).
"""

from __future__ import annotations

import json
from dataclasses import replace

from inspector.errors import FormatError
from inspector.formats._documents import documented
from inspector.formats._export_beside import beside
from inspector.formats._export_graph import Reader, names
from inspector.formats._export_quantized import settled
from inspector.formats._export_schema import Program, Union, decoded, strange
from inspector.formats._export_tensors import CONFIG, Stored, stored, stored_before_archives
from inspector.formats._export_vmap import gathered
from inspector.formats._format import Format, Glimpse, Support
from inspector.formats._modules import tree
from inspector.formats._source import Source
from inspector.formats._tensors import Array, state_role
from inspector.formats._torchzip import fetch_member, fetch_member_part
from inspector.formats._zip import Archive, archive
from inspector.ir import Graph, Model, Note, Role, Signature, Tensor

FLAT = "serialized_exported_program.json"
LEAVES = 10_000
KINDS = {"parameter": "parameter_name", "buffer": "buffer_name", "tensor_constant": "tensor_constant_name"}
"""Inputs of the graph that stand for stored tensors, and where their name stands."""


def sniff(glimpse: Glimpse) -> Support:
    """Whether the archive holds an exported program."""
    for member in glimpse.members:
        parts = member.split("/")
        if member == FLAT or parts[1:] == ["archive_format"]:
            return Support.YES
        if len(parts) == 4 and parts[1:3] == ["data", "weights"]:
            return Support.YES
    return Support.NO


def read(source: Source) -> Model:
    """The whole program; weights are places.

    Raises:
        FormatError: The archive or the program is damaged, or holds machine code only.
    """
    with archive(source) as zipped:
        member, others = _program(zipped, source.name)
        program = decoded(zipped.read(member, CONFIG), Program, "program")
        root, _, model = member.removesuffix(".json").rpartition("models/")
        found = stored_before_archives(zipped) if member == FLAT else stored(zipped, root, model)
        odd = (*beside(zipped), *zipped.notes)
    notes = (
        [Note("info", f"The archive holds more programs, which are not shown: {', '.join(others)}.")] if others else []
    )
    return _model(program, found, [*notes, *odd])


def _program(zipped: Archive, name: str) -> tuple[str, list[str]]:
    """The member with the program, and the names of programs beside it."""
    if FLAT in zipped:
        return FLAT, []
    programs = sorted(item for item in zipped.names if item.endswith(".json") and item.split("/")[1:2] == ["models"])
    programs.sort(key=lambda item: not item.endswith("/models/model.json"))
    if programs:
        return programs[0], [item.rpartition("/")[2].removesuffix(".json") for item in programs[1:]]
    if any("/data/aotinductor/" in item for item in zipped.names):
        raise FormatError(
            f"{name} is a package of machine code (AOTInductor), in which there is no graph to show.",
            hint="Open the .pt2 file that torch.export.save wrote before it was compiled.",
        )
    raise FormatError(f"{name} holds no program.", hint="It is incomplete; fetch or copy it again.")


def _model(program: Program, found: dict[str, Stored], notes: list[Note]) -> Model:
    module = program.graph_module
    tensors, keys = _tensors(program, found)
    user = [spec["user_input"] for spec in module.signature.input_specs if "user_input" in spec]
    results = [spec["user_output"] for spec in module.signature.output_specs if "user_output" in spec]
    inputs = tuple(names([_arg(item) for item in user]))
    outputs = tuple(names([_arg(item) for item in results]))
    reader = Reader(keys)
    reader.graph(module.graph, "main", inputs, outputs)
    main = reader.graphs["main"]
    tensors, quantized = settled(tensors, main)
    notes += quantized
    changed = [
        str(spec["buffer_mutation"].get("buffer_name"))
        for spec in module.signature.output_specs
        if isinstance(spec.get("buffer_mutation"), dict)
    ]
    if changed:
        notes.append(Note("info", f"Running it changes its own state: {', '.join(changed)[:300]}."))
    texts = {"guards": "\n".join(program.guards_code)} if program.guards_code else {}
    return Model(
        "torch.export",
        f"torch {program.torch_version}",
        tuple(gathered(reader.graphs).values()),
        tensors,
        tree(reader.classes),
        (_signature(program, main, results),),
        _metadata(program),
        texts,
        tuple(notes),
    )


def _arg(spec: object) -> Union:
    arg = spec.get("arg") if isinstance(spec, dict) else None
    if not isinstance(arg, dict):
        raise strange("signature", "an input or output without a name")
    return arg


def _tensors(program: Program, found: dict[str, Stored]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Stored tensors by name, and the name of the tensor that each graph input stands for."""
    tensors: dict[str, Tensor] = {}
    keys: dict[str, str] = {}
    first: dict[tuple[object, ...], str] = {}
    graph = program.graph_module.graph
    for spec in program.graph_module.signature.input_specs:
        kind = next(iter(spec), "")
        if kind not in KINDS or not isinstance(spec[kind], dict):
            continue
        name, arg = str(spec[kind].get(KINDS[kind], "")), spec[kind].get("arg")
        placeholder = str(arg.get("name", "")) if isinstance(arg, dict) else ""
        # A weight may have the name of a value of the graph; torch's own prefix keeps the two apart.
        keys[placeholder] = key = name if name not in graph.tensor_values else placeholder
        meta = graph.tensor_values.get(placeholder)
        item = found.get(name)
        if item is None:
            continue
        grad = meta.requires_grad if meta and item.grad is None else item.grad
        tensor = Tensor(key, item.dtype, item.shape, item.place, _role(kind, item), kind == "parameter" and bool(grad))
        place = item.place
        extent = (place.member, place.offset, place.size, item.dtype, item.shape, str(place.layout))
        same = first.setdefault(extent, key)
        tensors[key] = replace(tensor, same_as=same) if same != key and place.size else tensor
    return tensors, keys


def _role(kind: str, item: Stored) -> Role:
    return Role.WEIGHT if kind == "parameter" else state_role(item.dtype, item.shape)


def _signature(program: Program, main: Graph, results: list[object]) -> Signature:
    """How the program is called, outputs by the names that its author gives them."""
    entry = next((item for item in program.graph_module.module_call_graph if not item.fqn), None)
    paths = leaves(entry.signature.out_spec) if entry and entry.signature else []
    if len(paths) != len(results):
        paths = [str(index) for index in range(len(results))]
    shown = [path for path, spec in zip(paths, results, strict=True) if names([_arg(spec)])]
    lone = len(paths) == 1 and not paths[0].strip("0")
    labels = ["output"] if lone else [f"output_{path}" if path[:1].isdigit() else path for path in shown]
    outputs = tuple(replace(value, name=label) for value, label in zip(main.outputs, labels, strict=False))
    return Signature("forward", main.inputs, outputs if len(outputs) == len(main.outputs) else main.outputs)


def leaves(spec: str) -> list[str]:
    """Paths of the leaves of a structure as torch writes it: `logits`, `aux.0`; a lone leaf has the empty path."""
    try:
        parsed = json.loads(spec)
        found: list[str] = []
        _walk(parsed[1], "", found)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return []
    return found


def _walk(node: dict[str, object], path: str, found: list[str]) -> None:
    children = node["children_spec"]
    if node["type"] is None or not isinstance(children, list) or len(found) > LEAVES:
        found.append(path)
        return
    context = json.loads(str(node["context"])) if node["context"] else None
    keys = context if isinstance(context, list) and len(context) == len(children) else range(len(children))
    for key, inner in zip(keys, children, strict=True):
        _walk(inner, f"{path}.{key}" if path else str(key), found)


def _metadata(program: Program) -> dict[str, str]:
    schema = program.schema_version
    facts = {"torch version": program.torch_version, "schema version": f"{schema.major}.{schema.minor}"}
    facts |= {f"opset {name}": str(version) for name, version in program.opset_version.items()}
    for name, limits in program.range_constraints.items():
        low = "" if limits.min_val is None else f"{limits.min_val:g} ≤ "
        high = "" if limits.max_val is None or limits.max_val >= 1 << 62 else f" ≤ {limits.max_val:g}"
        facts[f"dimension {name}"] = f"{low}{name}{high}"
    for spec in program.graph_module.signature.input_specs:
        fixed = spec.get("constant_input")
        if isinstance(fixed, dict) and isinstance(fixed.get("value"), dict):
            kind, value = next(iter(fixed["value"].items()), ("as_none", True))
            facts[f"fixed input {fixed.get('name')}"] = "None" if kind == "as_none" else str(value)
    return {name: words for name, words in facts.items() if words}


def fetch(source: Source, tensor: Tensor) -> Array:
    """The values of one tensor; reads only its bytes.

    Raises:
        FormatError: They are missing, or stored as an object of Python.
    """
    if tensor.place.layout.get("opaque"):
        raise FormatError(
            f"The values of {tensor.name[:100]!r} are stored as an object of Python, which is not run.",
            hint="Convert the model, then open the result.",
        )
    return fetch_member(source, tensor)


FORMAT = Format(
    id="torch.export",
    title="PyTorch exported program",
    suffixes=(".pt2",),
    sniff=sniff,
    read=read,
    fetch=fetch,
    document=documented("torch"),
    fetch_part=fetch_member_part,
    mime="application/x-torch-export",
    magic=((0, b"PK\x03\x04"), (30, b"/data/weights/")),
)
