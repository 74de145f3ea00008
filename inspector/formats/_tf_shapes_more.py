"""Shapes of TensorFlow's operators for words, matrices, sparse tensors, counting and detection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inspector.formats._rules import named
from inspector.formats._tf_shapes_dims import Fact, Step, broadcast, fill, times
from inspector.formats._tf_shapes_windows import slide
from inspector.ir import Dim, Shape

Rule = Callable[[Step], Any]


def _as(dtype: str = "", *, attribute: str = "") -> Rule:
    """The shape of the first input, in another type."""

    def rule(step: Step) -> Fact:
        return Fact(step.text(attribute, dtype) if attribute else dtype or step.dtype, step.shape())

    return rule


def _joined(step: Step) -> Fact:
    return Fact("string", broadcast(*(fact.shape for fact in step.ins)))


def _words(step: Step) -> list[Fact]:
    """A sparse tensor of the parts of words."""
    return [Fact("int64", (None, 2)), Fact("string", (None,)), Fact("int64", (2,))]


def _number(dtype: str) -> Rule:
    return lambda step: Fact(dtype, ())


def _like_second(step: Step) -> Fact:
    return Fact("bool", step.shape(1))


def _found(step: Step) -> Fact:
    """Places of sorted numbers: one for each that is looked for."""
    return Fact(step.text("out_type", "int32"), step.shape(1))


def _copied(step: Step) -> list[Fact]:
    return list(step.ins)


def _switched(step: Step) -> list[Fact]:
    return [step.at(0)] * min(step.integer("num_outs", 1), 1000)


def _elementwise(step: Step) -> Fact:
    return Fact(step.dtype, broadcast(*(fact.shape for fact in step.ins)))


def _least(x: Shape) -> Dim:
    rows, columns = x[-2:]
    return min(rows, columns) if isinstance(rows, int) and isinstance(columns, int) else None


def _determinant(step: Step) -> Any:
    x = step.shape()
    fact = Fact(step.dtype, None if x is None or len(x) < 2 else x[:-2])
    return [fact, fact] if step.node.op == "LogMatrixDeterminant" else fact


def _solved(step: Step) -> Fact:
    """What a system of equations gives: as many rows as the matrix, as many columns as there are right sides."""
    a, b = step.shape(0), step.shape(1)
    if a is None or b is None or len(a) < 2 or len(b) < 2:
        return Fact(step.dtype)
    batch = broadcast(a[:-2], b[:-2])
    return Fact(step.dtype, None if batch is None else (*batch, a[-1], b[-1]))


def _factors(step: Step) -> list[Fact]:
    x, dtype = step.shape(), step.dtype
    if x is None or len(x) < 2:
        return [Fact(dtype)] * 3
    batch, rows, columns, least = x[:-2], x[-2], x[-1], _least(x)
    if step.node.op == "Lu":
        return [Fact(dtype, x), Fact(step.text("output_idx_type", "int32"), (*batch, rows))]
    if step.node.op == "Qr":
        middle = rows if step.flag("full_matrices") else least
        return [Fact(dtype, (*batch, rows, middle)), Fact(dtype, (*batch, middle, columns))]
    if step.node.op == "Svd":
        if step.node.attributes.get("compute_uv") is False:
            return [Fact(dtype, (*batch, least))]
        left, right = (rows, columns) if step.flag("full_matrices") else (least, least)
        return [Fact(dtype, (*batch, least)), Fact(dtype, (*batch, rows, left)), Fact(dtype, (*batch, columns, right))]
    kind = step.text("Tout", dtype)
    return [Fact(kind, x[:-1]), Fact(kind, x)]


def _diagonal_part(step: Step) -> Fact:
    """The main diagonal, or one beside it; several are stored under each other."""
    x, k = step.shape(), step.at(1).value if len(step.ins) > 1 else (0,)
    if x is None or len(x) < 2 or k is None or len(set(k)) != 1 or not isinstance(k[0], int):
        return Fact(step.dtype)
    rows, columns, at = x[-2], x[-1], k[0]
    if not isinstance(rows, int) or not isinstance(columns, int):
        return Fact(step.dtype, (*x[:-2], None))
    return Fact(step.dtype, (*x[:-2], max(0, min(rows + min(at, 0), columns - max(at, 0)))))


def _bins(place: int, attribute: str) -> Rule:
    def rule(step: Step) -> Fact:
        count, x = step.at(place).number, step.shape()
        size: Dim = count if isinstance(count, int | str) else None
        batch = x[:1] if step.node.op == "DenseBincount" and x is not None and len(x) == 2 else ()
        dtype = step.text(attribute) or (step.at(2).dtype if step.node.op == "DenseBincount" else "int32")
        return Fact(dtype, (*batch, size))

    return rule


def _patches(step: Step) -> Fact:
    x, sizes = step.shape(), step.integers("ksizes")
    steps, rates, padding = step.integers("strides"), step.integers("rates"), step.text("padding", "VALID")
    if not x or not len(x) == len(sizes) == len(steps) or len(rates or sizes) != len(x):
        return Fact(step.dtype)
    rates = rates or (1,) * len(x)
    space = [slide(x[at], sizes[at], steps[at], padding, rates[at]) for at in range(1, len(x) - 1)]
    return Fact(step.dtype, (x[0], *space, times(x[-1], *sizes[1:-1])))


def _kept_boxes(step: Step) -> list[Fact]:
    """CombinedNonMaxSuppression: boxes, scores, the most of a class, the most of all."""
    boxes, scores, each, most = step.shape(0), step.shape(1), step.at(2).number, step.at(3).number
    batch = boxes[0] if boxes else None
    count: Dim = most if isinstance(most, int) else None
    if step.flag("pad_per_class"):
        some = times(each, scores[-1]) if isinstance(each, int) and scores else None
        count = min(count, some) if isinstance(count, int) and isinstance(some, int) else None
    plain = Fact("float32", (batch, count))
    return [Fact("float32", (batch, count, 4)), plain, plain, Fact("int32", (batch,))]


def _dense(at: int) -> Rule:
    """A shape that is an input."""
    return lambda step: Fact(step.at(2).dtype if at else step.at(1).dtype, step.at(at).sizes)


def _rearranged(step: Step) -> list[Fact]:
    """A sparse tensor of another shape."""
    indices, sizes = step.shape(0), step.shape(2)
    rank, asked = sizes[0] if sizes else None, step.at(2).sizes
    found = None if asked is None else tuple(fill(asked, step.at(1).sizes))
    known = found if found and any(size is not None for size in found) else None
    return [Fact("int64", (indices[0] if indices else None, rank)), Fact("int64", (rank,), known)]


def _filled_rows(step: Step) -> list[Fact]:
    indices, sizes = step.shape(0), step.at(2).sizes
    rank, count = (indices[1], indices[0]) if indices and len(indices) == 2 else (None, None)
    return [
        Fact("int64", (None, rank)),
        Fact(step.at(1).dtype, (None,)),
        Fact("bool", (sizes[0] if sizes else None,)),
        Fact("int64", (count,)),
    ]


def _segments(step: Step) -> Fact:
    """Rows of a table that are summed up by segment; how many there are stands in the values."""
    x = step.shape()
    count = step.at(3).number if step.node.op.endswith("WithNumSegments") else None
    return Fact(step.dtype, (count if isinstance(count, int | str) else None, *x[1:]) if x else None)


def _sparse_product(step: Step) -> Fact:
    sizes, b = step.at(2).sizes, step.shape(3)
    rows = sizes[1 if step.flag("adjoint_a") else 0] if sizes and len(sizes) == 2 else None
    columns = b[0 if step.flag("adjoint_b") else 1] if b and len(b) == 2 else None
    return Fact(step.at(1).dtype, (rows, columns))


def _reordered(step: Step) -> list[Fact]:
    return [step.at(0), step.at(1)]


def _losses(step: Step) -> list[Fact]:
    """CTCLoss: a number for each sample, and the gradient; time comes first."""
    x = step.shape()
    return [Fact(step.dtype, x[1:2] if x and len(x) == 3 else None), Fact(step.dtype, x)]


MORE: dict[str, Rule] = {
    **named(_as("int32"), "StringLength Bucketize"),
    **named(
        _as("string"), "Substr AsString EncodeBase64 DecodeBase64 UnicodeTranscode StringLower StringUpper StringStrip"
    ),
    **named(_as("int64"), "StringToHashBucketFast StringToHashBucketStrong StringToHashBucket"),
    **named(_as("float32", attribute="out_type"), "StringToNumber"),
    "StringJoin": _joined,
    **named(_words, "StringSplit StringSplitV2"),
    **named(_number("int64"), "LookupTableSize LookupTableSizeV2"),
    **named(_number("string"), "StringFormat"),
    **named(_like_second, "InTopK InTopKV2"),
    **named(_found, "LowerBound UpperBound"),
    "IdentityN": _copied,
    "_SwitchN": _switched,
    "Betainc": _elementwise,
    **named(_determinant, "MatrixDeterminant LogMatrixDeterminant"),
    **named(_solved, "MatrixSolve MatrixTriangularSolve MatrixSolveLs"),
    **named(_as(), "MatrixExponential MatrixSquareRoot MatrixLogarithm"),
    **named(_factors, "Svd Qr Lu SelfAdjointEigV2 Eig"),
    **named(_diagonal_part, "MatrixDiagPart MatrixDiagPartV2 MatrixDiagPartV3"),
    "HistogramFixedWidth": _bins(2, "dtype"),
    **named(_bins(1, "T"), "Bincount"),
    "DenseBincount": _bins(1, "T"),
    "ExtractImagePatches": _patches,
    "CombinedNonMaxSuppression": _kept_boxes,
    "SparseToDense": _dense(1),
    "RaggedTensorToTensor": _dense(0),
    "SparseReshape": _rearranged,
    "SparseFillEmptyRows": _filled_rows,
    **named(
        _segments,
        "SparseSegmentSum SparseSegmentMean SparseSegmentSqrtN SparseSegmentSumWithNumSegments "
        "SparseSegmentMeanWithNumSegments SparseSegmentSqrtNWithNumSegments",
    ),
    "SparseTensorDenseMatMul": _sparse_product,
    "SparseReorder": _reordered,
    "CTCLoss": _losses,
}
