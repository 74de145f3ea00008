"""Where handlers are noted down before onnx-tf is told of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol


class Node(Protocol):
    """A node as onnx-tf hands it over.

    Attributes:
        shapes: Of the outputs as ONNX infers them, None where it does not; missing within branches and bodies.
    """

    name: str
    op_type: str
    inputs: list[str]
    outputs: list[str]
    attrs: dict[str, Any]
    shapes: list[list[int | None] | None]


Inputs = list[Any]
Outputs = Any
"""A list of tensors, or NotImplemented: onnx-tf's own handler does it."""
Function = Callable[[Node, Inputs], Outputs]


@dataclass(slots=True)
class Handler:
    """The versions of one operator that we implement.

    Attributes:
        versions: The function by the operator's version.
        anew: Whether onnx-tf's own handler of this operator is put aside altogether.
    """

    versions: dict[int, Function] = field(default_factory=dict)
    anew: bool = False


HANDLERS: dict[str, Handler] = {}


def handles(op: str, *versions: int, anew: bool = False) -> Callable[[Function], Function]:
    """Note that the function implements these versions of the operator."""

    def note(function: Function) -> Function:
        handler = HANDLERS.setdefault(op, Handler())
        handler.versions |= dict.fromkeys(versions, function)
        handler.anew |= anew
        return function

    return note


def inferred(node: Node) -> list[int | None] | None:
    """The shape of the node's first output, where ONNX infers it."""
    shapes = getattr(node, "shapes", [])
    return shapes[0] if shapes else None


def text(value: Any) -> str:
    """An attribute that is a text: onnx-tf gives some as bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


def given(inputs: Inputs, place: int) -> Any:
    """The input at this place, or None where the node leaves it out."""
    return inputs[place] if place < len(inputs) else None
