"""Packed parameters where TorchScript's operators make and take them.

What takes a packed object takes the weights in it: they stand in its place among the inputs of the node, the strides
that were packed with them among its attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from inspector.formats._torch_build import Sym
from inspector.formats._torch_tree import PackedRef, TensorRef
from inspector.formats._torchzip import Strided
from inspector.ir import Graph

PREPACKED = ("weight", "bias", "stride", "padding", "dilation", "groups")
TRANSPOSED = ("weight", "bias", "stride", "padding", "output_padding", "dilation", "groups")
"""What `quantized::conv2d_prepack` and `quantized::conv_transpose2d_prepack` are given."""
PAIR = ("weight", "bias")


def packs(name: str, args: list[Any]) -> PackedRef | None:
    """What a packing operator makes of tensors of the file; None where they are made while the model runs."""
    order = TRANSPOSED if "transpose" in name else PREPACKED
    given = dict(zip(order, args, strict=False))
    parts = {each: item for each in PAIR if isinstance(item := given.get(each), TensorRef)}
    if "weight" not in parts or isinstance(given.get("bias"), Sym):
        return None
    settings = {each: given[each] for each in order[2:] if _plain(given.get(each))}
    return PackedRef(name.partition("_prepack")[0], parts, settings)


def _plain(value: Any) -> bool:
    items = value if isinstance(value, list | tuple) else [value]
    return all(isinstance(each, int) for each in items)


def unpacked(op: str, args: Sequence[Any], reference: Callable[[TensorRef], Sym]) -> tuple[list[Any], dict[str, Any]]:
    """Arguments with weights and biases in place of what packs them, and the settings packed with them.

    Args:
        op: An operator.
        args: What it is called with, in order.
        reference: Gives a stored tensor as a value.
    """
    found: list[Any] = []
    settings: dict[str, Any] = {}
    if op.startswith("quantized::conv") and "_add" in op and len(args) > 2:
        args = [args[0], args[2], args[1], *args[3:]]  # what is added stands before the weights
    for arg in args:
        if isinstance(arg, PackedRef):
            found += _tensors(arg, reference)
            settings |= _settings(op, arg)
        elif isinstance(arg, list | tuple) and any(isinstance(each, PackedRef) for each in arg):
            cells = [_tensors(each, reference) if isinstance(each, PackedRef) else [each] for each in arg]
            found.append([part for cell in cells for part in cell if part is not None])
        else:
            found.append(arg)
    return found, settings


def _settings(op: str, packed: PackedRef) -> dict[str, Any]:
    """Strides and the like, of as many axes as the operator has."""
    if "1d" not in op:
        return packed.settings
    weight = packed.parts.get("weight")
    packed.flat = weight is not None and len(weight.tensor.shape) == 4 and weight.tensor.shape[2] == 1
    return {name: value if isinstance(value, int) else value[-1:] for name, value in packed.settings.items()}


def flattened(tensor: Strided) -> Strided:
    """A kernel without the axis of one that torch packs it with."""
    return replace(
        tensor, shape=(*tensor.shape[:2], *tensor.shape[3:]), strides=(*tensor.strides[:2], *tensor.strides[3:])
    )


def _tensors(packed: PackedRef, reference: Callable[[TensorRef], Sym]) -> list[Sym | None]:
    """In the order of the operators that are not quantized; a layer without a bias has nothing in its place."""
    names = tuple(packed.parts) if not set(packed.parts) <= set(PAIR) else PAIR[: 1 if _rows(packed) else 2]
    return [reference(packed.parts[name]) if name in packed.parts else None for name in names]


def _rows(packed: PackedRef) -> bool:
    """Whether it is a table, which has no bias."""
    return "mbedding" in packed.kind


def idle(graphs: Iterable[Graph]) -> set[str]:
    """Tensors that operators are given and do not compute with: cells have their biases with the packed matrices."""
    cells = (node for graph in graphs for node in graph.nodes if node.op.startswith("quantized::quantized_"))
    return {name for node in cells for name in node.inputs[-2:]}
