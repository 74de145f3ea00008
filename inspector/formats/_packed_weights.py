"""How many weights are in tensors that hold several in each element, where names and shapes beside them say so.

- GPTQ and AWQ: `qweight` of 32 bits; `qzeros` is packed alike and has as many zero points as `scales` has columns,
  which gives the bits of one. Without zero points the `g_idx` of GPTQ has one entry for each row of weights.
- compressed-tensors: `weight_packed`, of which `weight_shape` holds the true shape; of bytes, two to each.
- bitsandbytes: bytes of two weights of 4 bits, and a `quant_state` beside them that says the shape.
- NVFP4 and MXFP4: bytes of two weights, and a scale for each 16 or 32 of them; of experts (`…_blocks`, `…_scales`) too.
- ExLlamaV2: `q_weight`, with bits that vary; `q_invperm` has one entry for each row.

Sources: gptqmodel `nn_modules/qlinear`, autoawq `modules/linear/gemm.py`, compressed-tensors
`compressors/quantized_compressors`, bitsandbytes `functional.QuantState.as_dict`, transformers `integrations/mxfp4.py`,
exllamav2 `ext.make_q_matrix`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod

from inspector.ir import Note, Role, Tensor
from inspector.ir.model import BITS
from inspector.ir.text import inert

Peek = Callable[[Tensor], bytes]
"""The bytes of a small tensor; empty where they are not read."""

CODES = ".quant_state.bitsandbytes__"
"""How names go on of what bitsandbytes says of a weight of 4 bits."""
MODES = ("nf4", "fp4")
PACKED = frozenset({2, 3, 4, 5, 6, 8})
"""Bits of one weight that GPTQ and AWQ know."""
PER_SCALE = {"float8_e4m3fn": 16, "uint8": 32, "float8_e8m0fnu": 32}
"""Weights of 4 bits that share a scale, by the scale's type (OCP Microscaling Formats 1.0, NVFP4)."""
UNKNOWN = -1


def counted(tensors: Mapping[str, Tensor], peek: Peek = lambda tensor: b"") -> tuple[dict[str, Tensor], list[Note]]:
    """The tensors with what they hold, and what there is to say of it."""
    beside = _Beside(tensors, peek)
    found, known, unknown = dict(tensors), [], []
    for name, tensor in tensors.items():
        number = beside.held(tensor) if tensor.role in (Role.WEIGHT, Role.CONSTANT) else 0
        if number == UNKNOWN:
            unknown.append(name)
        elif number:
            found[name] = replace(tensor, holds=number, role=Role.WEIGHT)
            known.append(name)
    return found, [*_known(found, known), *_unknown(unknown)]


def _known(tensors: Mapping[str, Tensor], names: list[str]) -> list[Note]:
    if not names:
        return []
    weights, elements = (
        sum(sizes) for sizes in zip(*((tensors[n].holds, tensors[n].count) for n in names), strict=True)
    )
    text = (
        f"{len(names):,} tensors hold several weights in each element, such as {inert(names[0], 100)!r}: "
        f"{weights:,} weights in {elements:,} elements."
    )
    return [Note("info", text, "The weights count as parameters, as what stands beside them says how they are packed.")]


def _unknown(names: list[str]) -> list[Note]:
    if not names:
        return []
    text = f"{len(names):,} tensors hold several weights in each element, such as {inert(names[0], 100)!r}."
    return [Note("info", text, "How many is not said; the model has more parameters than are counted here: elements.")]


@dataclass(frozen=True, slots=True)
class _Beside:
    """Tensors that say by their names and shapes how another is packed."""

    tensors: Mapping[str, Tensor]
    peek: Peek

    def held(self, tensor: Tensor) -> int:
        """Weights in a tensor; 0 where it is not packed, UNKNOWN where nothing says how many."""
        path, _, last = tensor.name.rpartition(".")
        if not tensor.dtype.startswith(("int", "uint")):
            return 0
        if last == "qweight":
            return self._grouped(tensor, path)
        if last == "weight_packed":
            return 2 * tensor.count if tensor.dtype == "uint8" else self._shaped(tensor, path)
        if last == "weight" and tensor.dtype == "uint8":
            return self._coded(tensor) or self._scaled(tensor, f"{path}.weight_scale")
        if last.endswith("_blocks"):
            return self._scaled(tensor, f"{tensor.name.removesuffix('_blocks')}_scales")
        if last == "q_weight" and (rows := self.shape(f"{path}.q_invperm") or self.shape(f"{path}.q_perm")):
            number = rows[0] * tensor.shape[-1] if tensor.shape else 0
            return number if 4 * tensor.count <= number <= 16 * tensor.count else UNKNOWN  # of 2 to 8 bits each
        return UNKNOWN if last == "W_q" else 0

    def shape(self, name: str) -> tuple[int, ...]:
        """Of a tensor beside; empty where there is none."""
        found = self.tensors.get(name)
        return found.shape if found else ()

    def _grouped(self, tensor: Tensor, path: str) -> int:
        """GPTQ and AWQ."""
        zeros, scales, rows = (self.shape(f"{path}.{name}") for name in ("qzeros", "scales", "g_idx"))
        width, bits = BITS.get(tensor.dtype, 32), 0.0
        if len(zeros) == len(scales) == 2 and scales[1]:
            bits = width * zeros[1] / scales[1]
        elif rows and rows[0] and tensor.shape:
            bits = width * tensor.shape[0] / rows[0]
        return tensor.count * width // int(bits) if bits in PACKED else UNKNOWN

    def _shaped(self, tensor: Tensor, path: str) -> int:
        """compressed-tensors, whose shape is a tensor of two numbers."""
        beside = self.tensors.get(f"{path}.weight_shape")
        if beside is None or beside.count > 8 or beside.dtype not in ("int32", "int64"):
            return UNKNOWN
        data, size = self.peek(beside), BITS[beside.dtype] // 8
        sizes = [int.from_bytes(data[at : at + size], "little", signed=True) for at in range(0, len(data), size)]
        number = prod(sizes) if len(sizes) == beside.count and all(each > 0 for each in sizes) else 0
        return number if tensor.count <= number <= tensor.count * BITS[tensor.dtype] else UNKNOWN

    def _coded(self, tensor: Tensor) -> int:
        """bitsandbytes, which says the shape in words; an odd one leaves half a byte."""
        found = next(
            (self.tensors[name] for mode in MODES if (name := f"{tensor.name}{CODES}{mode}") in self.tensors), None
        )
        if found is None:
            return 0
        try:
            number = prod(json.loads(self.peek(found))["shape"])
        except (ValueError, TypeError, KeyError, RecursionError):
            number = 0
        return number if number in (2 * tensor.count, 2 * tensor.count - 1) else 2 * tensor.count

    def _scaled(self, tensor: Tensor, name: str) -> int:
        """Bytes of two weights each, of which so many share a scale."""
        scale = self.tensors.get(name)
        per = PER_SCALE.get(scale.dtype, 0) if scale else 0
        if scale is None or not per or tensor.dtype != "uint8" or len(tensor.shape) < 2:
            return 0
        blocks = tensor.shape == (*scale.shape, per // 2)
        rows = tensor.shape == (*scale.shape[:-1], scale.shape[-1] * per // 2) if scale.shape else False
        return 2 * tensor.count if blocks or rows else 0
