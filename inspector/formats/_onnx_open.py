"""Where a walk over the open shapes of an ONNX model is worth its time, and what it looks at; see `_onnx_folding`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from inspector.formats import _onnx_contributed as contributed
from inspector.formats import _onnx_sizes as sizes
from inspector.formats._onnx_computed import SHAPES
from inspector.formats._onnx_types import text
from inspector.ir import Dim

OTHERS = frozenset({*contributed.RULES, *contributed.FUSED})
WRONG = frozenset({"AveragePool", "GroupNormalization", "LpPool", "MaxPool", "STFT"})
"""Operators of which inference tells wrong or nothing at times; see `_onnx_mistakes`."""

COMPUTED = frozenset({*SHAPES, "Squeeze", "Unsqueeze", "Split", "TopK", "OneHot", "If", "Loop", *OTHERS, *WRONG})
"""Operators whose output's shape depends on a value, or grows from sums and products of sizes, or is not known to onnx.
"""

GRAPHS = frozenset({"If", "Loop", "Scan", "SequenceMap"})
FRESH = re.compile(r"unk__\d+|[A-Z][\w:./]*_dim_\d+")
"""Names that inference, and torch's older exporter for outputs, give to sizes of which they know nothing."""

UNKNOWN = re.compile(r"unk__(\d{1,18})")
"""Those of inference."""

STEPS = 5
"""How often a name that turned out to be another is looked up again."""

DEEPEST = 50
"""Graphs inside each other that are gone into."""


def worthwhile(graph: Any, known: set[str]) -> bool:
    """Whether something is left open in an inferred GraphProto that a walk over it may tell.

    Args:
        graph: The main graph.
        known: Names of dimensions that stand for themselves.
    """
    return _makeshift(graph, known) or (_suspect(graph, known) and _open(graph, known, 0))


def _suspect(graph: Any, known: set[str]) -> bool:
    """Whether it is worth the time to look at each node: something has one of inference's names, or none at all."""
    nodes = [node for node in graph.node if node.op_type in COMPUTED or node.op_type in GRAPHS]
    if not nodes:
        return False
    data = graph.SerializePartialToString()
    if b"unk__" in data and not {name.decode() for name in re.findall(rb"unk__\d+", data)} <= known:
        return True
    if any(_vague(info.type, known) for info in graph.output):
        return True
    types = {info.name: info.type for info in graph.value_info}
    types |= {info.name: info.type for info in (*graph.input, *graph.output)}
    names = (name for node in nodes for name in node.output if name)
    return any(name not in types or _shapeless(types[name]) for name in names)


def _makeshift(graph: Any, known: set[str]) -> bool:
    """Whether torch's older exporter gave a size of an output a name that says nothing."""
    names = {text(dim.dim_param) for info in graph.output for dim in dims(info.type)} - known
    return any(name[:1].isupper() and len(name) <= sizes.LONGEST and FRESH.fullmatch(name) for name in names)


def _open(graph: Any, known: set[str], depth: int) -> bool:
    """Whether there is a size that is left open behind an operator that works shapes out."""
    nodes = [node for node in graph.node if node.op_type in COMPUTED or node.op_type in GRAPHS]
    if not nodes:
        return False
    types = {info.name: info.type for info in (*graph.value_info, *graph.output)}
    for node in nodes:
        if node.op_type in COMPUTED and any(_vague(types.get(name), known) for name in node.output if name):
            return True
        inner = [item.g for item in node.attribute if item.HasField("g")] if node.op_type in GRAPHS else []
        if depth < DEEPEST and any(_open(graph, known, depth + 1) for graph in inner):
            return True
    return False


def _shapeless(proto: Any) -> bool:
    """Whether it might be a tensor and nothing is known of its shape."""
    if proto.HasField("tensor_type"):
        return not proto.tensor_type.HasField("shape")
    return not proto.WhichOneof("value")


def _vague(proto: Any, known: set[str]) -> bool:
    if proto is None or _shapeless(proto):
        return True
    return any(not dim.HasField("dim_value") and text(dim.dim_param) not in known for dim in dims(proto))


def rename(graph: Any, meant: Mapping[str, Dim], depth: int = 0) -> None:
    """Put what the names of unknown sizes turned out to be in their place, wherever they stand in inner graphs."""
    for info in (*graph.value_info, *graph.output, *graph.input) if depth else ():
        for dim in dims(info.type):
            found: Dim = dim.dim_param
            for _ in range(STEPS):
                found = meant.get(found, found) if isinstance(found, str) else found
            if isinstance(found, int):
                dim.dim_value = found
            elif found and found != dim.dim_param:
                dim.dim_param = found
    for inner in inside(graph) if depth < DEEPEST else ():
        rename(inner, meant, depth + 1)


def every_dim(graph: Any, depth: int = 0) -> Iterator[Any]:
    """All dimensions that are said of values in a GraphProto or FunctionProto, and in those inside it."""
    for info in (*graph.value_info, *graph.output, *graph.input):
        yield from () if isinstance(info, str) else dims(info.type)
    for inner in inside(graph) if depth < DEEPEST else ():
        yield from every_dim(inner, depth + 1)


def inside(graph: Any) -> Iterator[Any]:
    """The graphs that the nodes of one run."""
    for node in graph.node:
        if node.op_type in GRAPHS:
            yield from (item.g for item in node.attribute if item.HasField("g"))


def dims(proto: Any) -> Iterable[Any]:
    """The dimensions in a TypeProto."""
    return proto.tensor_type.shape.dim if proto.HasField("tensor_type") else ()
