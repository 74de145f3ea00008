"""Shapes of torch's less common operators: recurrent cells, folds, lookups, sorts, transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inspector.formats._rules import named
from inspector.formats._torch_facts import Fact, Step, axis, broadcast
from inspector.formats._torch_sizes import minus, over, part_of, plus, product
from inspector.ir import Dim, Shape

Rule = Callable[[Step], Any]


def _cell(states: int) -> Rule:
    """One step of a recurrence; the last of its hidden state says how many there are."""

    def rule(step: Step) -> list[Fact]:
        x, weight = step.shape(0), next((f.shape for f in step.ins[1 + states :] if f and f.shape), None)
        state = step.shape(1)
        wide = state[-1] if state else None
        if wide is None and weight and isinstance(weight[0], int):
            wide = weight[0] // {"lstm_cell": 4, "gru_cell": 3}.get(step.node.op.rpartition("::")[2], 1)
        return [Fact(step.at(0).dtype, (*x[:-1], wide) if x else None)] * states

    return rule


def _glu(step: Step) -> Fact:
    x = step.shape()
    at = axis(step.number("dim", -1), len(x)) if x else None
    if x is None or at is None:
        return Fact(step.at(0).dtype)
    return Fact(step.at(0).dtype, (*x[:at], over(x[at], 2), *x[at + 1 :]))


def _windows(step: Step) -> Fact:
    """Tensor.unfold: a dimension in windows, which become the last dimension."""
    x = step.shape()
    at = axis(step.number("dimension", 0), len(x)) if x else None
    size, by = step.number("size"), step.number("step")
    if x is None or at is None:
        return Fact(step.at(0).dtype)
    known = isinstance(size, int) and isinstance(by, int) and by > 0
    count = plus(over(minus(x[at], size), by), 1) if known else None
    return Fact(step.at(0).dtype, (*x[:at], count, *x[at + 1 :], size))


def _places(step: Step, sizes: list[Dim]) -> Dim:
    """How many windows fit, over both dimensions."""
    found = []
    kernel, dilation = step.numbers("kernel_size", 2), step.numbers("dilation", 2, 1)
    for each in zip(sizes, kernel, dilation, step.numbers("padding", 2, 0), step.numbers("stride", 2, 1), strict=True):
        size, k, d, p, s = each
        if not all(isinstance(number, int) for number in each[1:]) or s < 1:
            return None
        found.append(plus(over(plus(size, 2 * p - d * (k - 1) - 1), s), 1))
    return product(found)


def _unfold(step: Step) -> Fact:
    """im2col: patches as columns."""
    x = step.shape()
    if x is None or len(x) not in (3, 4):
        return Fact(step.at(0).dtype)
    rows = product([x[-3], *step.numbers("kernel_size", 2)])
    return Fact(step.at(0).dtype, (*x[:-3], rows, _places(step, list(x[-2:]))))


def _fold(step: Step) -> Fact:
    """col2im: patches put together again."""
    x, sizes = step.shape(), step.numbers("output_size", 2)
    area = product(step.numbers("kernel_size", 2))
    if x is None or len(x) < 2:
        return Fact(step.at(0).dtype)
    rows = x[-2]
    return Fact(step.at(0).dtype, (*x[:-2], over(rows, area), *sizes))


def _shuffled(step: Step) -> Fact:
    x = step.shape()
    up = step.number("upscale_factor")
    by = up if up is not None else step.number("downscale_factor")
    if x is None or len(x) < 3 or not isinstance(by, int) or by < 1:
        return Fact(step.at(0).dtype)
    if up is not None:
        found = [over(x[-3], by * by), *(product([size, by]) for size in x[-2:])]
    else:
        found = [product([x[-3], by, by]), *(over(size, by) for size in x[-2:])]
    return Fact(step.at(0).dtype, (*x[:-3], *found))


def _index(step: Step) -> Fact:
    """Indexing with tensors: their shape stands where they stand, or in front where a slice is between them."""
    x, given = step.shape(), step.attribute("indices")
    facts = [step.look(n) if isinstance(n, str) else None for n in given] if isinstance(given, tuple) else step.ins[1:]
    if x is None or len(facts) > len(x):
        return Fact(step.at(0).dtype)
    spread: list[Shape | None] = []
    rest: list[Dim] = []
    used: list[int] = []
    at = 0
    for place, fact in enumerate(facts):
        if fact is None:
            rest.append(x[at])
            at += 1
            continue
        used.append(place)
        mask = fact.dtype in ("bool", "uint8")
        if fact.shape is None or (mask and not fact.shape):
            return Fact(step.at(0).dtype)
        spread.append((None,) if mask else fact.shape)
        at += len(fact.shape) if mask else 1
    middle = broadcast(*spread)
    if middle is None or at > len(x):
        return Fact(step.at(0).dtype)
    together = used == list(range(used[0], used[-1] + 1))
    first = used[0] if together else 0
    return Fact(step.at(0).dtype, (*rest[:first], *middle, *rest[first:], *x[at:]))


def _like_index(at: int) -> Rule:
    return lambda step: Fact(step.at(0).dtype, step.shape(at))


def _picked(step: Step) -> Fact:
    x, index = step.shape(), step.shape(1)
    at = axis(step.number("dim", 0), len(x)) if x else None
    if x is None or at is None or index is None:
        return Fact(step.at(0).dtype)
    return Fact(step.at(0).dtype, (*x[:at], index[0] if index else 1, *x[at + 1 :]))


def _narrow(step: Step) -> Fact:
    x = step.shape()
    at = axis(step.number("dim", 0), len(x)) if x else None
    if x is None or at is None:
        return Fact(step.at(0).dtype)
    return Fact(step.at(0).dtype, (*x[:at], step.number("length"), *x[at + 1 :]))


def _sorted(step: Step) -> list[Fact]:
    return [Fact(step.at(0).dtype, step.shape()), Fact("int64", step.shape())]


def _repeated(step: Step) -> Fact:
    """repeat_interleave by one number, or each element as often as a tensor says."""
    x, count = step.shape(), step.number("repeats")
    if x is not None and len(step.ins) > 1 and step.ins[1] and step.ins[1].dtype:
        at = axis(step.number("dim"), len(x)) if step.attribute("dim") is not None else None
        return Fact(step.at(0).dtype, (None,) if at is None else (*x[:at], None, *x[at + 1 :]))
    if x is None or not isinstance(count, int):
        return Fact(step.at(0).dtype)
    if "dim" not in step.node.attributes:
        return Fact(step.at(0).dtype, (product([product(x), count]),))
    at = axis(step.number("dim"), len(x))
    return Fact(step.at(0).dtype, None if at is None else (*x[:at], product([x[at], count]), *x[at + 1 :]))


def _one_hot(step: Step) -> Fact:
    x, count = step.shape(), step.number("num_classes", -1)
    return Fact("int64", (*x, count if count != -1 else None) if x is not None else None)


def _grid(step: Step) -> Fact:
    x, grid = step.shape(0), step.shape(1)
    return Fact(step.at(0).dtype, (*x[:2], *grid[1:-1]) if x and grid and len(x) > 2 else None)


def _bag(step: Step) -> list[Fact]:
    weight, offsets = step.shape(0), step.shape(2)
    size = offsets[0] if offsets else None
    if step.attribute("include_last_offset") is True:
        size = minus(size, 1)
    rest = [Fact("int64")] * (len(step.node.outputs) - 1)
    return [Fact(step.at(0).dtype, (size, weight[-1]) if weight and offsets else None), *rest]


def _distances(step: Step) -> Fact:
    a, b = step.shape(0), step.shape(1)
    if not a or not b or len(a) < 2 or len(b) < 2:
        return Fact(step.at(0).dtype)
    batch = broadcast(a[:-2], b[:-2])
    return Fact(step.at(0).dtype, None if batch is None else (*batch, a[-2], b[-2]))


def _diagonal(step: Step) -> Fact:
    x, shift = step.shape(), step.number("offset", 0)
    first, second = (axis(step.number(name, d), len(x)) if x else None for name, d in (("dim1", 0), ("dim2", 1)))
    if x is None or first is None or second is None or first == second:
        return Fact(step.at(0).dtype)
    a, b = x[first], x[second]
    length: Dim = None
    if isinstance(a, int) and isinstance(b, int) and isinstance(shift, int):
        length = max(0, min(a, b - shift) if shift >= 0 else min(a + shift, b))
    rest = [size for at, size in enumerate(x) if at not in (first, second)]
    return Fact(step.at(0).dtype, (*rest, length))


def _spectrum(step: Step) -> Fact:
    """stft without padding, whose centring is done before."""
    x, n = step.shape(), step.number("n_fft")
    hop = step.number("hop_length")
    hop = hop if hop is not None else n // 4 if isinstance(n, int) else None
    if not x or not isinstance(n, int) or not isinstance(hop, int) or hop < 1 or len(x) > 2:
        return Fact("")
    length = x[-1]
    frames = (length - n) // hop + 1 if isinstance(length, int) and step.attribute("center") is not True else None
    bins = n if step.attribute("onesided") is False else n // 2 + 1
    real = step.attribute("return_complex") is not True
    return Fact(step.at(0).dtype if real else "complex64", (*x[:-1], bins, frames, *((2,) if real else ())))


def _range(step: Step) -> Fact:
    """arange, where its ends are whole numbers or one size."""
    start, end, by = (
        step.look(item).value if isinstance(item, str) else item
        for item in (step.attribute("start", 0), step.attribute("end"), step.attribute("step", 1))
    )
    dtype = step.dtype()
    kind = dtype or "int64"
    ends = (start, end)
    if any(isinstance(end, str) for end in ends) and all(isinstance(end, int | str) for end in ends):
        reach = minus(end, start)
        even = part_of(reach, by) if isinstance(by, int) and by > 0 else None
        rounded = plus(over(minus(reach, 1), by), 1) if isinstance(by, int) and by > 0 else None
        return Fact(kind, (rounded if even is None else even,))
    if not all(isinstance(number, int | float) for number in (start, end, by)) or not by:
        return Fact(kind, (None,))
    kind = kind if dtype or all(isinstance(number, int) for number in (start, end, by)) else "float32"
    return Fact(kind, (max(0, int(-((start - end) // by))),))


def _eye(step: Step) -> Fact:
    return Fact("float32", (step.number("n"), step.number("m", step.number("n"))))


def _moved(step: Step) -> Fact:
    x = step.shape()
    if x is None:
        return Fact(step.at(0).dtype)
    pairs = [
        (axis(a, len(x)), axis(b, len(x)))
        for a, b in zip(step.numbers("source", 1), step.numbers("destination", 1), strict=False)
    ]
    if any(a is None or b is None for a, b in pairs):
        return Fact(step.at(0).dtype)
    order = [at for at in range(len(x)) if at not in {a for a, _ in pairs}]
    for a, b in sorted(pairs, key=lambda pair: pair[1] or 0):
        order.insert(b or 0, a or 0)
    return Fact(step.at(0).dtype, tuple(x[at] for at in order))


def _found(step: Step) -> Fact:
    x = step.shape()
    return Fact("int64", (None, len(x)) if x is not None else None)


def _some(step: Step) -> Fact:
    return Fact(step.at(0).dtype, (None,))


def _encoder(step: Step) -> Fact:
    return Fact(step.at(0).dtype, step.shape())


def _self_attention(step: Step) -> list[Fact]:
    q, k, heads = step.shape(0), step.shape(1), step.number("num_head")
    weights: Shape | None = None
    if step.attribute("need_weights") is True and q and k and len(q) == 3 and len(k) == 3:
        whole = step.attribute("average_attn_weights") is not False
        weights = (q[0], *(() if whole else (heads,)), q[1], k[1])
    return [Fact(step.at(0).dtype, q), Fact(step.at(0).dtype, weights)]


MORE: dict[str, Rule] = {
    "lstm_cell": _cell(2),
    **named(_cell(1), "gru_cell rnn_tanh_cell rnn_relu_cell"),
    "glu": _glu,
    "unfold": _windows,
    "im2col": _unfold,
    "col2im": _fold,
    **named(_shuffled, "pixel_shuffle pixel_unshuffle"),
    "index": _index,
    **named(_like_index(1), "gather take_along_dim view_as reshape_as"),
    **named(_like_index(0), "scatter scatter_add index_put index_add index_copy index_fill masked_scatter"),
    "index_select": _picked,
    **named(_narrow, "narrow narrow_copy"),
    "sort": _sorted,
    "argsort": lambda step: Fact("int64", step.shape()),
    "repeat_interleave": _repeated,
    "one_hot": _one_hot,
    **named(_grid, "grid_sampler grid_sampler_2d grid_sampler_3d"),
    "embedding_bag": _bag,
    "cdist": _distances,
    "_weight_norm": lambda step: Fact(step.at(0).dtype, step.shape()),
    "diagonal": _diagonal,
    "stft": _spectrum,
    "arange": _range,
    "eye": _eye,
    **named(_moved, "movedim moveaxis"),
    "nonzero": _found,
    "masked_select": _some,
    "_transformer_encoder_layer_fwd": _encoder,
    "_native_multi_head_attention": _self_attention,
}
