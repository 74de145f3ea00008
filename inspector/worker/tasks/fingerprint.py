"""The hash of a model, and whether it is what it should be: recognised by its bytes, opened by its own reader."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import msgspec

from inspector.errors import ConversionError, InspectorError
from inspector.formats import Source, identify
from inspector.worker.tasks._task import Context, Task

CHUNK = 1 << 20


class FingerprintArgs(msgspec.Struct, frozen=True):
    """What to look at.

    Attributes:
        path: File or folder.
        format: Id of the format it must have; empty takes any and does not open it.
        beside: Names of files beside it that belong to it.
    """

    path: str
    format: str = ""
    beside: tuple[str, ...] = ()


class Fingerprint(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        sha256: Of the file. Of a folder, or of a model in several files: of the lines `sha256  name` of its files,
            sorted by name, which is what `sha256sum` prints.
        size: Bytes of all files.
    """

    sha256: str
    size: int


def run(args: FingerprintArgs, context: Context) -> Fingerprint:
    """Hash it, and open it where its format is known."""
    path = Path(args.path)
    if args.format:
        context.report(None, "Opening the result again")
        _reopen(path, args.format)
    context.report(None, f"Hashing {path.name}")
    kept = bool(args.format) and sys.platform != "win32"  # where syncing wants a file that is open for writing
    files = _files(path, args.beside)
    size = sum(file.stat().st_size for file in files.values())
    if files.keys() == {path.name} and path.is_file():
        return Fingerprint(_hash(path, kept), size)
    lines = "".join(f"{_hash(file, kept)}  {name}\n" for name, file in sorted(files.items()))
    return Fingerprint(hashlib.sha256(lines.encode()).hexdigest(), size)


def _reopen(path: Path, wanted: str) -> None:
    try:
        source = Source(path)
        fmt = identify(source)
        if fmt.id == wanted:
            fmt.read(source)
            return
        what = f"The converter wrote {fmt.title} where {wanted} was wanted."
    except InspectorError as error:
        what = f"The converter wrote a file that cannot be opened: {error.what}"
    raise ConversionError(what, "The result was discarded; try another way or other options.")


def _files(path: Path, beside: tuple[str, ...]) -> dict[str, Path]:
    if path.is_dir():
        return {file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()}
    return {name: path.with_name(name) for name in (path.name, *beside)}


def _hash(file: Path, kept: bool) -> str:
    """The hash; what is to be kept is seen to the disk here, in a process that can be killed."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
        if kept:
            os.fsync(stream.fileno())
    return digest.hexdigest()


TASK = Task("fingerprint", FingerprintArgs, Fingerprint, run)
