"""The jobs dock: a card for each job."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QPlainTextEdit, QScrollArea, QStackedLayout, QVBoxLayout, QWidget

from inspector.viewmodels import words
from inspector.viewmodels.jobs import JobsModel
from inspector.views import look
from inspector.views.error_box import as_text, copy
from inspector.views.job_strip import progress_bar, show_fraction
from inspector.views.pieces import Elided, EmptyPane, Picture, button, column, line, row, tool

ICONS = {
    "queued": ("clock", "muted"),
    "running": ("sync", "link"),
    "done": ("pass-filled", "good"),
    "failed": ("error", "bad"),
    "cancelled": ("circle-slash", "muted"),
}


class JobCard(QWidget):
    """One job: title, words, progress, Cancel, log."""

    def __init__(self, jobs: JobsModel, id: str) -> None:
        super().__init__()
        self._jobs, self._id = jobs, id
        self._picture = row(spacing=0)
        self.title, self.words = Elided("", "heading"), Elided("", "caption", Qt.TextElideMode.ElideRight)
        self.bar = progress_bar()
        self.bar.setFixedWidth(160)
        self.cancel = button("Cancel", lambda: jobs.cancel(id))
        self.cancel.setAccessibleName("Cancel the job")
        self.details = button("Log", self._toggle, quiet=True)
        self.copy_button = tool("copy", "Copy the error with its details", self._copy)
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setFont(look.mono_font(0.92))
        self.log.setFixedHeight(160)
        self.log.setAccessibleName("Log")
        self.log.hide()
        texts = column(self.title, self.words, spacing=2)
        head = row(self._picture, spacing=12)
        head.addLayout(texts, 1)
        for widget in (self.bar, self.copy_button, self.details, self.cancel):
            head.addWidget(widget)
        self.setLayout(column(head, self.log, spacing=8, margins=(16, 8, 16, 8)))
        self.refresh()

    def refresh(self) -> None:
        """Show how the job stands."""
        job = self._jobs.lines[self._id]
        while (item := self._picture.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        icon, tint = ICONS[job.state]
        self._picture.addWidget(Picture(look.icon(icon, tint), 16))
        self.title.setText(job.title)
        took = f"   ·   {words.seconds(job.outcome.seconds)}" if job.outcome else ""
        hint = f" {job.outcome.hint}" if job.outcome and job.state == "failed" else ""
        self.words.setText(job.words + hint + took)
        self.setAccessibleName(f"{job.title}: {job.state}, {job.words}")
        show_fraction(self.bar, job)
        self.bar.setVisible(job.live)
        self.cancel.setVisible(job.live)
        self.copy_button.setVisible(job.state == "failed")
        if self.log.isVisible():
            self._fill_log()

    def _toggle(self) -> None:
        self.log.setVisible(not self.log.isVisible())
        if self.log.isVisible():
            self._fill_log()

    def _fill_log(self) -> None:
        job = self._jobs.lines[self._id]
        details = job.outcome.details if job.outcome else ""
        text = "\n".join(part for part in (job.log, details) if part) or "Nothing was logged."
        if text != self.log.toPlainText():
            self.log.setPlainText(text)
            self.log.verticalScrollBar().setValue(self.log.verticalScrollBar().maximum())

    def _copy(self) -> None:
        job = self._jobs.lines[self._id]
        if job.outcome is not None:
            copy(as_text(f"{job.title}: {job.outcome.what}", job.outcome.hint, job.outcome.details or job.log))


class JobList(QWidget):
    """The jobs dock: the newest job on top."""

    def __init__(self, jobs: JobsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self.setObjectName("jobList")
        self.setAccessibleName("Jobs")
        self.cards: dict[str, JobCard] = {}
        self._lines: dict[str, QWidget] = {}
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.addStretch()
        inner = QWidget()
        inner.setLayout(self._list)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setAccessibleName("Jobs")
        area.setWidget(inner)
        empty = EmptyPane("checklist", "No jobs yet", "Conversions and measurements run here, in the background.")
        self._stack = QStackedLayout(self)
        self._stack.addWidget(empty)
        self._stack.addWidget(area)
        jobs.added.connect(self._on_added)
        jobs.changed.connect(self._on_changed)
        jobs.removed.connect(self._on_removed)

    def sizeHint(self) -> QSize:
        """Wide and low."""
        return QSize(640, 184)

    def _on_added(self, id: str) -> None:
        self.cards[id], self._lines[id] = JobCard(self._jobs, id), line()
        self._list.insertWidget(0, self._lines[id])
        self._list.insertWidget(0, self.cards[id])
        self._stack.setCurrentIndex(1)

    def _on_changed(self, id: str) -> None:
        self.cards[id].refresh()

    def _on_removed(self, id: str) -> None:
        self.cards.pop(id).deleteLater()
        self._lines.pop(id).deleteLater()
        self._stack.setCurrentIndex(1 if self.cards else 0)
