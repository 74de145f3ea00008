"""`inspector formats`: what can be opened."""

from __future__ import annotations

import argparse

from inspector.cli.words import print_json, table


def add(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print them."""
    from inspector.formats import formats

    known = formats().values()
    if args.json:
        rows = [{"id": f.id, "title": f.title, "suffixes": [s for s in f.suffixes if s], "mime": f.mime} for f in known]
        print_json({"formats": rows})
    else:
        print(
            table(
                ("format", "title", "suffixes"),
                [(f.id, f.title, " ".join(s or "(folder)" for s in f.suffixes)) for f in known],
            )
        )
    return 0
