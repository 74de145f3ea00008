"""Shapes of torch's less common views, joins and generators, and of what finds or counts elements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import comb
from typing import Any

from inspector.formats._rules import named
from inspector.formats._torch_facts import Fact, Step, axis, broadcast, promote
from inspector.formats._torch_moves import cat_rule, expand_rule, make_rule, permute_rule, tensors
from inspector.formats._torch_rules_maths import DEFAULT, floating, same, told
from inspector.formats._torch_sizes import minus, plus, product
from inspector.ir import Dim, Shape

Rule = Callable[[Step], Any]


def listed(step: Step, parts: list[Fact]) -> list[Fact]:
    """Several results: taken apart by the program, or one list."""
    outputs = step.node.outputs
    return parts if len(outputs) > 1 or outputs[0].endswith(":0") else [Fact(parts=tuple(parts))]


def turned(step: Step) -> Fact:
    """The last two dimensions change places."""
    x = step.shape()
    return Fact(step.at(0).dtype, x if x is None or len(x) < 2 else (*x[:-2], x[-1], x[-2]))


def _raveled(step: Step) -> Fact:
    x = step.shape()
    return Fact(step.at(0).dtype, None if x is None else (product(x),))


def _raised(x: Shape, rank: int) -> Shape:
    """As `atleast_1d` … `atleast_3d`: a vector stands along the second dimension."""
    if len(x) >= rank:
        return x
    if rank == 3 and len(x) == 2:
        return (*x, 1)
    return (1, *x, 1) if rank == 3 and len(x) == 1 else (1,) * (rank - len(x)) + tuple(x)


def _at_least(rank: int) -> Rule:
    def rule(step: Step) -> Any:
        listing = isinstance(step.attribute("tensors"), str) or "tensors" in step.node.attributes
        facts = tensors(step) if listing else [step.at(0)]
        parts = [Fact(fact.dtype, None if fact.shape is None else _raised(fact.shape, rank)) for fact in facts]
        return listed(step, parts) if listing or len(parts) > 1 else parts[0]

    return rule


def _joined(rank: int, dim: int) -> Rule:
    """Tensors one after the other along a dimension, once they have so many."""

    def rule(step: Step) -> Fact:
        facts = tensors(step)
        if any(fact.shape is None for fact in facts):
            return Fact(promote(*facts))
        shapes = [_raised(fact.shape or (), rank) for fact in facts]
        at = dim if all(len(shape) > dim for shape in shapes) else 0
        raised = [Fact(fact.dtype, shape) for fact, shape in zip(facts, shapes, strict=True)]
        return cat_rule(_told(step, raised, dim=at))

    return rule


def _told(step: Step, ins: list[Fact], **attributes: Any) -> Step:
    """A step with other inputs and attributes."""
    return Step(replace(step.node, attributes=attributes), list(ins), step.look)


def _columns(step: Step) -> Fact:
    facts = tensors(step)
    if any(fact.shape is None for fact in facts):
        return Fact(promote(*facts))
    tall = [Fact(fact.dtype, (*(fact.shape or (1,)), 1) if len(fact.shape or ()) < 2 else fact.shape) for fact in facts]
    return cat_rule(_told(step, tall, dim=1))


def _blocks(step: Step) -> Fact:
    facts = tensors(step)
    if not facts or any(fact.shape is None or len(fact.shape) > 2 for fact in facts):
        return Fact(promote(*facts))
    shapes = [_raised(fact.shape or (), 2) for fact in facts]
    return Fact(promote(*facts), (plus(*(shape[0] for shape in shapes)), plus(*(shape[1] for shape in shapes))))


def _spread(step: Step) -> list[Fact]:
    facts = tensors(step)
    shape = broadcast(*(fact.shape for fact in facts))
    return listed(step, [Fact(fact.dtype, shape) for fact in facts])


def _products(step: Step) -> Fact:
    facts = tensors(step)
    if not facts or any(not fact.shape for fact in facts):
        return Fact(promote(*facts))
    total = product([(fact.shape or (None,))[0] for fact in facts])
    return Fact(promote(*facts), (total, len(facts)) if len(facts) > 1 else (total,))


def _chosen(step: Step) -> Fact:
    x, many = step.shape(), step.number("r", 2)
    if not x or not isinstance(x[0], int) or not isinstance(many, int) or not 0 <= many <= 64:
        return Fact(step.at(0).dtype)
    repeated = many - 1 if step.attribute("with_replacement") is True else 0
    return Fact(step.at(0).dtype, (comb(x[0] + repeated, many), many))


def _tiled(step: Step) -> Fact:
    x, counts = step.shape(), step.sizes("dims")
    if x is None or counts is None:
        return Fact(step.at(0).dtype)
    rank = max(len(x), len(counts))
    pairs = zip([1] * (rank - len(counts)) + counts, (1,) * (rank - len(x)) + tuple(x), strict=True)
    return Fact(step.at(0).dtype, tuple(product(pair) for pair in pairs))


def _split(dim: int) -> Rule:
    """hsplit, vsplit, dsplit: as tensor_split along one dimension, the first of a vector."""

    def rule(step: Step) -> list[Fact]:
        x = step.shape()
        return _cut(step, 0 if x is not None and len(x) == 1 else dim)

    return rule


def _cut(step: Step, dim: Any) -> list[Fact]:
    x, count = step.shape(), len(step.node.outputs)
    at = axis(dim, len(x)) if x else None
    if x is None or at is None:
        return [Fact(step.at(0).dtype)] * count
    size, many = x[at], step.number("sections")
    places = step.numbers("indices", 1) if step.attribute("indices") else None
    sizes: list[Dim] = [None] * count
    if isinstance(size, int) and places and all(isinstance(place, int) for place in places):
        ends = [min(max(place + size if place < 0 else place, 0), size) for place in places]
        sizes = [max(0, b - a) for a, b in zip([0, *ends], [*ends, size], strict=True)]
    elif isinstance(size, int) and isinstance(many, int) and 0 < many <= 1000:
        sizes = [size // many + (place < size % many) for place in range(many)]
    return listed(step, [Fact(step.at(0).dtype, (*x[:at], part, *x[at + 1 :])) for part in sizes])


def _diag(step: Step) -> Fact:
    x, shift = step.shape(), step.number("diagonal", step.number("offset", 0))
    if x is None or len(x) not in (1, 2) or not isinstance(shift, int):
        return Fact(step.at(0).dtype)
    if len(x) == 1:
        return Fact(step.at(0).dtype, (plus(x[0], abs(shift)),) * 2)
    rows, columns = x
    if not isinstance(rows, int) or not isinstance(columns, int):
        return Fact(step.at(0).dtype, (None,))
    length = min(rows, columns - shift) if shift >= 0 else min(rows + shift, columns)
    return Fact(step.at(0).dtype, (max(0, length),))


def _diagonals(step: Step) -> Fact:
    x, shift = step.shape(), step.number("offset", 0)
    if not x or not isinstance(shift, int):
        return Fact(step.at(0).dtype)
    first, second = (axis(step.number(name, d), len(x) + 1) for name, d in (("dim1", -2), ("dim2", -1)))
    if first is None or second is None or first == second:
        return Fact(step.at(0).dtype)
    sizes: list[Dim] = list(x[:-1])
    for at in sorted((first, second)):
        sizes.insert(at, plus(x[-1], abs(shift)))
    return Fact(step.at(0).dtype, tuple(sizes))


def _flat(step: Step) -> Fact:
    x, shift = step.shape(), step.number("offset", 0)
    return Fact(step.at(0).dtype, (plus(product(x), abs(shift)),) * 2 if x is not None and shift is not None else None)


def _quarter_turns(step: Step) -> Fact:
    x, turns = step.shape(), step.number("k", 1)
    places = step.numbers("dims", 2) if step.attribute("dims") else [0, 1]
    if x is None or len(x) < 2 or not isinstance(turns, int) or len(places) != 2:
        return Fact(step.at(0).dtype)
    order = list(range(len(x)))
    if turns % 2:
        order[places[0]], order[places[1]] = order[places[1]], order[places[0]]
    return permute_rule(_told(step, [step.at(0)], dims=tuple(order)))


def _differences(step: Step) -> Fact:
    x, times = step.shape(), step.number("n", 1)
    at = axis(step.number("dim", -1), len(x)) if x else None
    if x is None or at is None or len([fact for fact in step.ins if fact]) > 1:
        return Fact(step.at(0).dtype)
    return Fact(step.at(0).dtype, (*x[:at], minus(x[at], times), *x[at + 1 :]))


def _under(step: Step) -> Fact:
    """trapezoid: a dimension falls away."""
    x = step.shape()
    at = axis(step.number("dim", -1), len(x)) if x else None
    return Fact(step.at(0).dtype, None if x is None or at is None else (*x[:at], *x[at + 1 :]))


def _sized(step: Step) -> Fact:
    """What is given its very size."""
    sizes = step.sizes("size")
    return Fact(step.at(0).dtype, None if sizes is None else tuple(sizes))


def _distinct(step: Step) -> list[Fact]:
    x = step.shape()
    at = axis(step.number("dim"), len(x)) if x and step.attribute("dim") is not None else None
    shape: Shape | None = (None,) if at is None or x is None else (*x[:at], None, *x[at + 1 :])
    where = x if at is None or x is None else (x[at],)
    return [Fact(step.at(0).dtype, shape), Fact("int64", where), Fact("int64", (None,))][: len(step.node.outputs)]


def _made(step: Step) -> Fact:
    """zeros, ones and their kin, of torch's own type where none is said."""
    fill = {bool: "bool", int: "int64", str: ""}.get(type(step.attribute("fill_value")), DEFAULT)
    return Fact(told(step, fill), make_rule(step).shape)


def _listed_values(step: Step) -> Fact:
    """tensor: what is written in the program."""
    given = step.attribute("data", step.attribute("t"))
    shape: list[Dim] = []
    item: Any = given
    while isinstance(item, tuple) and len(shape) < 8:
        shape.append(len(item))
        item = item[0] if item else 0.0
    kind = {bool: "bool", int: "int64", float: DEFAULT}.get(type(item), "")
    return Fact(told(step, kind), tuple(shape)) if kind or shape else Fact(told(step, ""))


def _drawn(step: Step) -> Fact:
    """normal: of the sizes of its means or deviations, or of those that are given."""
    facts = [fact for fact in step.ins if fact and fact.shape]
    if facts and "size" not in step.node.attributes:
        return Fact(floating(facts[0].dtype), broadcast(*(fact.shape for fact in facts)))
    return _made(step)


def _counted(name: str, dtype: str, default: int | None = None) -> Rule:
    """A vector of so many elements."""
    return lambda step: Fact(told(step, dtype), (step.number(name, default),))


def _corner(step: Step) -> Fact:
    """tril_indices and triu_indices: rows and columns of the elements in a corner."""
    rows, columns, shift = step.number("row"), step.number("col"), step.number("offset", 0)
    numbers = [number for number in (rows, columns, shift) if isinstance(number, int)]
    if len(numbers) != 3 or not 0 <= rows <= 1 << 12:
        return Fact("int64", (2, None))
    low = sum(min(max(row + shift + 1, 0), columns) for row in range(rows))
    above = sum(min(max(row + shift, 0), columns) for row in range(rows))
    return Fact(told(step, "int64"), (2, low if "tril" in step.node.op else rows * columns - above))


def _powers(step: Step) -> Fact:
    x, many = step.shape(), step.number("N")
    return Fact(step.at(0).dtype, (*x, x[-1] if many is None else many) if x else None)


def _placed(at: int) -> Rule:
    def rule(step: Step) -> Fact:
        kind = "int32" if step.attribute("out_int32") is True else "int64"
        return Fact(kind, step.shape(at) if len(step.ins) > at else ())

    return rule


def _samples(step: Step) -> Fact:
    x = step.shape()
    return Fact("int64", (*x[:-1], step.number("num_samples")) if x else None)


def _packed(step: Step) -> list[Fact]:
    """Sequences one after the other, and how many there are at each step."""
    x = step.shape()
    return [Fact(step.at(0).dtype, (None, *x[2:]) if x and len(x) > 1 else None), Fact("int64", (None,))]


def _unpacked(step: Step) -> list[Fact]:
    x = step.shape()
    return [Fact(step.at(0).dtype, (None, None, *x[1:]) if x else None), Fact("int64", (None,))]


VIEWS: dict[str, Rule] = {
    **named(turned, "mT mH matrix_H adjoint"),
    "ravel": _raveled,
    "atleast_1d": _at_least(1),
    "atleast_2d": _at_least(2),
    "atleast_3d": _at_least(3),
    "hstack": _joined(1, 1),
    **named(_joined(2, 0), "vstack row_stack"),
    "dstack": _joined(3, 2),
    "column_stack": _columns,
    **named(cat_rule, "concat concatenate"),
    "block_diag": _blocks,
    "broadcast_tensors": _spread,
    "broadcast_to": expand_rule,
    "cartesian_prod": _products,
    "combinations": _chosen,
    "tile": _tiled,
    "vsplit": _split(0),
    "hsplit": _split(1),
    "dsplit": _split(2),
    "tensor_split": lambda step: _cut(step, step.number("dim", 0)),
    "diag": _diag,
    "diag_embed": _diagonals,
    "diagflat": _flat,
    "rot90": _quarter_turns,
    "diff": _differences,
    **named(_under, "trapezoid trapz"),
    "cumulative_trapezoid": _differences,
    "gradient": lambda step: listed(step, [same(step)] * max(1, len(step.node.outputs))),
    **named(_sized, "as_strided as_strided_copy sum_to_size _reshape_alias"),
    **named(same, "diagonal_scatter select_scatter slice_scatter as_strided_scatter scatter_reduce"),
    "take": lambda step: Fact(step.at(0).dtype, step.shape(1)),
    "argwhere": lambda step: Fact("int64", (None, len(step.shape() or ()))),
    **named(_distinct, "_unique2 unique_consecutive unique_dim _unique"),
    **named(_made, "zeros ones full empty rand randn empty_strided"),
    "scalar_tensor": lambda step: Fact(told(step, DEFAULT), ()),
    "tensor": _listed_values,
    "normal": _drawn,
    "randint": lambda step: Fact(told(step, "int64"), make_rule(step).shape),
    "randint_like": lambda step: Fact(told(step, step.at(0).dtype), step.shape()),
    "randperm": _counted("n", "int64"),
    **named(
        _counted("window_length", DEFAULT),
        "hann_window hamming_window blackman_window bartlett_window kaiser_window",
    ),
    **named(_counted("steps", DEFAULT), "linspace logspace"),
    "fft_fftfreq": _counted("n", DEFAULT),
    "fft_rfftfreq": lambda step: Fact(
        told(step, DEFAULT), (step.number("n") // 2 + 1 if isinstance(step.number("n"), int) else None,)
    ),
    **named(_corner, "tril_indices triu_indices"),
    **named(_powers, "vander linalg_vander"),
    "bincount": lambda step: Fact("int64" if len(step.ins) < 2 or step.ins[1] is None else "float64", (None,)),
    "histc": lambda step: Fact(step.at(0).dtype, (step.number("bins", 100),)),
    "bucketize": _placed(0),
    "searchsorted": _placed(1),
    "multinomial": _samples,
    "_pack_padded_sequence": _packed,
    "_pad_packed_sequence": _unpacked,
}
