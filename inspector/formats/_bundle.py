"""TensorFlow's checkpoints (`variables.index`, `variables.data-*`) without TensorFlow.

The index is a table of LevelDB's format: blocks of sorted keys with shared prefixes, an index block, a footer. Each
value is a small protocol buffer that says which shard holds the bytes. Neither has a reader in a small package, so
both are read here; every offset is checked against the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from inspector.errors import FormatError
from inspector.formats._raw import read_at
from inspector.formats._source import Source

MAGIC = 0xDB4775248B80FB57
INDEX = 256 << 20
ENTRIES = 2_000_000
RANK = 64
STRINGS = 256 << 20
OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"

TYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string", 8: "complex64", 9: "int64",
    10: "bool", 11: "qint8", 12: "quint8", 13: "qint32", 14: "bfloat16", 17: "uint16", 18: "complex128", 19: "float16",
    20: "resource", 21: "variant", 22: "uint32", 23: "uint64", 24: "float8_e5m2", 25: "float8_e4m3fn", 29: "int4",
    30: "uint4",
}  # fmt: skip
"""dtype names of TensorFlow's numbers; references have 100 more."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor of a checkpoint."""

    key: str
    dtype: str
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int
    sliced: bool = False


@dataclass(slots=True)
class Bundle:
    """What an index says."""

    shards: int = 1
    big: bool = False
    entries: dict[str, Entry] = field(default_factory=dict)

    def file(self, prefix: str, shard: int) -> str:
        """Name of the file that holds a shard."""
        return f"{prefix}.data-{shard:05d}-of-{self.shards:05d}"


def dtype_name(number: int) -> str:
    """Our name of a dtype number."""
    return TYPES.get(number - 100 if number > 100 else number, "")


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends.

    Raises:
        FormatError: The data ends in it, or it is too long.
    """
    result = shift = 0
    while shift < 70:
        if not 0 <= at < len(data):
            raise FormatError("The checkpoint's index is damaged.", hint="Fetch or copy the model again.")
        byte = data[at]
        at += 1
        result |= (byte & 127) << shift
        if byte < 128:
            return result, at
        shift += 7
    raise FormatError("The checkpoint's index is damaged.", hint="Fetch or copy the model again.")


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Fields of a protocol buffer: number and value; nested messages as bytes.

    Raises:
        FormatError: It is damaged.
    """
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        kind = tag & 7
        if kind == 0:
            number, at = varint(data, at)
            yield tag >> 3, number
            continue
        if kind == 2:
            size, at = varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise FormatError("The checkpoint's index is damaged.", hint="Fetch or copy the model again.")
        if at + size > len(data):
            raise FormatError("The checkpoint's index ends too early.", hint="Fetch or copy the model again.")
        yield tag >> 3, data[at : at + size]
        at += size


def read_bundle(source: Source, prefix: str) -> Bundle:
    """The index of a checkpoint.

    Raises:
        FormatError: It is missing or damaged.
    """
    with source.open(f"{prefix}.index") as file:
        size = file.seek(0, 2)
        if size > INDEX:
            raise FormatError(
                f"The checkpoint's index has {size:,} bytes (limit {INDEX:,}).",
                hint="No model that is known has so much; it was not read.",
            )
        data = read_at(file, 0, size, "checkpoint's index")
    bundle = Bundle()
    for count, (key, value) in enumerate(_table(data)):
        if count > ENTRIES:
            raise FormatError(
                f"The checkpoint has more than {ENTRIES:,} tensors.",
                hint="No model that is known has so much; it was not read.",
            )
        if not key:
            for number, item in fields(value):
                bundle.shards = item if number == 1 and isinstance(item, int) else bundle.shards
                bundle.big = bool(item) if number == 2 else bundle.big
            continue
        entry = _entry(key.decode("utf-8", "backslashreplace"), value)
        bundle.entries[entry.key] = entry
    return bundle


def _table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a LevelDB table."""
    if len(data) < 48 or struct.unpack("<Q", data[-8:])[0] != MAGIC:
        raise FormatError("The checkpoint's index is cut off or damaged.", hint="Fetch or copy the model again.")
    footer = data[-48:-8]
    _, at = varint(footer, 0)
    _, at = varint(footer, at)
    offset, at = varint(footer, at)
    size, _ = varint(footer, at)
    for _, handle in _block(data, offset, size):
        start, at = varint(handle, 0)
        length, _ = varint(handle, at)
        yield from _block(data, start, length)


def _block(data: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Entries of a block; each key shares a prefix with the one before."""
    if offset + size + 5 > len(data) or size < 4:
        raise FormatError("The checkpoint's index is cut off or damaged.", hint="Fetch or copy the model again.")
    if data[offset + size] != 0:
        raise FormatError(
            "The checkpoint's index is compressed, which we do not read.",
            hint="Save the model again with TensorFlow 2.",
        )
    block = data[offset : offset + size]
    restarts = struct.unpack("<I", block[-4:])[0]
    end = len(block) - 4 * (restarts + 1)
    at, key = 0, b""
    while 0 <= at < end:
        shared, at = varint(block, at)
        own, at = varint(block, at)
        length, at = varint(block, at)
        if shared > len(key) or at + own + length > end:
            raise FormatError("The checkpoint's index is damaged.", hint="Fetch or copy the model again.")
        key = key[:shared] + block[at : at + own]
        at += own
        yield key, block[at : at + length]
        at += length


def _entry(key: str, value: bytes) -> Entry:
    numbers = {"dtype": 0, "shard": 0, "offset": 0, "size": 0, "checksum": 0}
    names = {1: "dtype", 3: "shard", 4: "offset", 5: "size"}
    shape: tuple[int, ...] = ()
    sliced = False
    for number, item in fields(value):
        if number in names and isinstance(item, int):
            numbers[names[number]] = item
        elif number == 2 and isinstance(item, bytes):
            shape = tuple(_sizes(item))
            if len(shape) > RANK:
                words = f"A variable of the checkpoint has {len(shape):,} dimensions."
                raise FormatError(words, hint="Fetch or copy the model again.")
        elif number == 6 and isinstance(item, bytes):
            numbers["checksum"] = int.from_bytes(item, "little")
        sliced = sliced or number == 7
    return Entry(
        key,
        dtype_name(numbers["dtype"]),
        shape,
        numbers["shard"],
        numbers["offset"],
        numbers["size"],
        numbers["checksum"],
        sliced,
    )


def _sizes(data: bytes) -> Iterator[int]:
    for number, item in fields(data):
        if number == 2 and isinstance(item, bytes):
            yield next((size for key, size in fields(item) if key == 1 and isinstance(size, int)), 0)


def strings(data: bytes, count: int) -> list[bytes]:
    """Values of a string tensor: lengths, a checksum of them, then the bytes.

    Raises:
        FormatError: It is damaged.
    """
    lengths = []
    at = 0
    for _ in range(count):
        length, at = varint(data, at)
        lengths.append(length)
    at += 4
    found = []
    for length in lengths:
        if at + length > len(data):
            raise FormatError(
                "A tensor of strings in the checkpoint is damaged.", hint="Fetch or copy the model again."
            )
        found.append(data[at : at + length])
        at += length
    return found


def object_graph(source: Source, prefix: str, bundle: Bundle) -> bytes:
    """The graph of objects that a TensorFlow 2 checkpoint carries; empty where there is none."""
    entry = bundle.entries.get(OBJECTS)
    if entry is None or entry.size > STRINGS:
        return b""
    with source.open(bundle.file(prefix, entry.shard)) as file:
        data = read_at(file, entry.offset, entry.size, "graph of objects")
    return strings(data, 1)[0]
