"""Builds a model in a process of its own and asks `inspector summary`, in its worker, what each file has."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.comparison.expected import Expected, expected
from tests.comparison.reference import FULL, MODELS, SMALL

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "comparison"


@dataclass(frozen=True)
class Line:
    """One file.

    Attributes:
        model: Name of the architecture.
        framework: Who wrote the file: torch or keras.
        format: In the table's words.
        parameters: As Inspector counts them.
        macs: Likewise; None for files of weights alone.
        library: Half of what torch's counter calls FLOPs; 0 for Keras, which counts none.
        stored: Parameters as the framework itself counts them, buffers included.
        wanted: What the file has by arithmetic, with the reason where that is not what the model has.
        error: What `inspector summary` says where it does not open the file.
    """

    model: str
    framework: str
    format: str
    parameters: int
    macs: int | None
    complete: bool
    library: int
    stored: int
    wanted: Expected
    error: str = ""

    @property
    def written(self) -> bool:
        """Whether there is such a file at all."""
        return self.wanted.macs > 0

    @property
    def deviation(self) -> float | None:
        """Of the multiply-adds from arithmetic, as a fraction."""
        return None if self.macs is None else self.macs / self.wanted.macs - 1

    @property
    def from_library(self) -> float | None:
        """Of the multiply-adds from half of what torch's counter says."""
        return None if self.macs is None or self.framework != "torch" else self.macs / self.library - 1

    @property
    def right(self) -> bool:
        """Parameters to the last weight and multiply-adds within 1 % of both references."""
        near = [each for each in (self.deviation, self.from_library) if each is not None]
        counted = self.macs is not None or self.wanted.weights_alone
        if self.error:
            return False
        return self.parameters == self.wanted.parameters and counted and all(abs(each) <= 0.01 for each in near)


def lines(framework: str, model: str, *, small: bool, keep: bool = False, only: Sequence[str] = ()) -> Iterator[Line]:
    """Every file of one model, or those of some formats; the files are removed afterwards.

    Args:
        framework: torch or keras.
        model: Name of the architecture.
        small: Fewer and thinner layers.
        keep: Do not remove them, and take those that are there.
        only: Formats to write; none for all.
    """
    folder = BUILD / f"{framework}-{model.replace('/', '-')}{'-small' if small else ''}"
    if not (keep and (folder / "facts.json").exists()):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        command = [sys.executable, "-m", f"tests.comparison.build_{framework}", model, str(folder)]
        done = subprocess.run(
            [*command, *(["--small"] if small else []), *only],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=3600,
        )
        if done.returncode:
            raise RuntimeError(f"{framework} could not write {model}: {done.stderr[-3000:]}")
    facts = json.loads((folder / "facts.json").read_text())
    sizes = SMALL if small else FULL
    reference = MODELS[model](sizes, framework == "keras")
    for words, file in facts["files"].items():
        totals = summary(folder / file)
        library, stored = facts["library"], facts["parameters"]
        wanted = expected(words, reference, model, sizes)
        if isinstance(totals, str):
            yield Line(model, framework, words, 0, None, False, library, stored, wanted, totals)
            continue
        macs = None if wanted.weights_alone else totals["macs"]
        yield Line(
            model, framework, words, totals["parameters"], macs, bool(totals["complete"]), library, stored, wanted
        )
    for words, reason in facts.get("left out", {}).items():
        yield Line(model, framework, words, 0, None, False, 0, 0, Expected(0, 0), reason)
    if not keep:
        shutil.rmtree(folder)


def summary(path: Path) -> dict[str, int] | str:
    """The totals, as the command line says them, or its error."""
    command = [sys.executable, "-m", "inspector", "summary", str(path), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        return done.stderr.strip().replace("\n", " ")[:300]
    totals: dict[str, int] = json.loads(done.stdout)["totals"]
    return totals
