"""dtypes of what operations of `keras.ops` give, where it is not that of their first tensor or a setting of theirs."""

from __future__ import annotations

from collections.abc import Sequence

from inspector.formats._keras_config import Layer, dtype_of
from inspector.formats._rules import named

_GIVEN = {
    **named(
        "bool",
        "AllClose All Any Equal Greater GreaterEqual InTopK IsIn Isclose Isfinite Isinf Isnan Isneginf Isposinf Isreal "
        "Less LessEqual LogicalAnd LogicalNot LogicalOr LogicalXor NotEqual Signbit",
    ),
    **named(
        "int32",
        "Argmax Argmin Argpartition Argsort CountNonzero Digitize MatrixRank Nanargmax Nanargmin Ndim Nonzero "
        "SearchSorted Size",
    ),
    "ViewAsComplex": "complex64",
    "ViewAsReal": "float32",
    "OneHot": "float32",
}
_OF_THE_SECOND = frozenset({"Where", "Scatter", "SparseCategoricalCrossentropy", "CTCLoss"})
_LOOKED_UP = frozenset({"StringLookup", "IntegerLookup", "TextVectorization"})
_NUMBERS = {"TopK": 1}
"""Which output is of places."""


def dtype_given(layer: Layer, entering: Sequence[str], at: int) -> str:
    """dtype of an output, by what the layer computes in, by its operation, or else by what enters it.

    Args:
        layer: A layer or an operation.
        entering: dtypes of the tensors that enter it.
        at: Number of the output.
    """
    found = dtype_of(layer.config)
    if layer.type in _LOOKED_UP and layer.config.get("output_mode", "int") == "int":
        return found if "int" in found else "int64"
    if found:
        return found
    if "trainable" not in layer.config:
        if layer.type in _GIVEN:
            return _GIVEN[layer.type]
        if _NUMBERS.get(layer.type) == at:
            return "int32"
        if layer.type in _OF_THE_SECOND and len(entering) > 1:
            return entering[1]
        if layer.type == "Select" and len(entering) > 1:  # as many conditions as choices
            return entering[len(entering) // 2]
    return entering[0] if entering else ""
