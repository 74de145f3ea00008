"""Checkpoints in several files: an index names the file of each tensor, as Hugging Face's libraries write it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from inspector.errors import FormatError
from inspector.formats._format import Glimpse
from inspector.formats._keys import module_tree, wrapper_note
from inspector.formats._raw import read_at
from inspector.formats._safetensors_header import disagreements, json_object, shards
from inspector.formats._source import Source
from inspector.formats._torch_model import read_as
from inspector.ir import Model, Note, Tensor

INDEX = 100_000_000
FILES = 1000
SHARD = re.compile(r"^(.+)-(\d{3,9})-of-(\d{3,9})\.(bin|pt|pth)$")
PICKLES = (b'.bin"', b'.pt"', b'.pth"')


def is_index(glimpse: Glimpse) -> bool:
    """Whether a file is such an index, and of checkpoints of PyTorch."""
    head = glimpse.head
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") or b'"weight_map"' not in head:
        return False
    return b".safetensors" not in head and any(mark in head for mark in PICKLES)


def part_note(name: str) -> Iterator[Note]:
    """What is to be said of a file that is one of several."""
    if part := SHARD.match(name):
        text = f"This is part {int(part[2]):,} of {int(part[3]):,} of a checkpoint in several files."
        yield Note("info", text, f"Open {part[1]}.{part[4]}.index.json to see all of it.")


def read_sharded(source: Source, format_id: str) -> Model:
    """All files that an index names, as one model.

    Raises:
        FormatError: A file is missing, damaged or lies outside the folder, or two hold the same tensor.
    """
    with source.open() as file:
        data = read_at(file, 0, min(file.seek(0, 2), INDEX + 1), "index")
    if len(data) > INDEX:
        raise FormatError(f"{source.name} is larger than {INDEX:,} bytes, too large for an index.")
    index = json_object(data, source.name)
    where = index.get("weight_map")
    names = list(shards(where, source.name))
    if len(names) > FILES:
        raise FormatError(f"{source.name} names {len(names):,} files; the limit is {FILES:,}.")
    models = {name: read_as(shard(source, name), format_id) for name in names}
    tensors: dict[str, Tensor] = {}
    for name, model in models.items():
        for key, tensor in model.tensors.items():
            if key in tensors:
                raise FormatError(
                    f"The tensor {key[:200]!r} is stored in two files.",
                    hint="Other programs may see another model in these files; they were not read.",
                )
            tensors[key] = replace(tensor, place=replace(tensor.place, file=name))
    return _joined(models, tensors, where or {}, index.get("metadata"), format_id)


def shard(source: Source, name: str) -> Source:
    """A file that the index names, checked as every side file is."""
    with source.open(name):
        return Source(source.side(name))


def _joined(
    models: dict[str, Model], tensors: dict[str, Tensor], where: dict[str, str], about: object, format_id: str
) -> Model:
    first = next(iter(models.values()))
    stored = {name: tensor.place.file for name, tensor in tensors.items()}
    said = {key: str(item)[:200] for key, item in about.items()} if isinstance(about, dict) else {}
    notes = dict.fromkeys(note for model in models.values() for note in model.notes if "wrapped" not in note.text)
    return Model(
        format=format_id,
        producer=first.producer,
        tensors=tensors,
        modules=module_tree(tensors),
        metadata={**first.metadata, **said, "files": f"{len(models):,}"},
        notes=(*notes, *disagreements(stored, where), *wrapper_note(tensors)),
    )
