"""The arithmetic of TorchScript's own values: numbers, strings and lists that are known before the model runs.

Folding it away leaves the operations on tensors, which is what somebody wants to see: checks of arguments, padding
worked out from kernel sizes and `len([...])` vanish.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from inspector.formats._torch_build import Sym
from inspector.formats._torch_tree import Instance, Opaque

ITEMS = 10_000
"""No list or text longer than this is made."""


class UnknownError(Exception):
    """The result is not known before the model runs."""


def number(value: Any) -> Any:
    """A number of a size that arithmetic cannot blow up."""
    if isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 1 << 64):
        return value
    raise UnknownError


def plain(value: Any) -> Any:
    """A value without anything unknown inside."""
    if isinstance(value, Sym | Instance | Opaque):
        raise UnknownError
    if isinstance(value, list | tuple):
        for part in value:
            plain(part)
    return value


def _numeric(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: function(*map(number, args))


def _compare(function: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    return lambda a, b: function(plain(a), plain(b))


def _is(a: Any, b: Any) -> bool:
    if a is None or b is None or isinstance(a, Sym) or isinstance(b, Sym):
        return a is b
    raise UnknownError


def _length(value: Any) -> int:
    if isinstance(value, list | tuple | dict | str):
        return len(value)
    raise UnknownError


def _item(value: Any, at: Any) -> Any:
    if isinstance(value, dict) and isinstance(at, str | int) and at in value:
        return value[at]
    if isinstance(value, list | tuple | str) and isinstance(at, int) and -len(value) <= at < len(value):
        return value[at]
    raise UnknownError


def _add(a: Any, b: Any, *rest: Any) -> Any:
    if isinstance(a, list) and isinstance(b, list) and len(a) + len(b) < ITEMS:
        return a + b
    if isinstance(a, str) and isinstance(b, str) and len(a) + len(b) < ITEMS:
        return a + b
    if rest:
        raise UnknownError
    return number(a) + number(b)


def _mul(a: Any, b: Any) -> Any:
    if isinstance(a, list) and isinstance(b, int) and len(a) * b < ITEMS:
        return a * b
    return number(a) * number(b)


def _copy(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return list(value)
    raise UnknownError


def _append(value: Any, item: Any) -> Any:
    if not isinstance(value, list) or len(value) > ITEMS:
        raise UnknownError
    value.append(item)
    return value


def _set_item(value: Any, at: Any, item: Any) -> Any:
    known = (
        isinstance(value, dict)
        if isinstance(at, str)
        else isinstance(value, list) and at in range(-_length(value), _length(value))
    )
    if not known:
        raise UnknownError
    value[at] = item
    return value


def _pow(a: Any, b: Any) -> Any:
    if abs(number(b)) > 64:
        raise UnknownError
    return number(a) ** number(b)


FOLDS: dict[str, Callable[..., Any]] = {
    "add": _add,
    "mul": _mul,
    "pow": _pow,
    "sub": _numeric(lambda a, b: a - b),
    "div": _numeric(lambda a, b: a / b),
    "floordiv": _numeric(lambda a, b: a // b),
    "floor_divide": _numeric(lambda a, b: a // b),
    "remainder": _numeric(lambda a, b: a % b),
    "neg": _numeric(lambda a: -a),
    "detach": _numeric(lambda a: a),
    "abs": _numeric(abs),
    "ceil": _numeric(math.ceil),
    "floor": _numeric(math.floor),
    "sqrt": _numeric(math.sqrt),
    "min": _numeric(min),
    "max": _numeric(max),
    "Int": _numeric(int),
    "Float": _numeric(float),
    "Bool": _numeric(bool),
    "__not__": lambda a: not plain(a),
    "__and__": lambda a, b: plain(a) and plain(b),
    "__or__": lambda a, b: plain(a) or plain(b),
    "__xor__": lambda a, b: bool(plain(a)) != bool(plain(b)),
    "eq": _compare(lambda a, b: a == b),
    "ne": _compare(lambda a, b: a != b),
    "lt": _compare(lambda a, b: a < b),
    "le": _compare(lambda a, b: a <= b),
    "gt": _compare(lambda a, b: a > b),
    "ge": _compare(lambda a, b: a >= b),
    "__is__": _is,
    "__isnot__": lambda a, b: not _is(a, b),
    "__contains__": _compare(lambda a, b: b in a),
    "__getitem__": _item,
    "len": _length,
    "list": _copy,
    "append": _append,
    "_set_item": _set_item,
    "is_scripting": lambda: True,
    "is_autocast_enabled": lambda: False,
    "format": lambda text, *values: plain(text),  # what matters of a message is that there is one
}


def fold(name: str, args: list[Any]) -> Any:
    """The result of an operator on the program's own values.

    Raises:
        UnknownError: It depends on a tensor, or we do not know the operator.
    """
    function = FOLDS.get(name)
    if function is None:
        raise UnknownError
    try:
        return function(*args)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError, AttributeError) as error:
        raise UnknownError from error


def truth(value: Any) -> bool | None:
    """Whether a condition holds; None where that is not known before the model runs."""
    if isinstance(value, Sym | Opaque):
        return None
    return bool(value)
