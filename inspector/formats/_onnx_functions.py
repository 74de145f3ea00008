"""How much work the functions of an ONNX model are: onnx's inference goes into each call anew, however often.

Sixty functions that each call the one before twice are a file of two kilobytes and 10^18 nodes; thousands that call
each other in a row exhaust its stack.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from inspector.formats._onnx_types import text
from inspector.formats._onnx_wire import fields

FUNCTION = 25
"""Field of a ModelProto."""

NODES, DEPTH = 200_000, 100
"""Most nodes that calls may expand to, and most calls inside each other."""

Key = tuple[str, str, str]
"""Domain, name and overload of a function, as the nodes that call it give them."""


def has_functions(data: bytes) -> bool:
    """Whether a serialised model has functions of its own."""
    return any(number == FUNCTION for number, *_ in fields(memoryview(data), 0, len(data)))


def key_of(function: Any) -> Key:
    """What a FunctionProto is called by."""
    return _domain(function.domain), text(function.name), text(function.overload)


def called_by(node: Any) -> Key:
    """What a NodeProto calls, where it calls a function."""
    return _domain(node.domain), text(node.op_type), text(node.overload)


def _domain(name: str | bytes) -> str:
    return "" if name == "ai.onnx" else text(name)


def runs_away(model: Any) -> bool:
    """Whether going into every call of a function takes too long, or never ends."""
    return expanded(model) is None


def expanded(model: Any) -> dict[Key, int] | None:
    """How many nodes each function has when all that it calls is gone into; None where that is too many."""
    bodies = {key_of(function): _counts(function.node) for function in model.functions}
    sizes: dict[Key, tuple[int, int]] = {}
    waiting: list[tuple[Key, bool]] = [(key, False) for key in bodies]
    open_: set[Key] = set()
    while waiting:
        key, done = waiting.pop()
        called = [name for name in bodies[key] if name in bodies]
        if done:
            open_.discard(key)
            sizes[key] = _size(bodies[key], sizes)
            if sizes[key][0] > NODES or sizes[key][1] > DEPTH:
                return None
        elif key not in sizes:
            if key in open_:
                continue
            open_.add(key)
            if open_.intersection(called):
                return None
            waiting.append((key, True))
            waiting += [(name, False) for name in called if name not in sizes]
    main = _counts(model.graph.node)
    if _size(main, sizes)[0] - sum(main.values()) > NODES:
        return None
    return {key: nodes for key, (nodes, _) in sizes.items()}


def _counts(nodes: Iterable[Any]) -> Counter[Key]:
    """How often each operator stands in some nodes, those of graphs inside them included."""
    counts: Counter[Key] = Counter()
    waiting = [nodes]
    while waiting:
        for node in waiting.pop():
            counts[called_by(node)] += 1
            for attribute in node.attribute:
                waiting += [graph.node for graph in (attribute.g, *attribute.graphs) if graph.node]
    return counts


def _size(counts: Counter[Key], sizes: dict[Key, tuple[int, int]]) -> tuple[int, int]:
    """Nodes when all calls are gone into, and how many calls lie inside each other."""
    inner = [(count, sizes[key]) for key, count in counts.items() if key in sizes]
    nodes = sum(counts.values()) + sum(count * size[0] for count, size in inner)
    return nodes, 1 + max((size[1] for _, size in inner), default=0)
