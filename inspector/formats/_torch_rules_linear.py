"""Shapes of torch's linear algebra, Fourier transforms, distances, and less common layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inspector.formats._rules import named
from inspector.formats._torch_facts import Fact, Step, axis, broadcast, promote
from inspector.formats._torch_rules_maths import COMPLEX, REAL, floating, kept, same
from inspector.formats._torch_rules_views import turned
from inspector.formats._torch_sizes import least, minus, over, plus, product
from inspector.ir import Dim, Shape

Rule = Callable[[Step], Any]


def _square(step: Step) -> Fact:
    return Fact(floating(step.at(0).dtype), step.shape())


def _number(step: Step) -> Fact:
    """One number for each matrix."""
    x = step.shape()
    return Fact(step.at(0).dtype, x[:-2] if x is not None and len(x) > 1 else None)


def _vector_times(step: Step) -> Fact:
    """addmv: the rows of a matrix."""
    matrix = step.shape(1)
    return Fact(promote(step.at(0), step.at(1)), matrix[:1] if matrix else None)


def _outer_added(step: Step) -> Fact:
    a, b = step.shape(1), step.shape(2)
    return Fact(promote(step.at(0), step.at(1)), (a[0], b[0]) if a and b else None)


def _summed_products(step: Step) -> Fact:
    """addbmm: the products of a batch, added up."""
    a, b = step.shape(1), step.shape(2)
    return Fact(step.at(1).dtype, (a[1], b[2]) if a and b and len(a) == len(b) == 3 else None)


def _inner(step: Step) -> Fact:
    a, b = step.shape(0), step.shape(1)
    dtype = promote(step.at(0), step.at(1))
    if a is None or b is None:
        return Fact(dtype)
    return Fact(dtype, (*a[:-1], *b[:-1]) if a and b else (*a, *b))


def _along(step: Step) -> Fact:
    """Vectors along a dimension, which falls away: their products, distances, or likeness."""
    shape = broadcast(step.shape(0), step.shape(1))
    default = 1 if step.node.op.endswith("cosine_similarity") else -1
    return Fact(floating(promote(step.at(0), step.at(1))), None if shape is None else kept(step, shape, default))


def _crossed(step: Step) -> Fact:
    return Fact(promote(step.at(0), step.at(1)), broadcast(step.shape(0), step.shape(1)))


def _pairs(step: Step) -> Fact:
    x = step.shape()
    return Fact(step.at(0).dtype, (over(product([x[0], minus(x[0], 1)]), 2),) if x else None)


def _matrix_norm(step: Step) -> Fact:
    x, dtype = step.shape(), REAL.get(step.at(0).dtype, step.at(0).dtype)
    if x is None or len(x) < 2:
        return Fact(dtype)
    return Fact(dtype, kept(step, x) if step.attribute("dim") else (*x[:-2], 1, 1) if _keeps(step) else x[:-2])


def _keeps(step: Step) -> bool:
    return step.attribute("keepdim") is True


def _decomposed(make: Callable[[Step, Shape, Dim, Dim], list[tuple[str, Shape | None]]]) -> Rule:
    """Several matrices of one: `make` is given what stands before rows and columns, and those."""

    def rule(step: Step) -> list[Fact]:
        x = step.shape()
        if x is None or len(x) < 2:
            return [Fact("")] * len(step.node.outputs)
        dtype = step.at(0).dtype
        return [Fact(kind or dtype, shape) for kind, shape in make(step, x[:-2], x[-2], x[-1])]

    return rule


def _qr(step: Step, lead: Shape, rows: Dim, columns: Dim) -> list[tuple[str, Shape | None]]:
    inner = rows if step.attribute("mode") == "complete" or step.attribute("some") is False else least(rows, columns)
    return [("", (*lead, rows, inner)), ("", (*lead, inner, columns))]


def _svd(step: Step, lead: Shape, rows: Dim, columns: Dim) -> list[tuple[str, Shape | None]]:
    some, real = least(rows, columns), REAL.get(step.at(0).dtype, "")
    turned = not step.node.op.endswith("linalg_svd")  # torch.svd gives V, not its transpose
    whole = step.attribute("some") is False if turned else step.attribute("full_matrices") is not False
    left = (*lead, rows, rows if whole else some)
    wide = columns if whole else some
    return [("", left), (real, (*lead, some)), ("", (*lead, columns, wide) if turned else (*lead, wide, columns))]


def _eigen(step: Step, lead: Shape, rows: Dim, columns: Dim) -> list[tuple[str, Shape | None]]:
    dtype = step.at(0).dtype
    if step.node.op.endswith("eigh"):
        return [(REAL.get(dtype, ""), (*lead, rows)), ("", (*lead, rows, columns))]
    kind = COMPLEX.get(dtype, dtype)
    return [(kind, (*lead, rows)), (kind, (*lead, rows, columns))]


def _lu(step: Step, lead: Shape, rows: Dim, columns: Dim) -> list[tuple[str, Shape | None]]:
    inner = least(rows, columns)
    return [("", (*lead, rows, rows)), ("", (*lead, rows, inner)), ("", (*lead, inner, columns))]


def _singular(step: Step) -> Fact:
    x, dtype = step.shape(), step.at(0).dtype
    return Fact(REAL.get(dtype, dtype), (*x[:-2], least(x[-2], x[-1])) if x and len(x) > 1 else None)


def _eigenvalues(step: Step) -> Fact:
    x, dtype = step.shape(), step.at(0).dtype
    kind = REAL.get(dtype, dtype) if step.node.op.endswith("eigvalsh") else COMPLEX.get(dtype, dtype)
    return Fact(kind, x[:-1] if x else None)


def _solved(step: Step) -> Fact:
    """The unknowns of a system, shaped as its right side, which may be vectors."""
    a, b = step.shape(0), step.shape(1)
    dtype = promote(step.at(0), step.at(1))
    if a is None or b is None or len(a) < 2 or not b:
        return Fact(dtype)
    if len(b) == 1 or (len(b) == len(a) - 1 and b == a[:-1]):
        return Fact(dtype, (*a[:-2], a[-1]))
    batch = broadcast(a[:-2], b[:-2])
    return Fact(dtype, None if batch is None else (*batch, a[-1], b[-1]))


def _solved_first(step: Step) -> Any:
    """The right side stands first."""
    b = Fact(step.at(0).dtype, step.shape())
    return [b, Fact(step.at(1).dtype, step.shape(1))][: len(step.node.outputs)]


def _fitted(step: Step) -> list[Fact]:
    a, b = step.shape(0), step.shape(1)
    shape = (*a[:-2], a[-1], *b[len(a) - 1 :]) if a and b and len(a) > 1 and len(b) > 1 else None
    dtype = step.at(0).dtype
    return [Fact(dtype, shape), Fact(dtype), Fact("int64"), Fact(dtype)][: len(step.node.outputs)]


def _checked(step: Step) -> list[Fact]:
    """A matrix, and whether it could be made."""
    x = step.shape()
    return [same(step), Fact("int32", x[:-2] if x and len(x) > 1 else None)]


def _factored(step: Step) -> list[Fact]:
    """A matrix, and a whole number for each of its rows."""
    x = step.shape()
    pivots = (*x[:-2], least(x[-2], x[-1])) if x and len(x) > 1 else None
    kind = step.at(0).dtype if step.node.op.endswith("geqrf") else "int32"
    rest = [Fact(kind, pivots), Fact("int32", x[:-2] if x and len(x) > 1 else None)]
    return [same(step), *rest][: max(1, len(step.node.outputs))]


def _diagonal(step: Step) -> Fact:
    x, shift = step.shape(), step.number("offset", 0)
    if x is None or len(x) < 2 or step.attribute("dim1") is not None or step.attribute("dim2") is not None:
        return Fact(step.at(0).dtype)
    rows, columns = x[-2:]
    known = isinstance(rows, int) and isinstance(columns, int) and isinstance(shift, int)
    length = max(0, min(rows + min(shift, 0), columns - max(shift, 0))) if known else None
    return Fact(step.at(0).dtype, (*x[:-2], length))


def _tensor_inverse(step: Step) -> Fact:
    x, at = step.shape(), step.number("ind", 2)
    return Fact(step.at(0).dtype, (*x[at:], *x[:at]) if x is not None and isinstance(at, int) else None)


def _covariance(step: Step) -> Fact:
    x = step.shape()
    return Fact(floating(step.at(0).dtype), None if x is None else (x[0], x[0]) if len(x) > 1 else ())


def _fourier(step: Step) -> Fact:
    """One, two or any number of dimensions; of real numbers half of the last one is enough."""
    x, name = step.shape(), step.node.op.rpartition("::")[2]
    real = floating(REAL.get(step.at(0).dtype, step.at(0).dtype))
    back = name.startswith(("fft_irfft", "fft_hfft"))
    kind = real if back else COMPLEX.get(real, "complex64")
    if x is None:
        return Fact(kind)
    sizes, dims = _asked(step, name, x)
    places = [axis(dim, len(x)) for dim in dims]
    if not places or None in places or len(sizes) != len(places):
        return Fact(kind)
    out: list[Dim] = list(x)
    for at, size in zip(places, sizes, strict=True):
        out[at or 0] = x[at or 0] if size in (None, -1) else size
    last, told = places[-1] or 0, sizes[-1] not in (None, -1)
    if name.startswith(("fft_rfft", "fft_ihfft")):
        out[last] = plus(over(out[last], 2), 1)
    elif back and not told:
        out[last] = product([2, minus(out[last], 1)])
    return Fact(kind, tuple(out))


def _asked(step: Step, name: str, x: Shape) -> tuple[list[Any], list[Any]]:
    """The lengths that are asked for, and along which dimensions."""
    if name[-1] not in "2n":
        return [step.number("n") if step.attribute("n") is not None else None], [step.number("dim", -1)]
    lengths = step.numbers("s", 1) if step.attribute("s") else []
    if step.attribute("dim"):
        dims = step.numbers("dim", 1)
    elif name.endswith("2"):
        dims = [-2, -1]
    else:
        dims = list(range(-len(lengths), 0)) if lengths else list(range(len(x)))
    return lengths or [None] * len(dims), dims


def _sounded(step: Step) -> Fact:
    """istft: as long as is asked for, or as the frames last."""
    x, n = step.shape(), step.number("n_fft")
    real = REAL.get(step.at(0).dtype, "float32")
    hop = step.number("hop_length") if step.attribute("hop_length") is not None else n // 4
    if x is None or len(x) < 2:
        return Fact(real)
    cut = n - n % 2 if step.attribute("center") is not False else 0
    length = step.number("length") if step.attribute("length") is not None else None
    if length is None:
        length = plus(product([minus(x[-1], 1), hop]), n - cut)
    return Fact(real, (*x[:-2], length))


def _grid_of(step: Step) -> Fact:
    """affine_grid: a place of as many coordinates as there are dimensions, for each of the size."""
    theta, size = step.shape(), step.sizes("size")
    shape = (size[0], *size[2:], len(size) - 2) if size is not None and len(size) > 2 else None
    return Fact(step.at(0).dtype, shape if theta is None or len(theta) == 3 else None)


def _time_batch_channels(step: Step) -> Fact:
    x, weight, pad = step.shape(0), step.shape(1), step.number("pad", 0)
    if not x or not weight or len(x) != 3 or len(weight) != 3 or not isinstance(pad, int):
        return Fact(step.at(0).dtype)
    return Fact(step.at(0).dtype, (plus(minus(plus(x[0], 2 * pad), weight[0]), 1), x[1], weight[2]))


def _wanted(count: int, outputs: int = 1) -> Rule:
    """As large as is asked for in the last dimensions."""

    def rule(step: Step) -> list[Fact]:
        x = step.shape()
        asked = [step.at(0).dtype, "int64"][:outputs]
        if x is None or len(x) < count or "output_size" not in step.node.attributes:
            return [Fact(kind) for kind in asked]
        shape = (*x[:-count], *step.numbers("output_size", count))
        return [Fact(kind, shape) for kind in asked]

    return rule


def _statistics(step: Step) -> list[Fact]:
    """A normalisation, and the mean and deviation of what it took together."""
    x, name = step.shape(), step.node.op.rpartition("::")[2]
    small: Shape | None = None
    if x is not None and name == "native_group_norm":
        small = (step.number("N", x[0]), step.number("group"))
    elif x is not None and name in ("_fused_rms_norm", "native_layer_norm"):
        whole = len(step.numbers("normalized_shape", 1))
        small = (*x[: len(x) - whole], *(1,) * whole)
    return [same(step), *[Fact(step.at(0).dtype, small)] * (len(step.node.outputs) - 1)]


def _attended(step: Step) -> list[Fact]:
    """Attention, and what it keeps for its gradient: sums of scores, or the scores themselves."""
    q, k, v = step.shape(0), step.shape(1), step.shape(2)
    dtype = step.at(0).dtype
    if not q or not k or not v or len(q) < 2 or len(k) < 2:
        return [Fact(dtype)] * len(step.node.outputs)
    scores = (*q[:-1], k[-2]) if step.node.op.endswith("_math") else q[:-1]
    second = Fact(dtype if step.node.op.endswith("_math") else "float32", scores)
    return [Fact(dtype, (*q[:-1], v[-1])), second, *[Fact()] * 8][: len(step.node.outputs)]


LINEAR: dict[str, Rule] = {
    "addmv": _vector_times,
    "addr": _outer_added,
    "addbmm": _summed_products,
    "inner": _inner,
    "ger": lambda step: Fact(promote(step.at(0), step.at(1)), (*(step.shape(0) or ()), *(step.shape(1) or ()))),
    **named(_along, "linalg_vecdot cosine_similarity pairwise_distance"),
    **named(_crossed, "cross linalg_cross"),
    "vdot": lambda step: Fact(promote(step.at(0), step.at(1)), ()),
    **named(_pairs, "pdist"),
    **named(lambda step: Fact(step.at(0).dtype, ()), "trace dist"),
    **named(_number, "det linalg_det logdet"),
    **named(
        _decomposed(lambda step, lead, rows, columns: [("", lead), (REAL.get(step.at(0).dtype, ""), lead)]),
        "slogdet linalg_slogdet",
    ),
    **named(lambda step: Fact("int64", _number(step).shape), "linalg_matrix_rank matrix_rank"),
    "linalg_cond": lambda step: Fact(REAL.get(step.at(0).dtype, step.at(0).dtype), _number(step).shape),
    "linalg_matrix_norm": _matrix_norm,
    **named(
        _square,
        "inverse linalg_inv cholesky linalg_cholesky matrix_power linalg_matrix_power matrix_exp linalg_matrix_exp "
        "linalg_householder_product cholesky_inverse",
    ),
    **named(turned, "linalg_pinv pinverse"),
    **named(_decomposed(_qr), "linalg_qr qr"),
    **named(_decomposed(_svd), "linalg_svd svd"),
    **named(_decomposed(_eigen), "linalg_eig linalg_eigh"),
    "linalg_lu": _decomposed(_lu),
    **named(_singular, "linalg_svdvals"),
    **named(_eigenvalues, "linalg_eigvals linalg_eigvalsh"),
    **named(_solved, "linalg_solve linalg_solve_triangular"),
    **named(_solved_first, "cholesky_solve lu_solve triangular_solve"),
    "linalg_lstsq": _fitted,
    **named(_checked, "linalg_inv_ex linalg_cholesky_ex"),
    **named(_factored, "linalg_lu_factor linalg_lu_factor_ex linalg_ldl_factor linalg_ldl_factor_ex geqrf"),
    "linalg_diagonal": _diagonal,
    "linalg_tensorinv": _tensor_inverse,
    **named(_covariance, "cov corrcoef"),
    **named(
        _fourier,
        "fft_fft fft_ifft fft_rfft fft_irfft fft_hfft fft_ihfft fft_fft2 fft_ifft2 fft_rfft2 fft_irfft2 fft_hfft2 "
        "fft_ihfft2 fft_fftn fft_ifftn fft_rfftn fft_irfftn fft_hfftn fft_ihfftn",
    ),
    "istft": _sounded,
    "affine_grid_generator": _grid_of,
    "conv_tbc": _time_batch_channels,
    "max_unpool2d": _wanted(2),
    "max_unpool3d": _wanted(3),
    "fractional_max_pool2d": _wanted(2, 2),
    "fractional_max_pool3d": _wanted(3, 2),
    **named(_statistics, "native_group_norm _fused_rms_norm native_layer_norm native_batch_norm native_dropout"),
    **named(
        _attended,
        "_scaled_dot_product_attention_math _scaled_dot_product_flash_attention "
        "_scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_efficient_attention "
        "_scaled_dot_product_cudnn_attention",
    ),
}
"""By name without namespace and without the underscore of what works in place."""
