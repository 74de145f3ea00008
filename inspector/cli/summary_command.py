"""`inspector summary FILE`: the layer table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Literal

from inspector.cli.words import add_inputs, dims, print_json


def add(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    parser.add_argument("file", type=Path, metavar="FILE")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--json", action="store_true", help="one JSON object")
    kind.add_argument("--csv", action="store_true", help="the layer table as CSV")
    kind.add_argument("--markdown", action="store_true", help="the layer table and the totals as Markdown")
    parser.add_argument("--depth", type=int, default=-1, metavar="N", help="merge modules below this depth")
    parser.add_argument("--operators", action="store_true", help="one row for each operator instead of each layer")
    add_inputs(parser)


def run(args: argparse.Namespace) -> int:
    """Print it."""
    import msgspec

    from inspector.engines.summary import render
    from inspector.jobs.inputs import parse
    from inspector.jobs.terminal import ask_document
    from inspector.worker.tasks.open import OpenArgs
    from inspector.worker.tasks.rows import TASK as ROWS
    from inspector.worker.tasks.rows import RowsArgs

    sizes = dims(args.dim)
    grouping: Literal["layers", "operators"] = "operators" if args.operators else "layers"
    opening = OpenArgs(path=str(args.file.absolute()), dims=sizes, shapes=parse(args.input))
    first = RowsArgs(grouping, sizes, depth=args.depth)

    def more(answers: list[Any]) -> tuple[Any, Any] | None:
        have = sum(len(page.rows) for page in answers[1:])
        last = answers[-1]
        return (ROWS, msgspec.structs.replace(first, start=have)) if last.rows and have < last.total else None

    overview, *pages = ask_document(args.file, [(ROWS, first)], opening, more)
    rows = tuple(row for page in pages for row in page.rows)
    if args.json:
        print_json(render.as_json(overview, rows))
    elif args.csv:
        sys.stdout.write(render.as_csv(rows, pages[0].totals))
    elif args.markdown:
        print(render.as_markdown(overview, rows))
    else:
        print(render.as_text(overview, rows))
    return 0
