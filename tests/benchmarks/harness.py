"""Figures, their references, and how a fresh process is timed."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "benchmarks"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: what, how much, the goal, and the reference measured beside it."""

    what: str
    value: float
    unit: str
    goal: str = ""
    reference: str = ""
    reference_value: float | None = None

    def cells(self) -> tuple[str, ...]:
        beside = (
            f"{self.reference}: {number(self.reference_value)} {self.unit}" if self.reference_value is not None else ""
        )
        ratio = f"{self.value / self.reference_value:.2f}×" if self.reference_value else ""
        return (self.what, f"{number(self.value)} {self.unit}", self.goal, beside, ratio)


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"


def machine() -> str:
    """The machine in one line."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [
            line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    load = os.getloadavg()[0]
    system = f"{platform.platform()}, Python {platform.python_version()}"
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}, load {load:.1f}"


def median_of(measure: Callable[[], float], times: int = 5) -> float:
    """The median of several measurements."""
    return statistics.median(measure() for _ in range(times))


def fresh(code: str, *arguments: str, **environment: str) -> dict[str, Any]:
    """Run code in a fresh process that prints one JSON object; T0 is when it was started, on `time.time`'s clock."""
    ours = {
        "QT_QPA_PLATFORM": "offscreen",
        "QTWEBENGINE_DISABLE_SANDBOX": "1",
        "INSPECTOR_INSTANCE": f"bench-{os.getpid()}",
    }
    env = os.environ | ours | environment
    start = f"T0 = {time.time()!r}\n" + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-c", start, *arguments], text=True, capture_output=True, env=env, cwd=ROOT, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def seconds_of(code: str, *arguments: str) -> float:
    """Seconds that a fresh interpreter takes for this, its own start included; the reference of many figures."""
    began = time.perf_counter()
    command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return time.perf_counter() - began


def show(figures: list[Figure]) -> None:
    """Print the table."""
    if not figures:
        return
    head = ("what", "here", "goal", "beside", "ratio")
    lines = [head, *(figure.cells() for figure in figures)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
