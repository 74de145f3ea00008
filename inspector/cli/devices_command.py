"""`inspector devices`: what of this machine can run models, and why some cannot."""

from __future__ import annotations

import argparse

from inspector.cli.words import Progress, print_json, table


def add(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print them."""
    from inspector.jobs.devices import devices
    from inspector.jobs.terminal import run as run_job

    with Progress(args.json) as progress:
        found = run_job(devices(), progress)
    if args.json:
        print_json(found)
    else:
        lines = [
            (
                d.id,
                d.title,
                "yes" if d.available else "no",
                d.reason or ", ".join(f"{k} {v}" for k, v in d.details.items()),
            )
            for d in found.devices
        ]
        print(table(("device", "name", "there", ""), lines))
    return 0
