"""Everything that is open in a window: documents, recent files, jobs. The window's one way to the worker side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from inspector.settings import Settings

if TYPE_CHECKING:
    from inspector.jobs.desk import Desk
    from inspector.jobs.document import Document
    from inspector.viewmodels.document import DocumentModel
    from inspector.viewmodels.jobs import JobsModel

RECENT = 20


def is_text(name: str) -> bool:
    """Whether a name is text; a file may be called by any bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


class Workspace(QObject):
    """The open documents in the order of their tabs. The desk and its thread are made when first needed."""

    opened = Signal(object)
    """A new DocumentModel; it has been asked to open."""
    shown = Signal(object)
    """A DocumentModel that is open already was asked for again."""
    closed = Signal(object)
    recent_changed = Signal()
    jobs_made = Signal(object)
    """The JobsModel, once there is a desk."""

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self.documents: list[DocumentModel] = []
        self.jobs: JobsModel | None = None
        self._desk: Desk | None = None
        self._ready: Document | None = None
        self._shut: list[Path] = []
        self._forgotten: list[str] = []

    @property
    def desk(self) -> Desk:
        """Where jobs are handed in."""
        if self._desk is None:
            from inspector.jobs.desk import Desk
            from inspector.viewmodels.jobs import JobsModel

            self._desk = Desk(self)
            self.jobs = JobsModel(self._desk, self)
            self.jobs_made.emit(self.jobs)
        return self._desk

    # Documents

    def prepare(self) -> None:
        """Start the worker of the document that will be opened next."""
        self._ready = self._ready or self.desk.document()

    def open(self, path: Path) -> DocumentModel:
        """Open a file or folder in a tab of its own, or show the tab it has."""
        path = path.expanduser().absolute()
        for document in self.documents:
            if document.path == path:
                self.shown.emit(document)
                return document
        from inspector.viewmodels.document import DocumentModel

        worker, self._ready = self._ready or self.desk.document(), None
        document = DocumentModel(path, worker, self.settings, self)
        document.state_changed.connect(lambda: self._on_state(document))
        self.documents.append(document)
        self.opened.emit(document)
        document.open()
        return document

    def close(self, document: DocumentModel) -> None:
        """Close a tab; its worker ends."""
        if document in self.documents:
            self.documents.remove(document)
            self._shut.append(document.path)
            document.close()
            self.closed.emit(document)
            document.deleteLater()

    def can_reopen(self) -> bool:
        """Whether a tab was closed that can be opened again."""
        return bool(self._shut)

    def reopen(self) -> None:
        """Open the tab that was closed last."""
        while self._shut:
            path = self._shut.pop()
            if all(document.path != path for document in self.documents):
                self.open(path)
                return

    def move(self, source: int, target: int) -> None:
        """A tab was dragged to another place."""
        self.documents.insert(target, self.documents.pop(source))

    # What is remembered

    def recent(self) -> list[str]:
        """Files opened last, newest first; whether they are still there is found out by opening them."""
        return list(self.settings.recent)

    def forget_recent(self) -> None:
        """Empty the list of recent files; it can be taken back until the window closes."""
        self._forgotten = [*self.settings.recent, *self._forgotten]
        self.settings.recent = []
        self.recent_changed.emit()

    def can_remember_recent(self) -> bool:
        """Whether there is a list that was emptied."""
        return bool(self._forgotten)

    def remember_recent(self) -> None:
        """Take the emptying back; what was opened since stays first."""
        self.settings.recent = list(dict.fromkeys([*self.settings.recent, *self._forgotten]))[:RECENT]
        self._forgotten = []
        self.recent_changed.emit()

    def session(self) -> list[Path]:
        """What was open when the window closed last, as far as it is still there."""
        return [Path(file) for file in self.settings.session if Path(file).exists()]

    def remember_session(self) -> None:
        """Keep what is open now for the next start; a name that is no text cannot be kept."""
        self.settings.session = [str(document.path) for document in self.documents if is_text(str(document.path))]

    def shut_down(self) -> None:
        """End every worker and job."""
        for document in self.documents:
            document.close()
        if self._desk is not None:
            self._desk.close()

    def _on_state(self, document: DocumentModel) -> None:
        if document.state == "ready":
            file = str(document.path)
            self.settings.recent = [file, *(other for other in self.settings.recent if other != file)][:RECENT]
            self.recent_changed.emit()
