"""A file of torch's as a model: what both formats of pickled PyTorch files share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from inspector.formats._format import Glimpse
from inspector.formats._globals import warnings
from inspector.formats._keys import module_tree, role_of, wrapper_note
from inspector.formats._packed_weights import counted
from inspector.formats._pickle import Call
from inspector.formats._raw import fetch_raw_part, read_at
from inspector.formats._source import Source
from inspector.formats._tensors import Array, decode, state_role
from inspector.formats._torch_contents import CURRENT, Contents, Leaf, Part, contents, is_module
from inspector.formats._torch_file import LEGACY, PLAIN, Opened, forget, open_torch, peek
from inspector.formats._torch_packed import is_setting
from inspector.formats._torch_tar import is_tar
from inspector.formats._torch_words import class_of, mapping, tensor_of, written
from inspector.formats._torchzip import REBUILDERS, arranged, fetch_member, fetch_member_part
from inspector.formats._unique import Numbered
from inspector.ir import Model, Module, Note, Role, Tensor

SHORT = 200
LIGHTNING = ("pytorch-lightning_version", "lightning_version")
INNER = ("model_ema.", "ema_model.", "ema.")
"""Copies of the weights that stand in the same dictionary as the weights."""


def kind(glimpse: Glimpse) -> Literal["module", "state", ""]:
    """Which of torch's files it is, from its members and from what its pickle would make."""
    if glimpse.members:
        folders = {name[: -len("data.pkl")] for name in glimpse.members if name.rpartition("/")[2] == "data.pkl"}
        if not folders or any(_scripted(folder, glimpse.members) for folder in folders):
            return ""
    elif not glimpse.head.startswith((*LEGACY, *PLAIN)) and not is_tar(glimpse.head):
        return ""
    opened = peek(glimpse.path)
    if opened is None and (glimpse.members or glimpse.head.startswith(LEGACY)):
        return "state"  # it cannot be anything else; reading it says what is wrong
    if opened is None or (opened.container == "pickle" and not _torch_asked(opened)):
        return ""
    return "module" if _is_instance(opened.data.value) else "state"


def _scripted(folder: str, members: tuple[str, ...]) -> bool:
    return any(name == f"{folder}constants.pkl" or name.startswith(f"{folder}code/") for name in members)


def _torch_asked(opened: Opened) -> bool:
    """Whether a plain pickle rebuilds tensors or modules of torch's."""
    return any(path in REBUILDERS or path.startswith("torch.nn.modules.") for path in opened.data.globals)


def _is_instance(value: Any) -> bool:
    """Whether the object is an instance, or a dictionary that holds a whole module."""
    entries = mapping(value)
    if entries is None:
        return isinstance(value, Call) and tensor_of(value) is None and not value.path.startswith("argparse.")
    return any(is_module(item) for item in entries.values())


@dataclass(slots=True)
class _Build:
    """The model as far as it is made."""

    opened: Opened
    found: Contents
    tensors: dict[str, Tensor] = field(default_factory=dict)
    first: dict[tuple[Any, ...], str] = field(default_factory=dict)
    modules: dict[str, Module] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    copies: dict[str, int] = field(default_factory=dict)
    names: Numbered = field(default_factory=Numbered)

    def part(self, part: Part, strip: int) -> None:
        """Put a part's tensors in, under names without the first `strip` keys that lead to it."""
        start = ".".join(part.path[strip:])
        dtypes = {name: leaf.tensor.dtype for name, leaf in part.leaves.items()}
        for name, leaf in part.leaves.items():
            full = f"{start}.{name}" if start else name
            full = self.names.free(full, self.tensors)
            idle = leaf.idle or (part.kind == "model" and is_setting(name, dtypes))
            role = (Role.CONSTANT, False) if idle else self.role(part, name, leaf)
            self.tensors[full] = self.tensor(full, leaf, role)
        if part.kind == "model":
            for path, module in part.modules.items():
                full = ".".join(filter(None, (start, path)))
                self.modules.setdefault(full, Module(full, module.type, module.attributes))

    def role(self, part: Part, name: str, leaf: Leaf) -> tuple[Role, bool | None]:
        """What a tensor is for, and whether it is trained."""
        dtype, shape = leaf.tensor.dtype, leaf.tensor.shape
        if part.kind in ("copy", "optimizer"):
            return (Role.COPY if part.kind == "copy" else Role.OPTIMIZER), None
        if part.kind == "other":
            return Role.CONSTANT, False
        if leaf.buffer is not None:
            return (state_role(dtype, shape) if leaf.buffer else Role.WEIGHT), leaf.trainable
        for start in INNER:
            if name.startswith(start) and not all(other.startswith(start) for other in part.leaves):
                self.copies[start] = self.copies.get(start, 0) + 1
                return Role.COPY, None
        role, trainable = role_of(name, dtype, shape)
        return role, leaf.trainable if role is Role.WEIGHT and leaf.trainable else trainable

    def tensor(self, name: str, leaf: Leaf, role: tuple[Role, bool | None]) -> Tensor:
        """A tensor at its place; one that shares its bytes with an earlier one says so."""
        found = leaf.tensor
        where = self.opened.place(found, leaf.shift)
        if found.reach and not self.opened.has(where):
            self.missing.append(name)
        key = (found.key, found.offset + leaf.shift, found.shape, found.strides, found.dtype)
        twin = self.first.setdefault(key, name) if found.reach else name
        return Tensor(name, found.dtype, found.shape, where, *role, "" if twin == name else twin)


def read_as(source: Source, format_id: str) -> Model:
    """The whole structure; weights as places.

    Raises:
        FormatError: The file is damaged.
    """
    opened = open_torch(source)
    forget()
    found = contents(opened.data.value)
    build = _Build(opened, found)
    models = found.of("model")
    strip = _shared(models)
    for part in models:
        build.part(part, strip)
    names = list(build.tensors)
    for part in found.of("copy", "other", "optimizer"):
        build.part(part, 0)
    version = next((str(found.about[key]) for key in LIGHTNING if isinstance(found.about.get(key), str)), "")
    tensors, packed = counted(build.tensors)
    return Model(
        format=format_id,
        producer=f"PyTorch Lightning {version[:50]}" if version else "PyTorch",
        tensors=tensors,
        modules=_modules(build, models, names),
        metadata={**opened.facts, **_metadata(found)},
        texts={**found.sources, **_texts(found), **_optimizers(opened, found)},
        notes=(
            *warnings(opened.pickles),
            *_notes(build, models),
            *wrapper_note(names),
            *packed,
            *opened.notes,
        ),
    )


def _shared(models: list[Part]) -> int:
    """How many keys lead to all of the model's parts alike; they are no part of its names."""
    paths = [part.path for part in models]
    count = 0
    while paths and all(len(path) > count and path[count] == paths[0][count] for path in paths):
        count += 1
    return count


def _modules(build: _Build, models: list[Part], names: list[str]) -> tuple[Module, ...]:
    """Modules with their classes where the file has them; paths of names else."""
    held = [*names, *(f"{path}." for path in build.modules if path)]
    known = {module.path: module for module in module_tree(held)}
    if not known and build.modules:
        known = {"": Module("", "")}
    merged = {path: build.modules.get(path, module) for path, module in known.items()}
    if not any(part.whole for part in models):
        return tuple(merged.values())
    return tuple(merged[path] for path in sorted(merged, key=_order(build.modules)))


def _order(modules: dict[str, Module]) -> Any:
    """In the order in which the file holds them; parents first."""
    rank = {path: at for at, path in enumerate(modules)}
    return lambda path: (rank.get(path, -1), path)


def _metadata(found: Contents) -> dict[str, str]:
    """Short facts of the outermost dictionary."""
    short = {key: _short(item) for key, item in list(found.about.items())[:1000]}
    return {key[:SHORT]: text for key, text in short.items() if text is not None}


def _short(item: Any) -> str | None:
    """A plain value that fits a line; None of anything else."""
    if isinstance(item, int) and item.bit_length() > 4 * SHORT:
        return "…"  # Python refuses to write numbers of many digits
    text = str(item) if isinstance(item, bool | int | float | str) else None
    return text if text is not None and len(text) <= SHORT else None


def _texts(found: Contents) -> dict[str, str]:
    """Everything else of the outermost dictionary: hyper-parameters, callbacks, configurations."""
    long: dict[str, str] = {}
    for key, item in list(found.about.items())[:200]:
        if item is None or _short(item) is not None:
            continue
        text = item if isinstance(item, str) else written(item)
        if text not in ("", "{}", "()"):
            long[key[:SHORT]] = text
    return long


def _optimizers(opened: Opened, found: Contents) -> dict[str, str]:
    """Settings of optimizers."""
    made: dict[str, str] = {}
    for part in found.parts:
        item: Any = opened.data.value
        for step in part.path if part.kind == "optimizer" else ():
            item = item[int(step)] if isinstance(item, list | tuple) else (mapping(item) or {}).get(step)
        groups = (mapping(item) or {}).get("param_groups") if part.kind == "optimizer" else None
        if groups:
            made[f"{'.'.join(part.path) or 'optimizer'} settings"] = written(groups)
    return made


def _notes(build: _Build, models: list[Part]) -> Iterator[Note]:
    found = build.found
    for part in found.of("copy"):
        if not any(leaf.tensor.shape for leaf in part.leaves.values()):
            continue  # how many were averaged, and other counts
        name = ".".join(part.path)[:200]
        text = f"The file holds a second copy of the weights under {name!r}: averaged while training."
        if part.path[:1] == (CURRENT,):
            text = f"The weights are averages; as training left them they stand under {name!r}."
        yield Note("info", text, "It is listed apart and not counted as parameters.")
    for start, count in build.copies.items():
        text = f"{count:,} tensors under {start!r} are an averaged copy of the weights."
        yield Note("info", text, "They are not counted as parameters.")
    slots = sum(len(part.leaves) for part in found.of("optimizer"))
    if slots:
        yield Note("info", f"{slots:,} tensors are the optimizer's: a checkpoint to go on training from.")
    if len(models) > 1:
        words = ", ".join(".".join(part.path) or "the file itself" for part in models[:10])
        yield Note("info", f"The file holds {len(models):,} sets of weights: {words[:500]}.")
    if not (build.tensors or found.bare):
        what = class_of(build.opened.data.value) if isinstance(build.opened.data.value, Call) else ""
        yield Note("warning", f"There are no tensors in the file{f', only an object of {what[:200]}' if what else ''}.")
    if found.confused:
        first = found.confused[0][:200]
        text = f"{len(found.confused):,} tensors are described by what makes no sense, such as {first!r}."
        yield Note("warning", text, "They are left out; the file may be damaged or made to confuse.")
    if found.bare:
        more = f" and {len(found.bare) - 3:,} more" if len(found.bare) > 3 else ""
        text = f"These tensors have no values: {', '.join(name[:200] for name in found.bare[:3])}{more}."
        hint = "They are of the meta device, or of lazy layers that had seen no input; they are not counted."
        yield Note("warning", text, hint)
    if build.missing:
        text = f"The values of {len(build.missing):,} tensors are not in the file, such as {build.missing[0][:200]!r}."
        yield Note("warning", text, "The file is incomplete or damaged; fetch or copy it again.")
    if not found.complete:
        yield Note("warning", "The file is nested too deeply or holds too much; a part of it is shown.")


def fetch(source: Source, tensor: Tensor) -> Array:
    """The values of one tensor.

    Raises:
        FormatError: The file does not have them.
    """
    place = tensor.place
    if not tensor.count:
        return decode(b"", tensor.dtype, tensor.shape)
    if place.member and place.offset >= 0:
        return fetch_member(source, tensor)
    with source.open() as file:
        return arranged(read_at(file, place.offset, place.size, f"tensor {tensor.name[:100]!r}"), tensor)


def fetch_part(source: Source, tensor: Tensor, start: int, count: int) -> Array | None:
    """Some values of one tensor; see `Format.fetch_part`."""
    place = tensor.place
    if place.member and place.offset >= 0:
        return fetch_member_part(source, tensor, start, count)
    return fetch_raw_part(source, tensor, start, count) if place.offset > 0 else None
