"""Keras in HDF5 (`.h5`, `.hdf5`): whole models of Keras 1 to 3, and files of weights alone, without Keras.

The configuration is a text in an attribute and is read as data; weights are paths inside the file, reached by hard
links only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from inspector.errors import FormatError
from inspector.formats._documents import documented
from inspector.formats._format import Format, Glimpse, Support
from inspector.formats._hdf5 import Listing, group_at, hdf5, listing, values, values_part
from inspector.formats._hdf5_bytes import DamageError
from inspector.formats._hdf5_nodes import Hdf5, Node
from inspector.formats._keras_config import Layer, layer, load, text
from inspector.formats._keras_graph import draw, modules
from inspector.formats._keras_named import Named, assign, modern
from inspector.formats._keras_notes import config_notes
from inspector.formats._keras_reshape import reshape
from inspector.formats._keras_weights import Weights
from inspector.formats._keras_weights import assign as assign_numbered
from inspector.formats._modules import tree
from inspector.formats._source import Source
from inspector.formats._tensors import Array
from inspector.ir import Model, Module, Note, Place, Signature, Tensor

MAGIC = b"\x89HDF\r\n\x1a\n"
CONFIG = 64 << 20
MARKS = (b"keras_version", b"model_config", b"layer_names", b"layer_names0")
GROUPS = frozenset({b"model_weights", b"layers", b"_layer_checkpoint_dependencies"})
VARS = "vars"
"""What Keras 3 calls the group of a layer's variables, which it numbers; a model has one too, empty for most."""
WEIGHTS, OPTIMIZER = "model_weights", "optimizer_weights"
CHUNKS = 10_000


def sniff(glimpse: Glimpse) -> Support:
    """An HDF5 file with a configuration or the groups that Keras writes."""
    if not glimpse.head.startswith(MAGIC):
        return Support.NO
    try:
        with Source(glimpse.path).open() as file, hdf5(file, glimpse.path.name) as opened:
            root = opened.root
            known = any(root.attribute(mark) is not None for mark in MARKS)
            known = known or not GROUPS.isdisjoint(link.name for link in root.links())
            return Support.YES if known or group_at(opened, VARS) is not None else Support.NO
    except (FormatError, DamageError):
        # What is damaged is said to be so where the name says what it should be.
        return Support.MAYBE


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the file holds, read."""

    config: dict[str, Any] | None
    found: Listing
    groups: tuple[str, ...]
    about: dict[str, str]
    training: dict[str, Any]


def read(source: Source) -> Model:
    """The whole structure; weights as paths."""
    with source.open() as file, hdf5(file, source.name) as opened:
        stored = _stored(opened, source.name)
    root = layer(modern(stored.config)) if stored.config is not None else None
    weights = _weights(stored, root)
    graph, complete = draw(root, weights) if root is not None else (None, True)
    notes = list(config_notes(stored.config or {}, root or Layer("", "", {}), stored.found))
    if root is None:
        what = "The file holds weights only: the layers that use them are in the program that saved it."
        notes.append(Note("info", what))
    if not complete:
        notes.append(Note("warning", "Some layers are not connected as the file says; a part of the graph is missing."))
    return Model(
        format="keras.h5",
        producer=f"Keras {stored.about.get('keras_version', '')}".strip(),
        graphs=(graph,) if graph else (),
        tensors=weights.tensors,
        modules=tuple(modules(root)) if root is not None else _tree(weights),
        signatures=(Signature("call", graph.inputs, graph.outputs),) if graph else (),
        metadata={key: value for key, value in _metadata(stored, root).items() if value},
        notes=tuple(notes),
    )


def _stored(opened: Hdf5, name: str) -> _Stored:
    root = opened.root
    raw = _attribute(root, b"model_config")
    config = load(raw, f"The configuration of {name}") if raw else None
    training = _attribute(root, b"training_config")
    about = _about(root)
    inner = group_at(opened, WEIGHTS)
    if inner is not None and not about["keras_version"]:
        about = _about(inner)
    found = listing(opened)
    start = f"{WEIGHTS}/" if inner is not None else ""
    groups = tuple(dict.fromkeys(path.removeprefix(start).split("/")[0] for path in found.datasets))
    return _Stored(config, found, groups, about, load(training, "training_config") if training else {})


def _about(item: Node) -> dict[str, str]:
    return {
        key: _attribute(item, key.encode()).decode("utf-8", "replace")[:100] for key in ("keras_version", "backend")
    }


def _attribute(item: Node, key: bytes) -> bytes:
    """A text attribute, whatever way it was written; nothing where there is none.

    Raises:
        FormatError: It is damaged or too large.
    """
    try:
        found = item.attribute(key)
        return (found.text(CONFIG) if found is not None else None) or b""
    except OverflowError as error:
        what = f"The attribute {key.decode()} is larger than {CONFIG:,} bytes."
        raise FormatError(what, hint="No model that is known has so much; it was not read.") from error
    except DamageError as error:
        what = f"The attribute {key.decode()} is damaged ({error})."
        raise FormatError(what, hint="Fetch or copy the file again.") from error


def _weights(stored: _Stored, root: Layer | None) -> Weights:
    """Weights by name; the files that Keras 3 calls `.weights.h5` number them instead."""
    if any(re.search(rf"(^|/){VARS}/\d+$", path) for path in stored.found.datasets):
        made = assign_numbered(stored.found, root or Layer("", "", {}))
        if root is None:  # nothing says what is trained
            made.tensors.update({n: replace(t, trainable=None) for n, t in made.tensors.items() if t.trainable})
        return made
    named = []
    for path, item in stored.found.datasets.items():
        inside = path.removeprefix(f"{WEIGHTS}/")
        group, _, name = inside.partition("/")
        place = Place(offset=item.offset, size=item.size, layout={"path": path})
        if path.startswith(f"{OPTIMIZER}/"):
            group, name = "", path
        elif not name:
            group, name = "", inside
        named.append(Named(group, name, item.dtype, item.shape, place))
    return assign(named, root)


def _tree(weights: Weights) -> tuple[Module, ...]:
    """The groups that the names imply, for files of weights alone."""
    paths = {name.rpartition("/")[0].replace("/", ".") for name in weights.tensors}
    return tree(dict.fromkeys(sorted(path for path in paths if path and path.count(".") < 64), ""))


def _metadata(stored: _Stored, root: Layer | None) -> dict[str, str]:
    optimizer = stored.training.get("optimizer_config", stored.training.get("optimizer"))
    kind = optimizer.get("class_name", optimizer.get("name")) if isinstance(optimizer, dict) else optimizer
    return {
        "name": root.name if root is not None else "",
        "class": root.type if root is not None else "",
        "backend": stored.about.get("backend", ""),
        "optimizer": text(kind),
    }


def fetch(source: Source, tensor: Tensor) -> Array:
    """The values of one weight."""
    path = tensor.place.layout.get("path")
    if not isinstance(path, str):
        raise FormatError(
            f"The values of {tensor.name[:100]!r} are not in the file.", hint="Fetch or copy the model again."
        )
    with source.open() as file, hdf5(file, source.name) as opened:
        return values(opened, path)


def fetch_part(source: Source, tensor: Tensor, start: int, count: int) -> Array | None:
    """Some values of one weight; see `Format.fetch_part`."""
    path = tensor.place.layout.get("path")
    if not isinstance(path, str):
        return None
    with source.open() as file, hdf5(file, source.name) as opened:
        return values_part(opened, path, start, count)


FORMAT = Format(
    id="keras.h5",
    title="Keras H5",
    suffixes=(".h5", ".hdf5"),
    sniff=sniff,
    read=read,
    fetch=fetch,
    reshape=reshape,
    fetch_part=fetch_part,
    document=documented("keras"),
    mime="application/x-keras-h5",
)
