"""Steps of a Slice that onnx's inference does not outlive.

Where it follows values through a Slice (onnx 1.23, `data_prop=True`) it counts in 32 bits: with a step beyond those it
reads memory that is not its own, or never ends. What it tells without following values is not in danger.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from inspector.formats._onnx_moves import constant, stored

WIDE = 1 << 31
"""Steps of this size or more do not fit."""


def wild(model: Any) -> bool:
    """Whether a ModelProto has a Slice whose step is not sure to be small."""
    tensors: dict[str, list[Any]] = {}
    names: set[str] = set()
    for part in _parts(model):
        for tensor in getattr(part, "initializer", ()):
            tensors.setdefault(tensor.name, []).append(tensor)
        for node in part.node:
            op = node.op_type
            if op == "Constant" and len(node.output) == 1:
                tensors.setdefault(node.output[0], []).append(node)
            elif op == "Slice" and len(node.input) > 4 and node.input[4]:
                names.add(node.input[4])
    return not all(name in tensors and all(map(_fits, tensors[name])) for name in names)


def _fits(source: Any) -> bool:
    """Whether the numbers of a tensor or of a Constant node are small."""
    value = constant(source) if hasattr(source, "op_type") else stored(source)
    return value is not None and all(isinstance(item, int) and 0 < abs(item) < WIDE for item in value.reshape(-1))


def _parts(model: Any) -> Iterator[Any]:
    """The main graph, functions, and all graphs inside them."""
    waiting = [model.graph, *model.functions]
    while waiting:
        part = waiting.pop()
        yield part
        for node in part.node:
            for item in node.attribute:
                waiting += [graph for graph in (item.g, *item.graphs) if graph.node]
