"""Stored bytes as arrays: the last step of every format's `fetch`, and the rules of roles that formats share."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from inspector.errors import FormatError
from inspector.ir import Role

Array = NDArray[Any]
"""An array of any of the dtypes that a model can store."""

LARGEST = 1 << 36
"""No array larger than this (64 GiB) is ever made, whatever a file claims."""

ByteOrder = Literal["<", ">", "="]

ML_DTYPES = frozenset({
    "bfloat16", "float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2",
    "float8_e5m2fnuz", "float8_e8m0fnu", "float6_e2m3fn", "float6_e3m2fn", "float4_e2m1fn", "int4", "uint4", "int2",
    "uint2",
})  # fmt: skip
"""dtypes that numpy has only through ml_dtypes."""

PACKED = {
    "float6_e2m3fn": 6, "float6_e3m2fn": 6, "int4": 4, "uint4": 4, "float4_e2m1fn": 4, "int2": 2, "uint2": 2,
}  # fmt: skip
"""Bits of dtypes of which several share bytes, one after another from the low bits up."""

QUANTIZED = {"qint8": "int8", "quint8": "uint8", "qint32": "int32"}


def numpy_dtype(name: str, byteorder: ByteOrder = "=") -> np.dtype[Any]:
    """The numpy dtype of an IR dtype name.

    Raises:
        FormatError: It is none that an array can have.
    """
    if name in ML_DTYPES:
        import ml_dtypes

        kind: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
        return kind
    try:
        if name and not name.isidentifier():  # numpy reads more into a text than names: lists of fields, sizes
            raise TypeError
        return np.dtype(QUANTIZED.get(name, name or "void")).newbyteorder(byteorder)
    except TypeError as error:
        raise FormatError(f"Values of type {name[:100]!r} cannot be shown.") from error


def dense(
    data: bytes | memoryview,
    dtype: str,
    shape: Sequence[int],
    *,
    strides: Sequence[int] | None = None,
    offset: int = 0,
    byteorder: ByteOrder = "<",
) -> Array:
    """A C-contiguous array of native byte order from stored bytes; a view of them, read-only, where that is possible.

    Args:
        data: The stored bytes; for packed dtypes several elements share a byte.
        dtype: IR name.
        shape: Sizes.
        strides: In elements, where the storage is not C-contiguous.
        offset: First element.
        byteorder: `<` or `>`.

    Raises:
        FormatError: There are fewer bytes than the shape needs, or numpy has no array of that shape.
    """
    if dtype in PACKED:
        return _shaped(_unpacked(data, dtype, prod(shape)), shape)
    if dtype == "complex32" and strides is None:  # pairs of halves, which numpy has no type for
        pairs = dense(data, "float16", (*shape, 2), offset=2 * offset, byteorder=byteorder)
        return pairs.astype(np.float32).view(np.complex64).reshape(shape)
    kind = numpy_dtype(dtype, byteorder)
    if not kind.itemsize:
        raise FormatError(f"Values of type {dtype!r} cannot be shown.")
    last = prod(shape) - 1
    if strides is not None and last >= 0:
        if any(step < 0 for step in strides) or len(strides) != len(shape):
            raise FormatError("A tensor has strides that make no sense.", hint="The file is damaged.")
        last = sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
    if offset < 0 or len(data) < (offset + last + 1) * kind.itemsize:
        raise FormatError(
            f"A tensor of {'×'.join(map(str, shape))} {dtype} has only {len(data):,} bytes.",
            hint="The file is damaged or incomplete.",
        )
    flat: Array = np.frombuffer(data, kind, last + 1, offset * kind.itemsize)
    if strides is not None and last >= 0:
        steps = tuple(step * kind.itemsize for step in strides)
        view = np.lib.stride_tricks.as_strided(flat, tuple(shape), steps, writeable=False)
    else:
        view = _shaped(flat, shape)
    return np.ascontiguousarray(view, kind.newbyteorder("=")).reshape(shape)  # it makes vectors of scalars


def decode(data: bytes | memoryview, dtype: str, shape: Sequence[int], *, big: bool = False) -> Array:
    """A C-contiguous array of native byte order from the bytes of a dense array."""
    return dense(data, dtype, shape, byteorder=">" if big else "<")


def _shaped(array: Array, shape: Sequence[int]) -> Array:
    """Laid out; numpy has at most 64 axes, and where one has the size 0 the others may still be too large for it."""
    try:
        return array.reshape(shape)
    except (ValueError, OverflowError) as error:
        sizes = "×".join(map(str, shape[:8])) + ("×…" if len(shape) > 8 else "")
        raise FormatError(f"A tensor of {sizes} cannot be shown.", hint="The file is damaged.") from error


def _unpacked(data: bytes | memoryview, dtype: str, count: int) -> Array:
    bits = PACKED[dtype]
    if len(data) * 8 < count * bits:
        raise FormatError(
            f"A tensor of {count:,} {dtype} has only {len(data):,} bytes.", hint="The file is damaged or incomplete."
        )
    packed = np.frombuffer(data, np.uint8, -(-count * bits // 8))
    codes = _sixes(packed, count) if bits == 6 else _equal_parts(packed, bits, count)
    if dtype.startswith("int"):  # two's complement of so many bits
        codes = ((codes ^ (1 << (bits - 1))).astype(np.int8) - (1 << (bits - 1))).astype(np.int8)
    if dtype.startswith("float"):
        return codes.astype(np.uint8).view(numpy_dtype(dtype))
    return codes.astype(numpy_dtype(dtype))


def _equal_parts(packed: NDArray[np.uint8], bits: int, count: int) -> NDArray[np.uint8]:
    """Codes of 2 or 4 bits, so many to a byte."""
    parts = [(packed >> shift) & ((1 << bits) - 1) for shift in range(0, 8, bits)]
    return np.stack(parts, axis=-1).reshape(-1)[:count]


def _sixes(packed: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """Codes of 6 bits, four to three bytes, as a stream of bits from the low end."""
    whole = np.zeros(-(-packed.size // 3) * 3, np.uint8)
    whole[: packed.size] = packed
    a, b, c = (whole[at::3].astype(np.uint32) for at in range(3))
    words = a | (b << 8) | (c << 16)
    parts = [((words >> shift) & 63).astype(np.uint8) for shift in (0, 6, 12, 18)]
    return np.stack(parts, axis=-1).reshape(-1)[:count]


def is_floating(dtype: str) -> bool:
    """Whether a dtype holds real or complex numbers rather than integers."""
    return dtype.startswith(("float", "bfloat", "complex"))


def state_role(dtype: str, shape: Sequence[int]) -> Role:
    """Role of state that is not trained: arrays of real numbers are buffers; counters, indices and scalars constants.

    One rule for all formats, so that one model counts the same in each: running statistics are kept by every exporter
    while `num_batches_tracked`, position indices and scalar factors are not.
    """
    return Role.BUFFER if (is_floating(dtype) or dtype in QUANTIZED) and len(shape) > 0 else Role.CONSTANT
