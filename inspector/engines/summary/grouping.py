"""Which nodes make one row: each call of a leaf module, or each node.

A module is a *leaf* when no other module lies beneath it. Its nodes form one row for each call. A call is found by
the flow of data, because files do not number calls: a node joins the call whose values it consumes, or the one just
before it when both take the same input (the projections of an attention); using a weight of the call a second time
begins a new one. What a non-leaf module does itself is a row for each node.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from inspector.engines.summary.calls import Examined, Facts

_ONCE = ("linear", "matmul", "conv", "conv_transpose", "batch_norm", "layer_norm", "embedding", "lstm", "gru", "rnn")
"""Operators that a module applies to one weight once in a call."""

FEW = 8
"""Names that are looked through one by one."""

DEEPEST = 64
"""Steps of a module path that are looked at; a file can claim any number."""


@dataclass(slots=True)
class Group:
    """The nodes of one row, as positions in their graph; `path` is empty for a node that stands for itself."""

    path: str
    members: list[int]
    merged: bool = False
    """Whether it stands for a whole module above the leaves."""


def leaves(paths: Iterable[str]) -> frozenset[str]:
    """The paths beneath which there is no other."""
    unique = set(paths)
    parents = {path.rpartition(".")[0] for path in unique}
    for path in list(parents):
        for _ in range(DEEPEST):
            path = path.rpartition(".")[0]
            if path in parents:
                break
            parents.add(path)
    return frozenset(unique - parents - {""})


def cut(path: str, depth: int) -> str:
    """The first steps of a module path."""
    return ".".join(path.split(".", depth)[:depth])


def by_node(examined: Examined) -> list[Group]:
    """One group for each node."""
    return [Group("", [index]) for index in range(len(examined.facts))]


def by_layer(examined: Examined, leaf: frozenset[str], depth: int) -> list[Group]:
    """One group for each call of a leaf module, one for each other node; derived nodes go where they are used."""
    collector = _Collector(examined, leaf, depth)
    for index, facts in enumerate(examined.facts):
        if not facts.derived:
            collector.place(index, facts)
    collector.place_derived()
    return collector.groups()


@dataclass(slots=True)
class _Run(Group):
    """A group while it is being put together; a call of a leaf module may still join another one."""

    inputs: set[str] | tuple[str, ...] = ()
    """A set once it holds more than a few: most groups are of one node, and a million sets take half a gigabyte."""
    used: set[str] | tuple[str, ...] = ()
    into: _Run | None = None

    def final(self) -> _Run:
        run = self
        while run.into is not None:
            run = run.into
        return run


def _with(held: set[str] | tuple[str, ...], more: set[str] | tuple[str, ...]) -> set[str] | tuple[str, ...]:
    """Names held so far with some more."""
    if not more:
        return held
    if not held and len(more) <= FEW:
        return more
    if isinstance(held, set):
        held.update(more)
        return held
    return {*held, *more}


class _Collector:
    def __init__(self, examined: Examined, leaf: frozenset[str], depth: int) -> None:
        self._examined = examined
        self._leaf = leaf
        self._depth = depth
        self._runs: list[Group] = []
        self._made_by: dict[str, _Run] = {}
        self._whole: dict[str, Group] = {}
        self._previous: _Run | None = None
        self._run_of: list[Group | None] = [None] * len(examined.facts)

    def place(self, index: int, facts: Facts) -> None:
        path = facts.node.module
        merged = False
        if self._depth >= 0:
            path, merged = self._merged(path)
        if merged:
            group = self._whole.get(path)
            if group is None:
                group = self._whole[path] = self._new(Group(path, [], merged=True))
            self._alone(index, facts, group)
        elif path and path in self._leaf:
            run = self._call_of(path, facts)
            if run is None:
                run = _Run(path, [])
                self._runs.append(run)
            run.members.append(index)
            run.inputs = _with(run.inputs, facts.data)
            run.used = _with(run.used, facts.direct)
            self._run_of[index] = self._previous = run
            for name in facts.node.outputs:
                self._made_by[name] = run
        else:
            self._alone(index, facts, self._new(Group("", [])))

    def _alone(self, index: int, facts: Facts, group: Group) -> None:
        """Put a node into a group that joins no other."""
        group.members.append(index)
        self._run_of[index] = group
        self._previous = None
        for name in facts.node.outputs:
            self._made_by.pop(name, None)

    def _new(self, group: Group) -> Group:
        self._runs.append(group)
        return group

    def _merged(self, path: str) -> tuple[str, bool]:
        """The path of a node's group, and whether it stands for a whole module."""
        steps = path.count(".") + 1 if path else 0
        if steps > self._depth or (steps == self._depth and path not in self._leaf):
            return cut(path, self._depth), True
        return path, False

    def _call_of(self, path: str, facts: Facts) -> _Run | None:
        """The call that a node of a leaf module is part of; None where it begins a new one."""
        found: list[_Run] = []
        for name in facts.data:
            maker = self._made_by.get(name)
            if maker is not None and maker.path == path:
                run = maker.final()
                if not any(run is other for other in found):
                    found.append(run)
        if not found and self._previous is not None and self._previous.path == path:
            previous = self._previous.final()
            if not facts.data or any(name in previous.inputs for name in facts.data):
                found = [previous]
        if found and facts.name in _ONCE and any(name in run.used for run in found for name in facts.direct):
            return None
        return reduce(self._join, found) if found else None

    def _join(self, run: _Run, other: _Run) -> _Run:
        if len(other.members) > len(run.members):
            run, other = other, run
        run.members += other.members
        run.inputs = _with(run.inputs, other.inputs)
        run.used = _with(run.used, other.used)
        other.into, other.members = run, []
        return run

    def place_derived(self) -> None:
        """Backwards, so that a chain of derived nodes ends where its last value is used."""
        facts, run_of = self._examined.facts, self._run_of
        derived = {name for each in facts if each.derived for name in each.node.outputs}
        user: dict[str, int] = {}
        if not derived and all(run_of):
            return
        for index in reversed(range(len(facts))):
            each = facts[index]
            if each.derived:
                users = [user[name] for name in each.node.outputs if name in user]
                first = run_of[users[0]] if users else None
                if first is not None:
                    group = first.final() if isinstance(first, _Run) else first
                    group.members.append(index)
                    run_of[index] = group
                elif each.weights:
                    self._new(Group("", [index]))
            for name in each.node.inputs:
                if name in derived:
                    user[name] = index

    def groups(self) -> list[Group]:
        facts = self._examined.facts
        made = []
        for group in self._runs:
            if len(group.members) > 1:
                made.append(Group(group.path, sorted(group.members), group.merged))
            elif group.members:
                made.append(Group(group.path, group.members, group.merged) if isinstance(group, _Run) else group)
        return sorted(made, key=lambda group: group.members[0] if len(group.members) == 1 else _first(group, facts))


def _first(group: Group, facts: list[Facts]) -> int:
    return next((index for index in group.members if not facts[index].derived), group.members[0])
