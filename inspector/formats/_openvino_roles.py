"""What the constants of an OpenVINO network are for, from the operators that take them.

The format stores weights, shapes, bounds and scales alike as constants. Weights in fewer bits pass through `Convert`,
`Subtract` (zero point) and `Multiply` (scale) before they are used; that chain is followed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from inspector.formats._tensors import is_floating, state_role
from inspector.ir import Node, Role, Tensor
from inspector.ir.model import BITS

Use = tuple[str, int]


def _pairs(table: Mapping[str, tuple[int, ...]]) -> frozenset[Use]:
    return frozenset((op, index) for op, indices in table.items() for index in indices)


SETTINGS = _pairs({
    "FakeQuantize": (1, 2, 3, 4), "FakeConvert": (1, 2), "Interpolate": (1, 2, 3), "Pad": (1, 2, 3),
    "OneHot": (1, 2, 3), "Range": (0, 1, 2), "NonMaxSuppression": (2, 3, 4, 5), "Loop": (0, 1), "If": (0,),
    "Broadcast": (0,), "Eye": (0, 1), "RandomUniform": (1, 2), "Power": (1,), "LSTMSequence": (3,),
    "GRUSequence": (2,), "RNNSequence": (2,),
})  # fmt: skip
"""Inputs that say how to compute rather than what was learned."""

RUNNING = _pairs({"BatchNormInference": (3, 4)})
"""Running means and variances; both versions of the operator have them last."""

STATES = _pairs({
    "LSTMSequence": (1, 2), "LSTMCell": (1, 2), "GRUSequence": (1,), "GRUCell": (1,), "RNNSequence": (1,),
    "RNNCell": (1,), "ReadValue": (0,),
})  # fmt: skip
"""Inputs that take the state before the first step."""

LEARNED = _pairs({
    "MatMul": (0, 1), "FullyConnected": (0, 1), "Convolution": (1,), "GroupConvolution": (1,),
    "ConvolutionBackpropData": (1,), "GroupConvolutionBackpropData": (1,), "BinaryConvolution": (1,),
    "DeformableConvolution": (2,), "Gather": (0,), "EmbeddingBagOffsets": (0,), "EmbeddingBagOffsetsSum": (0,),
    "EmbeddingBagPacked": (0,), "EmbeddingBagPackedSum": (0,), "EmbeddingSegmentsSum": (0,),
})  # fmt: skip
"""Inputs whose constants of few bits are weights."""

NARROW = frozenset({"uint1", "uint3", "uint6", "nf4"})
"""Types of few bits that numpy does not know."""

ARITHMETIC = frozenset({
    "Add", "Subtract", "Multiply", "Divide", "Maximum", "Minimum", "Equal", "Greater", "Less", "Select", "Clamp", "Mod",
    "GreaterEqual", "LessEqual", "NotEqual", "SquaredDifference", "FloorMod",
})  # fmt: skip
CARRIERS = frozenset({"Convert", "ConvertLike", "Reshape", "Transpose", "Unsqueeze", "Squeeze"})
"""Operators through which stored numbers become the weights that are used."""

SCALING = frozenset({"Subtract", "Multiply"})
"""What takes the zero point off numbers of few bits, and scales them."""

MADE_UP = re.compile(r"(?i)const|^[a-z]+_\d+$|/|::")
"""Names that converters give to numbers of an expression."""


@dataclass(slots=True)
class Uses:
    """Which operators take a stored tensor in the end, and as which input."""

    taken: dict[str, set[Use]] = field(default_factory=lambda: defaultdict(set))
    scaled: set[str] = field(default_factory=set)
    """Tensors of few bits that are scaled before they are used."""
    scales: set[str] = field(default_factory=set)
    """Tensors by which others are scaled, and their zero points."""

    def see(self, nodes: Iterable[Node], tensors: Mapping[str, Tensor]) -> None:
        """Account for the nodes of a graph, in order."""
        origin: dict[str, str] = {}
        for node in nodes:
            stored = [origin.get(name, name if name in tensors else "") for name in node.inputs]
            first = stored[0] if stored else ""
            scaling = node.op in SCALING and len(stored) == 2
            small = next((name for name in stored if name and _few(tensors[name])), "") if scaling else ""
            if node.op in CARRIERS and first:
                origin.update(dict.fromkeys(node.outputs, first))
                stored[0] = ""
            elif small and all(stored):
                origin.update(dict.fromkeys(node.outputs, small))
                self.scaled.add(small)
                self.scales.update(name for name in stored if name != small)
                stored = []
            for at, name in enumerate(stored):
                if name:
                    self.taken[name].add((node.op, at))


def settled(tensors: dict[str, Tensor], uses: Uses, is_zero: Callable[[Tensor], bool]) -> dict[str, Tensor]:
    """Every tensor with its role.

    Args:
        tensors: By name.
        uses: Who takes them.
        is_zero: Whether a tensor is known to hold nothing but zeros; asked of few.
    """
    found = {}
    for name, tensor in tensors.items():
        role = _role(tensor, uses)
        taken = uses.taken.get(name, set())
        if role is Role.WEIGHT and taken and taken <= STATES and is_zero(tensor):
            role = Role.CONSTANT
        found[name] = tensor if role is tensor.role else replace(tensor, role=role)
    return found


def _few(tensor: Tensor) -> bool:
    """Whether its elements have eight bits or less."""
    known = BITS.get(tensor.dtype)
    return tensor.dtype != "bool" and (tensor.dtype in NARROW if known is None else 0 < known <= 8)


def _role(tensor: Tensor, uses: Uses) -> Role:
    taken = uses.taken.get(tensor.name, set())
    if taken & RUNNING:
        return state_role(tensor.dtype, tensor.shape)
    if not tensor.shape or tensor.name in uses.scales or (taken and taken <= SETTINGS):
        return Role.CONSTANT
    if is_floating(tensor.dtype) or tensor.dtype == "nf4":
        name = tensor.name.removesuffix("_compressed")
        made_up = tensor.count == 1 and MADE_UP.search(name) and {op for op, _ in taken} <= ARITHMETIC
        return Role.CONSTANT if made_up else Role.WEIGHT
    learned = tensor.name in uses.scaled or taken & LEARNED
    return Role.WEIGHT if learned and _few(tensor) else Role.CONSTANT
