"""onnx's inference, kept from what it does not outlive: too little memory, and some steps of a Slice.

Where it follows values through a Slice (onnx 1.23, `data_prop=True`) it counts in 32 bits: with a step beyond those it
reads memory that is not its own, or never ends. What it tells without following values is not in danger.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inspector.formats._onnx_moves import constant, stored

WIDE = 1 << 31
"""Steps of this size or more do not fit."""


ROOM, ROOM_PER_BYTE = 1 << 29, 64
"""Bytes that inference may take: at least, and for each byte of the model."""


@contextmanager
def bounded(size: int) -> Iterator[None]:
    """Give what follows so many bytes of address space more than is in use; what needs more raises MemoryError.

    onnx's inference notes the value of each element of what might become a shape: a file of 300 bytes can ask for
    terabytes of notes. Only Linux counts, and keeps, such a limit.
    """
    if sys.platform != "linux":
        yield
        return
    import resource

    used = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    least = min((limit for limit in (soft, hard, used + size) if limit != resource.RLIM_INFINITY), default=used + size)
    resource.setrlimit(resource.RLIMIT_AS, (least, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def refusals() -> tuple[type[Exception], ...]:
    """What onnx's inference says of models that it cannot work with."""
    import onnx
    from google.protobuf.message import DecodeError

    own = onnx.shape_inference.InferenceError, onnx.checker.ValidationError, DecodeError
    return (*own, RuntimeError, ValueError, TypeError, IndexError)


def inferred(model: Any, *, follows: bool) -> Any:
    """A ModelProto with the shapes that onnx tells; None where it tells none.

    Args:
        model: The model.
        follows: Whether values are followed, where no step of a Slice is in the way.
    """
    import onnx

    try:
        follows = follows and not wild(model)
        with bounded(ROOM + ROOM_PER_BYTE * model.ByteSize()):
            return onnx.shape_inference.infer_shapes(model, data_prop=follows)
    except MemoryError:
        return None
    except refusals():
        return None


def wild(model: Any) -> bool:
    """Whether a ModelProto has a Slice whose step is not sure to be small."""
    tensors: dict[str, list[Any]] = {}
    names: set[str] = set()
    formal = {name for function in model.functions for name in function.input}
    for part in _parts(model):
        for tensor in getattr(part, "initializer", ()):
            tensors.setdefault(tensor.name, []).append(tensor)
        for node in part.node:
            op = node.op_type
            if op == "Constant" and len(node.output) == 1:
                tensors.setdefault(node.output[0], []).append(node)
            elif op == "Slice" and len(node.input) > 4 and node.input[4]:
                names.add(node.input[4])
    known = (name in tensors and name not in formal and all(map(_fits, tensors[name])) for name in names)
    return not all(known)


def _fits(source: Any) -> bool:
    """Whether the numbers of a tensor or of a Constant node are small."""
    value = constant(source) if hasattr(source, "op_type") else stored(source)
    return value is not None and all(isinstance(item, int) and 0 < abs(item) < WIDE for item in value.reshape(-1))


def _parts(model: Any) -> Iterator[Any]:
    """The main graph, functions, and all graphs inside them."""
    waiting = [model.graph, *model.functions]
    while waiting:
        part = waiting.pop()
        yield part
        for node in part.node:
            for item in node.attribute:
                waiting += [graph for graph in (item.g, *item.graphs) if graph.node]
