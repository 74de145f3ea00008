"""Shapes of TensorFlow's arithmetic: elementwise, products, reductions, and what keeps its shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inspector.formats._rules import named
from inspector.formats._tf_shapes_dims import Fact, MisfitError, Step, axis, broadcast, over, same, times
from inspector.ir import Dim, Shape
from inspector.ir.model import BITS

Rule = Callable[[Step], Any]


def _unary(step: Step) -> Fact:
    return Fact(step.dtype, step.shape())


def _elementwise(step: Step) -> Fact:
    dtype = next((fact.dtype for fact in step.ins if fact.dtype), "")
    return Fact(dtype, broadcast(*(fact.shape for fact in step.ins)))


def _truths(step: Step) -> Fact:
    return Fact("bool", broadcast(*(fact.shape for fact in step.ins)))


def _test(step: Step) -> Fact:
    return Fact("bool", step.shape())


def _sum_of(step: Step) -> Fact:
    """AddN and kin: all inputs have the same shape."""
    known = [fact.shape for fact in step.ins if fact.shape is not None]
    if not known or any(len(shape) != len(known[0]) for shape in known):
        return Fact(step.dtype)
    sizes: list[Dim] = list(known[0])
    for shape in known[1:]:
        sizes = [same(a, b) for a, b in zip(sizes, shape, strict=True)]
    return Fact(step.dtype, tuple(sizes))


def _cast(step: Step) -> Fact:
    return Fact(step.text("DstT", step.text("Tout")), step.shape())


def _bitcast(step: Step) -> Fact:
    """The same bytes as another dtype; the shape is known where an element keeps its size."""
    dtype = step.text("type")
    return Fact(dtype, step.shape() if BITS.get(dtype) == BITS.get(step.dtype, 0) else None)


def _scalar(step: Step) -> Fact:
    return Fact(step.dtype, ())


def _real(step: Step) -> Fact:
    return Fact(step.text("Tout", {"complex64": "float32", "complex128": "float64"}.get(step.dtype, "")), step.shape())


def _complex(step: Step) -> Fact:
    return Fact(step.text("Tout", "complex64"), broadcast(step.shape(0), step.shape(1)))


def _biased(step: Step) -> Fact:
    x, bias = step.shape(0), step.shape(1)
    if not x or not bias or len(x) < 2:
        return Fact(step.dtype, x)
    at = 1 if step.text("data_format", "NHWC").startswith("NC") else len(x) - 1
    return Fact(step.dtype, (*x[:at], same(x[at], bias[0]), *x[at + 1 :]))


def _gated(step: Step) -> Fact:
    """Select: a condition, and two of the same shape; SelectV2 broadcasts."""
    dtype = step.at(1).dtype or step.at(2).dtype
    if step.node.op == "SelectV2":
        return Fact(dtype, broadcast(*(fact.shape for fact in step.ins[:3])))
    a, b = step.shape(1), step.shape(2)
    if a is None or b is None or len(a) != len(b):
        return Fact(dtype, b if a is None else a)
    found, flags = tuple(map(same, a, b)), step.shape(0)
    if flags is not None and len(flags) == len(found):  # not one flag for each row
        found = tuple(map(same, found, flags))
    return Fact(dtype, found)


def _turned(shape: Shape, turn: bool) -> Shape:
    return (*shape[:-2], shape[-1], shape[-2]) if turn else shape


def _matmul(step: Step) -> Fact:
    a, b = step.shape(0), step.shape(1)
    dtype = step.text("Tout", step.dtype or step.at(1).dtype)
    if a is None or b is None or len(a) < 2 or len(b) < 2:
        plain = not step.node.op.startswith("Batch")
        return Fact(dtype, (_rows(step, a), _columns(step, b)) if plain else None)
    a = _turned(a, step.flag("transpose_a") or step.flag("adj_x"))
    b = _turned(b, step.flag("transpose_b") or step.flag("adj_y"))
    same(a[-1], b[-2])
    if step.node.op == "BatchMatMul":
        if len(a) != len(b):
            return Fact(dtype)
        return Fact(dtype, (*map(same, a[:-2], b[:-2]), a[-2], b[-1]))
    batch = broadcast(a[:-2], b[:-2])
    return Fact(dtype, None if batch is None else (*batch, a[-2], b[-1]))


def _fully_connected(step: Step) -> Fact:
    """TensorFlow Lite's linear layer: its weight lies (out, in), and what enters it may be flattened first."""
    x, weight = step.shape(0), step.shape(1)
    if not x or not weight or len(weight) != 2:
        return Fact(step.dtype)
    if step.flag("keep_dims"):
        return Fact(step.dtype, (*x[:-1], weight[0]))
    return Fact(step.dtype, (over(times(*x), weight[1]), weight[0]))


def _rows(step: Step, a: Shape | None) -> Dim:
    return None if a is None or len(a) != 2 else a[1 if step.flag("transpose_a") else 0]


def _columns(step: Step, b: Shape | None) -> Dim:
    return None if b is None or len(b) != 2 else b[0 if step.flag("transpose_b") else 1]


def _einsum(step: Step) -> Fact:
    equation = step.text("equation").replace(" ", "")
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(step.ins) or not arrow or len(equation) > 500:
        return Fact(step.dtype)
    sizes: dict[str, Dim] = {}
    spread: list[Shape] = []
    for term, fact in zip(terms, step.ins, strict=True):
        if fact.shape is None:
            if "..." in term:
                return Fact(step.dtype)
            continue
        head, dots, tail = term.partition("...")
        count = len(fact.shape) - len(head) - len(tail)
        if count < 0 or (count and not dots):
            raise MisfitError(f"takes {len(head) + len(tail)} dimensions and would get {len(fact.shape)}")
        spread += [fact.shape[len(head) : len(head) + count]] if dots else []
        ends = (*fact.shape[: len(head)], *fact.shape[len(head) + count :])
        for label, size in zip(head + tail, ends, strict=True):
            sizes[label] = same(sizes.get(label), size)
    middle = broadcast(*spread) if spread else ()
    head, _, tail = right.partition("...")
    shape = (*map(sizes.get, head), *(middle or ()), *map(sizes.get, tail))
    return Fact(step.dtype, shape)


def _reduce(dtype: str = "") -> Rule:
    def rule(step: Step) -> Fact:
        x, axes = step.shape(), step.at(1)
        kind = dtype or step.dtype
        keep = step.flag("keep_dims") or step.flag("keepdims")
        if axes.shape is not None and 0 in axes.shape:
            return Fact(kind, x)
        if x is None:
            return Fact(kind)
        numbers = axes.value
        if numbers is None or not all(isinstance(n, int) for n in numbers):
            unknown = (None,) * len(x) if keep else None
            count = axes.shape[0] if axes.shape else None if axes.shape is None else 1
            if unknown is None and isinstance(count, int) and count >= len(x):
                unknown = ()
            return Fact(kind, unknown if unknown is not None or len(x) else ())
        drop = {axis(n, len(x)) for n in numbers}
        if None in drop:
            raise MisfitError(f"works along an axis that {len(x)} dimensions do not have")
        return Fact(kind, tuple(1 if at in drop else size for at, size in enumerate(x) if keep or at not in drop))

    return rule


def _arg(step: Step) -> Fact:
    x, number = step.shape(), step.at(1).number
    kind = step.text("output_type", "int64")
    at = None if x is None else axis(number, len(x))
    if x is None or at is None:
        return Fact(kind, None if not x else (None,) * (len(x) - 1))
    return Fact(kind, (*x[:at], *x[at + 1 :]))


def _moments(step: Step) -> list[Fact]:
    """Softmax with its loss."""
    shape = broadcast(step.shape(0), step.shape(1)) if step.node.op[0] != "S" or "Sparse" not in step.node.op else None
    x = shape or step.shape(0)
    return [Fact(step.dtype, x[:1] if x else None), Fact(step.dtype, x)]


MATHS: dict[str, Rule] = {
    **named(
        _unary,
        "Relu Relu6 Elu Selu LeakyRelu Sigmoid Tanh Softplus Softsign Softmax LogSoftmax Abs Neg Sign Exp Expm1 Log "
        "Log1p Sqrt Rsqrt Square Reciprocal Inv Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Erf Erfc Erfinv "
        "Floor Ceil Round Rint Lgamma Digamma Identity StopGradient PreventGradient CheckNumerics Snapshot OnesLike "
        "ZerosLike Invert LogicalNot Cumsum Cumprod Conj LRN FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars "
        "FakeQuantWithMinMaxVarsPerChannel QuantizeAndDequantizeV2 QuantizeAndDequantizeV3 QuantizeAndDequantizeV4 "
        "ReverseV2 Reverse ReverseSequence Roll RandomShuffle HardSwish InvertPermutation "
        "MatrixBandPart BesselI0e BesselI1e StringLower StringUpper RegexReplace StaticRegexReplace StringStrip "
        "AdjustContrastv2 AdjustHue AdjustSaturation RGBToHSV HSVToRGB ClipByValue Prelu MatrixInverse Cholesky "
        "CumulativeLogsumexp Ndtri Gelu Mish DebugIdentityV2 Print PrintV2 OptimizationBarrier XlaOptimizationBarrier",
    ),
    **named(
        _elementwise,
        "Add AddV2 Sub Mul RealDiv Div FloorDiv TruncateDiv Mod FloorMod TruncateMod Maximum Minimum Pow "
        "SquaredDifference DivNoNan MulNoNan Atan2 BitwiseAnd BitwiseOr BitwiseXor LeftShift RightShift Xlogy Xdivy "
        "Xlog1py NextAfter Igamma Igammac Polygamma Zeta",
    ),
    **named(
        _truths,
        "Less LessEqual Greater GreaterEqual Equal NotEqual LogicalAnd LogicalOr ApproximateEqual",
    ),
    **named(_test, "IsNan IsInf IsFinite RegexFullMatch StaticRegexFullMatch"),
    **named(_sum_of, "AddN AccumulateNV2"),
    **named(_cast, "Cast"),
    "Bitcast": _bitcast,
    "L2Loss": _scalar,
    **named(_real, "Real Imag ComplexAbs Angle"),
    **named(_complex, "Complex"),
    **named(_biased, "BiasAdd BiasAddV1"),
    **named(_gated, "Select SelectV2"),
    **named(_matmul, "MatMul _FusedMatMul FusedMatMul _MklMatMul BatchMatMul BatchMatMulV2 BatchMatMulV3 SparseMatMul"),
    "Einsum": _einsum,
    "FullyConnected": _fully_connected,
    **named(_reduce(), "Mean Sum Max Min Prod EuclideanNorm"),
    **named(_reduce("bool"), "All Any"),
    **named(_arg, "ArgMax ArgMin"),
    **named(_moments, "SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits"),
}
