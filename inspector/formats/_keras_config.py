"""Keras' `config.json` as layers and their calls: data only, no class that it names is looked up.

Every tensor that one layer hands to another carries its shape in the configuration; what nobody consumes is worked out
by `_keras_shapes`. Configurations of Keras 2 (lists of `[name, node, tensor, arguments]`) are understood too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from inspector.errors import FormatError
from inspector.formats._json import broken
from inspector.ir import Attribute, Shape

LAYERS = 100_000
DEPTH = 60
KERAS = frozenset({"keras", "tf_keras", "tensorflow"})
"""Packages whose classes are Keras' own."""
CONTAINERS = frozenset({"Functional", "Model", "Sequential"})

Reference = tuple[str, int, int]
"""A tensor: layer, which call of it, which output."""


@dataclass(frozen=True, slots=True)
class Argument:
    """A tensor that enters a call, with what the file says of it."""

    reference: Reference
    shape: Shape | None = None
    dtype: str = ""


@dataclass(slots=True)
class Layer:
    """A layer: its class, its configuration, its calls and, for a nested model, its layers."""

    name: str
    type: str
    config: dict[str, Any]
    built: Any = None
    said: dict[str, Any] = field(default_factory=dict)
    """Arguments of the first call that are no tensors (Keras 2)."""
    given: Any = None
    """The first call as the file has it (Keras 3)."""
    nodes: list[Any] = field(default_factory=list)
    """Every call as the file has it, in the order of `calls`."""
    calls: list[list[Argument]] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    inputs: list[Reference] = field(default_factory=list)
    outputs: list[tuple[str, Reference]] = field(default_factory=list)
    module: str = ""
    registered: str = ""

    @property
    def container(self) -> bool:
        """Whether it is a model of layers."""
        return bool(self.layers) or self.type in CONTAINERS

    @property
    def trainable(self) -> bool:
        """Whether its weights may be trained."""
        return self.config.get("trainable") is not False


def load(data: bytes, what: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        FormatError: It is none.
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise broken(what, error) from error
    if not isinstance(found, dict):
        raise FormatError(f"{what} is not what Keras writes.", hint="Fetch or copy the file again.")
    return found


def layer(item: Any, depth: int = 0) -> Layer:
    """A layer or model from its serialized form.

    Raises:
        FormatError: It is nested too deeply, or has no class.
    """
    if depth > DEPTH:
        raise FormatError(
            f"The configuration nests layers more than {DEPTH} deep.", hint="Keras writes none like it; it is not read."
        )
    if not isinstance(item, dict) or not isinstance(item.get("class_name"), str):
        raise FormatError("The configuration has a layer without a class.", hint="The file may be damaged.")
    config = item.get("config")
    config = config if isinstance(config, dict) else {}
    found = Layer(
        name=text(item.get("name") or config.get("name") or item["class_name"]),
        type=_class(item),
        config=config,
        built=item.get("build_config"),
        module=text(item.get("module")),
        registered=text(item.get("registered_name")),
    )
    found.said = _said(item.get("inbound_nodes"))
    found.given = next(iter(_list(item.get("inbound_nodes"))), None)
    for node in _list(item.get("inbound_nodes")):
        call = list(_arguments(node, 0))
        if call:
            found.calls.append(call)
            found.nodes.append(node)
    members = _list(config.get("layers"))
    if len(members) > LAYERS:
        raise FormatError(f"The model has more than {LAYERS:,} layers.", hint="It is too large to be shown.")
    if members and all(isinstance(member, dict) and "class_name" in member for member in members):
        found.layers = [layer(member, depth + 1) for member in members]
        found.inputs = [reference for _, reference in _named(config.get("input_layers"))]
        found.outputs = _named(config.get("output_layers"))
    return found


def _class(item: dict[str, Any]) -> str:
    """The class; one of somebody's own, which may bear the name of one of Keras', with where it is from: `mine>Dense`.

    Keras 3 names the module of its own classes, and registers others. Before, all had but their names.
    """
    name, module, registered = item["class_name"][:200], text(item.get("module")), text(item.get("registered_name"))
    package = module.partition(".")[0]
    if package in KERAS or not (module or registered) or ">" in name:
        return name  # type: ignore[no-any-return]
    return registered[:200] if ">" in registered else f"{package[:200] or 'Custom'}>{name}"


def _list(item: Any) -> list[Any]:
    return item if isinstance(item, list) else []


def text(item: Any) -> str:
    """A string from the file, cut to a length that can be shown."""
    return item[:500] if isinstance(item, str) else ""


def _said(nodes: Any) -> dict[str, Any]:
    """Arguments beside the tensors of a first call, as Keras 2 writes them: `[layer, call, output, arguments]`."""
    item = nodes
    while isinstance(item, list) and item and isinstance(item[0], list):
        item = item[0]
    last = item[-1] if isinstance(item, list) and len(item) == 4 else {}
    return last if isinstance(last, dict) else {}


def _arguments(item: Any, depth: int) -> Iterator[Argument]:
    """Tensors in the arguments of a call, in order."""
    if depth > DEPTH:
        return
    reference = _reference(item)
    if reference:
        yield Argument(reference)
        if len(item) == 4 and isinstance(item[3], dict):  # Keras 2: the other arguments of the call
            yield from _arguments(item[3], depth + 1)
    elif isinstance(item, list):
        for part in item:
            yield from _arguments(part, depth + 1)
    elif isinstance(item, dict) and item.get("class_name") == "__keras_tensor__":
        config = item.get("config")
        config = config if isinstance(config, dict) else {}
        reference = _reference(config.get("keras_history"))
        if reference:
            yield Argument(reference, shape_of(config.get("shape")), text(config.get("dtype")))
    elif isinstance(item, dict):
        for part in item.values():
            yield from _arguments(part, depth + 1)


def _reference(item: Any) -> Reference | None:
    if not isinstance(item, list) or len(item) not in (3, 4) or not isinstance(item[0], str):
        return None
    if item[0] == "_CONSTANT_VALUE":
        return None
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in item[1:3]):
        return None
    return item[0], item[1], item[2]


def _named(item: Any) -> list[tuple[str, Reference]]:
    """Input or output layers: one, a list, or a dictionary by name."""
    reference = _reference(item)
    if reference:
        return [("", reference)]
    if isinstance(item, list):
        return [pair for part in item for pair in _named(part)]
    if isinstance(item, dict):
        return [(text(key), reference) for key, part in item.items() for _, reference in _named(part)]
    return []


def shape_of(item: Any) -> Shape | None:
    """A shape; None for each size that the file leaves open."""
    if not isinstance(item, list | tuple) or len(item) > 64:
        return None
    if not all(size is None or (isinstance(size, int) and 0 <= size < 1 << 62) for size in item):
        return None
    return tuple(item)


def dtype_of(config: dict[str, Any]) -> str:
    """dtype in which a layer computes."""
    policy = config.get("dtype")
    if isinstance(policy, dict):
        inner = policy.get("config")
        policy = inner.get("name") if isinstance(inner, dict) else None
    if not isinstance(policy, str):
        return ""
    return policy.removeprefix("mixed_")[:50]


def plain(item: Any, depth: int = 4) -> Attribute:
    """A value of a configuration as an attribute; serialized objects shrink to their class and settings."""
    if item is None or isinstance(item, bool | int | float):
        return item
    if isinstance(item, str):
        return item[:4096]
    if not depth:
        return "…"
    if isinstance(item, list):
        return tuple(plain(part, depth - 1) for part in item[:256])
    if isinstance(item, dict) and "class_name" in item:
        config = item.get("config")
        inner = (
            plain({k: v for k, v in config.items() if v is not None}, depth - 1) if isinstance(config, dict) else None
        )
        return {text(item["class_name"]): inner} if inner else text(item["class_name"])
    if isinstance(item, dict):
        return {text(key): plain(part, depth - 1) for key, part in list(item.items())[:256]}
    return "…"
