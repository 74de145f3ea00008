"""Output shapes of `keras.ops` for numbers and matrices, as Keras' `compute_output_spec` has them.

Where that says what a run does not give (a picture turned by half a circle, one number for many signs), it is the run
that is followed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise, zip_longest

from inspector.formats._keras_config import Layer
from inspector.formats._keras_operands import axes_of, axis_of, broadcast, operands, reduced
from inspector.formats._keras_shapes_pictures import PICTURES
from inspector.formats._keras_sizes import many, whole
from inspector.formats._keras_sizes import with_batch as named_batch
from inspector.formats._keras_sizes import without_batch as shown
from inspector.formats._rules import named
from inspector.formats._tf_shapes_dims import over, times, total
from inspector.ir import Dim, Shape
from inspector.ir.model import BITS

Shapes = Sequence[Shape | None]
Result = Shape | list[Shape | None] | None
Rule = Callable[[Layer, Shape, Shapes], Result]


def _kept(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    return first


def _number(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    return ()


def _pair(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    return [first, first]


def _second(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    found = operands(layer, inputs)
    return found[1] if len(found) > 1 else None


def _joint(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    return broadcast(operands(layer, inputs))


def _reduced(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    return reduced(layer, first)


def _moments(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    return [reduced(layer, first, "axes")] * 2


def _argument(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    if layer.config.get("axis") is None and layer.config.get("keepdims") is not True:
        return ()
    return reduced(layer, first)


def _running(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    """Sums and products so far: without an axis, of all elements in a row."""
    return shown((times(*named_batch(first)),)) if layer.config.get("axis") is None else first


def _quantile(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    asked, rest = operands(layer, inputs)[1:2], reduced(layer, first)
    return None if not asked or asked[0] is None else (*asked[0], *rest)


def _appended(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    parts = [None if part is None else named_batch(part) for part in operands(layer, inputs)]
    if layer.config.get("axis") is None:
        return shown((total(None if part is None else times(*part) for part in parts),))
    return _together(parts, axis_of(layer.config["axis"], len(first)))


def _together(parts: Sequence[Shape | None], at: int) -> Result:
    first = next(part for part in parts if part is not None)
    length = total(None if part is None else part[at] for part in parts)
    return shown((*first[:at], length, *first[at + 1 :]))


def _put(at: int) -> Rule:
    """Tensors side by side along one axis; those of one dimension have only that."""

    def rule(layer: Layer, first: Shape, inputs: Shapes) -> Result:
        parts = [None if part is None else named_batch(part) for part in inputs]
        return _together(parts, min(at, len(first) - 1)) if len(first) > 1 or at == 1 else None

    return rule


def _cut(at: int | None) -> Rule:
    """Parts along one axis, as many or up to the places that are said; the first ones are longer by one."""

    def rule(layer: Layer, first: Shape, inputs: Shapes) -> Result:
        axis = axis_of(layer.config.get("axis", 0), len(first)) if at is None else min(at, len(first) - 1)
        parts, size = layer.config.get("indices_or_sections"), first[axis]
        if isinstance(parts, int):
            sizes: list[Dim] = [None] * min(parts, 1000)
            if isinstance(size, int):
                sizes = [size // parts + (place < size % parts) for place in range(min(parts, 1000))]
        else:
            ends = [0, *(parts or []), size]
            sizes = [b - a if isinstance(a, int) and isinstance(b, int) else None for a, b in pairwise(ends)]
        return [(*first[:axis], piece, *first[axis + 1 :]) for piece in sizes]

    return rule


def _apart(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    axis = axis_of(layer.config.get("axis", 0), len(first))
    count = layer.config.get("num") or first[axis]
    return [(*first[:axis], *first[axis + 1 :])] * min(count, 1000) if isinstance(count, int) else None


def _shorter(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    axis = axis_of(layer.config.get("axis", -1), len(first))
    size, count = first[axis], whole(layer, "n", 1)
    return (*first[:axis], max(size - count, 0) if isinstance(size, int) else None, *first[axis + 1 :])


def _halved(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    axis = axis_of(layer.config.get("axis", -1), len(first))
    return (*first[:axis], over(first[axis], 2), *first[axis + 1 :])


def _diagonal(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    one, two = (axis_of(layer.config.get(key, at), len(first)) for at, key in enumerate(("axis1", "axis2")))
    rest = tuple(size for at, size in enumerate(first) if at not in (one, two))
    if layer.type == "Trace":
        return rest
    rows, columns, offset = first[one], first[two], whole(layer, "offset", 0)
    if not isinstance(rows, int) or not isinstance(columns, int):
        return (*rest, None)
    return (*rest, max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns)))


def _turned(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    sizes = list(first)
    one, two = (axis_of(at, len(first)) for at in many(layer.config.get("axes"), 2))
    if whole(layer, "k", 1) % 2:
        sizes[one], sizes[two] = sizes[two], sizes[one]
    return tuple(sizes)


def _spaced(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    """So many numbers between two, along an axis of their own."""
    ends = broadcast(operands(layer, inputs))
    if ends is None:
        return None
    at = axis_of(layer.config.get("axis", 0), len(ends) + 1)
    return (*ends[:at], whole(layer, "num", 50), *ends[at:])


def _multiplied(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    """Matrices, with vectors as numpy takes them."""
    a, b = operands(layer, inputs)[:2]
    if not a or not b:
        return None
    batch = broadcast([a[:-2], b[:-2]])
    return None if batch is None else (*batch, *(a[-2:-1]), *(b[-1:] if len(b) > 1 else ()))


def _dotted(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    """numpy's dot, inner and outer products, and the product of Kronecker."""
    a, b = operands(layer, inputs)[:2]
    if a is None or b is None:
        return None
    if layer.type == "Outer":
        return times(*a), times(*b)
    if layer.type == "Kron":
        pairs = list(zip_longest(reversed(named_batch(a)), reversed(b), fillvalue=1))
        return shown(tuple(times(x, y) for x, y in reversed(pairs)))
    if not a or not b:
        return a or b
    rest = b[:-1] if layer.type == "Inner" or len(b) == 1 else (*b[:-2], b[-1])
    return (*a[:-1], *rest)


def _contracted(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    """Tensordot: along the last axes of one and the first of the other, or those that are said."""
    a, b = operands(layer, inputs)[:2]
    said = layer.config.get("axes", 2)
    if a is None or b is None:
        return None
    if isinstance(said, int):
        return (*a[: len(a) - said], *b[said:])
    left, right = (axes_of(part, len(shape)) for part, shape in zip(said, (a, b), strict=True))
    one, two = ([size for at, size in enumerate(shape) if at not in drop] for shape, drop in ((a, left), (b, right)))
    return (*one, *two)


def _einsum(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    """Sizes by label; without an arrow, labels that stand once in the order of the alphabet."""
    left, arrow, right = str(layer.config.get("subscripts", "")).replace(" ", "").partition("->")
    terms, shapes = left.split(","), operands(layer, inputs)
    if len(terms) != len(shapes) or len(left) > 1000:
        return None
    sizes: dict[str, Dim] = {}
    spread: list[Shape | None] = []
    for term, shape in zip(terms, shapes, strict=True):
        if shape is None:
            return None
        head, dots, tail = term.partition("...")
        count = len(shape) - len(head) - len(tail)
        if count < 0 or (count and not dots):
            return None
        spread += [shape[len(head) : len(head) + count]] if dots else []
        for label, size in zip(head + tail, (*shape[: len(head)], *shape[len(head) + count :]), strict=True):
            sizes[label] = size if sizes.get(label) is None else sizes[label]
    if not arrow:
        letters = left.replace(",", "").replace(".", "")
        right = ("..." if spread else "") + "".join(sorted(label for label in sizes if letters.count(label) == 1))
    middle = broadcast(spread) if spread else ()
    head, dots, tail = right.partition("...")
    return None if middle is None else (*map(sizes.get, head), *(middle if dots else ()), *map(sizes.get, tail))


def _attended(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    value = inputs[2] if len(inputs) > 2 else None
    return (*first[:-1], value[-1]) if value else None


def _distances(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    second = inputs[1] if len(inputs) > 1 else None
    return (*first[:-1], second[-2]) if second else None


def _factored(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    """Matrices taken apart."""
    *batch, rows, columns = first
    least = min(rows, columns) if isinstance(rows, int) and isinstance(columns, int) else None
    if layer.type in ("Eig", "Eigh"):
        return [first[:-1], first]
    if layer.type == "LuFactor":
        return [first, (*batch, least)]
    if layer.type == "Pinv":
        return (*batch, columns, rows)
    if layer.type == "Qr":
        middle = rows if layer.config.get("mode") == "complete" else least
        return [(*batch, rows, middle), (*batch, middle, columns)]
    if layer.config.get("compute_uv") is False:
        return (*batch, least)
    full = layer.config.get("full_matrices") is not False
    left, right = (rows, columns) if full else (least, least)
    return [(*batch, rows, left), (*batch, least), (*batch, right, columns)]


def _of_matrices(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    return [first[:-2], first[:-2]] if layer.type == "Slogdet" else first[:-2]


def _along(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    """TakeAlongAxis: as many as there are indices along the axis."""
    indices = operands(layer, inputs)[1]
    if indices is None:
        return None
    if layer.config.get("axis") is None:
        return indices
    at = axis_of(layer.config["axis"], len(first))
    rest = broadcast([(*first[:at], 1, *first[at + 1 :]), (*indices[:at], 1, *indices[at + 1 :])])
    return None if rest is None else (*rest[:at], indices[at], *rest[at + 1 :])


def _segments(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    count = layer.config.get("num_segments")
    return (count if isinstance(count, int) else None, *first[1:])


def _said(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    """A shape that is a setting."""
    given = layer.config.get("shape")
    return tuple(size if isinstance(size, int) else None for size in given) if isinstance(given, list | tuple) else None


def _viewed(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    """The same bytes as another type, or pairs of them as complex numbers."""
    if layer.type == "ViewAsComplex":
        return first[:-1]
    if layer.type == "ViewAsReal":
        return (*first, 2)
    arguments = layer.given.get("args") if isinstance(layer.given, dict) else None
    inner = arguments[0].get("config") if isinstance(arguments, list) and isinstance(arguments[0], dict) else None
    old = BITS.get(str(inner.get("dtype")), 0) if isinstance(inner, dict) else 0
    new = BITS.get(str(layer.config.get("dtype")), 0)
    return (*first[:-1], over(times(first[-1], old), new)) if old and new else None


def _many_hot(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    count = whole(layer, "num_classes")
    return (count,) if len(first) < 2 else (first[0], *first[2:], count)


def _counted(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    count = layer.config.get("bins")
    return [(count,), (count + 1,)] if isinstance(count, int) else None


def _unknown_length(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    return [(None,)] * len(first) if layer.type == "Nonzero" else (None,)


MATHS: dict[str, Rule] = {
    **PICTURES,
    **named(
        _kept,
        "Angle BatchNorm BinaryCrossentropy BitwiseInvert BitwiseNot Cbrt Cholesky CholeskyInverse Conjugate Copy "
        "Deg2rad Rad2deg Digitize EmptyLike Erfc Exp2 Fabs Fliplr Flipud GaussianBlur HSVToRGB RGBToHSV I0 Inv IsIn "
        "Isneginf Isposinf Isreal LayerNorm RMSNorm SaturateCast ScatterUpdate Signbit Sinc SliceUpdate SparseSigmoid "
        "Sparsemax AffineTransform ElasticTransform PerspectiveTransform Argpartition ConvertToTensor "
        "SparseCategoricalCrossentropy InTopK",
    ),
    **named(_pair, "FFT FFT2 IFFT2"),
    **named(_number, "AllClose Ndim Size PSNR Vdot"),
    **named(_second, "Solve SolveTriangular SearchSorted"),
    **named(
        _joint,
        "BitwiseLeftShift BitwiseRightShift LeftShift RightShift DivideNoNan Fmax Fmin Fmod Gcd Lcm Ldexp Logaddexp2 "
        "Nextafter Polar Heaviside Cross Select",
    ),
    **named(_reduced, "Nanmax Nanmin Nanmedian Nanprod Nanstd Nanvar Ptp Trapezoid CategoricalCrossentropy"),
    **named(_argument, "Nanargmax Nanargmin"),
    **named(_running, "Cumsum Cumprod Nancumsum Nancumprod"),
    **named(_quantile, "Quantile Nanquantile Percentile Nanpercentile"),
    "Moments": _moments,
    "Append": _appended,
    "Dstack": _put(2), "Hstack": _put(1), "Vstack": _put(0),
    "ArraySplit": _cut(None), "Dsplit": _cut(2), "Hsplit": _cut(1), "Vsplit": _cut(0),
    "Unstack": _apart, "Diff": _shorter, "Glu": _halved, "Rot90": _turned,
    **named(_diagonal, "Diagonal Trace"),
    **named(_spaced, "Linspace Logspace Geomspace"),
    "Matmul": _multiplied, "Tensordot": _contracted, "Einsum": _einsum, "CDist": _distances,
    **named(_dotted, "Inner Outer Kron"),
    "DotProductAttention": _attended,
    **named(_factored, "Eig Eigh LuFactor Pinv Qr SVD"),
    **named(_of_matrices, "Det Logdet Slogdet MatrixRank"),
    "TakeAlongAxis": _along,
    **named(_segments, "SegmentSum SegmentMax SegmentMin SegmentProd"),
    **named(_said, "Scatter Slice"),
    **named(_viewed, "View ViewAsComplex ViewAsReal"),
    "MultiHot": _many_hot, "Histogram": _counted,
    **named(_unknown_length, "Nonzero Unique"),
    "CTCLoss": lambda layer, first, inputs: first[:1],
    "Vander": lambda layer, first, inputs: (*first, layer.config.get("N") or first[-1]),
    "UnravelIndex": lambda layer, first, inputs: [first] * len(layer.config["shape"]),
    "MapCoordinates": lambda layer, first, inputs: (operands(layer, inputs)[1] or (None,))[1:],
}  # fmt: skip
DOTTED: Rule = _dotted
"""What the operation Dot gives, whose name a layer has, too."""
