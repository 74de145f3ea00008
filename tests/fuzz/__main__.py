"""`python -m tests.fuzz [--format F ...] [--count N] [--seconds S] [--seed K]`: changed files by the thousand.

Prints a line a format; what a reader crashed on lies in build/fuzz/FORMAT/NUMBER. Exit status 1 where one crashed.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ThreadPoolExecutor

from tests.fuzz.harness import formats
from tests.fuzz.run import HEADING, Counts, fuzz


def main() -> int:
    """Fuzz the formats that are named, all by default."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--format", action="append", choices=formats())
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=1e9, help="for each format")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--begin", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()

    def one(fmt: str) -> Counts:
        counts = fuzz(fmt, given.count, seed=given.seed, begin=given.begin, seconds=given.seconds)
        print(counts.line(), flush=True)
        return counts

    print(HEADING, flush=True)
    with ThreadPoolExecutor(given.jobs) as pool:
        found = list(pool.map(one, given.format or formats()))
    bad = [counts for counts in found if counts.crashed + counts.died]
    for counts in bad:
        print(f"Crashed on: {counts.crashes}")
    total = sum(counts.count for counts in found)
    print(f"{total:,} files, {sum(counts.crashed + counts.died for counts in found)} crashes")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
