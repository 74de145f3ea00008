"""What a call of Keras has beside the tensors that enter it: numbers of the file, and a model inside a wrapper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod

from inspector.engines.summary.call import Call, Numbers
from inspector.ir import Attribute
from inspector.ir.operators import canonical, category


def with_constants(call: Call) -> Call:
    """A call with the numbers that Keras writes into it, by their position: a kernel, a matrix of a transform."""
    given, inputs = call.attributes["constants"], list(call.inputs)
    for place, shape in sorted(given.items()) if isinstance(given, dict) else ():
        if isinstance(shape, tuple) and place.isdecimal() and int(place) <= len(inputs):
            inputs.insert(int(place), tuple(size for size in shape if isinstance(size, int)))
    return replace(call, inputs=tuple(inputs))


def inside(call: Call, inner: tuple[Attribute, ...], macs: Callable[[Call], int | None]) -> int | None:
    """Multiply-adds of a model that is run once for each step.

    Args:
        call: Of the wrapper, which owns the weights of all layers inside; each has its layer's name in its own.
        inner: The layers inside with their settings and their shapes in one step.
        macs: Counts one call.
    """
    first, total = call.input(0), 0
    for each in inner:
        if first is None or not isinstance(each, dict):
            return None
        layer, op, output, given = (each.get(key) for key in ("layer", "op", "output", "inputs"))
        owned = tuple(item for item in call.owned if f"/{layer!s}/" in item[0])
        name = canonical(str(op), "keras")
        if owned and category(name) in {"control", "other"}:
            return None
        shapes = tuple(map(_numbers, given)) if isinstance(given, tuple) else ()
        result = (_numbers(output),)
        found = macs(replace(call, name=name, op=str(op), inputs=shapes, outputs=result, owned=owned, attributes=each))
        if found is None or found < 0:  # sizes that no layer has
            return None
        total += found
    return prod(first[:2]) * total if first is not None else None


def _numbers(shape: Attribute) -> Numbers:
    return tuple(size if isinstance(size, int) else 1 for size in shape) if isinstance(shape, tuple) else ()


def reversible(call: Call) -> int | None:
    """Keras' ReversibleEmbedding: a table, or the product with it that gives a score for each of its rows."""
    if not call.flag("reverse"):
        return 0
    data, kernels = call.input(0), call.kernels(2)
    return None if data is None or not kernels else prod(data[:-1]) * prod(kernels[0])
