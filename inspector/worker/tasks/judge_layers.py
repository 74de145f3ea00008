"""Compare what is computed inside two models for the same feed."""

from __future__ import annotations

import msgspec

from inspector.engines.parity.layers import Layers, judge_layers
from inspector.engines.parity.taps import Tap
from inspector.worker.tasks._task import Context, Task


class JudgeLayersArgs(msgspec.Struct, frozen=True, kw_only=True):
    """Values with their files; the fields are the arguments of `judge_layers` in engines/parity/layers."""

    a: tuple[Tap, ...]
    b: tuple[Tap, ...]
    moved: tuple[Tap, ...] = ()
    numbers_a: str = ""
    numbers_b: str = ""
    rtol: float | None = None
    atol: float | None = None


def run(args: JudgeLayersArgs, context: Context) -> Layers:
    """Pair them and judge."""
    context.report(None, "Comparing layer by layer")
    numbers = (args.numbers_a, args.numbers_b)
    return judge_layers(args.a, args.b, args.moved, numbers=numbers, rtol=args.rtol, atol=args.atol)


TASK = Task("judge_layers", JudgeLayersArgs, Layers, run)
