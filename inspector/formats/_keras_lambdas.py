"""Output shapes of single TensorFlow operations in Keras 2: `TFOpLambda`, with the function in words.

A result is told only where the function is known and what else enters it are numbers; the rest is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from inspector.ir import Dim, Shape

Shapes = Sequence[Shape | None]

MERGES = frozenset(
    f"{scope}{name}"
    for scope, names in (
        ("__operators__.", "add radd sub rsub mul rmul truediv rtruediv floordiv mod pow rpow gt ge lt le eq ne"),
        (
            "math.",
            "add subtract multiply divide maximum minimum pow floordiv mod greater less equal squared_difference",
        ),
    )
    for name in names.split()
)
SAME = frozenset(
    f"{scope}{name}"
    for scope, names in (
        ("__operators__.", "neg abs"),
        (
            "math.",
            "sigmoid tanh sqrt rsqrt exp log square abs negative erf sin cos softplus floor round sign l2_normalize",
        ),
        (
            "nn.",
            "relu relu6 leaky_relu elu selu gelu silu swish softmax sigmoid tanh log_softmax softplus dropout",
        ),
        ("", "cast identity stop_gradient clip_by_value ones_like zeros_like"),
    )
    for name in names.split()
)
REDUCES = frozenset(
    f"math.reduce_{name}" for name in ("mean", "sum", "max", "min", "prod", "std", "variance", "any", "all")
)


def shape(
    function: str, said: dict[str, Any], first: Shape, inputs: Shapes, merge: Callable[[], Shape | None]
) -> Shape | None:
    """The shape that a function gives; None where it is not known.

    Args:
        function: Such as `math.multiply`, without the name of TensorFlow.
        said: Arguments that are no tensors.
        first: Shape of the first tensor.
        inputs: Shapes of all tensors.
        merge: The shape to which all of them broadcast.

    Raises:
        ValueError, IndexError, TypeError: The arguments make no sense.
    """
    if function in MERGES:
        return None if any(_array(item) for item in said.values()) else merge()
    if function in SAME:
        return first
    if function in REDUCES:
        return _reduced(first, said.get("axis"), said.get("keepdims") is True)
    if function == "concat":
        return _joined(inputs, int(said["axis"]))
    if function == "expand_dims":
        axis = int(said["axis"]) % (len(first) + 1)
        return (*first[:axis], 1, *first[axis:])
    if function == "transpose" and isinstance(said.get("perm"), list):
        return tuple(first[int(at)] for at in said["perm"])
    if function == "reshape" and isinstance(said.get("shape"), list):
        return _reshaped(first, [int(size) for size in said["shape"]])
    return None


def _array(item: Any) -> bool:
    """Whether an argument is an array of numbers, which may be wider than the tensors."""
    if not isinstance(item, list):
        return isinstance(item, dict)
    return not (item and isinstance(item[0], str)) or isinstance(item[-1], list)


def _joined(inputs: Shapes, axis: int) -> Shape | None:
    first = inputs[0]
    if first is None or not all(inputs):
        return None
    axis %= len(first)
    sizes = [each[axis] for each in inputs if each]
    whole = [size for size in sizes if isinstance(size, int)]
    return (*first[:axis], sum(whole) if len(whole) == len(sizes) else None, *first[axis + 1 :])


def _reduced(first: Shape, axis: Any, keep: bool) -> Shape:
    axes = range(len(first)) if axis is None else axis if isinstance(axis, list) else [axis]
    gone = {int(each) % len(first) for each in axes}
    return tuple(1 if at in gone else size for at, size in enumerate(first) if keep or at not in gone)


def _reshaped(first: Shape, target: list[int]) -> Shape:
    """A reshaped tensor; the size that is left open follows from the others where all of them are known."""
    known = [size for size in first if isinstance(size, int)]
    given = prod(size for size in target if size != -1)
    rest: Dim = prod(known) // given if len(known) == len(first) and given else None
    return tuple(rest if size == -1 else size for size in target)
