"""ONE FILE A FORMAT: a module here with a constant `FORMAT = Format(...)` is a format; no list is edited.

Reading needs no framework, runs no code of the file and reads no weight.
"""

from __future__ import annotations

from typing import cast

from inspector.formats._format import Format, Glimpse, Support
from inspector.formats._identify import identify
from inspector.formats._source import Source, allowed_roots
from inspector.registry import found

__all__ = ["Format", "Glimpse", "Source", "Support", "allowed_roots", "formats", "identify"]


def formats() -> dict[str, Format]:
    """Every format by id."""
    return cast("dict[str, Format]", found("inspector.formats", "FORMAT"))
