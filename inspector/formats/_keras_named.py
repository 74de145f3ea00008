"""Weights of Keras that the file knows by name: H5 files and TensorFlow.js; and configurations of Keras 1 and 2.

A weight is called `layer/kernel:0`; a nested model, a wrapper or a cell stands in between. The layer is found from the
top, so that names are the same as in a `.keras` file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from inspector.formats._keras_config import Layer
from inspector.formats._keras_weights import NOT_TRAINED, WHOLE, Weights
from inspector.formats._tensors import state_role
from inspector.ir import Place, Role, Tensor

CLASSES = {
    "Convolution1D": "Conv1D", "Convolution2D": "Conv2D", "Convolution3D": "Conv3D",
    "Deconvolution2D": "Conv2DTranspose",
    "AtrousConvolution2D": "Conv2D", "SeparableConvolution2D": "SeparableConv2D", "Model": "Functional",
}  # fmt: skip
"""Names of Keras 1 and 2, in those of Keras 3."""

KEYS = {
    "output_dim": "units", "nb_filter": "filters", "filter_length": "kernel_size", "subsample": "strides",
    "subsample_length": "strides", "border_mode": "padding", "bias": "use_bias", "p": "rate",
    "pool_length": "pool_size",
    "dim_ordering": "data_format",
}  # fmt: skip
"""Settings of Keras 1, in the words of Keras 2 and later."""

ORDERS = {"tf": "channels_last", "th": "channels_first"}
ADAPTED = ("kernel", "embeddings")
"""What a layer does not train while it trains what is added to it at low rank."""
DEPTH = 60


@dataclass(frozen=True, slots=True)
class Named:
    """A stored weight: the group that it lies in (empty where there are none), its name, and where it is."""

    group: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    place: Place


def modern(item: Any, depth: int = 0) -> Any:
    """A configuration of Keras 1 or 2 in the form of later ones."""
    if depth > DEPTH or not isinstance(item, dict):
        return item
    config = item.get("config")
    if isinstance(config, list):  # a Sequential before Keras 2.2.3
        config = {"name": item.get("name", "sequential"), "layers": config}
    if not isinstance(config, dict):
        return item
    kind = item.get("class_name")
    if isinstance(config.get("layers"), list):
        config = {**config, "layers": [modern(part, depth + 1) for part in config["layers"]]}
    elif "output_dim" in config or "nb_filter" in config or "border_mode" in config or "p" in config:
        config = _settings(str(kind), config)
    return {**item, "class_name": CLASSES.get(kind, kind) if isinstance(kind, str) else kind, "config": config}


def _settings(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """A layer's settings in the words of today."""
    keep = {"output_dim"} if kind.endswith("Embedding") else set()
    made = {KEYS.get(key, key) if key not in keep else key: value for key, value in config.items()}
    if "nb_row" in config and "nb_col" in config:
        made["kernel_size"] = [config["nb_row"], config["nb_col"]]
    if isinstance(made.get("data_format"), str):
        made["data_format"] = ORDERS.get(made["data_format"], made["data_format"])
    return made


def assign(found: list[Named], root: Layer | None) -> Weights:
    """Every weight under the path of its layer."""
    weights = Weights()
    by_name: dict[str, tuple[str, Layer]] = {}
    if root is not None:
        _index(root, "", by_name, 0)
    for item in found:
        _place(weights, item, root, by_name)
    return weights


def _index(container: Layer, path: str, found: dict[str, tuple[str, Layer]], depth: int) -> None:
    """Layers by name alone, the outermost first."""
    for layer in container.layers:
        found.setdefault(layer.name, (f"{path}/{layer.name}" if path else layer.name, layer))
    for layer in container.layers if depth < DEPTH else ():
        _index(layer, f"{path}/{layer.name}" if path else layer.name, found, depth + 1)


def _place(weights: Weights, item: Named, root: Layer | None, by_name: dict[str, tuple[str, Layer]]) -> None:
    words = [word for word in item.name.split("/") if word]
    words = words or [item.name or "weight"]
    words[-1] = words[-1].removesuffix(":0")
    if root is not None and len(words) > 1 and words[0] == root.name and words[0] not in by_name:
        words = words[1:]
    if item.group and words[0] != item.group:
        # TensorFlow 1 made names unique by a number: `norm/norm_1/beta` is `norm/beta`.
        again = len(words) == 2 and re.fullmatch(re.escape(item.group) + r"(_\d+)+", words[0])
        words = [item.group, *(words[1:] if again else words)]
    path, layer, rest = _home(words, root, by_name)
    name = "/".join(filter(None, (path, *rest)))
    name = weights.names.free(name, weights.tensors)
    role, trained = _role(layer, name, rest, item)
    weights.tensors[name] = Tensor(name, item.dtype, item.shape, item.place, role, trained)
    if layer is not None:
        weights.owned.setdefault(path, []).append(name)


def _home(
    words: list[str], root: Layer | None, by_name: dict[str, tuple[str, Layer]]
) -> tuple[str, Layer | None, list[str]]:
    """The layer that a weight belongs to, with its path and what is left of the name."""
    if root is None:
        return "", None, words
    path, layer, at, container = "", None, 0, root
    while at < len(words) - 1:
        inner = next((part for part in container.layers if part.name == words[at]), None)
        if inner is None:
            break
        path, layer, at, container = (f"{path}/{inner.name}" if path else inner.name), inner, at + 1, inner
    if layer is None or (layer.layers and at < len(words) - 1):
        known = by_name.get(words[at])
        if known is not None and at < len(words) - 1 and (not path or known[0].startswith(f"{path}/")):
            return known[0], known[1], words[at + 1 :]
    return path, layer, words[at:]


def _role(layer: Layer | None, name: str, rest: list[str], item: Named) -> tuple[Role, bool | None]:
    last = rest[-1] if rest else ""
    if name.startswith(("optimizer_weights/", "training/", "optimizer/")):
        return Role.OPTIMIZER, None
    if "seed_generator" in name:
        return Role.CONSTANT, False
    if last in NOT_TRAINED or last.endswith(("_running_mean", "_running_std")):
        return state_role(item.dtype, item.shape), False
    if item.dtype.startswith(WHOLE) or (layer is not None and layer.config.get("lora_rank") and last in ADAPTED):
        return Role.WEIGHT, False
    return Role.WEIGHT, layer.trainable if layer is not None else None
