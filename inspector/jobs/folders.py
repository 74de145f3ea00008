"""Private folders of jobs in the user's cache: made, removed, and cleared away after a program that was killed.

Who makes a folder holds a lock on it for as long as it lives; the system lets go of the lock when the program ends,
however it ends. So a folder that can be locked has no owner, and the next program that runs a job removes it. Where the
system or the disk knows no such locks, nothing is cleared away.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from platformdirs import user_cache_path

from inspector.errors import InspectorError

YOUNG = 60.0
"""Seconds within which a folder may have been made and not locked yet."""
_held: dict[Path, int] = {}
_cleared: set[Path] = set()


def private_folder(prefix: str) -> Path:
    """A new private folder, for one job or one spare worker.

    Raises:
        InspectorError: Nothing can be written there.
    """
    root = user_cache_path("inspector") / "jobs"
    try:
        root.mkdir(parents=True, exist_ok=True)
        if root not in _cleared:
            _cleared.add(root)
            clear(root)
        folder = Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir=root))
    except OSError as error:
        raise InspectorError(
            f"Jobs need a folder of their own, and {root} cannot have one: {error.strerror}.",
            "Free some space there, or set XDG_CACHE_HOME to another place." if sys.platform == "linux" else "",
        ) from error
    handle = _locked(folder, wait=True)
    if handle is not None:
        _held[folder] = handle
    return folder


def remove_folder(folder: Path) -> None:
    """Remove a private folder with all that is in it."""
    shutil.rmtree(folder, ignore_errors=True)
    handle = _held.pop(folder, None)
    if handle is not None:
        os.close(handle)


def clear(root: Path) -> None:
    """Remove the folders that nobody holds."""
    for folder in root.iterdir():
        try:
            old = time.time() - folder.stat().st_mtime > YOUNG
        except OSError:
            continue
        handle = _locked(folder, wait=False) if old and folder.is_dir() else None
        if handle is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(handle)


def _locked(folder: Path, *, wait: bool) -> int | None:
    """A handle that holds the lock of a folder; None when it cannot be had."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
