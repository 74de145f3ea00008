"""Modules against the flow: a group must not be fed by what it feeds, or the picture has links running backwards.

Two things do that, and each is mended here: a module that is called several times with others between, and a lone node
between two nodes of one module that the file does not count among them.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from inspector.engines.layout.flow import Ints
from inspector.engines.layout.hierarchy import Draft, Group


def split_calls(made: Draft, *, alike: bool) -> None:
    """Split modules that are called several times with others between (one ReLU for a whole block) into their calls.

    Left as one box, such a module would be fed by what it feeds. Only modules without inner ones are looked at.

    Args:
        made: What is being grouped; changed in place.
        alike: Only where every call does the same.
    """
    home = np.full(len(made.entities), -1, np.int64)
    leaf = np.zeros(len(made.groups) + 1, bool)
    for number, group in enumerate(made.groups):
        own = group.children if min(group.children, default=-1) >= 0 else [c for c in group.children if c >= 0]
        if len(own) == 1:
            home[own[0]] = number
        else:
            home[own] = number
            leaf[number] = number > 0 and 1 < len(own) == len(group.children)
    edges = made.flow.edges
    source, target = edges[:, 0], edges[:, 1]
    within = home[source] == home[target]
    leaving = np.full(len(home), 1 << 60, np.int64)
    np.minimum.at(leaving, source[~within], target[~within])
    coming = np.full(len(home), -1, np.int64)
    nodes = sum(entity.kind == "node" for entity in made.entities)
    late = ~within & (source < nodes)
    np.maximum.at(coming, target[late], source[late])
    inner: dict[int, list[tuple[int, int]]] = defaultdict(list)
    if not leaf.any():
        return
    held = within & leaf[home[source]]
    for number, one, other in zip(home[source[held]].tolist(), source[held].tolist(), target[held].tolist()):
        inner[number].append((one, other))
    leaves = np.flatnonzero(leaf).tolist()
    parents: set[int] = set()
    for number in leaves:
        parts = _parts(made.groups[number].children, inner[number])
        found = _calls(parts, leaving, coming) if len(parts) > 1 else parts
        if len(found) > 1 and (not alike or len({_structure(made, part) for part in found}) == 1):
            _split(made, number, found)
            parents.add(made.groups[number].parent)
    for number in parents:
        made.groups[number].children = in_order(made, made.groups[number].children)


def _parts(members: list[int], edges: list[tuple[int, int]]) -> list[list[int]]:
    """Members in connected parts, each part in order, parts by their first member."""
    root = {member: member for member in members}

    def top(member: int) -> int:
        while root[member] != member:
            root[member] = member = root[root[member]]
        return member

    for a, b in edges:
        a, b = top(a), top(b)
        root[max(a, b)] = min(a, b)
    parts: dict[int, list[int]] = {}
    for member in members:
        parts.setdefault(top(member), []).append(member)
    return list(parts.values())


def _calls(parts: list[list[int]], leaving: Ints, coming: Ints) -> list[list[int]]:
    """Parts joined as long as none takes what was made after an earlier one was used."""
    found: list[list[int]] = []
    used = 0
    for part in parts:
        first_use = int(leaving[part].min())
        if found and used > int(coming[part].max()):
            found[-1] += part
            used = min(used, first_use)
        else:
            found.append(list(part))
            used = first_use
    return found


def _structure(made: Draft, part: list[int]) -> tuple[str, ...]:
    return tuple(sorted(made.entities[member].title for member in part))


def _split(made: Draft, number: int, found: list[list[int]]) -> None:
    group = made.groups[number]
    group.children = found[0]
    parent = made.groups[group.parent]
    for k, part in enumerate(found[1:], 2):
        code = made.add(Group(f"{group.key}@{k}", group.kind, group.title, group.path, group.parent, part))
        parent.children.append(code)


def absorb(made: Draft) -> None:
    """Move lone nodes that are fed by a group and feed it, straight or through others, into that group."""
    mixed = [
        number
        for number in made.reachable()
        if len(made.groups[number].children) > 1
        and min(made.groups[number].children) < 0
        and any(_is_node(made, c) for c in made.groups[number].children)
    ]
    if not mixed:
        return
    edges = made.flow.edges
    links = Ends(edges[:, 0], edges[:, 1], len(made.entities))
    back = Ends(edges[:, 1], edges[:, 0], len(made.entities))
    home = {child: number for number, group in enumerate(made.groups) for child in group.children if child >= 0}
    for number in mixed:
        _absorb_into(made, number, home, links, back)


class Ends:
    """The other ends of each entity's edges."""

    def __init__(self, here: Ints, there: Ints, count: int) -> None:
        order = np.argsort(here, kind="stable")
        self._ends: list[int] = there[order].tolist()
        self._starts: list[int] = np.searchsorted(here[order], np.arange(count + 1)).tolist()

    def of(self, entity: int) -> list[int]:
        """Those of one entity, in the order of the edges."""
        return self._ends[self._starts[entity] : self._starts[entity + 1]]


def _absorb_into(made: Draft, number: int, home: dict[int, int], links: Ends, back: Ends) -> None:
    children = made.groups[number].children
    lone = [child for child in children if _is_node(made, child)]
    bits = {~child: 1 << k for k, child in enumerate(child for child in children if child < 0)}

    def bit(entity: int) -> int:
        here = home.get(entity, -1)
        while here > 0 and here not in bits:
            here = made.groups[here].parent
        return bits.get(here, 0)

    ours = set(lone)
    before: dict[int, int] = {}
    after: dict[int, int] = {}
    for reached, order, ends in ((before, lone, back), (after, list(reversed(lone)), links)):
        for entity in order:
            found = 0
            for end in ends.of(entity):
                found |= reached.get(end, 0) if end in ours else bit(end)
            reached[entity] = found
    moved: dict[int, list[int]] = defaultdict(list)
    groups = {mask: group for group, mask in bits.items()}
    for entity in lone:
        common = before[entity] & after[entity]
        if common:
            moved[groups[common & -common]].append(entity)
    for group, entities in moved.items():
        made.groups[group].children = in_order(made, [*made.groups[group].children, *entities])
        home.update(dict.fromkeys(entities, group))
    gone = {entity for entities in moved.values() for entity in entities}
    made.groups[number].children = [child for child in children if child not in gone]


def _is_node(made: Draft, child: int) -> bool:
    return child >= 0 and made.entities[child].kind == "node"


def in_order(made: Draft, children: list[int]) -> list[int]:
    """Children by their first entity, inputs first and outputs last."""

    def place(child: int) -> tuple[int, int]:
        if child < 0:
            return 1, min(made.inside(child), default=0)
        return {"input": 0, "node": 1, "output": 2}[made.entities[child].kind], child

    return sorted(children, key=place)
