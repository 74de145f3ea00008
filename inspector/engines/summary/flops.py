"""Floating-point operations of one operation: the one definition, from its multiply-adds and the sizes of its values.

**FLOPs** = two for each multiply-add (`macs`), one for each element that an elementwise operation, an activation or a
normalisation gives, and one for each element that a pooling or a reduction takes. So a ReLU, a GELU and a softmax of
1,000 elements are 1,000 FLOPs each, a batch normalisation of them too, and a pooling of them to 10 as well, whatever
the function costs inside: it is bound by memory, and every tool counts it otherwise. What is fused into a product (the
bias of a convolution, the activation of a dense layer, the softmax inside an attention, the gates of an LSTM) counts
nothing beside it, and moving data (reshape, transpose, concat, gather, cast) is no arithmetic. Fourier transforms have
no multiply-adds and count by their lengths (`transforms`).

**Bytes moved** are those of all that an operation reads and writes once: its inputs, its weights as stored, its
outputs. A view moves nothing; what picks elements (gather, slice, embedding) reads those it picks. FLOPs per byte moved
is the *arithmetic intensity*: operations below a few dozen of it wait for memory, not for arithmetic.
"""

from __future__ import annotations

from enum import Enum

from inspector.ir.operators import category

_GIVEN = frozenset({"elementwise", "activation", "normalisation"})
_FREE = frozenset({"cast", "dropout"})

VIEWS = frozenset({"reshape", "contiguous", "dropout"})
"""Canonical names of operations whose output is their input under another shape or name, in the same memory."""

PICKS = frozenset({"gather", "slice", "split", "embedding"})
"""Canonical names of operations that read only as much as they give."""

_STILL = VIEWS | {"shape", "if", "loop", "call", "assert", "optional", "variable", "constant"}


class Ones(Enum):
    """Where the elements are that count one operation each."""

    NONE = 0
    GIVEN = 1
    TAKEN = 2


def ones(name: str) -> Ones:
    """What a canonical operator counts beside its multiply-adds."""
    if name in _FREE:
        return Ones.NONE
    kind = category(name)
    return Ones.GIVEN if kind in _GIVEN else Ones.TAKEN if kind == "pooling" else Ones.NONE


def moves(name: str) -> bool:
    """Whether a canonical operator reads and writes memory itself; what runs graphs leaves it to them."""
    return name not in _STILL


def intensity(flops: int | None, moved: int | None) -> float | None:
    """FLOPs per byte moved; None where one is not known or nothing moves."""
    return flops / moved if flops is not None and moved else None
