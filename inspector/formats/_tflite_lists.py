"""Lists of tensors in TensorFlow Lite, which are one tensor with an element in each row.

Writing an element is put together of what lies before it, the element, and what lies after it: sizes that change in
every run of a loop, while the list keeps its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from inspector.ir import Attribute, Graph, Model, Node


def written(model: Model) -> dict[str, str]:
    """The list that each of these values is, with one element written: a name of the list by a name of the value."""
    found: dict[str, str] = {}
    for graph in model.graphs:
        if not any(node.op == "SLICE" for node in graph.nodes):
            continue
        makers = {name: node for node in graph.nodes for name in node.outputs}
        more = set(_followers(model, graph))
        for node in graph.nodes:
            if node.op == "CONCATENATION" and len(node.inputs) == 3 and node.outputs:
                whole = _list(model, graph, makers, more, node)
                found.update({node.outputs[0]: whole} if whole else {})
    return found


def _list(model: Model, graph: Graph, makers: dict[str, Node], more: set[tuple[str, str]], node: Node) -> str:
    """What a concatenation writes an element into; empty where it is another one."""
    before, after = makers.get(node.inputs[0]), makers.get(node.inputs[2])
    element = graph.values.get(node.inputs[1])
    cuts = [cut for cut in (before, after) if cut is not None and cut.op == "SLICE" and len(cut.inputs) == 3]
    if len(cuts) < 2 or cuts[0].inputs[0] != cuts[1].inputs[0] or node.attributes.get("Axis") != 0:
        return ""
    if element is None or not element.shape or element.shape[0] != 1:
        return ""
    starts, sizes = _numbers(model, cuts[0].inputs[1]), _numbers(model, cuts[1].inputs[2])
    if not starts or any(starts) or not sizes or set(sizes) != {-1}:
        return ""
    place, follower = (_first(model, makers, name) for name in (cuts[0].inputs[2], cuts[1].inputs[1]))
    return cuts[0].inputs[0] if (place, follower) in more else ""


def _first(model: Model, makers: dict[str, Node], name: str) -> str:
    """The number that the first size or start is made of, where the others are constants."""
    node = makers.get(name)
    if node is None or node.op != "CONCATENATION" or len(node.inputs) != 2 or _numbers(model, node.inputs[1]) is None:
        return ""
    return _bare(makers, node.inputs[0])


def _bare(makers: dict[str, Node], name: str) -> str:
    node = makers.get(name)
    return node.inputs[0] if node is not None and node.op in {"RESHAPE", "EXPAND_DIMS"} and node.inputs else name


def _followers(model: Model, graph: Graph) -> Iterator[tuple[str, str]]:
    """Numbers, and values that are one more than they."""
    for node in graph.nodes:
        if node.op == "ADD" and len(node.inputs) == 2 and node.outputs:
            one, two = node.inputs
            if _numbers(model, two) == (1,):
                yield one, node.outputs[0]
            if _numbers(model, one) == (1,):
                yield two, node.outputs[0]


def _numbers(model: Model, name: str) -> tuple[Attribute, ...] | None:
    tensor = model.tensors.get(name)
    found = None if tensor is None else tensor.place.layout.get("numbers")
    return found if isinstance(found, tuple) else None
