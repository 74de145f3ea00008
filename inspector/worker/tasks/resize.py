"""Other sizes of a large model: its figures are worked out beside all that is asked meanwhile, and may be given up."""

from __future__ import annotations

import msgspec

from inspector.worker.tasks._document import document
from inspector.worker.tasks._task import Context, Task

PATIENCE = 0.2
"""Seconds that an ask waits for the end: other asks are answered between two of them."""


class ResizeArgs(msgspec.Struct, frozen=True):
    """Sizes of named dimensions, all of them; `stop` gives up what is being worked out."""

    dims: dict[str, int] = {}
    stop: bool = False


class Resized(msgspec.Struct, frozen=True):
    """How far it is.

    Attributes:
        done: The rows of these sizes can be asked for, and come at once.
        share: How much is done, 0 … 1.
        trouble: Why there are no figures for these sizes; empty where all goes well.
    """

    done: bool
    share: float = 1.0
    trouble: str = ""


def run(args: ResizeArgs, context: Context) -> Resized:
    """Go on, or say that it is done; to be asked again until it is.

    Of a model whose first figures are still to follow, those of these sizes follow instead.
    """
    opened = document(context)
    if args.stop:
        opened.keep_sizes()
        return Resized(True)
    if opened.settling is not None:
        opened.resettle(args.dims)
        return Resized(True)
    resizing = opened.resize(args.dims)
    if resizing is None:
        return Resized(True)
    if not resizing.wait(PATIENCE):
        return Resized(False, resizing.share)
    if resizing.result is None:
        opened.keep_sizes()
        return Resized(True, trouble=resizing.trouble)
    opened.resized(resizing.result)
    return Resized(True)


TASK = Task("resize", ResizeArgs, Resized, run)
"""Asked for again and again while the window goes on."""
