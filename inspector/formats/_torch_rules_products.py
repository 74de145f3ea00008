"""Shapes of torch's products of tensors along several axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inspector.formats._rules import named
from inspector.formats._torch_facts import Fact, MisfitError, Step, axis, broadcast, promote
from inspector.formats._torch_moves import tensors
from inspector.formats._torch_sizes import product
from inspector.ir import Dim, Shape

Rule = Callable[[Step], Any]


def _einsum(step: Step) -> Fact:
    equation = step.attribute("equation")
    facts = tensors(step)
    dtype = promote(*facts)
    if not isinstance(equation, str) or len(equation) > 500:
        return Fact(dtype)
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(facts) or any(fact.shape is None for fact in facts):
        return Fact(dtype)
    sizes: dict[str, Dim] = {}
    spread: list[Shape] = []
    for term, fact in zip(terms, facts, strict=True):
        head, dots, tail = term.partition("...")
        shape = fact.shape or ()
        count = len(shape) - len(head) - len(tail)
        if count < 0 or (count and not dots):
            raise MisfitError(f"takes {len(head) + len(tail)} dimensions and would get {len(shape)}")
        spread += [shape[len(head) : len(head) + count]] if dots else []
        for label, size in zip(head + tail, (*shape[: len(head)], *shape[len(head) + count :]), strict=True):
            sizes[label] = size if sizes.get(label) in (None, 1) else sizes[label]
    middle = broadcast(*spread) if spread else ()
    if not arrow:
        once = sorted(label for label in sizes if left.count(label) == 1)
        right = "..." * bool(spread) + "".join(once)
    head, dots, tail = right.partition("...")
    return Fact(dtype, (*map(sizes.get, head), *((middle or ()) if dots else ()), *map(sizes.get, tail)))


def _outer(step: Step) -> Fact:
    a, b = step.shape(0), step.shape(1)
    return Fact(promote(step.at(0), step.at(1)), (a[0], b[0]) if a and b else None)


def _tensordot(step: Step) -> Fact:
    """What is not summed over, first of one and then of the other."""
    a, b = step.shape(0), step.shape(1)
    if a is None or b is None:
        return Fact(step.at(0).dtype)
    drops = []
    for name, shape in (("dims_self", a), ("dims_other", b)):
        axes = step.attribute(name)
        if not isinstance(axes, tuple):
            return Fact(step.at(0).dtype)
        drops.append({axis(at, len(shape)) for at in axes})
    kept = [size for shape, drop in zip((a, b), drops, strict=True) for at, size in enumerate(shape) if at not in drop]
    return Fact(promote(step.at(0), step.at(1)), tuple(kept))


def _chain(step: Step) -> Fact:
    """Matrices multiplied; a vector at an end leaves no dimension there."""
    shapes = [fact.shape for fact in tensors(step)]
    if len(shapes) < 2 or shapes[0] is None or shapes[-1] is None:
        return Fact(step.at(0).dtype)
    return Fact(step.at(0).dtype, (*shapes[0][:-1], *shapes[-1][1:]))


def _kron(step: Step) -> Fact:
    a, b = step.shape(0), step.shape(1)
    if a is None or b is None:
        return Fact(step.at(0).dtype)
    rank = max(len(a), len(b))
    pairs = zip((1,) * (rank - len(a)) + tuple(a), (1,) * (rank - len(b)) + tuple(b), strict=True)
    return Fact(step.at(0).dtype, tuple(product(pair) for pair in pairs))


def _bilinear(step: Step) -> Fact:
    x, weight = step.shape(0), step.shape(2)
    return Fact(step.at(0).dtype, (*x[:-1], weight[0]) if x and weight else None)


PRODUCTS: dict[str, Rule] = {
    "einsum": _einsum,
    "outer": _outer,
    "kron": _kron,
    "tensordot": _tensordot,
    "bilinear": _bilinear,
    **named(_chain, "linalg_multi_dot chain_matmul"),
}
