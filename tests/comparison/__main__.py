"""Prints the comparison of every model in every format: `python -m tests.comparison [--small] [--keep] [MODEL …]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from tests.comparison.measure import Line, lines
from tests.comparison.reference import MODELS

HEAD = (
    "Model",
    "From",
    "Format",
    "Parameters",
    "Arithmetic",
    "Multiply-adds",
    "Arithmetic",
    "Deviation",
    "Library",
    "",
)


def cells(line: Line) -> tuple[str, ...]:
    if not line.written:
        return (line.model, line.framework, line.format, *[""] * 6, f"left out: {line.error}")
    if line.from_library is None:
        library = f"{line.parameters - line.stored:+,} par."
    else:
        library = f"{line.from_library:+.3%}"
    return (
        line.model,
        line.framework,
        line.format,
        f"{line.parameters:,}",
        f"{line.wanted.parameters:,}",
        "–" if line.macs is None else f"{line.macs:,}{'' if line.complete else ' ?'}",
        f"{line.wanted.macs:,}",
        "" if line.deviation is None else f"{line.deviation:+.3%}",
        library,
        "  ".join(filter(None, ("ok" if line.right else "WRONG", line.error or line.wanted.reason))),
    )


WIDTHS = (11, 5, 26, 12, 12, 15, 15, 9, 14, 0)


def show(row: Iterable[str]) -> None:
    pairs = zip(row, WIDTHS, strict=True)
    words = [text.rjust(width) if 3 <= at <= 8 else text.ljust(width) for at, (text, width) in enumerate(pairs)]
    print("  ".join(words).rstrip(), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.comparison", description=__doc__)
    parser.add_argument("models", nargs="*", choices=[*MODELS, []], default=[])
    parser.add_argument("--framework", choices=("torch", "keras"))
    parser.add_argument("--small", action="store_true", help="fewer and thinner layers")
    parser.add_argument("--keep", action="store_true", help="keep the files, and use those that are there")
    parser.add_argument("--only", action="append", default=[], metavar="FORMAT", help="only this format")
    args = parser.parse_args()
    show(HEAD)
    found = []
    for model in args.models or MODELS:
        for framework in (args.framework,) if args.framework else ("torch", "keras"):
            for line in lines(framework, model, small=args.small, keep=args.keep, only=args.only):
                found.append(line)
                show(cells(line))
    right, total = sum(line.right for line in found), sum(line.written for line in found)
    print(f"{right} of {total} files have every parameter, and multiply-adds within 1 % or the reason beside them.")
    return 0 if right == total else 1


if __name__ == "__main__":
    sys.exit(main())
