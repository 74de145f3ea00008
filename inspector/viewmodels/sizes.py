"""Shapes as people type them."""

from __future__ import annotations

import re

LARGEST = 2**31 - 1


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
