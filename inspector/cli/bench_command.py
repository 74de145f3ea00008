"""`inspector bench MODEL…`: how fast, on what."""

from __future__ import annotations

import argparse
from pathlib import Path

from inspector.cli.compare_command import feeds
from inspector.cli.words import Progress, add_inputs, dims, print_json, table, whole


def add(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL")
    parser.add_argument("--device", action="append", default=[], metavar="D", help="only these; see inspector devices")
    parser.add_argument("--runs", type=whole(1), default=50, metavar="N", help="timed runs of each candidate")
    parser.add_argument("--batch", type=whole(1), default=1, metavar="N", help="size of the batch dimension")
    parser.add_argument("--threads", type=whole(), default=0, metavar="N", help="threads; 0 leaves it to the runtime")
    parser.add_argument(
        "--feeds", default="seed:0", metavar="seed:N|FILE.npz", help="made from a seed, or read from a file"
    )
    add_inputs(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Measure."""
    from inspector.jobs.bench import bench
    from inspector.jobs.inputs import parse
    from inspector.jobs.requests import BenchRequest
    from inspector.jobs.terminal import run as run_job

    seed, file = feeds(args.feeds)
    request = BenchRequest(
        models=tuple(str(model.absolute()) for model in args.models),
        devices=tuple(args.device),
        runs=args.runs,
        batch=args.batch,
        dims=dims(args.dim),
        shapes=parse(args.input),
        feeds=file,
        threads=args.threads,
        seed=seed,
    )
    with Progress(args.json) as progress:
        result = run_job(bench(request), progress)
    if args.json:
        print_json(result)
        return 0
    rows = [
        (
            Path(r.model).name,
            r.title,
            *(f"{ms:.3f}" for ms in (r.median_ms, *r.ci95_ms, r.p90_ms, r.p99_ms, r.load_ms)),
            f"{r.peak_rss_mb:.0f}",
            r.error,
        )
        for r in result.results
    ]
    head = ("model", "on", "median ms", "from", "to", "p90", "p99", "load ms", "MB", "")
    print(table(head, rows, right=(2, 3, 4, 5, 6, 7, 8)))
    for ratio in result.ratios:
        print(ratio.sentence)
    print("\n".join(f"{name}: {value}" for name, value in result.environment.items()))
    return 0
