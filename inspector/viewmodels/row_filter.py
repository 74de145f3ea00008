"""What may be typed to find rows: plain words, and words that say where to look.

conv 3x3            every word must occur in name, type, shapes or dtypes
type:Conv           in the type; also name: module: source:
dtype:float16       the dtype of the weights or of a value begins so; f16 is the same
shape:1,28          these sizes side by side in the shape of an input or output; ? is any size
in:1x28  out:?,10   the same, of what enters or leaves
params>1M           a figure: params, trainable, macs, flops, memory, live, stored, intensity, with < > <= >= =
-type:ReLU          not that
name:"two words"    with spaces
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from inspector.engines.summary.rows import Row, Shape
from inspector.viewmodels import words

Test = Callable[[Row, str], bool]
"""Whether a row fits, given the row and the text that plain words are looked for in."""

HELP = """Plain words must occur in the name, type, shape or dtype. More precisely:
type:Conv   name:head   module:encoder.0   source:model.py
dtype:float16   shape:1,28   in:1x28   out:?,10
params>1M   macs>=1e6   memory<10MB   intensity<1
-type:ReLU leaves out; name:"two words" has a space"""

_TERM = re.compile(r'(-?)(?:([A-Za-z]+)(:|[<>]=?|=))?("[^"]*"?|\S+)')
_NUMBER = re.compile(r"([0-9]*\.?[0-9]+(?:e[+-]?\d+)?)\s*([kmgtp]?)i?b?", re.IGNORECASE)
_POWERS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "p": 10**15}

_TEXTS: dict[str, Callable[[Row], str]] = {
    "name": lambda row: row.name,
    "type": lambda row: row.type,
    "module": lambda row: row.module,
    "source": lambda row: row.source,
}
_SHAPES: dict[str, Callable[[Row], list[Shape]]] = {
    "shape": lambda row: [*(port.shape for port in (*row.inputs, *row.outputs)), *row.weight_shapes],
    "in": lambda row: [port.shape for port in row.inputs],
    "out": lambda row: [port.shape for port in row.outputs],
    "weight": lambda row: [*row.weight_shapes],
}
_FIGURES: dict[str, Callable[[Row], float | None]] = {
    "params": lambda row: row.parameters,
    "parameters": lambda row: row.parameters,
    "trainable": lambda row: row.trainable,
    "macs": lambda row: row.macs,
    "flops": lambda row: row.flops,
    "memory": lambda row: row.activation_bytes,
    "live": lambda row: row.live_bytes,
    "stored": lambda row: row.parameter_bytes,
    "intensity": lambda row: row.intensity,
}
_COMPARES: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
}


def conditions(text: str) -> list[Test]:
    """The tests that a row must all pass; none for an empty text. What looks like no known key is a plain word."""
    return [_negated(test) if minus else test for minus, test in _terms(text)]


def unread(text: str) -> str:
    """A sentence on the first part that looks like a key and is looked for as a plain word; empty where none is."""
    for match in _TERM.finditer(text):
        _minus, key, mark, value = match.groups()
        if not key or _keyed(key.lower(), mark, value.strip('"')) is not None:
            continue
        if key.lower() in _FIGURES and mark == ":":
            return f"{match.group()} is looked for as it stands: write {key}>1M."
        if key.lower() in _FIGURES:
            return f"{match.group()} is looked for as it stands: {value} is no number, such as 1M."
        if key.lower() not in {*_TEXTS, *_SHAPES, "dtype"}:
            known = ", ".join((*_TEXTS, "dtype", *_SHAPES, *_FIGURES))
            return f"{match.group()} is looked for as it stands: there is no {key}, but {known}."
        return f"{match.group()} is looked for as it stands: write {key}:{value}."
    return ""


def _terms(text: str) -> Iterable[tuple[bool, Test]]:
    for match in _TERM.finditer(text):
        minus, key, mark, value = match.groups()
        value = value.strip('"')
        made = _keyed(key.lower(), mark, value) if key and value else None
        if made is not None:
            yield bool(minus), made
        elif minus and value and not mark:
            yield True, _word(value.lower())
        else:
            for word in match.group().replace('"', "").lower().replace("*", " ").split():
                yield False, _word(word)


def _keyed(key: str, mark: str, value: str) -> Test | None:
    if mark == ":":
        if key in _TEXTS:
            take, wanted = _TEXTS[key], value.lower()
            return lambda row, _hay: wanted in take(row).lower()
        if key == "dtype":
            return _dtype(value.lower())
        if key in _SHAPES:
            return _shape(_SHAPES[key], value)
        return None
    number = _NUMBER.fullmatch(value)
    if key not in _FIGURES or number is None:
        return None
    figure, compare = _FIGURES[key], _COMPARES[mark]
    bound = float(number[1]) * _POWERS[number[2].lower()]

    def fits(row: Row, _hay: str) -> bool:
        known = figure(row)
        return known is not None and compare(known, bound)

    return fits


def _dtype(wanted: str) -> Test:
    def fits(row: Row, _hay: str) -> bool:
        every = (row.dtype, *(port.dtype for port in (*row.inputs, *row.outputs)))
        return any(name.lower().startswith(wanted) or words.dtype(name).startswith(wanted) for name in every if name)

    return fits


def _shape(take: Callable[[Row], list[Shape]], value: str) -> Test:
    wanted = [part.strip() for part in re.split(r"[,×]|(?<=[\d?*])x(?=[\d?*])", value) if part.strip()]

    def fits(row: Row, _hay: str) -> bool:
        return bool(wanted) and any(_within(wanted, shape) for shape in take(row) if shape is not None)

    return fits


def _within(wanted: list[str], shape: Iterable[int | str | None]) -> bool:
    """Whether these sizes stand side by side in a shape."""
    sizes = ["?" if size is None else str(size).lower() for size in shape]
    return any(
        all(want in {"?", "*"} or want.lower() == size for want, size in zip(wanted, sizes[start:], strict=False))
        for start in range(len(sizes) - len(wanted) + 1)
    )


def _word(word: str) -> Test:
    return lambda _row, hay: word in hay


def _negated(test: Test) -> Test:
    return lambda row, hay: not test(row, hay)
