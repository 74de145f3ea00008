"""An assembler for pickles, instruction by instruction: what it makes is data and is never loaded.

A piece is the instructions that leave one object on the stack. `proto` 0 to 5 chooses between the ways of a protocol
to write the same thing.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping
from io import BytesIO

MAGIC = 0x1950A86A20F9469CFC6C
NONE, TRUE, FALSE, EMPTY = b"N", b"\x88", b"\x89", b")"
STOP, REDUCE, BUILD, POP, DUP, MARK, MEMOIZE = b".", b"R", b"b", b"0", b"2", b"(", b"\x94"


def text(word: str | bytes, proto: int = 2) -> bytes:
    """A text."""
    data = word.encode() if isinstance(word, str) else word
    if proto == 0:
        return b"V" + data + b"\n"
    if proto >= 4 and len(data) < 256:
        return b"\x8c" + bytes([len(data)]) + data
    return b"X" + struct.pack("<I", len(data)) + data


def raw(data: bytes) -> bytes:
    """Bytes (protocol 3)."""
    return b"B" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    """A whole number of any size."""
    if 0 <= value < 256:
        return b"K" + bytes([value])
    if -(1 << 31) <= value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data if len(data) < 256 else b"\x8b" + struct.pack("<I", len(data)) + data


def row(*pieces: bytes) -> bytes:
    """A tuple."""
    return MARK + b"".join(pieces) + b"t"


def array(*pieces: bytes) -> bytes:
    """A list."""
    return b"](" + b"".join(pieces) + b"e"


def table(pairs: Mapping[str, bytes]) -> bytes:
    """A dictionary."""
    return b"}(" + b"".join(text(key) + value for key, value in pairs.items()) + b"u"


def name(module: str, attribute: str, proto: int = 2) -> bytes:
    """Something to import."""
    if proto >= 4:
        return text(module, 4) + text(attribute, 4) + b"\x93"
    return b"c" + module.encode() + b"\n" + attribute.encode() + b"\n"


def call(module: str, attribute: str, *args: bytes, proto: int = 2) -> bytes:
    """Something to import and call."""
    return name(module, attribute, proto) + row(*args) + REDUCE


def instance(module: str, attribute: str, state: Mapping[str, bytes]) -> bytes:
    """An object made without a call, its state set."""
    return name(module, attribute) + EMPTY + b"\x81" + table(state) + BUILD


def whole(piece: bytes, proto: int = 2) -> bytes:
    """A pickle of one object."""
    return (b"\x80" + bytes([proto]) if proto >= 2 else b"") + piece + STOP


def storage(key: bytes, count: int, kind: str = "FloatStorage") -> bytes:
    """A persistent storage; `key` is a piece."""
    return row(text("storage"), name("torch", kind), key, text("cpu"), number(count)) + b"Q"


def tensor(
    key: str | bytes = "0", shape: tuple[int, ...] = (2,), *, count: int | None = None, offset: int = 0
) -> bytes:
    """A dense tensor over a storage, as torch pickles it."""
    size, strides = 1, []
    for dim in reversed(shape):
        strides.insert(0, size)
        size *= dim
    where = storage(text(key) if isinstance(key, str) else key, size if count is None else count)
    dims, steps = row(*map(number, shape)), row(*map(number, strides))
    hooks = call("collections", "OrderedDict")
    return call("torch._utils", "_rebuild_tensor_v2", where, number(offset), dims, steps, FALSE, hooks)


def module(kind: tuple[str, str], tensors: Mapping[str, bytes], children: Mapping[str, bytes], **more: bytes) -> bytes:
    """An `nn.Module` as a whole."""
    state = {"training": TRUE, "_parameters": table(tensors), "_buffers": table({}), "_modules": table(children)}
    return instance(*kind, {**state, **more})


def zipped(data: bytes, members: Mapping[str, bytes] | None = None, folder: str = "archive") -> bytes:
    """In a zip archive, as torch.save writes it since 1.6."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(f"{folder}/data.pkl", data)
        for member, content in (members if members is not None else {"data/0": bytes(8)}).items():
            archive.writestr(f"{folder}/{member}", content)
        archive.writestr(f"{folder}/version", b"3\n")
    return made.getvalue()


def legacy(data: bytes, keys: tuple[str, ...] = (), storages: bytes = b"", magic: int = MAGIC) -> bytes:
    """In the sequence of pickles that torch.save wrote before 1.6."""
    system = table({"protocol_version": number(1001), "little_endian": TRUE, "type_sizes": table({})})
    before = b"".join(whole(piece) for piece in (number(magic), number(1001), system))
    return before + data + whole(array(*map(text, keys)) if keys else b"]") + storages


def shell(command: str, proto: int = 2, system: tuple[str, str] = ("posix", "system")) -> bytes:
    """`os.system(command)`."""
    return call(*system, text(command, proto), proto=proto)
