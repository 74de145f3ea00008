"""TorchScript archives: module tree, tensors, code and graph, without torch and without running anything.

The archive is a zip of pickles, raw storages and source text. The pickles are read by an interpreter that never
imports or calls what they name, the source is parsed as text. Shapes are those of the inputs that a traced model was
traced with, where the archive keeps them; a scripted model has none until the user says the shape of its inputs.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from inspector.errors import FormatError
from inspector.formats._documents import documented
from inspector.formats._format import Format, Glimpse, Support
from inspector.formats._globals import damage, warnings
from inspector.formats._pickle import Unpickled, survey, unpickle
from inspector.formats._source import Source
from inspector.formats._tensors import decode, state_role
from inspector.formats._torch_code import Code, parse
from inspector.formats._torch_kernels import flattened, idle
from inspector.formats._torch_packed import CONFIG, is_holder, is_setting, settings_of
from inspector.formats._torch_program import Program, follow
from inspector.formats._torch_restore import restore
from inspector.formats._torch_shapes import propagate
from inspector.formats._torch_tree import Instance, PackedRef, TensorRef, Tree, class_name, grow, plain, planted
from inspector.formats._torchzip import Strided, fetch_member, fetch_member_part, fits, place
from inspector.formats._zip import Archive, archive
from inspector.ir import Attribute, Model, Module, Note, Role, Signature, Tensor, Value

PICKLE = 256 << 20
TEXT = 16 << 20
TEXTS = 128 << 20
RECORDS = 4 << 20
"""Most bytes of debug records that are read; a larger program does not say where it was written."""
REALS = {"float64": "d", "float32": "f", "float16": "e"}
"""With their codes in `struct`."""
INTEGERS = frozenset({"int64", "int32", "int16", "int8"})
OWN = "__torch__"


def sniff(glimpse: Glimpse) -> Support:
    """A zip with a `data.pkl` and code or constants beside it."""
    names = glimpse.members
    folders = {name.rpartition("/")[0] for name in names if name.rpartition("/")[2] == "data.pkl"}
    for folder in folders:
        start = f"{folder}/" if folder else ""
        if any(name == f"{start}constants.pkl" or name.startswith(f"{start}code/") for name in names):
            return Support.YES
    return Support.NO


@dataclass(frozen=True, slots=True)
class _Parts:
    """The archive's parts, read."""

    top: str
    data: Unpickled
    pickles: list[Unpickled]
    notes: list[Note]
    constants: list[Any]
    traced: tuple[Strided, ...]
    texts: dict[str, str]
    big: bool
    version: str


def read(source: Source) -> Model:
    """The whole structure; weights as places in the archive."""
    with archive(source) as zipped:
        parts = _parts(zipped, source.name)
        tree, apart = grow(parts.data.value), Tree()
        constants = [planted(item, f"CONSTANTS.c{at}", apart) for at, item in enumerate(parts.constants)]
        texts = {name.removeprefix("code/"): text for name, text in parts.texts.items() if name.startswith("code/")}
        code = parse(texts, _records(zipped, parts.top))
        restore(tree, code)
        for packed, folder in [
            *((each, "data/") for each in tree.packed),
            *((each, "constants/") for each in apart.packed),
        ]:
            _configure(zipped, packed, f"{parts.top}{folder}", big=parts.big)
        program = follow(tree.root, code, constants) if tree.root else Program()
        tree.idle |= idle(program.graphs)
        apart.idle |= tree.idle
        tensors = _tensors(tree, code, parts)
        tensors.update(_constants(zipped, apart, parts))
        missing = [tensor.name for tensor in tensors.values() if tensor.count and not fits(zipped, tensor.place)]
        notes = [*warnings(parts.pickles, OWN), *parts.notes, *zipped.notes, *_missing(missing)]
    if code.unread:
        text = f"The code in {', '.join(code.unread[:3])[:500]} could not be read; it is shown as text only."
        notes.append(Note("warning", text, "The file may be damaged or made to confuse."))
    if not tree.root:
        notes.append(Note("warning", "The archive holds no module, only data."))
    if not tree.complete:
        notes.append(Note("warning", "The module tree is too large or too deep; a part of it is shown."))
    main = program.graphs[0] if program.graphs else None
    model = Model(
        format="torch.script",
        producer="PyTorch TorchScript",
        graphs=program.graphs,
        tensors=tensors,
        modules=tuple(_modules(tree, code)),
        signatures=(Signature("forward", main.inputs, main.outputs),) if main else (),
        metadata=_metadata(parts, tree),
        texts=parts.texts,
        notes=(*notes, *program.notes),
    )
    return _traced(model, parts.traced)


def _parts(zipped: Archive, name: str) -> _Parts:
    top = _top(zipped, name)
    data = survey(zipped.read(f"{top}data.pkl", PICKLE), "module tree (data.pkl)")
    notes = damage(data, name)
    pickles = [data]
    constants: list[Any] = []
    if f"{top}constants.pkl" in zipped:
        table = survey(zipped.read(f"{top}constants.pkl", PICKLE), "table of constants (constants.pkl)")
        constants = list(table.value) if isinstance(table.value, tuple | list) else []
        notes += damage(table, name)
        pickles.append(table)
    order = zipped.read(f"{top}byteorder", 64).strip() if f"{top}byteorder" in zipped else b"little"
    version = zipped.read(f"{top}version", 64).strip() if f"{top}version" in zipped else b""
    return _Parts(
        top=top,
        data=data,
        pickles=pickles,
        notes=notes,
        constants=constants,
        traced=_traced_inputs(zipped, top),
        texts=_texts(zipped, top),
        big=order == b"big",
        version=version.decode("ascii", "replace"),
    )


def _top(zipped: Archive, name: str) -> str:
    """The folder of the archive, with its slash."""
    tops = [member[: -len("data.pkl")] for member in zipped.names if member.rpartition("/")[2] == "data.pkl"]
    if not tops:
        raise FormatError(f"{name} has no module tree (data.pkl).", hint="It is no TorchScript archive.")
    return min(tops, key=len)


def _texts(zipped: Archive, top: str) -> dict[str, str]:
    """Code and extra files, by path beneath the archive's folder."""
    texts: dict[str, str] = {}
    room = TEXTS
    for member in zipped.names:
        path = member.removeprefix(top)
        wanted = (path.startswith("code/") and path.endswith(".py")) or path.startswith("extra/")
        if not member.startswith(top) or not wanted or zipped.size(member) > min(TEXT, room):
            continue
        room -= zipped.size(member)
        text = zipped.read(member, TEXT)
        if path.startswith("code/") or b"\0" not in text:
            texts[path] = text.decode("utf-8", "replace")
    return texts


def _records(zipped: Archive, top: str) -> dict[str, bytes]:
    """Debug records by path of the code that they belong to."""
    found: dict[str, bytes] = {}
    room = RECORDS
    for member in zipped.names:
        if member.startswith(f"{top}code/") and member.endswith(".debug_pkl") and zipped.size(member) <= room:
            room -= zipped.size(member)
            path = member.removeprefix(f"{top}code/").removesuffix(".debug_pkl")
            with suppress(FormatError):
                found[path] = zipped.read(member, RECORDS)
    return found


def _traced_inputs(zipped: Archive, top: str) -> tuple[Strided, ...]:
    """What the model was traced with, where the archive says so."""
    if f"{top}traced_inputs.pkl" not in zipped:
        return ()
    value = grow(unpickle(zipped.read(f"{top}traced_inputs.pkl", PICKLE), "list of traced inputs").value)
    names = sorted((name for name in value.tensors if name.startswith(".forward.")), key=_numbers)
    return tuple(value.tensors[name] for name in names)


def _numbers(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split(".") if part.isdecimal() and len(part) < 10)


def _configure(zipped: Archive, packed: PackedRef, folder: str, *, big: bool) -> None:
    """Read the strides of a packed convolution, where a tensor has them."""
    config = packed.config
    if config is None or config.dtype not in INTEGERS or len(config.shape) != 1 or not 0 < config.shape[0] <= CONFIG:
        return
    where = place(config, folder, big=big)
    if config.dense and fits(zipped, where):
        with zipped.open(where.member) as file:
            file.seek(where.offset)
            numbers = decode(file.read(where.size), config.dtype, config.shape, big=big)
        packed.settings = settings_of([int(number) for number in numbers])


def _tensors(tree: Tree, code: Code, parts: _Parts) -> dict[str, Tensor]:
    """Parameters, buffers and other tensors of the modules."""
    kinds: dict[str, Role] = {}
    for instance in tree.instances:
        found = code.classes.get(instance.type)
        for name, value in instance.values.items():
            if isinstance(value, TensorRef) and found:
                full = f"{instance.path}.{name}" if instance.path else name
                kinds[full] = Role.WEIGHT if name in found.parameters else Role.BUFFER
    fixed = _settle(tree)
    dtypes = {name: tensor.dtype for name, tensor in tree.tensors.items()}
    first: dict[tuple[Any, ...], str] = {}
    tensors = {}
    for name, tensor in tree.tensors.items():
        role = Role.WEIGHT if name in fixed else kinds.get(name, Role.BUFFER)
        trained = tensor.grad if role is Role.WEIGHT and name not in fixed else False
        if role is not Role.WEIGHT:
            role = state_role(tensor.dtype, tensor.shape)
        idle = name in tree.idle or is_setting(name, dtypes)
        twin = first.setdefault((tensor.key, tensor.offset, tensor.shape, tensor.strides), name)
        tensors[name] = Tensor(
            name,
            tensor.dtype,
            tensor.shape,
            place(tensor, f"{parts.top}data/", big=parts.big),
            Role.CONSTANT if idle else role,
            trained,
            "" if twin == name else twin,
        )
    return tensors


def _settle(tree: Tree) -> set[str]:
    """Names of the tensors that are packed, which no training changes; kernels of one axis lose the other one."""
    for packed in tree.packed:
        weight = packed.parts.get("weight")
        if packed.flat and weight is not None:
            tree.tensors[weight.name] = flattened(weight.tensor)
    return {ref.name for packed in tree.packed for ref in packed.parts.values()}


def _constants(zipped: Archive, tree: Tree, parts: _Parts) -> dict[str, Tensor]:
    """Tensors that the code names as constants; a frozen model keeps its weights there.

    Single numbers are read at once: shapes are worked out with them.
    """
    found: dict[str, Tensor] = {}
    fixed = _settle(tree)
    for name, tensor in tree.tensors.items():
        where, shape = place(tensor, f"{parts.top}constants/", big=parts.big), tensor.shape
        if not shape and tensor.dtype in (*INTEGERS, *REALS) and fits(zipped, where) and len(found) < 10_000:
            with zipped.open(where.member) as file:
                file.seek(where.offset)
                data = file.read(where.size)
            where = replace(where, layout={**where.layout, "value": _number(data, tensor.dtype, big=parts.big)})
        role = Role.WEIGHT if name in fixed else state_role(tensor.dtype, shape)
        role = Role.CONSTANT if name in tree.idle else role
        found[name] = Tensor(name, tensor.dtype, shape, where, role, False)
    return found


def _number(data: bytes, dtype: str, *, big: bool) -> int | float | None:
    """A single number; None of a real one that is none."""
    if dtype in INTEGERS:
        return int.from_bytes(data, "big" if big else "little", signed=True)
    (found,) = struct.unpack((">" if big else "<") + REALS[dtype], data)
    return float(found) if math.isfinite(found) else None


def _modules(tree: Tree, code: Code) -> Iterable[Module]:
    for instance in tree.instances:
        if is_holder(instance.path):
            continue
        found = code.classes.get(instance.type)
        attributes: dict[str, Attribute] = {}
        if found:
            attributes.update({name: plain(value) for name, value in found.constants.items()})
        for name, value in instance.values.items():
            if not isinstance(value, Instance | TensorRef) and not name.startswith("_"):
                attributes[name] = plain(value)
        yield Module(instance.path, class_name(instance.type), attributes)


def _metadata(parts: _Parts, tree: Tree) -> dict[str, str]:
    made = {"archive version": parts.version, "byte order": "big" if parts.big else "little"}
    training = tree.root.values.get("training") if tree.root else None
    if isinstance(training, bool):
        made["saved in mode"] = "training" if training else "evaluation"
    if parts.traced:
        made["traced with"] = ", ".join(f"{t.dtype}{list(t.shape)}" for t in parts.traced)[:1000]
    return {name: text for name, text in made.items() if text}


def _traced(model: Model, traced: tuple[Strided, ...]) -> Model:
    """Shapes from the inputs that the model was traced with."""
    main = model.main
    if main is None or not traced or len(traced) > len(main.inputs):
        return model
    known = {value.name: Value(value.name, t.dtype, t.shape) for value, t in zip(main.inputs, traced, strict=False)}
    inputs = tuple(known.get(value.name, value) for value in main.inputs)
    graphs = (replace(main, inputs=inputs, values={**main.values, **known}), *model.graphs[1:])
    try:
        return propagate(replace(model, graphs=graphs), {name: value.shape for name, value in known.items()})
    except FormatError:  # what the archive says of its inputs does not fit its weights
        return model


def _missing(names: list[str]) -> list[Note]:
    text = f"The values of {len(names)} tensors are not in the file, such as {names[:1]}."
    return [Note("warning", text, "The file is incomplete; fetch or copy it again.")] if names else []


FORMAT = Format(
    id="torch.script",
    title="TorchScript",
    suffixes=(".pt", ".torchscript", ".jit", ".pth", ".ptl"),
    sniff=sniff,
    read=read,
    fetch=fetch_member,
    document=documented("torch"),
    fetch_part=fetch_member_part,
    mime="application/x-torchscript",
    magic=((0, b"PK\x03\x04"), (30, b"/data/0")),
    reshape=propagate,
)
