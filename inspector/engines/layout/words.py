"""The words in a box: short names of operators, classes, shapes and dtypes, and how wide they are about.

No font is at hand where boxes get their sizes (that is a worker without Qt), so widths are estimated a little on the
wide side, and the painter cuts off what does not fit.
"""

from __future__ import annotations

import re
from functools import lru_cache

from inspector.ir.model import Shape, Value
from inspector.ir.text import inert

_NAMESPACE = re.compile(
    r"^(?:torch\.ops\.)?(?:aten|prims?|prepacked|quantized|quantized_decomposed|torchvision)(?:\.|::)"
)
_OVERLOAD = re.compile(r"\.(?:default|[A-Z]\w*|int|dim|self|using_ints|dim_IntList|correction)$")
_SHORT = {
    "float32": "f32", "float16": "f16", "bfloat16": "bf16", "float64": "f64", "int64": "i64", "int32": "i32",
    "int16": "i16", "int8": "i8", "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
}  # fmt: skip
_NARROW = frozenset("'/IJ\\ijl|,-.:; !()[]frt")
_WIDE = frozenset("GU#&+<=>DHNOQ^~w%@MmW—×")


@lru_cache(maxsize=16_384)
def op_words(op: str) -> str:
    """An operator without namespace and overload: `aten.add.Tensor` is `add`."""
    match = _NAMESPACE.match(op)
    if match:
        return _OVERLOAD.sub("", op[match.end() :]) or op
    return op.rpartition("::")[2] if "::" in op else op


@lru_cache(maxsize=16_384)
def path_words(name: str) -> str:
    """The last part of a dotted class name."""
    return name.rpartition(".")[2]


@lru_cache(maxsize=16_384)
def shape_words(shape: Shape | None) -> str:
    """`1×3×224×224`; a dimension nobody knows is `?`."""
    if shape is None:
        return ""
    return "×".join("?" if dim is None else inert(str(dim), 40) for dim in shape) or "scalar"


def value_words(value: Value | None) -> str:
    """Shape and dtype of a value, as far as they are known."""
    if value is None:
        return ""
    return " ".join(filter(None, (shape_words(value.shape), _SHORT.get(value.dtype, value.dtype))))


@lru_cache(maxsize=65_536)
def width(text: str, size: float = 13.0) -> float:
    """About how wide a text is in a sans serif of this pixel size; the larger size is set in bold."""
    units = sum(0.42 if c in _NARROW else 0.88 if c in _WIDE else 1.0 if ord(c) > 0x2E80 else 0.7 for c in text)
    return units * size * (1.0 if size > 12 else 0.92)


def shortened(text: str, limit: int = 26) -> str:
    """A long name with its middle left out: the ends say more."""
    if len(text) <= limit:
        return text
    tail = limit * 3 // 5
    return f"{text[: limit - tail - 1]}…{text[-tail:]}"
