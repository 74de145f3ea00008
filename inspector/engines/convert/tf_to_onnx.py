"""What the edges that use tf2onnx share: seeing that it left nothing of TensorFlow behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inspector.engines.convert.onnx_file import all_nodes
from inspector.errors import ConversionError

if TYPE_CHECKING:
    from onnx import ModelProto


def check(model: ModelProto) -> None:
    """Raise ConversionError when an operator is not one of ONNX: tf2onnx goes on when it does not know one."""
    from onnx import defs

    versions = {o.domain: o.version for o in model.opset_import}
    local = {(function.domain, function.name) for function in model.functions}
    strange = {
        node.op_type
        for node in all_nodes(model)
        if node.domain in ("", "ai.onnx")
        and (node.domain, node.op_type) not in local
        and not defs.has(node.op_type, versions.get("", 1))
    }
    if strange:
        names = ", ".join(sorted(strange))
        raise ConversionError(f"ONNX has no form for {names}.", "Replace these operators, or choose another target.")
