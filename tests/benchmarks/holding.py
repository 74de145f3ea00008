"""How long the window is held at most while it opens, lays out, converts and reads again: `test_heartbeat` in figures.

The scenes are those of the test, driven in the real window; here their figures are printed beside the goal.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.harness import ROOT, Figure
from tests.gui.test_heartbeat import TOLD


def figures() -> list[Figure]:
    """One figure a scene, in milliseconds of the window's own computing."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "holds.jsonl"
        command = [sys.executable, "-m", "pytest", "-q", "tests/gui/test_heartbeat.py"]
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | {TOLD: str(told)}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stdout[-3000:])
        holds = [json.loads(line) for line in told.read_text(encoding="utf-8").splitlines()]
    return [Figure(_words(name), held * 1000, "ms", "≤ 100 ms") for name, held in holds]


def _words(name: str) -> str:
    """The scene, from the name of its test."""
    words = name.removeprefix("test_").replace("_", " ").replace("[", ": ").replace("]", "")
    return words.replace(" does not hold the window", "").replace(" do not hold the window", "")
