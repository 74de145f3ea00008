"""Operators that onnx-tf lacks, or gets wrong, as functions: ONE FILE A FAMILY.

A handler takes the node and its input tensors (None where one is left out) and gives the output tensors:

    @handles("Unsqueeze", 13, 21)
    def unsqueeze(node: Node, inputs: Inputs) -> Outputs: ...

The numbers are the versions of the operator that it implements, as ONNX counts them.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from inspector.engines.convert.onnx_tf_pack.handlers._registry import HANDLERS, Handler

_KEPT: list[type] = []
"""onnx-tf finds handlers by `__subclasses__`, which holds them weakly: without this list they vanish."""


def install() -> None:
    """Put every handler of this folder where onnx-tf looks for them; to be called once."""
    from onnx_tf.handlers.backend_handler import BackendHandler

    for module in sorted(found.name for found in iter_modules(__path__) if not found.name.startswith("_")):
        import_module(f"{__name__}.{module}")
    from inspector.engines.convert.onnx_tf_pack.handlers._same import SAME

    classes: dict[str, Any] = {cls.ONNX_OP: cls for cls in BackendHandler.__subclasses__() if cls.ONNX_OP}
    for op in {op for op, handler in HANDLERS.items() if handler.anew or op not in classes}:
        classes[op] = type(op, (BackendHandler,), {"ONNX_OP": op, "__doc__": f"{op}, ours."})
        _KEPT.append(classes[op])
    for op, handler in HANDLERS.items():
        for version, function in handler.versions.items():
            setattr(classes[op], f"version_{version}", classmethod(_adapted(function)))
    for op, versions in SAME.items():
        for version in versions:
            _alias(classes[op], version)


def _adapted(function: Any) -> Any:
    def version(cls: type, node: Any, **kwargs: Any) -> Any:
        tensors = kwargs["tensor_dict"]
        return function(node, [tensors[name] if name else None for name in node.inputs])

    return version


def _alias(cls: Any, version: int) -> None:
    """Let a version of an operator be handled as the newest one before it that is known."""
    older = max(known for known in cls.get_versions() if known < version)
    setattr(cls, f"version_{version}", getattr(cls, f"version_{older}"))


__all__ = ["Handler", "install"]
