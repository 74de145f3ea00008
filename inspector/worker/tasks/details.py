"""All that is known of one thing of the open model: a node, a module, a row, a value, a tensor, an input or output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from inspector.engines.summary.nested import module_sums
from inspector.engines.summary.parameters import is_parameter, is_trainable
from inspector.engines.summary.rows import ModuleRow, Row
from inspector.engines.summary.summary import LAYERS, OPERATORS
from inspector.errors import InspectorError
from inspector.ir import Attribute, Graph, Module, Node, Shape, Tensor, Value
from inspector.ir.text import TEXT_LIMIT, inert
from inspector.worker.tasks._document import Document, document
from inspector.worker.tasks._flow import flow
from inspector.worker.tasks._task import Context, Task

Kind = Literal["node", "module", "row", "value", "tensor", "input", "output"]
MOST_FACTS = 1000
"""Facts in one section."""
COSTS = ("macs", "flops", "activation_bytes", "live_bytes", "moved_bytes", "intensity")
WEIGHTS = ("parameters", "trainable", "parameter_bytes")
MANY_ROWS = 50_000
"""The sums of modules of a table of more rows than this take long; what the tree knows of them is given."""


class DetailsArgs(msgspec.Struct, frozen=True):
    """What is asked about: its kind, its name as shown, and the graph it stands in (empty for the main one)."""

    kind: Kind
    name: str
    graph: str = ""


class Fact(msgspec.Struct, frozen=True):
    """A name and what is said of it; `tensor` or `node` names what it leads to, `tip` says more."""

    name: str
    text: str
    tensor: str = ""
    node: str = ""
    tip: str = ""


class Section(msgspec.Struct, frozen=True):
    """Facts under one heading."""

    title: str
    facts: tuple[Fact, ...]


class Figures(msgspec.Struct, frozen=True):
    """What it costs.

    Attributes:
        row: What the table has of it, without the names of what it is made of; None where the table has nothing.
        columns: Keys of those columns of the table that hold its figures.
        missing: Why the table has nothing.
    """

    row: Row | None
    columns: tuple[str, ...]
    missing: str = ""


class Details(msgspec.Struct, frozen=True):
    """All of it, ready to be shown as plain text; the figures are put into words as the table has them."""

    title: str
    subtitle: str
    kind: str
    sections: tuple[Section, ...] = ()
    doc: str = ""
    source: str = ""
    figures: Figures | None = None


def run(args: DetailsArgs, context: Context) -> Details:
    """Look it up; sizes and figures are those of the dimensions that were asked for last."""
    opened = document(context)
    with opened.ahead():
        return _of(opened, args)


def _of(opened: Document, args: DetailsArgs) -> Details:
    match args.kind:
        case "node":
            graph = opened.graph(args.graph)
            return _of_node(opened, graph, opened.node(graph, args.name))
        case "row":
            return _of_row(opened, _row(opened, args))
        case "module":
            return _of_module(opened, args.name)
        case "tensor":
            return _of_tensor(opened, opened.tensor(args.name))
        case "value" | "input" | "output":
            return _of_value(opened, args)


def _of_node(opened: Document, graph: Graph, node: Node) -> Details:
    row = opened.figures().row(OPERATORS, inert(graph.name), inert(node.name))
    about = [Fact("Name", inert(node.name)), Fact("Type", inert(node.op))]
    about += [Fact("Domain", inert(node.domain))] if node.domain else []
    about += [Fact("Module", _with_class(opened, node.module))] if node.module else []
    about += [Fact("Graph", inert(graph.name))] if graph is not opened.model.main else []
    about += [Fact("Runs", inert(name)) for name in node.graphs]
    sections = (
        Section("About", (*about, *_repeated(row))),
        _attributes("Attributes", node.attributes),
        _section("Inputs", (_endpoint(opened, graph, name) for name in node.inputs)),
        _section("Outputs", (_endpoint(opened, graph, name, made=True) for name in node.outputs if name)),
        _section("Weights", (_weight(opened.model.tensors[n]) for n in node.tensors if n in opened.model.tensors)),
    )
    subtitle = inert(node.name) if not node.module else f"{inert(node.name)}, in {inert(node.module)}"
    made = _details(inert(node.op), subtitle, "node", sections, _doc(opened, node), node.source)
    return msgspec.structs.replace(made, figures=_figures(opened, row))


def _of_row(opened: Document, row: Row) -> Details:
    graph = opened.graph(row.graph) if opened.model.graphs else None
    nodes = [opened.node(graph, name) for name in row.nodes] if graph is not None else []
    if graph is not None and len(nodes) == 1 and row.name == inert(nodes[0].name):
        return _of_node(opened, graph, nodes[0])
    module = next((m for m in opened.model.modules if m.path and inert(m.path) == row.module), None)
    about = [Fact("Name", row.name), Fact("Type", row.type)]
    about += [Fact("Module", _with_class(opened, row.module))] if row.module else []
    tensors = (opened.tensor(name) for name in row.weights)
    sections = (
        Section("About", (*about, *_repeated(row))),
        _attributes("Settings", module.attributes if module else {}),
        _section("Inputs", (Fact(port.name, described(port.dtype, port.shape)) for port in row.inputs)),
        _section("Outputs", (Fact(port.name, described(port.dtype, port.shape)) for port in row.outputs)),
        _section("Weights", (_weight(tensor) for tensor in tensors)),
        _section("Operators", (Fact(inert(node.op), inert(node.name), node=inert(node.name)) for node in nodes)),
        *([_attributes(f"Attributes of {inert(nodes[0].op)}", nodes[0].attributes)] if len(nodes) == 1 else []),
    )
    doc = _doc(opened, nodes[0]) if len(nodes) == 1 else _known_of(opened, _class_of(module) if module else row.type)
    doc = doc or next((text for node in nodes if (text := _known_of(opened, node.op, node.domain))), "")
    made = _details(row.type, row.name, "row", sections, doc, row.source)
    return msgspec.structs.replace(made, figures=_figures(opened, row))


def _of_module(opened: Document, name: str) -> Details:
    sums = {row.path: row for row in opened.figures().modules}
    module = next((m for m in opened.model.modules if inert(m.path) == name), None)
    if module is None and name not in sums:
        raise InspectorError(f"There is no module {inert(name)!r} in this model.")
    row = sums.get(name)
    kind = inert(module.type) if module else ""
    about = [Fact("Path", name or "(model)"), *([Fact("Class", kind)] if kind else [])]
    about += [Fact("Layers", f"{row.layers:,}")] if row else []
    children = [each for each in sums.values() if each.path and each.path.rpartition(".")[0] == name]
    stem = f"{name}." if name else ""
    tensors = [t for t in opened.model.tensors.values() if inert(t.name).replace("/", ".").startswith(stem)]
    own = [t for t in tensors if "." not in inert(t.name).replace("/", ".")[len(stem) :]]
    sections = (
        Section("About", tuple(about)),
        _attributes("Settings", module.attributes if module else {}),
        _section(
            "Contains", (Fact(each.path[len(stem) :], each.type or f"{each.layers:,} layers") for each in children)
        ),
        _section("Weights", (_weight(tensor) for tensor in own)),
    )
    title = kind.rpartition(".")[2] or name.rpartition(".")[2] or "Model"
    made = _details(title, name, "module", sections, _known_of(opened, _class_of(module)) if module else "")
    return msgspec.structs.replace(made, figures=_module_figures(opened, row))


def _of_tensor(opened: Document, tensor: Tensor) -> Details:
    place = tensor.place
    where = " · ".join(filter(None, (place.file, place.member))) or opened.source.name
    changes = {True: "yes", False: "no", None: "the file does not say"}[tensor.trainable]
    about = [
        Fact("Name", inert(tensor.name), tensor=inert(tensor.name)),
        Fact("Type", described(tensor.dtype, tensor.shape)),
        Fact("Elements", f"{tensor.count:,}"),
        *([Fact("Weights in them", f"{tensor.holds:,}")] if tensor.holds else []),
        Fact("Bytes", f"{tensor.nbytes:,}"),
        Fact("Role", str(tensor.role)),
        Fact("Counts as parameters", "yes" if is_parameter(tensor) else "no"),
        *([Fact("Trainable", changes)] if is_trainable(tensor) or tensor.trainable is not None else []),
        *([Fact("Same as", inert(tensor.same_as), tensor=inert(tensor.same_as))] if tensor.same_as else []),
        Fact("Stored in", inert(where)),
        *([Fact("Offset", f"{place.offset:,}")] if place.size else []),
    ]
    users: list[Fact] = []
    for graph in opened.model.graphs:
        takers = flow(opened, graph).takers.get(tensor.name, ())
        users += [Fact(inert(node.op), inert(node.name), node=inert(node.name)) for node in takers]
    sections = (Section("About", tuple(about)), _section("Used by", users), _attributes("Storage", place.layout))
    return _details(inert(tensor.name), described(tensor.dtype, tensor.shape), "tensor", sections)


def _of_value(opened: Document, args: DetailsArgs) -> Details:
    graph = opened.graph(args.graph)
    known = _ends(opened, graph, args.kind)
    value = known.get(args.name) or graph.values.get(args.name)
    value = value and opened.sized(graph, value)
    ends = flow(opened, graph)
    if value is None:
        if args.name in opened.model.tensors and args.kind == "value":
            return _of_tensor(opened, opened.tensor(args.name))
        if args.name not in ends.maker and args.name not in ends.takers:
            raise InspectorError(f"There is no {args.kind} {inert(args.name)!r} in this graph.")
        value = Value(args.name)
    maker, takers = ends.maker.get(value.name), ends.takers.get(value.name, [])
    sections = (
        Section("About", (Fact("Name", inert(value.name)), Fact("Type", described(value.dtype, value.shape)))),
        _section("Made by", (Fact(inert(n.op), inert(n.name), node=inert(n.name)) for n in [maker] if n is not None)),
        _section("Used by", (Fact(inert(n.op), inert(n.name), node=inert(n.name)) for n in takers)),
    )
    return _details(inert(value.name), args.kind.capitalize(), args.kind, sections, inert(value.doc, 5000, lines=True))


def _ends(opened: Document, graph: Graph, kind: Kind) -> dict[str, Value]:
    """Inputs or outputs of a graph by name; those of the main one also by what the model's signature calls them."""
    ends = {"input": graph.inputs, "output": graph.outputs}.get(kind, ())
    known = {inert(value.name): value for value in ends}
    if graph is opened.model.main and opened.model.signatures:
        first = opened.model.signatures[0]
        said = {"input": first.inputs, "output": first.outputs}.get(kind, ())
        if len(said) == len(ends):
            known = {inert(label.name): value for label, value in zip(said, ends, strict=True)} | known
    return known


def described(dtype: str, shape: Shape | None) -> str:
    """A dtype and shape in words: `float32 1×784`."""
    if shape is None:
        return inert(dtype) or "not known"
    sizes = "×".join("?" if dim is None else inert(str(dim), 100) for dim in shape) or "scalar"
    return f"{inert(dtype)} {sizes}".strip()


def words(value: Attribute, depth: int = 0) -> str:
    """An attribute as text."""
    match value:
        case str():
            return inert(value, 2000)
        case bytes():
            return inert(value.decode("utf-8", "replace"), 2000)
        case bool():
            return "yes" if value else "no"
        case None:
            return "none"
        case float():
            return f"{value:.9g}"
        case tuple() if depth < 6:
            shown = ", ".join(words(item, depth + 1) for item in value[:64])
            return f"[{shown}{', …' if len(value) > 64 else ''}]"
        case dict() if depth < 6:
            return ", ".join(f"{inert(key)}: {words(item, depth + 1)}" for key, item in list(value.items())[:64])
        case _:
            return inert(str(value), 2000)


def _details(
    title: str, subtitle: str, kind: str, sections: Iterable[Section], doc: str = "", source: str = ""
) -> Details:
    return Details(title, subtitle, kind, tuple(s for s in sections if s.facts), doc, inert(source))


def _section(title: str, facts: Iterable[Fact]) -> Section:
    shown: list[Fact] = []
    for fact in facts:
        if len(shown) == MOST_FACTS:
            break
        shown.append(fact)
    return Section(title, tuple(shown))


def _attributes(title: str, attributes: Mapping[str, Attribute]) -> Section:
    return _section(title, (Fact(inert(name), inert(words(value), 4000)) for name, value in attributes.items()))


def _repeated(row: Row | None) -> tuple[Fact, ...]:
    """How often it runs, where that is not once."""
    if row is None or row.runs == 1 or not row.nodes:
        return ()
    text = f"{row.runs:,} times" if row.runs else "never: another branch does more"
    return (Fact("In one call", text, tip="The figures are those of all runs" if row.runs else ""),)


def _figures(opened: Document, row: Row | None) -> Figures:
    if row is None:
        missing = "Figures of so large a model follow in a moment." if opened.preview is not None else ""
        return Figures(None, COSTS, missing or "Nothing that runs comes here.")
    bare = msgspec.structs.replace(row, nodes=row.nodes[:1], weights=(), shares=())
    runs = bool(row.nodes) or (row.layers > 0 and bool(opened.model.graphs))
    return Figures(bare, (*(WEIGHTS if row.weights or row.layers else ()), *(COSTS if runs else ())))


def _module_figures(opened: Document, row: ModuleRow | None) -> Figures | None:
    """The sums of a module, as the table by module has them."""
    if row is None:
        return None
    figures = opened.figures()
    if figures.count(LAYERS) <= MANY_ROWS:
        return _figures(opened, module_sums(figures.table().figures, row.path))
    known = Row(index=0, name=row.path, type=row.type, parameters=row.parameters, macs=row.macs, flops=row.flops,
                layers=row.layers)  # fmt: skip
    return Figures(known, ("parameters", "macs", "flops"))


def _weight(tensor: Tensor) -> Fact:
    return Fact(inert(tensor.name), described(tensor.dtype, tensor.shape), tensor=inert(tensor.name))


def _endpoint(opened: Document, graph: Graph, name: str, *, made: bool = False) -> Fact:
    """An input or output of a node: what it is, and the tensor or the node it leads to."""
    if not name:
        return Fact("(omitted)", "")
    tensor = opened.model.tensors.get(name)
    if tensor is not None and not made:
        return _weight(tensor)
    value = graph.values.get(name)
    value = value and opened.sized(graph, value)
    text = described(value.dtype, value.shape) if value else "not known"
    ends = flow(opened, graph)
    other = next(iter(ends.takers.get(name, ())), None) if made else ends.maker.get(name)
    return Fact(inert(name), text, node=inert(other.name) if other else "")


def _with_class(opened: Document, path: str) -> str:
    kinds = opened.once("classes", lambda: {module.path: module.type for module in opened.model.modules})
    kind = kinds.get(path, "")
    return f"{inert(path)} ({inert(kind)})" if kind else inert(path)


def _doc(opened: Document, node: Node) -> str:
    """What the file says of the node, and what is known of its operator; that nothing is known where that is so."""
    known = _known_of(opened, node.op, node.domain)
    kind = f"{inert(node.domain)} · {inert(node.op)}" if node.domain else inert(node.op)
    own = inert(node.doc, TEXT_LIMIT // 100, lines=True)
    if not known and not node.graphs:  # a function of the model is told by its graph
        known = f"Nothing is known here of an operator called {kind}."
    return "\n\n".join(filter(None, (own, known)))


def _class_of(module: Module) -> str:
    """The class of a module with its package, where the file says it: somebody's own may bear a known name."""
    whole = module.attributes.get("class")
    return whole if isinstance(whole, str) and whole else module.type


def _known_of(opened: Document, op: str, domain: str = "") -> str:
    """What the format's documentation says of an operator or a module's class; empty where it knows none."""
    known = opened.once("documentation", dict)
    # Layers and operators of TensorFlow.js share names; the kind of the model says which they are.
    domain = domain or (opened.model.metadata.get("kind", "") if opened.format.id == "tfjs" else "")
    if (op, domain) not in known:
        known[op, domain] = inert(opened.format.document(op, domain), 20_000, lines=True)
    text: str = known[op, domain]
    return text


def _row(opened: Document, args: DetailsArgs) -> Row:
    main, figures = opened.model.main, opened.figures()
    graph = args.graph or (inert(main.name) if main else "")
    row = figures.row(LAYERS, args.graph, args.name) or figures.row(OPERATORS, graph, args.name)
    if row is None:
        raise InspectorError(f"There is no row {inert(args.name)!r} in the table of this model.")
    return row


TASK = Task("details", DetailsArgs, Details, run)
