"""Whether what a tab shows is what lies on disk, and reading it again when it is not.

A file that has changed is read by a fresh worker; what is shown stays until that has answered, and stays for good when
the file cannot be read as it is now, because half of it is written.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTime, Signal

from inspector.errors import InspectorError
from inspector.settings import Settings
from inspector.viewmodels import words
from inspector.viewmodels.watch import FileWatch

if TYPE_CHECKING:
    from inspector.viewmodels.document import DocumentModel


class Fresh(StrEnum):
    """How what is shown relates to the disk."""

    SAME = "same"
    CHANGED = "changed"
    """It has changed, and the user does not want it read again by itself."""
    WRITING = "writing"
    """Somebody is writing it."""
    INCOMPLETE = "incomplete"
    """It rests, and cannot be read."""
    GONE = "gone"


class Freshness(QObject):
    """Watches the files of one document."""

    changed = Signal()
    """The state, what is said of it, or when it was read last."""

    def __init__(self, document: DocumentModel, settings: Settings) -> None:
        super().__init__(document)
        self._document, self._settings = document, settings
        self.state = Fresh.SAME
        self.text = ""
        """What is to be said in a line above the model; empty where all is well."""
        self.reloaded = ""
        """When it was read again last, as HH:MM:SS."""
        self._late = False
        self.watch = FileWatch(document.path, self)
        self.watch.writing.connect(self._on_writing)
        self.watch.settled.connect(self._on_settled)
        self.watch.gone.connect(self._on_gone)
        self.watch.back.connect(lambda: self._say(Fresh.SAME))
        document.closed.connect(self.watch.end)

    @property
    def follows(self) -> bool:
        """Whether a file that changes is read again by itself."""
        return self._settings.follow

    def read(self) -> None:
        """Read it now, whatever the user wants to happen by itself."""
        self._late = False
        self.watch.note()
        self._document.renew()

    def on_opening(self) -> None:
        """The document is about to be read."""
        self.watch.note()

    def on_read(self, beside: tuple[str, ...] | None = None) -> None:
        """It has been read, well or not: from now on what happens to its files is of interest."""
        if beside is not None:
            self.watch.keep_beside(beside)
        self.watch.begin()
        if not self.watch.is_gone:
            self._say(Fresh.SAME)

    def on_renewed(self) -> None:
        """It has been read again."""
        self.reloaded = QTime.currentTime().toString("HH:mm:ss")
        self._say(Fresh.SAME)
        self.on_rest()

    def on_not_renewed(self, error: InspectorError) -> None:
        """It could not be read as it is now."""
        if self._document.overview is not None and not self.watch.is_gone:
            now = f"{self._document.name}, {words.size(self.watch.size)} now"
            self._say(Fresh.INCOMPLETE, f"{now}: {error.what}{self._before}")
        self.on_rest()

    def set_following(self, on: bool) -> None:
        """Read files that change again by themselves, all documents from now on; this one now if it has changed."""
        self._settings.follow = on
        if on and self.state is Fresh.CHANGED:
            self.read()

    @property
    def _before(self) -> str:
        return " What is shown is from before." if self._document.overview is not None else ""

    def on_rest(self) -> None:
        """Nobody reads it now; it may have changed while somebody did."""
        if self._late:
            self._late = False
            self._on_settled()

    def _on_writing(self, size: int) -> None:
        name = self._document.name
        self._say(Fresh.WRITING, f"{name} is being written, {words.size(size)} so far.{self._before}")

    def _on_settled(self) -> None:
        if self._document.is_reading:
            self._late = True
        elif self.follows:
            self.read()
        else:
            self._say(Fresh.CHANGED, f"{self._document.name} has changed on disk.{self._before}")

    def _on_gone(self) -> None:
        if self._document.overview is not None:
            self._say(Fresh.GONE, f"{self._document.name} has been moved or deleted.{self._before}")

    def _say(self, state: Fresh, text: str = "") -> None:
        self.state, self.text = state, text
        self.changed.emit()
