"""What a file of torch's holds: the model's tensors, second copies of them, optimizers, and everything else in words.

A checkpoint is dictionaries within dictionaries. A *part* is a dictionary of tensors or a whole module; what each is
for follows from the keys that lead to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from inspector.formats._pickle import Call, Persistent
from inspector.formats._torch_packed import Packed, is_idle, is_made, module_of, name_of, packed_of
from inspector.formats._torch_words import class_of, mapping, plain, shift_of, state_of, tensor_of
from inspector.formats._torchzip import REBUILDERS, WRAPPERS, Strided
from inspector.formats._unique import Numbered
from inspector.ir import Attribute, Module

WITHOUT_VALUES = frozenset((
    "torch._utils._rebuild_meta_tensor_no_storage", "torch.nn.parameter.UninitializedParameter",
    "torch.nn.parameter.UninitializedBuffer",
))  # fmt: skip
"""What makes tensors that have no values: those of the meta device, and of lazy layers that have seen no input."""
STEPS = 400_000
DEPTH = 64
Kind = Literal["model", "copy", "optimizer", "other"]
Path = tuple[str, ...]
Step = tuple[Any, Path, "Part | None"]
"""An object, the keys that lead to it, and the part that holds it."""
PLAIN = (type(None), bool, int, float, str, bytes)

COPIES = re.compile(
    r"(^|[_.])(ema|swa|averaged?|averaging|shadow)([_.]|$)|(^|_)ema|ema$|target_network|^current_model_state$",
    re.IGNORECASE,
)
CURRENT = "current_model_state"
"""Where Lightning keeps the weights themselves when `state_dict` holds their average."""
OPTIMIZERS = re.compile(r"optim", re.IGNORECASE)
OTHERS = re.compile(
    r"^(callbacks?|loops?|(lr_)?schedulers?|lr_scheduler_states|rng.*|.*rng_state.*|metrics?|(amp_|grad_)?scaler.*|amp|loss(es)?"
    r"|hparams|hyper_parameters|args|config|datamodule.*|native_amp_.*)$",
    re.IGNORECASE,
)
HIDDEN = frozenset({"training", "call_super_init", "dump_patches", "T_destination"})
HOOKS = re.compile(r"_.*hooks.*|_parameters|_buffers|_modules|_non_persistent_buffers_set|_is_full_backward_hook")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A tensor where it is held."""

    tensor: Strided
    shift: int
    trainable: bool | None = None
    buffer: bool | None = None
    """Whether it is a buffer of a module; None where it stands in a dictionary."""
    idle: bool = False
    """Whether its layer does not compute with it."""


@dataclass(slots=True)
class Part:
    """A dictionary of tensors, or a module.

    Attributes:
        path: Keys that lead to it.
        leaves: By name within it.
        modules: Of a whole module, parents first; of a state dict, the paths that its versions name.
        whole: Whether it is a module rather than a dictionary.
    """

    path: Path
    kind: Kind
    leaves: dict[str, Leaf] = field(default_factory=dict)
    modules: dict[str, Module] = field(default_factory=dict)
    whole: bool = False
    names: Numbered = field(default_factory=Numbered)

    def add(self, name: str, leaf: Leaf) -> None:
        """Put a tensor in under a name that is free."""
        self.leaves[self.names.free(name, self.leaves)] = leaf


@dataclass(slots=True)
class Contents:
    """Everything that is in the object.

    Attributes:
        about: Entries of the outermost dictionary that hold no tensors.
        sources: Source text of classes, which legacy files keep.
        confused: Where tensors should be whose description makes none.
        bare: Where tensors are that have no values.
        complete: Whether all of it was looked at.
    """

    parts: list[Part] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    confused: list[str] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)
    complete: bool = True

    def of(self, *kinds: Kind) -> list[Part]:
        """Parts of these kinds that hold something."""
        return [part for part in self.parts if part.kind in kinds and (part.leaves or part.whole)]


def packed_in(item: Any, path: Path) -> Packed | None:
    """What an entry of a state dict packs: an object, or the pair of weight and bias that a linear layer saves."""
    if isinstance(item, tuple):
        pair = path and path[-1].endswith("_packed_params") and item and tensor_of(item[0]) is not None
        return Packed("", dict(zip(("weight", "bias"), item, strict=False))) if pair else None
    if not isinstance(item, Call | Persistent):  # there may be very many others
        return None
    if path and path[-1].endswith("_packed_weight") and tensor_of(item) is not None:
        return Packed("", {"weight": item})
    return packed_of(item)


def is_bare(item: Any) -> bool:
    """Whether it is a tensor without values."""
    while isinstance(item, Call) and item.path in WRAPPERS and item.args:
        item = item.args[0]
    return isinstance(item, Call) and item.path in WITHOUT_VALUES


def is_module(item: Any) -> bool:
    """Whether an object is an `nn.Module`."""
    return isinstance(item, Call) and {"_modules", "_parameters"} <= state_of(item).keys()


def contents(value: Any) -> Contents:
    """What an object of a file holds."""
    walk = _Walk()
    walk.value(value)
    found = walk.found
    entries = mapping(value) if not is_module(value) else None
    starts = {part.path[0] for part in found.parts if part.path and part.kind != "other"}
    top = any(not part.path and part.kind == "model" for part in found.parts)
    if entries is not None and not top:
        found.about = {key: item for key, item in entries.items() if key not in starts and tensor_of(item) is None}
    if not found.of("model"):
        for part in found.parts:
            part.kind = "model" if part.kind == "copy" else part.kind
    if not found.of("model"):
        _listed(found)
    return found


def _listed(found: Contents) -> None:
    """Where no dictionary of tensors is, tensors that stand in lists are the model: `{"params": [w, b]}`."""
    for part in [part for part in found.of("other") if not part.path]:
        keys = {name: name.partition(".")[0] for name in part.leaves}
        model = {name: part.leaves.pop(name) for name, key in keys.items() if not OTHERS.match(key)}
        found.parts.append(Part((), "model", model))
        for name in model:
            found.about.pop(keys[name], None)


class _Walk:
    """Goes through the objects once; a budget ends cycles and repetitions."""

    def __init__(self) -> None:
        self.found = Contents()
        self.steps = 0

    def part(self, path: Path, kind: Kind) -> Part:
        known = next((part for part in self.found.parts if part.path == path and part.kind == kind), None)
        if known is None:
            known = Part(path, kind)
            self.found.parts.append(known)
        return known

    def loose(self, path: Path) -> Part:
        """The part of a tensor that stands in no dictionary of tensors."""
        kind = kind_of(path)
        if kind in ("copy", "optimizer"):
            return self.part(path[:-1], kind)
        return self.part((), "model" if not path or path[0].isdigit() else "other")

    def value(self, item: Any) -> None:
        """Go through an object and all in it, depth first and without recursion.

        Calls that nest as deep as a file wants would cross the end of a piece of Python's stack again and again,
        which is fetched from the system and given back each time.
        """
        waiting: list[Iterator[Step]] = [iter([(item, (), None)])]
        while waiting:
            step = next(waiting[-1], None)
            if step is None:
                waiting.pop()
                continue
            self.steps += 1
            if len(waiting) > DEPTH or self.steps > STEPS:
                self.found.complete = False
                if self.steps > STEPS:
                    return
            elif not isinstance(step[0], PLAIN):
                inside = self.held(*step, len(waiting))
                if inside is not None:
                    waiting.append(inside)

    def held(self, item: Any, path: Path, owner: Part | None, depth: int) -> Iterator[Step] | None:
        """Take what an object is; what there is inside of it, where that is still to be looked at."""
        tensor, packed = tensor_of(item), packed_in(item, path)
        if packed is not None:
            owner = owner or self.loose(path)
            self.packed(packed, owner, ".".join(path[len(owner.path) :]))
        elif tensor is not None:
            owner = owner or self.loose(path)
            name = ".".join(path[len(owner.path) :]) or "tensor"
            owner.add(name, Leaf(tensor, shift_of(item), tensor.grad if tensor.grad else None))
        elif isinstance(item, Call) and item.path in REBUILDERS:
            self.found.confused.append(".".join(path) or "tensor")
        elif is_bare(item):
            self.found.bare.append(".".join(path) or "tensor")
        elif is_module(item) and not (owner and owner.kind == "optimizer"):
            part = Part(path, kind_of(path), whole=True)
            self.found.parts.append(part)
            self.module(item, part, "", depth)
        elif isinstance(item, list | tuple):
            return ((inner, (*path, str(at)), owner) for at, inner in enumerate(item))
        else:
            return self.entries(item, path, owner)
        return None

    def packed(self, found: Packed, part: Part, path: str) -> None:
        """Put what a layer packed in under the names of the layer."""
        for name, item in found.parts.items():
            tensor, full = tensor_of(item), name_of(path, name)
            if tensor is not None:
                part.add(f"{path}.{name}" if full in part.leaves else full, Leaf(tensor, shift_of(item), False, False))

    def entries(self, item: Any, path: Path, owner: Part | None) -> Iterator[Step]:
        """What a dictionary or an instance holds, with the part that it belongs to."""
        entries = mapping(item)
        if entries is None:
            entries = state_of(item) if isinstance(item, Call) else {}
            if isinstance(item, Call) and not entries:
                return ((inner, path, owner) for inner in item.args)
        elif owner is None:
            owner = self.owner(entries, path)
            if owner is not None and isinstance(item, Call):
                versions = mapping(state_of(item).get("_metadata"))
                for name in versions or {}:
                    owner.modules.setdefault(name, Module(name, ""))
        return ((inner, (*path, key), owner) for key, inner in entries.items())

    def owner(self, entries: dict[str, Any], path: Path) -> Part | None:
        """The part that a dictionary is, if it is one."""
        if {"state", "param_groups"} <= entries.keys():
            return self.part(path, "optimizer")
        held = ((key, value) for key, value in entries.items() if isinstance(value, Call | Persistent | tuple))
        tensors = any(tensor_of(value) or packed_in(value, (*path, key)) for key, value in held)
        if not tensors or (not path and any(_holds(value) for value in entries.values())):
            return None
        return self.part(path, kind_of(path))

    def module(self, item: Call, part: Part, path: str, depth: int) -> None:
        self.steps += 1
        if depth > DEPTH or self.steps > STEPS:
            self.found.complete = False
            return
        state = state_of(item)
        kind = class_of(item)
        part.modules[path] = Module(path, kind.rpartition(".")[2], _attributes(kind, state))
        self.source(item, kind)
        for group, buffer in (("_parameters", False), ("_buffers", True)):
            for name, value in (mapping(state.get(group)) or {}).items():
                tensor = tensor_of(value)
                if tensor is not None:
                    grad = False if buffer else tensor.grad is not False
                    part.add(_join(path, name), Leaf(tensor, shift_of(value), grad, buffer))
                elif isinstance(value, Call) and value.path in REBUILDERS:
                    self.found.confused.append(_join(path, name))
                elif is_bare(value):
                    self.found.bare.append(_join(path, name))
        for name, value in (mapping(state.get("_modules")) or {}).items():
            if is_module(value):
                self.module(value, part, _join(path, name), depth + 1)
            else:
                self.quantized(value, part, _join(path, name))
        parameters = (mapping(state.get("_parameters")) or {}).keys()
        for name, value in state.items():  # tensors that are neither parameters nor buffers
            tensor, packed = tensor_of(value), packed_of(value)
            if tensor is not None:
                idle = is_idle(name, state) or is_made(name, parameters)
                part.add(_join(path, name), Leaf(tensor, shift_of(value), False, True, idle))
            elif packed is not None:
                self.packed(packed, part, _join(path, name))

    def quantized(self, item: Any, part: Part, path: str) -> None:
        """A quantized layer, which saves itself as a tuple."""
        found = module_of(item)
        if found is not None:
            kind, state = found
            part.modules[path] = Module(path, kind.rpartition(".")[2], _attributes(kind, state))
            self.packed(Packed(kind, state), part, path)

    def source(self, item: Call, kind: str) -> None:
        """The text of a class, where the file keeps it."""
        outside = item.function.id if isinstance(item.function, Persistent) else ()
        if isinstance(outside, tuple) and len(outside) > 3 and isinstance(outside[3], str):
            self.found.sources.setdefault(f"source/{kind}.py", outside[3])


def kind_of(path: Iterable[str]) -> Kind:
    """What the tensors at these keys are for."""
    steps = list(path)
    if any(OPTIMIZERS.search(step) for step in steps):
        return "optimizer"
    if any(COPIES.search(step) for step in steps):
        return "copy"
    return "other" if any(OTHERS.match(step) for step in steps[:1]) else "model"


def _holds(value: Any, depth: int = 3) -> bool:
    """Whether a value is a module, or a dictionary with tensors somewhere in it."""
    if is_module(value):
        return True
    entries = mapping(value) if depth else None
    inner = list((entries or {}).values())[:1000]
    return any(tensor_of(item) is not None for item in inner) or any(_holds(item, depth - 1) for item in inner)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _attributes(kind: str, state: dict[str, Any]) -> dict[str, Attribute]:
    """Hyper-parameters: what the instance holds besides tensors, modules and hooks."""
    made: dict[str, Attribute] = {"class": kind}
    for name, value in list(state.items())[:1000]:
        if HOOKS.fullmatch(name) or name in HIDDEN or is_module(value) or tensor_of(value) is not None:
            continue
        made[name] = plain(value)
    return made
