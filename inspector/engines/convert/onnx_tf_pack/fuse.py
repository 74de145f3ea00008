"""GELU, written out by exporters as five operators around Erf, put together again.

TFLite has GELU, but no Erf: left apart, no transformer would get there. The five are recognised by what they compute:
0.5 × x × (1 + erf(x / √2)), in whatever order its factors are multiplied.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

CLOSE = 1e-5
"""How near a stored constant must be to √2, 1 or one half."""


@dataclass(frozen=True, slots=True)
class _Graph:
    """Who makes and who uses a value, and what is constant."""

    makers: dict[str, NodeProto]
    users: dict[str, list[NodeProto]]
    constants: dict[str, float]
    kept: frozenset[str]

    def only_user(self, name: str) -> NodeProto | None:
        """The one node that uses a value which nobody else sees."""
        users = self.users.get(name, [])
        return users[0] if len(users) == 1 and name not in self.kept else None

    def other(self, node: NodeProto, name: str) -> str:
        """The input of a node of two that is not this one."""
        first, second = node.input
        return str(second if first == name else first)

    def is_near(self, name: str, value: float) -> bool:
        """Whether a value is this constant."""
        return name in self.constants and abs(self.constants[name] - value) <= CLOSE * abs(value)


def fuse_gelu(model: ModelProto) -> int:
    """Put every written-out GELU of the main graph together; gives how many there were.

    The operator is called Gelu whatever the model's opset: nobody but our own handlers reads the model afterwards.
    """
    from onnx import helper

    graph = _read(model.graph)
    away: set[str] = set()
    instead: dict[str, NodeProto] = {}
    for erf in [node for node in model.graph.node if node.op_type == "Erf"]:
        found = _around(graph, erf)
        if found is not None:
            x, nodes = found
            last = nodes[-1]
            away.update(node.output[0] for node in nodes)
            instead[last.output[0]] = helper.make_node("Gelu", [x], [last.output[0]], name=last.name)
    if instead:
        kept = [instead.get(node.output[0], node) for node in model.graph.node if _stays(node, away, instead)]
        copies = [type(node).FromString(node.SerializeToString()) for node in kept]
        del model.graph.node[:]
        model.graph.node.extend(copies)
    return len(instead)


def _stays(node: NodeProto, away: set[str], instead: dict[str, NodeProto]) -> bool:
    return node.output[0] not in away or node.output[0] in instead


def _read(graph: GraphProto) -> _Graph:
    from onnx import numpy_helper

    makers = {name: node for node in graph.node for name in node.output}
    users: dict[str, list[NodeProto]] = {}
    inner: Counter[str] = Counter()
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                inner.update(name for one in attribute.g.node for name in one.input)
    constants = {
        tensor.name: float(numpy_helper.to_array(tensor).reshape(-1)[0])
        for tensor in graph.initializer
        if tensor.data_type in (1, 10, 11) and all(size == 1 for size in tensor.dims)
    }
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            tensor = node.attribute[0].t
            if tensor.data_type in (1, 10, 11) and all(size == 1 for size in tensor.dims):
                constants[node.output[0]] = float(numpy_helper.to_array(tensor).reshape(-1)[0])
    return _Graph(makers, users, constants, frozenset({value.name for value in graph.output} | set(inner)))


def _around(graph: _Graph, erf: NodeProto) -> tuple[str, list[NodeProto]] | None:
    """x and the nodes of the GELU that an Erf stands in, the last of them last; None when it stands in none."""
    scaled = graph.makers.get(erf.input[0])
    if scaled is None or graph.only_user(scaled.output[0]) is None:
        return None
    x = _divided(graph, scaled)
    plus = graph.only_user(erf.output[0])
    if not x or plus is None or plus.op_type != "Add" or not graph.is_near(graph.other(plus, erf.output[0]), 1.0):
        return None
    nodes, value, half, itself = [scaled, erf, plus], plus.output[0], False, False
    while not (half and itself):
        times = graph.only_user(value)
        if times is None or times.op_type != "Mul":
            return None
        factor = graph.other(times, value)
        halved = _halved(graph, factor, x)
        if not half and graph.is_near(factor, 0.5):
            half = True
        elif not itself and factor == x:
            itself = True
        elif not half and not itself and halved is not None:
            half = itself = True
            nodes.append(halved)
        else:
            return None
        nodes.append(times)
        value = times.output[0]
    return x, nodes


def _divided(graph: _Graph, node: NodeProto) -> str:
    """x where the node is x / √2, else nothing."""
    if node.op_type == "Div" and graph.is_near(node.input[1], sqrt(2)):
        return str(node.input[0])
    if node.op_type == "Mul":
        for place in (0, 1):
            if graph.is_near(node.input[place], 1 / sqrt(2)):
                return str(node.input[1 - place])
    return ""


def _halved(graph: _Graph, name: str, x: str) -> NodeProto | None:
    """The node that makes x / 2 of this name for nobody else."""
    node = graph.makers.get(name)
    if node is None or node.op_type != "Mul" or graph.only_user(name) is None or x not in node.input:
        return None
    return node if graph.is_near(graph.other(node, x), 0.5) else None
