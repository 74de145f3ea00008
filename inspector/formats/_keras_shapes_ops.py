"""Output shapes of `keras.ops` between the layers of a model; a class of this name is one operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from inspector.formats._keras_config import Layer
from inspector.formats._keras_operands import axes_of, axis_of, broadcast, nested, operands, reduced
from inspector.formats._keras_shapes_maths import MATHS
from inspector.formats._keras_sizes import with_batch, without_batch
from inspector.formats._rules import named
from inspector.formats._tf_shapes_dims import over, times
from inspector.ir import Dim, Shape

Shapes = Sequence[Shape | None]
Rule = Callable[[Layer, Shape, Shapes], Shape | list[Shape | None] | None]


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
    return reduced(layer, first)


def _joint(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    """Of what is compared or combined element by element."""
    return broadcast(operands(layer, inputs))


def _transposed(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    order = layer.config.get("axes")
    return first[::-1] if order is None else tuple(first[axis_of(at, len(first))] for at in order)


def _swapped(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    sizes = list(first)
    a, b = (axis_of(layer.config.get(key), len(first)) for key in ("axis1", "axis2"))
    sizes[a], sizes[b] = sizes[b], sizes[a]
    return tuple(sizes)


def _moved(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    pairs = []
    for key in ("source", "destination"):
        value = layer.config.get(key)
        pairs.append([axis_of(at, len(first)) for at in (value if isinstance(value, list | tuple) else [value])])
    order = [at for at in range(len(first)) if at not in pairs[0]]
    for place, at in sorted(zip(pairs[1], pairs[0], strict=True)):
        order.insert(place, at)
    return tuple(first[at] for at in order)


def _stacked(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    at = axis_of(layer.config.get("axis", 0), len(first) + 1)
    return (*first[:at], len(inputs), *first[at:])


def _expanded(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    given = layer.config.get("axis")
    axes = given if isinstance(given, list | tuple) else [given]
    rank = len(first) + len(axes)
    places, rest = {axis_of(at, rank) for at in axes}, iter(first)
    return tuple(1 if at in places else next(rest) for at in range(rank))


def _squeezed(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    if layer.config.get("axis") is None:
        return tuple(size for size in first if size != 1) if None not in first[1:] else None
    drop = axes_of(layer.config.get("axis"), len(first))
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
    at = axis_of(layer.config.get("axis"), len(first))
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
    at = axis_of(layer.config.get("axis", -1), len(first) + 1)
    return (*first[:at], count if isinstance(count, int) else None, *first[at:])


def _split(layer: Layer, first: Shape, inputs: Shapes) -> list[Shape | None]:
    at, parts = axis_of(layer.config.get("axis", 0), len(first)), layer.config.get("indices_or_sections")
    size = first[at]
    if isinstance(parts, int):
        piece = size // parts if isinstance(size, int) else over(with_batch(first)[at], parts)
        return [(*first[:at], piece, *first[at + 1 :])] * min(parts, 1000)
    ends = [0, *(parts or []), size]
    sizes = [b - a if isinstance(a, int) and isinstance(b, int) else None for a, b in pairwise(ends)]
    return [(*first[:at], piece, *first[at + 1 :]) for piece in sizes]


def _taken(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    args = _arguments(layer)
    indices = inputs[1] if len(inputs) > 1 else nested(args[1] if len(args) > 1 else None)
    if indices is None:
        return None
    if layer.config.get("axis") is None:
        return indices
    at = axis_of(layer.config.get("axis"), len(first))
    return (*first[:at], *indices, *first[at + 1 :])


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


def _kept(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    return first


def _flat(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    return without_batch((times(*with_batch(first)),))


OPERATIONS: dict[str, Rule] = {
    **MATHS,
    **named(
        _reduced,
        "Mean Sum Max Min Prod Std Var Any All Amax Amin Norm Logsumexp LogSumExp CountNonzero Median Nanmean Nansum",
    ),
    **named(_argument, "Argmax Argmin"),
    "Transpose": _transposed,
    "Swapaxes": _swapped,
    "Moveaxis": _moved,
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
        "Flip Roll Sort Argsort LogicalNot Isnan Isinf Isfinite Sin Cos Tan Arcsin Arccos Arctan "
        "Sinh Cosh Arcsinh Arccosh Arctanh Floor Ceil Round Rint Trunc Sign Reciprocal Expm1 Log1p Log2 Log10 Erf "
        "Erfinv Logit HardSigmoid HardSwish HardSilu HardTanh HardShrink SoftShrink TanhShrink LogSigmoid Celu "
        "Mish Swish ZerosLike OnesLike FullLike NanToNum StopGradient Tril Triu Normalize LeakyRelu Threshold "
        "Squareplus SparsePlus Conj Real Imag",
    ),
}
