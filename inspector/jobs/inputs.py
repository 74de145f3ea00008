"""Shapes of inputs in one line, as a field of the window has them; `ir/shapes.py` reads each."""

from __future__ import annotations

import re

from inspector.ir.shapes import Shape, parse

__all__ = ["Shape", "as_line", "parse", "parse_line"]


def parse_line(line: str) -> dict[str, Shape]:
    """Several of them in one line, separated by semicolons or spaces."""
    return parse(part for part in re.split(r"[;\s]+(?![^\[]*\])", line.strip()) if part)


def as_line(shapes: dict[str, Shape]) -> str:
    """The line that gives these shapes."""
    return "; ".join(f"{name}={_text(shape)}" for name, shape in shapes.items())


def _text(shape: Shape) -> str:
    if any(isinstance(dim, str) for dim in shape):
        return f"[{','.join(map(str, shape))}]"
    return "x".join(map(str, shape)) or "scalar"
