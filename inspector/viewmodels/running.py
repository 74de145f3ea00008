"""One job at a time, as a panel follows it: how far it is, how it ended, and a way to stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from inspector.jobs.recipe import Recipe

if TYPE_CHECKING:
    from inspector.jobs.desk import Desk
    from inspector.jobs.job import Outcome

ASKING = "Looking for devices"
"""Title of the one job that nobody asks for by name."""


class Running(QObject):
    """Follows the job that was started last; what other jobs say is not heard.

    Signals:
        changed: Fraction, words or liveness.
        ended: The Outcome.
    """

    changed = Signal()
    ended = Signal(object)

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.job = ""
        self.fraction: float | None = None
        self.words = ""
        desk.started.connect(self._on_started)
        desk.progressed.connect(self._on_progressed)
        desk.ended.connect(self._on_ended)

    @property
    def live(self) -> bool:
        """Whether a job is waiting or running."""
        return bool(self.job)

    def start(self, title: str, recipe: Recipe[Any], *, exclusive: bool = False) -> None:
        """Hand a job in; one at a time."""
        assert not self.job, "a job is running already"
        self.fraction, self.words = None, "Waiting for its turn"
        self.job = self._desk.submit(title, recipe, exclusive=exclusive)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop it; `ended` follows within a second."""
        if self.job:
            self.words = "Stopping"
            self.changed.emit()
            self._desk.cancel(self.job)

    def _on_started(self, job: str) -> None:
        self._on_progressed(job, None, "Starting")

    def _on_progressed(self, job: str, fraction: float | None, words: str) -> None:
        if job == self.job:
            self.fraction, self.words = fraction, words or self.words
            self.changed.emit()

    def _on_ended(self, job: str, outcome: Outcome) -> None:
        if job == self.job:
            self.job = ""
            self.changed.emit()
            self.ended.emit(outcome)
