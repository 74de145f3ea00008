"""Sizes and shapes as people type them, and as they are kept for a model file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from inspector.settings import Settings

LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the user typed where the file says nothing: sizes of dimensions, and whole shapes of inputs."""

    dims: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, tuple[int | str, ...]] = field(default_factory=dict)


def typed_sizes(settings: Settings, path: Path) -> Sizes:
    """What was typed for this model file."""
    key = str(path)
    dims = {name: size for name, size in settings.shapes.get(key, {}).items() if isinstance(size, int)}
    return Sizes(dims, {name: tuple(shape) for name, shape in settings.input_shapes.get(key, {}).items()})


def parse_shape(text: str) -> tuple[int | str, ...] | None:
    """`1x3x224x224`, `1×3×224×224`, `[batch, 3, 224, 224]` as a shape; None when it is none."""
    inner = text.strip().removeprefix("[").removesuffix("]").removeprefix("(").removesuffix(")").strip()
    if inner == "scalar":
        return ()
    separator = r"\s*,\s*" if "," in inner else r"\s*[x×*]\s*" if re.match(r"\d+\s*[x×*]", inner) else r"\s*×\s*|\s+"
    parts = [part for part in re.split(separator, inner) if part]
    sizes: list[int | str] = []
    for part in parts:
        if part.isdecimal() and part.isascii() and 0 < int(part) <= LARGEST:
            sizes.append(int(part))
        elif part.isidentifier():
            sizes.append(part)
        else:
            return None
    return tuple(sizes) or None
