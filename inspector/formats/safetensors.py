"""Safetensors: the header says everything; weights are ranges of bytes. Sharded models open through their index."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, BinaryIO

from inspector.errors import FormatError
from inspector.formats._format import Format, Glimpse, Support
from inspector.formats._keys import module_tree, role_of, wrapper_note
from inspector.formats._packed_weights import Peek, counted
from inspector.formats._raw import fetch_raw, fetch_raw_part, read_at
from inspector.formats._safetensors_header import HEADER, Header, disagreements, json_object, read_header, shards
from inspector.formats._source import Source
from inspector.ir import Attribute, Model, Note, Place, Tensor

SHARDS = 10_000
FILES, FEW = 500, 4096
"""Files that are open at once, and bytes of a tensor that is read while the file is opened."""
SHARD = re.compile(r"^(.+)-(\d{3,9})-of-(\d{3,9})\.safetensors$")
LONG = 200
"""Metadata longer than this are texts of their own."""


def sniff(glimpse: Glimpse) -> Support:
    """A length, then a JSON object of that length; or an index of such files."""
    head = glimpse.head
    if head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= HEADER:
        return Support.YES if int.from_bytes(head[:8], "little") + 8 <= glimpse.size else Support.MAYBE
    if head.lstrip(b" \t\r\n").startswith(b"{") and b'"weight_map"' in head:
        return Support.YES if b".safetensors" in head else Support.NO
    # A header that claims too much is said to do so, where the name says what the file should be.
    return Support.MAYBE if head[8:9] == b"{" else Support.NO


def _is_text(head: bytes) -> bool:
    """Whether a file begins as an index does, and not with a length and a header."""
    return head.lstrip().startswith(b"{") and head[8:9] != b"{" and int.from_bytes(head[:8], "little") > HEADER


def read(source: Source) -> Model:
    """The whole structure; weights as places."""
    with source.open() as file:
        header = None if _is_text(file.read(9)) else read_header(file, source.name)
    if header is None:
        return _sharded(source)
    notes = []
    if part := SHARD.match(source.name):
        text = f"This is part {int(part[2]):,} of {int(part[3]):,} of a sharded model."
        notes.append(Note("info", text, f"Open {part[1]}.safetensors.index.json to see all of it."))
    with _Small(source) as small:
        return _model({"": header}, notes, small)


def _sharded(source: Source) -> Model:
    """All shards that an index names."""
    with source.open() as file:
        data = read_at(file, 0, min(file.seek(0, 2), HEADER + 1), "index")
    if len(data) > HEADER:
        raise FormatError(
            f"{source.name} is larger than {HEADER:,} bytes, too large for an index.",
            hint="No model that is known has so much; it was not read.",
        )
    index = json_object(data, source.name)
    where = index.get("weight_map")
    names = list(shards(where, source.name))
    if len(names) > SHARDS:
        raise FormatError(
            f"{source.name} names {len(names):,} files; the limit is {SHARDS:,}.",
            hint="No model that is known has so much; it was not read.",
        )
    headers: dict[str, Header] = {}
    for name in names:
        with source.open(name) as file:
            headers[name] = read_header(file, name)
    with _Small(source) as small:
        return _model(headers, list(_disagreements(headers, where or {})), small, index.get("metadata"))


class _Small:
    """Reads tensors of a few bytes, which say how others are packed; each file is opened once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._files = ExitStack()
        self._open: dict[str, BinaryIO] = {}

    def __enter__(self) -> Peek:
        """The reader, until the files are closed."""
        return self.read

    def __exit__(self, *error: object) -> None:
        """Close them."""
        self._files.close()

    def read(self, tensor: Tensor) -> bytes:
        """The bytes of a tensor; empty of one that is not small."""
        place = tensor.place
        if not 0 < place.size <= FEW:
            return b""
        if place.file not in self._open:
            if len(self._open) >= FILES:
                return b""
            self._open[place.file] = self._files.enter_context(self._source.open(place.file))
        return read_at(self._open[place.file], place.offset, place.size, "file")


def _disagreements(headers: dict[str, Header], where: dict[str, str]) -> Iterator[Note]:
    """What index and shards say differently."""
    stored: dict[str, str] = {}
    for file, header in headers.items():
        for entry in header.entries:
            if stored.setdefault(entry.name, file) != file:
                raise FormatError(
                    f"The tensor {entry.name[:200]!r} is stored in two shards.",
                    hint="Other programs may see another model in these files; they were not read.",
                )
    yield from disagreements(stored, where)


def _model(headers: dict[str, Header], notes: list[Note], small: Peek, about: Any = None) -> Model:
    tensors: dict[str, Tensor] = {}
    said: dict[str, str] = {}
    names = {entry.name for header in headers.values() for entry in header.entries}
    plain: dict[str, Attribute] = {}  # one for all: nothing is special about how they are stored
    for file, header in headers.items():
        said.update(header.metadata)
        for entry in header.entries:
            role, trainable = role_of(entry.name, entry.dtype, entry.shape, names)
            place = Place(file, "", entry.offset, entry.size, plain)
            tensors[entry.name] = Tensor(entry.name, entry.dtype, entry.shape, place, role, trainable)
    if isinstance(about, dict):
        said.update({key: item if isinstance(item, str) else json.dumps(item) for key, item in about.items()})
    if len(headers) > 1:
        said["files"] = f"{len(headers):,}"
    tensors, packed = counted(tensors, small)
    return Model(
        format="safetensors",
        producer={"pt": "PyTorch", "tf": "TensorFlow", "flax": "Flax", "np": "NumPy", "mlx": "MLX"}.get(
            said.get("format", ""), ""
        ),
        tensors=tensors,
        modules=module_tree(tensors),
        metadata={key: text for key, text in said.items() if len(text) <= LONG},
        texts={key: text for key, text in said.items() if len(text) > LONG},
        notes=(*notes, *wrapper_note(tensors), *packed),
    )


FORMAT = Format(
    id="safetensors",
    title="Safetensors",
    suffixes=(".safetensors",),
    sniff=sniff,
    read=read,
    fetch=fetch_raw,
    fetch_part=fetch_raw_part,
    mime="application/x-safetensors",
)
