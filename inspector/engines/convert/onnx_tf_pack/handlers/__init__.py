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

from inspector.engines.convert.onnx_tf_pack.handlers._registry import HANDLERS, Function, Handler
from inspector.errors import ConversionError

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
        _teach(classes[op], handler)
    for op, versions in SAME.items():
        for version in versions:
            _alias(classes[op], version)


def _teach(cls: Any, handler: Handler) -> None:
    """Add our versions to onnx-tf's class of an operator; its own checks stay with its own versions."""
    theirs = {version: getattr(cls, f"version_{version}") for version in cls.get_versions()}
    check = cls.args_check

    def args_check(cls: Any, /, node: Any, **kwargs: Any) -> None:
        if cls.SINCE_VERSION not in handler.versions:
            check(node, **kwargs)

    cls.args_check = classmethod(args_check)
    for version, function in handler.versions.items():
        older = max((known for known in theirs if known <= version), default=None)
        fallback = None if older is None else (check, theirs[older])
        setattr(cls, f"version_{version}", classmethod(_adapted(function, fallback)))


def _adapted(function: Function, fallback: Any) -> Any:
    """Our function as a method of onnx-tf's class; it may leave a case to theirs by giving NotImplemented."""

    def version(cls: type, node: Any, **kwargs: Any) -> Any:
        tensors = kwargs["tensor_dict"]
        results = function(node, [tensors[name] if name else None for name in node.inputs])
        if results is not NotImplemented:
            return results
        if fallback is None:
            raise ConversionError(f"{node.op_type} with these attributes has no handler.", "Try another opset.")
        for call in fallback:
            results = call(node, **kwargs)
        return results

    return version


def _alias(cls: Any, version: int) -> None:
    """Let a version of an operator be handled as the newest one before it that is known."""
    older = max(known for known in cls.get_versions() if known < version)
    setattr(cls, f"version_{version}", getattr(cls, f"version_{older}"))


__all__ = ["Handler", "install"]
