"""How many weights ONNX Runtime's operators of few bits take from the bytes that they are packed into.

MatMulNBits and MatMulBnb4 say the size of their matrix (K and N); a block of the former may be filled up at the end of
a row. GatherBlockQuantized and QMoE say how many bits a weight has; where their tensor is of a type of that many bits
nothing is packed (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from inspector.ir import Graph, Node, Tensor

BYTES = frozenset({"uint8", "int8"})
EXPERTS = {2: "fc1_expert_weight_bits", 5: "fc2_expert_weight_bits", 8: "fc3_expert_weight_bits"}
"""Which input of a QMoE has bits of its own by which attribute."""


def packed(graphs: Iterable[Graph], tensors: dict[str, Tensor]) -> None:
    """Say of each tensor of packed weights how many it holds.

    Args:
        graphs: Of the model.
        tensors: By name; those that hold more than their elements are replaced.
    """
    for graph in graphs:
        for node in graph.nodes:
            rule = RULES.get(node.op)
            for at in rule[0] if rule else ():
                name = node.inputs[at] if at < len(node.inputs) else ""
                tensor = tensors.get(name)
                if rule and tensor is not None and tensor.dtype in BYTES and not tensor.holds:
                    held = rule[1](node, at, tensor)
                    if held > tensor.count:
                        tensors[name] = replace(tensor, holds=held)


def _number(node: Node, name: str, usual: int) -> int:
    value = node.attributes.get(name, usual)
    return value if isinstance(value, int) and value > 0 else usual


def _blocks(node: Node, at: int, tensor: Tensor) -> int:
    """K × N, where the tensor has as many bytes as that takes."""
    rows, columns = _number(node, "N", 0), _number(node, "K", 0)
    bits, block = _number(node, "bits", 4), _number(node, "block_size", 1)
    fits = tensor.count == rows * -(-columns // block) * -(-block * bits // 8)
    return rows * columns if fits else 0


def _halves(node: Node, at: int, tensor: Tensor) -> int:
    size = _number(node, "N", 0) * _number(node, "K", 0)
    return size if tensor.count == -(-size // 2) else 0


def _table(node: Node, at: int, tensor: Tensor) -> int:
    return tensor.count * 8 // _number(node, "bits", 4)


def _experts(node: Node, at: int, tensor: Tensor) -> int:
    return tensor.count * 8 // _number(node, EXPERTS[at], _number(node, "expert_weight_bits", 4))


RULES: dict[str, tuple[tuple[int, ...], Callable[[Node, int, Tensor], int]]] = {
    "MatMulNBits": ((1,), _blocks),
    "MatMulBnb4": ((1,), _halves),
    "GatherBlockQuantized": ((0,), _table),
    "QMoE": (tuple(EXPERTS), _experts),
}
"""Which inputs of an operator are packed, and how many weights are in one."""
