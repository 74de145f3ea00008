"""Which nodes make one row: each call of a leaf module, or each node.

A module is a *leaf* when no other module lies beneath it. Its nodes form one row for each call. A call is found by
the flow of data, because files do not number calls: a node joins the call whose values it consumes, or the one just
before it when both take the same input (the projections of an attention); using a weight of the call a second time
begins a new one. What a non-leaf module does itself is a row for each node.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce

from inspector.engines.summary.calls import Examined, Facts

_ONCE = ("linear", "matmul", "conv", "conv_transpose", "batch_norm", "layer_norm", "embedding", "lstm", "gru", "rnn")
"""Operators that a module applies to one weight once in a call."""

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
class _Run:
    """One call of a leaf module while it is being put together."""

    path: str
    members: list[int]
    merged: bool = False
    inputs: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    into: _Run | None = None

    def final(self) -> _Run:
        run = self
        while run.into is not None:
            run = run.into
        return run


class _Collector:
    def __init__(self, examined: Examined, leaf: frozenset[str], depth: int) -> None:
        self._examined = examined
        self._leaf = leaf
        self._depth = depth
        self._runs: list[_Run] = []
        self._made_by: dict[str, _Run] = {}
        self._whole: dict[str, _Run] = {}
        self._previous: _Run | None = None
        self._run_of: dict[int, _Run] = {}

    def place(self, index: int, facts: Facts) -> None:
        path, merged = self._path_of(facts)
        if merged:
            run = self._whole.get(path)
            if run is None:
                run = self._whole[path] = self._new(path, merged=True)
        elif not path:
            run = self._new("")
        else:
            run = self._call_of(path, facts) or self._new(path)
        run.members.append(index)
        run.inputs.update(facts.data)
        run.used.update(facts.direct)
        self._run_of[index] = run
        self._made_by.update(dict.fromkeys(filter(None, facts.node.outputs), run))
        self._previous = run

    def _path_of(self, facts: Facts) -> tuple[str, bool]:
        path = facts.node.module
        steps = path.count(".") + 1 if path else 0
        if self._depth >= 0 and (steps > self._depth or (steps == self._depth and path not in self._leaf)):
            return cut(path, self._depth), True
        return (path, False) if path in self._leaf else ("", False)

    def _new(self, path: str, *, merged: bool = False) -> _Run:
        run = _Run(path, [], merged)
        self._runs.append(run)
        return run

    def _call_of(self, path: str, facts: Facts) -> _Run | None:
        makers = (self._made_by[name].final() for name in facts.data if name in self._made_by)
        found = _distinct(makers, path) if facts.data else []
        previous = self._previous.final() if self._previous is not None else None
        beside = previous is not None and previous.path == path and not previous.merged
        if not found and previous is not None and beside:
            shares = not facts.data or any(name in previous.inputs for name in facts.data)
            found = [previous] if shares else []
        if facts.name in _ONCE and any(name in run.used for run in found for name in facts.direct):
            return None
        return reduce(self._join, found) if found else None

    def _join(self, run: _Run, other: _Run) -> _Run:
        if len(other.members) > len(run.members):
            run, other = other, run
        run.members += other.members
        run.inputs |= other.inputs
        run.used |= other.used
        other.into, other.members = run, []
        return run

    def place_derived(self) -> None:
        """Backwards, so that a chain of derived nodes ends where its last value is used."""
        user: dict[str, int] = {}
        facts = self._examined.facts
        for index in reversed(range(len(facts))):
            each = facts[index]
            if each.derived:
                users = [user[name] for name in each.node.outputs if name in user]
                if users and users[0] in self._run_of:
                    run = self._run_of[users[0]].final()
                    run.members.append(index)
                    self._run_of[index] = run
                elif each.weights:
                    run = self._new("")
                    run.members.append(index)
            for name in each.node.inputs:
                user[name] = index

    def groups(self) -> list[Group]:
        made = [Group(run.path, sorted(run.members), run.merged) for run in self._runs if run.members]
        facts = self._examined.facts
        return sorted(made, key=lambda group: _first(group, facts))


def _distinct(runs: Iterator[_Run], path: str) -> list[_Run]:
    found: list[_Run] = []
    for run in runs:
        if run.path == path and not run.merged and not any(run is other for other in found):
            found.append(run)
    return found


def _first(group: Group, facts: list[Facts]) -> int:
    return next((index for index in group.members if not facts[index].derived), group.members[0])
