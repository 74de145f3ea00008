"""What small ONNX values are: the chains of nodes that work out sizes at run time, worked out without running them.

Elements are numbers, sizes that depend on names, or unknown (None), in arrays of objects. A rule gives the values of
a node's outputs from those of its inputs. Operators: https://onnx.ai/onnx/operators.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.formats import _onnx_sizes as sizes
from inspector.formats._onnx_sizes import Open, Size
from inspector.ir import Shape

MOST = 256
"""Values of more elements are not worked out."""

INTEGERS = {
    2: (0, (1 << 8) - 1),
    3: (-(1 << 7), (1 << 7) - 1),
    4: (0, (1 << 16) - 1),
    5: (-(1 << 15), (1 << 15) - 1),
    6: (-(1 << 31), (1 << 31) - 1),
    7: (-(1 << 63), (1 << 63) - 1),
    9: (0, 1),
    12: (0, (1 << 32) - 1),
    13: (0, (1 << 64) - 1),
}
"""The least and the largest number of each element type of TensorProto that is whole."""

FLOAT, INT64, DOUBLE = 1, 7, 11
KINDS = frozenset({*INTEGERS, FLOAT, DOUBLE})

Array = NDArray[Any]
Element = Size | float | None


@dataclass(frozen=True, slots=True)
class Call:
    """A node with what is known of its inputs.

    Attributes:
        node: The NodeProto.
        values: Of its inputs; None where nothing is known.
        shapes: Of its inputs.
        kind: Element type of its first output, as a number of TensorProto.DataType; 0 where it is not known.
    """

    node: Any
    values: list[Array | None]
    shapes: list[Shape | None]
    kind: int

    def value(self, index: int) -> Array | None:
        """An input's value."""
        return self.values[index] if index < len(self.values) else None

    def shape(self, index: int = 0) -> Shape | None:
        """An input's shape."""
        return self.shapes[index] if index < len(self.shapes) else None

    def given(self, index: int) -> bool:
        """Whether there is such an input."""
        return index < len(self.node.input) and self.node.input[index] != ""

    def integer(self, name: str, default: int) -> int:
        """An attribute that is a number."""
        return next((int(item.i) for item in self.node.attribute if item.name == name), default)

    def integers(self, name: str) -> list[int] | None:
        """An attribute that is a list of numbers; None where it is not there."""
        return next((list(item.ints[: MOST + 1]) for item in self.node.attribute if item.name == name), None)

    def numbers(self, index: int, name: str) -> list[int] | None:
        """Whole numbers that newer operators take as an input and older ones as an attribute; None where unknown."""
        if not self.given(index):
            return self.integers(name)
        value = self.value(index)
        items = [] if value is None else value.reshape(-1).tolist()
        return items if value is not None and all(type(item) is int for item in items) else None


Rule = Callable[[Call], Array | None]


def array(elements: list[Element], shape: tuple[int, ...] | None = None) -> Array:
    """Elements as an array of objects."""
    made = np.empty(len(elements), object)
    made[:] = elements
    return made if shape is None else made.reshape(shape)


def exact(element: Any, kind: int) -> Element:
    """An element as its type holds it; unknown where it would overflow."""
    if element is None or isinstance(element, Open):
        return element
    if kind in INTEGERS:
        low, high = INTEGERS[kind]
        return int(element) if low <= element <= high else None
    if kind == FLOAT:
        return float(np.float32(element)) if abs(element) < 1e38 else None
    return float(element) if kind == DOUBLE else None


def _each(function: Callable[..., Element]) -> Rule:
    """A rule that works on elements that stand at the same place; what depends on an unknown one is unknown."""

    def rule(call: Call) -> Array | None:
        values = [value for value in call.values if value is not None]
        if not values or len(values) < len(call.values):
            return None
        parts = np.broadcast_arrays(*values)
        if parts[0].size > MOST:
            return None
        found = []
        for items in zip(*(part.reshape(-1).tolist() for part in parts), strict=True):
            known = None if any(item is None for item in items) else function(*items)
            found.append(exact(known, call.kind))
        return array(found, parts[0].shape)

    return rule


def _folded(function: Callable[[Any, Any], Element]) -> Callable[..., Any]:
    """A function of any number of elements made from one of two."""

    def fold(*items: Any) -> Any:
        result: Any = items[0]
        for item in items[1:]:
            result = None if result is None else function(result, item)
        return result

    return fold


def _exactly(whole: Callable[[Size, Size], Size | None], real: Callable[[float, float], float]) -> Callable[..., Any]:
    """Sizes are combined exactly, fractions as they are; an open size and a fraction give nothing known."""

    def combine(a: Any, b: Any) -> Any:
        if isinstance(a, float) or isinstance(b, float):
            if isinstance(a, Open) or isinstance(b, Open):
                return whole(_whole(a), _whole(b)) if _whole(a) is not None and _whole(b) is not None else None
            return real(a, b)
        return whole(a, b)

    return combine


def _whole(element: Any) -> Any:
    """An element that is no fraction, as a size."""
    if isinstance(element, float):
        return int(element) if element.is_integer() and abs(element) < 1 << 24 else None
    return element


def _divided(a: Any, b: Any) -> Any:
    if b == 0:
        return None
    if isinstance(a, Open) or isinstance(b, Open):
        a, b = _whole(a), _whole(b)
        return None if a is None or b is None else sizes.over(a, b)
    if isinstance(a, float) or isinstance(b, float):
        return float(a / b)
    quotient = abs(a) // abs(b)  # ONNX rounds towards zero
    return int(quotient if (a < 0) == (b < 0) else -quotient)


def _modulo(call: Call) -> Array | None:
    fmod = call.integer("fmod", 0)

    def rest(a: Any, b: Any) -> Any:
        if a == -1 and isinstance(b, Open) and not fmod:  # the last place, of a size that is not nothing
            return sizes.minus(b, 1)
        if isinstance(a, Open) or isinstance(b, Open):
            return 0 if sizes.over(a, b) is not None else None
        if not b or isinstance(a, float) or isinstance(b, float):
            return None
        return int(math.fmod(a, b)) if fmod else a % b

    return _each(rest)(call)


def _least(a: Any, b: Any) -> Any:
    if isinstance(a, Open) or isinstance(b, Open):
        return sizes.smaller(a, b) if not isinstance(a, float) and not isinstance(b, float) else None
    return min(a, b)


def _most(a: Any, b: Any) -> Any:
    if isinstance(a, Open) or isinstance(b, Open):
        if isinstance(a, float) or isinstance(b, float):
            return None
        low = sizes.smaller(a, b)
        return None if low is None else b if low is a else a
    return max(a, b)


def _sign(a: Any, b: Any) -> int | None:
    """Whether a is larger (1), smaller (-1) or the same; None where that depends on a name."""
    if isinstance(a, Open) or isinstance(b, Open):
        a, b = _whole(a), _whole(b)
        return None if a is None or b is None else sizes.certain(sizes.minus(a, b))
    return int(a > b) - int(a < b)


def _never_less(a: Any, b: Any) -> bool:
    a, b = _whole(a), _whole(b)
    return a is not None and b is not None and sizes.never_negative(sizes.minus(a, b))


def _equal(a: Any, b: Any) -> Element:
    sign = _sign(a, b)
    return None if sign is None else int(sign == 0)


def _less(a: Any, b: Any) -> Element:
    sign = _sign(a, b)
    return (0 if _never_less(a, b) else None) if sign is None else int(sign < 0)


def _less_or_equal(a: Any, b: Any) -> Element:
    sign = _sign(a, b)
    return (1 if _never_less(b, a) else None) if sign is None else int(sign <= 0)


def _rounded(function: Callable[[float], float]) -> Callable[[Any], Element]:
    return lambda item: item if isinstance(item, Open | int) else float(function(item))


def _power(a: Any, b: Any) -> Element:
    if isinstance(a, Open) or isinstance(b, Open) or not 0 <= b <= 64 or abs(a) > 1 << 32:
        return None
    power: Element = a**b
    return power


def _cast(call: Call) -> Array | None:
    value = call.value(0)
    if value is None or call.kind not in KINDS:
        return None

    def one(item: Any) -> Element:
        if call.kind == 9:
            sign = _sign(item, 0)
            return None if sign is None else int(sign != 0)
        return exact(int(item) if isinstance(item, float) and call.kind in INTEGERS else item, call.kind)

    items = [None if item is None or item in (math.inf, -math.inf) else one(item) for item in value.reshape(-1)]
    return array(items, value.shape)


def _chosen(call: Call) -> Array | None:
    which = call.value(0)
    if which is None or any(len(shape or ()) > 8 for shape in call.shapes):
        return None
    known = [array([None], ()) if value is None else value for value in call.values[1:3]]
    if any(value is None and shape != () for value, shape in zip(call.values[1:], call.shapes[1:], strict=True)):
        return None
    which, first, second = np.broadcast_arrays(which, *known)
    if which.size > MOST:
        return None
    triples = zip(which.reshape(-1), first.reshape(-1), second.reshape(-1), strict=True)
    return array([(a if a == b else None) if c is None else a if c else b for c, a, b in triples], which.shape)


def _reduced(function: Callable[[Any, Any], Element], start: int | None) -> Rule:
    def rule(call: Call) -> Array | None:
        value = call.value(0)
        axes = call.numbers(1, "axes")
        if value is None or (axes is None and call.given(1)):
            return None
        if not axes:
            if axes is not None and call.integer("noop_with_empty_axes", 0):
                return value
            axes = list(range(value.ndim))
        axes = [axis % value.ndim for axis in axes]
        kept = [axis for axis in range(value.ndim) if axis not in axes]
        rows = value.transpose([*kept, *axes]).reshape([math.prod([value.shape[axis] for axis in kept]), -1])
        if start is None and not rows.shape[1]:
            return None
        fold = _folded(function)
        found = []
        for row in rows.tolist():
            items = row if start is None else [start, *row]
            found.append(exact(None if any(item is None for item in items) else fold(*items), call.kind))
        keep = call.integer("keepdims", 1)
        shape = [1 if axis in axes else size for axis, size in enumerate(value.shape) if keep or axis not in axes]
        return array(found, tuple(shape))

    return rule


add, subtract = _exactly(sizes.plus, lambda a, b: a + b), _exactly(sizes.minus, lambda a, b: a - b)
multiply = _exactly(sizes.times, lambda a, b: a * b)

VALUES: dict[str, Rule] = {
    "Add": _each(add),
    "Sub": _each(subtract),
    "Mul": _each(multiply),
    "Div": _each(_divided),
    "Mod": _modulo,
    "Pow": _each(_power),
    "Neg": _each(lambda a: multiply(a, -1)),
    "Abs": _each(lambda a: a if sizes.never_negative(_whole(a)) else abs(a) if not isinstance(a, Open) else None),
    "Min": _each(_folded(_least)),
    "Max": _each(_folded(_most)),
    "Sum": _each(_folded(add)),
    "Floor": _each(_rounded(math.floor)),
    "Ceil": _each(_rounded(math.ceil)),
    "Round": _each(_rounded(round)),
    "Equal": _each(_equal),
    "Less": _each(_less),
    "Greater": _each(lambda a, b: _less(b, a)),
    "LessOrEqual": _each(_less_or_equal),
    "GreaterOrEqual": _each(lambda a, b: _less_or_equal(b, a)),
    "Not": _each(lambda a: int(not a)),
    "And": _each(lambda a, b: int(bool(a and b))),
    "Or": _each(lambda a, b: int(bool(a or b))),
    "Xor": _each(lambda a, b: int(bool(a) != bool(b))),
    "Cast": _cast,
    "CastLike": _cast,
    "Where": _chosen,
    "ReduceProd": _reduced(multiply, 1),
    "ReduceSum": _reduced(add, 0),
    "ReduceMin": _reduced(_least, None),
    "ReduceMax": _reduced(_most, None),
}
"""Arithmetic, by operator; what moves elements stands in `_onnx_moves`."""
