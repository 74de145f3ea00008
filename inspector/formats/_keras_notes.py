"""What a Keras configuration would load or run, in notes; none of it is looked up here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from inspector.formats._hdf5 import STAYS, Listing
from inspector.formats._keras_config import Layer
from inspector.ir import Note

CODE = {
    "Lambda": "contains Python bytecode",
    "TorchModuleWrapper": "contains a pickled PyTorch module",
    "TFSMLayer": "loads a SavedModel from disk",
    "JaxLayer": "contains serialized JAX code",
    "FlaxLayer": "contains serialized JAX code",
}
"""Layers that carry or load code."""


PLAIN = frozenset({"function", "dict", "tuple", "list", "slice", "range"})
"""What Keras writes for Python's own containers."""


def config_notes(config: dict[str, Any], root: Layer, stored: Listing) -> Iterator[Note]:
    """Notes on code, files and weights that were not read."""
    for found in layers_of(root):
        if found.type in CODE:
            text_ = f"The layer {found.name!r} ({found.type}) {CODE[found.type]}."
            yield Note("danger", text_, "It was not run. Keras refuses it unless safe mode is switched off.")
        vocabulary = found.config.get("vocabulary")
        if isinstance(vocabulary, str):
            yield Note("danger", f"The layer {found.name!r} reads the file {vocabulary[:200]!r} when it is loaded.")
    strange = sorted(set(_strange(config, 0)))
    for module, name in strange[:20]:
        level = "danger" if module.partition(".")[0] in sys.stdlib_module_names else "warning"
        what = f"The configuration names {module[:200]}.{name[:200]}, which is not a part of Keras."
        yield Note(level, what, "Loading the model needs, and runs, that code.")
    if stored.refused:
        count, first = len(stored.refused), stored.refused[0]
        what = f"{count:,} parts of the weights were not read, such as {first}."
        what = f"1 part of the weights was not read: {first}." if count == 1 else what
        yield Note("danger", what, STAYS)
    if stored.broken:
        yield Note("warning", f"The weights are incomplete: {stored.broken}.", "Fetch or copy the file again.")


def layers_of(root: Layer) -> Iterator[Layer]:
    """All layers, those of nested models too."""
    waiting = [root]
    while waiting:
        found = waiting.pop(0)
        yield found
        waiting += found.layers


def _strange(item: Any, depth: int) -> Iterator[tuple[str, str]]:
    """Classes and functions that are not Keras' own."""
    if depth > 100:
        return
    if isinstance(item, list):
        for part in item:
            yield from _strange(part, depth + 1)
    elif isinstance(item, dict):
        module, name = item.get("module"), item.get("class_name")
        if isinstance(name, str) and isinstance(module, str):
            known = module.partition(".")[0] in ("keras", "tf_keras") or (module == "builtins" and name in PLAIN)
            if not known:
                yield module, name
        for part in item.values():
            yield from _strange(part, depth + 1)
