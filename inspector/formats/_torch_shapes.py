"""Shapes through a graph of torch operators, from the shapes of its inputs.

A condition whose answer follows from the shapes chooses its branch: the node is replaced by the branch's own nodes.
What has no rule stays unknown, and so does everything that follows from it alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from inspector.errors import FormatError
from inspector.formats._torch_build import EFFECTS
from inspector.formats._torch_facts import NOTHING, Fact, MisfitError, Step
from inspector.formats._torch_fold import UnknownError, fold
from inspector.formats._torch_rules import RULES
from inspector.formats._torch_rules_quantized import QUANTIZED
from inspector.formats._torch_sizes import least, minus, over, plus, product, rest
from inspector.ir import Attribute, Dim, Graph, Model, Node, Shape, Value

DEPTH = 100
ROUNDS = 64
"""A loop of no more rounds than this is followed round by round."""
STEPS = 200_000
"""Nodes that are looked at before loops are no longer followed."""
POSITION = re.compile(r"arg\d+")
"""How an argument is called of which only the position is known."""
NONSENSE = (AttributeError, IndexError, TypeError, ValueError, ZeroDivisionError, OverflowError)
"""What rules raise at attributes that make no sense."""
TURNS = 3
"""Any other one until the shapes stay, and no more often than this."""


def propagate(model: Model, shapes: Mapping[str, Shape | None]) -> Model:
    """The model with the shapes that follow from those of its inputs.

    Args:
        model: A model of torch operators, as the reader of TorchScript gives it.
        shapes: Shapes of inputs by name; inputs that are not named keep what the model says of them.

    Returns:
        A model whose values have dtypes and shapes where rules know them. Graphs whose branch was chosen are gone.

    Raises:
        FormatError: An operator cannot take the shapes that would reach it.
    """
    main = model.main
    if main is None:
        return model
    inputs = tuple(replace(value, shape=shapes.get(value.name, value.shape)) for value in main.inputs)
    walk = _Walk(model)
    for value in inputs:
        walk.facts[value.name] = Fact(value.dtype, value.shape)
    nodes = walk.nodes(main.nodes, 0)
    outputs = tuple(_value(value, walk.fact(value.name)) for value in main.outputs)
    walk.keep(outputs)
    kept = _alive([walk.renamed(node) for node in nodes], {value.name for value in outputs}, walk)
    values = {**{v.name: v for v in (*inputs, *outputs)}, **_values(kept, walk)}
    used = _reached(kept, walk.graphs)
    graphs = tuple(walk.graphs[name] for name in used)
    signatures = tuple(
        replace(signature, inputs=inputs, outputs=outputs) if at == 0 else signature
        for at, signature in enumerate(model.signatures)
    )
    return replace(model, graphs=(Graph(main.name, inputs, outputs, kept, values), *graphs), signatures=signatures)


@dataclass(slots=True)
class _Walk:
    """Facts by value name, and what a chosen branch makes of the names."""

    model: Model
    facts: dict[str, Fact] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    graphs: dict[str, Graph] = field(default_factory=dict)
    steps: int = 0

    def __post_init__(self) -> None:
        self.graphs = {graph.name: graph for graph in self.model.graphs[1:]}

    def fact(self, name: str) -> Fact:
        """What is known of a value or stored tensor."""
        name = self.name(name)
        found = self.facts.get(name)
        if found is not None:
            return found
        tensor = self.model.tensors.get(name)
        if tensor is None:
            return NOTHING
        number = tensor.place.layout.get("value")
        known = isinstance(number, int | float)
        return Fact(tensor.dtype, tensor.shape, number) if known else Fact(tensor.dtype, tensor.shape)

    def name(self, name: str) -> str:
        """The name after branches were chosen."""
        seen = set()
        while name in self.names and name not in seen:
            seen.add(name)
            name = self.names[name]
        return name

    def nodes(self, nodes: tuple[Node, ...], depth: int) -> list[Node]:
        """Nodes with chosen branches in place of conditions."""
        kept: list[Node] = []
        self.steps += len(nodes)
        for node in nodes:
            if node.op == "prim::If" and depth < DEPTH and len(node.graphs) == 2:
                kept += self.condition(node, depth)
                continue
            if node.op == "prim::Loop" and depth < DEPTH and len(node.graphs) == 1:
                kept.append(self.counted(node))
                self.loop(node, depth)
                continue
            kept.append(node)
            self.apply(node)
        return kept

    def condition(self, node: Node, depth: int) -> list[Node]:
        """A chosen branch's nodes; both branches where it is not known."""
        answer = self.fact(node.inputs[0]) if node.inputs and "condition" not in node.attributes else NOTHING
        if answer.known and isinstance(answer.value, bool | int | float):
            graph = self.graphs[node.graphs[0 if answer.value else 1]]
            nodes = self.nodes(graph.nodes, depth + 1)
            self.names.update(zip(node.outputs, (value.name for value in graph.outputs), strict=False))
            return nodes
        first, second = (self.inside(name, depth) for name in node.graphs)
        for name, a, b in zip(node.outputs, first.outputs, second.outputs, strict=False):
            self.facts[name] = _either(self.fact(a.name), self.fact(b.name))
        return [node]

    def counted(self, node: Node) -> Node:
        """A loop with how often it goes round, where that is known."""
        bounds = _items(node.attributes.get("range"))
        numbers: list[Any] = [self.fact(each).value if isinstance(each, str) else each for each in bounds]
        attributes = {key: value for key, value in node.attributes.items() if key != "rounds"}
        if 0 < len(numbers) <= 3 and all(type(number) is int for number in numbers) and 0 not in numbers[2:]:
            attributes["rounds"] = len(range(*numbers))
        return replace(node, attributes=attributes)

    def loop(self, node: Node, depth: int) -> None:
        """Facts of what a loop carries: gone round as often as it goes where that is known, else until they stay."""
        body, bounds = self.graphs[node.graphs[0]], node.attributes.get("range")
        sizes = [self.fact(each) if isinstance(each, str) else Fact(value=each) for each in _items(bounds)]
        first = sum(isinstance(each, str) for each in _items(bounds))
        carried = [self.fact(name) for name in node.inputs[first : first + len(node.outputs)]]
        inputs, outputs = (
            body.inputs[-len(carried) :] if carried else (),
            body.outputs[len(body.outputs) - len(carried) :],
        )
        count = sizes[0].value if len(sizes) == 1 and isinstance(sizes[0].value, int) else ROUNDS
        exact = len(sizes) == 1 and sizes[0].known and count <= ROUNDS and self.steps < STEPS
        general = carried if exact else None
        names, graphs = dict(self.names), dict(self.graphs)
        for turn in range(count if exact else TURNS if self.steps < STEPS else 0):
            start = carried if exact else [_shape_only(fact) for fact in carried]
            general = general and [_either(a, b) for a, b in zip(general, start, strict=True)]
            self.facts.update({value.name: fact for value, fact in zip(inputs, start, strict=True)})
            if bounds is not None:
                self.facts[body.inputs[0].name] = Fact("int64", (), turn) if exact else Fact("int64", ())
            self.nodes(body.nodes, depth + 1)
            ends = [self.fact(value.name) for value in outputs]
            self.names, self.graphs = dict(names), dict(graphs)
            after = ends if exact else [_either(a, b) for a, b in zip(start, ends, strict=True)]
            if not exact and after == start:
                carried = after
                break
            carried = after
        else:
            carried = carried if exact else [NOTHING] * len(carried)
        shown = general if general is not None else carried
        self.facts.update({value.name: _shape_only(fact) for value, fact in zip(inputs, shown, strict=True)})
        if bounds is not None:
            self.facts[body.inputs[0].name] = Fact("int64", ())
        self.inside(node.graphs[0], depth)
        self.facts.update(zip(node.outputs, carried, strict=True))

    def inside(self, name: str, depth: int) -> Graph:
        """Work out a branch that stays a graph of its own."""
        graph = self.graphs[name]
        nodes = tuple(self.renamed(node) for node in self.nodes(graph.nodes, depth + 1))
        outputs = tuple(_value(replace(v, name=self.name(v.name)), self.fact(v.name)) for v in graph.outputs)
        values = {**{v.name: v for v in outputs}, **_values(nodes, self)}
        self.graphs[name] = Graph(name, graph.inputs, outputs, nodes, values)
        return self.graphs[name]

    def apply(self, node: Node) -> None:
        """Facts of a node's outputs."""
        step = Step(node, [self.fact(name) if name else None for name in node.inputs], self.fact)
        results = _results(step)
        for name, fact in zip(node.outputs, results, strict=False):
            self.facts[name] = fact
        if node.op == "aten::append" and node.inputs:  # the list itself grows
            self.facts[self.name(node.inputs[0])] = results[0]

    def keep(self, outputs: tuple[Value, ...]) -> None:
        """Outputs of the model keep their names: what a chosen branch calls them is renamed instead."""
        for value in outputs:
            inner = self.name(value.name)
            if inner != value.name and inner not in self.model.tensors:
                self.facts[value.name] = self.fact(inner)
                self.names.pop(value.name)
                self.names[inner] = value.name

    def renamed(self, node: Node) -> Node:
        """A node with the names as they are now."""
        return replace(
            node,
            inputs=tuple(self.name(name) for name in node.inputs),
            outputs=tuple(self.name(name) for name in node.outputs),
            attributes={key: self._attribute(value) for key, value in node.attributes.items()},
        )

    def _attribute(self, value: Attribute) -> Attribute:
        if isinstance(value, tuple):
            return tuple(self._attribute(part) for part in value)
        return self.name(value) if isinstance(value, str) else value


def _results(step: Step) -> list[Fact]:
    node = step.node
    if node.op == "prim::Constant":
        return [Fact(value=node.attributes.get("value"))]
    name = node.op.rpartition("::")[2]
    folded = _folded(step, name)
    if folded is not None:
        return [folded]
    rule = QUANTIZED.get(node.op) or RULES.get(name if name.startswith("__") else name.rstrip("_"))
    nameless = not name.startswith("__") and any(POSITION.fullmatch(key) for key in node.attributes)
    if rule is None or nameless:  # an overload whose arguments we do not know
        return [NOTHING] * len(node.outputs)
    try:
        found = rule(step)
    except MisfitError as error:
        raise FormatError(
            f"These shapes do not fit the model: {node.name} {error}.", hint="Give the shapes that it was made for."
        ) from error
    except NONSENSE:
        return [NOTHING] * len(node.outputs)
    return [_sound(fact) for fact in (found if isinstance(found, list) else [found])]


def _sound(fact: Fact) -> Fact:
    """A fact whose sizes are such as tensors have; what attributes that make no sense give is not known."""
    parts = fact.parts
    if not all(part is NOTHING or _is_shape(part.shape) for part in parts):
        parts = tuple(map(_sound, parts))
    if _is_shape(fact.shape):
        return fact if parts is fact.parts else replace(fact, parts=parts)
    shape = tuple(size if _is_shape((size,)) else None for size in fact.shape or ())
    return replace(fact, shape=shape, parts=parts)


def _is_shape(shape: Shape | None) -> bool:
    return shape is None or all(
        size is None or type(size) is str or (type(size) is int and 0 <= size < 1 << 62) for size in shape
    )


def _folded(step: Step, name: str) -> Fact | None:
    """The result of arithmetic on numbers that the shapes gave."""
    facts = [fact for fact in step.ins if fact]
    if not facts or not all(fact.known for fact in facts):
        return None
    args: list[Any] = [list(fact.value) if isinstance(fact.value, tuple) else fact.value for fact in facts]
    rest = step.node.attributes.items()
    named = [(key, list(value) if isinstance(value, tuple) else value) for key, value in rest if key != "rounding_mode"]
    front = [value for key, value in named if key in ("arg0", "self", "input")]  # a number that stands first
    args = [*front, *args, *(value for key, value in named if key not in ("arg0", "self", "input"))]
    if step.attribute("rounding_mode") and name == "div":
        name = "floordiv"  # of sizes, which are not negative
    if any(isinstance(arg, str) for arg in args):
        return _of_names(name, args) if all(fact.dtype == "int64" for fact in facts) else None
    try:
        value = fold(name, args)
    except UnknownError:
        return None
    if isinstance(value, int):
        return Fact("bool" if isinstance(value, bool) else "int64", (), value)
    if isinstance(value, float):
        return Fact("", (), value)
    if isinstance(value, list):
        numbers = all(isinstance(item, int | float) for item in value)
        return Fact("", (len(value),) if numbers else None, tuple(value))
    return Fact(value=value)


def _of_names(name: str, args: list[Any]) -> Fact | None:
    """The result of arithmetic on sizes of which some have names; a name is equal only to itself."""
    if name in ("eq", "ne") and len(args) == 2 and args[0] == args[1]:
        return Fact(value=name == "eq")
    act = _NAMED.get(name)
    if act is None or not all(isinstance(arg, int | str) and not isinstance(arg, bool) for arg in args):
        return None
    try:
        size = act(args)
    except TypeError:  # as many arguments as the operator does not have
        return None
    return Fact("int64", (), size) if size is not None else None


_NAMED: dict[str, Callable[[list[Any]], Dim]] = {
    "add": lambda args: plus(*args[:2]) if args[2:] in ([], [1]) else None,
    "sub": lambda args: minus(*args[:2]) if args[2:] in ([], [1]) else None,
    "mul": product,
    "floordiv": lambda args: over(*args),
    "floor_divide": lambda args: over(*args),
    "remainder": lambda args: rest(*args),
    "neg": lambda args: product([args[0], -1]),
    "min": lambda args: least(*args),
    "Int": lambda args: args[0],
}
"""By operator; each takes as many sizes as it does."""


def _items(value: Attribute) -> tuple[Attribute, ...]:
    return value if isinstance(value, tuple) else ()


def _shape_only(fact: Fact) -> Fact:
    """What stays true of a value while a loop goes round."""
    return Fact(fact.dtype, fact.shape)


def _either(a: Fact, b: Fact) -> Fact:
    dtype = a.dtype if a.dtype == b.dtype else ""
    if a.shape is None or b.shape is None or len(a.shape) != len(b.shape):
        return Fact(dtype)
    return Fact(dtype, tuple(x if x == y else None for x, y in zip(a.shape, b.shape, strict=True)))


def _value(value: Value, fact: Fact) -> Value:
    return Value(value.name, fact.dtype or value.dtype, value.shape if fact.shape is None else fact.shape, value.doc)


def _values(nodes: tuple[Node, ...], walk: _Walk) -> dict[str, Value]:
    found = {}
    for node in nodes:
        for name in node.outputs:
            fact = walk.fact(name)
            if fact.dtype or fact.shape is not None:
                found[name] = Value(name, fact.dtype, fact.shape)
    return found


def _reached(nodes: tuple[Node, ...], graphs: dict[str, Graph]) -> list[str]:
    """Names of the graphs that are still used, outer ones first."""
    found: dict[str, None] = {}
    waiting = [name for node in nodes for name in node.graphs]
    while waiting:
        name = waiting.pop(0)
        if name in graphs and name not in found:
            found[name] = None
            waiting += [inner for node in graphs[name].nodes for inner in node.graphs]
    return list(found)


def _alive(nodes: list[Node], needed: set[str], walk: _Walk) -> tuple[Node, ...]:
    """Nodes whose results are used; those that only asked for a shape fall away once a branch is chosen."""
    kept = []
    for node in reversed(nodes):
        inside = _reached((node,), walk.graphs)
        changes = node.op in EFFECTS or any(each.op in EFFECTS for name in inside for each in walk.graphs[name].nodes)
        if needed.isdisjoint(node.outputs) and not changes:
            continue
        needed.update(node.inputs)
        for name in inside:
            for inner in walk.graphs[name].nodes:
                needed.update(inner.inputs)
            needed.update(value.name for value in walk.graphs[name].outputs)
        kept.append(node)
    return tuple(kept[::-1])
