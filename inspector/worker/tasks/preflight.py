"""Say what an edge cannot convert, before it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from inspector.engines.convert.edge import edges
from inspector.engines.convert.options import decode
from inspector.worker.tasks._task import Context, Task


class PreflightArgs(msgspec.Struct, frozen=True):
    """Which edge, on what, with which options."""

    edge: str
    source: str
    options: dict[str, Any] = {}


class Preflight(msgspec.Struct, frozen=True):
    """What stands in the way, one sentence each; empty when nothing is known to."""

    obstacles: tuple[str, ...]


def run(args: PreflightArgs, context: Context) -> Preflight:
    """Ask the edge."""
    edge = edges()[args.edge]
    context.report(None, f"Looking for what {edge.tool} cannot convert")
    return Preflight(edge.preflight(Path(args.source), decode(edge, args.options)))


TASK = Task("preflight", PreflightArgs, Preflight, run)
