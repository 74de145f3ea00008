"""Shapes through the graphs of a TensorFlow model, from the shapes of its inputs; without TensorFlow.

Functions are followed with what each caller gives them, loops until their shapes no longer change. What an operator
without a rule makes stays as the file says it. The work is bounded: after `VISITS` nodes, or `DEPTH` functions inside
each other, nothing more is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from inspector.errors import FormatError
from inspector.formats._tf_shapes_calls import called, kept, meet, outside, widened
from inspector.formats._tf_shapes_dims import NOTHING, PRIVATE, Fact, MisfitError, Step
from inspector.formats._tf_shapes_folds import fold
from inspector.formats._tf_shapes_lists import LISTS
from inspector.formats._tf_shapes_makes import MAKES
from inspector.formats._tf_shapes_maths import MATHS
from inspector.formats._tf_shapes_more import MORE
from inspector.formats._tf_shapes_moves import MOVES
from inspector.formats._tf_shapes_windows import WINDOWS
from inspector.formats._tf_shapes_words import BATCH, position, shown, told
from inspector.ir import Graph, Model, Node, Shape, Signature, Tensor, Value

Rule = Callable[[Step], Any]
RULES: Mapping[str, Rule] = {**MATHS, **MOVES, **MAKES, **WINDOWS, **LISTS, **MORE}
REPEATED = frozenset({"Split", "Unpack", "Unstack", "SplitV"})
"""Operators whose outputs are all alike where their rule gives only one."""

CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
LOOPS = frozenset({"While", "StatelessWhile"})
CHOICES = frozenset({"If", "StatelessIf", "Case", "StatelessCase"})
MERGES = frozenset({"Merge", "RefMerge"})
DEPTH = 100
VISITS = 50_000
"""Nodes that may be looked at besides four times those of the model."""
ROUNDS = 4


def propagate(
    model: Model, shapes: Mapping[str, Shape | None] | None = None, rules: Mapping[str, Rule] = RULES
) -> Model:
    """The model with the dtypes and shapes that follow from those of its inputs.

    Args:
        model: As a reader of TensorFlow's graphs gives it.
        shapes: Shapes of inputs of the main graph by name; inputs that are not named keep what the model says of them.
        rules: What makes a node's outputs of its inputs, by operator.

    Raises:
        FormatError: An input cannot have the shape given, or an operator cannot take what would reach it.
    """
    if not model.graphs:
        return model
    walk = Walk(model, strict=bool(shapes), rules=rules)
    roots = {model.graphs[0].name, *(signature.name for signature in model.signatures)}
    inputs: dict[str, tuple[Value, ...]] = {}
    for at, graph in enumerate(model.graphs):
        if graph.name in roots:
            given = tuple(_typed(value, shapes) for value in graph.inputs) if shapes and not at else graph.inputs
            inputs[graph.name] = given
            walk.root(graph, given)
    graphs = tuple(
        told(graph, inputs.get(graph.name, graph.inputs), walk.known.get(graph.name)) for graph in model.graphs
    )
    return replace(model, graphs=graphs, signatures=_signatures(model.signatures, graphs))


def _typed(value: Value, shapes: Mapping[str, Shape | None]) -> Value:
    """An input with the shape that was typed for it."""
    given = shapes.get(value.name)
    if given is None:
        return value
    said = value.shape if value.shape is not None else given
    if len(said) != len(given) or any(
        isinstance(a, int) and isinstance(b, int) and a != b for a, b in zip(said, given, strict=True)
    ):
        words = "×".join("?" if size is None else str(size) for size in said) or "a scalar"
        raise FormatError(f"The input {value.name[:100]!r} cannot have this shape.", hint=f"The file says {words}.")
    return replace(value, shape=tuple(a if isinstance(a, int) else b for a, b in zip(said, given, strict=True)))


def _signatures(signatures: tuple[Signature, ...], graphs: tuple[Graph, ...]) -> tuple[Signature, ...]:
    """Signatures with what is known of their inputs and outputs now."""
    made = []
    for at, signature in enumerate(signatures):
        graph = next((graph for graph in graphs if graph.name == signature.name), None if at else graphs[0])
        known = {} if graph is None else {value.name: value for value in (*graph.inputs, *graph.outputs)}
        sides = (
            tuple(known[v.name] if v.name in known and known[v.name].shape is not None else v for v in side)
            for side in (signature.inputs, signature.outputs)
        )
        made.append(Signature(signature.name, *sides))
    return tuple(made)


@dataclass(slots=True)
class Walk:
    """One run over the graphs of a model.

    Attributes:
        strict: Shapes that do not fit are an error; otherwise they are not known.
        rules: What makes a node's outputs, by operator.
        known: Facts by value name, by graph; of all runs of a function together.
    """

    model: Model
    strict: bool
    rules: Mapping[str, Rule] = field(default_factory=lambda: RULES)
    known: dict[str, dict[str, Fact]] = field(default_factory=dict)
    graphs: dict[str, Graph] = field(default_factory=dict)
    memo: dict[tuple[str, tuple[Fact, ...]], list[Fact]] = field(default_factory=dict)
    stored: dict[str, Fact] = field(default_factory=dict)
    running: list[str] = field(default_factory=list)
    visits: int = 0
    most: int = VISITS
    names: int = 0

    def __post_init__(self) -> None:
        self.graphs = {graph.name: graph for graph in self.model.graphs}
        self.most += 4 * sum(len(graph.nodes) for graph in self.model.graphs)

    def name(self) -> str:
        """A name for a size that nothing is known of yet."""
        self.names += 1
        return f"{PRIVATE}{self.names}"

    def root(self, graph: Graph, inputs: tuple[Value, ...]) -> None:
        """Work out a graph that is called from outside."""
        ranked = [value for value in inputs if value.shape]
        one = all(value.shape and value.shape[0] in (None, BATCH) for value in ranked)
        facts, first = [], True
        for value in inputs:
            shape = value.shape
            if shape and shape[0] is None and (one or first):
                shape, first = (BATCH, *shape[1:]), False
            facts.append(Fact(value.dtype, shape))
        self.run(graph, facts)

    def run(self, graph: Graph, inputs: list[Fact]) -> list[Fact]:
        """Facts of a graph's outputs; those inside are noted down."""
        given = tuple(self.opened(fact) for fact in inputs)
        key = (graph.name, given)
        if key in self.memo:
            return self.memo[key]
        if len(self.running) >= DEPTH or graph.name in self.running:
            return [NOTHING] * len(graph.outputs)
        self.running.append(graph.name)
        facts = self.settled(graph, given)
        self.running.pop()
        old = self.known.get(graph.name)
        self.known[graph.name] = facts if old is None else {k: meet(old[k], f) for k, f in facts.items() if k in old}
        allowed = {size for fact in given for size in kept(fact)}
        found = [outside(self.fact(value.name, facts), allowed) for value in graph.outputs]
        self.memo[key] = found
        return found

    def settled(self, graph: Graph, given: tuple[Fact, ...]) -> dict[str, Fact]:
        """Facts of all values; the loops of TensorFlow 1 are gone round until their shapes stay."""
        loops: dict[str, Fact] = {}
        merges = [node for node in graph.nodes if node.op in MERGES]
        for turn in range(ROUNDS + 1):
            facts = {value.name: fact for value, fact in zip(graph.inputs, given, strict=True)}
            for node in graph.nodes:
                self.visits += 1
                found = self.merged(node, facts, loops) if node.op in MERGES else self.results(node, facts)
                self.note(graph, node, found, facts)
            changed = False
            for node in merges:
                met = widened([self.fact(name, facts) for name in node.inputs]) if node.inputs else NOTHING
                if met != loops[node.name]:
                    changed, loops[node.name] = True, met if turn < ROUNDS - 1 else Fact(met.dtype)
            if not changed or self.visits > self.most:
                break
        return facts

    def merged(self, node: Node, facts: dict[str, Fact], loops: dict[str, Fact]) -> list[Fact]:
        """What comes together; an input that is not yet known is taken to be like the others, and looked at again."""
        ready = [self.fact(name, facts) for name in node.inputs if name in facts or name in self.model.tensors]
        found = loops.setdefault(node.name, widened(ready) if ready else NOTHING)
        return [found, Fact("int32", ())]

    def results(self, node: Node, facts: dict[str, Fact]) -> list[Fact]:
        """Facts of a node's outputs, by position."""
        if self.visits > self.most:
            return []
        ins = [self.fact(name, facts) for name in node.inputs]
        if node.op in LOOPS:
            return self.loop(node, ins)
        if node.op in CHOICES or node.op in CALLS:
            return self.call(node, ins)
        rule = self.rules.get(node.op)
        if rule is None:
            return []
        step = Step(node, ins)
        try:
            found = rule(step)
        except MisfitError as error:
            if self.strict and len(self.running) == 1:
                raise FormatError(
                    f"These shapes do not fit the model: {node.name[:100]} {error}.",
                    hint="Give the shapes that it was made for.",
                ) from error
            return []
        except (IndexError, TypeError, ValueError, ZeroDivisionError, OverflowError):  # attributes that make no sense
            return []
        if isinstance(found, list):
            return found
        return [fold(step, found)]

    def call(self, node: Node, ins: list[Fact]) -> list[Fact]:
        """Functions that are called, or of which one is: what all of them give."""
        results = None
        for name in node.graphs:
            graph = self.graphs.get(name)
            places = None if graph is None else called(graph, node, ins, self.model.tensors)
            if graph is None or places is None:
                return []
            found = self.run(graph, [ins[at] for at in places])
            results = found if results is None else [meet(a, b) for a, b in zip(results, found, strict=False)]
        return results or []

    def loop(self, node: Node, ins: list[Fact]) -> list[Fact]:
        """A loop: its variables have the shapes that they begin and end with."""
        body, test = (
            self.graphs.get(str(node.attributes.get(key, "")).removeprefix("graph:")) for key in ("body", "cond")
        )
        places = None if body is None else called(body, node, ins, self.model.tensors, body)
        if body is None or places is None or len(body.outputs) != len(ins):
            return []
        names = {at: value.name for at, value in zip(places, body.inputs, strict=True)}
        fixed = {at for at, value in enumerate(body.outputs) if names.get(at) == value.name or at not in names}
        carried = [fact if at in fixed else replace(fact, value=None) for at, fact in enumerate(ins)]
        for turn in range(ROUNDS):
            found = self.run(body, [carried[at] for at in places])
            after = [
                fact if at in fixed else meet(fact, end)
                for at, (fact, end) in enumerate(zip(carried, found, strict=True))
            ]
            if after == carried or self.visits > self.most:
                break
            carried = after if turn < ROUNDS - 1 else [replace(fact, shape=None, inner=None) for fact in after]
        asked = None if test is None else called(test, node, carried, self.model.tensors, body)
        if test is not None and asked is not None:
            self.run(test, [carried[at] for at in asked])
        return carried

    def note(self, graph: Graph, node: Node, found: list[Fact], facts: dict[str, Fact]) -> None:
        """Note down a node's outputs, with what the file says of them."""
        for name in node.outputs:
            at = position(node, name)
            fact = found[at] if at < len(found) else found[0] if found and node.op in REPEATED else NOTHING
            facts[name] = self.opened(shown(fact, graph.values.get(name)))

    def opened(self, fact: Fact) -> Fact:
        """A fact whose open sizes have names."""
        if fact.shape is None or None not in fact.shape:
            return fact
        return replace(fact, shape=tuple(self.name() if size is None else size for size in fact.shape))

    def fact(self, name: str, facts: dict[str, Fact]) -> Fact:
        """What is known of a value or of a stored tensor."""
        found = facts.get(name)
        if found is None:
            found = self.stored.get(name)
        if found is None:
            tensor = self.model.tensors.get(name)
            found = self.stored[name] = NOTHING if tensor is None else _stored(tensor)
        return found


def _stored(tensor: Tensor) -> Fact:
    numbers = tensor.place.layout.get("numbers")
    if not isinstance(numbers, tuple) or len(numbers) != tensor.count:
        return Fact(tensor.dtype, tensor.shape)
    return Fact(tensor.dtype, tensor.shape, tuple(n if isinstance(n, int | float) else None for n in numbers))
