"""What the tensors of a quantized program are for: integers that stand for real numbers are weights.

PT2E keeps a weight as integers behind `quantized_decomposed.dequantize_*`, torchao behind `dequantize_affine` or before
`_int_mm`. Their scales and zero points say how to compute and were not learned, as in every other format. The weights
of before often stay in the file, used by nothing: the same weights once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from inspector.ir import Graph, Node, Note, Role, Tensor
from inspector.ir.model import BITS

TAKEN: dict[str, tuple[int | None, tuple[int, ...]]] = {
    "quantized_decomposed.dequantize_": (0, (1, 2)),
    "quantized_decomposed.quantize_": (None, (1, 2)),
    "quantized_decomposed.embedding_": (0, (1, 2)),
    "quantized_decomposed.mixed_": (1, (2, 3)),
    "torchao.dequantize_affine": (0, (1, 2)),
    "torchao.quantize_affine": (None, (1, 2)),
    "aten._weight_int": (1, (2,)),
    "aten._int_mm": (1, ()),
}
"""By how an operator begins: which of its inputs is a weight in integers, and which are scales and zero points."""

PRODUCTS = {
    "aten.linear": 1, "aten.mm": 1, "aten.matmul": 1, "aten.bmm": 1, "aten.addmm": 2, "aten.conv": 1,
    "aten.embedding": 0,
}  # fmt: skip
"""Where plain operators take their weight, which they may be given in integers that were turned into reals by hand."""

SMALL = 8
"""Bits of integers that a plain operator's weight may be kept in; wider ones are indices."""

CARRIES = frozenset(
    f"aten.{name}"
    for name in (
        *("t", "transpose", "permute", "reshape", "view", "to", "_to_copy", "clone", "contiguous", "detach", "alias"),
        *("mul", "sub", "add", "div", "unsqueeze", "squeeze", "flatten", "expand"),
    )
)
"""Operators whose result is still their first input, seen otherwise or in other numbers."""


def settled(tensors: Mapping[str, Tensor], main: Graph) -> tuple[dict[str, Tensor], list[Note]]:
    """The tensors with the roles that their use in a quantized program gives them, and what there is to say of it."""
    weights, settings = _uses(main.nodes, tensors)
    found = dict(tensors)
    for name in settings - weights:
        found[name] = replace(found[name], role=Role.CONSTANT, trainable=False)
    for name in weights:
        if found[name].role is not Role.WEIGHT:
            found[name] = replace(found[name], role=Role.WEIGHT, trainable=False)
    before = _before([found[name] for name in found if name in weights], found, main)
    found |= {name: replace(found[name], role=Role.COPY, trainable=None) for name in before}
    if not before:
        return found, []
    text = (
        f"{len(before):,} weights of before the model was quantized are still in the file, such as {before[0][:200]!r}."
    )
    return found, [Note("info", text, "Nothing uses them, and they are not counted as parameters.")]


def _uses(nodes: Iterable[Node], tensors: Mapping[str, Tensor]) -> tuple[set[str], set[str]]:
    """Tensors that are weights in integers, and those that say how they stand for real numbers."""
    weights: set[str] = set()
    settings: set[str] = set()
    origin: dict[str, str] = {}
    for node in nodes:
        stored = [name if name in tensors else origin.get(name, "") for name in node.inputs]
        at, others = next((use for start, use in TAKEN.items() if node.op.startswith(start)), (None, ()))
        if at is not None and at < len(stored) and stored[at] and _integral(tensors[stored[at]], 64):
            weights.add(stored[at])
        settings.update(name for place, name in enumerate(stored) if place in others and name)
        product = next((place for start, place in PRODUCTS.items() if node.op.startswith(start)), None)
        if product is not None and product < len(stored) and stored[product]:
            if _integral(tensors[stored[product]], SMALL):
                weights.add(stored[product])
        elif stored and stored[0] and all(stored) and ".".join(node.op.split(".")[:2]).rstrip("_") in CARRIES:
            origin.update(dict.fromkeys(node.outputs, stored[0]))
    return weights, settings


def _integral(tensor: Tensor, bits: int) -> bool:
    return (
        tensor.dtype.startswith(("int", "uint")) and BITS.get(tensor.dtype, 64) <= bits and tensor.role is not Role.COPY
    )


def _before(quantized: Iterable[Tensor], tensors: Mapping[str, Tensor], main: Graph) -> list[str]:
    """Weights in real numbers that nothing uses and whose shape is that of a quantized one, each for one."""
    used = {name for node in main.nodes for name in node.inputs} | {value.name for value in main.outputs}
    idle: dict[tuple[int, ...], list[str]] = {}
    for name, tensor in tensors.items():
        if name not in used and tensor.role is Role.WEIGHT and tensor.dtype.startswith(("float", "bfloat")):
            idle.setdefault(tensor.shape, []).append(name)
    found: list[str] = []
    for tensor in quantized:
        same = idle.get(tensor.shape)
        if same:
            found.append(same.pop(0))
    return found
