"""A signature of a SavedModel as a graph, and the functions that it runs as graphs of their own.

TensorFlow wraps a model into functions that only call another function; these are followed until there is something to
see. Reading a variable, constants and identities are not operations worth a box: a layer's node has the stored tensor
itself as its input.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from inspector.formats._bundle import dtype_name
from inspector.formats._tensors import is_floating
from inspector.formats._tf_names import (
    CALLS,
    HANDLES,
    PLUMBING,
    READS,
    SAME,
    attribute,
    bodies,
    output_dtype,
    output_shapes,
    shape,
)
from inspector.formats._tf_outputs import OUTPUTS, place
from inspector.formats._tf_proto import VALUES, numbers
from inspector.formats._tf_shapes_words import RENAMED
from inspector.formats._tf_variables import SMALL
from inspector.formats._unique import Numbered
from inspector.ir import Attribute, Graph, Node, Place, Role, Tensor, Value

NODES = 500_000
WRAPPERS = 20


@dataclass(slots=True)
class Library:
    """What all graphs of a SavedModel share.

    Attributes:
        functions: By name.
        variables: Tensor name of a variable by the name of its handle in the outer graph.
        captured: Tensor names of a function's last arguments, by function name, where the file says so.
        tensors: Stored tensors; constants are added as graphs are drawn.
    """

    functions: Mapping[str, Any]
    variables: dict[str, str]
    captured: dict[str, list[str]]
    tensors: dict[str, Tensor]
    waiting: deque[tuple[str, dict[str, str]]] = field(default_factory=deque)
    asked: set[str] = field(default_factory=set)
    count: int = 0
    complete: bool = True
    names: Numbered = field(default_factory=Numbered)

    def ask(self, name: str, bound: dict[str, str]) -> bool:
        """Have a function drawn, with what its first caller gives it."""
        if name not in self.functions:
            return False
        if name not in self.asked:
            self.asked.add(name)
            self.waiting.append((name, bound))
        return True


@dataclass(slots=True)
class Sketch:
    """One graph being drawn.

    Attributes:
        prefix: Put before the names of constants; empty in the main graph.
        bound: What arguments stand for: a tensor's name, or the name of an input.
        home: The function that it draws; empty for the outer graph.
    """

    library: Library
    nodes: Iterable[Any]
    prefix: str
    bound: dict[str, str]
    home: str = ""
    drawn: list[Node] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    same: dict[str, str] = field(default_factory=dict)
    protos: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.protos = {node.name: node for node in self.nodes}

    def split(self, reference: str) -> tuple[str, str, int]:
        """Node, output and index of a reference; an argument has no output."""
        parts = reference.split(":")
        number = int(parts[-1]) if len(parts) > 1 and parts[-1].isdecimal() and len(parts[-1]) < 9 else 0
        return parts[0], parts[1] if len(parts) > 2 else "", number

    def resolve(self, reference: str) -> str:
        """The value or tensor that a reference stands for, past identities and reads of variables."""
        for _ in range(1000):
            node, output, number = self.split(reference)
            if node in self.bound:
                return self.bound[node]
            proto = self.protos.get(node)
            if proto is None:
                return node
            if proto.op in SAME or proto.op in READS:
                data = [item for item in proto.input if not item.startswith("^")]
                if data:
                    reference = data[0]
                    continue
            if proto.op in HANDLES:
                return self.library.variables.get(node) or self.handle(proto)
            if proto.op == "Const":
                return self.constant(proto)
            return self.value(proto, output, number)
        return reference

    def constant(self, proto: Any) -> str:
        """A constant as a stored tensor."""
        known = self.same.get(proto.name)
        if known:
            return known
        tensor = proto.attr["value"].tensor
        sizes = tuple(size if isinstance(size, int) else 0 for size in shape(tensor.tensor_shape) or ())
        name = self.library.names.free(f"{self.prefix}{proto.name}", self.library.tensors)
        dtype = dtype_name(tensor.dtype)
        learned = (is_floating(dtype) and sizes) or (dtype in SMALL and len(sizes) > 1)
        role = Role.WEIGHT if learned else Role.CONSTANT
        layout: dict[str, Attribute] = {"function": self.home}
        found = numbers(tensor, dtype, sizes)
        if found is not None:
            layout["numbers"] = found
        if not tensor.tensor_content and len(getattr(tensor, VALUES.get(dtype, ""), ())) < 2:
            layout["repeated"] = True
        place = Place(member=proto.name, size=tensor.ByteSize(), layout=layout)
        self.library.tensors[name] = Tensor(name, dtype, sizes, place, role, False)
        self.same[proto.name] = name
        return name

    def handle(self, proto: Any) -> str:
        """A variable whose values are not in the file."""
        known = shape(proto.attr["shape"].shape) if proto.attr["shape"].HasField("shape") else None
        name: str = proto.name
        self.values.setdefault(name, Value(name, dtype_name(proto.attr["dtype"].type), known))
        return name

    def stays(self, name: str) -> bool:
        """Whether a value is a variable, which a function sees wherever it runs; a constant may be a loop's start."""
        return bool(self.library.tensors[name].place.file)

    def value(self, proto: Any, output: str, number: int) -> str:
        """The name of a node's output, noted down with what the file says of it."""
        at = place(proto.op, output, number)
        first = not at and (proto.op not in OUTPUTS or output in ("", "output", OUTPUTS[proto.op][0]))
        name = proto.name if first else ":".join(filter(None, (proto.name, output, str(number))))
        if name in self.library.tensors:
            name += ":0"
        if name not in self.values:
            shapes = output_shapes(proto.attr)
            plain = len(shapes) == 1 or output in ("", "output") or first or proto.op in OUTPUTS
            known = shapes[at] if plain and at < len(shapes) else None
            self.values[name] = Value(name, output_dtype(proto.op, proto.attr, at), known)
        return name


def draw(sketch: Sketch, name: str, inputs: list[Value], outputs: list[tuple[str, str]]) -> Graph:
    """The nodes that lead to the outputs, in the order in which they can run.

    Args:
        sketch: The function or outer graph.
        name: Of the graph.
        inputs: Of the graph; their names are what `bound` gives.
        outputs: Name that is shown, and the reference that it stands for.
    """
    ends = [(shown, sketch.resolve(reference)) for shown, reference in outputs]
    used: dict[str, set[str]] = {}
    for _, end in ends:
        used.setdefault(_maker(sketch, end), set()).add(end)
    order = _order(sketch, [reference for _, reference in outputs], used)
    for proto in order:
        if sketch.library.count >= NODES:
            sketch.library.complete = False
            break
        sketch.library.count += 1
        sketch.drawn.append(_node(sketch, proto, used.get(proto.name, set())))
    values = {**{value.name: value for value in inputs}, **sketch.values}
    found = tuple(values.get(end, _stored(sketch, end)) for _, end in ends)
    return _shown(Graph(name, tuple(inputs), found, tuple(sketch.drawn), values), [shown for shown, _ in ends])


def _stored(sketch: Sketch, name: str) -> Value:
    tensor = sketch.library.tensors.get(name)
    return Value(name, tensor.dtype, tensor.shape) if tensor else Value(name)


def _maker(sketch: Sketch, value: str) -> str:
    """The node that makes a value."""
    return value if value in sketch.protos else sketch.split(value)[0]


def _order(sketch: Sketch, ends: list[str], used: dict[str, set[str]]) -> list[Any]:
    """Nodes behind the ends, those first that others need; loops of TensorFlow 1 are cut where they close."""
    order: list[Any] = []
    state: dict[str, int] = {}
    stack = [(node, False) for node in reversed([_behind(sketch, reference) for reference in ends])]
    while stack:
        name, done = stack.pop()
        proto = sketch.protos.get(name)
        if proto is None or name in sketch.bound:
            continue
        if done:
            order.append(proto)
            continue
        if state.get(name):
            continue
        state[name] = 1
        stack.append((name, True))
        for reference in reversed(proto.input):
            if not reference.startswith("^"):
                value = sketch.resolve(reference)
                maker = _behind(sketch, reference)
                used.setdefault(maker, set()).add(value)
                stack.append((maker, False))
    return [proto for proto in order if proto.op not in SAME | READS | HANDLES | {"Const"}]


def _behind(sketch: Sketch, reference: str) -> str:
    """The node that stands behind a reference, past identities and reads."""
    for _ in range(1000):
        node = sketch.split(reference)[0]
        proto = sketch.protos.get(node)
        data = [item for item in proto.input if not item.startswith("^")] if proto is not None else []
        if proto is None or node in sketch.bound or proto.op not in SAME | READS or not data:
            return node
        reference = data[0]
    return ""


def _node(sketch: Sketch, proto: Any, used: set[str]) -> Node:
    inputs = [sketch.resolve(item) for item in proto.input if not item.startswith("^")]
    outputs = sorted(used, key=lambda name: (name != proto.name, len(name), name)) or [sketch.value(proto, "", 0)]
    inner = []
    for name in bodies(proto.attr):
        function = sketch.library.functions.get(name)
        arguments = [arg.name for arg in function.signature.input_arg] if function is not None else []
        given = inputs[-len(arguments) :] if arguments else []  # a condition has its own input in front
        pairs = zip(arguments, given, strict=False)
        bound = {arg: value for arg, value in pairs if value in sketch.library.tensors and sketch.stays(value)}
        if bound and name not in sketch.library.asked:
            bound = _unchanged(sketch.library.functions.get(proto.attr["body"].func.name), arguments, bound)
        if sketch.library.ask(name, bound):
            inner.append(name)
    path = proto.name.rpartition("/")[0]
    return Node(
        proto.name,
        proto.op,
        tuple(inputs),
        tuple(outputs),
        {k: attribute(v) for k, v in proto.attr.items() if not k.startswith("_") and k not in PLUMBING},
        module=path.replace("/", "."),
        graphs=tuple(dict.fromkeys(inner)),
    )


def _unchanged(body: Any, arguments: list[str], bound: dict[str, str]) -> dict[str, str]:
    """What stays as it is while a loop runs: not the state of a recurrence, though a variable gave the first."""
    if body is None:
        return bound
    nodes = {node.name: node for node in body.node_def}
    kept = dict(bound)
    for name, inner, outer in zip(arguments, body.signature.input_arg, body.signature.output_arg, strict=False):
        end = body.ret.get(outer.name, "").partition(":")[0]
        for _ in range(WRAPPERS):
            if end in nodes and nodes[end].op in SAME and nodes[end].input:
                end = nodes[end].input[0].partition(":")[0]
        if end != inner.name and dtype_name(inner.type) != "resource":
            kept.pop(name, None)
    return kept


def _shown(graph: Graph, names: list[str]) -> Graph:
    """The graph with its outputs under the names that the signature gives them, where those are free."""
    renamed: dict[str, str] = {}
    taken = {*graph.values, *(value.name for value in graph.inputs)}
    made = {output for node in graph.nodes for output in node.outputs}
    for value, name in zip(graph.outputs, names, strict=True):
        if value.name in made and value.name not in renamed and name not in taken:
            renamed[value.name] = name
            taken.add(name)
    if not renamed:
        return graph
    nodes = tuple(
        Node(
            node.name,
            node.op,
            tuple(renamed.get(name, name) for name in node.inputs),
            tuple(renamed.get(name, name) for name in node.outputs),
            _named(node, renamed),
            module=node.module,
            graphs=node.graphs,
        )
        for node in graph.nodes
    )
    values = {
        renamed.get(name, name): Value(renamed.get(name, name), value.dtype, value.shape)
        for name, value in graph.values.items()
    }
    outputs = tuple(values.get(renamed.get(value.name, value.name), value) for value in graph.outputs)
    return Graph(graph.name, graph.inputs, outputs, nodes, values)


def _named(node: Node, renamed: Mapping[str, str]) -> dict[str, Attribute]:
    """The attributes of a node; its outputs' own names are among them where the new ones do not say which they are."""
    if all(name == node.name or name not in renamed for name in node.outputs):
        return node.attributes
    return {**node.attributes, RENAMED: node.outputs}


def unwrap(
    library: Library, name: str, bound: dict[str, str], outputs: list[int]
) -> tuple[str, dict[str, str], list[int]]:
    """The function behind functions that only call one other."""
    for _ in range(WRAPPERS):
        function = library.functions[name]
        sketch = Sketch(library, function.node_def, "", bound, name)
        work = [node for node in function.node_def if node.op not in SAME | READS | {"NoOp", "Const"}]
        inner = bodies(work[0].attr) if len(work) == 1 and work[0].op in CALLS else []
        if len(inner) != 1 or inner[0] not in library.functions or inner[0] == name:
            break
        rets = [function.ret.get(arg.name, "") for arg in function.signature.output_arg]
        ends = [_end(sketch, rets[at]) if at < len(rets) else ("", -1) for at in outputs]
        if any(node != work[0].name for node, _ in ends):
            break
        arguments = [arg.name for arg in library.functions[inner[0]].signature.input_arg]
        given = [sketch.resolve(item) for item in work[0].input if not item.startswith("^")]
        name, bound, outputs = inner[0], dict(zip(arguments, given, strict=False)), [at for _, at in ends]
    return name, bound, outputs


def _end(sketch: Sketch, reference: str) -> tuple[str, int]:
    """Node and output number behind identities."""
    for _ in range(1000):
        node, _output, number = sketch.split(reference)
        proto = sketch.protos.get(node)
        data = [item for item in proto.input if not item.startswith("^")] if proto is not None else []
        if proto is None or proto.op not in SAME or not data:
            return node, number
        reference = data[0]
    return "", -1


def function_graph(
    library: Library,
    name: str,
    bound: dict[str, str],
    *,
    title: str = "",
    prefix: str = "",
    known: Mapping[str, Value] = MappingProxyType({}),
    shown: list[tuple[str, int]] | None = None,
) -> Graph:
    """A function as a graph.

    Args:
        library: Where it stands.
        name: Of the function.
        bound: What its arguments stand for; others become inputs under their own name.
        title: Of the graph; the function's name where empty.
        prefix: Put before the names of its constants.
        known: What is known of inputs, by the name that they have outside.
        shown: Outputs to draw, with the names to show; all of them where None.
    """
    function = library.functions[name]
    arguments = list(function.signature.input_arg)
    captured = library.captured.get(name, [])
    bound = dict(bound)
    for arg, tensor in zip(reversed(arguments), reversed(captured), strict=False):
        if tensor:
            bound[arg.name] = tensor
    inputs: list[Value] = []
    for at, arg in enumerate(arguments):
        outside = bound.setdefault(arg.name, arg.name)
        if outside in library.tensors or any(outside == value.name for value in inputs):
            continue
        shapes = output_shapes(function.arg_attr[at].attr) if at in function.arg_attr else []
        given = known.get(outside)
        if given or dtype_name(arg.type) != "resource":  # tables are no inputs of the model
            inputs.append(given or Value(outside, dtype_name(arg.type), shapes[0] if shapes else None))
    sketch = Sketch(library, function.node_def, prefix, bound, name)
    results = [(arg.name, function.ret.get(arg.name, "")) for arg in function.signature.output_arg]
    if shown is not None:
        results = [(label, results[at][1]) for label, at in shown if 0 <= at < len(results)]
    return draw(sketch, title or name, inputs, [(label, reference) for label, reference in results if reference])
