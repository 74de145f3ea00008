"""A checkpoint that asks for more than tensors, for the picture of what the window says of it.

It is put together instruction by instruction and is never loaded: no object with a call in it exists in this process.
"""

from __future__ import annotations

import struct
import zipfile
from math import prod
from pathlib import Path

LAYERS = (
    ("backbone.stem.conv.weight", (32, 3, 3, 3)),
    ("backbone.stem.norm.weight", (32,)),
    ("backbone.stem.norm.bias", (32,)),
    ("backbone.blocks.0.conv1.weight", (64, 32, 3, 3)),
    ("backbone.blocks.0.conv2.weight", (64, 64, 3, 3)),
    ("backbone.blocks.1.conv1.weight", (128, 64, 3, 3)),
    ("backbone.blocks.1.conv2.weight", (128, 128, 3, 3)),
    ("head.fc.weight", (10, 128)),
    ("head.fc.bias", (10,)),
)
CALLS = (("posix", "system", "true"), ("builtins", "eval", "0"), ("requests", "get", "localhost"))
"""What it asks to call, with which text."""


def write(file: Path) -> None:
    """Write the checkpoint as torch.save lays it out: a zip with a pickle and a file for each storage."""
    weights = _table({name: _tensor(str(key), shape) for key, (name, shape) in enumerate(LAYERS)})
    calls = b"](" + b"".join(_name(module, name) + _text(word) + b"\x85R" for module, name, word in CALLS) + b"e"
    whole = b"\x80\x02" + _table({"state_dict": weights, "epoch": b"K\x0c", "callbacks": calls}) + b"."
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", whole)
        archive.writestr("archive/version", "3\n")
        for key, (_, shape) in enumerate(LAYERS):
            count = prod(shape)
            values = struct.pack(f"<{count}f", *(((n * 7919) % 2003 / 1001 - 1) ** 3 for n in range(count)))
            archive.writestr(f"archive/data/{key}", values)


def _text(word: str) -> bytes:
    data = word.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def _number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def _row(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def _table(pairs: dict[str, bytes]) -> bytes:
    return b"}(" + b"".join(_text(key) + value for key, value in pairs.items()) + b"u"


def _name(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def _tensor(key: str, shape: tuple[int, ...]) -> bytes:
    """A float32 tensor in a storage of its own, contiguous."""
    strides = [prod(shape[axis + 1 :]) for axis in range(len(shape))]
    stored = _row(_text("storage"), _name("torch", "FloatStorage"), _text(key), _text("cpu"), _number(prod(shape)))
    sizes, steps = _row(*map(_number, shape)), _row(*map(_number, strides))
    hooks = _name("collections", "OrderedDict") + b")R"
    return (
        _name("torch._utils", "_rebuild_tensor_v2") + _row(stored + b"Q", b"K\0", sizes, steps, b"\x89", hooks) + b"R"
    )
