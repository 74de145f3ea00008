"""One name and one category for each operator, whatever the format calls it.

`Gemm`, `aten.linear.default`, `aten::linear`, `Dense`, `FULLY_CONNECTED` and `torch.nn.modules.linear.Linear` do the
same thing. `canonical` gives them one name, `category` the key of their colour. Pure tables: a name is reduced to its
lower-case letters and digits without namespace, overload, version and dimensionality, and looked up. What is in no
table keeps its reduced name and is of category `other`.

A canonical name says what is computed, not how its attributes are spelled: `Gemm` and `aten.linear` are both `linear`,
and whoever needs their attributes knows both spellings. Reductions (`ReduceMean`) count as pooling.
"""

from __future__ import annotations

import re
from functools import lru_cache

from inspector.ir.operator_names import NAMES

CATEGORIES = (
    "linear",
    "convolution",
    "normalisation",
    "activation",
    "pooling",
    "attention",
    "recurrent",
    "elementwise",
    "shape",
    "constant",
    "control",
    "embedding",
    "other",
)
"""Keys of colours, in the order of a legend."""

_NAMESPACES = frozenset(
    {"aten", "prims", "prim", "prepacked", "quantized", "quantized_decomposed", "torchvision", "torchao", "onnx", "tf"}
)
_OPERATORS = re.compile(r"^(?:torch\.ops\.)?(\w+)(?:\.|::)(\w+)")
_REDUCED_ELSEWHERE = {name: f"reduce_{name}" for name in ("sum", "mean", "max", "min", "prod")}
_SLICE_IN_TORCH = frozenset({"select", "selectint"})
_JOINED_IN_ONNX = {"sum": "add", "mean": "average", "max": "maximum", "min": "minimum"}
_ONNX_DOMAINS = frozenset({"", "ai.onnx"})


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()


def _spellings() -> dict[str, str]:
    known: dict[str, str] = {}
    for names in NAMES.values():
        for name, others in names.items():
            for spelling in (_letters(name), *others.split()):
                if known.setdefault(spelling, name) != name:
                    raise ValueError(f"The spelling {spelling!r} stands for {known[spelling]!r} and {name!r}.")
    return known


_SPELLINGS = _spellings()
_CATEGORY_OF = {name: category for category, names in NAMES.items() for name in names}


@lru_cache(maxsize=65_536)
def canonical(op: str, domain: str = "") -> str:
    """The one name of an operator or of a module class, such as `conv` or `linear`.

    Args:
        op: In the format's own words.
        domain: Of the operator where the format has domains; tells ONNX's `Sum`, which adds tensors, from others,
            which sum over axes, and TensorFlow's operators in TensorFlow Lite (`flex`), whose names begin with that.
    """
    package, _mark, _name = op.rpartition(">")
    if package and package.lower() != "keras":  # Keras' way to say whose a class is: `mine>Dense` is no Dense
        return f"own_{_letters(op)}"
    name, namespaced = _bare(op.removeprefix("Flex") if domain == "flex" else op)
    key = _letters(name)
    if key in _REDUCED_ELSEWHERE:
        joined = domain in _ONNX_DOMAINS and not namespaced and name[:1].isupper() and not name.isupper()
        return _JOINED_IN_ONNX.get(key, _REDUCED_ELSEWHERE[key]) if joined else _REDUCED_ELSEWHERE[key]
    if namespaced and key in _SLICE_IN_TORCH:
        return "slice"
    flat = re.sub(r"(?<=[a-z])[123]d|v\d+$", "", key)
    for spelling in (
        key,
        re.sub(r"v\d+$", "", key),
        re.sub(r"(?<=[a-z])[123]d", "", key),
        flat,
        re.sub(r"vec$", "", flat),
    ):
        if spelling in _SPELLINGS:
            return _SPELLINGS[spelling]
    return flat or "unknown"


@lru_cache(maxsize=65_536)
def category(op: str, domain: str = "") -> str:
    """The key of an operator's colour, one of `CATEGORIES`; takes canonical names as well."""
    return _CATEGORY_OF.get(op) or _CATEGORY_OF.get(canonical(op, domain), "other")


def _bare(op: str) -> tuple[str, bool]:
    """The name without namespace and overload, and whether an operator namespace stood before it."""
    match = _OPERATORS.match(op)
    if match and match[1] in _NAMESPACES:
        return match[2].strip("_") or match[2], True
    if "::" in op:
        return op.rpartition("::")[2], True
    if op.startswith(("_operator.", "operator.", "builtins.", "math.")):
        return op.rpartition(".")[2], True
    return op.rpartition(">")[2].rpartition(".")[2], False
