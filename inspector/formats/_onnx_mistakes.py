"""Nodes whose shapes onnx's inference (1.23) tells wrong or not at all, although their operators are known to it.

- A pooling that rounds up (`ceil_mode`) has no window that begins in the padding behind the input; before operator set
  22 inference counts it. Runtimes of every version leave it out.
- `STFT` gives half of the frequencies where it does not say `onesided`; inference takes that for all of them.
- Nothing is told of `GroupNormalization` since operator set 21.

Inference does not get to see such nodes, and what follows from their true shapes is found afterwards (`_onnx_folding`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inspector.formats import _onnx_sizes as sizes
from inspector.formats._onnx_open import DEEPEST, WRONG, inside
from inspector.formats._onnx_values import Call
from inspector.ir import Dim, Shape

DOMAIN = "\0hidden"
WORDS = (b"ceil_mode", b"STFT")
"""What stands in every model that has such a node."""

DEFAULT = ("", "ai.onnx")
CORRECTED = 22
"""Operator set since which inference counts the windows of a pooling as runtimes do."""


def may_be_in(data: bytes) -> bool:
    """Whether a serialised model may have such a node."""
    return any(word in data for word in WORDS)


def hide(model: Any) -> None:
    """Put such nodes of a ModelProto into a domain that inference does not know."""
    version = next((int(item.version) for item in model.opset_import if item.domain in DEFAULT), 1)
    odd = [node for node in _nodes(model.graph, 0) if rule(node, version) is not None]
    for node in odd:
        node.domain = DOMAIN
    if odd:
        model.opset_import.add(domain=DOMAIN, version=1)


def show(model: Any) -> None:
    """Put them back."""
    for node in _nodes(model.graph, 0):
        if node.domain == DOMAIN:
            node.domain = ""
    for index in [at for at, item in enumerate(model.opset_import) if item.domain == DOMAIN][::-1]:
        del model.opset_import[index]


def rule(node: Any, version: int) -> Callable[[Call], Shape | None] | None:
    """What tells the shape of a node's first output, where inference does not.

    Args:
        node: The NodeProto.
        version: Of the operator set.
    """
    if node.op_type not in WRONG or node.domain not in DEFAULT:
        return None
    if node.op_type == "GroupNormalization":
        return _same if version >= 21 else None
    settings = {item.name: item for item in node.attribute}
    if node.op_type == "STFT":
        return None if "onesided" in settings else _spectra
    if version >= CORRECTED or "ceil_mode" not in settings or not settings["ceil_mode"].i or len(node.output) != 1:
        return None
    pads = settings["pads"].ints if "pads" in settings else ()
    return _rounded_up if any(pads[len(pads) // 2 :]) and not settings.keys() & {"auto_pad"} else None


def _same(call: Call) -> Shape | None:
    return call.shape()


def _rounded_up(call: Call) -> Shape | None:
    shape, kernel, pads = call.shape(), call.integers("kernel_shape"), call.integers("pads")
    if shape is None or kernel is None or pads is None or len(shape) != len(kernel) + 2 or len(pads) != 2 * len(kernel):
        return None
    steps, spread = (call.integers(name) or [1] * len(kernel) for name in ("strides", "dilations"))
    found: list[Dim] = list(shape[:2])
    for axis, (dim, size, step, wide) in enumerate(zip(shape[2:], kernel, steps, spread, strict=True)):
        if not isinstance(dim, int) or step <= 0:
            found.append(None)
            continue
        before, behind = pads[axis], pads[axis + len(kernel)]
        count = -(-(dim + before + behind - (size - 1) * wide - 1) // step) + 1
        found.append(max(0, count - ((count - 1) * step >= dim + before)))
    return tuple(found)


def _spectra(call: Call) -> Shape | None:
    signal, step, length = call.shape(), call.value(1), call.value(3)
    window = call.shape(2) if call.given(2) else None
    frame: Any = length.flat[0] if length is not None and length.size == 1 else window[0] if window else None
    hop: Any = step.flat[0] if step is not None and step.size == 1 else None
    if signal is None or len(signal) < 2 or type(frame) is not int:
        return None
    frames: Dim = None
    if isinstance(signal[1], int) and type(hop) is int and hop > 0:
        frames = (signal[1] - frame) // hop + 1
    return signal[0], frames, sizes.written(frame // 2 + 1), 2


def _nodes(graph: Any, depth: int) -> list[Any]:
    """The nodes of a graph and of those inside it."""
    found = list(graph.node)
    for inner in inside(graph) if depth < DEEPEST else ():
        found += _nodes(inner, depth + 1)
    return found
