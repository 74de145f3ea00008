"""Place a folded graph: a pure function, done in the layout worker because layout engines can hang or crash."""

from __future__ import annotations

from typing import Literal

import msgspec

from inspector.engines.layout.place import place
from inspector.engines.layout.scene import Folded, Placed
from inspector.worker.tasks._task import Context, Task


class PlaceArgs(msgspec.Struct, frozen=True, kw_only=True):
    """What to place, and which way it runs."""

    folded: Folded
    orientation: Literal["vertical", "horizontal"] = "vertical"


def run(args: PlaceArgs, context: Context) -> Placed:
    """Place it."""
    context.report(None, f"Laying out {len(args.folded.boxes):,} boxes")
    return place(args.folded, args.orientation)


TASK = Task("place", PlaceArgs, Placed, run)
