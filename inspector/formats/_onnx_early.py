"""Shapes behind the operators of ONNX's first versions (operator sets 1 to 6), of which onnx's inference tells nothing.

Then operators took axes, shapes and pads as attributes, and an operand was spread to the first one's shape or none was.
Definitions: https://github.com/onnx/onnx/blob/main/docs/Changelog.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inspector.formats import _onnx_sizes as sizes
from inspector.formats._onnx_types import text
from inspector.formats._onnx_values import Call
from inspector.ir import Dim, Shape

UNTIL = 7
"""The first operator set whose operators onnx's inference knows."""


def used(model: Any) -> bool:
    """Whether a ModelProto says that its operators are those of the first versions."""
    return any(item.domain in ("", "ai.onnx") and item.version < UNTIL for item in model.opset_import)


def _first(call: Call) -> Shape | None:
    return call.shape()


def _gemm(call: Call) -> Shape | None:
    first, second = call.shape(0), call.shape(1)
    if first is None or second is None or len(first) != 2 or len(second) != 2:
        return None
    return first[1 if call.integer("transA", 0) else 0], second[0 if call.integer("transB", 0) else 1]


def _concat(call: Call) -> Shape | None:
    known = [shape for shape in call.shapes if shape]
    if len(known) < len(call.shapes) or len({len(shape) for shape in known}) != 1:
        return None
    axis = call.integer("axis", 1) % len(known[0])
    total: Any = 0
    for shape in known:
        size = sizes.of(shape[axis])
        total = None if total is None or size is None else sizes.plus(total, size)
    return *known[0][:axis], sizes.written(total), *known[0][axis + 1 :]


def _reshape(call: Call) -> Shape | None:
    shape, wanted = call.shape(), call.integers("shape")
    if wanted is None:
        return None
    new: list[Dim] = [
        (shape[at] if shape and at < len(shape) else None) if size == 0 else size for at, size in enumerate(wanted)
    ]
    if new.count(-1) == 1 and shape is not None:
        whole = sizes.product(map(sizes.of, shape))
        rest = sizes.product(sizes.of(dim) for dim in new if dim != -1)
        new[new.index(-1)] = None if whole is None or not rest else sizes.written(sizes.over(whole, rest))
    return tuple(None if dim == -1 else dim for dim in new)


def _padded(call: Call) -> Shape | None:
    shape, pads = call.shape(), call.integers("paddings")
    if shape is None or pads is None or len(pads) != 2 * len(shape):
        return None
    found: list[Dim] = []
    for dim, before, after in zip(shape, pads, pads[len(shape) :], strict=False):
        size = sizes.of(dim)
        more = None if size is None else sizes.plus(size, before + after)
        found.append(None if more is None else sizes.written(more))
    return tuple(found)


def _pooled(call: Call) -> Shape | None:
    shape = call.shape()
    return None if shape is None else (*shape[:2], *(1 for _ in shape[2:]))


_ALIKE = (
    "Abs Add And BatchNormalization Cast Ceil Clip Div Dropout Elu Exp Floor HardSigmoid InstanceNormalization "
    "LeakyRelu Log Max Mean Min Mul Neg PRelu Pow Reciprocal Relu Selu Sigmoid Sqrt Sub Sum Tanh"
)

RULES: dict[str, Callable[[Call], Shape | None]] = {
    **dict.fromkeys(_ALIKE.split(), _first),
    "Gemm": _gemm,
    "Concat": _concat,
    "Reshape": _reshape,
    "Pad": _padded,
    "GlobalLpPool": _pooled,
}
"""The shape of the first output, by operator."""


def kind(node: Any, first: int) -> int:
    """Element type of the first output; 0 where it is not known.

    Args:
        node: The NodeProto.
        first: Element type of its first input.
    """
    import onnx

    if node.op_type != "Cast":
        return first
    named = next((text(item.s) for item in node.attribute if item.name == "to"), "")
    kinds: dict[str, int] = dict(onnx.TensorProto.DataType.items())
    return kinds.get(named, 0)
