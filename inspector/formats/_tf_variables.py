"""Variables of a SavedModel: what the checkpoint stores, under the names that the author gave them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from inspector.errors import FormatError
from inspector.formats._bundle import OBJECTS, Bundle, Entry, object_graph, read_bundle
from inspector.formats._source import Source
from inspector.formats._tensors import is_floating, state_role
from inspector.formats._tf_proto import object_graph as parse_objects
from inspector.formats._tf_proto import trained
from inspector.formats._unique import Numbered
from inspector.ir import Note, Place, Role, Tensor

PREFIX = "variables/variables"
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
SLOTS = re.compile(
    r"/(Adam|Adam_1|AdaMax|Momentum|RMSProp|RMSProp_1|Adagrad|Adadelta|Ftrl|Ftrl_1|ExponentialMovingAverage)$"
    r"|(^|/)(beta1_power|beta2_power|global_step)$"
)
"""What optimizers of TensorFlow 1 call their variables."""


SMALL = frozenset({"int4", "uint4", "int8", "uint8"})
"""Types that weights are quantized to."""

Twins = dict[tuple[Any, ...], str]
"""The first variable of a name with certain bytes."""


@dataclass(slots=True)
class Variables:
    """What a checkpoint holds.

    Attributes:
        tensors: By name.
        handles: Tensor name by the name of a handle in the outer graph.
        objects: Tensor name by the number of an object.
        copies: Variables that are left out because they are stored twice.
    """

    tensors: dict[str, Tensor] = field(default_factory=dict)
    names: Numbered = field(default_factory=Numbered)
    handles: dict[str, str] = field(default_factory=dict)
    objects: dict[int, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    copies: int = 0


def read_variables(source: Source, meta: Any) -> Variables:
    """The variables; none where the model was frozen into constants."""
    found = Variables()
    if not (source.folder / f"{PREFIX}.index").exists():
        if any(node.op in ("VarHandleOp", "VariableV2") for node in meta.graph_def.node):
            found.notes.append(Note("warning", "The folder variables is missing.", "Copy the whole SavedModel folder."))
        return found
    bundle = read_bundle(source, PREFIX)
    try:
        objects = parse_objects(object_graph(source, PREFIX, bundle))
    except FormatError as error:
        objects = None
        found.notes.append(Note("warning", f"Names of variables could not be read: {error.what}", error.hint))
    full, numbers = _names(objects)
    saved = {at: node.variable for at, node in enumerate(meta.object_graph_def.nodes) if node.HasField("variable")}
    older = trained(meta)
    frozen = _frozen(meta)
    twins: Twins = {}
    held = {at for function in meta.object_graph_def.concrete_functions.values() for at in function.bound_inputs}
    # Keras stores each variable twice, same name and same bytes: the one that the functions use is shown, once.
    for key, entry in sorted(bundle.entries.items(), key=lambda item: numbers.get(item[0], -1) not in held):
        if key == OBJECTS or entry.dtype in ("", "resource", "variant"):
            continue
        title = full.get(key) or key.removesuffix(SUFFIX)
        given = saved.get(numbers.get(key, -1))
        trainable = bool(given.trainable) if given is not None else older.get(title)
        twin = twins.setdefault((title, entry.checksum, entry.size, entry.shape, entry.dtype), key)
        if twin != key and numbers.get(key, -1) not in held:
            found.copies += 1
            continue
        name = _add(found, bundle, entry, title, trainable)
        if numbers.get(key, -1) in frozen:
            found.tensors[name] = replace(found.tensors[name], trainable=False)
        if key in numbers:
            found.objects[numbers[key]] = name
    _handles(found, meta)
    return found


def _frozen(meta: Any) -> set[int]:
    """Objects that Keras lists among the variables of the model and not among those that are trained.

    A layer that was frozen keeps variables that could be trained (`Model.export` of Keras 3, `SavedModel` of Keras 2).
    """
    nodes = meta.object_graph_def.nodes
    root = {child.local_name: child.node_id for child in nodes[0].children} if nodes else {}
    if not {"variables", "trainable_variables"} <= root.keys():
        return set()
    lists = [
        {child.node_id for child in nodes[root[key]].children} if 0 <= root[key] < len(nodes) else set()
        for key in ("variables", "trainable_variables")
    ]
    return lists[0] - lists[1]


def _add(found: Variables, bundle: Bundle, entry: Entry, title: str, trainable: bool | None) -> str:
    """Note a variable down under a name of its own."""
    name = found.names.free(title, found.tensors)
    role = _role(entry, title, trainable)
    layout: dict[str, Any] = {"key": entry.key}
    if bundle.big:
        layout["byte_order"] = "big"
    if entry.sliced:
        layout["sliced"] = True
    found.tensors[name] = Tensor(
        name,
        entry.dtype,
        entry.shape,
        Place(bundle.file(PREFIX, entry.shard), "", entry.offset, entry.size, layout),
        role,
        {Role.OPTIMIZER: None, Role.WEIGHT: trainable}.get(role, False),
    )
    return name


def _names(objects: Any) -> tuple[dict[str, str], dict[str, int]]:
    """Author's names and object numbers by key of the checkpoint."""
    full: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for at, node in enumerate(objects.nodes if objects is not None else ()):
        for item in node.attributes:
            if item.full_name:
                full[item.checkpoint_key] = item.full_name
            numbers.setdefault(item.checkpoint_key, at)
    return full, numbers


def _role(entry: Entry, title: str, trainable: bool | None) -> Role:
    if ".OPTIMIZER_SLOT" in entry.key or re.match(r"_?optimizer(/|$)", entry.key) or SLOTS.search(title):
        return Role.OPTIMIZER
    if entry.key.startswith("keras_api/metrics") or entry.dtype == "string" or "save_counter" in entry.key:
        return Role.CONSTANT
    matrix = entry.dtype in SMALL and len(entry.shape) > 1  # what a layer was quantized to, which trains no more
    if trainable or (trainable is None and is_floating(entry.dtype)) or matrix:
        return Role.WEIGHT
    return state_role(entry.dtype, entry.shape)


def _handles(found: Variables, meta: Any) -> None:
    """Handles of the outer graph by the name that they share with the checkpoint."""
    for node in meta.graph_def.node:
        if node.op in ("VarHandleOp", "VariableV2", "Variable"):
            shared = node.attr["shared_name"].s if "shared_name" in node.attr else b""
            names = (shared.decode("utf-8", "backslashreplace"), node.name)
            known = [name for name in names if name in found.tensors and not found.names.shared(name)]
            if known:
                found.handles[node.name] = known[0]
