"""Torch's zip archives: storages as members, tensors as strided views of them.

Used by every format that keeps tensors as `_rebuild_tensor_v2` over persistent storages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from inspector.errors import FormatError
from inspector.formats._pickle import Call, Global, Persistent
from inspector.formats._source import Source
from inspector.formats._tensors import LARGEST, PACKED, Array, decode, numpy_dtype
from inspector.formats._zip import Archive, archive
from inspector.ir import Place, Tensor
from inspector.ir.model import BITS, bytes_of

STORAGES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8",
    "ByteStorage": "uint8", "BoolStorage": "bool", "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128", "QInt8Storage": "qint8", "QUInt8Storage": "quint8", "QInt32Storage": "qint32",
    "UntypedStorage": "uint8", "QUInt4x2Storage": "uint4", "QUInt2x4Storage": "uint2",
}  # fmt: skip
"""dtype of a typed storage, by its class name."""

DTYPES = {
    "float64": "float64", "double": "float64", "float32": "float32", "float": "float32", "float16": "float16",
    "half": "float16", "bfloat16": "bfloat16", "int64": "int64", "long": "int64", "int32": "int32", "int": "int32",
    "int16": "int16", "int8": "int8", "uint8": "uint8", "uint16": "uint16", "uint32": "uint32", "uint64": "uint64",
    "bool": "bool", "complex32": "complex32", "complex64": "complex64", "complex128": "complex128", "qint8": "qint8",
    "quint8": "quint8", "qint32": "qint32", "float8_e4m3fn": "float8_e4m3fn", "float8_e5m2": "float8_e5m2",
    "float8_e4m3fnuz": "float8_e4m3fnuz", "float8_e5m2fnuz": "float8_e5m2fnuz", "float8_e8m0fnu": "float8_e8m0fnu",
}  # fmt: skip
"""Our dtype name by torch's (`torch.float32` without the module)."""

PAIRS = "float4_e2m1fn_x2"
"""torch's dtype of two numbers to a byte."""

REBUILDERS = frozenset(
    f"torch._utils.{name}"
    for name in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_qtensor")
)
WRAPPERS = frozenset({"torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"})


@dataclass(frozen=True, slots=True)
class Strided:
    """A tensor as a pickle describes it.

    Attributes:
        key: Which storage.
        offset: First element within the storage.
        stored: Elements that the storage claims to have.
        grad: Whether it asks for a gradient; None where the file does not say.
        scale: Of a quantized tensor: one number, or the tensor that holds one for each index along `axis`.
        zero: Its zero points, likewise.
    """

    key: str
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    stored: int
    grad: bool | None = None
    scale: float | Strided | None = None
    zero: int | Strided = 0
    axis: int = 0

    @property
    def reach(self) -> int:
        """Elements of the storage from the offset to the last one used."""
        if not prod(self.shape):
            return 0
        return 1 + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))

    @property
    def dense(self) -> bool:
        """Whether the elements lie in C order without gaps."""
        want = 1
        for size, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if size != 1 and stride != want:
                return False
            want *= size
        return True


def strided(item: Any) -> Strided | None:
    """The tensor that a call in a pickle would rebuild, or None where it is no tensor we can place."""
    if isinstance(item, Persistent) and isinstance(item.id, Strided):  # files before 0.1.10 keep tensors outside
        return item.id
    if not isinstance(item, Call):
        return None
    if item.path in WRAPPERS and item.args:
        inner = strided(item.args[0])
        grad = item.args[1] if len(item.args) > 1 and isinstance(item.args[1], bool) else None
        return None if inner is None else _with_grad(inner, grad)
    if item.path not in REBUILDERS or len(item.args) < 4:
        return None
    storage, offset, shape, strides = item.args[:4]
    place = _storage(storage)
    if place is None or not (_sizes(shape) and _sizes(strides) and len(shape) == len(strides) and _size(offset)):
        return None
    key, dtype, stored = place
    if item.path.endswith("_v3") and len(item.args) > 6 and isinstance(item.args[6], Global):
        dtype = DTYPES.get(item.args[6].name, dtype)
    at = 5 if item.path.endswith("qtensor") else 4
    grad = item.args[at] if len(item.args) > at and isinstance(item.args[at], bool) else None
    found = Strided(key, dtype, tuple(shape), tuple(strides), offset, stored, grad)
    if item.path.endswith("_v3") and getattr(item.args[6:7] and item.args[6], "name", "") == PAIRS and found.dense:
        return _unpaired(found)
    return _quantized(found, item.args[4]) if at == 5 else found


def _unpaired(tensor: Strided) -> Strided:
    """A tensor of pairs of numbers of four bits as one of the numbers: twice as many in its last dimension."""
    t = tensor
    shape = (*t.shape[:-1], 2 * t.shape[-1]) if t.shape else (2,)
    strides = tuple(prod(shape[at + 1 :]) for at in range(len(shape)))
    return Strided(t.key, "float4_e2m1fn", shape, strides, 2 * t.offset, 2 * t.stored, t.grad)


def _with_grad(tensor: Strided, grad: bool | None) -> Strided:
    return replace(tensor, grad=grad)


def _quantized(tensor: Strided, said: Any) -> Strided:
    """The tensor with what its quantizer says: a scheme, scale and zero point, and for channels the axis."""
    match said:
        case (Global(name="per_tensor_affine"), float() as scale, int() as zero):
            return replace(tensor, scale=scale, zero=zero)
        case (
            Global(name="per_channel_affine" | "per_channel_affine_float_qparams"),
            Call() as one,
            Call() as two,
            int() as axis,
        ):
            scales, zeros = strided(one), strided(two)
            if scales is not None and zeros is not None and scales.dense and zeros.dense:
                return replace(tensor, scale=scales, zero=zeros, axis=axis)
    return tensor


def _storage(item: Any) -> tuple[str, str, int] | None:
    """Key, dtype and number of elements of a persistent storage."""
    if not isinstance(item, Persistent) or not isinstance(item.id, tuple) or len(item.id) < 5:
        return None
    word, kind, key, _device, count = item.id[:5]
    if word != "storage" or not isinstance(kind, Global) or not isinstance(key, str) or not _size(count):
        return None
    dtype = STORAGES.get(kind.name)
    return (key, dtype, count) if dtype else None


def _size(item: Any) -> bool:
    return isinstance(item, int) and not isinstance(item, bool) and 0 <= item < 1 << 62


def _sizes(items: Any) -> bool:
    return isinstance(items, tuple | list) and len(items) <= 64 and all(_size(item) for item in items)


def place(tensor: Strided, folder: str, *, big: bool = False) -> Place:
    """Where the bytes lie; `folder` is the part of the archive that holds the storages, with its slash."""
    bits = BITS[tensor.dtype]
    layout: dict[str, Any] = {}
    if not tensor.dense:
        layout["strides"] = tensor.strides
    if big:
        layout["byte_order"] = "big"
    if isinstance(tensor.scale, Strided) and isinstance(tensor.zero, Strided):
        layout["scales_at"], layout["zero_points_at"] = (_where(each, folder) for each in (tensor.scale, tensor.zero))
        layout["dimension"] = tensor.axis
    elif isinstance(tensor.scale, float) and isinstance(tensor.zero, int):
        layout["scale"], layout["zero_point"] = tensor.scale, tensor.zero
    size = -(-tensor.reach * bits // 8)
    return Place(member=f"{folder}{tensor.key}", offset=tensor.offset * bits // 8, size=size, layout=layout)


def _where(tensor: Strided, folder: str) -> tuple[str, int, int, str, int]:
    """Where a vector lies: member, offset, bytes, dtype, elements."""
    width = BITS[tensor.dtype] // 8
    return f"{folder}{tensor.key}", tensor.offset * width, tensor.reach * width, tensor.dtype, prod(tensor.shape)


def fits(zipped: Archive, where: Place) -> bool:
    """Whether the archive has the bytes that a place claims."""
    return where.member in zipped and where.offset + where.size <= zipped.size(where.member)


def fetch_member(source: Source, tensor: Tensor) -> Array:
    """The values of a tensor that lies in a member of a zip archive.

    Raises:
        FormatError: The archive does not have these bytes.
    """
    where = tensor.place
    with archive(source) as zipped:
        if not fits(zipped, where):
            raise FormatError(
                f"The values of {tensor.name[:100]!r} are not in the file.",
                hint="The file is incomplete or damaged; fetch or copy it again.",
            )
        with zipped.open(where.member) as file:
            file.seek(where.offset)
            data = file.read(where.size)
    return arranged(data, tensor)


def fetch_member_part(source: Source, tensor: Tensor, start: int, count: int) -> Array | None:
    """Some values of such a tensor; see `Format.fetch_part`."""
    where = tensor.place
    width = numpy_dtype(tensor.dtype).itemsize
    shared = tensor.dtype in PACKED  # several elements share a byte
    if shared or "strides" in where.layout or "opaque" in where.layout or not where.member or where.offset < 0:
        return None
    with archive(source) as zipped:
        if not fits(zipped, where) or zipped.start(where.member) < 0:  # a packed member would be unpacked for each part
            return None
        with zipped.open(where.member) as file:
            file.seek(where.offset + start * width)
            data = file.read(count * width)
    return decode(data, tensor.dtype, (count,), big=where.layout.get("byte_order") == "big")


def arranged(data: bytes, tensor: Tensor) -> Array:
    """Stored bytes as the tensor's values, its strides and byte order undone."""
    where = tensor.place
    big = where.layout.get("byte_order") == "big"
    strides = where.layout.get("strides")
    if not isinstance(strides, tuple):
        return decode(data, tensor.dtype, tensor.shape, big=big)
    return _gather(data, tensor, tuple(int(s) for s in strides if isinstance(s, int)), big=big)


def _gather(data: bytes, tensor: Tensor, strides: tuple[int, ...], *, big: bool) -> Array:
    """A dense copy of a strided view."""
    dense = bytes_of(tensor.dtype, tensor.shape) or 0
    if dense > min(LARGEST, max(1 << 30, 64 * len(data))):
        raise FormatError(f"{tensor.name[:100]!r} would need {dense:,} bytes; the file holds {len(data):,} for it.")
    width = numpy_dtype(tensor.dtype).itemsize
    flat = decode(data, tensor.dtype, (len(data) // width,), big=big)
    view = np.lib.stride_tricks.as_strided(flat, tensor.shape, tuple(s * width for s in strides), writeable=False)
    return np.ascontiguousarray(view)
