"""Output shapes of `keras.ops` between the layers of a model; a class of this name is one operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from inspector.formats._keras_config import Layer
from inspector.formats._keras_sizes import with_batch, without_batch
from inspector.formats._rules import named
from inspector.formats._tf_shapes_dims import over, times
from inspector.ir import Dim, Shape

Shapes = Sequence[Shape | None]
Rule = Callable[[Layer, Shape, Shapes], Shape | list[Shape | None] | None]


def _axis(number: Any, rank: int) -> int:
    if not isinstance(number, int) or not -rank <= number < rank:
        raise ValueError("axis")
    return number % rank


def _axes(layer: Layer, rank: int, key: str = "axis") -> set[int]:
    given = layer.config.get(key)
    if given is None:
        return set(range(rank))
    return {_axis(each, rank) for each in (given if isinstance(given, list | tuple) else [given])}


def _arguments(layer: Layer) -> list[Any]:
    """Positional arguments of the call, tensors among them."""
    found = layer.given.get("args") if isinstance(layer.given, dict) else None
    return found if isinstance(found, list) else []


def reshaped(layer: Layer, first: Shape) -> Shape | None:
    """The operation Reshape, whose sizes begin with that of the batch."""
    target = layer.config.get("newshape")
    if not isinstance(target, list | tuple):
        return None
    rest = over(times(*with_batch(first)), times(*(size for size in target if size != -1)))
    return without_batch(tuple(rest if size == -1 else size if isinstance(size, int) else None for size in target))


def _reduced(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    drop, keep = _axes(layer, len(first)), layer.config.get("keepdims") is True
    return tuple(1 if at in drop else size for at, size in enumerate(first) if keep or at not in drop)


def _transposed(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    order = layer.config.get("axes")
    return first[::-1] if order is None else tuple(first[_axis(at, len(first))] for at in order)


def _swapped(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    sizes = list(first)
    a, b = (_axis(layer.config.get(key), len(first)) for key in ("axis1", "axis2"))
    sizes[a], sizes[b] = sizes[b], sizes[a]
    return tuple(sizes)


def _moved(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    pairs = []
    for key in ("source", "destination"):
        value = layer.config.get(key)
        pairs.append([_axis(at, len(first)) for at in (value if isinstance(value, list | tuple) else [value])])
    order = [at for at in range(len(first)) if at not in pairs[0]]
    for place, at in sorted(zip(pairs[1], pairs[0], strict=True)):
        order.insert(place, at)
    return tuple(first[at] for at in order)


def _multiplied(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    second = inputs[1] if len(inputs) > 1 else None
    if second is None or len(first) < 2 or len(second) < 2:
        return None
    rank = max(len(first), len(second))
    pairs = zip((1,) * (rank - len(first)) + first[:-2], (1,) * (rank - len(second)) + second[:-2], strict=True)
    return (*(b if a == 1 else a if b in (1, None) or a is not None else b for a, b in pairs), first[-2], second[-1])


def _einsum(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    left, arrow, right = str(layer.config.get("subscripts", "")).replace(" ", "").partition("->")
    terms = left.split(",")
    if not arrow or "..." in left or len(terms) != len(inputs):
        return None
    sizes: dict[str, Dim] = {}
    for term, shape in zip(terms, inputs, strict=True):
        for letter, size in zip(term, shape or (None,) * len(term), strict=True):
            sizes[letter] = size if sizes.get(letter) is None else sizes[letter]
    return tuple(sizes[letter] for letter in right)


def _stacked(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    at = _axis(layer.config.get("axis", 0), len(first) + 1)
    return (*first[:at], len(inputs), *first[at:])


def _expanded(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    given = layer.config.get("axis")
    axes = given if isinstance(given, list | tuple) else [given]
    rank = len(first) + len(axes)
    places, rest = {_axis(at, rank) for at in axes}, iter(first)
    return tuple(1 if at in places else next(rest) for at in range(rank))


def _squeezed(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    if layer.config.get("axis") is None:
        return tuple(size for size in first if size != 1) if None not in first[1:] else None
    drop = _axes(layer, len(first))
    return tuple(size for at, size in enumerate(first) if at not in drop)


def _tiled(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    given = layer.config.get("repeats")
    counts = [n for n in (given if isinstance(given, list | tuple) else [given]) if isinstance(n, int)]
    sizes = (1,) * (len(counts) - len(first)) + tuple(with_batch(first))
    counts = [1] * (len(sizes) - len(counts)) + counts
    return without_batch(tuple(times(size, n) for size, n in zip(sizes, counts, strict=True)))


def _repeated(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    count = layer.config.get("repeats")
    if not isinstance(count, int):
        return None
    first = with_batch(first)
    if layer.config.get("axis") is None:
        return without_batch((times(*first, count),))
    at = _axis(layer.config.get("axis"), len(first))
    return without_batch((*first[:at], times(first[at], count), *first[at + 1 :]))


def _padded(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    given = layer.config.get("pad_width")
    if isinstance(given, int):
        given = [[given, given]] * len(first)
    if len(given or []) == 1:
        given = [*(given or [])] * len(first)
    edges = [sum(pair) for pair in given or []]
    grown = zip(first, edges, strict=True)
    return tuple(size + edge if isinstance(size, int) else size if not edge else None for size, edge in grown)


def _item(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    """Indexing with numbers, ranges, new dimensions and dots, as the call says."""
    args = _arguments(layer)
    if len(args) != 2:
        return None
    key = args[1] if isinstance(args[1], list) else [args[1]]
    used = sum(1 for part in key if part is not None and not _dots(part))
    found: list[Dim] = []
    at = 0
    for part in key:
        if part is None:
            found.append(1)
        elif _dots(part):
            found += first[at : at + len(first) - used]
            at += len(first) - used
        elif isinstance(part, int) and not isinstance(part, bool):
            at += 1
        else:
            found.append(_length(first[at], part))
            at += 1
    return (*found, *first[at:])


def _dots(part: Any) -> bool:
    return isinstance(part, dict) and part.get("class_name") == "__ellipsis__"


def _length(size: Dim, part: Any) -> Dim:
    """Length of a range of a dimension."""
    config = part.get("config") if isinstance(part, dict) and part.get("class_name") == "__slice__" else None
    if not isinstance(config, dict):
        raise ValueError("an index that is no range")
    bounds = [config.get(key) for key in ("start", "stop", "step")]
    if any(isinstance(bound, dict | list) for bound in bounds):
        return None
    if isinstance(size, int):
        return len(range(*slice(*bounds).indices(size)))
    return size if bounds == [None, None, None] else None


def _argument(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    if layer.config.get("axis") is None:
        return tuple(1 for _ in first) if layer.config.get("keepdims") is True else ()
    return _reduced(layer, first, inputs)


def _one_hot(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    count = layer.config.get("num_classes")
    at = _axis(layer.config.get("axis", -1), len(first) + 1)
    return (*first[:at], count if isinstance(count, int) else None, *first[at:])


def _split(layer: Layer, first: Shape, inputs: Shapes) -> list[Shape | None]:
    at, parts = _axis(layer.config.get("axis", 0), len(first)), layer.config.get("indices_or_sections")
    size = first[at]
    if isinstance(parts, int):
        piece = size // parts if isinstance(size, int) else over(with_batch(first)[at], parts)
        return [(*first[:at], piece, *first[at + 1 :])] * min(parts, 1000)
    ends = [0, *(parts or []), size]
    sizes = [b - a if isinstance(a, int) and isinstance(b, int) else None for a, b in pairwise(ends)]
    return [(*first[:at], piece, *first[at + 1 :]) for piece in sizes]


def _taken(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    args = _arguments(layer)
    indices = inputs[1] if len(inputs) > 1 else _nested(args[1] if len(args) > 1 else None)
    if indices is None:
        return None
    if layer.config.get("axis") is None:
        return indices
    at = _axis(layer.config.get("axis"), len(first))
    return (*first[:at], *indices, *first[at + 1 :])


def _nested(value: Any, depth: int = 0) -> Shape | None:
    """Shape of a nested list of numbers."""
    if isinstance(value, int):
        return ()
    if not isinstance(value, list) or not value or depth > 8:
        return None
    rest = _nested(value[0], depth + 1)
    return None if rest is None else (len(value), *rest)


def _top(layer: Layer, first: Shape, inputs: Shapes) -> list[Shape | None]:
    shape = (*first[:-1], layer.config.get("k"))
    return [shape, shape]


def _resized(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    sizes = layer.config.get("size")
    if not isinstance(sizes, list | tuple) or len(sizes) != 2:
        return None
    if layer.config.get("data_format") == "channels_first":
        return (*first[:-2], *sizes)
    return (*first[:-3], *sizes, first[-1])


def _spread(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    given = layer.config.get("shape")
    return tuple(size if isinstance(size, int) else None for size in given) if isinstance(given, list | tuple) else None


def _joint(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    """Of two that are compared or combined element by element."""
    second = inputs[1] if len(inputs) > 1 else ()
    if second is None:
        return None
    rank = max(len(first), len(second))
    pairs = zip((1,) * (rank - len(first)) + tuple(first), (1,) * (rank - len(second)) + tuple(second), strict=True)
    return tuple(b if a == 1 else a if b == 1 or a is not None else b for a, b in pairs)


def _kept(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    return first


def _flat(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    return without_batch((times(*with_batch(first)),))


OPERATIONS: dict[str, Rule] = {
    **named(
        _reduced,
        "Mean Sum Max Min Prod Std Var Any All Amax Amin Norm Logsumexp LogSumExp CountNonzero Median Nanmean Nansum",
    ),
    **named(_argument, "Argmax Argmin"),
    "Transpose": _transposed,
    "Swapaxes": _swapped,
    "Moveaxis": _moved,
    "Matmul": _multiplied,
    "Einsum": _einsum,
    "Stack": _stacked,
    "ExpandDims": _expanded,
    "Squeeze": _squeezed,
    "Tile": _tiled,
    "Repeat": _repeated,
    "Pad": _padded,
    "GetItem": _item,
    "OneHot": _one_hot,
    "Split": _split,
    "Take": _taken,
    "TopK": _top,
    "Resize": _resized,
    "BroadcastTo": _spread,
    "Ravel": _flat,
    **named(
        _joint,
        "LogicalAnd LogicalOr LogicalXor NotEqual LessEqual GreaterEqual Arctan2 Hypot BitwiseAnd BitwiseOr BitwiseXor "
        "Remainder SquaredDifference Logaddexp Isclose",
    ),
    **named(
        _kept,
        "Flip Cumsum Cumprod Roll Sort Argsort LogicalNot Isnan Isinf Isfinite Sin Cos Tan Arcsin Arccos Arctan "
        "Sinh Cosh Arcsinh Arccosh Arctanh Floor Ceil Round Rint Trunc Sign Reciprocal Expm1 Log1p Log2 Log10 Erf "
        "Erfinv Logit HardSigmoid HardSwish HardSilu HardTanh HardShrink SoftShrink TanhShrink LogSigmoid Celu "
        "Mish Swish ZerosLike OnesLike FullLike NanToNum StopGradient Tril Triu Normalize LeakyRelu Threshold "
        "Squareplus SparsePlus Conj Real Imag",
    ),
}
