"""How much work the functions of an ONNX model are: onnx's inference goes into each call anew, however often.

Sixty functions that each call the one before twice are a file of two kilobytes and 10^18 nodes; thousands that call
each other in a row exhaust its stack.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from inspector.formats._onnx_wire import fields

FUNCTION = 25
"""Field of a ModelProto."""

NODES, DEPTH = 200_000, 100
"""Most nodes that calls may expand to, and most calls inside each other."""

Key = tuple[str, str]


def has_functions(data: bytes) -> bool:
    """Whether a serialised model has functions of its own."""
    return any(number == FUNCTION for number, *_ in fields(memoryview(data), 0, len(data)))


def runs_away(model: Any) -> bool:
    """Whether going into every call of a function takes too long, or never ends."""
    bodies = {(function.domain, function.name): _counts(function.node) for function in model.functions}
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
                return True
        elif key not in sizes:
            if key in open_:
                continue
            open_.add(key)
            if open_.intersection(called):
                return True
            waiting.append((key, True))
            waiting += [(name, False) for name in called if name not in sizes]
    main = _counts(model.graph.node)
    return _size(main, sizes)[0] - sum(main.values()) > NODES


def _counts(nodes: Iterable[Any]) -> Counter[Key]:
    """How often each operator stands in some nodes, those of graphs inside them included."""
    counts: Counter[Key] = Counter()
    waiting = [nodes]
    while waiting:
        for node in waiting.pop():
            counts[node.domain, node.op_type] += 1
            for attribute in node.attribute:
                waiting += [graph.node for graph in (attribute.g, *attribute.graphs) if graph.node]
    return counts


def _size(counts: Counter[Key], sizes: dict[Key, tuple[int, int]]) -> tuple[int, int]:
    """Nodes when all calls are gone into, and how many calls lie inside each other."""
    inner = [(count, sizes[key]) for key, count in counts.items() if key in sizes]
    nodes = sum(counts.values()) + sum(count * size[0] for count, size in inner)
    return nodes, 1 + max((size[1] for _, size in inner), default=0)
