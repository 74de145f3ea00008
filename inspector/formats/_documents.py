"""What operators do, in words of ours and by the frameworks' own signatures: data of the folder `operators`.

The texts name operators of one family a line; `resources/operators/build.py` writes the signatures. Nothing of a
framework is imported to look them up.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Literal

import msgspec

from inspector.assets import resource

MODULES = re.compile(r"\btorch\.((ao\.)?nn\.([a-z_]+\.)*modules|nn\.parallel|(ao\.)?quantization)\.")
"""How modules of PyTorch's own are called, the quantized ones too."""
SPACES = frozenset((
    "prim", "quantized", "prepacked", "quantized_decomposed", "torchao", "_quantized", "onednn", "mkldnn",
    "mkldnn_prepacked", "higher_order", "torchvision",
))  # fmt: skip
"""Namespaces beside ATen's whose operators are in the texts, with the namespace before them."""
Family = Literal["keras", "onnxruntime", "openvino", "tensorflow", "torch"]


def documented(family: Family) -> Callable[[str, str], str]:
    """The `document` of a format whose operators are of this family."""
    find = _in_torch if family == "torch" else _plainly

    def document(op: str, domain: str) -> str:
        if domain == "custom":  # an operator of somebody's own may bear a known name
            return ""
        return find(family, op)

    return _in_openvino if family == "openvino" else document


def _in_openvino(op: str, domain: str) -> str:
    """Of a set of operators, or a layer of files before version 10, which have no sets and weights of their own.

    Nothing is said of other domains: an operator of somebody's own may bear a known name.
    """
    if domain.startswith("opset"):
        return _plainly("openvino", op)
    words = "" if domain else texts("openvino").get(f"old::{op}")
    return _composed(op, words, ()) if words else ""


def _plainly(family: Family, op: str) -> str:
    words = texts(family).get(op)
    return _composed(op, words, signatures().get(family, {}).get(op, ())) if words else ""


def _in_torch(family: Family, op: str) -> str:
    """Of `aten.add_.Tensor`, `aten::add_`, `prim::If`, `torch.nn.modules.linear.Linear`."""
    known = texts(family)
    name = torch_name(op)
    if name in known:
        return _plainly(family, name)
    bare = name.removesuffix("_")
    if bare == name or name.endswith("__") or bare not in known:
        return ""
    return f"In place: {_plainly(family, bare)}"


def torch_name(op: str) -> str:
    """What an operator or a module of PyTorch's own is called in the texts; empty for those of others."""
    space, mark, name = op.rpartition("::")
    if mark:
        return name if space == "aten" else op if space in SPACES else ""
    parts = op.split(".")
    if len(parts) == 1:
        return op
    if parts[0] in SPACES:
        return f"{parts[0]}::{parts[1]}"
    if parts[0] == "aten":
        return parts[1]
    python = parts[0] in {"_operator", "operator", "math"} or op.startswith("torch.sym_")
    return parts[-1] if python or MODULES.search(op) else ""


def _composed(op: str, words: str, lines: tuple[str, ...]) -> str:
    listed = "\n".join(f"    {line}" for line in lines)  # four spaces: code, as Markdown has it
    return f"{op}: {words}\n\n{listed}" if listed else f"{op}: {words}"


@cache
def texts(family: Family) -> dict[str, str]:
    """What each operator of a family does, by its name."""
    found: dict[str, str] = {}
    for line in resource("operators", f"{family}.txt").read_text(encoding="utf-8").splitlines():
        names, mark, words = line.partition(": ")
        if mark and not line.startswith("#"):
            found.update(dict.fromkeys(names.split(), words))
    return found


@cache
def signatures() -> dict[str, dict[str, tuple[str, ...]]]:
    """Signatures by family and name."""
    data = resource("operators", "signatures.json").read_bytes()
    return msgspec.json.decode(data, type=dict[str, dict[str, tuple[str, ...]]])
