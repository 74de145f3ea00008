"""Weights of one document that repeat the values of others: looked for once the table is full, a step at a time."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from inspector.engines.summary.repeats import Repeats
from inspector.engines.summary.repeats_words import distinct, relation, sentence
from inspector.errors import InspectorError, WorkerDied
from inspector.viewmodels import words
from inspector.worker.tasks.repeats import EVERYTHING, Repeated, RepeatsArgs
from inspector.worker.tasks.repeats import TASK as REPEATS

if TYPE_CHECKING:
    from inspector.viewmodels.document import DocumentModel

LISTED = 20
"""Repeats that a tooltip names."""
RULE = (
    "The first number is what the file declares; of weights with the same values the second counts one. Weights of one "
    "dimension, of fewer than 1,024 elements or of a single value are not compared."
)


class Phase(StrEnum):
    """How far the search is."""

    WAITING = "waiting"
    """For the table."""
    LOOKING = "looking"
    DONE = "done"
    STOPPED = "stopped"
    """By the user."""
    FAILED = "failed"


class RepeatsModel(QObject):
    """What is known of repeated weights."""

    changed = Signal()
    """Phase, progress or what was found."""

    def __init__(self, document: DocumentModel) -> None:
        super().__init__(document)
        self._document = document
        self.phase = Phase.WAITING
        self.found = Repeats()
        self._progress = self._trouble = ""
        self._ask = 0
        document.state_changed.connect(self._on_state)
        document.restarted.connect(self._reset)
        document.rows_changed.connect(self._on_news)
        document.overview_changed.connect(self._on_news)
        document.closed.connect(self._reset)

    # What the user may do

    def begin(self, *, everything: bool = True) -> None:
        """Look for repeats, without limits unless told so."""
        self._document.drop(self._ask)
        self.phase, self._progress, self._trouble = Phase.LOOKING, "", ""
        self.changed.emit()
        self._step(EVERYTHING if everything else RepeatsArgs(begin=True))

    def stop(self) -> None:
        """Stop; what was found before stays."""
        if self.phase is Phase.LOOKING:
            self._document.drop(self._ask)
            self.phase = Phase.STOPPED
            self.changed.emit()

    # What is said

    @property
    def text(self) -> str:
        """A sentence for every phase; empty while nothing has been compared."""
        if self.phase is Phase.LOOKING:
            return self._progress
        if self.phase is Phase.STOPPED:
            return "Weights were not compared with each other."
        if self.phase is Phase.FAILED:
            return f"Weights could not be compared with each other: {self._trouble}"
        return sentence(self.found, self._document.totals.parameters) if self.phase is Phase.DONE else ""

    @property
    def tip(self) -> str:
        """The first repeats, one a line, and what counts as one."""
        if self.phase is not Phase.DONE:
            return ""
        listed, turned = list(self.found.pairs.items())[:LISTED], frozenset(self.found.turned)
        lines = [f"{name} = {other}{' transposed' * (name in turned)}" for name, other in listed]
        more = self.found.weights - len(lines)
        return words.tip("\n".join([*lines, *([f"and {more:,} more"] if more else []), RULE]))

    @property
    def offer(self) -> str:
        """What the button says: to cancel, to compare; empty where there is nothing to do."""
        if self.phase is Phase.LOOKING:
            return "Cancel" if self._progress else ""
        again = self.phase in {Phase.STOPPED, Phase.FAILED} or bool(self.found.beyond)
        return "Compare all" if again and self.phase is not Phase.WAITING else ""

    @property
    def distinct(self) -> int | None:
        """Parameters with repeats counted once; None where no weight repeats another, as far as is known."""
        return distinct(self.found, self._document.totals.parameters) if self.found.weights else None

    def words_of(self, name: str) -> str:
        """`same values as wte.weight`, or for that one whose values they are; empty for all others."""
        others = [each for each, first in self.found.pairs.items() if first == name] if self.found.pairs else []
        if others:
            start = "transposed copy of" if all(each in self.found.turned for each in others) else "same values as"
            return f"{start} {', '.join(others[:3])}{' …' if len(others) > 3 else ''}"
        return relation(name, self.found)

    # Asking

    def _on_state(self) -> None:
        if self._document.is_reading:
            self._reset()

    def _reset(self) -> None:
        self._document.drop(self._ask)
        self.phase, self.found, self._progress = Phase.WAITING, Repeats(), ""
        self._document.layers.set_repeats(self.found)
        self.changed.emit()

    def _on_news(self) -> None:
        QTimer.singleShot(0, self, self._look)  # not before the document has asked for what comes first

    def _look(self) -> None:
        if self.phase is Phase.WAITING and self._document.complete and self._document.totals.parameters:
            self.begin(everything=False)

    def _step(self, args: RepeatsArgs) -> None:
        self._ask = self._document.ask(REPEATS, args, self._on_step, self._on_failed)

    def _on_step(self, step: Repeated) -> None:
        if step.done:
            self.phase, self.found = Phase.DONE, step.found
            self._document.layers.set_repeats(step.found)
        else:
            self._progress = f"{step.doing} … {words.percent(step.share)}"
            self._step(RepeatsArgs())
        self.changed.emit()

    def _on_failed(self, error: InspectorError) -> None:
        self.phase = Phase.STOPPED if isinstance(error, WorkerDied) else Phase.FAILED
        self._trouble = error.what
        self.changed.emit()
