"""Sizes that may be open, and what is known of a value, while shapes of a TensorFlow graph are worked out.

An open size of an input gets a name, so that what is made of it is still known: `batch`, or a private name where the
file has none to show. A product of one is written as `196*batch`. Where a result is open in a new way it gets a new
private name, and two values that have the same name have the same size.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.ir import Dim, Node, Shape

PRIVATE = "_open_"
LARGEST = 1 << 62
FOLDED = 1 << 16
"""Values of more elements than this are not worked out."""

_PRODUCT = re.compile(r"[A-Za-z0-9_]+(\*[A-Za-z0-9_]+)*")

Element = int | float | str | None
"""A number, a size that has a name, or something unknown."""


class MisfitError(Exception):
    """Shapes that an operator cannot take."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of a value.

    Attributes:
        dtype: Empty where it is not known.
        shape: None where not even the rank is known.
        value: Its elements, row by row, where they are known or some of them; its shape is then known in numbers.
        inner: What is known of an element, where the value is a list of tensors.
        count: Number of elements of the list.
        fresh: Nothing has been put into the list yet.
    """

    dtype: str = ""
    shape: Shape | None = None
    value: tuple[Element, ...] | None = None
    inner: Fact | None = None
    count: Dim = None
    fresh: bool = False

    @property
    def array(self) -> NDArray[Any] | None:
        """The value as an array of objects; None where nothing is known of it."""
        if self.value is None or self.shape is None:
            return None
        made = np.empty(len(self.value), object)
        made[:] = self.value
        return made.reshape([size for size in self.shape if isinstance(size, int)])

    @property
    def number(self) -> Element:
        """The value of a scalar."""
        return self.value[0] if self.value and len(self.value) == 1 else None

    @property
    def sizes(self) -> tuple[Dim, ...] | None:
        """The value of a vector of sizes; None where not even its length is known."""
        if self.shape is None or len(self.shape) != 1 or not isinstance(self.shape[0], int) or self.shape[0] > 64:
            return None
        if self.value is None:
            return (None,) * self.shape[0]
        return tuple(size if isinstance(size, int | str) else None for size in self.value)


NOTHING = Fact()


def valued(dtype: str, array: NDArray[Any]) -> Fact:
    """A fact whose value is known."""
    shape = tuple(int(size) for size in array.shape)
    if array.size > FOLDED:
        return Fact(dtype, shape)
    flat = tuple(_bounded(item, dtype) for item in array.reshape(-1).tolist())
    return Fact(dtype, shape, flat if any(item is not None for item in flat) or not flat else None)


def _bounded(item: Any, dtype: str) -> Element:
    """An element as the dtype has it; unknown where it would overflow."""
    if isinstance(item, bool | int):
        return int(item) if abs(item) < (1 << 31 if dtype == "int32" else LARGEST) else None
    if isinstance(item, float):
        return (
            float(np.float32(item)) if dtype == "float32" and abs(item) < 1e38 else item if dtype == "float64" else None
        )
    return item if isinstance(item, str) else None


@dataclass(frozen=True, slots=True)
class Step:
    """A node with what is known of its inputs."""

    node: Node
    ins: list[Fact]

    def at(self, index: int) -> Fact:
        """An input, or nothing known."""
        return self.ins[index] if -len(self.ins) <= index < len(self.ins) else NOTHING

    def shape(self, index: int = 0) -> Shape | None:
        """Shape of an input."""
        return self.at(index).shape

    @property
    def dtype(self) -> str:
        """dtype of the first input."""
        return self.at(0).dtype

    def text(self, name: str, default: str = "") -> str:
        """An attribute that is a word."""
        value = self.node.attributes.get(name)
        return value if isinstance(value, str) and value else default

    def flag(self, name: str) -> bool:
        """An attribute that is yes or no."""
        return self.node.attributes.get(name) is True

    def integer(self, name: str, default: int = 0) -> int:
        """An attribute that is a number."""
        value = self.node.attributes.get(name)
        return value if isinstance(value, int) else default

    def integers(self, name: str) -> tuple[int, ...]:
        """An attribute that is a list of numbers."""
        value = self.node.attributes.get(name)
        return tuple(item for item in value if isinstance(item, int)) if isinstance(value, tuple) else ()

    def shaped(self, name: str) -> Shape | None:
        """An attribute that is a shape; None where it is none."""
        value = self.node.attributes.get(name)
        if not isinstance(value, tuple):
            return None
        return tuple(item if isinstance(item, int) else None for item in value)


def _monomial(size: Dim) -> tuple[int, tuple[str, ...]] | None:
    """A size as a number times names; None where it is neither."""
    if isinstance(size, int):
        return size, ()
    if not isinstance(size, str) or not _PRODUCT.fullmatch(size):
        return (1, (size,)) if isinstance(size, str) and "*" not in size else None
    number, names = 1, []
    for part in size.split("*"):
        if part.isdecimal() and len(part) < 20:
            number *= int(part)
        else:
            names.append(part)
    return number, tuple(sorted(names))


def _written(number: int, names: Sequence[str]) -> Dim:
    if number >= LARGEST or len(names) > 8:
        return None
    if not names or not number:
        return number
    return "*".join(([str(number)] if number != 1 else []) + list(names))


def times(*sizes: Dim) -> Dim:
    """The product of sizes."""
    if any(size == 0 for size in sizes):
        return 0
    number = 1
    names: list[str] = []
    for size in sizes:
        parts = _monomial(size)
        if parts is None or number >= LARGEST:
            return None
        number *= parts[0]
        names += parts[1]
    return _written(number, sorted(names))


def over(size: Dim, by: Dim) -> Dim:
    """A size divided by another, where that leaves no rest."""
    upper, lower = _monomial(size), _monomial(by)
    if upper is None or lower is None or not lower[0] or upper[0] % lower[0]:
        return None
    names = list(upper[1])
    for name in lower[1]:
        if name not in names:
            return None
        names.remove(name)
    return _written(upper[0] // lower[0], names)


def plus(first: Dim, second: Dim) -> Dim:
    """The sum of two sizes."""
    a, b = _monomial(first), _monomial(second)
    if first == 0 or second == 0:
        return second if first == 0 else first
    return _written(a[0] + b[0], a[1]) if a is not None and b is not None and a[1] == b[1] else None


def total(sizes: Iterable[Dim]) -> Dim:
    """The sum of sizes."""
    found: Dim = 0
    for size in sizes:
        found = plus(found, size)
    return found


def same(first: Dim, second: Dim) -> Dim:
    """A size of two that must be equal: the one that says more."""
    if first is None or second is None:
        return second if first is None else first
    if isinstance(first, int) and isinstance(second, int) and first != second:
        raise MisfitError(f"would get sizes {first} and {second} where they must be the same")
    return first if isinstance(first, int) or not isinstance(second, int) else second


def axis(number: Any, rank: int) -> int | None:
    """A dimension counted from the front; None where it is not known."""
    if not isinstance(number, int) or not -rank <= number < rank:
        return None
    return number % rank


def broadcast(*shapes: Shape | None) -> Shape | None:
    """The shape of an elementwise operation."""
    known = [shape for shape in shapes if shape is not None]
    if len(known) != len(shapes) or not known:
        return None
    if all(shape == known[0] for shape in known[1:]):
        return known[0]
    rank = max(map(len, known))
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in known]
    return tuple(_meet(sizes) for sizes in zip(*padded, strict=True))


def _meet(sizes: Sequence[Dim]) -> Dim:
    others = list(dict.fromkeys(size for size in sizes if size != 1))
    numbers = [size for size in others if isinstance(size, int)]
    if len(numbers) > 1:
        raise MisfitError(f"would get sizes {numbers[0]} and {numbers[1]} where they must be the same")
    return 1 if not others else others[0] if len(others) == 1 else numbers[0] if numbers else None


def fill(sizes: Sequence[Dim], old: Shape | None) -> Shape:
    """A new shape with its -1, or the one size that is not known, worked out from the old one."""
    open_places = [at for at, size in enumerate(sizes) if size == -1 or size is None]
    asked = [at for at in open_places if sizes[at] == -1]
    found = [None if size == -1 else size for size in sizes]
    if old is None or len(open_places) != 1:
        if not open_places and old is not None:
            _fits(times(*sizes), times(*old))
        return tuple(found)
    rest = times(*(size for at, size in enumerate(sizes) if at != open_places[0]))
    whole = times(*old)
    if asked and isinstance(rest, int) and isinstance(whole, int) and rest and whole % rest:
        raise MisfitError(f"cannot arrange {whole:,} elements in rows of {rest:,}")
    found[open_places[0]] = over(whole, rest) if rest != 0 else None
    return tuple(found)


def _fits(first: Dim, second: Dim) -> None:
    if isinstance(first, int) and isinstance(second, int) and first != second:
        raise MisfitError(f"cannot arrange {second:,} elements as {first:,}")
