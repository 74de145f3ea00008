"""Who makes and who takes each value of a graph of the open model."""

from __future__ import annotations

from typing import NamedTuple

from inspector.ir import Graph, Node
from inspector.worker.tasks._document import Document


class Flow(NamedTuple):
    """Who makes and who takes each value of a graph."""

    maker: dict[str, Node]
    takers: dict[str, list[Node]]


def flow(opened: Document, graph: Graph) -> Flow:
    """The flow of a graph, worked out once; weights that a node owns are taken by it as well."""

    def make() -> Flow:
        maker: dict[str, Node] = {}
        takers: dict[str, list[Node]] = {}
        for node in graph.nodes:
            maker.update(dict.fromkeys(filter(None, node.outputs), node))
            for name in {*node.inputs, *node.tensors} - {""}:
                takers.setdefault(name, []).append(node)
        return Flow(maker, takers)

    found: Flow = opened.once(f"flow of {graph.name}", make)
    return found
