"""`inspector routes SRC`: where a model can go, and why it cannot go elsewhere."""

from __future__ import annotations

import argparse
from pathlib import Path

from inspector.cli.words import print_json, table
from inspector.errors import InspectorError


def add(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    parser.add_argument("file", metavar="SRC", help="a model file, or the id of a format")
    parser.add_argument("--to", metavar="FORMAT", default="", help="only routes to this format, all of them")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print them."""
    from inspector.engines.convert.edge import edges
    from inspector.engines.convert.plan import Route, plan, reachable
    from inspector.formats import Source, formats, identify

    known = formats()
    source = args.file if args.file in known and not Path(args.file).exists() else identify(Source(Path(args.file))).id
    found: list[tuple[str, Route | None, str]]
    if args.to:
        if args.to not in known:
            raise InspectorError(f"There is no format {args.to!r}.", f"Known: {', '.join(sorted(known))}.")
        found = [(args.to, route, "") for route in plan(edges().values(), source, args.to)]
    else:
        answers = reachable(source).items()
        found = [(to, None, answer) if isinstance(answer, str) else (to, answer, "") for to, answer in answers]
    rows = [
        {
            "to": target,
            "route": [edge.id for edge in route.edges] if route else [],
            "tools": [edge.tool for edge in route.edges] if route else [],
            "cost": route.cost if route else None,
            "reason": reason or (route.why if route else ""),
        }
        for target, route, reason in found
    ]
    if args.json:
        print_json({"source": source, "routes": rows})
        return 0
    lines = []
    for to, route, reason in found:
        chain = " → ".join(edge.tool for edge in route.edges) if route else "–"
        lines.append((to, chain, f"{route.cost:.1f}" if route else "–", route.why if route else reason))
    print(f"From {source}:\n" + table(("to", "route", "cost", "why"), lines, right=(2,)))
    return 0
