"""What torch.export writes of `torch.vmap`, put into graphs of their own.

The file has it as a bracket among the other nodes: `_vmap_increment_nesting` (how many slices), `_add_batch_dim` (a
tensor loses the dimension that is mapped over), the nodes for one slice, `_remove_batch_dim` (results get it back),
`_vmap_decrement_nesting` (`torch/_functorch/predispatch.py`). Here the nodes that depend on a slice become a graph
that one node runs for each slice, as of `map` and `scan`; what depends on none stays where it was.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from inspector.formats._unique import Numbered
from inspector.ir import Attribute, Graph, Node, Value

SPACE = "torch._functorch.predispatch."
OPEN, CLOSE = f"{SPACE}_vmap_increment_nesting", f"{SPACE}_vmap_decrement_nesting"
ENTER, LEAVE = f"{SPACE}_add_batch_dim", f"{SPACE}_remove_batch_dim"
SILENT = f"{SPACE}lazy_load_decompositions"
DEPTH = 50


@dataclass(slots=True)
class _Bracket:
    """What stands between the beginning and the end of one."""

    start: Node
    nodes: list[Node] = field(default_factory=list)
    entered: dict[str, tuple[str, Attribute]] = field(default_factory=dict)
    """By the name inside: the name around it and which dimension is mapped over."""
    left: dict[str, tuple[str, Attribute]] = field(default_factory=dict)
    """By the name around it: the name inside and where the dimension goes."""


class _OpenError(Exception):
    """A bracket does not close, or something stands in it that cannot."""


def gathered(graphs: Mapping[str, Graph]) -> dict[str, Graph]:
    """The graphs with their brackets in graphs of their own; one whose brackets do not close stays as it is."""
    found = dict(graphs)
    for name, graph in graphs.items():
        if any(node.op == OPEN for node in graph.nodes):
            try:
                found |= _Gathering(graph, found).graphs()
            except _OpenError:
                found[name] = graph
    return found


class _Gathering:
    """One graph whose brackets are taken out."""

    def __init__(self, graph: Graph, taken: Mapping[str, Graph]) -> None:
        self._graph, self._taken = graph, dict(taken)
        self._bodies: dict[str, Graph] = {}
        self._free = Numbered()
        self._open: list[_Bracket] = []
        self._nodes: list[Node] = []

    def graphs(self) -> dict[str, Graph]:
        """The graph and those that were taken out of it."""
        for node in self._graph.nodes:
            self._add(node)
        if self._open:
            raise _OpenError
        whole = replace(self._graph, nodes=tuple(self._nodes))
        return {self._graph.name: whole, **self._bodies}

    def _add(self, node: Node) -> None:
        here = self._open[-1] if self._open else None
        if node.op == SILENT:
            return
        if node.op == OPEN:
            if len(self._open) >= DEPTH:
                raise _OpenError
            self._open.append(_Bracket(node))
        elif here is None:
            self._nodes.append(node)
        elif node.op in (ENTER, LEAVE):
            if not node.inputs or len(node.outputs) != 1:
                raise _OpenError
            outside, inside = node.inputs[0], node.outputs[0]
            if node.op == ENTER:
                here.entered[inside] = outside, node.attributes.get("argument 1")
            else:
                here.left[inside] = outside, node.attributes.get("argument 3")
        elif node.op == CLOSE:
            self._close(self._open.pop())
        else:
            here.nodes.append(node)

    def _close(self, bracket: _Bracket) -> None:
        """Put what depends on a slice into a graph, and the rest before the node that runs it."""
        around = self._open[-1].nodes if self._open else self._nodes
        sliced, nodes = set(bracket.entered), []
        for node in bracket.nodes:
            if sliced.isdisjoint(node.inputs):
                around.append(node)
                continue
            sliced.update(node.outputs)
            nodes.append(node)
        name = self._free.free(f"{bracket.start.name or 'vmap'}/slice", ChainMap(self._bodies, self._taken))
        values = self._graph.values
        known = [each for node in nodes for each in (*node.inputs, *node.outputs)]
        self._bodies[name] = Graph(
            name,
            tuple(values.get(each) or Value(each) for each in bracket.entered),
            tuple(values.get(each) or Value(each) for each, _ in bracket.left.values()),
            tuple(nodes),
            {each: values[each] for each in (*bracket.entered, *known) if each in values},
        )
        around.append(
            replace(
                bracket.start,
                op="higher_order.vmap",
                inputs=tuple(outside for outside, _ in bracket.entered.values()),
                outputs=tuple(bracket.left),
                attributes={
                    "batch_size": bracket.start.attributes.get("argument 0"),
                    "in_dims": tuple(dim for _, dim in bracket.entered.values()),
                    "out_dims": tuple(dim for _, dim in bracket.left.values()),
                    "randomness": bracket.start.attributes.get("argument 1"),
                },
                graphs=(name,),
            )
        )
