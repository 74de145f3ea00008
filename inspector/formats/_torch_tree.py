"""The module tree of a TorchScript archive, from its `data.pkl` read as data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from inspector.formats._pickle import Call, Global, Table
from inspector.formats._torch_packed import is_idle, name_of, packed_of
from inspector.formats._torchzip import Strided, strided
from inspector.ir import Attribute

MODULES = 100_000
DEPTH = 200
LISTS = ("torch.jit._pickle.", "collections.OrderedDict")
MANGLE = re.compile(r"\.?___torch_mangle_\d+")


@dataclass(eq=False, slots=True)
class Instance:
    """A module object: what its class is called in the archive's code, and what it holds.

    Attributes:
        path: Dotted path from the root, empty for the root; of an object held twice, the first.
        type: Qualified name of its class in the archive (`__torch__.torch.nn.modules.linear.Linear`).
        values: Its attributes: plain data, `Instance`, `TensorRef`, `PackedRef`, lists and tuples of them.
        state: What its own `__setstate__` would be given, of an object that saves itself otherwise.
    """

    path: str
    type: str
    values: dict[str, Any] = field(default_factory=dict)
    state: Any = None


@dataclass(frozen=True, slots=True)
class TensorRef:
    """A tensor held by a module; `name` is its path."""

    name: str
    tensor: Strided


@dataclass(eq=False, slots=True)
class PackedRef:
    """Parameters that torch packed for its kernels.

    Attributes:
        kind: Name of their class.
        parts: Tensors by what a layer calls them.
        settings: Strides and the like.
        config: The tensor of integers that holds the settings, until it is read.
        flat: Whether it is taken for a convolution along one axis, of which torch packs the kernel with an axis more.
    """

    kind: str
    parts: dict[str, TensorRef]
    settings: dict[str, Any] = field(default_factory=dict)
    config: Strided | None = None
    flat: bool = False


@dataclass(frozen=True, slots=True)
class Opaque:
    """Something that we do not look into (a class of an extension)."""

    text: str


@dataclass(eq=False, slots=True)
class Tree:
    """Everything in a `data.pkl`.

    Attributes:
        root: The module that was saved; None where the file holds something else.
        instances: In the order of the file, parents first.
        tensors: By path, each path once.
        packed: Everything packed.
        idle: Paths of tensors that their layers do not compute with.
    """

    root: Instance | None = None
    instances: list[Instance] = field(default_factory=list)
    tensors: dict[str, Strided] = field(default_factory=dict)
    packed: list[PackedRef] = field(default_factory=list)
    idle: set[str] = field(default_factory=set)
    complete: bool = True

    def free(self, name: str, other: str) -> str:
        """This name for a tensor, or another one where it is taken."""
        return other if name in self.tensors else name


def grow(value: Any) -> Tree:
    """The tree of an unpickled `data.pkl`."""
    tree = Tree()
    grown = planted(value, "", tree)
    tree.root = grown if isinstance(grown, Instance) else None
    return tree


def planted(value: Any, path: str, tree: Tree) -> Any:
    """An unpickled object as a value, whose tensors join those of a tree under this path."""
    return _Grower(tree).value(value, path, 0)


def class_name(qualified: str) -> str:
    """The author's class, without TorchScript's prefix and mangling."""
    return MANGLE.sub("", qualified).removeprefix("__torch__.").lstrip(".")


def plain(item: Any, depth: int = 4) -> Attribute:
    """An attribute as plain data, cut where it is deep or long."""
    if item is None or isinstance(item, bool | int | float | str):
        return item[:4096] if isinstance(item, str) else item
    if isinstance(item, bytes):
        return item[:4096]
    if isinstance(item, list | tuple) and depth:
        return tuple(plain(part, depth - 1) for part in item[:256])
    if isinstance(item, dict) and depth:
        return {str(key)[:200]: plain(part, depth - 1) for key, part in list(item.items())[:256]}
    if isinstance(item, Instance):
        return class_name(item.type)
    if isinstance(item, Opaque | PackedRef):
        return item.text if isinstance(item, Opaque) else item.kind
    return item.name if isinstance(item, TensorRef) else "…"


class _Grower:
    """Walks the unpickled objects once; shared ones stay shared, cycles end."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.seen: dict[int, Any] = {}
        self.places: dict[tuple[Any, ...], str] = {}
        self.steps = 0

    def value(self, item: Any, path: str, depth: int) -> Any:
        self.steps += 1
        if depth > DEPTH or self.steps > 5 * MODULES:
            self.tree.complete = False
            return Opaque("…")
        if item is None or isinstance(item, bool | int | float | str | bytes):
            return item
        if isinstance(item, list | tuple):
            parts = [self.value(part, f"{path}.{at}", depth + 1) for at, part in enumerate(item)]
            return tuple(parts) if isinstance(item, tuple) else parts
        if isinstance(item, Table):
            return {str(key): self.value(part, f"{path}.{key}", depth + 1) for key, part in item.named().items()}
        return self.object(item, path, depth) if isinstance(item, Call) else Opaque(_words(item))

    def object(self, call: Call, path: str, depth: int) -> Any:
        if id(call) in self.seen:
            return self.again(self.seen[id(call)], path)
        tensor = strided(call)
        if tensor is not None:
            return self.tensor(call, tensor, path)
        if call.path.startswith(LISTS) and call.args:
            return self.value(call.args[0], path, depth + 1)
        if call.path.startswith("__torch__.torch.classes.") or not call.path.startswith("__torch__"):
            return self.packed(call, path)
        if not isinstance(call.state, Table | tuple):
            return Opaque(class_name(call.path))
        found = Instance(path, call.path)
        self.seen[id(call)] = found
        self.tree.instances.append(found)
        if isinstance(call.state, tuple):
            found.state = self.value(call.state, path, depth + 1)
            return found
        attributes = call.state.named()
        for name, part in attributes.items():
            full = f"{path}.{name}" if path else name
            found.values[name] = self.value(part, full, depth + 1)
            if is_idle(name, attributes):
                self.tree.idle.add(full)
        return found

    def packed(self, call: Call, path: str) -> PackedRef | Opaque:
        """Weights in an object of C++, by the names that their layer has for them."""
        held = packed_of(call)
        if held is None:
            return Opaque(call.path)
        parts: dict[str, TensorRef] = {}
        for name, item in held.parts.items():
            tensor = strided(item)
            if tensor is not None:
                full = self.tree.free(name_of(path, name), f"{path}.{name}")
                parts[name] = self.tensor(item, tensor, full)
        found = PackedRef(held.kind, parts, held.settings, held.config)
        self.seen[id(call)] = found
        self.tree.packed.append(found)
        return found

    def again(self, found: Any, path: str) -> Any:
        """An object met a second time; a tensor that a second module holds is tied, and is listed by both names."""
        if isinstance(found, TensorRef) and _held(path):
            self.tree.tensors.setdefault(path, found.tensor)
        return found

    def tensor(self, call: Call, tensor: Strided, path: str) -> TensorRef:
        """A list of tensors (an LSTM's `_flat_weights`) names tensors that have a name of their own."""
        place = (tensor.key, tensor.dtype, tensor.offset, tensor.shape, tensor.strides)
        known = self.places.get(place)
        name = known if known and not _held(path) else path
        self.places.setdefault(place, name)
        self.tree.tensors.setdefault(name, tensor)
        self.seen[id(call)] = TensorRef(name, tensor)
        return TensorRef(name, tensor)


def _held(path: str) -> bool:
    """Whether a path is that of an attribute rather than of an element of a list."""
    return not path.rpartition(".")[2].isdigit()


def _words(item: Any) -> str:
    return item.path if isinstance(item, Global) else type(item).__name__.lower()
