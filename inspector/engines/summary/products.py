"""Multiply-adds of products of tensors along several axes, from shapes in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isqrt, prod

Numbers = tuple[int, ...]
LONGEST = 64
"""Matrices of a chain; the best order of so many is found in a moment."""

MANY_POINTS = 25
"""From here on torch takes a product of matrices for distances (`torch.cdist`, `compute_mode`)."""


def power(shape: Numbers, times: int) -> int | None:
    """Squared as often as the exponent has binary digits, and multiplied for each that is set, as torch does."""
    steps = times.bit_length() + times.bit_count() - 2
    return prod(shape) * shape[-1] * max(0, steps) if times >= 0 else None


def distances(a: Numbers, b: Numbers, output: Numbers, kind: object, mode: object) -> int:
    """Euclidean ones of many points are a product of matrices in torch, with two more columns; others are sums."""
    many = mode == 1 or (mode == 0 and max(a[-2], b[-2]) > MANY_POINTS)
    return prod(output) * (a[-1] + 2) if many and kind == 2 else 0


def einsum(equation: str, shapes: Sequence[Numbers]) -> int | None:
    """Operands contracted from left to right, each step over the product of its labels.

    Raises:
        IndexError: A term has more labels than its operand dimensions.
    """
    left, _, result = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if not left or len(terms) != len(shapes):
        return None
    sizes: dict[str, int] = {}
    labels: list[str] = []
    for term, shape in zip(terms, shapes, strict=True):
        spelled = _spelled(term, len(shape))
        labels.append(spelled)
        for label, size in zip(spelled, shape, strict=True):
            sizes[label] = max(sizes.get(label, 1), size)
    ellipsis = "".join(label for label in sizes if label.isdigit())
    total, held = 0, set(labels[0])
    for step, label in enumerate(labels[1:], 1):
        held |= set(label)
        total += prod(sizes[each] for each in held)
        held &= set("".join(labels[step + 1 :]) + result.replace("...", ellipsis))
    return total


def _spelled(term: str, rank: int) -> str:
    """A term with its ellipsis written out as digits, counted from the right."""
    if "..." not in term:
        return term
    count = rank - len(term.replace("...", ""))
    if not 0 <= count <= 10:
        raise IndexError("An ellipsis over a negative number of dimensions.")
    return term.replace("...", "".join(str(place) for place in reversed(range(count))))


def tensordot(a: Numbers, b: Numbers, output: Numbers) -> int:
    """Any number of axes summed over: |a| · |b| = |output| · K², and K products make each element."""
    return isqrt(prod(a) * prod(b) * prod(output))


def chain(shapes: Sequence[Numbers]) -> int | None:
    """Matrices multiplied in the cheapest order, as `torch.linalg.multi_dot` does; vectors only at the ends.

    The order is found as in Cormen et al., Introduction to Algorithms, 15.2.
    """
    if not 2 <= len(shapes) <= LONGEST or not all(1 <= len(shape) <= 2 for shape in shapes):
        return None
    first, last = shapes[0], shapes[-1]
    matrices = [(1, *first) if len(first) == 1 else first, *shapes[1:-1], (*last, 1) if len(last) == 1 else last]
    if any(a[-1] != b[0] for a, b in pairwise(matrices)):
        return None
    sizes = [matrices[0][0], *(matrix[1] for matrix in matrices)]
    best = {(at, at): 0 for at in range(len(matrices))}
    for length in range(1, len(matrices)):
        for low in range(len(matrices) - length):
            high = low + length
            best[low, high] = min(
                best[low, cut] + best[cut + 1, high] + sizes[low] * sizes[cut + 1] * sizes[high + 1]
                for cut in range(low, high)
            )
    return best[0, len(matrices) - 1]
