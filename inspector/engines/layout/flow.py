"""Who feeds whom in a graph, as columns of numbers.

Entities are numbered: the nodes in the file's order, then the graph's inputs, then its outputs. Values that inner
graphs (bodies of If and Loop) take from the graph around them count as inputs of the node that runs them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from inspector.ir.model import Graph, Model, Node, Value
from inspector.ir.operators import category

Ints = NDArray[np.int64]

NESTING = 32
"""Inner graphs are followed this deep; a file may claim any depth."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Edges of a graph.

    Attributes:
        inputs: The graph's inputs that are not stored tensors (old ONNX files list their weights among the inputs).
        edges: Columns source, target, value: one row for each use of a value.
        values: Names of the values, by their number.
        absorbed: Constants without inputs, each with the node that uses it first: like weights they are no boxes.
    """

    inputs: tuple[Value, ...]
    edges: Ints
    values: tuple[str, ...]
    absorbed: dict[int, int]


def flow(model: Model, graph: Graph) -> Flow:
    """The edges of a graph."""
    inputs = tuple(value for value in graph.inputs if value.name not in model.tensors)
    producers: dict[str, int] = {}
    for i, node in enumerate(graph.nodes):
        for name in node.outputs:
            producers.setdefault(name, i)
    for i, value in enumerate(inputs, len(graph.nodes)):
        producers.setdefault(value.name, i)
    numbers: dict[str, int] = {}
    rows: list[tuple[int, int, int]] = []
    captured = Captured(model)
    for i, node in enumerate(graph.nodes):
        for name in (*node.inputs, *captured.by(node)) if node.graphs else node.inputs:
            source = producers.get(name)
            if source is not None:
                rows.append((source, i, numbers.setdefault(name, len(numbers))))
    absorbed = _absorbed(graph, rows, {producers.get(value.name, -1) for value in graph.outputs})
    for i, value in enumerate(graph.outputs, len(graph.nodes) + len(inputs)):
        if value.name in producers:
            rows.append((producers[value.name], i, numbers.setdefault(value.name, len(numbers))))
    edges = np.fromiter(chain.from_iterable(row for row in rows if row[0] not in absorbed), np.int64).reshape(-1, 3)
    return Flow(inputs, edges, tuple(numbers), absorbed)


def _absorbed(graph: Graph, rows: list[tuple[int, int, int]], ends: set[int]) -> dict[int, int]:
    constants = {
        i for i, node in enumerate(graph.nodes) if not node.graphs and category(node.op, node.domain) == "constant"
    }
    if not constants:
        return {}
    fed = {target for _, target, _ in rows}
    used: dict[int, int] = {}
    for source, target, _ in rows:
        used.setdefault(source, target)
    return {i: used[i] for i in sorted(constants) if i in used and i not in fed and i not in ends}


class Captured:
    """Values that a node's inner graphs take from the graph around them: inputs that the node does not list."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._graphs = {graph.name: graph for graph in model.graphs}
        self._known: dict[str, tuple[str, ...]] = {}

    def by(self, node: Node) -> tuple[str, ...]:
        """Names that the graphs of this node capture, each once."""
        if not node.graphs:
            return ()
        names = dict.fromkeys(name for graph in node.graphs for name in self._of(graph, 0))
        return tuple(name for name in names if name not in node.inputs)

    def _of(self, name: str, depth: int) -> tuple[str, ...]:
        graph = self._graphs.get(name)
        if graph is None or depth > NESTING:
            return ()
        if name not in self._known:
            self._known[name] = ()  # a graph that runs itself ends here
            own = {value.name for value in graph.inputs} | {out for node in graph.nodes for out in node.outputs}
            used = dict.fromkeys(item for node in graph.nodes for item in node.inputs if item)
            inner = (sub for node in graph.nodes for sub in node.graphs)
            used |= dict.fromkeys(item for sub in inner for item in self._of(sub, depth + 1))
            self._known[name] = tuple(item for item in used if item not in own and item not in self._model.tensors)
        return self._known[name]
