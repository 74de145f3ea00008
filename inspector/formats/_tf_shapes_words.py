"""From values of a drawn TensorFlow graph to facts about them, and back."""

from __future__ import annotations

from dataclasses import replace

from inspector.formats._tf_outputs import place
from inspector.formats._tf_shapes_dims import LARGEST, PRIVATE, Fact
from inspector.ir import Dim, Graph, Node, Shape, Value

BATCH = "batch"
"""What stands for the open first size of the inputs; where it comes first it is shown as the file writes it."""
UNKNOWN = "?"
"""A first size that is open and not the batch."""
RENAMED = "output names"
"""Attribute of a node whose outputs are shown under other names: their own, in the same order."""


def position(node: Node, name: str) -> int:
    """Which of a node's outputs a value is."""
    own = node.attributes.get(RENAMED)
    if isinstance(own, tuple) and name in node.outputs:
        at = node.outputs.index(name)
        name = str(own[at]) if at < len(own) else name
    if not name.startswith(f"{node.name}:"):
        return 0
    *words, number = name[len(node.name) + 1 :].rsplit(":", 1)
    at = int(number) if number.isdecimal() and len(number) < 9 else 0
    return place(node.op, words[0], at) if words else at


def shown(fact: Fact, value: Value | None) -> Fact:
    """A fact together with what the file says of the value; the file is right where they differ."""
    if value is None or fact.dtype == "resource":  # of a handle, the file says what it will give
        return fact
    dtype = fact.dtype or value.dtype
    if value.shape is None or value.shape == fact.shape:
        return fact if dtype == fact.dtype else replace(fact, dtype=dtype)
    shape: Shape = tuple(size if isinstance(size, int) else None for size in value.shape)  # names are of our own making
    if fact.shape is not None and len(fact.shape) == len(shape):
        shape = tuple(b if a is None else a for a, b in zip(shape, fact.shape, strict=True))
    return replace(fact, dtype=dtype, shape=shape, value=fact.value if shape == fact.shape else None)


def told(graph: Graph, inputs: tuple[Value, ...], facts: dict[str, Fact] | None) -> Graph:
    """The graph with what was found out."""
    if facts is None:
        return graph
    values = dict(graph.values)
    plain: dict[Shape | None, Shape | None] = {}
    for node in graph.nodes:
        for name in node.outputs:
            fact = facts.get(name)
            if fact is not None and (fact.dtype or fact.shape is not None):
                old = values.get(name) or Value(name)
                if fact.shape not in plain:
                    plain[fact.shape] = _plain(fact.shape, UNKNOWN)
                values[name] = Value(name, fact.dtype or old.dtype, plain[fact.shape], old.doc)
    made = {name for node in graph.nodes for name in node.outputs}
    known = {value.name: value for value in inputs}
    values.update(known)
    outputs = []
    for value in graph.outputs:
        fact = facts.get(value.name)
        found = known.get(value.name, value)
        if value.name in made and fact is not None and fact.shape is not None:
            found = replace(value, dtype=fact.dtype or value.dtype, shape=_plain(fact.shape, None))
            values[value.name] = found
        outputs.append(found)
    return replace(graph, inputs=inputs, outputs=tuple(outputs), values=values)


def _plain(shape: Shape | None, unknown: Dim) -> Shape | None:
    """A shape as it is shown."""
    if shape is None:
        return None
    sizes: list[Dim] = []
    for at, size in enumerate(shape):
        open_name = isinstance(size, str) and PRIVATE in size
        if (isinstance(size, int) and not 0 <= size < LARGEST) or open_name or size is None:
            sizes.append(None if at else unknown)
        else:
            sizes.append(None if size == BATCH and not at else size)
    return tuple(sizes)
