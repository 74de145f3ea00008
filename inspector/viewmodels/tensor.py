"""What the tensor panel shows, and how a tensor is saved: its bytes are read only when somebody looks at it."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from PySide6.QtCore import QObject, Signal

from inspector.errors import InspectorError
from inspector.viewmodels.document import DocumentModel
from inspector.worker.tasks.tensor import TASK as TENSOR
from inspector.worker.tasks.tensor import TensorArgs, TensorView
from inspector.worker.tasks.tensor_bytes import TASK as TENSOR_BYTES
from inspector.worker.tasks.tensor_bytes import TensorBytes, TensorBytesArgs

PAGE = 1000
CHUNK = 8 << 20
"""Bytes written at once: small enough that writing does not hold the window."""


class TensorModel(QObject):
    """The tensor that is looked at in one document."""

    changed = Signal()
    saved = Signal(str)
    """Path of the finished file."""
    save_progressed = Signal(float)
    save_failed = Signal(object)

    def __init__(self, document: DocumentModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.name = ""
        self.view: TensorView | None = None
        self.error: InspectorError | None = None
        self.loading = False
        self.saving: Saving | None = None
        self._ask = 0
        document.selection.tensor_changed.connect(self._on_tensor)
        document.closed.connect(self._on_closed)
        document.restarted.connect(self._on_restarted)

    def turn(self, start: int) -> None:
        """Show the values from here on."""
        if self.view is not None and 0 <= start < max(1, self.view.total):
            self._load(start)

    def save(self, target: Path) -> None:
        """Write the tensor as .npy, whole or not at all."""
        if self.saving is None and self.name:
            self.saving = Saving(self, self.name, target)
            self.saving.begin()

    def _on_closed(self) -> None:
        if self.saving is not None:
            self.saving.abandon()

    def _on_restarted(self) -> None:
        if self.saving is not None:
            name = self.saving.name
            self.saving.abandon()
            self.save_failed.emit(InspectorError(f"{name} was not saved: the file was read again.", "Save it again."))

    def _on_tensor(self, name: str) -> None:
        self.name, self.view, self.error = name, None, None
        if name:
            self._load(0)
        self.changed.emit()

    def _load(self, start: int) -> None:
        self.document.drop(self._ask)
        self.loading = True
        args = TensorArgs(name=self.name, start=start, count=PAGE)
        self._ask = self.document.ask(TENSOR, args, self._on_view, self._on_failed)

    def _on_view(self, view: TensorView) -> None:
        self.loading, self.view, self.error = False, view, None
        self.changed.emit()

    def _on_failed(self, error: InspectorError) -> None:
        self.loading, self.view, self.error = False, None, error
        self.changed.emit()


class Saving:
    """One tensor on its way into a file: chunks are asked for one after another."""

    def __init__(self, model: TensorModel, name: str, target: Path) -> None:
        self.name = name
        self._model, self._target = model, target
        self._file: BinaryIO | None = None
        self._temporary = Path()
        self._offset = self._ask = 0

    def begin(self) -> None:
        """Make the temporary file beside the target and ask for the first chunk."""
        self._temporary = self._target.with_name(f".{secrets.token_hex(8)}.part")
        try:
            self._file = self._temporary.open("xb")
        except OSError as error:
            self._fail(_unwritable(self._target, error))
            return
        self._next()

    def abandon(self) -> None:
        """Leave nothing behind; no answer is coming any more."""
        self._model.document.drop(self._ask)
        if self._file is not None:
            with suppress(OSError):  # what is still to be written may not fit, and is not wanted
                self._file.close()
            self._temporary.unlink(missing_ok=True)
        self._model.saving = None

    def _next(self) -> None:
        args = TensorBytesArgs(name=self.name, offset=self._offset, size=CHUNK)
        self._ask = self._model.document.ask(TENSOR_BYTES, args, self._on_bytes, self._fail)

    def _on_bytes(self, part: TensorBytes) -> None:
        assert self._file is not None
        try:
            if self._offset == 0:
                self._file.write(part.header)
            self._file.write(part.data)
            self._offset += len(part.data)
            if self._offset < part.total:
                if not part.data:
                    self._fail(_incomplete(self._target, self._offset, part.total))
                    return
                self._model.save_progressed.emit(self._offset / part.total)
                self._next()
                return
            self._file.close()
            self._temporary.replace(self._target)
        except OSError as error:
            self._fail(_unwritable(self._target, error))
            return
        self._model.saving = None
        self._model.saved.emit(str(self._target))

    def _fail(self, error: InspectorError) -> None:
        self.abandon()
        self._model.save_failed.emit(error)


def _unwritable(target: Path, error: OSError) -> InspectorError:
    return InspectorError(f"{target} cannot be written: {error.strerror}.", "Choose another folder.")


def _incomplete(target: Path, have: int, total: int) -> InspectorError:
    return InspectorError(
        f"{target.name} was not saved: the model gave {have:,} of {total:,} bytes.", "Open the file again."
    )
