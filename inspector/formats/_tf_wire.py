"""A GraphDef without the bulk of its constants, and where that bulk lies in the file.

Opening a frozen graph must not decode its weights: the wire format is walked, constants keep their dtype and shape,
and their place is remembered.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from inspector.errors import FormatError
from inspector.formats._onnx_wire import fields

INLINE = 1024
"""Constants of at most this many bytes stay in the graph."""

NODE, LIBRARY, FUNCTION, FUNCTION_NODE = 1, 2, 1, 3
NAME, OP, ATTRIBUTE, KEY, VALUE, TENSOR, SIGNATURE = 1, 2, 5, 1, 2, 8, 1
KEPT = frozenset({1, 2, 3})
"""Fields of a TensorProto that say what it is: dtype, shape, version."""

Span = tuple[int, int]


@dataclass(slots=True)
class Lean:
    """A serialised GraphDef without bulk.

    Attributes:
        data: To be parsed.
        spans: Offset and size of the TensorProto of each constant, by function (empty for the graph) and node.
    """

    data: bytes = b""
    spans: dict[tuple[str, str], Span] = field(default_factory=dict)


def lean(buffer: memoryview) -> Lean:
    """Strip a serialised GraphDef.

    Raises:
        FormatError: It is damaged.
    """
    made = Lean()
    parts: list[bytes] = []
    try:
        for number, wire, tag, start, end in fields(buffer, 0, len(buffer)):
            if number == NODE and wire == 2:
                parts.append(_field(NODE, _node(made, buffer, "", start, end)))
            elif number == LIBRARY and wire == 2:
                parts.append(_field(LIBRARY, _library(made, buffer, start, end)))
            else:
                parts.append(bytes(buffer[tag:end]))
    except (FormatError, IndexError) as error:
        raise FormatError(
            "The TensorFlow graph is damaged or incomplete.", hint="Fetch or copy the file again."
        ) from error
    made.data = b"".join(parts)
    return made


def _field(number: int, data: bytes) -> bytes:
    """A length-delimited field."""
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    made.append(value)
    return bytes(made)


def _library(made: Lean, buffer: memoryview, start: int, end: int) -> bytes:
    parts: list[bytes] = []
    for number, wire, tag, at, stop in fields(buffer, start, end):
        if number != FUNCTION or wire != 2:
            parts.append(bytes(buffer[tag:stop]))
            continue
        name = _function_name(buffer, at, stop)
        inner: list[bytes] = []
        for field_, kind, tag_, at_, stop_ in fields(buffer, at, stop):
            if field_ == FUNCTION_NODE and kind == 2:
                inner.append(_field(FUNCTION_NODE, _node(made, buffer, name, at_, stop_)))
            else:
                inner.append(bytes(buffer[tag_:stop_]))
        parts.append(_field(FUNCTION, b"".join(inner)))
    return b"".join(parts)


def _function_name(buffer: memoryview, start: int, end: int) -> str:
    for number, wire, _tag, at, stop in fields(buffer, start, end):
        if number == SIGNATURE and wire == 2:
            return _text(buffer, at, stop, NAME)
    return ""


def _text(buffer: memoryview, start: int, end: int, wanted: int) -> str:
    for number, wire, _tag, at, stop in fields(buffer, start, end):
        if number == wanted and wire == 2:
            return bytes(buffer[at:stop]).decode("utf-8", "backslashreplace")
    return ""


def _node(made: Lean, buffer: memoryview, function: str, start: int, end: int) -> bytes:
    """A node; of a constant, the place of its tensor is noted and a large one loses its values."""
    if _text(buffer, start, end, OP) != "Const":
        return bytes(buffer[start:end])
    name = _text(buffer, start, end, NAME)
    parts: list[bytes] = []
    for number, wire, tag, at, stop in fields(buffer, start, end):
        if number == ATTRIBUTE and wire == 2 and _text(buffer, at, stop, KEY) == "value":
            parts.append(_field(ATTRIBUTE, _value(made, buffer, (function, name), at, stop)))
        else:
            parts.append(bytes(buffer[tag:stop]))
    return b"".join(parts)


def _value(made: Lean, buffer: memoryview, key: tuple[str, str], start: int, end: int) -> bytes:
    parts: list[bytes] = []
    for number, wire, tag, at, stop in fields(buffer, start, end):
        if number != VALUE or wire != 2:
            parts.append(bytes(buffer[tag:stop]))
            continue
        inner: list[bytes] = []
        for field_, kind, tag_, at_, stop_ in fields(buffer, at, stop):
            if field_ != TENSOR or kind != 2:
                inner.append(bytes(buffer[tag_:stop_]))
                continue
            if key in made.spans:
                raise FormatError("A constant has two values.", hint="Fetch or copy the model again.")
            made.spans[key] = (at_, stop_ - at_)
            small = stop_ - at_ <= INLINE
            inner.append(_field(TENSOR, bytes(buffer[at_:stop_]) if small else _described(buffer, at_, stop_)))
        parts.append(_field(VALUE, b"".join(inner)))
    return b"".join(parts)


def _described(buffer: memoryview, start: int, end: int) -> bytes:
    """A TensorProto without its values."""
    kept = [bytes(buffer[tag:stop]) for number, _, tag, _, stop in fields(buffer, start, end) if number in KEPT]
    return b"".join(kept)
