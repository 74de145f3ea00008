"""The hierarchy of a very large graph: pieces of consecutive nodes, of which only those that are open are looked into.

What a hierarchy of a million nodes costs is half a minute, and a view shows forty boxes of it. Here the graph is cut
into PIECES; a piece that is opened gets a hierarchy of its own (a few hundredths of a second for each thousand nodes),
and the others stay sealed boxes with the values that cross between them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from inspector.engines.layout.flow import Captured, Ints
from inspector.engines.layout.grouping import PIECES, hierarchy
from inspector.engines.layout.hierarchy import TELLING, Entity, Group, Hierarchy, ends_of, label
from inspector.engines.layout.words import op_words
from inspector.ir.model import Graph, Model, Node
from inspector.ir.operators import category
from inspector.ir.text import inert

VAST = 200_000
"""A graph of more nodes than this is cut."""

NEAR = 400
"""Nodes around an even cut among which the best place for it is looked for."""

MARK = "~"
"""Stands before the number of the piece in keys that two pieces may have."""


@dataclass(slots=True)
class Piece:
    """Consecutive nodes.

    Attributes:
        key: Of its box.
        first: Position of the first node.
        stop: Position after the last.
        takes: Names of the values that come from outside.
        gives: Names of the values that others take.
        tree: What is in it, once it was opened.
    """

    key: str
    first: int
    stop: int
    takes: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()
    tree: Hierarchy | None = None


class Vast:
    """A graph in pieces."""

    def __init__(self, model: Model, graph: Graph) -> None:
        self._model = model
        self._graph = graph
        self._captured = Captured(model)
        self._pieces = [Piece(f"m:#{MARK}{k}", *ends) for k, ends in enumerate(_cuts(graph.nodes))]
        self._inputs, self._outputs = ends_of(model, graph)
        self._cross()
        self._boxes = [self._box(piece) for piece in self._pieces]

    def tree(self, keys: Collection[str]) -> Hierarchy:
        """The hierarchy in which the pieces of these keys can be looked into."""
        made = _Joined(self._model, self._graph, self._inputs, self._outputs)
        for piece, box in zip(self._pieces, self._boxes, strict=True):
            tree = self._opened(piece) if piece.key in keys else None
            made.add(piece, box, tree, self._users(piece) if tree is not None else {})
        return made.finished()

    def place(self, key: str) -> tuple[str, tuple[str, ...]]:
        """As that of `Hierarchy`; looks into the piece that has it."""
        for piece in self._holding(key):
            tree = self._opened(piece)
            for candidate in (key, f"{key}{MARK}{piece.key.rpartition(MARK)[2]}"):
                found, path = tree.place(candidate)
                if found:
                    return found, (piece.key, *path)
        known = {entity.key for entity in (*self._inputs, *self._outputs)} | {piece.key for piece in self._pieces}
        return (key, ()) if key in known else ("", ())

    def _holding(self, key: str) -> Iterator[Piece]:
        """Pieces that may have this key, the first one that does first."""
        kind, _, name = key.partition(":")
        if kind == "m" and MARK in name:
            number = name.rpartition(MARK)[2]
            if number.isdecimal() and int(number) < len(self._pieces):
                yield self._pieces[int(number)]
        nodes = self._graph.nodes
        found: int | None = None
        if kind == "n":
            found = next((at for at, node in enumerate(nodes) if node.name == name), None)
            if found is None:  # names that had to be changed to be shown are few
                found = next((at for at, node in enumerate(nodes) if inert(node.name) == name), None)
        elif kind == "m":
            inside = f"{name}."
            found = next((at for at, n in enumerate(nodes) if n.module == name or n.module.startswith(inside)), None)
        if found is not None:
            yield next(piece for piece in self._pieces if found < piece.stop)

    def _cross(self) -> None:
        """Find the values that go from piece to piece."""
        tensors, nodes = self._model.tensors, self._graph.nodes
        wanted = {value.name for value in self._graph.outputs}
        for piece in reversed(self._pieces):
            part = nodes[piece.first : piece.stop]
            made = {name for node in part for name in node.outputs}
            piece.gives = tuple(sorted(wanted & made))
            wanted -= made
            taken = {name for node in part for name in node.inputs} - made
            taken.update(name for node in part if node.graphs for name in self._captured.by(node) if name not in made)
            piece.takes = tuple(sorted(name for name in taken if name and name not in tensors))
            wanted.update(piece.takes)

    def _opened(self, piece: Piece) -> Hierarchy:
        if piece.tree is None:
            number = self._pieces.index(piece)
            part = self._graph.nodes[piece.first : piece.stop]
            graph = replace(self._graph, inputs=(), outputs=(), nodes=part)
            piece.tree = _marked(hierarchy(self._model, graph), f"{MARK}{number}", self._shared(piece))
        return piece.tree

    def _shared(self, piece: Piece) -> set[str]:
        """Modules that reach into the pieces beside this one."""
        nodes = self._graph.nodes
        beside = [nodes[at].module for at in (piece.first - 1, piece.stop) if 0 <= at < len(nodes)]
        found: set[str] = set()
        for path in map(inert, beside):
            while path:
                found.add(path)
                path = path.rpartition(".")[0]
        return found

    def _users(self, piece: Piece) -> dict[str, list[int]]:
        """Positions in the piece of the nodes that take each value from outside."""
        takes = set(piece.takes)
        users: dict[str, list[int]] = {}
        for at, node in enumerate(self._graph.nodes[piece.first : piece.stop]):
            for name in (*node.inputs, *self._captured.by(node)) if node.graphs else node.inputs:
                if name in takes:
                    users.setdefault(name, []).append(at)
        return users

    def _box(self, piece: Piece) -> Group:
        """The box of a piece: from which module to which, or the operators that say most."""
        part = self._graph.nodes[piece.first : piece.stop]
        ops = Counter(node.op for node in part)
        domains = {node.op: node.domain for node in part}
        kinds = {op: category(op, domains[op]) for op in ops}
        telling = sorted(ops, key=lambda op: (kinds[op] not in TELLING, -ops[op]))
        title = _range(part[0].module, part[-1].module) or " · ".join(op_words(inert(op)) for op in telling[:2])
        common = {kinds[op] for op in ops}
        colour = next((kind for kind in TELLING if kind in common), kinds[ops.most_common(1)[0][0]])
        return Group(piece.key, "module", title, "", 0, category=colour, nodes=len(part))


class _Joined:
    """Pieces put together into one hierarchy."""

    def __init__(self, model: Model, graph: Graph, inputs: list[Entity], outputs: list[Entity]) -> None:
        self._graph = graph
        self._groups = [Group("m:", "module", "", "")]
        self._entities = list(inputs)
        self._home = [0] * len(inputs)
        self._ends = [0]
        self._edges: list[Ints] = []
        self._values: list[str] = []
        self._labels: list[str] = []
        self._aliases: dict[str, str] = {}
        self._source: dict[str, int] = {}
        self._takers: list[tuple[str, int]] = []
        self._groups[0].children = list(range(len(inputs)))
        names = [value.name for value in graph.inputs if value.name not in model.tensors]
        self._source.update((name, at) for at, name in enumerate(names))
        self._outputs = outputs

    def add(self, piece: Piece, box: Group, tree: Hierarchy | None, users: dict[str, list[int]]) -> None:
        """Take in a piece, sealed or opened."""
        at, first = len(self._groups), len(self._entities)
        self._groups[0].children.append(~at)
        if tree is None:
            self._groups.append(replace(box, children=[first], sealed=True))
            self._ends.append(at + 1)
            self._entities.append(Entity("", "hidden", ""))
            self._home.append(at)
            self._takers += [(name, first) for name in piece.takes]
            self._source.update(dict.fromkeys(piece.gives, first))
            return
        inside = tree.groups[0].children
        if len(inside) == 1 and inside[0] < 0:  # a box with one box in it says nothing
            inside = tree.groups[~inside[0]].children
        for number, group in enumerate(tree.groups):
            children = [
                child + first if child >= 0 else ~(~child + at) for child in (group.children if number else inside)
            ]
            whole = replace(group if number else box, children=children, parent=group.parent + at if number else 0)
            self._groups.append(whole)
        self._ends += [end + at for end in tree.ends]
        self._entities += tree.entities
        self._home += np.where(tree.home >= 0, tree.home + at, -1).tolist()
        self._edges.append(tree.edges + np.array([first, first, len(self._values)], np.int64))
        self._values += tree.values
        self._labels += tree.labels
        self._aliases.update(tree.aliases)
        gives = set(piece.gives)
        for number, node in enumerate(self._graph.nodes[piece.first : piece.stop]):
            self._source.update((name, first + number) for name in node.outputs if name in gives)
        self._takers += [(name, first + number) for name, found in users.items() for number in found]

    def finished(self) -> Hierarchy:
        """All of it."""
        graph = self._graph
        last = len(self._entities)
        self._groups[0].children += range(last, last + len(self._outputs))
        self._entities += self._outputs
        self._home += [0] * len(self._outputs)
        self._takers += [(value.name, last + at) for at, value in enumerate(graph.outputs)]
        self._ends[0] = len(self._groups)
        numbers: dict[str, int] = {}
        rows = []
        for name, taker in self._takers:
            source = self._source.get(name)
            if source is not None and source != taker:
                rows.append((source, taker, len(self._values) + numbers.setdefault(name, len(numbers))))
        outside = {value.name: value for value in (*graph.inputs, *graph.outputs)}
        self._edges.append(np.array(rows, np.int64).reshape(-1, 3))
        self._values += [inert(name) for name in numbers]
        self._labels += [label(graph.values.get(name) or outside.get(name)) for name in numbers]
        index = {entity.key: at for at, entity in enumerate(self._entities) if self._home[at] >= 0 and entity.key}
        index |= {group.key: ~number for number, group in enumerate(self._groups) if number}
        return Hierarchy(
            graph=inert(graph.name), nodes=len(graph.nodes), groups=self._groups, ends=self._ends,
            entities=self._entities, home=np.array(self._home, np.int64), edges=np.concatenate(self._edges),
            values=tuple(self._values), labels=tuple(self._labels), aliases=self._aliases, index=index,
        )  # fmt: skip


def _marked(tree: Hierarchy, mark: str, shared: set[str]) -> Hierarchy:
    """The hierarchy of a piece with keys that no other piece has."""
    new: dict[str, str] = {}
    for group in tree.groups[1:]:
        if "#" in group.key or "@" in group.key or group.path in shared:
            new[group.key] = f"{group.key}{mark}"
            group.key = new[group.key]
    tree.aliases.update(new)
    tree.index.update({key: tree.index[old] for old, key in new.items()})
    return tree


def _cuts(nodes: tuple[Node, ...]) -> list[tuple[int, int]]:
    """Where pieces begin and end: near even sizes, between modules where there are such, where few values cross."""
    size = -(-len(nodes) // PIECES)
    cuts = [0]
    for even in range(size, len(nodes), size):
        low, high = max(cuts[-1] + 1, even - NEAR), min(len(nodes), even + NEAR)
        alive = _alive(nodes[low:high])
        costs = [
            (_common(nodes[k - 1].module, nodes[k].module), alive[k - low], abs(k - even)) for k in range(low, high)
        ]
        cuts.append(low + costs.index(min(costs)))
    return list(zip(cuts, [*cuts[1:], len(nodes)], strict=True))


def _alive(nodes: tuple[Node, ...]) -> list[int]:
    """How many values of these nodes are made before each of them and taken by it or later."""
    made = {name: at for at, node in enumerate(nodes) for name in node.outputs}
    last: dict[str, int] = {}
    for at, node in enumerate(nodes):
        last.update((name, at) for name in node.inputs if name in made)
    steps = np.zeros(len(nodes) + 1, np.int64)
    for name, at in last.items():
        if made[name] < at:
            steps[made[name] + 1] += 1
            steps[at + 1] -= 1
    alive: list[int] = np.cumsum(steps)[:-1].tolist()
    return alive


def _common(one: str, other: str) -> int:
    """How many steps two module paths begin with alike."""
    count = 0
    for a, b in zip(one.split(".", 64), other.split(".", 64), strict=False):
        if a != b or not a:
            break
        count += 1
    return count


def _range(first: str, last: str) -> str:
    """`layer.0 … layer.1922`: what two module paths differ in first, with the step before."""
    if not first or not last:
        return ""
    one, other = first.split(".", 64), last.split(".", 64)
    count = _common(first, last)
    if count >= min(len(one), len(other)):
        return inert(".".join(one[:count][-2:]))
    start = max(0, count - 1) if one[count].isdecimal() else count
    names: Iterable[str] = (".".join(steps[start : count + 1]) for steps in (one, other))
    return inert(" … ".join(names))
