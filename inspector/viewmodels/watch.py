"""Whether the files of a model have changed on disk, are being written, or are gone.

The system says that something happened in a folder or to a file; what happened is found out by looking: size, time and
identity of each file. A change counts when two looks in a row see the same: what replaces a file at once is noticed
after half a second, what writes for an hour is noticed when it rests.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

LOOK_MS = 250
RESTED = 2
"""Looks without a change after which a file counts as written."""
ABSENT = 4
"""Looks after which a file that is not there counts as gone; programs that save remove it for a moment."""
GONE_MS = 2000
"""How often one that is gone is looked for: its folder may be gone as well, and nobody tells when that is back."""
MOST_FILES = 2000
"""Files of a model folder, and files beside a model, that are looked at."""

Seen = tuple[tuple[str, int, int, int], ...]
"""Of each file its name, when it was changed (ns), its size in bytes, and which file it is (inode)."""


def look(path: Path, beside: Iterable[str] = ()) -> Seen | None:
    """What the files of a model look like now; None where the model is not there.

    Args:
        path: File or folder.
        beside: Names of files that belong to the model, relative to its folder.
    """
    try:
        if path.is_dir():
            return tuple(sorted(_inside(path)))
        files = [_one(path, "")]
    except OSError:
        return None
    for name in beside:
        try:
            files.append(_one(path.parent / name, name))
        except (OSError, ValueError):
            files.append((name, 0, -1, 0))
    return tuple(files)


def _one(path: Path, name: str) -> tuple[str, int, int, int]:
    facts = path.stat()
    return (name, facts.st_mtime_ns, facts.st_size, facts.st_ino)


def _inside(folder: Path) -> Iterator[tuple[str, int, int, int]]:
    waiting, count = [folder], 0
    while waiting:
        here = waiting.pop()
        with os.scandir(here) as entries:
            for entry in entries:
                count += 1
                if count > MOST_FILES:
                    return
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                else:
                    facts = entry.stat(follow_symlinks=False)
                    yield (entry.path, facts.st_mtime_ns, facts.st_size, facts.st_ino)


def size_of(seen: Seen) -> int:
    """Bytes of all files together."""
    return sum(max(0, size) for _, _, size, _ in seen)


class FileWatch(QObject):
    """Watches the files of one model."""

    writing = Signal(object)
    """The files change from look to look; bytes so far."""
    settled = Signal()
    """They differ from what was noted, and rest."""
    gone = Signal()
    """The model is not there any more."""
    back = Signal()
    """It is there again, the same as before."""

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.path = path
        self._beside: tuple[str, ...] = ()
        self._noted: Seen | None = None
        self._last: Seen | None = None
        self._quiet = self._absent = 0
        self._was_gone = False
        self._watcher: QFileSystemWatcher | None = None
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)

    @property
    def is_gone(self) -> bool:
        """Whether the model was not there at the last look."""
        return self._was_gone

    @property
    def size(self) -> int:
        """Bytes of all files at the last look."""
        return size_of(self._last or ())

    def note(self) -> None:
        """Remember what the files look like now: what is read from now on is this."""
        self._noted = self._last = look(self.path, self._beside)

    def begin(self) -> None:
        """Be told from now on, and look whether something happened since the note."""
        if self._watcher is None:
            self._watcher = QFileSystemWatcher(self)
            self._watcher.fileChanged.connect(self._wake)
            self._watcher.directoryChanged.connect(self._wake)
        self._add()
        self._wake()

    def end(self) -> None:
        """Be told nothing any more."""
        self._timer.stop()
        if self._watcher is not None:
            self._watcher.deleteLater()
            self._watcher = None

    def keep_beside(self, names: Iterable[str]) -> None:
        """These files belong to the model as well; what they look like now is taken for what was read."""
        self._beside = tuple(names)[:MOST_FILES]
        if self._noted is not None and not self.path.is_dir():
            first = self._noted[:1]
            self._noted = first + (look(self.path, self._beside) or ())[1:]
        self._add()

    def _add(self) -> None:
        """Watch what is there; a file that was replaced is no longer watched and must be added again."""
        if self._watcher is None:
            return
        folder = self.path if self.path.is_dir() else self.path.parent
        wanted = {str(self.path), str(folder), *(str(folder / name) for name in self._beside)}
        if self.path.is_dir() and self._noted is not None:
            wanted |= {str(Path(name).parent) for name, *_ in self._noted}
        known = {*self._watcher.files(), *self._watcher.directories()}
        missing = [name for name in sorted(wanted - known) if Path(name).exists()]
        if missing:
            self._watcher.addPaths(missing)

    def _wake(self) -> None:
        if self._was_gone or not self._timer.isActive():  # a busy folder must not put the next look off for ever
            self._quiet = 0
            self._timer.start(LOOK_MS)

    def _look(self) -> None:
        if self._watcher is None:
            self._timer.stop()
            return
        now = look(self.path, self._beside)
        if now is None:
            self._on_absent()
            return
        self._absent = 0
        self._add()
        if self._was_gone:
            self._was_gone = False
            self._timer.setInterval(LOOK_MS)
            if now == self._noted:
                self.back.emit()
        if now != self._last:
            moving = self._last is not None and self._last != self._noted
            self._last, self._quiet = now, 0
            if moving:  # seen to change twice: somebody is at it
                self.writing.emit(size_of(now))
            return
        self._quiet += 1
        if self._quiet >= RESTED:
            self._timer.stop()
            if now != self._noted:
                self.settled.emit()

    def _on_absent(self) -> None:
        self._quiet = 0
        self._last = None
        self._absent += 1
        if self._absent >= ABSENT:
            self._timer.setInterval(GONE_MS)
            if not self._was_gone:
                self._was_gone = True
                self.gone.emit()
