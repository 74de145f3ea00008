"""How the command line reads and writes: inputs, dimensions, options, tables, progress."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from inspector.errors import InspectorError


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """`--input` and `--dim`, the same for every command that runs or shapes a model."""
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="NAME=SHAPE",
        help="shape of an input: image=1x3x224x224 or image=f32[batch,3,224,224]; may be repeated",
    )
    parser.add_argument(
        "--dim",
        action="append",
        default=[],
        metavar="NAME=SIZE",
        help="size of a named dimension: batch=4; may be repeated",
    )


LARGEST = 2**31 - 1
"""What a whole number may be; more than any model and any patience has."""


def whole(least: int = 0) -> Callable[[str], int]:
    """How an argument is read that is a whole number from `least` on."""

    def read(text: str) -> int:
        number = as_whole(text)
        if number is None or not least <= number <= LARGEST:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {LARGEST:,}")
        return number

    return read


def as_whole(text: str) -> int | None:
    """A number written in at most 19 decimal digits; None where it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None


def dims(texts: Sequence[str]) -> dict[str, int]:
    """Sizes by dimension name, from `--dim`."""
    result = {}
    for text in texts:
        name, _, size = text.partition("=")
        number = as_whole(size)
        if not name or not number:
            raise InspectorError(f"{text!r} is not a dimension.", "Write name=4 with a whole number above 0.")
        result[name] = number
    return result


def options(texts: Sequence[str]) -> dict[str, str]:
    """Options as written, from `--option`."""
    result = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise InspectorError(f"{text!r} is not an option.", "Write name=value, or edge.name=value.")
        result[name] = value
    return result


def print_json(data: Any) -> None:
    """One object on stdout."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n")


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Columns aligned by spaces; those in `right` to the right."""
    lines = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]

    def text(line: Sequence[str]) -> str:
        cells = (
            cell.rjust(w) if i in right else cell.ljust(w) for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    rule = "  ".join("─" * w for w in widths)
    return "\n".join([text(lines[0]), rule, *(text(line) for line in lines[1:])])


class Progress:
    """Progress on stderr: one line that is written over on a terminal, nothing elsewhere."""

    def __init__(self, quiet: bool) -> None:
        self._show = not quiet and sys.stderr.isatty()

    def __call__(self, fraction: float | None, text: str) -> None:
        """Show it."""
        if self._show and text:
            share = f"{fraction:4.0%} " if fraction is not None else "     "
            sys.stderr.write(f"\r\033[K{share}{text[:100]}")
            sys.stderr.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._show:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
