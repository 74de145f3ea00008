"""A tensor of the open model as a .npy file, piece by piece; who asks writes the file.

numpy's file format has no name for bfloat16, the float8 kinds and integers below a byte. They are written in the
smallest type of numpy's own that holds each of their values exactly, float32 and int8 or uint8, so that anybody can
load the file; a view as uint16 would keep the bytes and lose the meaning. Strings are written as numpy's unicode.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import msgspec
import numpy as np

from inspector.errors import InspectorError
from inspector.worker.tasks._document import document
from inspector.worker.tasks._task import Context, Task
from inspector.worker.tasks._values import Values, values

LARGEST_PIECE = 32 * 1024 * 1024
LARGEST_STRINGS = 1 << 30


class TensorBytesArgs(msgspec.Struct, frozen=True):
    """Which tensor, and which bytes of its data; 32 MiB at most. `real` as in `TensorArgs`."""

    name: str
    offset: int = 0
    size: int = LARGEST_PIECE
    real: bool | None = None


class TensorBytes(msgspec.Struct, frozen=True):
    """A piece of the file: the header comes with offset 0; `total` counts the bytes of data without it."""

    header: bytes
    data: bytes
    total: int


def run(args: TensorBytesArgs, context: Context) -> TensorBytes:
    """Give the piece; the tensor is read once."""
    opened = document(context)
    found = values(opened, opened.tensor(args.name), args.real)
    dtype = npy_dtype(found)
    total = found.size * dtype.itemsize
    start = min(max(0, args.offset), total)
    end = min(total, start + min(max(0, args.size), LARGEST_PIECE))
    first, last = (start // dtype.itemsize, -(-end // dtype.itemsize)) if dtype.itemsize else (0, 0)
    with np.errstate(all="ignore"):  # a signalling NaN is one more NaN
        data = found.part(first, last - first).astype(dtype).tobytes()
    skipped = start - first * dtype.itemsize
    header = npy_header(dtype, found.shape) if args.offset == 0 else b""
    return TensorBytes(header, data[skipped : skipped + end - start], total)


def npy_dtype(found: Values) -> np.dtype[Any]:
    """The type that the values have in the file, little endian."""
    name, kind = found.dtype.name, found.dtype.kind
    if kind == "O":
        longest = max((len(str(value)) for value in found.part(0, found.size)), default=1)
        if longest * 4 * found.size > LARGEST_STRINGS:
            raise InspectorError("These strings are too long for a .npy file.", "Copy the values that you need.")
        return np.dtype(f"<U{max(1, longest)}")
    if name.startswith(("bfloat", "float8_", "float6_", "float4_")):
        return np.dtype("<f4")
    if name in {"int2", "int4"}:
        return np.dtype("i1")
    if name in {"uint1", "uint2", "uint4"}:
        return np.dtype("u1")
    return found.dtype.newbyteorder("<")


def npy_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """The beginning of a .npy file."""
    out = BytesIO()
    what = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": tuple(map(int, shape))}
    np.lib.format.write_array_header_1_0(out, what)
    return out.getvalue()


TASK = Task("tensor_bytes", TensorBytesArgs, TensorBytes, run)
