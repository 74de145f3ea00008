"""What the nodes of a graph are coloured by, from the layer table's rows of operators."""

from __future__ import annotations

from collections import defaultdict

from inspector.engines.layout.colour import DTYPE, Colouring
from inspector.engines.summary.rows import Row
from inspector.engines.summary.summary import OPERATORS
from inspector.ir import Graph, Model
from inspector.ir.text import inert
from inspector.worker.tasks._document import Document

NESTING = 32
"""Inner graphs are followed this deep; a file may claim any depth."""


def colouring(opened: Document, graph: Graph, key: str) -> Colouring:
    """The figures of one graph's nodes; a node that runs other graphs has what is in those besides its own."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in opened.summary({}).rows(OPERATORS):
        rows[row.graph].append(row)
    own = [(f"n:{name}", row) for row in rows[inert(graph.name)] for name in row.nodes[:1]]
    if key == DTYPE:
        return Colouring(key, words={name: (row.dtype, 1.0 + row.parameters) for name, row in own})
    numbers = {name: _number(row, key) for name, row in own}
    inner = _Inner(opened.model, rows, key)
    for node in graph.nodes:
        if node.graphs:
            name = f"n:{inert(node.name)}"
            numbers[name] = _sum([numbers.get(name), *(inner.total(each, NESTING) for each in node.graphs)])
    return Colouring(key, numbers)


def _number(row: Row, key: str) -> float | None:
    if key == "parameters":
        return float(row.parameters)
    if key == "macs":
        return None if row.macs is None else float(row.macs)
    if row.activation_bytes is None:
        return float(row.parameter_bytes) or None
    return float(row.parameter_bytes + row.activation_bytes)


def _sum(numbers: list[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


class _Inner:
    """Sums over the graphs that nodes run, each worked out once."""

    def __init__(self, model: Model, rows: dict[str, list[Row]], key: str) -> None:
        self._model, self._rows, self._key = model, rows, key
        self._known: dict[str, float | None] = {}

    def total(self, name: str, depth: int) -> float | None:
        if name not in self._known and depth:
            self._known[name] = None  # what runs itself does not count twice
            graph = self._model.graph(name)
            numbers = [_number(row, self._key) for row in self._rows.get(inert(name), ())]
            nested = [each for node in (graph.nodes if graph else ()) for each in node.graphs]
            self._known[name] = _sum([*numbers, *(self.total(each, depth - 1) for each in nested)])
        return self._known.get(name)
