"""Bytes of values whose sizes nobody knows one by one, and whose sum everybody does.

The body of a loop writes an element of a list as what is before it, the element, and what is after it: each run has
other sizes, and all have the same sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from inspector.ir import Node


def shares(nodes: Iterable[Node], joins: Callable[[Node], bool], exact: Callable[[str], int | None]) -> dict[str, int]:
    """Bytes of parts of open sizes whose whole is known, shared among them.

    Args:
        nodes: Of one graph.
        joins: Whether a node puts its inputs together.
        exact: Bytes of a value or a tensor without open sizes; None for any other.
    """
    found: dict[str, int] = {}
    for node in nodes:
        if len(node.inputs) < 3 or not node.outputs or not joins(node):
            continue
        whole, numbers = exact(node.outputs[0]), [exact(name) for name in node.inputs]
        loose = [name for name, number in zip(node.inputs, numbers, strict=True) if number is None]
        if whole is None or not loose or len(set(loose)) != len(loose):
            continue
        rest = max(0, whole - sum(number or 0 for number in numbers))
        found.update({name: rest // len(loose) for name in loose[1:]})
        found[loose[0]] = rest - rest // len(loose) * (len(loose) - 1)
    return found
