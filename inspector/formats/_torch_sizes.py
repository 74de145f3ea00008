"""Arithmetic on sizes that may be names: `batch + 3`, `2*batch*heads`, `(height - 1)//2 + 1`.

A size that depends on names is text that whoever shows it can work out once the names are known. Sums and products are
kept multiplied out and in one order, so that two ways to the same size give the same text; what does not come out even
(a division, a minimum) is a name of its own in them. Sizes that become too long are unknown.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from inspector.ir import Dim

LONGEST = 200
"""Characters of a size; longer ones are unknown."""
TERMS = 16
ATOM = re.compile(r"\w+(\([^()]*\))?")
"""What needs no brackets: a name, a number, a call."""
LARGEST = 1 << 62

Terms = dict[tuple[str, ...], int]
"""How often each product of names stands in a sum; the empty product is the number."""


class _NoSizeError(ValueError):
    """It is no arithmetic of names, or too much of it."""


def plus(*sizes: Dim) -> Dim:
    """The sum of sizes."""
    if all(isinstance(size, int) for size in sizes):
        return sum(size for size in sizes if isinstance(size, int))
    found: Terms = {}
    try:
        for size in sizes:
            for names, count in _terms(size).items():
                found[names] = found.get(names, 0) + count
        return _written(found)
    except _NoSizeError:
        return None


def product(sizes: Iterable[Dim]) -> Dim:
    """The product of sizes."""
    found: Dim = 1
    for size in sizes:
        found = _times(found, size)
    return found


def _times(a: Dim, b: Dim) -> Dim:
    if isinstance(a, int) and isinstance(b, int):
        return a * b
    if a == 1 or b == 1:  # also of names that are none of Python's
        return b if a == 1 else a
    try:
        return _written(_multiplied(_terms(a), _terms(b)))
    except _NoSizeError:
        return None


def minus(a: Dim, b: Dim) -> Dim:
    """The difference of two sizes."""
    return plus(a, _times(b, -1))


def over(a: Dim, b: Dim) -> Dim:
    """How often a size goes into another one, rounded down."""
    if isinstance(a, int) and isinstance(b, int):
        return a // b if b else None
    even = part_of(a, b)
    if even is not None or a is None or b is None:
        return even
    return _divided(a, b) if isinstance(b, int) and b > 0 else _opaque(a, "//", b)


def _divided(a: Dim, b: int) -> Dim:
    """A size divided by a number: what comes out even stands apart, and what is divided twice is divided once."""
    try:
        terms = _terms(a)
    except _NoSizeError:
        return None
    whole = {names: count // b for names, count in terms.items() if not names or count % b == 0}
    left = {names: count for names, count in terms.items() if names and count % b}
    if terms.get((), 0) % b:
        left[()] = terms[()] % b
    inner = _quotient(left)
    try:
        quotient = over(inner[0], inner[1] * b) if inner else _opaque(_written(left), "//", b)
        return plus(_written(whole), quotient)
    except _NoSizeError:
        return None


def _quotient(terms: Terms) -> tuple[Dim, int] | None:
    """What is divided by which number, where that and a number are all there is: x // 2 + 1 is (x + 2) // 2."""
    named = [names for names in terms if names]
    if len(named) != 1 or len(named[0]) != 1 or terms[named[0]] != 1:
        return None
    match ast.parse(named[0][0], mode="eval").body:
        case ast.BinOp(left=left, op=ast.FloorDiv(), right=ast.Constant(value=int() as number)) if number > 0:
            return plus(ast.unparse(left), terms.get((), 0) * number), number
    return None


def rest(a: Dim, b: Dim) -> Dim:
    """What is left of that."""
    if isinstance(a, int) and isinstance(b, int):
        return a % b if b else None
    if a is None or b is None:
        return None
    return 0 if part_of(a, b) is not None else _opaque(a, " % ", b)


def least(a: Dim, b: Dim) -> Dim:
    """The smaller one of two sizes; a size that has a name is at least one."""
    if isinstance(a, int) and isinstance(b, int):
        return min(a, b)
    if b == 1 and isinstance(a, str) and a.isidentifier():
        return 1
    try:
        return a if a == b else _settled(f"Min({_written(_terms(a))}, {_written(_terms(b))})")
    except _NoSizeError:
        return None


def part_of(a: Dim, b: Dim) -> Dim:
    """The quotient of two sizes where it comes out even whatever the names are; None elsewhere."""
    if isinstance(a, int) and isinstance(b, int):
        return a // b if b and a % b == 0 else None
    try:
        whole, [(names, count), *more] = _terms(a), list(_terms(b).items())
    except (_NoSizeError, ValueError):
        return None
    found: Terms = {}
    for each, times in whole.items():
        left = Counter(each)
        left.subtract(names)
        if more or not count or times % count or any(number < 0 for number in left.values()):
            return None
        found[tuple(sorted(left.elements()))] = times // count
    try:
        return _written(found)
    except _NoSizeError:
        return None


def same(a: Dim, b: Dim) -> bool:
    """Whether two sizes are equal whatever the names are."""
    return a == b and a is not None


def _opaque(a: Dim, sign: str, b: Dim) -> Dim:
    try:
        return _settled(f"{_wrapped(_written(_terms(a)))}{sign}{_wrapped(_written(_terms(b)))}")
    except _NoSizeError:
        return None


def _settled(text: str) -> Dim:
    """A text as it comes out when it is read again."""
    return _written(_terms(_short(text)))


def _wrapped(size: Dim) -> str:
    text = str(size)
    return text if ATOM.fullmatch(text) else f"({text})"


def _short(text: str) -> str:
    if len(text) > LONGEST:
        raise _NoSizeError
    return text


def _terms(size: Dim) -> Terms:
    if isinstance(size, int):
        return {(): size} if size else {}
    if size is None:
        raise _NoSizeError
    found = _parsed(size)
    if found is None:
        raise _NoSizeError
    return found


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Terms | None:
    if len(text) > LONGEST:
        return None
    try:
        return _read(ast.parse(text.strip(), mode="eval").body)
    except (_NoSizeError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _read(tree: ast.expr) -> Terms:
    match tree:
        case ast.Constant(value=int() as number) if not isinstance(number, bool) and abs(number) < LARGEST:
            return {(): number} if number else {}
        case ast.Name(id=name):
            return {(name,): 1}
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _multiplied(_read(operand), {(): -1})
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
            found = dict(_read(left))
            for names, count in _read(right).items():
                found[names] = found.get(names, 0) + (count if isinstance(op, ast.Add) else -count)
            return {names: count for names, count in found.items() if count}
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _multiplied(_read(left), _read(right))
        case ast.BinOp(op=ast.FloorDiv() | ast.Mod()) | ast.Call(func=ast.Name(id="Min" | "Max"), keywords=[]):
            return {(ast.unparse(tree).replace(" // ", "//").replace(" * ", "*"),): 1}
    raise _NoSizeError


def _multiplied(a: Terms, b: Terms) -> Terms:
    found: Terms = {}
    if len(a) * len(b) > TERMS:
        raise _NoSizeError
    for one, count in a.items():
        for other, more in b.items():
            names = tuple(sorted((*one, *other)))
            found[names] = found.get(names, 0) + count * more
    return {names: count for names, count in found.items() if count}


def _written(terms: Terms) -> Dim:
    """A sum as text, products of more names first; a number where there is nothing else."""
    kept = {names: count for names, count in terms.items() if count}
    if len(kept) > TERMS or any(abs(count) >= LARGEST for count in kept.values()):
        raise _NoSizeError
    if not kept.keys() - {()}:
        return kept.get((), 0)
    order = sorted(kept, key=lambda names: (-len(names), kept[names] < 0, names))
    text = ""
    for names in order:
        count = kept[names]
        lone = len(names) == 1 and abs(count) == 1
        words = [] if abs(count) == 1 and names else [str(abs(count))]
        words += [name if lone else _wrapped(name) for name in names]
        sign = (" - " if count < 0 else " + ") if text else ("-" if count < 0 else "")
        text += sign + ("*".join(words) if not (lone and count < 0 and not text) else _wrapped(names[0]))
    return _short(text)
