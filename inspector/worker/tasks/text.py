"""One of the texts that the open model carries: code, documentation, a licence."""

from __future__ import annotations

import msgspec

from inspector.ir.text import TEXT_LIMIT, inert
from inspector.worker.tasks._document import document
from inspector.worker.tasks._task import Context, Task


class TextArgs(msgspec.Struct, frozen=True):
    """Which text, by its name in the overview."""

    name: str


class Text(msgspec.Struct, frozen=True):
    """A text, made inert and cut at two million characters."""

    name: str
    text: str


def run(args: TextArgs, context: Context) -> Text:
    """Give it."""
    return Text(inert(args.name), inert(document(context).text(args.name), TEXT_LIMIT, lines=True))


TASK = Task("text", TextArgs, Text, run)
