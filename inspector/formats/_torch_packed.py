"""Parameters that torch packed for its kernels: objects of C++ whose state, as it is saved, is weights and numbers.

`torch.classes.quantized.*PackedParamsBase` and `torch.classes.rnn.CellParamsBase` hold quantized weights,
`torch.classes.xnnpack.*OpContext` those of models optimized for mobile devices. The layouts are those of the
`__getstate__` that torch registers for each (aten/src/ATen/native/quantized/cpu, native/quantized/library.cpp,
native/RNN.cpp, native/xnnpack). TorchScript names the class as the function that is called, an eager checkpoint beside
the state of a `torch.ScriptObject`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from inspector.formats._pickle import Call
from inspector.formats._torchzip import Strided, strided

CLASSES = "__torch__.torch.classes."
OBJECT = "torch.ScriptObject"
LISTS = ("torch.jit._pickle.build_", "torch.jit._pickle.restore_type_tag")
DEPTH = 4

HIDDEN = frozenset({"_packed_params", "_packed_weight", "_all_weight_values", "param"})
"""Steps of a path between a layer and what it packed."""
HOLDERS = frozenset({"_packed_params", "_all_weight_values"})
"""Those of them that are modules, which do nothing but hold."""
SUFFIXED = "_packed_weight_"
"""How attributes begin of which a layer has several: `_packed_weight_ih`, `_packed_weight_hh`."""

CONV = (
    *("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "transposed", "output_padding"),
    *("groups", "padding_mode", "weight", "bias", "scale", "zero_point", "training"),
)
"""What an eager quantized convolution saves of itself (torch/ao/nn/quantized/modules/conv.py), in its order."""
QUANTIZED = re.compile(r"torch\.(ao\.)?nn\.(intrinsic\.)?(quantized|_quantized)\.([a-z_]+\.)*[A-Z]\w*")
CONFIG = 64
"""No convolution has more numbers than this."""


@dataclass(frozen=True, slots=True)
class Packed:
    """What one such object holds.

    Attributes:
        kind: Name of its class.
        parts: Objects of the pickle by the names that layers have for them: `weight`, `bias`, `weight_ih`.
        settings: Strides and the like, where they are plain numbers.
        config: A tensor of integers that holds them else (`config_of`).
    """

    kind: str
    parts: dict[str, Any]
    settings: dict[str, Any] = field(default_factory=dict)
    config: Strided | None = None


def packed_of(item: Any, depth: int = 0) -> Packed | None:
    """What an object of a pickle packs; None where it is nothing of the kind."""
    if not isinstance(item, Call) or depth > DEPTH:
        return None
    kind, state = item.path, item.state
    if kind == OBJECT and isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], str):
        state, kind = state
    if not kind.startswith(CLASSES) or not isinstance(state, tuple):
        return None
    kind = kind.rpartition(".")[2]
    reader = next((reader for word, reader in _READERS.items() if word in kind), None)
    found = reader(kind, state, depth) if reader else None
    if found is None or not any(strided(part) for part in found.parts.values()):
        return None
    return found


def _linear(kind: str, state: tuple[Any, ...], _depth: int) -> Packed:
    return Packed(kind, _tensors(zip(("weight", "bias"), state, strict=False)))


def _conv(kind: str, state: tuple[Any, ...], _depth: int) -> Packed | None:
    """Version 1: weight, bias and more; 2: a text, (numbers, weight), (bias); 3: numbers, (nothing, weight, bias)."""
    if len(state) != 3:
        return _linear(kind, state, _depth)
    first, second = _items(state[1]), _items(state[2])
    if isinstance(state[0], str) and len(first) > 1:
        parts = _tensors([("weight", first[1]), *(("bias", each) for each in second[:1])])
        return Packed(kind, parts, config=strided(first[0]))
    numbers = [each for each in first[:CONFIG] if isinstance(each, int)]
    return Packed(kind, _tensors(zip(("", "weight", "bias"), second, strict=False)), settings_of(numbers))


def settings_of(numbers: list[int]) -> dict[str, Any]:
    """Strides and the like from how a packed convolution keeps them: rank, then each for every axis, groups, flags."""
    rank = numbers[0] if numbers else 0
    if not 0 < rank < 4 or len(numbers) < 4 * rank + 2:
        return {}
    names = ("stride", "padding", "dilation", "output_padding")
    found: dict[str, Any] = {name: tuple(numbers[1 + at * rank : 1 + (at + 1) * rank]) for at, name in enumerate(names)}
    found["groups"] = numbers[1 + 4 * rank]
    return found


def _embedding(kind: str, state: tuple[Any, ...], _depth: int) -> Packed:
    return Packed(kind, _tensors(zip(("weight",), _items(state[1]) if len(state) > 1 else (), strict=False)))


def _cell(kind: str, state: tuple[Any, ...], depth: int) -> Packed | None:
    """A step of a recurrence: what kind it is, tensors, two lists of numbers, and packed matrices."""
    if len(state) < 5:
        return None
    tensors, inner = _items(state[1]), [packed_of(each, depth + 1) for each in _items(state[4])[:2]]
    matrices = [each for each in inner if each is not None]
    if len(matrices) == 2:
        biases = tensors[:2] or [each.parts.get("bias") for each in matrices]
        tensors = [*(each.parts.get("weight") for each in matrices), *biases]
    return Packed(kind, _tensors(zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), tensors, strict=False)))


def _context(kind: str, state: tuple[Any, ...], _depth: int) -> Packed:
    names: tuple[str, ...] = ("weight", "bias")
    if "Conv" in kind:
        extra = ("output_padding",) if kind.startswith("Transpose") else ()
        names = (*names, "stride", "padding", *extra, "dilation", "groups")
    held = dict(zip(names, state, strict=False))
    settings = {name: _plain(value) for name, value in held.items() if name not in ("weight", "bias")}
    return Packed(kind, _tensors(held.items()), {name: value for name, value in settings.items() if value is not None})


def _plain(value: Any) -> Any:
    """A number, or a tuple of numbers; None of anything else."""
    if isinstance(value, int):
        return value
    items = _items(value)[:CONFIG]
    return tuple(items) if items and all(isinstance(each, int) for each in items) else None


def _tensors(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: item for name, item in pairs if name and strided(item) is not None}


def _items(value: Any) -> list[Any]:
    """Items of a list, which TorchScript wraps in a call that says of what type they are."""
    if isinstance(value, Call) and value.path.startswith(LISTS) and value.args:
        value = value.args[0]
    return list(value) if isinstance(value, list | tuple) else []


_READERS: dict[str, Callable[[str, tuple[Any, ...], int], Packed | None]] = {
    "OpContext": _context,
    "Linear": _linear,
    "Conv": _conv,
    "Embedding": _embedding,
    "CellParams": _cell,
}
"""By a word of the class's name, the first that fits."""


def module_of(item: Any) -> tuple[str, dict[str, Any]] | None:
    """Class and state of an eager quantized layer that saves itself as a tuple; None of anything else."""
    if not isinstance(item, Call) or not isinstance(item.state, tuple) or not QUANTIZED.fullmatch(item.path):
        return None
    if len(item.state) in (len(CONV) - 1, len(CONV)) and strided(item.state[10]) is not None:
        return item.path, dict(zip(CONV, item.state, strict=False))
    found = [each for each in item.state if strided(each) is not None]
    return (item.path, dict(zip(("weight", "bias"), found, strict=False))) if found else None


def name_of(path: str, part: str) -> str:
    """What a part is called beneath its layer: `head._packed_params._packed_params` has `head.weight`."""
    steps = [step for step in path.split(".") if step not in HIDDEN]
    if steps and steps[-1].startswith(SUFFIXED):
        part += steps.pop()[len(SUFFIXED) - 1 :]
    return ".".join([*steps, part])


def is_holder(path: str) -> bool:
    """Whether a module only holds what the layer around it packed."""
    return not HOLDERS.isdisjoint(path.split("."))


def is_setting(name: str, dtypes: Mapping[str, str]) -> bool:
    """Whether a tensor says how integers stand for real numbers: a scale beside a zero point in integers."""
    owner, dot, last = name.rpartition(".")
    twin = f"{owner}{dot}{last.replace('scale', 'zero_point')}"
    return twin != name and dtypes.get(twin, "").startswith(("int", "uint"))


def is_idle(name: str, attributes: Collection[str]) -> bool:
    """Whether a layer does not compute with a tensor: quantized cells keep a random `bias_ih` beside the packed one."""
    return name.startswith("bias_") and f"{SUFFIXED}{name.removeprefix('bias_')}" in attributes


def is_made(name: str, parameters: Collection[str]) -> bool:
    """Whether a tensor was worked out of parameters beside it, as by `weight_norm`, `spectral_norm` and `prune`."""
    return f"{name}_orig" in parameters or (f"{name}_g" in parameters and f"{name}_v" in parameters)
