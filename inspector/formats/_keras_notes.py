"""What a Keras configuration would load or run, in notes; none of it is looked up here."""

from __future__ import annotations

import builtins
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

OWN, SYSTEM, FOREIGN = -3, -2, -1
"""What is named: a part of Keras that reaches outside, a part of Python, something else."""

REACHING = frozenset({
    "backend", "callbacks", "config", "datasets", "distribution", "export", "models", "preprocessing", "saving",
    "tools", "utils",
})  # fmt: skip
"""Parts of Keras whose functions download, read, write or switch its protection off; no layer needs one."""


def config_notes(config: dict[str, Any], root: Layer, stored: Listing) -> Iterator[Note]:
    """Notes on code, files and weights that were not read."""
    for found in layers_of(root):
        if found.type in CODE:
            text_ = f"The layer {found.name!r} ({found.type}) {CODE[found.type]}."
            yield Note("danger", text_, "It was not run. Keras refuses it unless safe mode is switched off.")
        vocabulary = found.config.get("vocabulary")
        if isinstance(vocabulary, str):
            text_ = f"The layer {found.name!r} reads the file {vocabulary[:200]!r} when it is loaded."
            yield Note("danger", text_, "It was not read.")
    yield from _named(config)
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


def _named(config: Any) -> Iterator[Note]:
    """Notes on classes and functions that a configuration names and that no model needs, the worst first."""
    found = sorted({(_level(module, name), module, name) for module, name in _names(config)})
    for level, module, name in [item for item in found if item[0]][:40]:
        full = f"{module[:200]}.{name[:200]}" if module else name[:200]
        if level == OWN:
            what = f"The configuration names {full}, which can reach files, addresses or settings."
            yield Note("danger", what, "It was not run. No layer needs it; do not load this model.")
        else:
            what = f"The configuration names {full}, which is not a part of Keras."
            yield Note(
                "danger" if level == SYSTEM else "warning", what, "Loading the model needs, and runs, that code."
            )


def _level(module: str, name: str) -> int:
    """How bad it is that a configuration names something; 0 where it is a part of Keras that models are made of."""
    parts = module.split(".")
    if parts[0] in ("keras", "tf_keras"):
        own = parts[2:] if parts[1:2] == ["src"] else parts[1:]
        return OWN if own[:1] and own[0] in REACHING and not name[:1].isupper() else 0  # classes are parts of models
    if module == "builtins" and (name in PLAIN or not hasattr(builtins, name)):
        return 0  # Keras says `builtins` of any function that is not its own
    if not module:
        package = name.partition(">")[0]
        return FOREIGN if ">" in name and package.lower() != "keras" else 0
    return SYSTEM if parts[0] in sys.stdlib_module_names else FOREIGN


def _names(config: Any) -> Iterator[tuple[str, str]]:
    """Module and name of every class and function in a configuration, however deep; the module may be unknown."""
    waiting = [config]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            waiting += item.values()
            module, name, inner = item.get("module"), item.get("class_name"), item.get("config")
            if isinstance(name, str):
                # Keras writes a function as the class `function`, its name in the configuration.
                name = inner if name == "function" and isinstance(inner, str) else name
                registered = item.get("registered_name")
                if not module and isinstance(registered, str) and name != "function":
                    name = registered if ">" in registered else f"Custom>{registered}"
                yield module if isinstance(module, str) else "", name
