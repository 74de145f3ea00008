"""How stored integers stand for real numbers: found beside the tensor, or through the nodes that use it.

real = (stored - zero point) · scale, as ONNX's DequantizeLinear, TensorFlow Lite and torch's affine schemes have it;
TensorFlow.js writes real = stored · scale + min, which is the same with a zero point of -min / scale.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.errors import InspectorError
from inspector.ir import Attribute, Node, Place, Tensor
from inspector.ir.text import inert
from inspector.worker.tasks._document import Document
from inspector.worker.tasks._flow import flow

Reals = NDArray[np.float64]

INPUTS: dict[str, dict[int, tuple[int, int, int | None]]] = {
    "DequantizeLinear": {0: (1, 2, None)},
    "QLinearConv": {3: (4, 5, 0)},
    "QLinearMatMul": {0: (1, 2, -2), 3: (4, 5, -1)},
    "QGemm": {0: (1, 2, 0), 3: (4, 5, 0)},
    "MatMulIntegerToFloat": {0: (2, 4, -2), 1: (3, 5, -1)},
    "DynamicQuantizeMatMul": {1: (2, 3, -1)},
}
"""By ONNX operator and input: the inputs with scale and zero point, and the axis they go along (None: an attribute)."""

MOST_SCALES = 1 << 24


@dataclass(frozen=True, slots=True)
class Quantization:
    """Scales and zero points of a tensor.

    Attributes:
        scale: Of the rank of the tensor; along each axis it has one entry, one a block, or one an element.
        zero: Zero points, of the same shape.
        axis: Along which there are several scales; None for one scale.
        block: Elements along the axis that share a scale; 1 for a scale each.
        source: Where it was found.
        offset: What is added afterwards (TensorFlow.js' min; its zero point is then 0).
    """

    scale: Reals
    zero: Reals
    axis: int | None
    block: int
    source: str
    offset: float = 0.0

    def applied(self, part: NDArray[Any], start: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Real values of stored ones.

        Args:
            part: Some of the values in C order, one dimension.
            start: Which the first of them is.
            shape: Of the whole tensor.
        """
        with np.errstate(all="ignore"):  # scales of damaged files may be anything
            return self._applied(part.astype(np.float64), start, shape)

    def _applied(self, stored: Reals, start: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
        if self.scale.size == 1:
            return ((stored - self.zero.reshape(())) * self.scale.reshape(()) + self.offset).astype(np.float32)
        where = np.zeros(stored.size, np.intp)
        rest = np.arange(start, start + stored.size, dtype=np.int64)
        inner = 1
        for dim in reversed(range(len(shape))):
            rest, at = np.divmod(rest, max(1, shape[dim]))
            scales = self.scale.shape[dim]
            if scales > 1:
                where += (at // self.block if dim == self.axis else at) * inner
            inner *= scales
        scale, zero = self.scale.reshape(-1)[where], self.zero.reshape(-1)[where]
        return ((stored - zero) * scale + self.offset).astype(np.float32)


def quantization(opened: Document, tensor: Tensor) -> Quantization | None:
    """How the tensor is quantized; None where it is not, or where nothing that is stored says so."""
    kept: dict[str, Quantization | None] = opened.once("quantizations", dict)
    if tensor.name not in kept:
        try:
            kept[tensor.name] = _beside(opened, tensor) or _in_keras(opened, tensor) or _by_users(opened, tensor)
        except (
            InspectorError,
            ValueError,
            TypeError,
        ):  # scales that do not fit or cannot be read: shown as it is stored
            kept[tensor.name] = None
    return kept[tensor.name]


def as_stored(tensor: Tensor) -> Tensor:
    """The tensor as its bytes are, for formats whose readers give the numbers that they stand for (TensorFlow.js)."""
    layout = tensor.place.layout
    stored = layout.get("stored")
    if not isinstance(stored, str) or "scale" not in layout:
        return tensor
    plain = {key: value for key, value in layout.items() if key not in {"scale", "min"}}
    return replace(tensor, dtype=stored, place=replace(tensor.place, layout=plain))


def _beside(opened: Document, tensor: Tensor) -> Quantization | None:
    layout = tensor.place.layout
    if isinstance(layout.get("stored"), str) and isinstance(layout.get("scale"), float):
        scale, low = _numbers(layout["scale"]), _numbers(layout.get("min", 0.0))
        return _arranged(scale, np.zeros(1), tensor.shape, None, 0, "the weight manifest", float(low[0]))
    axis = layout.get("dimension")
    axis = axis if isinstance(axis, int) else 0
    if "scales_at" in layout:
        scale, zero = (_elsewhere(opened, layout.get(key)) for key in ("scales_at", "zero_points_at"))
    elif "scale" in layout:
        scale, zero = _numbers(layout["scale"]), _numbers(layout.get("zero_point", 0))
    else:
        return None
    return _arranged(scale, zero, tensor.shape, axis, 0, "stored with the tensor")


def _elsewhere(opened: Document, where: Attribute) -> Reals:
    """Numbers that lie at a place of their own: member, offset, bytes, dtype, count."""
    if not isinstance(where, tuple) or len(where) != 5:
        raise ValueError("no place")
    member, offset, size, dtype, count = where
    if not (isinstance(offset, int) and isinstance(size, int) and isinstance(count, int) and count <= MOST_SCALES):
        raise ValueError("no place")
    place = Place(member=str(member), offset=offset, size=size)
    return opened.fetched(Tensor("scales", str(dtype), (count,), place)).astype(np.float64)


def _in_keras(opened: Document, tensor: Tensor) -> Quantization | None:
    """What Keras' quantized layers keep: the last variable of the layer has the scales, by which one divides.

    They go along the units of a dense layer's kernel (`kernel_scale`), and along the rows of an embedding.
    """
    group, _, _ = str(tensor.place.layout.get("path", "")).rpartition("/")
    if tensor.dtype != "int8" or not group.endswith("/vars") or not tensor.name.endswith(("kernel", "embeddings")):
        return None
    siblings = {
        int(number): each
        for each in opened.model.tensors.values()
        if (path := str(each.place.layout.get("path", ""))).rpartition("/")[0] == group
        and (number := path.rpartition("/")[2]).isdecimal()
    }
    last = siblings[max(siblings)]
    axis = 0 if tensor.name.endswith("embeddings") else len(tensor.shape) - 1
    if last.dtype != "float32" or last.count != tensor.shape[axis] or last.shape[-1:] != (last.count,):
        return None
    scale = opened.fetched(last).astype(np.float64).reshape(-1)
    return _arranged(1 / scale, np.zeros(1), tensor.shape, axis, 0, "variable of the layer") if scale.all() else None


def _by_users(opened: Document, tensor: Tensor) -> Quantization | None:
    """What a node of ONNX or of torch.export that takes the tensor says of it."""
    if opened.format.id == "torch.export":
        return _by_decomposed(opened, tensor)
    if opened.format.id != "onnx" or not _integral(tensor.dtype):
        return None
    for node, at in _users(opened, tensor):
        scale_at, zero_at, axis = INPUTS[node.op][at]
        names = [node.inputs[where] if where < len(node.inputs) else "" for where in (scale_at, zero_at)]
        if names[0] not in opened.model.tensors or (names[1] and names[1] not in opened.model.tensors):
            continue  # the scale is worked out while the model runs
        scale, zero = _stored(opened, names[0]), _stored(opened, names[1]) if names[1] else np.zeros(1)
        said = node.attributes.get("axis", 1) if axis is None else axis
        block = node.attributes.get("block_size", 0)
        about = f"{inert(node.op)} {inert(node.name)}".strip()
        along, each = (value if isinstance(value, int) else 0 for value in (said, block))
        return _arranged(scale, zero, tensor.shape, along, each, about)
    return None


def _by_decomposed(opened: Document, tensor: Tensor) -> Quantization | None:
    """What torch's `quantized_decomposed` operators, which quantized exports are made of, say of their first input."""
    for graph in opened.model.graphs:
        for node in flow(opened, graph).takers.get(tensor.name, ()):
            if not node.op.startswith("quantized_decomposed.dequantize_per_") or node.inputs[:1] != (tensor.name,):
                continue
            about, axis = f"{inert(node.op).split('.')[1]} {inert(node.name)}", node.attributes.get("axis")
            if "scale" in node.attributes:
                scale, zero = (_numbers(node.attributes.get(key, 0)) for key in ("scale", "zero_point"))
            elif len(node.inputs) > 2 and all(name in opened.model.tensors for name in node.inputs[1:3]):
                scale, zero = (_stored(opened, name) for name in node.inputs[1:3])
            else:
                continue
            return _arranged(scale, zero, tensor.shape, axis if isinstance(axis, int) else 0, 0, about)
    return None


def _stored(opened: Document, name: str) -> Reals:
    tensor = opened.model.tensors[name]
    if tensor.count > MOST_SCALES:
        raise ValueError("too many scales")
    return opened.fetched(tensor).astype(np.float64)


def _users(opened: Document, tensor: Tensor) -> Iterator[tuple[Node, int]]:
    for graph in opened.model.graphs:
        for node in flow(opened, graph).takers.get(tensor.name, ()):
            for at in INPUTS.get(node.op, ()):
                if at < len(node.inputs) and node.inputs[at] == tensor.name:
                    yield node, at


def _integral(dtype: str) -> bool:
    """Whether values of this type can be stored in place of others: integers, and floats of 8 bits and fewer."""
    return dtype.startswith(("int", "uint", "float8", "float4", "float6"))


def _numbers(value: Attribute) -> Reals:
    items = value if isinstance(value, tuple) else (value,)
    if len(items) > MOST_SCALES:
        raise ValueError("too many scales")
    return np.array([item for item in items if isinstance(item, int | float)], np.float64)


def _arranged(
    scale: Reals, zero: Reals, shape: tuple[int, ...], axis: int | None, block: int, source: str, offset: float = 0.0
) -> Quantization | None:
    """Scales and zero points with the rank of the tensor."""
    if not scale.size or not np.isfinite(scale).all():
        return None
    if not zero.size:
        zero = np.zeros(1)
    rank = len(shape)
    if scale.size == 1:
        ones = (1,) * rank
        return Quantization(scale.reshape(ones), zero.reshape(-1)[:1].reshape(ones), None, 0, source, offset)
    axis = 0 if axis is None else axis + rank if axis < 0 else axis
    if not 0 <= axis < rank:
        raise ValueError("the axis of the scales is none of the tensor's")
    if block and scale.ndim == rank:
        fits = scale.shape == tuple(-(-size // block) if dim == axis else size for dim, size in enumerate(shape))
        wanted = scale.shape
    else:
        fits, block = scale.size == shape[axis], 1
        wanted = tuple(shape[axis] if at == axis else 1 for at in range(rank))
    if not fits or prod(wanted) != scale.size:
        raise ValueError("the scales do not fit the tensor")
    spread = np.broadcast_to(zero, wanted) if zero.size == 1 else zero.reshape(wanted)
    return Quantization(scale.reshape(wanted), np.ascontiguousarray(spread), axis, block, source, offset)
