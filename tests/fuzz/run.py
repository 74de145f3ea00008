"""Starts the processes that read changed files, and starts another one where one was ended by a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.harness import Mutants, keep

ROOT = Path(__file__).resolve().parents[2]
CRASHES = ROOT / "build" / "fuzz"
SCRATCH = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where the files are written: memory, where there is a disk of it."""


@dataclass
class Counts:
    """What came of the changed files of one format."""

    format: str
    opened: int = 0
    refused: int = 0
    crashed: int = 0
    died: int = 0
    """Files that ended the process."""
    slowest: float = 0.0
    seconds: float = 0.0
    crashes: Path = CRASHES

    @property
    def count(self) -> int:
        return self.opened + self.refused + self.crashed + self.died

    def line(self) -> str:
        crashed = self.crashed + self.died
        counts = f"{self.count:9,} {self.opened:9,} {self.refused:9,} {crashed:7,}"
        return f"{self.format:18} {counts} {self.slowest:9.2f} {self.seconds:8.0f}"


HEADING = "format                 files    opened   refused crashed slowest s  seconds"


def fuzz(fmt: str, count: int, *, seed: int = 1, begin: int = 0, seconds: float = 1e9) -> Counts:
    """Read so many changed files of a format, or as many as fit into the time."""
    crashes = CRASHES / fmt
    crashes.mkdir(parents=True, exist_ok=True)
    counts = Counts(fmt, crashes=crashes)
    started, at, end = time.monotonic(), begin, begin + count
    while at < end and (left := seconds - (time.monotonic() - started)) > 0:
        with tempfile.TemporaryDirectory(dir=SCRATCH) as scratch:
            at = _round(counts, seed, at, end, left, Path(scratch)) + 1
    counts.seconds = time.monotonic() - started
    return counts


def _round(counts: Counts, seed: int, begin: int, end: int, seconds: float, scratch: Path) -> int:
    """One process; gives the number of the last file that it read."""
    command = [sys.executable, "-m", "tests.fuzz.harness", counts.format]
    command += [str(number) for number in (seed, begin, end, seconds)]
    command += [str(scratch), str(counts.crashes)]
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    told = json.loads(lines[-1]) if lines else {"opened": 0, "refused": 0, "crashed": 0, "slowest": 0.0}
    counts.opened += told["opened"]
    counts.refused += told["refused"]
    counts.crashed += told["crashed"]
    counts.slowest = max(counts.slowest, told["slowest"])
    number = scratch / "NUMBER"
    if not number.is_file():
        raise RuntimeError(done.stderr[-3000:])
    last = int(number.read_text())
    if not done.returncode:
        return last
    counts.refused += last - begin - sum(told[key] for key in ("opened", "refused", "crashed"))  # read, but not told
    counts.died += 1
    path = Mutants(counts.format, seed, scratch).make(last)
    keep(path, last, counts.crashes, f"The process ended with {done.returncode}.\n{done.stderr[-3000:]}")
    return last
