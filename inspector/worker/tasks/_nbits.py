"""Weights of ONNX Runtime's MatMulNBits: numbers of 2, 4 or 8 bits in blocks, packed into bytes.

The stored tensor is uint8 of N × blocks × bytes of a block, the first number in the low bits; what it stands for is a
matrix of N × K. Scales are one a block; zero points, where there are any, are packed like the weights or are real
numbers, and otherwise stand in the middle of the range (`contrib_ops/cpu/quantization/matmul_nbits.cc`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.errors import InspectorError
from inspector.ir import Node, Tensor
from inspector.ir.text import inert
from inspector.worker.tasks._document import Document
from inspector.worker.tasks._flow import flow
from inspector.worker.tasks._quantization import Quantization

OP = "MatMulNBits"


@dataclass(frozen=True, slots=True)
class Packed:
    """A matrix of small numbers in bytes: its size, how it is packed, and what the numbers stand for."""

    rows: int
    columns: int
    bits: int
    block: int
    quantization: Quantization

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return -(-self.columns // self.block) * (self.block * self.bits // 8)

    def unpacked(self, data: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The numbers of whole rows, one dimension."""
        codes = _unpacked(data.reshape(-1, self.row_bytes), self.bits)
        return np.ascontiguousarray(codes[:, : self.columns]).reshape(-1)


def packed(opened: Document, tensor: Tensor) -> Packed | None:
    """How a tensor is packed; None where it is no weight of such an operator, or where its parts do not fit."""
    kept: dict[str, Packed | None] = opened.once("packed weights", dict)
    if tensor.name not in kept:
        kept[tensor.name] = None
        if opened.format.id == "onnx" and tensor.dtype == "uint8":
            for graph in opened.model.graphs:
                for node in flow(opened, graph).takers.get(tensor.name, ()):
                    if node.op == OP and node.inputs[1:2] == (tensor.name,):
                        kept[tensor.name] = kept[tensor.name] or _of_node(opened, tensor, node)
    return kept[tensor.name]


def _of_node(opened: Document, tensor: Tensor, node: Node) -> Packed | None:
    facts = [node.attributes.get(name, usual) for name, usual in (("N", 0), ("K", 0), ("bits", 4), ("block_size", 0))]
    rows, columns, bits, block = (fact if isinstance(fact, int) else 0 for fact in facts)
    if bits not in (2, 4, 8) or block < 8 or block % 8 or min(rows, columns) < 1:
        return None
    blocks = -(-columns // block)
    names = [node.inputs[at] if at < len(node.inputs) else "" for at in (2, 3)]
    if tensor.count != rows * blocks * (block * bits // 8) or names[0] not in opened.model.tensors:
        return None
    try:
        scale = opened.fetched(opened.model.tensors[names[0]]).astype(np.float64).reshape(rows, blocks)
        zero = np.full((rows, blocks), float(1 << (bits - 1)))
        if names[1]:
            zero = _zeros(opened.fetched(opened.tensor(names[1])), rows, blocks, bits)
    except (InspectorError, ValueError, TypeError):  # they do not fit: the bytes are shown
        return None
    about = Quantization(scale, zero, 1, block, f"{OP} {inert(node.name)}".strip())
    return Packed(rows, columns, bits, block, about)


def _zeros(stored: NDArray[Any], rows: int, blocks: int, bits: int) -> NDArray[np.float64]:
    """Zero points of every block."""
    if stored.dtype != np.uint8:
        return stored.astype(np.float64).reshape(rows, blocks)
    codes = _unpacked(stored.reshape(rows, -1), bits)
    return codes[:, :blocks].astype(np.float64).reshape(rows, blocks)


def _unpacked(data: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Numbers of so many bits out of rows of bytes, the low bits first."""
    parts = [(data >> shift) & np.uint8((1 << bits) - 1) for shift in range(0, 8, bits)]
    return np.stack(parts, axis=-1).reshape(data.shape[0], -1)
