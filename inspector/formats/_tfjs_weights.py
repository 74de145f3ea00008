"""The weight manifest of TensorFlow.js: groups of files that hold tensors one after another.

A tensor may begin in one file and end in the next. Quantized ones are shown as the numbers that they stand for; how
they are stored is part of their place. Strings have their length in front, so that only reading them tells where the
next tensor begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np

from inspector.errors import FormatError
from inspector.formats._raw import read_at
from inspector.formats._source import Source
from inspector.formats._tensors import LARGEST, Array, decode
from inspector.formats._tf_proto import FEW, SMALL, WHOLE
from inspector.ir import Attribute, Note, Place, Tensor
from inspector.ir.model import BITS, bytes_of

DTYPES = {
    "float32": "float32", "int32": "int32", "bool": "bool", "uint8": "uint8", "uint16": "uint16", "float16": "float16",
    "int8": "int8", "int16": "int16", "complex64": "complex64", "string": "string", "float64": "float64",
    "int64": "int64", "uint32": "uint32",
}  # fmt: skip
WEIGHTS = 1_000_000
FILES = 10_000
STRINGS = 20_000_000
NUMBERS = 20_000
"""Constants whose values are read while the graph is read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor of the manifest."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    place: Place


@dataclass(slots=True)
class Manifest:
    """All tensors by name, and what is to be said of the files."""

    entries: dict[str, Entry] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


class Shards:
    """The files of a group as one run of bytes.

    Raises:
        FormatError: A name leads outside the folder.
    """

    def __init__(self, source: Source, names: list[str]) -> None:
        self.source, self.names = source, names
        self.missing = ""
        self.sizes: list[int] = []
        for name in names:
            try:
                source.side(name)  # refuses an empty name, which would be the model file itself
                with source.open(name) as file:
                    size = file.seek(0, 2)
            except FormatError as error:
                if "is missing" not in error.what:
                    raise
                self.missing = self.missing or name
                break
            self.sizes.append(size)
        self.starts = [0, *accumulate(self.sizes)]

    @property
    def size(self) -> int:
        """Bytes of all files that are there."""
        return self.starts[-1]

    def locate(self, at: int) -> tuple[int, int]:
        """Which file a byte lies in, and where in it."""
        for number, start in enumerate(self.starts[:-1]):
            if at < self.starts[number + 1]:
                return number, at - start
        return max(0, len(self.names) - 1), at - self.starts[-1] if self.sizes else at

    def read(self, at: int, size: int, what: str) -> bytes:
        """Bytes that may reach over several files.

        Raises:
            FormatError: They are not there.
        """
        if at < 0 or size > LARGEST or at + size > self.size:
            raise FormatError(
                f"The files end inside the {what}.", hint="They are incomplete; fetch or copy them again."
            )
        parts = []
        number, offset = self.locate(at)
        while size > 0:
            count = min(size, self.sizes[number] - offset)
            with self.source.open(self.names[number]) as file:
                parts.append(read_at(file, offset, count, what))
            number, offset, size = number + 1, 0, size - count
        return b"".join(parts)


def manifest(source: Source, groups: Any) -> Manifest:
    """All tensors of a manifest.

    Raises:
        FormatError: It is damaged, or names files outside the folder.
    """
    if not isinstance(groups, list):
        raise FormatError(f"{source.name} has no list of weights.", hint="Fetch or copy the model again.")
    found = Manifest()
    for group in groups:
        paths, weights = (group.get("paths"), group.get("weights")) if isinstance(group, dict) else (None, None)
        if not isinstance(paths, list) or not isinstance(weights, list) or len(paths) > FILES or len(weights) > WEIGHTS:
            raise FormatError(f"The list of weights in {source.name} is damaged.", hint="Fetch the model again.")
        if not all(isinstance(path, str) for path in paths):
            raise FormatError(
                f"The list of weights in {source.name} names files that are no texts.",
                hint="Fetch or copy the model again.",
            )
        _group(found, source, paths, weights)
    return found


def _group(found: Manifest, source: Source, paths: list[str], weights: list[Any]) -> None:
    shards = Shards(source, paths)
    at = 0
    for item in weights:
        entry, at = _entry(shards, item, at)
        if entry.name in found.entries:
            raise FormatError(
                f"The weight {entry.name[:200]!r} stands twice in the manifest; it was not read.",
                hint="Other programs may see another model in these files.",
            )
        found.entries[entry.name] = entry
    if shards.missing:
        text = f"The file {shards.missing[:200]!r} with weights is missing: values cannot be shown."
        found.notes.append(Note("warning", text, "Put it beside model.json."))
    elif at > shards.size:
        text = f"The files with weights have {shards.size:,} bytes of {at:,}."
        found.notes.append(Note("warning", text, "They are incomplete; fetch or copy them again."))


def _entry(shards: Shards, item: Any, at: int) -> tuple[Entry, int]:
    """A tensor and where the next one begins."""
    name = item.get("name") if isinstance(item, dict) else None
    shape = item.get("shape") if isinstance(item, dict) else None
    dtype = DTYPES.get(str(item.get("dtype"))) if isinstance(item, dict) else None
    if not isinstance(name, str) or not isinstance(shape, list) or dtype is None or len(shape) > 64:
        raise FormatError(
            f"The manifest has a weight that makes no sense: {str(item)[:100]}.", hint="Fetch or copy the model again."
        )
    if not all(type(size) is int and 0 <= size < 1 << 62 for size in shape):
        raise FormatError(f"The weight {name[:200]!r} has an impossible shape.", hint="Fetch or copy the model again.")
    layout = _quantization(item.get("quantization"), name)
    if dtype == "string":
        size = _strings_size(shards, at, prod(shape))
    else:
        size = bytes_of(str(layout.get("stored", dtype)), tuple(shape)) or 0
    number, offset = shards.locate(at)
    layout["files"] = tuple(shards.names)
    layout["start"] = at
    place = Place(shards.names[number] if shards.names else "", "", offset, size, layout)
    return Entry(name, dtype, tuple(shape), place), at + size


def _quantization(item: Any, name: str) -> dict[str, Attribute]:
    """How a tensor is stored, where that is not what it stands for."""
    if not isinstance(item, dict):
        return {}
    stored = item.get("dtype")
    if not isinstance(stored, str) or stored not in BITS or not BITS[stored]:
        raise FormatError(
            f"The weight {name[:200]!r} is quantized in a way that is not known.", hint="A newer Inspector may know it."
        )
    layout: dict[str, Attribute] = {"stored": stored}
    for key in ("min", "scale"):
        if isinstance(item.get(key), int | float):
            layout[key] = float(item[key])
    return layout


def _strings_size(shards: Shards, at: int, count: int) -> int:
    """Bytes of a tensor of strings: each has its length in front."""
    if count > STRINGS or at + 4 * count > shards.size:
        return 4 * count if count <= STRINGS else 0
    start = at
    with ExitStack() as stack:
        files: dict[int, Any] = {}
        for _ in range(count):
            length = b""
            while len(length) < 4 and at + len(length) < shards.size:
                number, offset = shards.locate(at + len(length))
                if number not in files:
                    files[number] = stack.enter_context(shards.source.open(shards.names[number]))
                files[number].seek(offset)
                length += files[number].read(4 - len(length))
            at += 4 + int.from_bytes(length, "little")
            if at > shards.size:
                break
    return at - start


def fetch(source: Source, tensor: Tensor) -> Array:
    """The values of a tensor of the manifest; quantized ones as the numbers that they stand for.

    Raises:
        FormatError: They are not there.
    """
    layout = tensor.place.layout
    files, start = layout.get("files"), layout.get("start")
    if not isinstance(files, tuple) or not isinstance(start, int):
        raise FormatError(
            f"The values of {tensor.name[:100]!r} are not in the model's files.", hint="Fetch or copy the model again."
        )
    shards = Shards(source, [str(name) for name in files])
    data = shards.read(start, tensor.place.size, f"tensor {tensor.name[:100]!r}")
    if tensor.dtype == "string":
        words = list(_words(data, tensor.count))
        made = np.empty(len(words), dtype=object)
        made[:] = words
        return made.reshape(tensor.shape)
    stored = decode(data, str(layout.get("stored", tensor.dtype)), tensor.shape)
    scale, low = layout.get("scale"), layout.get("min")
    if isinstance(scale, float) and isinstance(low, float):
        stored = stored.astype(np.float64) * scale + low
    return np.ascontiguousarray(stored.astype(tensor.dtype)).reshape(tensor.shape)


def with_numbers(source: Source, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors with the values of small constants that shapes may be made of, as long as they can be read."""
    made = dict(tensors)
    opened: dict[tuple[str, ...], Shards] = {}
    left = NUMBERS
    for name, tensor in tensors.items():
        layout = tensor.place.layout
        files, start = layout.get("files"), layout.get("start")
        few = tensor.count <= (SMALL if tensor.dtype in WHOLE else FEW) and tensor.dtype in (*WHOLE, "float32")
        if not few or not isinstance(files, tuple) or not isinstance(start, int) or "stored" in layout or not left:
            continue
        left -= 1
        names = tuple(str(each) for each in files)
        shards = opened.get(names) or opened.setdefault(names, Shards(source, list(names)))
        try:
            data = shards.read(start, tensor.place.size, f"tensor {name[:100]!r}")
            numbers = tuple(decode(data, tensor.dtype, tensor.shape).reshape(-1).tolist())
        except (FormatError, OSError):
            continue
        made[name] = replace(tensor, place=replace(tensor.place, layout={**layout, "numbers": numbers}))
    return made


def _words(data: bytes, count: int) -> Iterator[str]:
    at = 0
    for _ in range(count):
        if at + 4 > len(data):
            raise FormatError("A tensor of strings is cut off.", hint="Fetch or copy the model again.")
        length = int.from_bytes(data[at : at + 4], "little")
        yield data[at + 4 : at + 4 + length].decode("utf-8", "backslashreplace")
        at += 4 + length
