"""The hierarchy of a graph, built once a graph: groups in groups, nodes in groups, edges as columns of numbers.

Groups come from three places: dotted module paths; runs of siblings with the same structure ("×12"); and, where a group
has hundreds of children and no names to go by, consecutive pieces cut where the fewest values are alive. Groups are
numbered in depth-first order, so a group and everything in it is one slice, which makes folding 100,000 nodes a matter
of a few array operations.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain

import numpy as np

from inspector.engines.layout.flow import Flow, Ints, flow
from inspector.engines.layout.words import op_words, path_words, shape_words, value_words
from inspector.ir.model import Graph, Model, Role, Shape, Tensor, Value
from inspector.ir.operators import CATEGORIES, category
from inspector.ir.text import inert

DEPTH = 32
"""Components of a module path that are used; a path from a file may claim any number."""

TELLING = ("attention", "recurrent", "convolution", "embedding", "linear", "pooling", "normalisation", "activation")
"""A group takes the first of these categories that it contains."""


@dataclass(slots=True)
class Group:
    """Something that can be opened and closed. `children` holds entities as they are and groups as `~number`."""

    key: str
    kind: str
    title: str
    path: str
    parent: int = -1
    children: list[int] = field(default_factory=list)
    text: str = ""
    category: str = "other"
    nodes: int = 0
    sealed: bool = False
    """It cannot be opened in this hierarchy."""


@dataclass(slots=True)
class Entity:
    """What cannot be opened: a node, an input or an output, ready to be shown."""

    key: str
    kind: str
    title: str
    text: str = ""
    category: str = "other"
    path: str = ""
    """Module path where the box stands for a module that holds nothing else."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A graph ready for folding.

    Attributes:
        groups: In depth-first order; group 0 is the whole graph.
        ends: For each group the number after its last descendant.
        entities: Nodes, inputs and outputs, numbered as in `Flow`.
        home: For each entity its group; -1 for one that is not shown.
        edges: As in `Flow`.
        labels: Of the values by number: shape and dtype.
        aliases: Keys of what is shown as something else: the key of what stands for it.
        index: Entities, and groups as `~number`, by key.
    """

    graph: str
    nodes: int
    groups: list[Group]
    ends: list[int]
    entities: list[Entity]
    home: Ints
    edges: Ints
    values: tuple[str, ...]
    labels: tuple[str, ...]
    aliases: dict[str, str]
    index: dict[str, int]

    def place(self, key: str) -> tuple[str, tuple[str, ...]]:
        """What stands for a key, and the keys of the groups to open so that it is seen, outermost first.

        A key that the graph does not have gives an empty text.
        """
        for _ in range(DEPTH * 2):
            if key not in self.aliases:
                break
            key = self.aliases[key]
        if key not in self.index:
            return "", ()
        code = self.index[key]
        group = int(self.home[code]) if code >= 0 else self.groups[~code].parent
        path: list[str] = []
        while group > 0:
            path.append(self.groups[group].key)
            group = self.groups[group].parent
        return key, tuple(reversed(path))


@dataclass(slots=True)
class Draft:
    """A hierarchy in the making: passes over it (`grouping.py`) take it from module paths to something worth seeing."""

    flow: Flow
    groups: list[Group]
    entities: list[Entity]
    aliases: dict[str, str]

    def inside(self, code: int) -> list[int]:
        """The entities in a child, in order."""
        found: list[int] = []
        stack = [code]
        while stack:
            code = stack.pop()
            if code >= 0:
                found.append(code)
            else:
                stack.extend(reversed(self.groups[~code].children))
        return found

    def reachable(self) -> list[int]:
        """Numbers of the groups that are still in use, parents before children."""
        order = [0]
        for number in order:
            order.extend(~child for child in self.groups[number].children if child < 0)
        return order

    def add(self, group: Group) -> int:
        """Take in a group; gives its code as a child."""
        self.groups.append(group)
        return ~(len(self.groups) - 1)


def draft(model: Model, graph: Graph) -> Draft:
    """A graph grouped by the module paths of its nodes, nothing simplified yet."""
    classes = {inert(module.path): inert(path_words(module.type)) for module in model.modules}
    edges = flow(model, graph)
    made = Draft(edges, [Group("m:", "module", classes.get("", ""), "")], _entities(model, graph), {})
    known = {"": 0}
    groups: dict[str, int] = {}
    first, last = len(graph.nodes), len(graph.nodes) + len(edges.inputs)
    made.groups[0].children.extend(range(first, last))
    for i, node in enumerate(graph.nodes):
        if i in edges.absorbed:
            made.aliases[made.entities[i].key] = made.entities[edges.absorbed[i]].key
        else:
            group = groups.get(node.module)
            if group is None:
                group = groups[node.module] = _group(made, inert(node.module), classes, known)
            made.groups[group].children.append(i)
    made.groups[0].children.extend(range(last, last + len(graph.outputs)))
    return made


def _group(made: Draft, path: str, classes: dict[str, str], known: dict[str, int]) -> int:
    """The group of a module path, made with its parents where it is new."""
    if path in known:
        return known[path]
    here, name = 0, ""
    for part in path.split(".")[:DEPTH]:
        name = f"{name}.{part}" if name else part
        if name not in known:
            known[name] = ~made.add(Group(f"m:{name}", "module", classes.get(name, ""), name, here))
            made.groups[here].children.append(~known[name])
        here = known[name]
    known[path] = here
    return here


def _entities(model: Model, graph: Graph) -> list[Entity]:
    entities: list[Entity] = []
    tensors = model.tensors
    kinds: dict[tuple[str, str], tuple[frozenset[str], str, str]] = {}
    for node in graph.nodes:
        known = kinds.get((node.op, node.domain))
        if known is None:
            op = inert(node.op)
            repeated = frozenset({op.lower(), op_words(op).lower()})
            known = kinds[node.op, node.domain] = repeated, op_words(op), category(node.op, node.domain)
        name = inert(node.name)
        text = _node_words(name, known[0])
        weights = [tensors[each] for each in (*node.inputs, *node.tensors) if each in tensors]
        if weights:
            text = _with_shape(text, weights)
        entities.append(Entity(f"n:{name}", "node", known[1], text, known[2]))
    return [*entities, *chain.from_iterable(ends_of(model, graph))]


def ends_of(model: Model, graph: Graph) -> tuple[list[Entity], list[Entity]]:
    """The inputs of a graph that are no stored tensors, and its outputs."""
    inputs = [value for value in graph.inputs if value.name not in model.tensors]
    sides = (("input", inputs, [value.name for value in inputs]), ("output", graph.outputs, _called(model, graph)))
    inward, outward = (
        [
            Entity(f"{kind[0]}:{inert(value.name)}", kind, inert(name), value_words(value))
            for value, name in zip(values, names, strict=True)
        ]
        for kind, values, names in sides
    )
    return inward, outward


def _called(model: Model, graph: Graph) -> list[str]:
    """What the graph's outputs are called by who calls the model, where its signature says so in the same number."""
    if model.signatures and graph is model.main and len(model.signatures[0].outputs) == len(graph.outputs):
        return [value.name for value in model.signatures[0].outputs]
    return [value.name for value in graph.outputs]


def _node_words(name: str, repeated: frozenset[str]) -> str:
    """The last part of a node's name, or nothing where it only repeats the operator."""
    last = name.rstrip("/").rpartition("/")[2]
    return "" if last.lower().rstrip("0123456789_.") in repeated else last


def _with_shape(text: str, weights: list[Tensor]) -> str:
    """The words with the shape of the largest of these tensors that was learned, unless it is a mere vector."""
    learned = [each for each in weights if each.role is Role.WEIGHT]
    largest = learned[0] if len(learned) == 1 else max(learned, key=lambda each: each.count, default=None)
    if largest is None or len(largest.shape) < 2:
        return text
    return f"{text}  {shape_words(largest.shape)}" if text else shape_words(largest.shape)


def finished(made: Draft, model: Model, graph: Graph) -> Hierarchy:
    """The draft with its groups renumbered in depth-first order and counted."""
    groups, ends = _ordered(made)
    home = np.full(len(made.entities), -1, np.int64)
    for number, group in enumerate(groups):
        for child in group.children:
            if child >= 0:
                home[child] = number
    _count(groups, made.entities)
    outside = {value.name: value for value in (*graph.inputs, *graph.outputs)}
    labels = tuple([label(graph.values.get(name) or outside.get(name)) for name in made.flow.values])
    index = {entity.key: i for i, (entity, group) in enumerate(zip(made.entities, home.tolist())) if group >= 0}
    index |= {group.key: ~number for number, group in enumerate(groups) if number}
    return Hierarchy(
        graph=inert(graph.name), nodes=len(graph.nodes), groups=groups, ends=ends, entities=made.entities, home=home,
        edges=made.flow.edges, values=tuple(map(inert, made.flow.values)), labels=labels, aliases=made.aliases,
        index=index,
    )  # fmt: skip


def label(value: Value | None) -> str:
    """What is known of a value in a few words."""
    return "" if value is None else _words(value.dtype, value.shape)


@lru_cache(maxsize=16_384)
def _words(dtype: str, shape: Shape | None) -> str:
    return value_words(Value("", dtype, shape))


def _ordered(made: Draft) -> tuple[list[Group], list[int]]:
    """Groups that can be reached, parents before children, with the end of each one's slice."""
    order: list[int] = []
    stack = [0]
    while stack:
        number = stack.pop()
        order.append(number)
        stack.extend(~child for child in reversed(made.groups[number].children) if child < 0)
    new = {number: k for k, number in enumerate(order)}
    groups = [made.groups[number] for number in order]
    ends = [k + 1 for k in range(len(groups))]
    for group in groups:
        group.children = [child if child >= 0 else ~new[~child] for child in group.children]
    for k, group in enumerate(groups):
        for child in group.children:
            if child < 0:
                groups[~child].parent = k
    for k in range(len(groups) - 1, 0, -1):
        ends[groups[k].parent] = max(ends[groups[k].parent], ends[k])
    return groups, ends


def _count(groups: list[Group], entities: list[Entity]) -> None:
    """Nodes and category of each group, from the innermost out."""
    kinds: list[dict[str, int]] = [{} for _ in groups]
    for k in range(len(groups) - 1, -1, -1):
        group, here = groups[k], kinds[k]
        for child in group.children:
            if child >= 0:
                entity = entities[child]
                if entity.kind == "node":
                    here[entity.category] = here.get(entity.category, 0) + 1
        group.nodes = sum(here.values())
        own = category(group.title)
        common = max(here, key=here.__getitem__, default="other")
        group.category = own if own in TELLING else next((name for name in TELLING if name in here), common)
        if k:
            around = kinds[group.parent]
            for name, count in here.items():
                around[name] = around.get(name, 0) + count


assert set(TELLING) <= set(CATEGORIES)  # a category renamed there must be renamed here
