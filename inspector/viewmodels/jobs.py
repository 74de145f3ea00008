"""Jobs as the jobs dock and the status bar show them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, Signal

from inspector.jobs.desk import Desk
from inspector.jobs.job import Outcome
from inspector.viewmodels.running import ASKING

LOG_KEPT = 200_000
"""Characters of a job's log that are kept: the end of it is what tells."""


@dataclass(slots=True)
class JobLine:
    """One job. `state` is queued, running, done, failed or cancelled."""

    id: str
    title: str
    state: str = "queued"
    fraction: float | None = None
    words: str = "Waiting for its turn"
    log: str = ""
    outcome: Outcome | None = field(default=None)

    @property
    def live(self) -> bool:
        """Whether it can still be cancelled."""
        return self.state in {"queued", "running"}

    @property
    def telling(self) -> bool:
        """Whether its end is news: nobody asked for the devices, and the compare page shows what was found."""
        return not self.live and not (self.state == "done" and self.title == ASKING)


class JobsModel(QObject):
    """Every job since the window opened, the newest last."""

    added = Signal(str)
    changed = Signal(str)
    removed = Signal(str)

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lines: dict[str, JobLine] = {}
        self._desk = desk
        desk.queued.connect(self._on_queued)
        desk.started.connect(self._on_started)
        desk.progressed.connect(self._on_progressed)
        desk.logged.connect(self._on_logged)
        desk.ended.connect(self._on_ended)

    def live(self) -> list[JobLine]:
        """Those that wait or run."""
        return [line for line in self.lines.values() if line.live]

    def cancel(self, job: str) -> None:
        """Stop one."""
        self._desk.cancel(job)

    def clear(self) -> None:
        """Forget those that have ended."""
        for job in [job for job, line in self.lines.items() if not line.live]:
            del self.lines[job]
            self.removed.emit(job)

    def _on_queued(self, job: str, title: str) -> None:
        self.lines[job] = JobLine(job, title)
        self.added.emit(job)

    def _on_started(self, job: str) -> None:
        self._set(job, state="running", words="Starting")

    def _on_progressed(self, job: str, fraction: float | None, words: str) -> None:
        self._set(job, fraction=fraction, words=words)

    def _on_logged(self, job: str, text: str) -> None:
        if job in self.lines:
            self.lines[job].log = (self.lines[job].log + text)[-LOG_KEPT:]

    def _on_ended(self, job: str, outcome: Outcome) -> None:
        words = {"done": "Done", "cancelled": "Cancelled"}.get(outcome.state, outcome.what or "Failed")
        fraction = 1.0 if outcome.state == "done" else None
        self._set(job, state=outcome.state, words=words, outcome=outcome, fraction=fraction)

    def _set(self, job: str, **what: Any) -> None:
        line = self.lines.get(job)
        if line is not None:
            for name, value in what.items():
                setattr(line, name, value)
            self.changed.emit(job)
