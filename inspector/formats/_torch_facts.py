"""What is known of a value while shapes are worked out, and shapes that follow from others whatever the operator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from inspector.formats._torch_sizes import part_of, product
from inspector.ir import Dim, Node, Shape
from inspector.ir.model import BITS


class _Unset:
    """No value is known."""


UNSET = _Unset()


class MisfitError(Exception):
    """Shapes that an operator cannot take."""


RANK = (
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
)
"""dtypes in the order in which a mixed operation promotes."""
REALS = frozenset(RANK[6:10])
WHOLE = frozenset({*RANK[:6], "uint16", "uint32", "uint64"})


@dataclass(frozen=True, slots=True)
class Fact:
    """A value: a tensor's dtype and shape, or a number, or a list of facts."""

    dtype: str = ""
    shape: Shape | None = None
    value: Any = UNSET
    parts: tuple[Fact, ...] = ()

    @property
    def known(self) -> bool:
        """Whether its very value is known."""
        return not isinstance(self.value, _Unset)


NOTHING = Fact()


@dataclass(frozen=True, slots=True)
class Step:
    """A node with what is known of its inputs.

    Attributes:
        ins: One fact an input; None where an optional input is left out.
        look: Facts of other values, by name, for numbers that attributes refer to.
    """

    node: Node
    ins: list[Fact | None]
    look: Callable[[str], Fact]
    notes: dict[str, Any] = field(default_factory=dict)

    def at(self, index: int) -> Fact:
        """An input, or nothing known."""
        found = self.ins[index] if index < len(self.ins) else None
        return found or NOTHING

    def shape(self, index: int = 0) -> Shape | None:
        """Shape of an input."""
        return self.at(index).shape

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute as it stands."""
        return self.node.attributes.get(name, default)

    def number(self, name: str, default: Any = None) -> Any:
        """A numeric attribute; a reference to a value is looked up; None where it is not known."""
        value = self.node.attributes.get(name, default)
        return self._resolve(value)

    def dtype(self) -> str:
        """The dtype that the node is told to give: itself, or that of another value; empty where none is known."""
        said = self.node.attributes.get("dtype")
        if not isinstance(said, str):
            return ""
        return said if said in BITS else self.look(said).dtype

    def numbers(self, name: str, count: int, default: int | None = None) -> list[Any]:
        """A list of numbers; one number stands for all."""
        value = self.node.attributes.get(name)
        if value is None or value == ():
            return [default] * count
        items = list(value) if isinstance(value, tuple) else [value]
        found = [self._resolve(item) for item in items]
        return found * count if len(found) == 1 else found

    def _resolve(self, item: Any) -> Any:
        return _size(self.look(item)) if isinstance(item, str) else item

    def sizes(self, name: str) -> list[Any] | None:
        """A shape given as an attribute, or as the last inputs; None where not even the rank is known."""
        value = self.node.attributes.get(name)
        if isinstance(value, tuple):
            return [self._resolve(item) for item in value]
        later = [fact for fact in self.ins[1:] if fact]
        if len(later) == 1 and isinstance(later[0].value, tuple):
            return list(later[0].value)
        if len(later) == 1 and later[0].shape != ():  # a list of nobody knows how many
            return None
        return [_size(fact) for fact in later] if later else None


def _size(fact: Fact) -> Dim:
    """A size that is known: a number or a name."""
    return fact.value if isinstance(fact.value, int | str) else None


def fill(sizes: Sequence[Dim], old: Shape) -> tuple[Dim, ...]:
    """A new shape with its -1 worked out from the old one; names that stand on both sides cancel."""
    given = [size for size in sizes if size != -1]
    if len(given) == len(sizes):
        return tuple(sizes)
    left = list(old)
    for size in given:
        if isinstance(size, str) and size in left:
            left.remove(size)
    rest = [size for size in given if not isinstance(size, str) or size not in old]
    total, part = product(left), product(rest)
    missing = total if part == 1 else part_of(total, part)
    return tuple(missing if size == -1 else size for size in sizes)


def broadcast(*shapes: Shape | None) -> Shape | None:
    """The shape of an elementwise operation."""
    known = [shape for shape in shapes if shape is not None]
    if len(known) != len(shapes) or not known:
        return None
    rank = max(map(len, known))
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in known]
    return tuple(_meet(sizes) for sizes in zip(*padded, strict=True))


def _meet(sizes: Sequence[Dim]) -> Dim:
    others = list(dict.fromkeys(size for size in sizes if size != 1))
    if not others:
        return 1
    if len(others) == 1:
        return others[0]
    return next((size for size in others if isinstance(size, int)), None)


def promote(*facts: Fact) -> str:
    """dtype of a mixed operation; numbers of the program do not widen tensors, but make integers real."""
    dtypes = [fact.dtype for fact in facts if fact.dtype and fact.shape != ()] or [
        fact.dtype for fact in facts if fact.dtype
    ]
    numbers = {fact.dtype for fact in facts if fact.shape == () and fact.dtype in REALS}
    if numbers and all(dtype in WHOLE for dtype in dtypes):
        return "float32" if numbers & {"float32", "float64"} else max(numbers, key=RANK.index)
    ranked = [dtype for dtype in dtypes if dtype in RANK]
    return max(ranked, key=RANK.index) if ranked and len(ranked) == len(dtypes) else (dtypes[0] if dtypes else "")


def axis(number: Any, rank: int) -> int | None:
    """A dimension counted from the front."""
    if not isinstance(number, int) or not -rank <= number < rank:
        return None
    return number % rank if rank else None
