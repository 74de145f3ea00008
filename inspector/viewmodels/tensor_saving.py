"""A tensor on its way into a file: asked for piece by piece, in the file whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from inspector.errors import InspectorError
from inspector.jobs.publish import rename_without_replacing
from inspector.viewmodels.document import DocumentModel
from inspector.worker.tasks.tensor_bytes import TASK as TENSOR_BYTES
from inspector.worker.tasks.tensor_bytes import TensorBytes, TensorBytesArgs
from inspector.worker.tasks.tensor_csv import TASK as TENSOR_CSV
from inspector.worker.tasks.tensor_csv import TensorCsv, TensorCsvArgs

CHUNK = 8 << 20
"""Bytes written at once: small enough that writing does not hold the window."""
SUFFIXES = (".npy", ".csv")


class Saving:
    """One tensor being saved.

    Args:
        document: The model.
        name: The tensor.
        target: The file; its suffix says which kind.
        real: As in `TensorArgs`.
        overwrite: Whether a file of that name may be replaced: the user has said so.
        ended: Called once, with None or what went wrong, unless it is abandoned.
        progressed: Called with a share between 0 and 1.
    """

    def __init__(
        self,
        document: DocumentModel,
        name: str,
        target: Path,
        *,
        real: bool | None,
        overwrite: bool,
        ended: Callable[[InspectorError | None], None],
        progressed: Callable[[float], None],
    ) -> None:
        self.name = name
        self.target = target
        self._document, self._real, self._overwrite = document, real, overwrite
        self._ended, self._progressed = ended, progressed
        self._file: BinaryIO | None = None
        self._temporary = Path()
        self._at = self._ask = 0

    def begin(self) -> None:
        """Make the temporary file beside the target and ask for the first piece."""
        if self.target.suffix.lower() not in SUFFIXES:
            what = f"{self.target.name} does not say what kind of file it is to be."
            self._fail(InspectorError(what, "End its name with .npy or .csv."))
            return
        if not self._overwrite and os.path.lexists(self.target):
            self._fail(_taken(self.target))
            return
        self._temporary = self.target.with_name(f".{secrets.token_hex(8)}.part")
        try:
            self._file = self._temporary.open("xb")
        except OSError as error:
            self._fail(_unwritable(self.target, error))
            return
        self._next()

    def abandon(self) -> None:
        """Leave nothing behind; no answer is coming any more."""
        self._document.drop(self._ask)
        if self._file is not None:
            with suppress(OSError):  # what is still to be written may not fit, and is not wanted
                self._file.close()
            self._temporary.unlink(missing_ok=True)

    def _next(self) -> None:
        task: Any
        args: Any
        if self.target.suffix.lower() == ".csv":
            task, args = TENSOR_CSV, TensorCsvArgs(name=self.name, start=self._at, real=self._real)
            self._ask = self._document.ask(task, args, self._on_lines, self._fail)
        else:
            task, args = TENSOR_BYTES, TensorBytesArgs(name=self.name, offset=self._at, size=CHUNK, real=self._real)
            self._ask = self._document.ask(task, args, self._on_bytes, self._fail)

    def _on_bytes(self, part: TensorBytes) -> None:
        self._take((part.header, part.data), self._at + len(part.data), part.total)

    def _on_lines(self, part: TensorCsv) -> None:
        self._take((part.data,), part.stop, part.total)

    def _take(self, pieces: tuple[bytes, ...], stop: int, total: int) -> None:
        """Write what has come; `stop` of `total` (bytes or values) are there now."""
        assert self._file is not None
        try:
            for piece in pieces:
                self._file.write(piece)
            before, self._at = self._at, stop
            if stop < total:
                if stop <= before:
                    self._fail(_incomplete(self.target, stop, total))
                    return
                self._progressed(stop / total)
                self._next()
                return
            self._file.close()
            if self._overwrite:
                self._temporary.replace(self.target)
            else:
                rename_without_replacing(self._temporary, self.target)
        except FileExistsError:
            self._fail(_taken(self.target))
            return
        except OSError as error:
            self._fail(_unwritable(self.target, error))
            return
        self._ended(None)

    def _fail(self, error: InspectorError) -> None:
        self.abandon()
        self._ended(error)


def _taken(target: Path) -> InspectorError:
    return InspectorError(f"{target} exists already.", "Choose another name.")


def _unwritable(target: Path, error: OSError) -> InspectorError:
    return InspectorError(f"{target} cannot be written: {error.strerror}.", "Choose another folder.")


def _incomplete(target: Path, have: int, total: int) -> InspectorError:
    return InspectorError(
        f"{target.name} was not saved: the model gave {have:,} of {total:,} "
        f"{'values' if target.suffix.lower() == '.csv' else 'bytes'}.",
        "Open the file again.",
    )
