"""Which array of `model.weights.h5` belongs to which layer, and what it is called.

Keras stores variables by number under the layer's group, and the layer's name in an attribute of that group; the
names of the variables follow from the class. A group without the attribute is matched by the key that Keras makes from
class names in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from inspector.formats._hdf5 import Listing, Stored
from inspector.formats._keras_config import Layer
from inspector.formats._unique import Numbered
from inspector.ir import Place, Role, Tensor

MEMBER = "model.weights.h5"
CELL = ("kernel", "recurrent_kernel", "bias")
VARIABLES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("Dense", "EinsumDense"), ("kernel", "bias")),
    **{f"Conv{n}D{kind}": ("kernel", "bias") for n in (1, 2, 3) for kind in ("", "Transpose")},
    **{f"DepthwiseConv{n}D": ("kernel", "bias") for n in (1, 2)},
    **{f"SeparableConv{n}D": ("depthwise_kernel", "pointwise_kernel", "bias") for n in (1, 2)},
    "Embedding": ("embeddings",),
    "PReLU": ("alpha",),
    "Normalization": ("mean", "variance", "count"),
    "SpectralNormalization": ("kernel", "vector_u"),
    **dict.fromkeys(("LSTMCell", "GRUCell", "SimpleRNNCell", "cell"), CELL),
}
NOT_TRAINED = frozenset(
    {"moving_mean", "moving_variance", "mean", "variance", "count", "vector_u", "kernel_scale", "g_idx",
     "embeddings_scale"}
)  # fmt: skip
QUANTIZABLE = ("Dense", "EinsumDense", "Embedding")
"""Layers that have more variables than those they are named by where they were quantized: scales."""
WHOLE = ("int", "uint")
"""How types begin of weights that were quantized, which Keras trains no more."""
COUNTERS = ("int32", "uint32", "int64", "uint64")
"""Types that no weight has."""
OUTSIDE = {"optimizer": Role.OPTIMIZER, "metrics": Role.CONSTANT, "_metrics": Role.CONSTANT}


@dataclass(slots=True)
class Weights:
    """Tensors by name, and the names that each layer owns by the layer's path."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    owned: dict[str, list[str]] = field(default_factory=dict)
    names: Numbered = field(default_factory=Numbered)


def assign(found: Listing, root: Layer) -> Weights:
    """Every array under the name of its layer."""
    weights = Weights()
    groups = _groups(found)
    homes: dict[str, tuple[str, Layer]] = {}
    for layer, path, group in _homes(found, groups, root, "", ""):
        homes[group] = (path, layer)
    for key, stored in found.datasets.items():
        _place(weights, found, homes, key, stored)
    return weights


def _groups(found: Listing) -> dict[str, list[str]]:
    """Keys beneath each `layers` group, in the order of the file."""
    groups: dict[str, dict[str, None]] = {}
    for key in [*found.names, *found.datasets]:
        parts = key.split("/")
        for at, part in enumerate(parts[:-1]):
            if part in ("layers", "_layer_checkpoint_dependencies"):
                groups.setdefault("/".join(parts[: at + 1]), {}).setdefault(parts[at + 1])
    return {key: list(inner) for key, inner in groups.items()}


def _homes(
    found: Listing, groups: dict[str, list[str]], container: Layer, path: str, group: str
) -> Iterator[tuple[Layer, str, str]]:
    """Layers with their path in the model and their group in the file."""
    candidates = [f"{group}/{key}".lstrip("/") for key in ("layers", "_layer_checkpoint_dependencies")]
    base = next((key for key in candidates if key in groups), "")
    keys = groups.get(base, [])
    named = {found.names.get(f"{base}/{key}/vars", ""): key for key in keys}
    counted = _counted(container)
    for layer in container.layers:
        key = named.get(layer.name) or (counted[id(layer)] if counted[id(layer)] in keys else "")
        if not key and layer.name in keys:
            key = layer.name
        inner = f"{path}/{layer.name}" if path else layer.name
        if not key:
            continue
        yield layer, inner, f"{base}/{key}"
        if layer.container:
            yield from _homes(found, groups, layer, inner, f"{base}/{key}")


def _counted(container: Layer) -> dict[int, str]:
    """The keys that Keras makes: class name in snake case, numbered from the second on."""
    seen: dict[str, int] = {}
    keys = {}
    for layer in container.layers:
        name = snake(layer.type.rpartition(">")[2])
        count = seen.get(name, 0)
        seen[name] = count + 1
        keys[id(layer)] = f"{name}_{count}" if count else name
    return keys


def snake(name: str) -> str:
    """Keras' own way from a class name to a key."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _place(weights: Weights, found: Listing, homes: dict[str, tuple[str, Layer]], key: str, stored: Stored) -> None:
    group = key
    while group and group not in homes:
        group = group.rpartition("/")[0]
    path, layer = homes.get(group, ("", None))
    rest = key[len(group) :].strip("/").split("/")
    top = key.split("/")[0]
    number = int(rest[-1]) if rest[-1].isdecimal() and len(rest[-1]) < 9 else -1
    subs = [part for part in rest[:-1] if part != "vars"]
    words = [_sub_name(found, group, subs, at) for at in range(len(subs))]
    short = _variable(layer, subs, number, rest[-1])
    base = [part for part in (path, *words, short) if part]
    name = "/".join(base)
    name = weights.names.free(name, weights.tensors)
    trainable = (layer is None or layer.trainable) and not stored.dtype.startswith(WHOLE)
    if top in OUTSIDE and not path:
        role, trained = OUTSIDE[top], None
    elif "seed_generator" in key:
        role, trained = Role.CONSTANT, False
    elif short in NOT_TRAINED or (short.startswith("var_") and layer and layer.type in QUANTIZABLE and not subs):
        role, trained = Role.BUFFER, False  # Keras counts all of them, single numbers too
    elif stored.dtype in COUNTERS:  # of a layer whose class nobody knows
        role, trained = Role.BUFFER, False
    else:
        role, trained = Role.WEIGHT, trainable
    place = Place(member=MEMBER, offset=stored.offset, size=stored.size, layout={"path": key})
    same = _again(weights, found, key, stored)
    weights.tensors[name] = Tensor(name, stored.dtype, stored.shape, place, role, trained, same_as=same)
    if path:
        weights.owned.setdefault(path, []).append(name)


def _again(weights: Weights, found: Listing, key: str, stored: Stored) -> str:
    """The weight of the layer inside, which a spectral normalisation of it stores a second time; empty for others.

    The file need not say the class: no other wrapper has the kernel of what it wraps, and a row as long as it is wide.
    """
    group, number = key.rpartition("/vars/")[::2]
    inner, row = found.datasets.get(f"{group}/layer/vars/0"), found.datasets.get(f"{group}/vars/1")
    if number != "0" or inner is None or row is None or len(stored.shape) < 2:
        return ""
    if (inner.shape, inner.dtype) != (stored.shape, stored.dtype) or row.shape != (1, stored.shape[-1]):
        return ""
    path = f"{group}/layer/vars/0"
    return next((name for name, tensor in weights.tensors.items() if tensor.place.layout["path"] == path), "")


def _sub_name(found: Listing, group: str, subs: list[str], at: int) -> str:
    """The name of a part of a layer, as the file has it."""
    key = "/".join([part for part in (group, *subs[: at + 1]) if part])
    return found.names.get(f"{key}/vars") or subs[at]


def _variable(layer: Layer | None, subs: list[str], number: int, key: str) -> str:
    """The name of a variable, from the class that owns it."""
    if number < 0:
        return key
    names: tuple[str, ...] = ()
    if layer is not None and not subs:
        names = _named(layer)
    elif subs and subs[-1].startswith("seed_generator"):
        names = ("seed_generator_state",)
    elif subs and re.search(r"cell(_\d+)?$", subs[-1]):
        names = CELL
    elif subs and subs[-1].endswith("_dense"):
        names = ("kernel", "bias")
    elif layer is not None and subs[-1:] == ["layer"]:
        wrapped = layer.config.get("layer")
        if isinstance(wrapped, dict) and isinstance(wrapped.get("config"), dict):
            names = _named(Layer("", str(wrapped.get("class_name")), wrapped["config"]))
    return names[number] if number < len(names) else f"var_{number}"


def _named(layer: Layer) -> tuple[str, ...]:
    if layer.type.endswith("Normalization") and layer.type not in VARIABLES:
        names = [] if layer.config.get("scale") is False else ["gamma" if layer.type != "RMSNormalization" else "scale"]
        names += [] if layer.config.get("center") is False or layer.type == "RMSNormalization" else ["beta"]
        return (*names, *(("moving_mean", "moving_variance") if layer.type == "BatchNormalization" else ()))
    known = VARIABLES.get(layer.type, ())
    return tuple(name for name in known if name != "bias") if layer.config.get("use_bias") is False else known
