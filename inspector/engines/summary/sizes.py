"""Dimensions as numbers: names the user has fixed, expressions of them, and what is left open.

An open dimension counts as 1 in every figure. That is the usual way to quote a model where the open dimension is the
batch; where another one is open too, the figures are said to be incomplete.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping

from inspector.ir import Dim, Shape

BATCH = "batch"
"""How the user names the first dimension where the file has no name for it."""

UNNAMED = "?"

LARGEST = 2**63 - 1
"""Figures are capped here: a hostile shape must not make a number that cannot travel."""

_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Div: operator.floordiv,
    ast.Mod: operator.mod,
}
_FUNCTIONS: dict[str, Callable[..., int]] = {
    "Max": max,
    "Min": min,
    "max": max,
    "min": min,
    "Mod": operator.mod,
    "PythonMod": operator.mod,
    "FloorDiv": operator.floordiv,
    "CleanDiv": operator.floordiv,
    "IntTrueDiv": operator.floordiv,
    "CeilDiv": lambda a, b: -(-a // b),
    "floor": lambda a: a,
    "ceiling": lambda a: a,
    "TruncToInt": lambda a: a,
}


class Sizes:
    """Sizes of dimensions under one choice of the user."""

    def __init__(self, dims: Mapping[str, int]) -> None:
        self._dims = dims
        self._known: dict[str, tuple[int, bool]] = {}
        self._missing: dict[str, set[str]] = {}
        """Names that stand in a dimension and are not fixed; the dimension itself where it is no expression."""
        self._counted: dict[Shape, tuple[int, ...]] = {}
        self.open: set[str] = set()
        """Names of dimensions that counted as 1 because nobody said how large they are; UNNAMED for one without."""

    def fixed(self, dim: Dim, axis: int) -> Dim:
        """The dimension as it is shown: a number where it is known under the user's choice."""
        if isinstance(dim, int):
            return dim
        if dim is None:
            return self._dims.get(BATCH) if axis == 0 else None
        number, complete = self._evaluate(dim)
        return number if complete else dim

    def shown(self, shape: Shape | None) -> Shape | None:
        """A shape as it is shown."""
        return None if shape is None else tuple(self.fixed(dim, axis) for axis, dim in enumerate(shape))

    def counted(self, shape: Shape | None) -> tuple[int, ...] | None:
        """A shape in numbers, what is open counting as 1; None where the rank is not known."""
        if shape is None:
            return None
        if shape not in self._counted:
            self._counted[shape] = tuple(
                dim if isinstance(dim, int) else self._number(dim, axis) for axis, dim in enumerate(shape)
            )
        return self._counted[shape]

    def _number(self, dim: str | None, axis: int) -> int:
        if dim is None:
            name = UNNAMED if axis else BATCH
            if name not in self._dims:
                self.open.add(name)
            return self._dims.get(name, 1)
        number, complete = self._evaluate(dim)
        if not complete:
            self.open |= self._missing[dim]
        return number

    def _evaluate(self, text: str) -> tuple[int, bool]:
        """The size of a named dimension or an expression of names, and whether all its names are fixed."""
        if text not in self._known:
            self._known[text] = self._work_out(text)
        return self._known[text]

    def _work_out(self, text: str) -> tuple[int, bool]:
        if text in self._dims:
            return self._dims[text], True
        names: set[str] = set()
        self._missing[text] = {text}
        try:
            if len(text) > 300:
                return 1, False
            number = self._walk(ast.parse(text.strip(), mode="eval").body, names)
        except (SyntaxError, ValueError, ZeroDivisionError, TypeError, RecursionError, MemoryError):
            return 1, False
        self._missing[text] = names - self._dims.keys() or {text}
        return min(max(number, 0 if names <= self._dims.keys() else 1), LARGEST), names <= self._dims.keys()

    def _walk(self, tree: ast.expr, names: set[str]) -> int:
        match tree:
            case ast.Constant(value=int() as number) if not isinstance(number, bool):
                return number
            case ast.Name(id=name):
                names.add(name)
                return self._dims.get(name, 1)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._walk(operand, names)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return _OPERATORS[type(op)](self._walk(left, names), self._walk(right, names))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
                return _FUNCTIONS[name](*[self._walk(arg, names) for arg in args])
        raise ValueError("Not an expression of sizes.")
