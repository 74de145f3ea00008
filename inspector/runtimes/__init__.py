"""ONE FILE A RUNTIME: a module here with a constant `RUNTIME` (a subclass of `Runtime`) is a runtime.

Frameworks are imported inside methods, which only a worker calls.
"""

from __future__ import annotations

from typing import cast

from inspector.registry import found
from inspector.runtimes._runtime import Arrays, Device, Runtime, Spec

__all__ = ["Arrays", "Device", "Runtime", "Spec", "runtimes"]


def runtimes() -> dict[str, type[Runtime]]:
    """Every runtime by id."""
    return cast("dict[str, type[Runtime]]", found("inspector.runtimes", "RUNTIME"))
