"""What follows the quick opening of a very large model: shapes, multiply-adds, modules, all rows."""

from __future__ import annotations

import msgspec

from inspector.engines.summary.overview import overview
from inspector.engines.summary.rows import Overview
from inspector.worker.tasks._document import Document, document
from inspector.worker.tasks._task import Context, Task
from inspector.worker.tasks.open import beside

PATIENCE = 0.2
"""Seconds that an ask waits for the end: other asks are answered between two of them."""


class FollowArgs(msgspec.Struct, frozen=True):
    """Nothing needs to be said."""


class Followed(msgspec.Struct, frozen=True):
    """How far it is.

    Attributes:
        done: Nothing more follows.
        share: How much is done, 0 … 1.
        overview: Of the model with all that has followed; None where nothing has, or nothing did.
        trouble: Why nothing follows; empty where all went well.
    """

    done: bool
    share: float = 1.0
    overview: Overview | None = None
    trouble: str = ""


def run(args: FollowArgs, context: Context) -> Followed:
    """Go on, or say that it is done; to be asked again until it is."""
    opened = document(context)
    settling = opened.settling
    if settling is None:
        return Followed(True)
    if not settling.wait(PATIENCE):
        return Followed(False, settling.share)
    if settling.result is None:
        opened.settling = None
        return Followed(True, trouble=settling.trouble)
    opened.settled(settling.result)
    return Followed(True, overview=said(opened))


def said(opened: Document) -> Overview:
    """The overview of what is open."""
    assert opened.chosen is not None
    source = opened.source
    whole = overview(
        opened.chosen, file=source.name, size=source.size, title=opened.format.title, seconds=opened.seconds
    )
    return msgspec.structs.replace(whole, beside=beside(source, opened.model))


TASK = Task("follow", FollowArgs, Followed, run)
"""Asked for again and again while the window goes on."""
