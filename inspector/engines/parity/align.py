"""Which input and output of one model is which of the other.

Formats rename (`serving_default_input:0`), reorder and transpose. Outputs are paired by name first, then by order, by
shape, and where several have one shape by content: the order of outputs differs between formats of the same real model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from inspector.engines.parity.bundle import Arrays
from inspector.errors import InspectorError
from inspector.ir import Dim
from inspector.runtimes import Spec

Floats = NDArray[np.float64]
NOISE_WORDS = re.compile(r"^serving_default_|^signature_wrapper_|^Stateful|PartitionedCall|^Identity(_\d+)?$|:\d+$")
LAYOUTS = {3: ("NCW", "NWC"), 4: ("NCHW", "NHWC"), 5: ("NCDHW", "NDHWC")}
CLOSE = 1e-3
"""Relative distance below which contents are taken for the same."""


class Fit(msgspec.Struct, frozen=True):
    """How an input of b is fed from an input of a; `axes` is a transposition, empty when there is none."""

    b: str
    a: str
    axes: tuple[int, ...] = ()
    layout: str = ""


class InputPairs(msgspec.Struct, frozen=True):
    """The inputs of two models, paired.

    Attributes:
        specs: Inputs of a, with dims of b where a leaves them open.
        fits: For each input of b, where it comes from.
    """

    specs: tuple[Spec, ...]
    fits: tuple[Fit, ...]

    @property
    def renamed(self) -> tuple[tuple[str, str], ...]:
        """Inputs that changed names, as (a, b)."""
        return tuple((fit.a, fit.b) for fit in self.fits if fit.a != fit.b)


@dataclass(frozen=True, slots=True)
class OutputPair:
    """Two outputs that belong together, and how b is turned to fit a."""

    a: str
    b: str
    by: str
    layout: str = ""
    axes: tuple[int, ...] = ()

    def turned(self, b: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
        """An output of b as a lays it out."""
        return (b.transpose(self.axes) if self.axes else b).reshape(like.shape)


def plain(name: str) -> str:
    """A name without what frameworks add to it; empty where nothing of the author's is left."""
    old = None
    while old != name:
        old, name = name, NOISE_WORDS.sub("", name)
    return re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_")


def transpositions(rank: int) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Words and axes of the changes of layout worth trying, such as b in NHWC turned to NCHW."""
    if rank not in LAYOUTS:
        return ()
    first, last = LAYOUTS[rank]
    to_first = (0, rank - 1, *range(1, rank - 1))
    to_last = (0, *range(2, rank), 1)
    return ((f"{last}→{first}", to_first), (f"{first}→{last}", to_last))


def pair_inputs(a: Sequence[Spec], b: Sequence[Spec]) -> InputPairs:
    """Find for every input of b the input of a that feeds it.

    Raises:
        InspectorError: An input of b has none; a may have more than b (converters drop what is not used).
    """
    chosen: dict[int, tuple[int, Fit]] = {}
    used: set[int] = set()

    def take(j: int, i: int) -> bool:
        if j in chosen or i in used or (fit := _fit(a[i], b[j])) is None:
            return False
        chosen[j] = (i, fit)
        used.add(i)
        return True

    for key in (lambda name: name, plain):
        for j, i in product(range(len(b)), range(len(a))):
            if key(a[i].name) and key(a[i].name) == key(b[j].name):
                take(j, i)
    rest_a, rest_b = [i for i in range(len(a)) if i not in used], [j for j in range(len(b)) if j not in chosen]
    if len(rest_a) == len(rest_b) and all(_fit(a[i], b[j]) for i, j in zip(rest_a, rest_b)):
        for i, j in zip(rest_a, rest_b):
            take(j, i)
    for j in rest_b:
        if j not in chosen and not any(take(j, i) for i in rest_a):
            raise InspectorError(
                f"The second model has an input {b[j].name!r} {_words(b[j])} that nothing of the first fits.",
                f"The first has: {', '.join(f'{spec.name} {_words(spec)}' for spec in a) or 'no input'}.",
            )
    specs = list(a)
    for j, (i, fit) in chosen.items():
        specs[i] = _merged(a[i], b[j], fit.axes)
    return InputPairs(tuple(specs), tuple(chosen[j][1] for j in range(len(b))))


def _fit(a: Spec, b: Spec) -> Fit | None:
    if _kind(a) and _kind(b) and _kind(a) != _kind(b):
        return None
    if a.shape is None or b.shape is None:
        return Fit(b.name, a.name)
    if len(a.shape) != len(b.shape):
        return None
    if _dims_fit(a.shape, b.shape):
        return Fit(b.name, a.name)
    for words, axes in transpositions(len(a.shape)):
        if _dims_fit(tuple(a.shape[axis] for axis in axes), b.shape):
            return Fit(b.name, a.name, axes, words)
    return None


def _kind(spec: Spec) -> str:
    """Kind of number; empty when unknown. A quantised input takes floats: it says its own scale."""
    if spec.limits or not spec.dtype:
        return "float" if spec.limits else ""
    return next((kind for kind in ("str", "float", "bool", "complex") if kind in spec.dtype), "int")


def _dims_fit(a: Sequence[Dim], b: Sequence[Dim]) -> bool:
    return all(x == y for x, y in zip(a, b) if isinstance(x, int) and isinstance(y, int))


def _merged(a: Spec, b: Spec, axes: Sequence[int]) -> Spec:
    limits = a.limits or b.limits
    dtype = "float32" if limits else a.dtype or b.dtype
    if b.shape is None:
        return Spec(a.name, dtype, a.shape, limits)
    if a.shape is None:
        return Spec(a.name, dtype, b.shape, limits)
    theirs = dict(zip(axes or range(len(b.shape)), b.shape))
    dims = tuple(_either(own, theirs[axis]) for axis, own in enumerate(a.shape))
    return Spec(a.name, dtype, dims, limits)


def _either(a: Dim, b: Dim) -> Dim:
    return a if isinstance(a, int) or (isinstance(a, str) and not isinstance(b, int)) else b


def _words(spec: Spec) -> str:
    shape = "of unknown shape" if spec.shape is None else "×".join("?" if d is None else str(d) for d in spec.shape)
    return f"({spec.dtype or 'tensor'} {shape})"


def pair_outputs(
    a: Sequence[Arrays], b: Sequence[Arrays]
) -> tuple[tuple[OutputPair, ...], tuple[str, ...], tuple[str, ...]]:
    """Pair outputs over all feeds: the pairs in a's order, and what is left over of a and of b."""
    found: dict[str, OutputPair] = {}
    left_b = list(b[0])

    def take(pair: OutputPair | None) -> None:
        if pair is not None and pair.a not in found and pair.b in left_b:
            found[pair.a] = pair
            left_b.remove(pair.b)

    for key in (lambda name: name, plain):
        for name_a, name_b in product(a[0], list(left_b)):
            if key(name_a) and key(name_a) == key(name_b):
                take(_turn(a, b, name_a, name_b, "name"))
    for pair in _the_rest(a, b, [name for name in a[0] if name not in found], list(left_b)):
        take(pair)
    pairs = tuple(found[name] for name in a[0] if name in found)
    return pairs, tuple(name for name in a[0] if name not in found), tuple(left_b)


def _the_rest(a: Sequence[Arrays], b: Sequence[Arrays], left_a: list[str], left_b: list[str]) -> list[OutputPair]:
    """By order where that fits and content does not speak against it, else by shape and content."""
    fitting = {(x, y): t for x, y in product(left_a, left_b) if (t := _turn(a, b, x, y, "order")) is not None}
    cost = {key: _apart(a, b, pair) for key, pair in fitting.items()}
    best: list[tuple[str, str]] = []
    for x, y in sorted(cost, key=lambda key: (cost[key], left_a.index(key[0]), left_b.index(key[1]))):
        if all(x != one and y != other for one, other in best):
            best.append((x, y))
    ordered = list(zip(left_a, left_b)) if len(left_a) == len(left_b) else []
    if ordered and all(key in fitting for key in ordered):
        by_order, by_content = sum(cost[key] for key in ordered), sum(cost[key] for key in best)
        if by_order <= 4 * by_content + CLOSE or by_content > 0.5 * len(best):
            return [fitting[key] for key in ordered]
    result = []
    for x, y in best:
        choices = sum(1 for key in fitting if key[0] == x)
        by = "order" if (x, y) in ordered else "shape" if choices == 1 else "content"
        result.append(OutputPair(x, y, by, fitting[x, y].layout, fitting[x, y].axes))
    return result


def _turn(a: Sequence[Arrays], b: Sequence[Arrays], x: str, y: str, by: str) -> OutputPair | None:
    """How output y of b fits output x of a in every feed; None when it does not."""
    pairs = [(one[x], other[y]) for one, other in zip(a, b)]
    same = OutputPair(x, y, by)
    turns = [
        OutputPair(x, y, by, words, axes)
        for words, axes in transpositions(pairs[0][0].ndim)
        if all(p.ndim == q.ndim and p.shape == tuple(q.shape[axis] for axis in axes) for p, q in pairs)
    ]
    if all(p.shape == q.shape for p, q in pairs):
        apart = _apart(a, b, same) if turns else 0.0
        if apart <= CLOSE:
            return same
        closer = [turn for turn in turns if _apart(a, b, turn) < min(CLOSE, apart / 10)]
        return closer[0] if closer else same
    if turns:
        return turns[0]
    if all(_without_ones(p.shape) == _without_ones(q.shape) for p, q in pairs):
        shapes = ["×".join(map(str, array.shape)) or "scalar" for array in (pairs[0][1], pairs[0][0])]
        return OutputPair(x, y, by, "→".join(shapes))
    return None


def _without_ones(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def _apart(a: Sequence[Arrays], b: Sequence[Arrays], pair: OutputPair) -> float:
    """Relative root mean square distance, between 0 and 1, of the feed with most values."""
    k = max(range(len(a)), key=lambda i: a[i][pair.a].size)
    left, right = a[k][pair.a], pair.turned(b[k][pair.b], a[k][pair.a])
    if left.dtype.kind not in "fiub" or right.dtype.kind not in "fiub":
        return 0.0 if np.array_equal(left, right) else 1.0
    x, y = left.astype(np.float64).ravel(), right.astype(np.float64).ravel()
    finite = np.isfinite(x) & np.isfinite(y)
    if not finite.any():
        return 0.0
    x, y = x[finite], y[finite]
    size = np.sqrt(np.mean(x * x)) + np.sqrt(np.mean(y * y))
    return float(min(1.0, np.sqrt(np.mean((x - y) ** 2)) / size)) if size else 0.0
