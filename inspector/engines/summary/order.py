"""Which graphs a model runs, in which order, and which nodes call functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from inspector.ir import Graph, Model, Node


def reachable(model: Model) -> tuple[Graph, ...]:
    """The main graph and those that its nodes run, each once, in the order of the model."""
    if not model.graphs:
        return ()
    by_name = {graph.name: graph for graph in model.graphs}
    found, waiting = {model.graphs[0].name}, [model.graphs[0]]
    while waiting:
        for node in waiting.pop().nodes:
            for name in node.graphs:
                if name in by_name and name not in found:
                    found.add(name)
                    waiting.append(by_name[name])
    return tuple(graph for graph in model.graphs if graph.name in found)


def is_call(node: Node) -> bool:
    """Whether a node of ONNX that runs graphs calls a function: others name their graphs in attributes."""
    return not any(
        isinstance(each, str) and each.startswith("graph:")
        for value in node.attributes.values()
        for each in (value if isinstance(value, tuple) else (value,))
    )


def callers_first(graphs: Sequence[Graph]) -> list[str]:
    """Names of graphs, each after all that run it; those that run each other at the end."""
    runs = {graph.name: [name for node in graph.nodes for name in node.graphs] for graph in graphs}
    waiting = Counter(name for names in runs.values() for name in names if name in runs)
    ready = [graph.name for graph in graphs[:1] if not waiting[graph.name]]
    order: dict[str, None] = {}
    while ready:
        here = ready.pop()
        order[here] = None
        for name in runs[here]:
            waiting[name] -= 1
            if not waiting[name] and name in runs:
                ready.append(name)
    return [*order, *(name for name in runs if name not in order)]
