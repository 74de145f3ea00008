"""How often a Loop of an ONNX model runs, where its counters tell: its condition is worked out, time after time."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

from inspector.formats._onnx_moves import KNOWN, valued
from inspector.formats._onnx_open import UNKNOWN, every_dim
from inspector.formats._onnx_open import inside as inner_graphs
from inspector.formats._onnx_scope import Scope, shape_of
from inspector.formats._onnx_types import text
from inspector.formats._onnx_values import Array, Call, array
from inspector.ir import Dim

NODES = 64
"""Most nodes that a condition and what it counts may be made of."""

Spend = Callable[[int], bool]
"""Pays for some work; False where there is no more of it."""


def runs(body: Any, inside: Scope, first: list[Array | None], most: int, spend: Spend) -> int | None:
    """How often a body runs; None where that depends on data.

    Args:
        body: The GraphProto.
        inside: What is known of its values.
        first: Values of its inputs in the first run.
        most: How often it runs at most, by the first input of the Loop.
        spend: Pays for the work.
    """
    names = [info.name for info in body.input]
    ends = [info.name for info in body.output]
    cone = _cone(body, ends[0], dict(zip(names[2:], ends[1:], strict=False)))
    if cone is None:
        return None
    nodes, states = cone
    now = dict(zip(names, first, strict=False))
    for count in range(most):
        if not spend(32 * len(nodes) + 16):
            return None
        known = {**now}
        for node in nodes:
            values = [known[name] if name in known else inside.value(name) for name in node.input]
            shapes = [inside.shape(name) for name in node.input]
            found = valued(Call(node, values, shapes, inside.kind(node.output[0])))
            known.update(zip(node.output, found, strict=False))
        going_on = known.get(ends[0]) if ends[0] in known else inside.value(ends[0])
        if going_on is None or going_on.size != 1 or going_on.flat[0] is None:
            return None
        if not going_on.flat[0]:
            return count + 1
        now[names[0]] = array([count + 1], ())
        now[names[1]] = going_on
        for name, end in states.items():
            now[name] = known.get(end) if end in known else inside.value(end)
    return most


def steady(node: Any, body: Any, here: Scope, grounded: Container[str]) -> dict[str, Dim]:
    """Put into a body the sizes of what it carries, where they were left open and one run leaves them as they are.

    What enters the first run has them; where a run that gets them gives them, they are those of every run.

    Args:
        node: The Loop.
        body: Its GraphProto, worked out.
        here: What is known around it.
        grounded: Names of dimensions that stand for themselves.

    Returns:
        What names of unknown sizes turned out to be.
    """
    carried = [
        (here.shape(name), shape_of(taken.type), shape_of(given.type))
        for name, taken, given in zip(node.input[2:], body.input[2:], body.output[1:], strict=False)
    ]
    meant: dict[str, Dim] = {}
    outer = {dim for name in taken_by(body) for dim in here.shape(name) or ()}
    outer.update(dim for first, *_ in carried for dim in first or ())
    for first, taken, _ in carried:
        for unknown, dim in zip(taken or (), first or (), strict=False) if len(taken or ()) == len(first or ()) else ():
            if not isinstance(unknown, str) or not UNKNOWN.fullmatch(unknown) or unknown in grounded:
                continue
            if dim is None or unknown in outer or meant.setdefault(unknown, dim) != dim:
                meant[unknown] = None
    meant = {name: dim for name, dim in meant.items() if dim is not None}
    wrong = {""}
    while wrong and meant:
        wrong = set()
        for first, taken, given in carried:
            kept = given and tuple(meant.get(dim, dim) if isinstance(dim, str) else dim for dim in given)
            if kept != first:
                wrong.update(dim for dim in taken or () if isinstance(dim, str) and dim in meant)
        meant = {name: dim for name, dim in meant.items() if name not in wrong}
    for dim in every_dim(body) if meant else ():
        found = meant.get(text(dim.dim_param))
        if isinstance(found, int):
            dim.dim_value = found
        elif found:
            dim.dim_param = found
    return meant


def taken_by(body: Any) -> set[str]:
    """Names of what a body takes from around it."""
    made, used, waiting = {info.name for info in body.input}, set[str](), [body]
    while waiting:
        graph = waiting.pop()
        waiting += inner_graphs(graph)
        for node in graph.node:
            made.update(node.output)
            used.update(node.input)
    return used - made


def goes_on(node: Any, here: Scope) -> bool:
    """Whether it is sure that a Loop is not ended before its first time."""
    if len(node.input) < 2 or not node.input[1]:
        return True
    value = here.value(node.input[1])
    return value is not None and value.size == 1 and value.reshape(-1)[0] == 1


def _cone(body: Any, end: str, states: dict[str, str]) -> tuple[list[Any], dict[str, str]] | None:
    """The nodes that a value of a body is made of, in their order, and what is carried from run to run for it."""
    makers = {name: index for index, node in enumerate(body.node) for name in node.output if name}
    chosen: set[int] = set()
    carried: dict[str, str] = {}
    waiting = [end]
    while waiting:
        name = waiting.pop()
        if name in states and name not in carried:
            carried[name] = states[name]
            waiting.append(states[name])
        index = makers.get(name)
        if index is None or index in chosen:
            continue
        if body.node[index].op_type == "Constant":
            continue
        if body.node[index].op_type not in KNOWN or body.node[index].domain or len(chosen) >= NODES:
            return None
        chosen.add(index)
        waiting += body.node[index].input
    return [body.node[index] for index in sorted(chosen)], carried
