"""The files of one model: the only way by which a reader opens anything.

A side file (external data, a shard) is looked up by name in the folder as opened and must end, after resolving, inside
an allowed root: the folder as opened, the real folder of the file and, where a link leads into a Hugging-Face cache,
the repository root of that cache. Devices, FIFOs, hard links, `..`, absolute paths and URLs are refused by name.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from inspector.errors import FormatError
from inspector.formats._format import Glimpse
from inspector.formats._zip_directory import names as zip_names

HEAD = 4096
PLAIN = "Open a model file or a model folder."


class Source:
    """A model as the user opened it: a file, or a folder for formats that are folders."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder = path if path.is_dir() else path.parent
        self._roots = allowed_roots(path)

    @property
    def name(self) -> str:
        """File name, for messages."""
        return self.path.name

    def glimpse(self) -> Glimpse:
        """What recognition may look at."""
        if self.path.is_dir():
            return Glimpse(self.path, b"", 0, entries=tuple(sorted(p.name for p in self.path.iterdir())[:1000]))
        with self.open() as file:
            head = file.read(HEAD) or b""  # None: a file of the system's that would make us wait
            size = os.fstat(file.fileno()).st_size
            members: tuple[str, ...] = ()
            if head.startswith(b"PK"):
                members = zip_names(file)
        return Glimpse(self.path, head, size, members)

    @contextmanager
    def open(self, name: str = "") -> Iterator[BinaryIO]:
        """The model file itself, or a side file by its name relative to the model's folder.

        Raises:
            FormatError: It does not exist, is not a regular file, or lies outside the allowed roots.
        """
        path = self.side(name) if name else self.path
        handle = _open_regular(path)
        with os.fdopen(handle, "rb") as file:
            if name and os.fstat(file.fileno()).st_nlink > 1:
                raise FormatError(f"The side file {name!r} is a hard link.", hint="Replace it by a real copy.")
            try:
                yield file
            except OSError as error:
                raise FormatError(
                    f"{path.name} cannot be read: {error.strerror or error}.",
                    hint="Its disk or its connection failed, or it is no plain file.",
                ) from error

    def side(self, name: str) -> Path:
        """Where a side file lies, checked to be beneath an allowed root."""
        plain = PurePosixPath(name.replace("\\", "/"))
        if (
            not name
            or "\0" in name
            or "://" in name
            or plain.is_absolute()
            or ".." in plain.parts
            or ":" in plain.parts[0]
        ):
            raise FormatError(
                f"The model names a side file outside its folder: {name[:200]!r}.",
                hint="Side files must lie beneath the folder of the model; it was not read.",
            )
        path = self.folder.joinpath(*plain.parts)
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise FormatError(
                f"The side file {name[:200]!r} is missing.", hint=f"Put it beside the model, in {self.folder}."
            ) from error
        if not any(real.is_relative_to(root) for root in self._roots):
            raise FormatError(
                f"The side file {name[:200]!r} is a link that leaves the model's folder.",
                hint="Replace it by a real copy; it was not read.",
            )
        return path

    @property
    def size(self) -> int:
        """Bytes of the model file; of all its files for a folder."""
        if not self.path.is_dir():
            return self.path.stat().st_size
        return sum(p.lstat().st_size for p in self.path.rglob("*") if p.is_file())


def allowed_roots(path: Path) -> tuple[Path, ...]:
    """The real folders beneath which the files of a model may lie."""
    try:
        real = path.resolve()
    except (OSError, RuntimeError):  # links in a circle, which opening tells in words
        real = path.absolute()
    if path.is_dir():
        return (real,)
    roots = [path.parent.resolve(), real.parent]
    # A Hugging-Face cache: snapshots/<revision>/model.onnx -> ../../blobs/<hash>
    if real.parent.name == "blobs" and (real.parent.parent / "snapshots").is_dir():
        roots.append(real.parent.parent)
    return tuple(dict.fromkeys(roots))


def _open_regular(path: Path) -> int:
    """A descriptor of a regular file; a FIFO cannot make it wait."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
    except FileNotFoundError as error:
        raise FormatError(f"There is no file {path}.", hint="Check the spelling of the path.") from error
    except PermissionError as error:
        raise FormatError(f"{path.name} may not be read.", hint="Ask its owner for the right to read it.") from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise FormatError(
                f"{path.name} is a link that leads back to itself.", hint="Open the file that it should lead to."
            ) from error
        if error.errno == errno.ENXIO:  # a socket
            raise FormatError(f"{path.name} is not a regular file.", hint=PLAIN) from error
        raise FormatError(f"{path.name} cannot be opened: {error.strerror}.", hint=PLAIN) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise FormatError(f"{path.name} is not a regular file.", hint=PLAIN)
    return handle


def take(file: BinaryIO, size: int, limit: int, what: str) -> bytes:
    """Exactly this many bytes, or a FormatError that names what was being read."""
    if not 0 <= size <= limit:
        raise FormatError(f"The {what} claims {size:,} bytes.", hint="The file may be damaged.")
    data = file.read(size)
    if len(data) != size:
        raise FormatError(f"The file ends inside the {what}.", hint="It is incomplete; fetch or copy it again.")
    return data
