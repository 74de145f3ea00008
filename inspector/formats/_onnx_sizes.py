"""Exact arithmetic on sizes of which a part is open: sums of products of named dimensions.

A reshape that a program works out at run time multiplies and divides sizes of which some are only names. As long as
nothing is rounded the result is exact: 196 times `batch`, divided by `batch`, is 196. What would have to be rounded,
or grows beyond all use, is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from keyword import iskeyword

from inspector.ir import Dim

LARGEST = 1 << 62
"""Numbers beyond are none that a size can have."""

TERMS, DEGREE, LONGEST = 8, 8, 200
"""Most summands, most factors of one, and most characters of a size that is written out."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_PRODUCT = r"[A-Za-z0-9_]{1,64}(?:\*[A-Za-z0-9_]{1,64}){0,7}"
_SUM = re.compile(rf"{_PRODUCT}(?: [+-] {_PRODUCT}){{0,7}}")

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Open:
    """A size that depends on names: what each product of names counts, in the order of those; () is for the number."""

    terms: tuple[tuple[Names, int], ...]

    @property
    def names(self) -> frozenset[str]:
        """The names that it depends on."""
        return frozenset(name for names, _ in self.terms for name in names)


Size = int | Open


def _made(terms: Mapping[Names, int]) -> Size | None:
    """The sum of terms; None where it grows beyond the limits."""
    kept = tuple(sorted((names, count) for names, count in terms.items() if count))
    if len(kept) > TERMS or any(len(names) > DEGREE or abs(count) >= LARGEST for names, count in kept):
        return None
    if not kept:
        return 0
    return kept[0][1] if len(kept) == 1 and not kept[0][0] else Open(kept)


def _terms(size: Size) -> Mapping[Names, int]:
    return dict(size.terms) if isinstance(size, Open) else {(): size}


def of(dim: Dim) -> Size | None:
    """A dimension as a size; a name that is no sum of products stands for itself, one that is very long for nothing."""
    if not isinstance(dim, str):
        return dim
    if len(dim) > LONGEST:
        return None
    if not _SUM.fullmatch(dim):
        return Open((((dim,), 1),))
    terms: dict[Names, int] = {}
    sign = 1
    for part in dim.split(" "):
        if part in "+-":
            sign = 1 if part == "+" else -1
            continue
        names, count = [], sign
        for factor in part.split("*"):
            if factor.isdecimal() and len(factor) < 19:
                count *= int(factor)
            elif NAME.fullmatch(factor):
                names.append(factor)
            else:
                return Open((((dim,), 1),))
        key = tuple(sorted(names))
        terms[key] = terms.get(key, 0) + count
    return _made(terms)


def written(size: Size | None) -> Dim:
    """A size as a dimension is written, `196*batch` or `past + 1`; None where it cannot be."""
    if not isinstance(size, Open):
        return size if size is None or 0 <= size < LARGEST else None
    if len(size.terms) == 1 and size.terms[0][1] == 1 and len(size.terms[0][0]) == 1:
        return size.terms[0][0][0]
    if any(not NAME.fullmatch(name) or iskeyword(name) for name in size.names):
        return None
    words = ""
    for names, count in sorted(size.terms, key=lambda term: (term[1] < 0, not term[0], term[0])):
        factors = [*([str(abs(count))] if abs(count) != 1 or not names else []), *names]
        words += (" - " if count < 0 else " + ") + "*".join(factors)
    words = words.removeprefix(" + ")
    return words if len(words) <= LONGEST and not words.startswith(" ") else None


def plus(first: Size, second: Size) -> Size | None:
    """Their sum."""
    if isinstance(first, int) and isinstance(second, int):
        return first + second if abs(first + second) < LARGEST else None
    terms = dict(_terms(first))
    for names, count in _terms(second).items():
        terms[names] = terms.get(names, 0) + count
    return _made(terms)


def minus(first: Size, second: Size) -> Size | None:
    """Their difference."""
    negative = times(second, -1)
    return None if negative is None else plus(first, negative)


def times(first: Size, second: Size) -> Size | None:
    """Their product."""
    if isinstance(first, int) and isinstance(second, int):
        return first * second if abs(first * second) < LARGEST else None
    terms: dict[Names, int] = {}
    for names, count in _terms(first).items():
        for others, number in _terms(second).items():
            key = tuple(sorted(names + others))
            terms[key] = terms.get(key, 0) + count * number
    return _made(terms)


def product(sizes: Iterable[Size | None]) -> Size | None:
    """The product of all; None where one is unknown."""
    result: Size | None = 1
    for size in sizes:
        if size is None or result is None:
            return None
        result = times(result, size)
    return result


def over(size: Size, by: Size) -> Size | None:
    """Their quotient where nothing is left over."""
    if size == by and size:
        return 1
    parts = list(_terms(by).items())
    if len(parts) != 1 or not parts[0][1]:
        return None
    below, number = parts[0]
    terms: dict[Names, int] = {}
    for names, count in _terms(size).items():
        rest = list(names)
        for name in below:
            if name not in rest:
                return None
            rest.remove(name)
        if count % number:
            return None
        terms[tuple(rest)] = count // number
    return _made(terms)


def certain(size: Size | None) -> int | None:
    """1 where a size is positive whatever its names are, -1 where it is negative, 0 where it is zero, else None."""
    if size is None:
        return None
    terms = _terms(size)
    plain = terms.get((), 0)
    if not isinstance(size, Open):
        return (plain > 0) - (plain < 0)
    if plain > 0 and all(count > 0 for count in terms.values()):
        return 1
    return -1 if plain < 0 and all(count < 0 for count in terms.values()) else None


def never_negative(size: Size | None) -> bool:
    """Whether it is zero or more, whatever its names are."""
    return size is not None and all(count >= 0 for count in _terms(size).values())


def smaller(first: Size, second: Size) -> Size | None:
    """The smaller of two where it is sure which that is."""
    if never_negative(minus(second, first)):
        return first
    return second if never_negative(minus(first, second)) else None
