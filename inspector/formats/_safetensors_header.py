"""The header of a safetensors file, read strictly.

Stricter than the library, which lets the last of two equal names win: two viewers must never see two models in one
file. Every byte of the data belongs to exactly one tensor.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO

from inspector.errors import FormatError
from inspector.formats._json import broken
from inspector.formats._source import take
from inspector.ir import Note
from inspector.ir.model import record

HEADER = 100_000_000
ENTRIES = 1_000_000
KEYS = {"dtype", "shape", "data_offsets"}
AGAIN = "Fetch or copy the file again."

BITS = {
    "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "C64": 64, "F64": 64, "I64": 64, "U64": 64, "C128": 128,
}  # fmt: skip
"""Bits of one element, by the format's own dtype names."""

DTYPES = {
    "BOOL": "bool", "F4": "float4_e2m1fn", "F6_E2M3": "float6_e2m3fn", "F6_E3M2": "float6_e3m2fn", "U8": "uint8",
    "I8": "int8", "F8_E5M2": "float8_e5m2", "F8_E4M3": "float8_e4m3fn", "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2FNUZ": "float8_e5m2fnuz", "I16": "int16", "U16": "uint16",
    "F16": "float16", "BF16": "bfloat16", "I32": "int32", "U32": "uint32", "F32": "float32", "C64": "complex64",
    "F64": "float64", "I64": "int64", "U64": "uint64", "C128": "complex128",
}  # fmt: skip


@record
class Entry:
    """A tensor of the file: its range is absolute."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself."""

    entries: tuple[Entry, ...]
    metadata: dict[str, str]


def read_header(file: BinaryIO, name: str) -> Header:
    """The header of an open file.

    Raises:
        FormatError: It is not what the format allows, or the file is not as long as it says.
    """
    size = file.seek(0, 2)
    file.seek(0)
    length = int.from_bytes(take(file, 8, 8, f"header of {name}"), "little")
    if length > HEADER:
        raise FormatError(
            f"The header of {name} claims {length:,} bytes; the limit is {HEADER:,}.",
            hint="The file is damaged, or is no safetensors file.",
        )
    data = take(file, length, HEADER, f"header of {name}")
    if not data.startswith(b"{"):
        raise FormatError(f"The header of {name} does not begin with {{.", hint="It is no safetensors file.")
    fields = _object(data, name)
    about = fields.pop("__metadata__", {})
    if not isinstance(about, dict) or not all(isinstance(text, str) for text in about.values()):
        raise FormatError(f"The metadata of {name} are not texts by name.", hint=AGAIN)
    if len(fields) > ENTRIES:
        raise FormatError(
            f"{name} lists {len(fields):,} tensors; the limit is {ENTRIES:,}.",
            hint="No model that is known has so much; it was not read.",
        )
    entries = sorted(
        (_entry(key, item, 8 + length) for key, item in fields.items()), key=lambda e: (e.offset, e.offset + e.size)
    )
    _check_cover(entries, 8 + length, size, name)
    return Header(tuple(entries), about)


def _object(data: bytes, name: str) -> dict[str, Any]:
    return json_object(data, f"The header of {name}", whole=False)


def json_object(data: bytes, what: str, *, whole: bool = True) -> dict[str, Any]:
    """A JSON object of which no name stands twice.

    Args:
        data: The text.
        what: What it is, as the beginning of a sentence.
        whole: Whether it is a whole file, which may be one that is still being written.

    Raises:
        FormatError: It is none, or one does.
    """

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(items)
        if len(made) != len(items):
            seen: set[str] = set()
            twice = next(key for key, _ in items if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            raise FormatError(
                f"{what} has the name {twice[:200]!r} twice.",
                hint="Other programs may see another model in this file; it was not read.",
            )
        return made

    def constant(word: str) -> Any:
        raise ValueError(f"{word} is no number")

    try:
        found = json.loads(data.decode("utf-8"), object_pairs_hook=pairs, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        damaged = FormatError(f"{what} is damaged ({str(error)[:80]}).", hint=AGAIN)
        raise (broken(what, error) if whole else damaged) from error
    if not isinstance(found, dict):
        raise FormatError(f"{what} is not what the format says.", hint=AGAIN)
    return found


def _entry(name: str, item: Any, start: int) -> Entry:
    """A tensor's entry, checked by itself."""
    words = f"The entry of the tensor {name[:200]!r}"
    if not isinstance(item, dict) or item.keys() != KEYS:
        raise FormatError(f"{words} is not a dtype, a shape and offsets.", hint=AGAIN)
    dtype, shape, offsets = item["dtype"], item["shape"], item["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        raise FormatError(f"{words} has the unknown type {str(dtype)[:50]!r}.", hint="A newer Inspector may know it.")
    if not _sizes(shape) or not _sizes(offsets) or len(offsets) != 2 or len(shape) > 64:
        raise FormatError(f"{words} has an impossible shape or place.", hint=AGAIN)
    begin, end = offsets
    bits = prod(shape) * BITS[dtype]
    if bits % 8 or end - begin != bits // 8:
        raise FormatError(
            f"{words} has {end - begin:,} bytes where its type and shape need {-(-bits // 8):,}.", hint=AGAIN
        )
    return Entry(name, DTYPES[dtype], tuple(shape), start + begin, end - begin)


def disagreements(stored: Mapping[str, str], where: Mapping[str, str]) -> Iterator[Note]:
    """What an index and the files that it names say differently.

    Args:
        stored: The file that each tensor is in, by its name.
        where: The file that each should be in, as the index says.
    """
    lost = [name for name, file in where.items() if stored.get(name) != file]
    if lost:
        text = f"{len(lost):,} of the index's tensors are not in the shard that it names, such as {lost[0][:100]!r}."
        yield Note("warning", text, "The model is incomplete; fetch it again.")
    extra = [name for name in stored if name not in where]
    if extra:
        yield Note("warning", f"{len(extra):,} of the stored tensors are not in the index, such as {extra[0][:100]!r}.")


def _sizes(items: Any) -> bool:
    if not isinstance(items, list):
        return False
    for item in items:  # noqa: SIM110 - twice as fast, and a file may list a million tensors
        if type(item) is not int or not 0 <= item < 1 << 63:
            return False
    return True


def _check_cover(entries: list[Entry], start: int, size: int, name: str) -> None:
    """Tensors follow each other without overlap or hole and end where the file ends."""
    at, before = start, ""
    for entry in entries:
        if entry.offset != at:
            what = "overlap" if entry.offset < at else "leave a hole between them"
            raise FormatError(
                f"The tensors {before[:100]!r} and {entry.name[:100]!r} of {name} {what}.",
                hint="The file is damaged, or was made to hide something; it was not read.",
            )
        at, before = entry.offset + entry.size, entry.name
    if at > size:
        raise FormatError(
            f"{name} ends inside its tensors: {size:,} bytes of {at:,}.",
            hint="It is incomplete; fetch or copy it again.",
        )
    if at < size:
        raise FormatError(f"{name} has {size - at:,} bytes after its last tensor.", hint=AGAIN)


def shards(weight_map: Any, what: str) -> Iterator[str]:
    """Files that an index names, each once.

    Raises:
        FormatError: The index names none, or no texts.
    """
    if not isinstance(weight_map, dict) or not weight_map:
        raise FormatError(f"{what} names no tensors.", hint=AGAIN)
    if not all(isinstance(file, str) for file in weight_map.values()):
        raise FormatError(f"{what} is damaged: a file is not a text.", hint=AGAIN)
    yield from dict.fromkeys(weight_map.values())
