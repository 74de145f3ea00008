"""`python -m tests.benchmarks [NAME…]`: the machine, then each module's figures beside their references.

Nothing here fails: what goes wrong becomes a line of the table.
"""

from __future__ import annotations

import os
import sys
import time
from importlib import import_module
from pkgutil import iter_modules

import tests.benchmarks
from tests.benchmarks.harness import Figure, machine, show

NOT_MEASURED = {"harness", "models", "big_models", "__main__"}

LONG = {"big"}
"""Measured only where they are named: they take minutes."""


def names() -> list[str]:
    """The modules that measure."""
    return [found.name for found in iter_modules(tests.benchmarks.__path__) if found.name not in NOT_MEASURED]


def measure(name: str) -> tuple[list[Figure], str]:
    """The figures of a module, and what went wrong."""
    try:
        return import_module(f"tests.benchmarks.{name}").figures(), ""
    except Exception as error:
        words = [line for line in str(error).splitlines() if line.strip()]
        return [], f"{type(error).__name__}: {words[-1].strip() if words else ''}"


def main(wanted: list[str]) -> int:
    """Measure what is wanted, everything by default; the status is 0 whatever is found."""
    unknown = [name for name in wanted if name not in names()]
    if unknown:
        print(f"There is no benchmark named {unknown[0]}; there are: {', '.join(names())}.")
    print(machine())
    for name in [each for each in names() if each in wanted or (not wanted and each not in LONG)]:
        began, load = time.perf_counter(), os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        figures, trouble = measure(name)
        print(f"\n{name}  ({time.perf_counter() - began:.0f} s, load {load:.1f} before)", flush=True)
        show(figures)
        if trouble:
            print(f"not measured: {trouble}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
