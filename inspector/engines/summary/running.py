"""How often each graph runs in one call of the model, and what lives around it meanwhile.

Functions run once for each node that calls them. The body of a loop runs as often as the file fixes (`trips`), once
where it does not say. Of the branches of a condition the one that does most runs; the others run 0 times and are in no
sum. A graph that runs itself, which only a broken file has, counts as if it did not.

**Live memory** is what values need while a node runs: those that are given to the model or have been computed and are
still to be used, the node's own outputs included, in the order of the file, nothing computed in place, and a view
sharing the memory of what it shows. Weights are not among them. Its maximum is the *peak*.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from inspector.engines.summary.calls import Examined
from inspector.engines.summary.flops import VIEWS
from inspector.engines.summary.sizes import LARGEST
from inspector.engines.summary.trips import Fetch, Known, trips


@dataclass(slots=True)
class Running:
    """What is known of the runs of one graph.

    Attributes:
        times: How often it runs in one call of the model.
        copies: From how many places it is run, each of which has values of its own: a function by all who call it, but
            for branches that do not run.
        around: Bytes that live around it while it runs.
        live: Bytes that live in it while each of its nodes runs, by position.
        open: It has a loop whose number of runs the file does not fix, which counts as one run.
        chosen: It has a condition, of whose branches only one runs.
    """

    times: int = 0
    copies: int = 0
    around: int = 0
    live: list[int] = field(default_factory=list)
    open: bool = False
    chosen: bool = False


def running(examined: Sequence[Examined], fetch: Fetch = lambda name: None) -> list[Running]:
    """The runs of each graph; the first is the one that the model runs.

    Args:
        examined: The graphs.
        fetch: Reads small constants, on which the lengths of loops depend.
    """
    if not examined:
        return []
    by_name = {each.graph.name: number for number, each in enumerate(examined)}
    calls = [_calls(each, by_name) for each in examined]
    loops = _loops(examined, calls, fetch)
    order = _callers_first(calls)
    found = [Running() for _ in examined]
    found[0].times = found[0].copies = 1
    free: dict[int, set[str]] = {}
    work = [0] * len(examined)
    for number in reversed(order):
        free[number] = _outside(examined[number], calls[number], free)
        work[number] = _work(examined[number], calls[number], loops[number], work)
    for number in order:
        each = found[number]
        each.live = _live(examined[number], calls[number], free, first=number == 0)
        for index, graphs in calls[number].items():
            runs, chosen = _shares(examined[number], index, graphs, loops[number], work)
            each.open = each.open or runs is None
            each.chosen = each.chosen or len(chosen) < len(graphs)
            for graph in graphs:
                other = found[graph]
                other.times = min(LARGEST, other.times + each.times * (1 if runs is None else runs) * (graph in chosen))
                other.copies = min(LARGEST, other.copies + each.copies * (graph in chosen))
                meanwhile = each.around + each.live[index] - _given(examined[number], index)
                other.around = min(LARGEST, max(other.around, meanwhile))
    return found


Calls = Mapping[int, tuple[int, ...]]


def _calls(examined: Examined, by_name: Mapping[str, int]) -> Calls:
    """The graphs that nodes run, by position of the node."""
    return {
        index: tuple(by_name[name] for name in facts.node.graphs if name in by_name)
        for index, facts in enumerate(examined.facts)
        if facts.node.graphs
    }


def _given(examined: Examined, index: int) -> int:
    """Bytes of what a call of a function gives: they live in its body until it ends."""
    node = examined.facts[index].node
    if node.name not in examined.calls:
        return 0
    return sum(examined.size(name) or 0 for name in node.outputs if name)


def _callers_first(calls: Sequence[Calls]) -> list[int]:
    """Numbers of the graphs, each after all that run it; those that run each other at the end."""
    waiting = [0] * len(calls)
    for each in calls:
        for graphs in each.values():
            for graph in graphs:
                waiting[graph] += 1
    ready, order = [0] if not waiting[0] else [], []
    while ready:
        number = ready.pop()
        order.append(number)
        for graphs in calls[number].values():
            for graph in graphs:
                waiting[graph] -= 1
                if not waiting[graph]:
                    ready.append(graph)
    missing = set(range(len(calls))) - set(order)
    return order + sorted(missing)


def _loops(examined: Sequence[Examined], calls: Sequence[Calls], fetch: Fetch) -> list[dict[int, int | None]]:
    """How often each loop runs its bodies, by position of its node; None where the file does not fix it."""
    bodies = {each.graph.name: each for each in examined}
    found: list[dict[int, int | None]] = []
    for graph, inside in zip(examined, calls, strict=True):
        known = Known(graph, fetch)
        nodes = ((index, graph.facts[index]) for index in inside)
        found.append({index: trips(facts.node, known, bodies, fetch) for index, facts in nodes if facts.name == "loop"})
    return found


def _outside(examined: Examined, calls: Calls, free: Mapping[int, set[str]]) -> set[str]:
    """Values of a graph that are made around it."""
    outside: set[str] = set()
    if calls or not examined.outermost:
        made = {name for facts in examined.facts for name in facts.node.outputs}
        made.update(value.name for value in examined.graph.inputs)
        for facts in examined.facts:
            outside.update(name for name in facts.data if name not in made)
        for graphs in calls.values():
            for graph in graphs:
                outside |= free.get(graph, set()) - made
    return outside


def _work(examined: Examined, calls: Calls, loops: Mapping[int, int | None], work: Sequence[int]) -> int:
    """What a graph does, the graphs it runs included, to tell which branch does most."""
    total = sum((facts.macs or 0) + (facts.flops or 0) for facts in examined.facts) + len(examined.facts)
    for index, graphs in calls.items():
        runs, chosen = _shares(examined, index, graphs, loops, work)
        total += (1 if runs is None else runs) * sum(work[graph] for graph in chosen)
    return min(total, LARGEST)


def _shares(
    examined: Examined, index: int, graphs: tuple[int, ...], loops: Mapping[int, int | None], work: Sequence[int]
) -> tuple[int | None, tuple[int, ...]]:
    """How often a node runs which of its graphs; None where that depends on values."""
    if examined.facts[index].name == "if" and graphs:
        return 1, (max(graphs, key=lambda graph: work[graph]),)
    return loops.get(index, 1), graphs


def _live(examined: Examined, calls: Calls, free: Mapping[int, set[str]], *, first: bool) -> list[int]:
    """Bytes that live while each node runs; inputs of a body or a function live around it."""
    last, root = _last_uses(examined, calls, free)
    now = 0
    ends: dict[int, int] = defaultdict(int)
    size = examined.size
    if first:
        for value in examined.graph.inputs:
            known = size(value.name) or 0
            now += known
            if value.name in last:
                ends[last[value.name]] += known
    live: list[int] = []
    numbers: dict[int, int] = {}
    for index, facts in enumerate(examined.facts):
        if not facts.derived:
            for name in facts.node.outputs:
                if name and name not in root:
                    known = size(name) or 0
                    now += known
                    ends[last.get(name, index)] += known
        live.append(numbers.setdefault(now, min(now, LARGEST)))
        if index in ends:
            now -= ends[index]
    return live


def _last_uses(examined: Examined, calls: Calls, free: Mapping[int, set[str]]) -> tuple[dict[str, int], dict[str, str]]:
    """The position where each value is used last, and what the values that are views show."""
    last: dict[str, int] = {}
    root: dict[str, str] = {}
    for index, facts in enumerate(examined.facts):
        for name in facts.data:
            last[root.get(name, name)] = index
        for graph in calls.get(index, ()):
            for name in free.get(graph, ()):
                last[root.get(name, name)] = index
        if facts.name in VIEWS and facts.data:
            shown = facts.data[0]
            root.update(dict.fromkeys(facts.node.outputs, root.get(shown, shown)))
    for value in examined.graph.outputs:
        last[root.get(value.name, value.name)] = len(examined.facts)
    return last, root
