"""`inspector summary FILE`: the layer table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Literal

from inspector.cli.words import add_inputs, dims, print_json, whole

MOST_BYTES, MOST_SECONDS = 512 << 20, 2.0
"""What is read to compare weights, and how long, without being asked for more."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    parser.add_argument("file", type=Path, metavar="FILE")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--json", action="store_true", help="one JSON object")
    kind.add_argument("--csv", action="store_true", help="the layer table as CSV")
    kind.add_argument("--markdown", action="store_true", help="the layer table and the totals as Markdown")
    parser.add_argument("--depth", type=whole(), default=-1, metavar="N", help="merge modules below this depth")
    parser.add_argument("--operators", action="store_true", help="one row for each operator instead of each layer")
    parser.add_argument(
        "--repeats", action="store_true", help="compare all weights with each other, however long that takes"
    )
    add_inputs(parser)


def run(args: argparse.Namespace) -> int:
    """Print it."""
    import msgspec

    from inspector.engines.summary import render
    from inspector.engines.summary.repeats import Repeats
    from inspector.jobs.inputs import parse
    from inspector.jobs.terminal import ask_document
    from inspector.worker.tasks.open import OpenArgs
    from inspector.worker.tasks.repeats import EVERYTHING, Repeated, RepeatsArgs
    from inspector.worker.tasks.repeats import TASK as REPEATS
    from inspector.worker.tasks.rows import TASK as ROWS
    from inspector.worker.tasks.rows import RowsArgs, RowsPage

    sizes = dims(args.dim)
    grouping: Literal["layers", "operators"] = "operators" if args.operators else "layers"
    opening = OpenArgs(path=str(args.file.absolute()), dims=sizes, shapes=parse(args.input))
    first = RowsArgs(grouping, sizes, depth=args.depth)
    compare = EVERYTHING if args.repeats else RepeatsArgs(True, MOST_BYTES, MOST_SECONDS, MOST_SECONDS)

    def more(answers: list[Any]) -> tuple[Any, Any] | None:
        if isinstance(answers[-1], Repeated):
            return None if answers[-1].done else (REPEATS, msgspec.structs.replace(compare, begin=False))
        have = sum(len(page.rows) for page in answers[1:])
        last = answers[-1]
        return (
            (ROWS, msgspec.structs.replace(first, start=have))
            if last.rows and have < last.total
            else (REPEATS, compare)
        )

    overview, *answers = ask_document(args.file, [(ROWS, first)], opening, more)
    pages = [answer for answer in answers if isinstance(answer, RowsPage)]
    rows = tuple(row for page in pages for row in page.rows)
    repeats: Repeats = answers[-1].found
    if args.json:
        print_json(render.as_json(overview, rows, repeats))
    elif args.csv:
        sys.stdout.write(render.as_csv(rows, pages[0].totals, repeats))
    elif args.markdown:
        print(render.as_markdown(overview, rows, repeats))
    else:
        print(render.as_text(overview, rows, repeats))
    return 0
