"""Where things lie in an ONNX file, by walking protobuf's wire format instead of decoding it.

`strip` copies a model without its bulky data and remembers where that data lies, so that opening a file touches only
its structure and `fetch` reads only what is asked for. It also cuts deeply nested graphs loose, because the protobuf
library refuses more than a hundred nested messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from inspector.errors import FormatError

Buffer = memoryview

INLINE = 1024
"""Data of at most this many bytes stays: shape inference needs the values of shapes, axes and the like."""

SMALL = 256
"""Nodes and attributes of at most this many bytes are not looked into."""

TEXT = 4096
"""Attribute strings longer than this are shown by their beginning."""

PROSE = 4 << 20
"""Documentation and metadata longer than this are shown by their beginning."""

DEPTH = 100
"""Graphs nested deeper than this are refused."""

LOOSE = 20
"""Every so many levels of nested graphs are decoded apart."""

MESSAGES: dict[str, dict[int, tuple[str, str]]] = {
    "model": {
        6: ("doc_string", "prose"),
        7: ("graph", "graph"),
        14: ("metadata_props", "entry"),
        20: ("training_info", "training"),
        25: ("functions", "function"),
    },
    "training": {1: ("initialization", "graph"), 2: ("algorithm", "graph")},
    "graph": {
        1: ("node", "node"),
        5: ("initializer", "tensor"),
        10: ("doc_string", "prose"),
        15: ("sparse_initializer", "sparse"),
        16: ("metadata_props", "entry"),
    },
    "function": {7: ("node", "node"), 8: ("doc_string", "prose")},
    "node": {5: ("attribute", "attribute"), 6: ("doc_string", "prose")},
    "entry": {2: ("value", "prose")},
    "attribute": {
        4: ("s", "text"),
        5: ("t", "tensor"),
        6: ("g", "graph"),
        10: ("tensors", "tensor"),
        11: ("graphs", "graph"),
        22: ("sparse_tensor", "sparse"),
        23: ("sparse_tensors", "sparse"),
    },
    "sparse": {1: ("values", "tensor"), 2: ("indices", "tensor")},
    "tensor": {
        4: ("float_data", "data"),
        5: ("int32_data", "data"),
        6: ("string_data", "data"),
        7: ("int64_data", "data"),
        9: ("raw_data", "data"),
        10: ("double_data", "data"),
        11: ("uint64_data", "data"),
    },
}
"""Fields to look into, by message and number: their name and their kind."""

WHOLE = {"node": SMALL, "attribute": SMALL, "tensor": INLINE, "entry": PROSE}
"""Messages of at most so many bytes stay as they are."""

CUT = {"text": TEXT, "prose": PROSE}
"""What is shown by its beginning, and how much of it."""

SINGLE = frozenset({"graph", "t", "g", "sparse_tensor", "values", "indices"})
"""Messages that may stand once; protobuf would merge a second one, and two readers would see two models."""

STEP = re.compile(r"([a-z0-9_]+)(?:\[(\d+)\])?")


@dataclass(slots=True)
class Stripped:
    """A model without its bulky data.

    Attributes:
        data: The serialised model.
        spans: For each tensor whose data was left out, by path: field, offset in the file, size.
        loose: Serialised graphs that were cut out because they are nested deeply, by path.
    """

    data: bytes = b""
    spans: dict[str, list[tuple[str, int, int]]] = field(default_factory=dict)
    loose: dict[str, bytes] = field(default_factory=dict)


def damaged(offset: int) -> FormatError:
    """The error for bytes that are not protobuf."""
    return FormatError(
        f"The ONNX file is damaged or incomplete near byte {offset:,}.", hint="Fetch or copy the file again."
    )


def check_depth(depth: int) -> None:
    """Refuse graphs that are nested too deeply; the main graph has depth 1.

    Raises:
        FormatError: They are.
    """
    if depth > DEPTH + 1:
        raise FormatError(
            f"Graphs are nested too deep (limit {DEPTH}).", hint="No exporter writes this; it is not read."
        )


def varint(buffer: Buffer, at: int, end: int) -> tuple[int, int]:
    """A variable-length integer and the position after it."""
    value = shift = 0
    while at < end and shift < 70:
        byte = buffer[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise damaged(at)


def fields(buffer: Buffer, start: int, end: int) -> Iterator[tuple[int, int, int, int, int]]:
    """The fields of a message: number, wire type, start of the tag, start and end of the value.

    Raises:
        FormatError: The bytes are not a message.
    """
    at = start
    while at < end:
        begin = at
        tag = buffer[at]
        at += 1
        if tag >= 0x80:
            tag, at = varint(buffer, begin, end)
        wire = tag & 7
        if wire == 2:
            if at < end and buffer[at] < 0x80:
                size, at = buffer[at], at + 1
            else:
                size, at = varint(buffer, at, end)
            stop = at + size
        elif wire == 0:
            stop = varint(buffer, at, end)[1]
        elif wire == 5:
            stop = at + 4
        elif wire == 1:
            stop = at + 8
        else:
            raise damaged(begin)
        if stop > end or tag < 8:
            raise damaged(begin)
        yield tag >> 3, wire, begin, at, stop
        at = stop


def strip(buffer: Buffer) -> Stripped:
    """The model in these bytes without its bulky data.

    Raises:
        FormatError: The bytes are no protobuf message, or graphs are nested too deeply.
    """
    result = Stripped()
    result.data = bytes(Stripper(buffer, result).message("model", 0, len(buffer), "", 0))
    return result


class Stripper:
    """Copies messages without their bulky data.

    Args:
        buffer: The file.
        result: Where it is noted what was left out.
    """

    def __init__(self, buffer: Buffer, result: Stripped) -> None:
        self._buffer = buffer
        self._result = result

    def message(self, kind: str, start: int, end: int, path: str, depth: int) -> bytes | Buffer:
        """The message between two offsets, itself where nothing is left out of it."""
        buffer, known = self._buffer, MESSAGES[kind]
        pieces: list[bytes | Buffer] = []
        counts: dict[str, int] = {}
        kept = start
        for number, wire, begin, at, stop in fields(buffer, start, end):
            entry = known.get(number)
            if entry is None or wire != 2:
                continue
            name, inner = entry
            index = counts.get(name, 0)
            counts[name] = index + 1
            if index and name in SINGLE:
                raise FormatError("The ONNX file holds two graphs where one may stand.", hint="It is damaged.")
            # Small nodes and tensors are most of a large graph, and nothing is left out of them.
            if stop - at <= WHOLE.get(inner, 0):
                continue
            here = name if name in SINGLE else f"{name}[{index}]"
            new = self.field(inner, at, stop, f"{path}.{here}" if path else here, depth)
            if new is None:
                continue
            pieces += (buffer[kept:begin], header(number, len(new)), new)
            kept = stop
        if not pieces:
            return buffer[start:end]
        pieces.append(buffer[kept:end])
        return b"".join(pieces)

    def field(self, kind: str, start: int, end: int, path: str, depth: int) -> bytes | Buffer | None:
        """What stands in a field's place; None where it stays as it is."""
        if kind == "data":
            return self._data(start, end, path)
        if kind in CUT:
            return bytes(self._buffer[start : start + CUT[kind]]) if end - start > CUT[kind] else None
        if kind == "graph":
            depth += 1
            check_depth(depth)
        new = self.message(kind, start, end, path, depth)
        if kind == "graph" and depth % LOOSE == 0:
            self._result.loose[path] = bytes(new)
            return b""
        return new if isinstance(new, bytes) else None

    def _data(self, start: int, end: int, path: str) -> bytes | None:
        if end - start <= INLINE:
            return None
        tensor, _, name = path.rpartition(".")
        self._result.spans.setdefault(tensor, []).append((name.partition("[")[0], start, end - start))
        return b""


def header(number: int, size: int) -> bytes:
    """What stands before the bytes of a field."""
    out = bytearray()
    for value in (number << 3 | 2, size):
        while value >= 0x80:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        out.append(value)
    return bytes(out)


def locate(buffer: Buffer, path: str) -> tuple[int, int]:
    """Start and end of the message at a path such as `graph.node[3].attribute[0].t`.

    Raises:
        FormatError: There is none: the file changed since it was opened.
    """
    kind, start, end = "model", 0, len(buffer)
    for step in path.split("."):
        match = STEP.fullmatch(step)
        if match is None:
            raise damaged(start)
        wanted = int(match[2] or 0)
        number, kind = next(
            ((number, inner) for number, (name, inner) in MESSAGES[kind].items() if name == match[1]), (0, "")
        )
        spans = ((at, stop) for found, wire, _, at, stop in fields(buffer, start, end) if found == number and wire == 2)
        start, end = next((span for index, span in enumerate(spans) if index == wanted), (-1, -1))
        if start < 0:
            raise FormatError("The file changed since it was opened.", hint="Close it and open it again.")
    return start, end
