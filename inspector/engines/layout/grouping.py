"""What makes a hierarchy worth looking at: no empty shells, repeats as one, long lists in pieces.

Each pass takes a draft and changes it in place; they run in this order.
"""

from __future__ import annotations

import gc
from collections import Counter
from typing import NamedTuple

import numpy as np

from inspector.engines.layout.calls import Ends, absorb, split_calls
from inspector.engines.layout.flow import Ints
from inspector.engines.layout.hierarchy import TELLING, Draft, Group, Hierarchy, draft, finished
from inspector.ir.model import Graph, Model
from inspector.ir.operators import category

REPEATS = 3
"""Siblings of one structure that are folded into one box."""
GAP = 8
"""Lone nodes between two repeats that are taken into the run."""
CROWD = 200
"""Children of a group beyond which they are cut into pieces."""
PIECES = 40
"""About how many pieces."""


def hierarchy(model: Model, graph: Graph) -> Hierarchy:
    """A graph ready for folding; linear in nodes and edges, built once a graph."""
    collecting = gc.isenabled()
    gc.disable()  # a hundred thousand small objects that all stay: collections only cost half the time
    try:
        made = draft(model, graph)
        split_calls(made, alike=True)
        absorb(made)
        split_calls(made, alike=False)
        simplify(made)
        repeats(made)
        pieces(made)
        return finished(made, model, graph)
    finally:
        if collecting:
            gc.freeze()  # what stays holds no cycles
            gc.enable()


def simplify(made: Draft) -> None:
    """Take away the shells: groups of nothing, of one node, of one group; a lone root is the graph itself."""
    groups = made.groups
    stands: dict[int, list[int]] = {}
    for number in range(len(groups) - 1, 0, -1):  # children have larger numbers than their parents
        group = groups[number]
        if min(group.children, default=0) < 0:
            group.children = [new for old in group.children for new in (stands.get(~old, [old]) if old < 0 else [old])]
        stands[number] = [~number]
        if not group.children:
            stands[number] = []
        elif len(group.children) == 1:
            stands[number] = _shelled(made, number)
    root = groups[0]
    root.children = [new for old in root.children for new in (stands.get(~old, [old]) if old < 0 else [old])]
    inner = [child for child in root.children if child < 0]
    if len(inner) == 1 and all(made.entities[c].kind != "node" for c in root.children if c >= 0):
        at = root.children.index(inner[0])
        root.children[at : at + 1] = groups[~inner[0]].children
        root.title = groups[~inner[0]].title or root.title


def _shelled(made: Draft, number: int) -> list[int]:
    """What stands for a group with one child: the node with the module's name, or the group with the child's."""
    group, child = made.groups[number], made.groups[number].children[0]
    if child >= 0:
        entity = made.entities[child]
        if not entity.path:
            weights = entity.text.rpartition("  ")[2] if "×" in entity.text else ""
            entity.path, entity.text = group.path, weights
            own = category(group.title)
            if own == entity.category or entity.category not in TELLING[:5]:  # a fused operator is what it is
                entity.title = group.title or entity.title
                entity.category = own if own != "other" else entity.category
        made.aliases[group.key] = entity.key
        return [child]
    inner = made.groups[~child]
    group.children, group.title = inner.children, group.title or inner.title
    made.aliases[inner.key] = group.key
    return [~number]


def repeats(made: Draft) -> None:
    """Fold siblings of one structure that follow each other into one group."""
    signatures = _signatures(made)
    users = Ends(made.flow.edges[:, 0], made.flow.edges[:, 1], len(made.entities))
    for number in made.reachable():
        group = made.groups[number]
        runs = _runs(group.children, signatures)
        for k, (first, last) in reversed(list(enumerate(runs))):
            members = [child for child in group.children[first : last + 1] if child < 0]
            if not _chained(made, members, users):
                continue
            title, path = made.groups[~members[0]].title, f"{group.path}#{k}"
            run = Group(f"m:{path}", "repeat", title, group.path, number, group.children[first : last + 1])
            run.text = f"×{len(members)}"
            group.children[first : last + 1] = [made.add(run)]


def _signatures(made: Draft) -> dict[int, int]:
    """A number for the structure of each group: its class and, in any order, the structures in it."""
    found: dict[int, int] = {}
    seen: dict[tuple[str, tuple[tuple[int | str, int], ...]], int] = {}
    for number in reversed(made.reachable()):
        group = made.groups[number]
        parts: dict[int | str, int] = {}
        for child in group.children:
            part = found[~child] if child < 0 else made.entities[child].title
            parts[part] = parts.get(part, 0) + 1
        structure = group.title, tuple(sorted(parts.items(), key=str) if len(parts) > 1 else parts.items())
        found[number] = seen.setdefault(structure, len(seen))
    return found


def _runs(children: list[int], signatures: dict[int, int]) -> list[tuple[int, int]]:
    """First and last position of each run of groups with one signature, a few lone nodes between them allowed."""
    runs: list[tuple[int, int]] = []
    first = last = -1
    count = 0
    for position, child in enumerate([*children, ~0]):
        if child >= 0:
            continue
        same = first >= 0 and signatures[~child] == signatures[~children[first]]
        if same and child != ~0 and position - last - 1 <= GAP:
            last, count = position, count + 1
            continue
        if count >= REPEATS:
            runs.append((first, last))
        first, last, count = position, position, 1
    return runs


def _chained(made: Draft, members: list[int], users: Ends) -> bool:
    """Whether each member feeds the next, straight or through a lone node; or there are many and none feeds another."""
    owner: dict[int, int] = {}
    insides = [made.inside(member) for member in members]
    for k, inside in enumerate(insides):
        owner.update(dict.fromkeys(inside, k))
    feeds = 0
    for k, inside in enumerate(insides[:-1]):
        reached = {user for node in inside for user in users.of(node)}
        reached |= {user for node in reached if node not in owner for user in users.of(node)}
        feeds += any(owner.get(user) == k + 1 for user in reached)
    return feeds == len(members) - 1 or (feeds == 0 and len(members) > REPEATS + 1)


class Span(NamedTuple):
    """Values within a list of children: where each is made and where it is used last."""

    first: Ints
    last: Ints


def pieces(made: Draft) -> None:
    """Cut long lists of children into groups, and those again, until none has more than CROWD."""
    for number in made.reachable():
        group = made.groups[number]
        if len(group.children) <= CROWD:
            continue
        owner = np.full(len(made.entities), -1, np.int64)
        for position, child in enumerate(group.children):
            owner[made.inside(child)] = position
        edges = made.flow.edges
        source, target = owner[edges[:, 0]], owner[edges[:, 1]]
        inside = (source >= 0) & (target > source)
        first = np.full(len(made.flow.values), -1, np.int64)
        last = np.full(len(made.flow.values), -1, np.int64)
        first[edges[inside, 2]] = source[inside]
        np.maximum.at(last, edges[inside, 2], target[inside])
        known = first >= 0
        group.children = _cut(made, number, group.children, Span(first[known], last[known]), group.path)


def _cut(made: Draft, parent: int, children: list[int], spans: Span, path: str) -> list[int]:
    """Children in pieces; a piece that is still too long is cut again."""
    count = len(children)
    if count <= CROWD:
        return children
    alive = np.zeros(count + 1, np.int64)  # alive[k]: values that cross the cut before child k
    np.add.at(alive, spans.first + 1, 1)
    np.add.at(alive, spans.last + 1, -1)
    alive = np.cumsum(alive)
    result: list[int] = []
    for start, end in _bounds(made, children, alive):
        part = children[start:end]
        if len(part) < 2:
            result += part
            continue
        name = f"{path}#p{len(made.groups)}"
        group = Group(f"m:{name}", "module", _piece_words(made, part), path, parent)
        code = made.add(group)
        inside = (spans.first >= start) & (spans.last < end)
        group.children = _cut(made, ~code, part, Span(spans.first[inside] - start, spans.last[inside] - start), path)
        result.append(code)
    return result


def _bounds(made: Draft, children: list[int], alive: Ints) -> list[tuple[int, int]]:
    """Where to cut: near even sizes, where the fewest values cross, preferably before a node with weights.

    Inputs at the beginning and outputs at the end stay by themselves.
    """
    lone = [c >= 0 and made.entities[c].kind != "node" for c in children]
    begin = next((k for k, flag in enumerate(lone) if not flag), 0)
    stop = len(children) - next((k for k, flag in enumerate(reversed(lone)) if not flag), 0)
    bounds = [(k, k + 1) for k in range(begin)]
    size = max(20, -(-(stop - begin) // PIECES))
    start = begin
    while stop - start > size * 3 // 2:
        low, high = start + size // 2, start + size * 3 // 2
        costs = [
            (int(alive[k]), not _owns(made, children[k]), abs(k - start - size)) for k in range(low, min(high, stop))
        ]
        end = low + costs.index(min(costs))
        bounds.append((start, end))
        start = end
    return [*bounds, (start, stop), *((k, k + 1) for k in range(stop, len(children)))]


def _owns(made: Draft, child: int) -> bool:
    return child < 0 or made.entities[child].category in TELLING[:5]


def _piece_words(made: Draft, part: list[int]) -> str:
    """The two operators or classes that say most about a piece."""
    names: Counter[tuple[bool, str]] = Counter()
    for child in part:
        if child < 0:
            names[(True, made.groups[~child].title)] += 1
        else:
            names[(made.entities[child].category in TELLING, made.entities[child].title)] += 1
    best = sorted(names, key=lambda item: (not item[0], -names[item]))[:2]
    return " · ".join(name for _, name in best if name) or "…"
