"""TFLite's schema, read within bounds: every count is checked against the file before it is followed."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from inspector.errors import FormatError
from inspector.ir import Attribute

ITEMS = 2_000_000
"""No vector longer than this is followed."""

LEAST, MOST = 10_000, 20_000_000
"""Parts that are followed in one model, however small or large its file."""

RANK = 64
"""Shapes of more dimensions are not read: nothing has them, and working with them can take for ever."""

BROKEN = (struct.error, IndexError, ValueError, TypeError, OverflowError, AttributeError, UnicodeDecodeError, KeyError)
"""What flatbuffers raises on hostile bytes."""

DTYPES = {
    "FLOAT32": "float32", "FLOAT16": "float16", "FLOAT64": "float64", "BFLOAT16": "bfloat16", "INT2": "int2",
    "INT4": "int4", "INT8": "int8", "INT16": "int16", "INT32": "int32", "INT64": "int64", "UINT4": "uint4",
    "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64", "BOOL": "bool",
    "COMPLEX64": "complex64", "COMPLEX128": "complex128", "STRING": "string",
}  # fmt: skip

ENUMS = {
    "FusedActivationFunction": "ActivationFunctionType", "Padding": "Padding", "KernelType": "LSTMKernelType",
    "WeightsFormat": "FullyConnectedOptionsWeightsFormat", "InDataType": "TensorType", "OutDataType": "TensorType",
    "OutputType": "TensorType", "QuantizedBiasType": "TensorType", "Mode": "MirrorPadMode", "Type": "TensorType",
    "Combiner": "CombinerType", "OutType": "TensorType",
}  # fmt: skip
"""Which enumeration the numbers of an option stand for."""

SKIP = frozenset({"Init", "GetRootAs"})


@cache
def names(enum: str) -> dict[int, str]:
    """Names of an enumeration's numbers."""
    import tflite

    kind = getattr(tflite, enum, None)
    pairs = vars(kind).items() if isinstance(kind, type) else ()
    return {value: key for key, value in pairs if isinstance(value, int) and not key.startswith("_")}


_left: ContextVar[list[int] | None] = ContextVar("parts that may still be followed", default=None)


@contextmanager
def allowance(size: int) -> Iterator[None]:
    """Follow no more parts than a file of so many bytes can hold.

    Everything in a flatbuffer is reached by offsets, so a file of a megabyte can hold one table a million times, in
    vectors that are held a million times themselves.
    """
    token = _left.set([min(size, MOST) + LEAST])
    try:
        yield
    finally:
        _left.reset(token)


def _spend(parts: int) -> None:
    left = _left.get()
    if left is None:
        return
    left[0] -= parts
    if left[0] < 0:
        raise FormatError("The model claims more parts than its file can hold.", hint="The file may be damaged.")


def count(length: int, what: str) -> int:
    """A count that may be followed.

    Raises:
        FormatError: It is larger than any model's, or all of them together are.
    """
    if not 0 <= length <= ITEMS:
        raise FormatError(f"The model claims {length:,} {what}.", hint="The file may be damaged.")
    _spend(length)
    return length


def text(raw: Any) -> str:
    """A string of the file; bytes that are no UTF-8 stay visible."""
    if raw is None:
        return ""
    _spend(len(raw) >> 6)
    return bytes(raw[:16384]).decode("utf-8", "backslashreplace")[:4096]


def ints(item: Any, name: str) -> list[int]:
    """A vector of numbers."""
    length = count(getattr(item, f"{name}Length")(), f"numbers in {name}")
    get = getattr(item, name)
    return [int(get(at)) for at in range(length)]


def items(item: Any, name: str) -> Iterator[Any]:
    """A vector of tables."""
    length = count(getattr(item, f"{name}Length")(), name)
    get = getattr(item, name)
    for at in range(length):
        yield get(at)


def options(operator: Any) -> dict[str, Attribute]:
    """The attributes of a built-in operator, by the names of the schema."""
    import tflite

    kinds = names("BuiltinOptions")
    for kind_of, table_of, table in (
        (operator.BuiltinOptionsType, operator.BuiltinOptions, kinds),
        (
            getattr(operator, "BuiltinOptions2Type", lambda: 0),
            getattr(operator, "BuiltinOptions2", lambda: None),
            names("BuiltinOptions2"),
        ),
    ):
        kind, found = table.get(kind_of(), "NONE"), table_of()
        reader = getattr(tflite, kind, None)
        if kind != "NONE" and found is not None and reader is not None:
            made = reader()
            made.Init(found.Bytes, found.Pos)
            return _fields(made)
    return {}


def _fields(made: Any) -> dict[str, Attribute]:
    fields: dict[str, Attribute] = {}
    methods = [name for name in vars(type(made)) if name[0].isupper() and name not in SKIP]
    for name in methods:
        if name.endswith(("Length", "AsNumpy", "IsNone", "BufferHasIdentifier")) or "GetRootAs" in name:
            continue
        if f"{name}Length" in methods:
            fields[name] = tuple(ints(made, name))
            continue
        value = getattr(made, name)()
        if isinstance(value, bool | float):
            fields[name] = value
        elif isinstance(value, int):
            fields[name] = names(ENUMS[name]).get(value, value) if ENUMS.get(name) else value
        elif isinstance(value, bytes):
            fields[name] = text(value)
    return fields
