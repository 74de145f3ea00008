"""Fakes by hand that tests of the window share."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QObject, Signal

from inspector.jobs.job import Outcome


class FakeDesk(QObject):
    """Runs nothing: keeps what was submitted and says what the test tells it to say."""

    queued = Signal(str, str)
    started = Signal(str)
    progressed = Signal(str, object, str)
    logged = Signal(str, str)
    ended = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[str, tuple[str, Any, bool]] = {}

    def submit(self, title: str, recipe: Any, *, exclusive: bool = False) -> str:
        job = f"job-{len(self.jobs) + 1}"
        self.jobs[job] = (title, recipe, exclusive)
        self.queued.emit(job, title)
        return job

    def cancel(self, job: str) -> None:
        self.ended.emit(job, Outcome("cancelled"))

    @property
    def last(self) -> str:
        return list(self.jobs)[-1]

    def end(self, result: Any) -> None:
        self.ended.emit(self.last, Outcome("done", result))

    def fail(self, what: str, hint: str = "", details: str = "") -> None:
        self.ended.emit(self.last, Outcome("failed", what=what, hint=hint, details=details))


@pytest.fixture
def desk() -> FakeDesk:
    """A desk that runs nothing."""
    return FakeDesk()
