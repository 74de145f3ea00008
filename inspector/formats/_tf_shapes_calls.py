"""What goes into functions and loops of a TensorFlow graph, and what comes out of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from inspector.formats._tf_shapes_dims import PRIVATE, Fact
from inspector.ir import Dim, Graph, Node, Shape, Tensor


def called(
    graph: Graph, node: Node, ins: list[Fact], tensors: Mapping[str, Tensor], body: Graph | None = None
) -> list[int] | None:
    """Which inputs of a call are the inputs of the function's graph; None where that cannot be told.

    A graph has no inputs for variables and tables, which are the same wherever it is called, and no branch has one for
    the condition. A loop's body says which variables it only begins with: what it gives is another value.
    """
    first = 1 if node.op in ("If", "StatelessIf", "Case", "StatelessCase") else 0
    every = range(first, len(ins))
    kept = [at for at in every if ins[at].dtype != "resource"]
    moving = [at for at in kept if node.inputs[at] not in tensors or not tensors[node.inputs[at]].place.file]
    ends = [value.name for value in body.outputs] if body is not None and len(body.outputs) == len(ins) else node.inputs
    still = set(moving)
    begun = [at for at in every if at in still or ends[at] != node.inputs[at]]
    for places in (list(every), kept, moving, begun):
        if len(places) == len(graph.inputs) and all(
            not value.dtype or not ins[at].dtype or value.dtype == ins[at].dtype
            for at, value in zip(places, graph.inputs, strict=True)
        ):
            return places
    return None


def meet(a: Fact, b: Fact) -> Fact:
    """What is true of two values."""
    if a == b:
        return a
    shape = _common(a.shape, b.shape)
    value = None
    if a.value is not None and b.value is not None and a.shape == b.shape and len(a.value) == len(b.value):
        value = tuple(x if x == y else None for x, y in zip(a.value, b.value, strict=True))
    inner = meet(a.inner, b.inner) if a.inner is not None and b.inner is not None else None
    if a.fresh != b.fresh:
        inner = b.inner if a.fresh else a.inner
    return Fact(
        a.dtype if a.dtype == b.dtype else "",
        shape,
        value,
        inner,
        a.count if a.count == b.count else None,
        a.fresh and b.fresh,
    )


def _common(a: Shape | None, b: Shape | None) -> Shape | None:
    if a is None or b is None or len(a) != len(b):
        return None
    return tuple(x if x == y else None for x, y in zip(a, b, strict=True))


def widened(facts: list[Fact]) -> Fact:
    """What is true of all values, whatever they are in the next turn."""
    found = facts[0]
    for fact in facts[1:]:
        found = meet(found, fact)
    return replace(found, value=None)


def kept(fact: Fact) -> list[str]:
    """Names of open sizes of a value."""
    found: list[str] = []
    for size in (*(fact.shape or ()), *(fact.value or ()), fact.count):
        if isinstance(size, str):
            found += size.split("*")
    return found + (kept(fact.inner) if fact.inner is not None else [])


def outside(fact: Fact, allowed: set[str]) -> Fact:
    """A function's result without the names that it made itself: in its next run they stand for other sizes."""

    def size(old: Dim) -> Dim:
        if not isinstance(old, str) or PRIVATE not in old:
            return old
        return old if all(part in allowed for part in old.split("*") if part.startswith(PRIVATE)) else None

    shape = None if fact.shape is None else tuple(map(size, fact.shape))
    value = None if fact.value is None else tuple(size(v) if isinstance(v, str) else v for v in fact.value)
    inner = None if fact.inner is None else outside(fact.inner, allowed)
    return Fact(fact.dtype, shape, value, inner, size(fact.count), fact.fresh)
