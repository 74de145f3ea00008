"""Which graphs of a model run themselves, straight or through others."""

from __future__ import annotations

from collections.abc import Iterable

from inspector.ir import Graph


def circular(graphs: Iterable[Graph]) -> list[str]:
    """Names of graphs that lie in a circle of calls (or on the way from one circle to another)."""
    calls = {graph.name: {name for node in graph.nodes for name in node.graphs} for graph in graphs}
    calls = {name: called & calls.keys() for name, called in calls.items()}
    left = _peeled(calls)
    called_by = {name: {caller for caller in left if name in calls[caller]} for name in left}
    return sorted(_peeled(called_by))


def _peeled(after: dict[str, set[str]]) -> set[str]:
    """What is left when that which leads nowhere is taken away, again and again."""
    before: dict[str, list[str]] = {}
    for name, reached in after.items():
        for each in reached:
            before.setdefault(each, []).append(name)
    left = {name: len(reached) for name, reached in after.items()}
    ends = [name for name, count in left.items() if not count]
    while ends:
        for name in before.get(ends.pop(), ()):
            left[name] -= 1
            if not left[name]:
                ends.append(name)
    return {name for name, count in left.items() if count}
