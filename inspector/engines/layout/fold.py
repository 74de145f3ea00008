"""Folding: from a hierarchy and the set of open groups to the boxes and links of a view.

What the first view shows: everything where that is little; else groups are opened level by level, all those of one
class or none, as long as about eighty boxes are on view; and the largest one anyway where there would be next to
nothing. Values that feed many boxes far away (attention masks, position tables) end in a stub with their name, and
begin again in a stub beside each user: a hundred long edges say less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from inspector.engines.layout.flow import Ints
from inspector.engines.layout.grouping import hierarchy
from inspector.engines.layout.hierarchy import Entity, Group, Hierarchy
from inspector.engines.layout.scene import Box, Folded, Link
from inspector.engines.layout.words import shortened, width
from inspector.ir.model import Graph, Model

SMALL = 60
"""A graph of so many nodes is shown whole."""
FIRST = 80
"""Boxes that the first view does not go beyond by itself."""
FEW = 3
"""A view of fewer boxes than this opens the largest one even if that makes more than FIRST."""
FAN, FAR, DISTANT = 8, 6, 5
"""A value of FAN users, DISTANT of them more than FAR boxes on, becomes stubs for those."""


def fold(
    model: Model,
    graph: Graph,
    open: Iterable[str] | None = None,
    *,
    everything: bool = False,
    depth: int = 0,
    known: Hierarchy | None = None,
) -> Folded:
    """The boxes and links of a view.

    Args:
        model: For its tensors, modules and inner graphs.
        graph: What to show.
        open: Keys of the open groups; None for the first view.
        everything: All of them open.
        depth: Groups down to this level open besides.
        known: The graph's hierarchy where it was built before.
    """
    tree = known or hierarchy(model, graph)
    keys = first_view(tree) if open is None else {tree.aliases.get(key, key) for key in open}
    levels = _levels(tree) if depth else None

    def is_open(number: int) -> bool:
        if tree.groups[number].sealed:
            return False
        return everything or tree.groups[number].key in keys or (levels is not None and levels[number] <= depth)

    return View(tree, is_open).folded()


def first_view(tree: Hierarchy) -> set[str]:
    """Keys of the groups that are open at first."""
    groups = tree.groups
    if tree.nodes <= SMALL:
        return {group.key for group in groups[1:]}
    keys: set[str] = set()
    level = [~child for child in groups[0].children if child < 0]
    shown = len(groups[0].children)
    while level:
        deeper: list[int] = []
        alike: dict[str, list[int]] = {}
        for number in level:
            if groups[number].kind != "repeat" and not groups[number].sealed:
                alike.setdefault(groups[number].title, []).append(number)
        for numbers in sorted(alike.values(), key=lambda numbers: sum(len(groups[n].children) for n in numbers)):
            more = sum(len(groups[number].children) for number in numbers)
            if shown + more <= FIRST:
                keys.update(groups[number].key for number in numbers)
                shown += more
                deeper += [~child for number in numbers for child in groups[number].children if child < 0]
        level = deeper
    return keys or _largest(tree)


def _largest(tree: Hierarchy) -> set[str]:
    """The largest groups, one in another, until there is something to see."""
    keys: set[str] = set()
    children = tree.groups[0].children
    while sum(child < 0 or tree.entities[child].kind == "node" for child in children) < FEW:
        inner = [~child for child in children if child < 0 and not tree.groups[~child].sealed]
        if not inner:
            break
        number = max(inner, key=lambda number: tree.groups[number].nodes)
        keys.add(tree.groups[number].key)
        children = tree.groups[number].children
    return keys


def _levels(tree: Hierarchy) -> list[int]:
    levels = [0] * len(tree.groups)
    for number in range(1, len(levels)):
        levels[number] = levels[tree.groups[number].parent] + 1
    return levels


class View:
    """One folding in the making."""

    def __init__(self, tree: Hierarchy, is_open: Callable[[int], bool]) -> None:
        self._tree, self._is_open = tree, is_open
        self._boxes: list[Box] = []
        self._of_group: Ints = np.full(len(tree.groups), -1, np.int64)
        self._of_entity: Ints = np.full(len(tree.entities), -1, np.int64)

    def folded(self) -> Folded:
        """The boxes that are seen, in the graph's order, and the links between them."""
        self._show()
        tree = self._tree
        inside = np.where(tree.home >= 0, self._of_group[tree.home], -1)
        shown: Ints = np.where(inside >= 0, inside, self._of_entity)
        edges = tree.edges
        source, target = shown[edges[:, 0]], shown[edges[:, 1]]
        looped = (edges[:, 0] == edges[:, 1]) & (self._of_entity[edges[:, 0]] >= 0)
        keep = (source >= 0) & (target >= 0) & ((source != target) | looped)
        rows = np.unique(np.stack([source[keep], target[keep], edges[keep, 2]], axis=1), axis=0)
        rows, links = self._stubs(rows)
        return Folded(
            graph=tree.graph,
            boxes=tuple(self._boxes),
            links=(*self._links(rows), *links),
            nodes=tree.nodes,
        )

    def _show(self) -> None:
        tree = self._tree
        stack = [(child, -1, "") for child in reversed(tree.groups[0].children)]
        while stack:
            code, parent, path = stack.pop()
            number = len(self._boxes)
            if code >= 0:
                self._of_entity[code] = number
                self._boxes.append(_entity_box(tree.entities[code], parent, path))
                continue
            group = tree.groups[~code]
            opened = self._is_open(~code)
            self._boxes.append(_group_box(group, parent, path, opened))
            if opened:
                stack.extend((child, number, group.path) for child in reversed(group.children))
            else:
                self._of_group[~code : tree.ends[~code]] = number

    def _links(self, rows: Ints) -> list[Link]:
        """One link for each pair of boxes, whatever number of values it carries."""
        if not len(rows):
            return []
        pair = rows[:, 0] * len(self._boxes) + rows[:, 1]
        _, at, counts = np.unique(pair, return_index=True, return_counts=True)
        links = []
        for k, count in zip(at.tolist(), counts.tolist(), strict=True):
            source, target, value = rows[k].tolist()
            label = self._tree.labels[value] if count == 1 else f"{count} values"
            links.append(Link(source, target, self._tree.values[value], label))
        return links

    def _stubs(self, rows: Ints) -> tuple[Ints, list[Link]]:
        """Take the far uses of far-reaching values out of the rows and give them stubs."""
        far = rows[:, 1] - rows[:, 0] > FAR
        users = np.bincount(rows[:, 2], minlength=len(self._tree.values))
        distant = np.bincount(rows[far, 2], minlength=len(self._tree.values))
        cut = far & (users[rows[:, 2]] >= FAN) & (distant[rows[:, 2]] >= DISTANT)
        links: list[Link] = []
        begun: set[int] = set()
        for source, target, value in rows[cut].tolist():
            name, label = self._tree.values[value], self._tree.labels[value]
            title = _stub_words(self._boxes[source], name)
            if value not in begun:
                begun.add(value)
                count = int((cut & (rows[:, 2] == value)).sum())
                links.append(Link(source, len(self._boxes), name, label))
                self._boxes.append(_stub_box(f"s:{name}", f"{title} → {count}", name, self._boxes[source].parent))
            key = f"s:{name}>{self._boxes[target].key}"
            links.append(Link(len(self._boxes), target, name, label))
            self._boxes.append(_stub_box(key, title, name, self._boxes[target].parent))
        return rows[~cut], links


def _relative(path: str, base: str) -> str:
    return path[len(base) + 1 :] if base and path.startswith(f"{base}.") else path


def _entity_box(entity: Entity, parent: int, path: str) -> Box:
    text = entity.text
    if entity.path:
        name = _relative(entity.path, path)
        text = "  ".join(filter(None, ("" if name == entity.title else name, text)))
    title = shortened(entity.title)
    text = shortened(text, 34)
    return Box(
        key=entity.key, kind=entity.kind, title=title, text=text, category=entity.category, parent=parent,
        width=_wide(title, text, 28.0), height=40.0 if text else 28.0,
    )  # fmt: skip


def _group_box(group: Group, parent: int, path: str, opened: bool) -> Box:
    name = _relative(group.path, path) if group.kind == "module" and "#" not in group.key else ""
    title = group.title or name.rpartition(".")[2] or "module"
    if group.kind == "repeat":
        text = f"{group.text} · {group.nodes:,} nodes"
    else:
        text = name if name and name != title else f"{group.nodes:,} nodes"
    title, text = shortened(title), shortened(text, 34)
    height = 28.0 if opened else 44.0
    return Box(
        key=group.key, kind=group.kind, title=title, text=text, category=group.category, parent=parent, open=opened,
        nodes=group.nodes, width=_wide(title, text, 56.0 if opened else 48.0, beside=opened), height=height,
    )  # fmt: skip


def _stub_box(key: str, title: str, value: str, parent: int) -> Box:
    return Box(
        key=key, kind="stub", title=title, text=value, parent=parent, nodes=0, height=20.0,
        width=max(40.0, round(width(title, 11.0)) + 16.0),
    )  # fmt: skip


def _stub_words(source: Box, value: str) -> str:
    """A value is called after the input it is, or after itself."""
    return shortened(source.title if source.kind == "input" else value.rpartition("/")[2], 18)


def _wide(title: str, text: str, margin: float, *, beside: bool = False) -> float:
    inner = width(title, 13.0) + width(text, 11.0) + 8 if beside else max(width(title, 13.0), width(text, 11.0))
    return float(min(480.0 if beside else 280.0, max(72.0, -(-(inner + margin) // 8) * 8)))
