"""TensorFlow Lite models: operators, tensors, quantization and signatures, from the bytes of the file alone.

The interpreter is not used: it dies on damaged files. The schema's own reader works on Python bytes and cannot leave
the file; what it raises on damage is translated into one sentence. Archives of several models open as one.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, BinaryIO

from inspector.errors import FormatError
from inspector.formats._documents import documented
from inspector.formats._flat import BROKEN, allowance
from inspector.formats._format import Format, Glimpse, Support
from inspector.formats._raw import fetch_raw_part, read_at
from inspector.formats._source import Source
from inspector.formats._tensors import Array, decode
from inspector.formats._tf_translated import is_open
from inspector.formats._tflite_metadata import beside
from inspector.formats._tflite_reader import Reader
from inspector.formats._tflite_shapes import reshape
from inspector.formats._tflite_task import holds_models, joined, members, prefixes
from inspector.formats._tflite_values import spread, strings
from inspector.formats._zip import archive
from inspector.ir import Model, Tensor

MARK = b"TFL3"


def sniff(glimpse: Glimpse) -> Support:
    """The identifier of the schema at byte 4; or an archive of such models."""
    if glimpse.members and glimpse.head.startswith(b"PK"):
        return Support.YES if holds_models(glimpse) else Support.NO
    return Support.YES if glimpse.head[4:8] == MARK else Support.NO


def read(source: Source) -> Model:
    """The whole structure; weights as ranges of bytes."""
    with source.open() as file:
        if file.read(2) == b"PK":
            return _archived(source)
        with _mapped(source.name, file) as data:
            model = _one(source.name, data, "", "")
            return replace(model, texts=model.texts | beside(source))


def _one(name: str, data: Any, member: str, prefix: str) -> Model:
    """One model from its bytes."""
    import tflite

    if len(data) < 16 or not 8 <= struct.unpack_from("<I", data)[0] <= len(data) - 4:
        raise FormatError(f"{name} is cut off or no TensorFlow Lite model.", hint="Fetch or copy it again.")
    try:
        with allowance(len(data)):
            made = Reader(tflite.Model.GetRootAs(data, 0), data, member, prefix).model()
    except BROKEN as error:
        if "buffer of at least" in str(error):
            raise FormatError(
                f"{name} ends before what it refers to: it is incomplete or damaged.",
                hint="Wait until it is written, or fetch it again.",
            ) from error
        raise FormatError(f"{name} is damaged ({str(error)[:100]}).", hint="Fetch or copy the file again.") from error
    # What depends on an open size is -1 in the file, also where it is a multiple of the batch.
    return reshape(made, {}) if any(map(is_open, made.graphs)) else made


def _archived(source: Source) -> Model:
    """All models of an archive."""
    names = [name for name, data in members(source) if bytes(data[4:8]) == MARK]
    if not names:
        raise FormatError(f"{source.name} is an archive without a TensorFlow Lite model.", hint="Unpack it.")
    starts = prefixes(names)
    return joined({
        name: _one(name, data, name, starts[name]) for name, data in members(source) if name in starts
    })  # fmt: skip


@contextmanager
def _mapped(name: str, file: BinaryIO) -> Iterator[mmap.mmap]:
    """The whole file as bytes that are read when they are looked at."""
    try:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (ValueError, OSError) as error:
        raise FormatError(f"{name} cannot be read: {error}.") from error
    with data:
        yield data


def fetch(source: Source, tensor: Tensor) -> Array:
    """The values of one buffer; a sparse tensor is made dense."""
    place = tensor.place
    what = f"tensor {tensor.name[:100]!r}"
    if place.member:
        with archive(source) as zipped, zipped.open(place.member) as file:
            data = read_at(file, place.offset, place.size, what)
    else:
        with source.open() as file:
            data = read_at(file, place.offset, place.size, what)
    sparse = place.layout.get("sparse")
    if isinstance(sparse, tuple) and len(sparse) == 2:
        return _spread(source, tensor, data)
    return strings(data, tensor.shape) if tensor.dtype == "string" else decode(data, tensor.dtype, tensor.shape)


def _spread(source: Source, tensor: Tensor, data: bytes) -> Array:
    where = tensor.place.layout["sparse"]
    if not isinstance(where, tuple) or not all(isinstance(part, int) for part in where):
        raise FormatError(f"{tensor.name[:100]!r} is not sparse.")
    numbers = (int(str(where[0])), int(str(where[1])))
    if tensor.place.member:
        buffer = next(found for name, found in members(source) if name == tensor.place.member)
        return spread(buffer, numbers, data, tensor.dtype, tensor.shape)
    with source.open() as file, _mapped(source.name, file) as buffer:
        return spread(buffer, numbers, data, tensor.dtype, tensor.shape)


def fetch_part(source: Source, tensor: Tensor, start: int, count: int) -> Array | None:
    """Some values of one buffer; see `Format.fetch_part`."""
    if tensor.place.layout.get("sparse") or tensor.place.member:
        return None
    return fetch_raw_part(source, tensor, start, count)


FORMAT = Format(
    id="tflite",
    title="TensorFlow Lite",
    suffixes=(".tflite", ".lite", ".task"),
    sniff=sniff,
    read=read,
    fetch=fetch,
    reshape=reshape,
    document=documented("tensorflow"),
    fetch_part=fetch_part,
    mime="application/x-tflite",
    magic=((4, MARK),),
)
