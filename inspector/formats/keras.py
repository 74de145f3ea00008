"""Keras 3 archives (`.keras`): layers, shapes and weights, without Keras and without running anything.

The configuration is read as data: classes that it names are never looked up, Lambda bytecode is never unpacked.
Shapes are those of `model.summary()`.
"""

from __future__ import annotations

from typing import Any

from inspector.errors import FormatError
from inspector.formats._documents import documented
from inspector.formats._format import Format, Glimpse, Support
from inspector.formats._hdf5 import Listing, hdf5, listing, values, values_part
from inspector.formats._keras_config import layer, load, text
from inspector.formats._keras_graph import draw, modules
from inspector.formats._keras_notes import config_notes
from inspector.formats._keras_reshape import reshape
from inspector.formats._keras_weights import MEMBER, assign
from inspector.formats._source import Source
from inspector.formats._tensors import Array
from inspector.formats._zip import Archive, archive
from inspector.ir import Model, Note, Signature, Tensor

CONFIG = "config.json"
LARGEST = 64 << 20


def sniff(glimpse: Glimpse) -> Support:
    """A zip with a `config.json` and weights or metadata beside it."""
    names = set(glimpse.members)
    return Support.YES if CONFIG in names and ({"metadata.json", MEMBER} & names) else Support.NO


def read(source: Source) -> Model:
    """The whole structure; weights as paths inside `model.weights.h5`."""
    with archive(source) as zipped:
        config = load(zipped.read(CONFIG, LARGEST), "The configuration (config.json)")
        about = load(zipped.read("metadata.json", LARGEST), "metadata.json") if "metadata.json" in zipped else {}
        root = layer(config)
        stored = _stored(zipped, source.name)
        odd = zipped.notes
    weights = assign(stored, root)
    graph, complete = draw(root, weights)
    notes = list(config_notes(config, root, stored))
    if not complete:
        notes.append(Note("warning", "Some layers are not connected as the file says; a part of the graph is missing."))
    if graph is None:
        notes.append(
            Note("info", f"{root.type} is a class of its own: its layers are in its Python code, not in the file.")
        )
    notes += odd
    version = text(about.get("keras_version"))
    return Model(
        format="keras",
        producer=f"Keras {version}".strip(),
        graphs=(graph,) if graph else (),
        tensors=weights.tensors,
        modules=tuple(modules(root)),
        signatures=(Signature("call", graph.inputs, graph.outputs),) if graph else (),
        metadata={
            key: value
            for key, value in {
                "name": root.name,
                "class": root.type,
                "saved": text(about.get("date_saved")),
                "optimizer": _optimizer(config),
            }.items()
            if value
        },
        notes=tuple(notes),
    )


def _stored(zipped: Archive, name: str) -> Listing:
    """What the weights file holds; nothing where there is none."""
    if MEMBER not in zipped:
        return Listing(broken="the archive has no model.weights.h5")
    with zipped.open(MEMBER) as file, hdf5(file, f"{name}: model.weights.h5") as opened:
        return listing(opened)


def _optimizer(config: dict[str, Any]) -> str:
    compiled = config.get("compile_config")
    optimizer = compiled.get("optimizer") if isinstance(compiled, dict) else None
    return text(optimizer.get("class_name")) if isinstance(optimizer, dict) else text(optimizer)


def fetch(source: Source, tensor: Tensor) -> Array:
    """The values of one variable."""
    path = tensor.place.layout.get("path")
    if not isinstance(path, str):
        raise FormatError(
            f"The values of {tensor.name[:100]!r} are not in the file.", hint="Fetch or copy the model again."
        )
    with archive(source) as zipped, zipped.open(MEMBER) as file, hdf5(file, MEMBER) as opened:
        return values(opened, path)


def fetch_part(source: Source, tensor: Tensor, start: int, count: int) -> Array | None:
    """Some values of one variable; None where the member is packed, and would be unpacked for each part."""
    path = tensor.place.layout.get("path")
    with archive(source) as zipped:
        if not isinstance(path, str) or zipped.start(MEMBER) < 0:
            return None
        with zipped.open(MEMBER) as file, hdf5(file, MEMBER) as opened:
            return values_part(opened, path, start, count)


FORMAT = Format(
    id="keras",
    title="Keras",
    suffixes=(".keras",),
    sniff=sniff,
    read=read,
    fetch=fetch,
    reshape=reshape,
    fetch_part=fetch_part,
    document=documented("keras"),
    mime="application/x-keras",
    magic=((0, b"PK\x03\x04"), (30, b"metadata.json")),
)
