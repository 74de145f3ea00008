"""What onnx tells of one node, where more is known of what it takes than when it looked at the whole model."""

from __future__ import annotations

from typing import Any

from inspector.formats._onnx_moves import NONSENSE, as_tensor
from inspector.formats._onnx_scope import Scope, shape_of
from inspector.formats._onnx_steps import refusals
from inspector.formats._onnx_values import FLOAT, INT64, Call
from inspector.ir import Shape

SCALED = frozenset({"Resize", "Upsample"})
"""Operators whose output's shape depends on fractions."""


class Asked:
    """Asks onnx, of one version of its operators."""

    def __init__(self, version: int) -> None:
        import onnx

        self._version = version
        self._imports = [onnx.helper.make_opsetid("", version)]
        self._schemas: dict[str, Any] = {}

    def of(self, node: Any, call: Call, here: Scope) -> dict[str, tuple[int, Shape | None]]:
        """What onnx tells of one node."""
        import onnx

        schema = self._schema(node.op_type)
        if schema is None:
            return {}
        types = {name: here.type(name) for name in node.input if name}
        if any(proto is None for proto in types.values()):
            return {}
        data = {}
        for name, value in zip(node.input, call.values, strict=True):
            kind = 0 if value is None else here.kind(name)
            if value is not None and (kind == INT64 or (node.op_type in SCALED and kind == FLOAT)):
                tensor = as_tensor(value, kind)
                if tensor is not None:
                    data[name] = tensor
        wrong: tuple[type[Exception], ...] = (*refusals(), KeyError, MemoryError, *NONSENSE)
        try:
            found = onnx.shape_inference.infer_node_outputs(schema, node, types, data, opset_imports=self._imports)
        except wrong:
            return {}
        kept = {}
        for name, proto in found.items():
            if proto.HasField("tensor_type"):
                kept[name] = proto.tensor_type.elem_type, shape_of(proto)
        return kept

    def _schema(self, op: str) -> Any:
        import onnx

        if op not in self._schemas:
            try:
                self._schemas[op] = onnx.defs.get_schema(op, self._version, "")
            except onnx.defs.SchemaError:
                self._schemas[op] = None
        return self._schemas[op]
