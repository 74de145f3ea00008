"""Shapes and types of torch's arithmetic: what works on elements or sums over them, and losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inspector.formats._rules import named
from inspector.formats._torch_facts import NOTHING, WHOLE, Fact, Step, axis, broadcast, promote
from inspector.ir import Shape

Rule = Callable[[Step], Any]

REAL = {"complex32": "float16", "complex64": "float32", "complex128": "float64"}
"""Of complex numbers the type of their parts."""
COMPLEX = {part: whole for whole, part in REAL.items()}
DEFAULT = "float32"
"""What torch computes in where nothing is said; few programs change it."""


def floating(dtype: str) -> str:
    """The type in which torch takes roots and logarithms of numbers of another."""
    return DEFAULT if dtype in WHOLE else dtype


def told(step: Step, default: str) -> str:
    """The type that the node is told to give; empty where the program works it out."""
    return default if step.attribute("dtype") is None else step.dtype()


def same(step: Step) -> Fact:
    """The first input's type and shape."""
    return Fact(step.at(0).dtype, step.shape())


def elementwise(step: Step) -> Fact:
    """The inputs' common type and shape; numbers of the program may widen integers, not real numbers."""
    facts = [fact for fact in step.ins if fact]
    dtype = promote(*facts)
    numbers = [step.attribute(name) for name in ("self", "other", "exponent", "arg0", "arg1")]
    numbers += [fact.value for fact in facts if not fact.dtype and fact.known]
    if dtype in WHOLE and any(isinstance(number, float) for number in numbers):
        dtype = DEFAULT
    elif dtype == "bool" and any(type(number) is int for number in numbers):
        dtype = "int64"
    return Fact(dtype, broadcast(*(fact.shape for fact in facts)))


def _quotient(step: Step) -> Fact:
    found = elementwise(step)
    return found if step.attribute("rounding_mode") else Fact(floating(found.dtype), found.shape)


def _truths(step: Step) -> Fact:
    return Fact("bool", elementwise(step).shape)


def _real(step: Step) -> Fact:
    found = elementwise(step)
    return Fact(floating(found.dtype), found.shape)


def _double(step: Step) -> Fact:
    return Fact("float64", elementwise(step).shape)


def _size(step: Step) -> Fact:
    """abs, angle, real, imag: real numbers of complex ones."""
    x = step.at(0)
    return Fact(REAL.get(x.dtype, x.dtype), x.shape)


def _paired(step: Step) -> Fact:
    found = elementwise(step)
    return Fact(COMPLEX.get(found.dtype, "complex64"), found.shape)


def _soft(step: Step) -> Fact:
    """What may be told in which type to work."""
    return Fact(told(step, floating(step.at(0).dtype)), step.shape())


def _running(step: Step) -> Fact:
    x = step.at(0)
    return Fact(told(step, "int64" if x.dtype in WHOLE else x.dtype), x.shape)


def _where(step: Step) -> Fact | list[Fact]:
    facts = [fact for fact in step.ins if fact]
    if len(facts) == 1 and not {"self", "other"} & step.node.attributes.keys():
        return [Fact("int64", (None,))] * len(step.shape() or (0,))  # the places where it is true
    dtype = promote(*facts[1:])
    given = [step.attribute(name) for name in ("self", "other")]
    if dtype in (WHOLE if dtype else {""}) and any(isinstance(number, float) for number in given):
        dtype = DEFAULT
    return Fact(dtype, broadcast(*(fact.shape for fact in facts)))


def kept(step: Step, x: Shape, default: Any = None) -> Shape:
    """What a reduction leaves of a shape; without dimensions, or with none, it goes over all."""
    given = step.node.attributes.get("dim", default)
    if given is None or given == ():
        drop: set[int | None] = set(range(len(x)))
    else:
        drop = {axis(dim, len(x)) for dim in (step.numbers("dim", 1) if "dim" in step.node.attributes else [given])}
    if step.attribute("keepdim") is True:
        return tuple(1 if at in drop else size for at, size in enumerate(x))
    return tuple(size for at, size in enumerate(x) if at not in drop)


def reduced(
    dtype: str = "", *, wide: bool = False, real: bool = False, twice: bool = False, default: Any = None
) -> Rule:
    """A reduction.

    Args:
        dtype: Of the result, where it does not follow from the input.
        wide: Whether integers are summed up as the widest.
        real: Whether the result is a real number, whatever the input is.
        twice: Whether there is a second result of the same type; else a second one are indices.
        default: The dimension where none is said; None for all.
    """

    def rule(step: Step) -> Any:
        x, given, count = step.shape(), step.at(0).dtype, max(1, len(step.node.outputs))
        if any(name.startswith("arg") and name[3:].isdecimal() for name in step.node.attributes):
            return NOTHING  # an overload whose arguments we do not know
        if wide and given in WHOLE:
            given = "int64"
        kind = dtype or told(step, REAL.get(floating(given), floating(given)) if real else given)
        known = x is not None and not (isinstance(step.attribute("dim"), str) and step.number("dim") is None)
        shape = kept(step, x, default) if x is not None and known else None
        return [Fact(kind, shape), Fact(kind if twice else "int64", shape)][:count]

    return rule


def _greatest(step: Step) -> Any:
    """max and min: of two tensors, of all elements, or along a dimension."""
    return elementwise(step) if len([fact for fact in step.ins if fact]) > 1 else reduced()(step)


def _quantile(step: Step) -> Fact:
    """As many as are asked for stand in front."""
    x = step.shape()
    asked = step.at(1) if len(step.ins) > 1 and "q" not in step.node.attributes else Fact(shape=())
    if x is None or asked.shape is None:
        return Fact(step.at(0).dtype)
    return Fact(step.at(0).dtype, (*asked.shape, *kept(step, x)))


NONE = 0
"""How torch numbers the reduction of a loss that leaves one number for each sample."""


def _loss(each: Callable[[Step], Shape | None]) -> Rule:
    def rule(step: Step) -> Fact:
        dtype = floating(step.at(0).dtype)
        return Fact(dtype, each(step) if step.number("reduction", 1) == NONE else ())

    return rule


def _all_but(at: int) -> Callable[[Step], Shape | None]:
    def shape(step: Step) -> Shape | None:
        x = step.shape()
        place = axis(at, len(x)) if x and len(x) > 1 else 0
        return None if x is None or place is None else (*x[:place], *x[place + 1 :])

    return shape


RULES: dict[str, Rule] = {
    **named(
        same,
        "relu relu6 leaky_relu elu selu celu gelu silu mish hardswish hardsigmoid hardtanh softplus softsign prelu "
        "log_sigmoid dropout feature_dropout alpha_dropout feature_alpha_dropout batch_norm layer_norm group_norm "
        "instance_norm contiguous clone detach neg floor ceil round clamp clamp_min clamp_max flip roll tril triu "
        "masked_fill square to_dense to_sparse to_mkldnn nan_to_num threshold rrelu sign rms_norm channel_shuffle "
        "bernoulli masked_scatter sgn trunc fix frac positive _conj conj conj_physical resolve_conj resolve_neg "
        "hardshrink softshrink renorm msort logcumsumexp flipud fliplr zero fill uniform normal exponential geometric "
        "cauchy log_normal random poisson native_channel_shuffle fft_fftshift fft_ifftshift copy heaviside "
        "special_round fake_quantize_per_tensor_affine fake_quantize_per_channel_affine lift_fresh alias "
        "lift_fresh_copy lift _fused_dropout",
    ),
    **named(
        _real,
        "exp exp2 expm1 log log2 log10 log1p sqrt rsqrt sin cos tan asin acos atan sinh cosh asinh acosh atanh sigmoid "
        "tanh erf erfc erfinv lgamma digamma reciprocal logit sinc i0 mvlgamma polygamma rad2deg deg2rad atan2 xlogy "
        "logaddexp logaddexp2 igamma igammac special_i0e special_i1 special_i1e special_entr special_log_ndtr "
        "special_ndtri special_ndtr special_erfcx special_zeta special_xlog1py special_xlogy special_gammaln "
        "special_psi special_expit special_sinc special_logit special_erf special_erfc special_erfinv special_exp2 "
        "special_expm1 special_log1p special_digamma special_polygamma special_multigammaln special_gammainc "
        "special_gammaincc special_bessel_j0 special_bessel_j1 special_bessel_y0 special_bessel_y1",
    ),
    **named(
        elementwise,
        "add sub subtract rsub mul multiply pow maximum minimum remainder floor_divide fmod addcmul addcdiv lerp fmax "
        "fmin hypot copysign nextafter ldexp gcd lcm bitwise_and bitwise_or bitwise_xor bitwise_left_shift "
        "bitwise_right_shift bitwise_not __and__ __or__ __xor__ __lshift__ __rshift__",
    ),
    **named(_quotient, "div divide true_divide"),
    "float_power": _double,
    **named(
        _truths,
        "eq ne lt le gt ge logical_and logical_or logical_not logical_xor isnan isinf isfinite isneginf isposinf "
        "isreal signbit isclose",
    ),
    "isin": lambda step: Fact("bool", step.shape()),
    **named(_size, "abs angle real imag"),
    **named(_paired, "polar complex"),
    "view_as_real": lambda step: Fact(_size(step).dtype, None if step.shape() is None else (*(step.shape() or ()), 2)),
    "view_as_complex": lambda step: Fact(
        COMPLEX.get(step.at(0).dtype, "complex64"), None if step.shape() is None else (step.shape() or ())[:-1]
    ),
    "frexp": lambda step: [same(step), Fact("int32", step.shape())],
    **named(_soft, "softmax log_softmax _softmax _log_softmax _safe_softmax special_softmax special_log_softmax"),
    **named(_running, "cumsum cumprod"),
    "where": _where,
    **named(reduced(wide=True), "sum prod nansum"),
    **named(reduced(real=True), "mean nanmean std var norm linalg_vector_norm linalg_norm frobenius_norm"),
    **named(reduced(real=True, twice=True), "std_mean var_mean"),
    **named(reduced(), "amax amin logsumexp special_logsumexp nuclear_norm median nanmedian"),
    **named(reduced(default=-1), "mode kthvalue"),
    **named(reduced(twice=True), "aminmax _aminmax"),
    **named(_greatest, "max min"),
    **named(reduced("int64"), "argmax argmin count_nonzero"),
    **named(reduced("bool"), "all any"),
    **named(_quantile, "quantile nanquantile"),
    **named(
        _loss(lambda step: elementwise(step).shape),
        "mse_loss l1_loss smooth_l1_loss huber_loss kl_div binary_cross_entropy binary_cross_entropy_with_logits "
        "margin_ranking_loss soft_margin_loss poisson_nll_loss hinge_embedding_loss",
    ),
    **named(_loss(_all_but(1)), "cross_entropy_loss nll_loss_nd nll_loss2d nll_loss multi_margin_loss "
            "multilabel_margin_loss"),
    **named(_loss(_all_but(-1)), "triplet_margin_loss cosine_embedding_loss"),
    **named(_loss(lambda step: None), "ctc_loss"),
}  # fmt: skip
"""By name without namespace and without the underscore of what works in place."""
