"""Reading a model again with other shapes of its inputs, beside what is shown.

A fresh worker reads it and works everything out; only then it takes the place of the one whose figures are on show. So
all that is shown is answered meanwhile, and giving up costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from inspector.engines.summary.rows import Overview
from inspector.errors import InspectorError
from inspector.viewmodels.following import failed, remarked
from inspector.viewmodels.sizes import Sizes
from inspector.worker.tasks.follow import TASK as FOLLOW
from inspector.worker.tasks.follow import FollowArgs, Followed
from inspector.worker.tasks.open import TASK as OPEN
from inspector.worker.tasks.open import OpenArgs

if TYPE_CHECKING:
    from inspector.viewmodels.document import DocumentModel

FIRST = "Getting ready"
FIGURES = "Working out shapes and figures"


class Rereading(QObject):
    """Another reading of one document.

    Signals:
        changed: What is being done, or how far it is.
        read: The overview and its sizes, once a fresh worker has all of them and is the document's.
        failed: Why the model cannot be had with these shapes; the worker of the document is the one that it was.
    """

    changed = Signal()
    read = Signal(object, object)
    failed = Signal(object)

    def __init__(self, document: DocumentModel) -> None:
        super().__init__(document)
        self._worker = document.worker
        self.step = ""
        """What is being done; empty where nothing is."""
        self.share: float | None = None
        """How much of the figures is worked out, 0 … 1; None where that cannot be said."""
        self._first: Overview | None = None
        self._worker.renewing.connect(self._on_step)

    def begin(self, args: OpenArgs, sizes: Sizes) -> None:
        """Read it; what was being read before is given up."""
        self._first = None
        self._say(FIRST)
        self._worker.renew(OPEN, args, lambda answer: self._on_read(answer, sizes), self._on_failed, self._go_on)

    def stop(self) -> None:
        """Give up."""
        if self.step:
            self._worker.dismiss()
            self.end()

    def end(self) -> None:
        """Nothing is being read any more."""
        if self.step:
            self._say("")

    def _on_step(self, words: str) -> None:
        if self.step:
            self._say(words)

    def _go_on(self, answer: Any) -> tuple[Any, Any] | None:
        """What is to be asked after this answer: how the figures of a very large model go on."""
        if isinstance(answer, Followed):
            self._say(FIGURES, answer.share)
            return None if answer.done else (FOLLOW, FollowArgs())
        self._first = answer
        return (FOLLOW, FollowArgs()) if answer.follows else None

    def _on_read(self, answer: Any, sizes: Sizes) -> None:
        overview = answer.overview if isinstance(answer, Followed) else answer
        if overview is None:
            assert self._first is not None
            overview = remarked(self._first, failed(answer.trouble))
        self.end()
        self.read.emit(overview, sizes)

    def _on_failed(self, error: InspectorError) -> None:
        self.end()
        self.failed.emit(error)

    def _say(self, step: str, share: float | None = None) -> None:
        self.step, self.share = step, share
        self.changed.emit()
