"""What each file has by arithmetic, where a format's own way differs from the model's, with the reason."""

from __future__ import annotations

from dataclasses import dataclass

from tests.comparison.reference import Reference

WEIGHTS_ALONE = {"torch.state_dict", "safetensors", "torch.module"}
"""Formats that hold no graph: they have parameters and no multiply-adds."""


@dataclass(frozen=True)
class Expected:
    """What a file has."""

    parameters: int
    macs: int
    reason: str = ""
    weights_alone: bool = False


def expected(words: str, reference: Reference, model: str) -> Expected:
    """What the file of a format, in the table's words, has of a model."""
    if words in WEIGHTS_ALONE:
        return Expected(reference.parameters, reference.macs, weights_alone=True)
    return Expected(reference.parameters, reference.macs)
