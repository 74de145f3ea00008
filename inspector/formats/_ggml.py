"""ggml's tensor types: how many bytes a block has, and what values its bytes stand for.

A block is a run of weights that share a scale. Layouts are those of ggml's `ggml-common.h` and `ggml-quants.c`; the
types whose values are looked up in large tables (IQ1, IQ2, IQ3) are sized here and not unpacked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import prod

import numpy as np

from inspector.errors import FormatError
from inspector.formats._tensors import Array, decode

CHUNK = 1 << 15
"""Blocks that are unpacked at a time; bounds the memory for what lies between bytes and values."""

Unpack = Callable[[Array], Array]
"""Blocks as bytes (n, size) to values (n, block) float32."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of tensors: ggml's own name of it, weights in a block, bytes of a block."""

    name: str
    block: int
    size: int
    unpack: Unpack | None = None

    def nbytes(self, shape: tuple[int, ...]) -> int | None:
        """Bytes of a tensor; None where its rows do not consist of whole blocks."""
        if self.block > 1 and (not shape or shape[-1] % self.block):
            return None
        return prod(shape) // self.block * self.size


def unpacked(data: bytes, kind: Kind, shape: tuple[int, ...]) -> Array:
    """Values of a tensor as float32.

    Raises:
        FormatError: The bytes are too few, or the type is one that is not unpacked.
    """
    if kind.unpack is None:
        raise FormatError(
            f"Values of type {kind.name} cannot be shown.", hint="Its values stand in tables that only llama.cpp has."
        )
    if len(data) != kind.nbytes(shape):
        raise FormatError("A tensor has fewer bytes than its shape needs.", hint="The file is damaged or incomplete.")
    blocks = np.frombuffer(data, np.uint8).reshape(-1, kind.size)
    values = np.empty((len(blocks), kind.block), np.float32)
    with np.errstate(all="ignore"):  # scales of a damaged file may be infinite
        for at in range(0, len(blocks), CHUNK):
            values[at : at + CHUNK] = kind.unpack(blocks[at : at + CHUNK])
    return values.reshape(shape)


def swapped(data: bytes, kind: Kind) -> bytes:
    """The bytes of a file of the other byte order, its 16-bit scales turned round.

    Raises:
        FormatError: The type is one whose blocks we cannot turn round.
    """
    fields = _WIDE.get(kind.name)
    if fields is None:
        raise FormatError(f"Values of type {kind.name} in big-endian order cannot be shown.")
    blocks = np.frombuffer(data, np.uint8).reshape(-1, kind.size).copy()
    for start, end, width in fields:
        part = blocks[:, start:end]
        blocks[:, start:end] = part.reshape(len(blocks), -1, width)[:, :, ::-1].reshape(len(blocks), -1)
    return blocks.tobytes()


_WIDE = {
    **dict.fromkeys(("q4_0", "q5_0", "q8_0", "iq4_nl"), ((0, 2, 2),)),
    **dict.fromkeys(("q4_1", "q5_1"), ((0, 4, 2),)),
    "q2_K": ((80, 84, 2),), "q3_K": ((108, 110, 2),), "q4_K": ((0, 4, 2),), "q5_K": ((0, 4, 2),),
    "q6_K": ((208, 210, 2),), "q8_K": ((0, 4, 4), (260, 292, 2)), "tq1_0": ((52, 54, 2),), "tq2_0": ((64, 66, 2),),
    "mxfp4": (),
}  # fmt: skip
"""Fields of a block that are wider than a byte: from, to, width."""


def _half(blocks: Array, at: int) -> Array:
    """A scale in half precision, as a column of float32."""
    return np.ascontiguousarray(blocks[:, at : at + 2]).view("<f2").astype(np.float32)


def _spread(part: Array, width: int, bits: int) -> Array:
    """Numbers of so many bits: each run of `width` bytes gives first its lowest bits, then the next ones."""
    shifts = np.arange(0, 8, bits, dtype=np.uint8).reshape(1, 1, -1, 1)
    runs = part.reshape(len(part), -1, 1, width) >> shifts
    return (runs & np.uint8((1 << bits) - 1)).reshape(len(part), -1)


def _signed(numbers: Array, below: int) -> Array:
    """Whole numbers as float32, with zero moved."""
    return numbers.astype(np.float32) - np.float32(below)


def _scaled(scales: Array, numbers: Array, shifts: Array | None = None) -> Array:
    """Numbers times the scale of their part of the block, less its offset."""
    parts = numbers.astype(np.float32).reshape(*scales.shape, -1) * scales[..., None]
    return (parts if shifts is None else parts - shifts[..., None]).reshape(len(numbers), -1)


def _fifth(part: Array) -> Array:
    """The fifth bits of 32 numbers, in place."""
    return np.unpackbits(np.ascontiguousarray(part), axis=1, bitorder="little") << np.uint8(4)


def _q4_0(b: Array) -> Array:
    return _half(b, 0) * _signed(_spread(b[:, 2:], 16, 4), 8)


def _q4_1(b: Array) -> Array:
    return _half(b, 0) * _spread(b[:, 4:], 16, 4) + _half(b, 2)


def _q5_0(b: Array) -> Array:
    return _half(b, 0) * _signed(_spread(b[:, 6:], 16, 4) | _fifth(b[:, 2:6]), 16)


def _q5_1(b: Array) -> Array:
    return _half(b, 0) * (_spread(b[:, 8:], 16, 4) | _fifth(b[:, 4:8])) + _half(b, 2)


def _q8_0(b: Array) -> Array:
    return _half(b, 0) * b[:, 2:].view(np.int8)


def _q8_1(b: Array) -> Array:
    return _half(b, 0) * b[:, 4:].view(np.int8)


def _q2_k(b: Array) -> Array:
    scales = b[:, :16]
    return _scaled(_half(b, 80) * (scales & 15), _spread(b[:, 16:80], 32, 2), _half(b, 82) * (scales >> 4))


def _q3_k(b: Array) -> Array:
    high = _spread(b[:, :32], 32, 1) ^ np.uint8(1)  # a bit that is not set takes four away
    scales = _spread(b[:, 96:104], 8, 4) | _spread(b[:, 104:108], 4, 2) << np.uint8(4)
    numbers = _signed(_spread(b[:, 32:96], 32, 2), 0) - _signed(high << np.uint8(2), 0)
    return _scaled(_half(b, 108) * _signed(scales, 32), numbers)


def _six_bits(part: Array) -> tuple[Array, Array]:
    """Eight scales and eight offsets of six bits each, in twelve bytes."""
    low, mid, both = part[:, 0:4], part[:, 4:8], part[:, 8:12]
    scales = np.concatenate([low & 63, (both & 15) | ((low >> 2) & 48)], axis=1)
    return scales, np.concatenate([mid & 63, (both >> 4) | ((mid >> 2) & 48)], axis=1)


def _q4_k(b: Array) -> Array:
    scales, offsets = _six_bits(b[:, 4:16])
    return _scaled(_half(b, 0) * scales, _spread(b[:, 16:144], 32, 4), _half(b, 2) * offsets)


def _q5_k(b: Array) -> Array:
    scales, offsets = _six_bits(b[:, 4:16])
    numbers = _spread(b[:, 48:176], 32, 4) | _spread(b[:, 16:48], 32, 1) << np.uint8(4)
    return _scaled(_half(b, 0) * scales, numbers, _half(b, 2) * offsets)


def _q6_k(b: Array) -> Array:
    numbers = _spread(b[:, :128], 64, 4) | _spread(b[:, 128:192], 32, 2) << np.uint8(4)
    return _scaled(_half(b, 208) * b[:, 192:208].view(np.int8), _signed(numbers, 32))


def _q8_k(b: Array) -> Array:
    return np.ascontiguousarray(b[:, :4]).view("<f4") * b[:, 4:260].view(np.int8)


IQ4 = np.array([-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], np.float32)
FP4 = np.array([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12], np.float32)
"""Twice the values of a float of four bits."""


def _iq4_nl(b: Array) -> Array:
    values: Array = _half(b, 0) * IQ4[_spread(b[:, 2:], 16, 4)]
    return values


def _iq4_xs(b: Array) -> Array:
    low = np.stack([b[:, 4:8] & 15, b[:, 4:8] >> 4], axis=2).reshape(len(b), 8)
    word = np.ascontiguousarray(b[:, 2:4]).view("<u2")
    high = (word >> np.arange(0, 16, 2, dtype=np.uint16)).astype(np.uint8) & 3
    return _scaled(_half(b, 0) * _signed(low | high << np.uint8(4), 32), IQ4[_spread(b[:, 8:], 16, 4)])


def _mxfp4(b: Array) -> Array:
    values: Array = np.ldexp(np.float32(1), b[:, :1].astype(np.int32) - 128) * FP4[_spread(b[:, 1:], 16, 4)]
    return values


def _nvfp4(b: Array) -> Array:
    power, part = (b[:, :4] >> 3).astype(np.int32) & 15, (b[:, :4] & 7).astype(np.float32)
    scales = np.where(power == 0, np.ldexp(part, -9), np.ldexp(1 + part / 8, power - 7)) / 2
    scales = np.where((b[:, :4] == 0) | (b[:, :4] == 127), 0, scales).astype(np.float32)
    return _scaled(scales, FP4[_spread(b[:, 4:], 8, 4)])


def _trits(part: Array, count: int) -> Array:
    """Numbers of base three: the leading digit of a fraction of 256, then that of three times it."""
    turned = part[:, None, :] * np.array([1, 3, 9, 27, 81], np.uint8)[:count].reshape(1, -1, 1)
    return (turned.astype(np.uint16) * 3 >> 8).reshape(len(part), -1)


def _tq1_0(b: Array) -> Array:
    numbers = np.concatenate([_trits(b[:, :32], 5), _trits(b[:, 32:48], 5), _trits(b[:, 48:52], 4)], axis=1)
    return _half(b, 52) * _signed(numbers, 1)


def _tq2_0(b: Array) -> Array:
    return _half(b, 64) * _signed(_spread(b[:, :64], 32, 2), 1)


PLAIN = {
    0: "float32", 1: "float16", 24: "int8", 25: "int16", 26: "int32", 27: "int64", 28: "float64", 30: "bfloat16",
}  # fmt: skip
"""Types whose elements stand for themselves, by ggml's number."""

KINDS = {
    2: Kind("q4_0", 32, 18, _q4_0), 3: Kind("q4_1", 32, 20, _q4_1), 6: Kind("q5_0", 32, 22, _q5_0),
    7: Kind("q5_1", 32, 24, _q5_1), 8: Kind("q8_0", 32, 34, _q8_0), 9: Kind("q8_1", 32, 36, _q8_1),
    10: Kind("q2_K", 256, 84, _q2_k), 11: Kind("q3_K", 256, 110, _q3_k), 12: Kind("q4_K", 256, 144, _q4_k),
    13: Kind("q5_K", 256, 176, _q5_k), 14: Kind("q6_K", 256, 210, _q6_k), 15: Kind("q8_K", 256, 292, _q8_k),
    16: Kind("iq2_xxs", 256, 66), 17: Kind("iq2_xs", 256, 74), 18: Kind("iq3_xxs", 256, 98),
    19: Kind("iq1_s", 256, 50), 20: Kind("iq4_nl", 32, 18, _iq4_nl), 21: Kind("iq3_s", 256, 110),
    22: Kind("iq2_s", 256, 82), 23: Kind("iq4_xs", 256, 136, _iq4_xs), 29: Kind("iq1_m", 256, 56),
    34: Kind("tq1_0", 256, 54, _tq1_0), 35: Kind("tq2_0", 256, 66, _tq2_0), 39: Kind("mxfp4", 32, 17, _mxfp4),
    40: Kind("nvfp4", 64, 36, _nvfp4),
}  # fmt: skip
"""Types in blocks, by ggml's number."""


def run_of(kind: Kind, start: int, count: int) -> tuple[int, int, int]:
    """Bytes that hold some values of a tensor: from where, how many, and values before the first one wanted."""
    first, last = start // kind.block, -(-(start + count) // kind.block)
    return first * kind.size, (last - first) * kind.size, start - first * kind.block


@cache
def by_name() -> dict[str, Kind]:
    """Types in blocks by name."""
    return {kind.name: kind for kind in KINDS.values()}


def values(data: bytes, dtype: str, shape: tuple[int, ...], *, big: bool) -> Array:
    """Values of a tensor of any type, those in blocks as float32.

    Raises:
        FormatError: The bytes are too few, or the type is one that is not unpacked.
    """
    kind = by_name().get(dtype)
    if big and dtype == "bfloat16":  # numpy cannot turn round what it does not know
        data = np.frombuffer(data, ">u2").astype("<u2").tobytes()
    if kind is None:
        return decode(data, dtype, shape, big=big)
    return unpacked(swapped(data, kind) if big else data, kind, shape)
