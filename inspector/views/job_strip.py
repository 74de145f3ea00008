"""The status bar's left end: the job that runs, how far it is, Cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QProgressBar, QSizePolicy, QWidget

from inspector.views.pieces import Elided, button, row

if TYPE_CHECKING:
    from inspector.viewmodels.jobs import JobLine, JobsModel


SHOWN_MS = 6000
"""How long the words of a job that ended well stay."""


def progress_bar() -> QProgressBar:
    """A thin bar; without a fraction it shows that something is going on."""
    made = QProgressBar()
    made.setTextVisible(False)
    made.setFixedHeight(6)
    return made


def show_fraction(bar: QProgressBar, job: JobLine) -> None:
    """Set a bar to a job's fraction."""
    known = job.fraction is not None
    bar.setRange(0, 1000 if known or not job.live else 0)
    bar.setValue(round((job.fraction or 0.0) * 1000))


class JobStrip(QWidget):
    """The job that matters now."""

    opened = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs: JobsModel | None = None
        self._id = ""
        self.open_button = button("Jobs", self.opened.emit, quiet=True, icon="checklist")
        self.open_button.setToolTip("Show the jobs")
        self.words = Elided("", "caption")  # titles hold names of files: they must not make the window wider
        self.words.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.words.setMaximumWidth(560)
        self.bar = progress_bar()
        self.bar.setFixedWidth(128)
        self.cancel = button("Cancel", self._on_cancel, quiet=True)
        self._forget = QTimer(self, singleShot=True, interval=SHOWN_MS)
        self._forget.timeout.connect(lambda: self._on_changed(""))
        self.setLayout(row(self.open_button, self.words, self.bar, self.cancel, 0, spacing=8, margins=(8, 0, 0, 0)))
        self._refresh()

    def set_jobs(self, jobs: JobsModel) -> None:
        """Follow these jobs."""
        self._jobs = jobs
        jobs.added.connect(lambda _id: self._refresh())
        jobs.changed.connect(self._on_changed)

    def _on_changed(self, id: str) -> None:
        self._id = id
        self._refresh()

    def _refresh(self) -> None:
        live = self._jobs.live() if self._jobs else []
        running = [job for job in live if job.state == "running"]
        job = next(iter(running or live), None)
        if job is not None:
            waiting = f"   ·   {len(live) - 1} more" if len(live) > 1 else ""
            self.words.setText(f"{job.title}: {job.words}{waiting}")
            show_fraction(self.bar, job)
        else:
            last = self._jobs.lines.get(self._id) if self._jobs else None
            self.words.setText(f"{last.title}: {last.words}" if last is not None and last.telling else "")
            if last is not None and last.state != "failed":
                self._forget.start()
        self.bar.setVisible(job is not None)
        self.cancel.setVisible(job is not None)

    def _on_cancel(self) -> None:
        live = self._jobs.live() if self._jobs else []
        for job in live[:1]:
            assert self._jobs is not None
            self._jobs.cancel(job.id)
