"""`inspector summary` over every file of the corpus, in its worker: `python -m tests.corpus_table [PACKAGE …]`.

Prints a line for each file: what it took, what the worker weighed at most, what was found, and whether all that is as
`corpus.toml` expects. Of ONNX's own 149 models and 327 tensors only those that do not end as expected are printed, with
`--all` every one.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import threading
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent))

from corpus import Case, cases

from inspector.cli.main import main as inspector
from inspector.formats import formats


@dataclass(frozen=True)
class Seen:
    """What `inspector summary FILE --json` did; `weight` is the most bytes that its worker held."""

    seconds: float
    weight: int
    code: int
    data: dict[str, Any]
    error: str


class Scales:
    """Weighs the processes that this one starts, every few milliseconds, while it is entered."""

    def __enter__(self) -> Scales:
        self.most = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        here = psutil.Process()
        while not self._over.wait(0.005):
            for child in here.children():
                try:
                    self.most = max(self.most, child.memory_info().rss)
                except psutil.Error:
                    continue


def summary(path: Path) -> Seen:
    """Run the command; its worker is a process, the command itself is this one."""
    out, said = io.StringIO(), io.StringIO()
    begun = time.perf_counter()
    with Scales() as scales, redirect_stdout(out), redirect_stderr(said):
        code = inspector(["summary", str(path), "--json"])
    data = json.loads(out.getvalue()) if out.getvalue() else {}
    return Seen(time.perf_counter() - begun, scales.most, code, data, said.getvalue())


def wrong(case: Case, seen: Seen) -> str:
    """What is not as expected, in words; empty where everything is."""
    if case.refused:
        sentence, _, hint = seen.error.strip().partition("\n")
        known = all(each.title in hint for each in formats().values()) if hint.startswith("hint: Known: ") else hint
        if seen.code and sentence == f"error: {case.refused}" and known:
            return ""
        return f"refused with {case.refused!r} expected, not {seen.error.strip() or 'opened'!r}"
    if seen.code:
        return seen.error.strip()
    expected = {name: case.facts[name] for name in ("format", "parameters", "macs") if name in case.facts}
    totals = seen.data["totals"]
    found = {"format": seen.data["format"], "parameters": totals["parameters"], "macs": totals["macs"]}
    return "; ".join(f"{name} {found[name]}, not {value}" for name, value in expected.items() if found[name] != value)


def cells(case: Case, seen: Seen, fault: str) -> str:
    """One line of the table."""
    totals = seen.data.get("totals", {})
    graph = any(row["nodes"] for row in seen.data.get("rows", ()))
    macs = f"{totals['macs']:,}" if graph else "–" if totals else ""
    end = fault or (f"as expected: {case.refused}" if case.refused else "as expected")
    return (
        f"{case.package[:20]:20}  {case.path.name[-34:]:34}  {seen.data.get('format', ''):17}  {seen.seconds:5.2f}  "
        f"{seen.weight / 1e6:5.0f}  {totals['parameters'] if totals else '':>12,}  {macs:>13}  {end}"
        if totals
        else f"{case.package[:20]:20}  {case.path.name[-34:]:34}  {'':17}  {seen.seconds:5.2f}  "
        f"{seen.weight / 1e6:5.0f}  {'':>12}  {'':>13}  {end}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.corpus_table", description=__doc__)
    parser.add_argument("packages", nargs="*", help="only these")
    parser.add_argument("--all", action="store_true", help="print every file")
    args = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    print(f"{'Package':20}  {'File':34}  {'Format':17}  {'s':>5}  {'MB':>5}  {'Parameters':>12}  {'Multiply-adds':>13}")
    right = total = hidden = 0
    longest = heaviest = 0.0
    for case in cases():
        if args.packages and case.package not in args.packages:
            continue
        seen = summary(case.path)
        fault = wrong(case, seen)
        total, right = total + 1, right + (not fault)
        longest, heaviest = max(longest, seen.seconds), max(heaviest, seen.weight)
        if fault or args.all or case.facts or not case.many:
            print(cells(case, seen, fault), flush=True)
        else:
            hidden += 1
    if hidden:
        print(f"… and {hidden} more of ONNX's own models and tensors, as expected")
    print(f"Longest {longest:.2f} s, heaviest worker {heaviest / 1e6:.0f} MB.")
    print(f"{right} of {total} as tests/corpus.toml expects.")
    return 0 if right == total else 1


if __name__ == "__main__":
    sys.exit(main())
