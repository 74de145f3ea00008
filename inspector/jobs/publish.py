"""Bringing a result from the private folder to where the user wants it: whole, or not at all.

It is first brought beside the target under a temporary name (moved, or copied where the file system differs) and
synced, and only then given its name, in one step that never replaces what is there unless that was asked. A result of
several files gets its data first and the model last, so that no model is ever seen without its data.
"""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from inspector.errors import Cancelled, InspectorError

PIECE = 32 << 20
"""Bytes that are copied between two looks at whether to stop."""
RENAME_NOREPLACE = 1
AT_FDCWD = -100


def never() -> bool:
    """Nobody wants it to stop."""
    return False


def publish(
    built: Path, beside: Sequence[str], target: Path, overwrite: bool, stopped: Callable[[], bool] = never
) -> tuple[Path, ...]:
    """Move the result to its place; gives the paths of what now lies there, the target first.

    Args:
        built: The result in the private folder.
        beside: Names of files beside it that belong to it; they keep their names.
        target: Where it goes.
        overwrite: Replace what is there.
        stopped: Whether it is to stop; asked while copying, and no longer once the first name has been given.

    Raises:
        Cancelled: It was stopped; nothing is left behind.
        InspectorError: The target came into being meanwhile, or the disk refuses; nothing is left behind.
    """
    pairs = [(built.with_name(name), target.with_name(name)) for name in beside] + [(built, target)]
    staged: list[tuple[Path, Path]] = []
    placed: list[tuple[Path, Path | None]] = []
    try:
        for source, end in pairs:
            staged.append((temporary(end, "part"), end))
            bring(source, staged[-1][0], stopped)
        for near, end in staged:
            placed.append((end, settle(near, end, overwrite)))
        _sync_folder(target.parent)
    except (OSError, Cancelled) as error:
        for near, _ in staged:
            remove(near)
        for end, old in reversed(placed):
            restore(end, old)
        if isinstance(error, Cancelled):
            raise
        if isinstance(error, FileExistsError):
            raise taken(pairs[len(placed)][1]) from error
        raise InspectorError(
            f"The result could not be written to {target}: {error.strerror or error}.",
            "Free some space there, or choose another place.",
        ) from error
    for _, old in placed:
        if old is not None:
            remove(old)
    return tuple(end for end, _ in reversed(placed))


def temporary(path: Path, kind: str) -> Path:
    """A name beside a path that nobody else uses."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.{kind}")


def taken(target: Path) -> InspectorError:
    """The error for a target that exists."""
    return InspectorError(f"{target} exists already.", "Choose another name, or allow it to be replaced.")


def bring(source: Path, near: Path, stopped: Callable[[], bool]) -> None:
    """Move, or copy where the file system differs, and see that it is on the disk."""
    try:
        source.rename(near)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        if source.is_dir():
            shutil.copytree(source, near, copy_function=lambda one, other: copy(Path(one), Path(other), stopped))
        else:
            copy(source, near, stopped)
    for file in near.rglob("*") if near.is_dir() else (near,):
        if file.is_file():
            with file.open("r+b" if sys.platform == "win32" else "rb") as stream:  # Windows syncs what can be written
                os.fsync(stream.fileno())


def copy(source: Path, near: Path, stopped: Callable[[], bool]) -> None:
    """Copy a file in pieces, each on the disk before the next, so that stopping never waits for long."""
    with source.open("rb") as reader, near.open("xb", buffering=0) as writer:
        while piece := reader.read(PIECE):
            if stopped():
                raise Cancelled
            left = memoryview(piece)
            while left:
                left = left[writer.write(left) :]
            os.fsync(writer.fileno())


def settle(near: Path, target: Path, overwrite: bool) -> Path | None:
    """Give it its name; gives where the thing that had that name lies now, until all is done.

    Raises:
        FileExistsError: Something has that name and may not be replaced.
    """
    if not overwrite or not os.path.lexists(target):
        rename_without_replacing(near, target)
        return None
    old = temporary(target, "old")
    if target.is_dir():
        target.rename(old)
    else:
        try:
            os.link(target, old, follow_symlinks=False)
        except OSError:  # a file system without hard links
            target.rename(old)
    try:
        near.replace(target)
    except OSError:
        restore(target, old)
        raise
    return old


def restore(target: Path, old: Path | None) -> None:
    """Undo what `settle` did."""
    if old is None:
        remove(target)
        return
    if target.is_dir():
        remove(target)
    old.replace(target)


def rename_without_replacing(near: Path, target: Path) -> None:
    """Rename in one step that fails when the target exists, by the best means that the system has."""
    if sys.platform == "win32":
        near.rename(target)
        return
    if sys.platform == "linux" and _renameat2(near, target):
        return
    if near.is_file():
        try:
            os.link(near, target)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            pass
        else:
            near.unlink()
            return
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    near.rename(target)


def _renameat2(near: Path, target: Path) -> bool:
    """Linux' own rename that never replaces; False where kernel or file system does not know it."""
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is None:
        return False
    if function(AT_FDCWD, os.fsencode(near), AT_FDCWD, os.fsencode(target), RENAME_NOREPLACE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.EPERM):
        return False
    raise OSError(number, os.strerror(number), str(target))


def remove(path: Path) -> None:
    """Take away a file or folder; nothing happens when it is not there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
