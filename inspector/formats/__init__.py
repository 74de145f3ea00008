"""ONE FILE A FORMAT: a module here with a constant `FORMAT = Format(...)` is a format; no list is edited.

Reading needs no framework, runs no code of the file and reads no weight.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from inspector.formats import _about_file
from inspector.formats._format import Format, Glimpse, Support
from inspector.formats._identify import identify
from inspector.formats._source import Source, allowed_roots
from inspector.ir import Model, Note
from inspector.registry import found

__all__ = ["Format", "Glimpse", "Source", "Support", "allowed_roots", "formats", "identify", "remarks"]


def formats() -> dict[str, Format]:
    """Every format by id."""
    return cast("dict[str, Format]", found("inspector.formats", "FORMAT"))


def remarks(source: Source, model: Model, own: Format) -> Iterator[Note]:
    """What is odd about the file of a model that was read: its name, bytes behind its end."""
    return _about_file.remarks(source, model, own, formats().values())
