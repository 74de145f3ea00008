"""Weights of the open model that have equal values, looked for a step at a time, so that other asks go in between.

Who asks goes on asking until it is done, and stops it by asking no more.
"""

from __future__ import annotations

from typing import Any

import msgspec
from numpy.typing import NDArray

from inspector.engines.summary.repeats import Repeats, Search, in_order
from inspector.ir import Tensor
from inspector.worker.tasks._document import Document, document
from inspector.worker.tasks._task import Context, Task

KEY, RESULT = "repeats", "repeats found"
MOST_BYTES, MOST_SECONDS = 2 << 30, 20.0
"""What is read, and how long is worked, without being asked for more."""
STEP = 0.05
"""Seconds of one step."""


class RepeatsArgs(msgspec.Struct, frozen=True):
    """How far to go.

    Attributes:
        begin: Start anew, with these limits.
        most_bytes: Bytes read in all.
        most_seconds: Seconds worked in all.
        step: Seconds worked before this ask is answered.
    """

    begin: bool = False
    most_bytes: int = MOST_BYTES
    most_seconds: float = MOST_SECONDS
    step: float = STEP


EVERYTHING = RepeatsArgs(begin=True, most_bytes=1 << 60, most_seconds=1e9)
"""What is asked where somebody wants no limits."""


class Repeated(msgspec.Struct, frozen=True):
    """How far it is: `share` of the work, 0 … 1, and in words what is being done; what was found once it is done."""

    done: bool
    share: float = 1.0
    doing: str = ""
    found: Repeats = Repeats()


def run(args: RepeatsArgs, context: Context) -> Repeated:
    """Do one step."""
    opened = document(context)
    if args.begin:
        opened.kept.pop(RESULT, None)
        opened.kept[KEY] = _search(opened, args)
    if RESULT in opened.kept:
        return Repeated(True, found=opened.kept[RESULT])
    search: Search = opened.once(KEY, lambda: _search(opened, args))
    if not search.go_on(args.step):
        return Repeated(False, search.share, search.doing)
    del opened.kept[KEY]
    opened.kept[RESULT] = search.result(in_order(opened.figures()))
    return Repeated(True, found=opened.kept[RESULT])


def _search(opened: Document, args: RepeatsArgs) -> Search:
    by_part = opened.format.fetch_part

    def part(tensor: Tensor, start: int, count: int) -> NDArray[Any] | None:
        if by_part is None:
            return None
        found: NDArray[Any] | None = opened.guarded(tensor, lambda: by_part(opened.source, tensor, start, count))
        return found

    return Search(opened.model.tensors, part, opened.fetched, args.most_bytes, args.most_seconds)


TASK = Task("repeats", RepeatsArgs, Repeated, run)
