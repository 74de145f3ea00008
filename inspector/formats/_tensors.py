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
    "bfloat16", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu",
    "float4_e2m1fn", "int4", "uint4", "int2", "uint2",
})  # fmt: skip
"""dtypes that numpy has only through ml_dtypes."""

PACKED = {"int4": 4, "uint4": 4, "float4_e2m1fn": 4, "int2": 2, "uint2": 2}
"""Bits of dtypes of which several share a byte, the first in its low bits."""

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
        return np.dtype(QUANTIZED.get(name, name or "void")).newbyteorder(byteorder)
    except TypeError as error:
        raise FormatError(f"Values of type {name!r} cannot be shown.") from error


def dense(
    data: bytes | memoryview,
    dtype: str,
    shape: Sequence[int],
    *,
    strides: Sequence[int] | None = None,
    offset: int = 0,
    byteorder: ByteOrder = "<",
) -> Array:
    """A C-contiguous array of native byte order from stored bytes.

    Args:
        data: The stored bytes; for packed dtypes several elements share a byte.
        dtype: IR name.
        shape: Sizes.
        strides: In elements, where the storage is not C-contiguous.
        offset: First element.
        byteorder: `<` or `>`.

    Raises:
        FormatError: There are fewer bytes than the shape needs.
    """
    if dtype in PACKED:
        return _unpacked(data, dtype, prod(shape)).reshape(shape)
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
        view = flat.reshape(shape)
    return np.array(view, kind.newbyteorder("="), order="C")


def decode(data: bytes | memoryview, dtype: str, shape: Sequence[int], *, big: bool = False) -> Array:
    """A C-contiguous array of native byte order from the bytes of a dense array."""
    return dense(data, dtype, shape, byteorder=">" if big else "<")


def _unpacked(data: bytes | memoryview, dtype: str, count: int) -> Array:
    bits = PACKED[dtype]
    if len(data) * 8 < count * bits:
        raise FormatError(
            f"A tensor of {count:,} {dtype} has only {len(data):,} bytes.", hint="The file is damaged or incomplete."
        )
    packed = np.frombuffer(data, np.uint8, -(-count * bits // 8))
    parts = [(packed >> shift) & ((1 << bits) - 1) for shift in range(0, 8, bits)]
    codes = np.stack(parts, axis=-1).reshape(-1)[:count]
    if dtype.startswith("int"):  # two's complement of so many bits
        codes = ((codes ^ (1 << (bits - 1))).astype(np.int8) - (1 << (bits - 1))).astype(np.int8)
    if dtype.startswith("float"):
        return codes.astype(np.uint8).view(numpy_dtype(dtype))
    return codes.astype(numpy_dtype(dtype))


def is_floating(dtype: str) -> bool:
    """Whether a dtype holds real or complex numbers rather than integers."""
    return dtype.startswith(("float", "bfloat", "complex"))


def state_role(dtype: str, shape: Sequence[int]) -> Role:
    """Role of state that is not trained: floating arrays are buffers; counters, indices and scalars are constants.

    One rule for all formats, so that one model counts the same in each: running statistics are kept by every exporter
    while `num_batches_tracked`, position indices and scalar factors are not.
    """
    return Role.BUFFER if is_floating(dtype) and len(shape) > 0 else Role.CONSTANT
