"""Weights and constants of an exported program: where each lies in the archive."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import Any

from inspector.errors import FormatError
from inspector.formats._export_schema import STRIDED, Payload, Payloads, TensorMeta, decoded
from inspector.formats._pickle import Call, Table, unpickle
from inspector.formats._torchzip import Strided, strided
from inspector.formats._zip import BROKEN, Archive
from inspector.ir import Attribute, Place
from inspector.ir.model import BITS

CONFIG = 256 << 20
"""Most bytes of a JSON part."""

PICKLE = 256 << 20


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor of the archive before it is known what it is for."""

    dtype: str
    shape: tuple[int, ...]
    place: Place
    grad: bool | None


def stored(zipped: Archive, root: str, model: str) -> dict[str, Stored]:
    """Every tensor of a program by its name in the author's program."""
    found: dict[str, Stored] = {}
    for part in ("weights", "constants"):
        folder = f"{root}data/{part}/"
        config, whole = f"{folder}{model}_{part}_config.json", f"{folder}{model}.pt"
        if config in zipped:
            payloads = decoded(zipped.read(config, CONFIG), Payloads, "list of weights")
            for name, payload in payloads.config.items():
                found |= _payload(zipped, folder, name, payload, big=_big(zipped, root))
        elif whole in zipped:
            found |= pickled(zipped, whole)
    return found


def stored_before_archives(zipped: Archive) -> dict[str, Stored]:
    """The same for files written before torch 2.8, which hold pickled dictionaries."""
    found: dict[str, Stored] = {}
    for part in ("state_dict", "constants"):
        name = f"serialized_{part}.pt"
        if name in zipped and zipped.size(name):
            found |= pickled(zipped, name)
    return found


def _big(zipped: Archive, root: str) -> bool:
    name = f"{root}byteorder"
    return name in zipped and zipped.read(name, 64).strip() == b"big"


def _payload(zipped: Archive, folder: str, name: str, payload: Payload, *, big: bool) -> dict[str, Stored]:
    member, meta = f"{folder}{payload.path_name}", payload.tensor_meta
    if meta is None:
        return {}  # an object of Python or C++, not a tensor
    if payload.use_pickle:
        inner = pickled(zipped, member).get("")
        return {name: inner or _opaque(meta, member)}
    tensor = described(meta)
    if tensor is None or meta.layout != STRIDED:
        return {name: _opaque(meta, member)}
    return {name: Stored(tensor.dtype, tensor.shape, _place(tensor, member, 0, big=big), meta.requires_grad)}


def described(meta: TensorMeta) -> Strided | None:
    """A tensor's view of its storage; None where its sizes are not numbers."""
    shape, strides = [size.dim() for size in meta.sizes], [size.dim() for size in meta.strides]
    offset = meta.storage_offset.dim() if meta.storage_offset else 0
    numbers = [size for size in (*shape, *strides, offset) if isinstance(size, int) and 0 <= size < 1 << 62]
    if len(numbers) != len(shape) + len(strides) + 1 or len(shape) != len(strides) or not meta.dtype_name():
        return None
    return Strided("", meta.dtype_name(), tuple(numbers[: len(shape)]), tuple(numbers[len(shape) : -1]), numbers[-1], 0)


def _opaque(meta: TensorMeta, member: str) -> Stored:
    shape = tuple(size if isinstance(size := part.dim(), int) and 0 <= size < 1 << 62 else 0 for part in meta.sizes)
    return Stored(meta.dtype_name(), shape, Place(member=member, layout={"opaque": True}), meta.requires_grad)


def _place(tensor: Strided, member: str, base: int, *, big: bool) -> Place:
    width = BITS[tensor.dtype] // 8
    layout: dict[str, Attribute] = {}
    if not tensor.dense:
        layout["strides"] = tensor.strides
    if big:
        layout["byte_order"] = "big"
    return Place(member=member, offset=base + tensor.offset * width, size=tensor.reach * width, layout=layout)


def pickled(zipped: Archive, member: str) -> dict[str, Stored]:
    """Tensors of an archive inside the archive, written by torch.save; a single tensor has the empty name."""
    with zipped.open(member) as file:
        try:
            with zipfile.ZipFile(file) as inner:
                nested = Archive(file, inner, member)
                pickle = next((name for name in nested.names if name.endswith("/data.pkl")), "")
                if not pickle:
                    raise FormatError(f"The part {member!r} holds no weights.", hint="The file may be damaged.")
                folder = pickle.removesuffix("data.pkl")
                big = _big(nested, folder)
                value = unpickle(nested.read(pickle, PICKLE), "list of weights").value
                views = {name: view for name, item in _items(value) if (view := strided(item))}
                return {
                    name: Stored(view.dtype, view.shape, _place(view, member, start, big=big), view.grad)
                    for name, view in views.items()
                    if (start := nested.start(f"{folder}data/{view.key}")) >= 0
                }
        except BROKEN as error:
            raise FormatError(f"The part {member!r} is damaged.", hint="Fetch or copy the file again.") from error


def _items(value: Any) -> list[tuple[str, Any]]:
    """Entries of a pickled dictionary; a lone tensor under the empty name."""
    pairs = value.pairs if isinstance(value, Table) else value.items if isinstance(value, Call) else []
    if isinstance(value, Call) and strided(value):
        return [("", value)]
    return [
        (pair[0], pair[1]) for pair in pairs if isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str)
    ]
