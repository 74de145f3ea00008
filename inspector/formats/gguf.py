"""GGUF, the form of llama.cpp: one header says everything, weights are ranges of bytes in blocks of ggml's types.

The file holds no graph: the architecture is a name, its sizes are hyper-parameters of the root module, and the module
tree follows from the names of tensors. Models in several files open as one, whichever of the files is opened.
"""

from __future__ import annotations

import re
from dataclasses import replace
from math import prod
from typing import Any

from inspector.errors import FormatError
from inspector.formats._format import Format, Glimpse, Support
from inspector.formats._ggml import by_name, run_of, values
from inspector.formats._gguf_header import MAGIC, Header, Listed, read_header
from inspector.formats._keys import module_tree, role_of
from inspector.formats._raw import fetch_raw_part, read_at
from inspector.formats._source import Source
from inspector.formats._tensors import Array
from inspector.ir import Attribute, Model, Module, Note, Place, Role, Tensor

PART = re.compile(r"^(.+)-(\d{5})-of-(\d{5})\.gguf$")
PARTS = 10_000
LONG = 200
"""Facts longer than this are texts of their own."""
WORDS = 8
"""Elements of an array that are shown."""

FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
    13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS",
    21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S",
    29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4_MOE", 39: "NVFP4",
}  # fmt: skip
"""llama.cpp's name of what most weights of a file are, by `general.file_type`."""


def sniff(glimpse: Glimpse) -> Support:
    """The four letters at the beginning."""
    return Support.YES if glimpse.head.startswith(MAGIC) else Support.NO


def read(source: Source) -> Model:
    """The whole structure; weights as places."""
    notes: list[Note] = []
    headers = _parts(source, notes)
    pairs: dict[str, Any] = {}
    for header in headers.values():
        pairs = header.pairs | pairs
    tensors, missing = _tensors(source, headers)
    if missing:
        text = f"The values of {len(missing):,} tensors are not in the file, such as {missing[0][:100]!r}."
        notes.append(Note("warning", text, "It is incomplete: wait until it is written, or fetch it again."))
    first = next(iter(headers.values()))
    said = {"GGUF version": f"{first.version}{', big-endian' if first.big else ''}"}
    said |= {key[:LONG]: _written(key, item) for key, item in pairs.items()}
    blocks = {tensor.dtype for tensor in tensors.values() if tensor.count}
    said["tensor types"] = ", ".join(sorted(blocks))
    if len(headers) > 1:
        said["files"] = f"{len(headers):,}"
    return Model(
        format="gguf",
        producer=str(pairs.get("general.quantized_by", ""))[:LONG],
        tensors=tensors,
        modules=_modules(tensors, pairs),
        metadata={key: text for key, text in said.items() if text and len(text) <= LONG and "\n" not in text},
        texts={key: text for key, text in said.items() if len(text) > LONG or "\n" in text},
        notes=tuple(notes),
    )


def _parts(source: Source, notes: list[Note]) -> dict[str, Header]:
    """The headers of all files of the model by name; empty for the one that was opened."""
    with source.open() as file:
        own = read_header(file, source.name)
    count = own.pairs.get("split.count", 0)
    part = PART.match(source.name)
    if not isinstance(count, int) or not 1 < count <= PARTS:
        return {"": own}
    if part is None or int(part[3]) != count:
        text = f"This is one of {count:,} files of a model, and its name does not say which."
        notes.append(Note("warning", text, "Only the tensors of this file are shown."))
        return {"": own}
    found, lost = {}, []
    for number in range(1, count + 1):
        name = f"{part[1]}-{number:05}-of-{count:05}.gguf"
        if name == source.name:
            found[""] = own
            continue
        try:
            with source.open(name) as file:
                found[name] = read_header(file, name)
        except FormatError as error:
            lost.append(error.what)
    if lost:
        text = f"{len(lost):,} of the {count:,} files of this model cannot be read: {lost[0]}"
        notes.append(Note("warning", text[:500], "What they hold is not shown; put them beside this file."))
    return found


def _tensors(source: Source, headers: dict[str, Header]) -> tuple[dict[str, Tensor], list[str]]:
    """Tensors of all files, and the names of those whose bytes are not there."""
    tensors: dict[str, Tensor] = {}
    missing = []
    for file, header in headers.items():
        with source.open(file) as opened:
            end = opened.seek(0, 2)
        for entry in header.entries:
            if entry.name in tensors:
                raise FormatError(
                    f"The tensor {entry.name[:200]!r} is stored in two files.", hint="They were not read further."
                )
            if entry.offset + entry.size > end:
                missing.append(entry.name)
            layout: dict[str, Attribute] = {"byte_order": "big"} if header.big else {}
            place = Place(file, "", entry.offset, entry.size, layout)
            role, trainable = _role(entry.name, entry.dtype, entry.shape)
            tensors[entry.name] = Tensor(entry.name, entry.dtype, entry.shape, place, role, trainable)
    return tensors, missing


def _role(name: str, dtype: str, shape: tuple[int, ...]) -> tuple[Role, bool | None]:
    """Frequencies of rotary embeddings are computed; all other real numbers, in blocks or not, are weights."""
    if name.rpartition(".")[0].startswith(("rope_freqs", "rope_factors")) or ".rope_f" in name:
        return Role.BUFFER, False
    return role_of(name, dtype if dtype.startswith(("int", "uint")) else "float32", shape)


def _modules(tensors: dict[str, Tensor], pairs: dict[str, Any]) -> tuple[Module, ...]:
    """The tree that names imply; the architecture's sizes are settings of its root."""
    kind = pairs.get("general.architecture", "")
    kind = kind if isinstance(kind, str) else ""
    stem = f"{kind}."
    settings: dict[str, Attribute] = {
        key.removeprefix(stem): _plain(item) for key, item in pairs.items() if kind and key.startswith(stem)
    }
    found = module_tree(tensors) or (Module("", ""),)
    return tuple(replace(each, type=kind, attributes=settings) if not each.path else each for each in found)


def _plain(item: Any) -> Attribute:
    if isinstance(item, Listed):
        return _listed(item)
    return item if isinstance(item, bool | int | float | str) else str(item)


def _listed(item: Listed) -> str:
    words = ", ".join(repr(each)[:60] if isinstance(each, str) else str(_plain(each)) for each in item.first[:WORDS])
    return f"[{words}]" if item.length <= WORDS else f"{item.length:,} values: {words}, …"


def _written(key: str, item: Any) -> str:
    if key == "general.file_type" and isinstance(item, int) and item in FILE_TYPES:
        return f"{item} ({FILE_TYPES[item]})"
    return str(_plain(item))


def fetch(source: Source, tensor: Tensor) -> Array:
    """The values of one tensor; those stored in blocks are unpacked to float32."""
    place = tensor.place
    if not prod(tensor.shape):
        return values(b"", "float32", tensor.shape, big=False)
    with source.open(place.file) as file:
        data = read_at(file, place.offset, place.size, f"tensor {tensor.name[:100]!r}")
    return values(data, tensor.dtype, tensor.shape, big=place.layout.get("byte_order") == "big")


def fetch_part(source: Source, tensor: Tensor, start: int, count: int) -> Array | None:
    """Some values in C order; of blocks only those that hold them are read."""
    kind = by_name().get(tensor.dtype)
    big = tensor.place.layout.get("byte_order") == "big"
    if kind is None:
        return None if big else fetch_raw_part(source, tensor, start, count)
    at, size, before = run_of(kind, start, count)
    with source.open(tensor.place.file) as file:
        data = read_at(file, tensor.place.offset + at, size, f"tensor {tensor.name[:100]!r}")
    return values(data, tensor.dtype, (size // kind.size * kind.block,), big=big)[before : before + count]


FORMAT = Format(
    id="gguf",
    title="GGUF",
    suffixes=(".gguf",),
    sniff=sniff,
    read=read,
    fetch=fetch,
    mime="application/x-gguf",
    magic=((0, MAGIC),),
    fetch_part=fetch_part,
)
