"""Run one edge of a route."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from inspector.engines.convert.edge import Step, edges
from inspector.engines.convert.options import decode
from inspector.errors import ConversionError
from inspector.needs import version_of
from inspector.worker.tasks._task import Context, Task


class ConvertStepArgs(msgspec.Struct, frozen=True):
    """What to run.

    Attributes:
        edge: Id of the edge.
        source: File or folder to read.
        target: Where the result goes; beneath the worker's private folder.
        options: Of the edge, as plain data.
        shapes: Sizes of inputs by name, for sources that do not say.
    """

    edge: str
    source: str
    target: str
    options: dict[str, Any] = {}
    shapes: dict[str, tuple[int | str, ...]] = {}


class ConvertedStep(msgspec.Struct, frozen=True):
    """What came of it.

    Attributes:
        facts: What the edge found worth recording.
        version: Of the tool and what it stands on.
        files: Names of what was written, beside the target; the target itself first.
    """

    facts: dict[str, str]
    version: str
    files: tuple[str, ...]


def run(args: ConvertStepArgs, context: Context) -> ConvertedStep:
    """Convert, and see that there is a result."""
    edge, target = edges()[args.edge], Path(args.target)
    step = Step(Path(args.source), target, decode(edge, args.options), dict(args.shapes), context.report)
    facts = edge.run(step)
    if not target.exists():
        raise ConversionError(f"{edge.tool} ended without writing a result.", "See the log for what it said.")
    beside = sorted(path.name for path in target.parent.iterdir() if path.name.startswith(target.name))
    files = (target.name, *(name for name in beside if name != target.name))
    version = ", ".join(f"{name} {version_of(name)}" for name in edge.packages if version_of(name))
    return ConvertedStep(facts, version, files)


TASK = Task("convert_step", ConvertStepArgs, ConvertedStep, run)
