"""Tables of rules by operator: one rule for many names."""

from __future__ import annotations

from typing import TypeVar

R = TypeVar("R")


def named(rule: R, names: str) -> dict[str, R]:
    """The rule under each of these names, which blanks separate."""
    return dict.fromkeys(names.split(), rule)
