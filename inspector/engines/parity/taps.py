"""The values inside a model that are worth comparing: what its main graph computes from its inputs.

What depends on no input is a constant, and what nobody uses is a by-product (the mask of a dropout, the statistics of
a normalisation); neither can be where two models part.
"""

from __future__ import annotations

import msgspec

from inspector.ir import Graph, Model


class Tap(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A value inside a model.

    Attributes:
        value: Its name. node: the node that gives it. op: what that does.
        module: Path of the module that the node belongs to; empty where the file does not say.
        inputs: Values it is computed from, without weights.
        file: The .npy file it was written to; empty where it was not.
    """

    value: str
    node: str
    op: str
    module: str = ""
    inputs: tuple[str, ...] = ()
    file: str = ""


def taps(model: Model) -> tuple[Tap, ...]:
    """The values of the main graph that depend on its inputs and are used, in topological order."""
    graph = model.main
    if graph is None:
        return ()
    flowing = {value.name for value in graph.inputs}
    used = _used(graph)
    found: list[Tap] = []
    for node in graph.nodes:
        inputs = tuple(dict.fromkeys(name for name in node.inputs if name in flowing))
        if not inputs and not node.graphs:  # what a branch or a loop takes from around it is not among its inputs
            continue
        flowing.update(filter(None, node.outputs))
        found += [
            Tap(value=name, node=node.name, op=node.op, module=node.module, inputs=inputs)
            for name in node.outputs
            if name in used
        ]
    return tuple(found)


def _used(graph: Graph) -> set[str]:
    used = {name for node in graph.nodes for name in node.inputs if name}
    return used | {value.name for value in graph.outputs}
