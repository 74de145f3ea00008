"""Shapes of torch's common operators, one rule each; an operator without a rule has an unknown shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inspector.formats._rules import named
from inspector.formats._torch_facts import Fact, MisfitError, Step, axis, broadcast, promote
from inspector.formats._torch_moves import (
    append_rule,
    cat_rule,
    construct_rule,
    count_rule,
    expand_rule,
    flatten_rule,
    grid_rule,
    item_rule,
    length_rule,
    like_rule,
    make_rule,
    pad_rule,
    permute_rule,
    pieces_rule,
    rank_rule,
    repeat_rule,
    select_rule,
    size_rule,
    slice_rule,
    squeeze_rule,
    stack_rule,
    to_rule,
    transpose_rule,
    unbind_rule,
    unflatten_rule,
    unpack_rule,
    unsqueeze_rule,
    view_rule,
)
from inspector.formats._torch_rules_linear import LINEAR
from inspector.formats._torch_rules_maths import RULES as MATHS
from inspector.formats._torch_rules_more import MORE
from inspector.formats._torch_rules_products import PRODUCTS
from inspector.formats._torch_rules_views import VIEWS
from inspector.formats._torch_sizes import over, plus, product
from inspector.ir import Dim, Shape

Rule = Callable[[Step], Any]


def _linear(step: Step) -> Fact:
    x, weight = step.shape(0), step.shape(1)
    dtype = step.at(1).dtype or step.at(0).dtype
    if not x or not weight:
        return Fact(dtype)
    _match("features", x[-1], weight[-1])
    return Fact(dtype, (*x[:-1], weight[0]))


def _match(what: str, got: Dim, wanted: Dim) -> None:
    """Two sizes that must be the same, where both are numbers."""
    if isinstance(got, int) and isinstance(wanted, int) and got != wanted:
        raise MisfitError(f"takes {wanted} {what} and would get {got}")


def _matmul(step: Step) -> Fact:
    a, b = step.shape(0), step.shape(1)
    dtype = promote(step.at(0), step.at(1))
    if not a or not b:
        return Fact(dtype)
    _match("columns", a[-1], b[-2] if len(b) > 1 else b[-1])
    if len(a) == 1 or len(b) == 1:
        return Fact(dtype, (*a[:-1], *b[:-2], *(b[-1:] if len(b) > 1 else ())))
    batch = broadcast(a[:-2], b[:-2])
    return Fact(dtype, None if batch is None else (*batch, a[-2], b[-1]))


def _addmm(step: Step) -> Fact:
    a, b = step.shape(1), step.shape(2)
    return Fact(step.at(1).dtype, (*a[:-1], b[-1]) if a and b else None)


def _slide(size: Dim, kernel: Any, stride: Any, pad: Any, dilation: Any, *, up: bool = False) -> Dim:
    """Length after a window slid over it."""
    if not all(isinstance(number, int) for number in (kernel, stride, pad, dilation)) or stride <= 0:
        return None
    if not isinstance(size, int):
        return None if up else plus(over(plus(size, 2 * pad - dilation * (kernel - 1) - 1), stride), 1)
    reach = size + 2 * pad - dilation * (kernel - 1) - 1
    steps = -(-reach // stride) if up else reach // stride
    if up and steps * stride >= size + pad:
        steps -= 1
    return steps + 1 if reach >= 0 else None


def _conv(step: Step) -> Fact:
    x, weight = step.shape(0), step.shape(1)
    dtype = step.at(1).dtype or step.at(0).dtype
    if x is None or weight is None or len(weight) < 3:
        return Fact(dtype)
    count = len(weight) - 2
    if len(x) not in (count + 2, count + 1):
        raise MisfitError(f"takes {count + 2} dimensions and would get {len(x)}")
    transposed = step.attribute("transposed") is True or "transpose" in step.node.op
    groups = step.number("groups", 1)
    if isinstance(groups, int) and isinstance(weight[1], int):
        _match("channels", x[-count - 1], weight[0] if transposed else weight[1] * groups)
    stride, dilation = step.numbers("stride", count, 1), step.numbers("dilation", count, 1)
    padding = step.attribute("padding")
    pads = [0] * count if isinstance(padding, str) else step.numbers("padding", count, 0)
    lead = x[: len(x) - count - 1]
    if transposed:
        extra = step.numbers("output_padding", count, 0)
        out = [_unslide(*args) for args in zip(x[-count:], weight[2:], stride, pads, dilation, extra, strict=True)]
        width = weight[1] * groups if isinstance(weight[1], int) and isinstance(groups, int) else None
        return Fact(dtype, (*lead, width, *out))
    if padding == "same":
        return Fact(dtype, (*lead, weight[0], *x[-count:]))
    out = [_slide(*args) for args in zip(x[-count:], weight[2:], stride, pads, dilation, strict=True)]
    return Fact(dtype, (*lead, weight[0], *out))


def _unslide(size: Dim, kernel: Any, stride: Any, pad: Any, dilation: Any, extra: Any) -> Dim:
    if not all(isinstance(number, int) for number in (kernel, stride, pad, dilation, extra)):
        return None
    return plus(product([size, stride]), dilation * (kernel - 1) + extra + 1 - stride - 2 * pad)


def _pool(count: int, outputs: int = 1) -> Rule:
    def rule(step: Step) -> Any:
        x = step.shape()
        if x is None or len(x) < count:
            return [Fact(step.at(0).dtype)] * outputs
        kernel = step.numbers("kernel_size", count)
        stride = step.numbers("stride", count) if step.attribute("stride") else kernel
        pads, dilation = step.numbers("padding", count, 0), step.numbers("dilation", count, 1)
        up = step.attribute("ceil_mode") is True
        sizes = zip(x[-count:], kernel, stride, pads, dilation, strict=True)
        shape = (*x[:-count], *(_slide(*args, up=up) for args in sizes))
        return [Fact(step.at(0).dtype, shape), *[Fact("int64", shape)] * (outputs - 1)][:outputs]

    return rule


def _adaptive(count: int, outputs: int = 1) -> Rule:
    def rule(step: Step) -> list[Fact]:
        x = step.shape()
        if x is None or len(x) < count:
            return [Fact(step.at(0).dtype)] * outputs
        said = step.attribute("output_size", step.at(1).value)  # a list of the program stands among the inputs
        stays = [each is None for each in said] if isinstance(said, tuple) and len(said) == count else [False] * count
        listed = isinstance(step.at(1).value, tuple) and len(step.at(1).value) == count
        wanted = list(step.at(1).value) if listed else step.numbers("output_size", count)
        sizes = [old if stay else new for new, old, stay in zip(wanted, x[-count:], stays, strict=True)]
        shape = (*x[:-count], *sizes)
        return [Fact(step.at(0).dtype, shape), *[Fact("int64", shape)] * (outputs - 1)]

    return rule


def _topk(step: Step) -> list[Fact]:
    x = step.shape()
    at = axis(step.number("dim", -1), len(x)) if x else None
    shape = None if x is None or at is None else (*x[:at], step.number("k"), *x[at + 1 :])
    return [Fact(step.at(0).dtype, shape), Fact("int64", shape)]


def _made_like(step: Step) -> Fact:
    """A new tensor with another's dtype."""
    made = make_rule(step)
    return Fact(made.dtype or step.at(0).dtype, made.shape)


def _ordered(step: Step) -> list[Fact]:
    return [Fact(step.at(0).dtype, step.shape()), Fact("int64", step.shape())]


def _embedding(step: Step) -> Fact:
    weight, x = step.shape(0), step.shape(1)
    return Fact(step.at(0).dtype, (*x, weight[-1]) if x is not None and weight else None)


def _recurrent(cells: int) -> Rule:
    def rule(step: Step) -> list[Fact]:
        x, state = step.shape(0), step.shape(1)
        weights = [fact for fact in step.ins[1 + cells :] if fact and fact.shape]
        dtype = weights[0].dtype if weights else step.at(0).dtype
        hidden = state[-1] if state else (weights[1].shape or (None,))[-1] if len(weights) > 1 else None
        ways = 2 if step.attribute("bidirectional") is True else 1
        layers = step.number("num_layers", 1)
        if x is None or len(x) < 2:
            return [Fact(dtype)] * (1 + cells)
        out = product([hidden, ways]) if isinstance(hidden, int) else None
        batch = x[0] if step.attribute("batch_first") is True else x[1]
        depth = layers * ways if isinstance(layers, int) else None
        widths = [(step.shape(1 + at) or (hidden,))[-1] for at in range(cells)]  # a projection narrows only the first
        lasts: list[Shape] = [(depth, *((batch,) if len(x) == 3 else ()), width) for width in widths]
        return [Fact(dtype, (*x[:-1], out)), *(Fact(dtype, last) for last in lasts)]

    return rule


def _attention(step: Step) -> Fact:
    query, value = step.shape(0), step.shape(2)
    return Fact(step.at(0).dtype, (*query[:-1], value[-1]) if query and value else None)


def _scaled(size: Dim, factor: Any) -> Dim:
    if not isinstance(factor, int | float):
        return None
    if isinstance(size, int):
        return int(size * factor)
    return product([size, int(factor)]) if factor == int(factor) else None


def _upsample(count: int) -> Rule:
    def rule(step: Step) -> Fact:
        x, wanted = step.shape(), step.attribute("output_size", step.at(1).value)
        if x is None or len(x) < count:
            return Fact(step.at(0).dtype)
        if isinstance(wanted, tuple):
            sizes = step.numbers("output_size", count) if "output_size" in step.node.attributes else list(wanted)
            return Fact(step.at(0).dtype, (*x[:-count], *sizes))
        factors = step.attribute("scale_factors", step.at(len(step.ins) - 1).value)
        scale = factors if isinstance(factors, tuple) and len(factors) == count else (None,) * count
        pairs = zip(x[-count:], scale, strict=True)
        return Fact(step.at(0).dtype, (*x[:-count], *(_scaled(size, factor) for size, factor in pairs)))

    return rule


RULES: dict[str, Rule] = {
    **MATHS,
    **VIEWS,
    **MORE,
    **LINEAR,
    **PRODUCTS,
    **named(
        _conv,
        "conv1d conv2d conv3d _convolution convolution _convolution_mode conv_transpose1d "
        "conv_transpose2d conv_transpose3d",
    ),
    **named(_matmul, "matmul linalg_matmul mm bmm mv dot _sparse_mm"),
    **named(_addmm, "addmm baddbmm"),
    **named(view_rule, "view reshape _unsafe_view"),
    **named(permute_rule, "permute"),
    **named(transpose_rule, "transpose t swapaxes swapdims numpy_T"),
    **named(pieces_rule, "split split_with_sizes chunk unsafe_chunk unsafe_split unsafe_split_with_sizes"),
    **named(_attention, "scaled_dot_product_attention"),
    **named(_made_like, "new_zeros new_ones new_full new_empty"),
    **named(like_rule, "zeros_like ones_like full_like empty_like rand_like randn_like"),
    **named(
        pad_rule,
        "pad constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d "
        "replication_pad1d replication_pad2d replication_pad3d",
    ),
    **named(construct_rule, "ListConstruct TupleConstruct"),
    **named(unpack_rule, "ListUnpack TupleUnpack"),
    "__getitem__": item_rule,
    "append": append_rule,
    "len": length_rule,
    "meshgrid": grid_rule,
    "linear": _linear,
    "flatten": flatten_rule,
    "unflatten": unflatten_rule,
    "squeeze": squeeze_rule,
    "unsqueeze": unsqueeze_rule,
    "expand": expand_rule,
    "expand_as": lambda step: Fact(step.at(0).dtype, step.shape(1)),
    "type_as": lambda step: Fact(step.at(1).dtype, step.shape()),
    "repeat": repeat_rule,
    "cat": cat_rule,
    "stack": stack_rule,
    "unbind": unbind_rule,
    "select": select_rule,
    "slice": slice_rule,
    **named(_topk, "topk"),
    **named(_ordered, "cummax cummin"),
    "embedding": _embedding,
    "lstm": _recurrent(2),
    "gru": _recurrent(1),
    "rnn_tanh": _recurrent(1),
    "rnn_relu": _recurrent(1),
    **named(to_rule, "to _to_copy"),
    "size": size_rule,
    "dim": rank_rule,
    "numel": count_rule,
    "max_pool1d": _pool(1),
    "max_pool2d": _pool(2),
    "max_pool3d": _pool(3),
    "max_pool2d_with_indices": _pool(2, 2),
    "avg_pool1d": _pool(1),
    "avg_pool2d": _pool(2),
    "avg_pool3d": _pool(3),
    "adaptive_avg_pool1d": _adaptive(1),
    **named(_adaptive(2), "adaptive_avg_pool2d _adaptive_avg_pool2d"),
    **named(_adaptive(3), "adaptive_avg_pool3d _adaptive_avg_pool3d"),
    "adaptive_max_pool1d": _adaptive(1, 2),
    "adaptive_max_pool2d": _adaptive(2, 2),
    "adaptive_max_pool3d": _adaptive(3, 2),
    "max_pool1d_with_indices": _pool(1, 2),
    "max_pool3d_with_indices": _pool(3, 2),
    "upsample_nearest2d": _upsample(2),
    "upsample_bilinear2d": _upsample(2),
    **named(
        _upsample(2), "upsample_bicubic2d _upsample_bilinear2d_aa _upsample_bicubic2d_aa _upsample_nearest_exact2d"
    ),
    **named(_upsample(1), "upsample_nearest1d upsample_linear1d _upsample_nearest_exact1d"),
    **named(_upsample(3), "upsample_nearest3d upsample_trilinear3d _upsample_nearest_exact3d"),
    "mkldnn_convolution": lambda step: Fact(step.at(0).dtype),
}
"""By name without namespace and without the underscore of what works in place."""
