"""Shapes of operators that only rearrange or ask: views, joins, slices, sizes."""

from __future__ import annotations

from typing import Any

from inspector.formats._torch_facts import NOTHING, Fact, Step, axis, fill, promote
from inspector.formats._torch_sizes import least, minus, part_of, plus, product
from inspector.ir import Dim, Shape

PIECES = 1000
"""Items of a list that are told apart."""


def flatten_rule(step: Step) -> Fact:
    """Some dimensions become one."""
    x = step.shape()
    if x is None:
        return Fact(step.at(0).dtype)
    start, end = axis(step.number("start_dim", 0), len(x)), axis(step.number("end_dim", -1), len(x))
    if not x or start is None or end is None:
        return Fact(step.at(0).dtype, (1,) if not x else None)
    return Fact(step.at(0).dtype, (*x[:start], product(x[start : end + 1]), *x[end + 1 :]))


def unflatten_rule(step: Step) -> Fact:
    """One dimension becomes several."""
    x, sizes = step.shape(), step.numbers("sizes", 1)
    at = axis(step.number("dim", 0), len(x)) if x else None
    if x is None or at is None:
        return Fact(step.at(0).dtype)
    return Fact(step.at(0).dtype, (*x[:at], *fill(sizes, (x[at],)), *x[at + 1 :]))


def view_rule(step: Step) -> Fact:
    """view and reshape."""
    x, sizes = step.shape(), step.sizes("shape" if "shape" in step.node.attributes else "size")
    if sizes is None:
        return Fact(step.at(0).dtype)
    if x is None:
        return Fact(step.at(0).dtype, tuple(None if size == -1 else size for size in sizes))
    return Fact(step.at(0).dtype, fill(sizes, x))


def permute_rule(step: Step) -> Fact:
    """Dimensions in another order."""
    x, dims = step.shape(), step.sizes("dims")
    places = [axis(dim, len(x)) for dim in dims] if x and dims else []
    ok = x is not None and len(places) == len(x) and None not in places
    return Fact(step.at(0).dtype, tuple(x[at] for at in places if at is not None) if ok and x else None)


def transpose_rule(step: Step) -> Fact:
    """Two dimensions change places."""
    x = step.shape()
    if x is None:
        return Fact(step.at(0).dtype)
    first, second = axis(step.number("dim0", 0), len(x)), axis(step.number("dim1", 1), len(x))
    sizes = list(x)
    if first is not None and second is not None:
        sizes[first], sizes[second] = sizes[second], sizes[first]
    return Fact(step.at(0).dtype, tuple(sizes))


def squeeze_rule(step: Step) -> Fact:
    """Dimensions of one fall away."""
    x = step.shape()
    if x is None:
        return Fact(step.at(0).dtype)
    if step.attribute("dim") is None:
        known = all(isinstance(size, int) for size in x)
        return Fact(step.at(0).dtype, tuple(size for size in x if size != 1) if known else None)
    drop = {axis(dim, len(x)) for dim in step.numbers("dim", 1)}
    return Fact(step.at(0).dtype, tuple(size for at, size in enumerate(x) if at not in drop or size != 1))


def unsqueeze_rule(step: Step) -> Fact:
    """A dimension of one comes in."""
    x, dim = step.shape(), step.number("dim")
    at = axis(dim, len(x) + 1) if x is not None else None
    return Fact(step.at(0).dtype, None if x is None or at is None else (*x[:at], 1, *x[at:]))


def expand_rule(step: Step) -> Fact:
    """Dimensions of one are repeated without copying."""
    x, sizes = step.shape(), step.sizes("size")
    if x is None or sizes is None or len(sizes) < len(x):
        return Fact(step.at(0).dtype)
    old = (1,) * (len(sizes) - len(x)) + tuple(x)
    return Fact(step.at(0).dtype, tuple(b if a == -1 else a for a, b in zip(sizes, old, strict=True)))


def repeat_rule(step: Step) -> Fact:
    """Dimensions are repeated."""
    x, counts = step.shape(), step.sizes("repeats")
    if x is None or counts is None or len(counts) < len(x):
        return Fact(step.at(0).dtype)
    old = (1,) * (len(counts) - len(x)) + tuple(x)
    return Fact(step.at(0).dtype, tuple(product([a, b]) for a, b in zip(counts, old, strict=True)))


def tensors(step: Step) -> list[Fact]:
    """What an operator joins: its inputs, or the parts of the list that it is given; empty where they are not known."""
    if isinstance(step.attribute("tensors"), str):
        return list(step.at(0).parts)
    return [fact for fact in step.ins if fact]


def cat_rule(step: Step) -> Fact:
    """Tensors one after the other."""
    joined = tensors(step)
    shapes = [fact.shape for fact in joined]
    known = [shape for shape in shapes if shape is not None]
    dtype = promote(*joined)
    if not known or len(known) != len(shapes) or len({len(shape) for shape in known}) != 1:
        return Fact(dtype)
    at = axis(step.number("dim", 0), len(known[0]))
    if at is None:
        return Fact(dtype)
    total = plus(*(shape[at] for shape in known))
    rest = [_meet_all([shape[i] for shape in known]) for i in range(len(known[0]))]
    return Fact(dtype, (*rest[:at], total, *rest[at + 1 :]))


def _meet_all(sizes: list[Dim]) -> Dim:
    numbers = [size for size in sizes if isinstance(size, int)]
    return numbers[0] if numbers else sizes[0]


def stack_rule(step: Step) -> Fact:
    """Tensors along a new dimension."""
    joined = tensors(step)
    shapes = [fact.shape for fact in joined]
    first = shapes[0] if shapes else None
    at = axis(step.number("dim", 0), len(first) + 1) if first is not None else None
    dtype = joined[0].dtype if joined else ""
    return Fact(dtype, None if first is None or at is None else (*first[:at], len(shapes), *first[at:]))


def pieces_rule(step: Step) -> list[Fact]:
    """split, chunk, split_with_sizes: as many outputs as the code takes."""
    x, count = step.shape(), len(step.node.outputs)
    at = axis(step.number("dim", 0), len(x)) if x else None
    if x is None or at is None:
        return [Fact(step.at(0).dtype)] * count
    if count == 1 and not step.node.outputs[0].endswith(":0"):  # a list that is used whole
        return [_listed(step, x, at)]
    sizes = _piece_sizes(step, x[at], count)
    return [Fact(step.at(0).dtype, (*x[:at], size, *x[at + 1 :])) for size in sizes]


def _listed(step: Step, x: Shape, at: int) -> Fact:
    """All pieces, as a list."""
    given, size = step.attribute("split_sizes") or step.attribute("split_size"), x[at]
    each, many = step.number("split_size"), step.number("chunks", step.number("sections"))
    if isinstance(given, tuple):
        count = len(given)
    elif isinstance(each, int) and isinstance(size, int) and each > 0:
        count = -(-size // each)
    else:
        count = many if isinstance(many, int) else 0
    sizes = _piece_sizes(step, size, count) if 0 < count <= PIECES else []
    parts = tuple(Fact(step.at(0).dtype, (*x[:at], part, *x[at + 1 :])) for part in sizes if part != 0)
    return Fact(step.at(0).dtype, parts[0].shape, parts=parts) if parts else Fact(step.at(0).dtype)


def _piece_sizes(step: Step, size: Dim, count: int) -> list[Any]:
    given = step.attribute("split_sizes") or step.attribute("split_size")
    if isinstance(given, tuple):
        found = step.numbers("split_sizes" if step.attribute("split_sizes") else "split_size", count)
        return found if len(found) == count else [None] * count
    chunks, sections = step.number("chunks"), step.number("sections")
    if not isinstance(size, int):
        return [part_of(size, count) if count in (chunks, sections) else None] * count
    if isinstance(sections, int) and sections > 0:  # tensor_split: the first ones are one larger
        return [size // sections + (at < size % sections) for at in range(count)]
    each = -(-size // chunks) if isinstance(chunks, int) and chunks > 0 else step.number("split_size")
    if not isinstance(each, int) or each <= 0:
        return [None] * count
    return [max(0, min(each, size - each * at)) for at in range(count)]


def unbind_rule(step: Step) -> list[Fact]:
    """One tensor for each index of a dimension: as many outputs as the code takes, or a list."""
    x, outputs = step.shape(), step.node.outputs
    at = axis(step.number("dim", 0), len(x)) if x else None
    if x is None or at is None:
        return [Fact(step.at(0).dtype)] * len(outputs)
    part, count = Fact(step.at(0).dtype, (*x[:at], *x[at + 1 :])), x[at]
    if len(outputs) == 1 and not outputs[0].endswith(":0") and isinstance(count, int) and count <= PIECES:
        return [Fact(part.dtype, part.shape, parts=(part,) * count)]
    return [part] * len(outputs)


def select_rule(step: Step) -> Fact:
    """One index of a dimension."""
    x = step.shape()
    at = axis(step.number("dim", 0), len(x)) if x else None
    return Fact(step.at(0).dtype, None if x is None or at is None else (*x[:at], *x[at + 1 :]))


def slice_rule(step: Step) -> Fact:
    """A range of a dimension, or of a list, whose overload has its arguments a place earlier."""
    x, items = step.shape(), step.at(0).value
    if isinstance(items, tuple):
        ends = [step.number(name, default) for name, default in (("dim", 0), ("start", None), ("end", 1))]
        return Fact("int64", None, items[slice(*ends)]) if all(isinstance(e, int | None) for e in ends) else NOTHING
    at = axis(step.number("dim", 0), len(x)) if x else None
    if x is None or at is None:
        return Fact(step.at(0).dtype)
    start, end, by = (step.number(name, default) for name, default in (("start", 0), ("end", None), ("step", 1)))
    size: Any = x[at]
    whole = start in (0, None) and by in (1, None) and (end is None or (isinstance(end, int) and end >= 1 << 62))
    if "end" in step.node.attributes and step.attribute("end") is not None and end is None:
        size, whole = None, True
    if not whole:
        numbers = all(isinstance(n, int) for n in (size, start or 0, end or 0, by or 1))
        size = (
            len(range(*slice(start, end, by).indices(size)))
            if numbers and (by or 1) > 0
            else _cut(size, start, end, by)
        )
    return Fact(step.at(0).dtype, (*x[:at], size, *x[at + 1 :]))


def _cut(size: Dim, start: Dim, end: Dim, by: Dim) -> Dim:
    """What is left of a size that has a name, or between places that have one."""
    if by not in (1, None):
        return None
    first = (start or 0) if not isinstance(start, int) or start >= 0 else plus(size, start)
    last = size
    if isinstance(end, int):
        last = plus(size, end) if end < 0 else size if end >= 1 << 62 else least(size, end)
    elif end is not None:
        last = end if start in (0, None) or end == size or not isinstance(size, int) else None
    return minus(last, first)


def make_rule(step: Step) -> Fact:
    """A tensor from sizes."""
    sizes = step.sizes("size")
    return Fact(step.dtype(), tuple(sizes) if sizes is not None else None)


def like_rule(step: Step) -> Fact:
    """A tensor like another."""
    return Fact(step.dtype() or step.at(0).dtype, step.shape())


def to_rule(step: Step) -> Fact:
    """Another dtype or device."""
    second = step.ins[1].dtype if len(step.ins) > 1 and step.ins[1] else ""
    dtype, value = step.dtype() or second or step.at(0).dtype, step.at(0).value
    if not isinstance(value, int | float) or step.shape() != ():
        return Fact(dtype, step.shape())
    return Fact(dtype, (), float(value) if dtype.startswith(("float", "bfloat")) else int(value))


def pad_rule(step: Step) -> Fact:
    """Sizes grow at both ends, last dimension first."""
    x, pads = step.shape(), step.attribute("pad") or step.attribute("padding")
    if x is None or not isinstance(pads, tuple) or len(pads) > 2 * len(x):
        return Fact(step.at(0).dtype)
    sizes: list[Dim] = list(x)
    for at in range(len(pads) // 2):
        low, high = pads[2 * at], pads[2 * at + 1]
        sizes[-1 - at] = plus(sizes[-1 - at], low, high) if isinstance(low, int) and isinstance(high, int) else None
    return Fact(step.at(0).dtype, tuple(sizes))


def size_rule(step: Step) -> Fact | list[Fact]:
    """The shape, or one size."""
    x = step.shape()
    if x is None:
        return NOTHING
    outputs = step.node.outputs
    if len(outputs) > 1 or outputs[0].endswith(":0"):  # taken apart
        return [NOTHING if size is None else Fact("int64", (), size) for size in x]
    if "dim" not in step.node.attributes:
        return Fact("int64", (len(x),), tuple(x))
    at = axis(step.number("dim"), len(x))
    return NOTHING if at is None or x[at] is None else Fact("int64", (), x[at])


def rank_rule(step: Step) -> Fact:
    """Number of dimensions."""
    x = step.shape()
    return NOTHING if x is None else Fact("int64", (), len(x))


def count_rule(step: Step) -> Fact:
    """Number of elements."""
    total = product(step.shape() or ()) if step.shape() is not None else None
    return NOTHING if total is None else Fact("int64", (), total)


def construct_rule(step: Step) -> Fact:
    """A list or tuple."""
    return Fact(parts=tuple(fact or NOTHING for fact in step.ins))


def length_rule(step: Step) -> Fact:
    """How many items a list has, or a tensor in its first dimension."""
    fact = step.at(0)
    if fact.parts:
        return Fact("int64", (), len(fact.parts))
    return NOTHING


def append_rule(step: Step) -> Fact:
    """A list with one more tensor."""
    old, item = step.at(0), step.at(1)
    known = old.parts or old.value == ()
    return Fact(parts=(*old.parts, item)) if known and len(step.ins) == 2 and len(old.parts) < PIECES else NOTHING


def item_rule(step: Step) -> Fact:
    """An item of a list."""
    parts = step.at(0).parts
    number = step.at(1).value if len(step.ins) > 1 else step.attribute("arg1", step.attribute("el"))
    known = isinstance(number, int) and -len(parts) <= number < len(parts)
    return parts[number] if known else NOTHING


def grid_rule(step: Step) -> Fact | list[Fact]:
    """meshgrid: all results have a dimension for each input."""
    facts = tensors(step)
    sizes = [None if fact.shape is None else fact.shape[0] if fact.shape else 1 for fact in facts]
    if step.attribute("indexing") == "xy" and len(sizes) > 1:
        sizes[:2] = sizes[1::-1]
    parts = tuple(Fact(fact.dtype, tuple(sizes)) for fact in facts)
    return list(parts) if len(step.node.outputs) > 1 else Fact(parts=parts)


def unpack_rule(step: Step) -> list[Fact]:
    """The parts of a list or tuple."""
    parts = step.at(0).parts
    return list(parts) if parts else [NOTHING] * len(step.node.outputs)
