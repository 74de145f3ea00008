"""What the tensor panel shows: its bytes are read only when somebody looks at it, and only the newest answer counts."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec
from PySide6.QtCore import QObject, Signal

from inspector.errors import InspectorError
from inspector.viewmodels.document import DocumentModel
from inspector.viewmodels.heat import Heat
from inspector.viewmodels.tensor_saving import Saving
from inspector.worker.tasks.tensor import TASK as TENSOR
from inspector.worker.tasks.tensor import TensorArgs, TensorView
from inspector.worker.tasks.tensor_map import TASK as TENSOR_MAP
from inspector.worker.tasks.tensor_map import TensorMap, TensorMapArgs
from inspector.worker.tasks.tensor_scan import TASK as TENSOR_SCAN
from inspector.worker.tasks.tensor_scan import TensorScan, TensorScanArgs

PAGE = 1000


class Slice(NamedTuple):
    """What of a tensor the picture shows; -1 and None leave the choice to the worker."""

    rows: int = -1
    columns: int = -1
    at: tuple[int, ...] = ()
    tiles: bool | None = None


class TensorModel(QObject):
    """The tensor that is looked at in one document."""

    changed = Signal()
    """Name, view, error or the state of reading."""
    map_changed = Signal()
    scan_progressed = Signal(float)
    saved = Signal(str)
    """Path of the finished file."""
    save_progressed = Signal(float)
    save_failed = Signal(object)
    save_cancelled = Signal()

    def __init__(self, document: DocumentModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.name = ""
        self.view: TensorView | None = None
        self.heat: Heat | None = None
        self.error: InspectorError | None = None
        self.loading = self.scanning = False
        self.real: bool | None = None
        """Whether a quantized tensor is shown as real numbers; None until the user chooses."""
        self.slice = Slice()
        self.saving: Saving | None = None
        self._ask = self._map_ask = self._scan_ask = 0
        document.selection.tensor_changed.connect(self._on_tensor)
        document.closed.connect(self._on_closed)
        document.restarted.connect(self._on_restarted)
        document.renewed.connect(self._on_renewed)

    # What is shown

    def turn(self, start: int) -> None:
        """Show the values from here on."""
        if self.view is not None and 0 <= start < max(1, self.view.total):
            self._load(start)

    def go_to(self, number: int) -> None:
        """Show the page of values that this one is on."""
        if self.view is not None and 0 <= number < self.view.total:
            start = number // PAGE * PAGE
            if start != self.view.start:
                self._load(start)

    def show_real(self, real: bool) -> None:
        """Show a quantized tensor as the numbers it stands for, or as it is stored."""
        if self.view is not None and real != self.view.real:
            self.real = real
            self.stop_scan()
            self._load(self.view.start)
            self._draw()

    def show_slice(self, chosen: Slice) -> None:
        """Show another part in the picture."""
        if chosen != self.slice:
            self.slice = chosen
            self._draw()

    def _on_tensor(self, name: str) -> None:
        self.stop_scan()
        self.document.drop(self._map_ask)
        self.name, self.view, self.heat, self.error, self.real, self.slice = name, None, None, None, None, Slice()
        if name:
            self._load(0)
            self._draw()
        self.changed.emit()
        self.map_changed.emit()

    def _on_renewed(self) -> None:
        """The file was read again: what is shown of it is asked for anew, as it was chosen."""
        if self.name:
            self._load(self.view.start if self.view is not None else 0)
            self._draw()

    def _load(self, start: int) -> None:
        self.document.drop(self._ask)
        self.loading = True
        args = TensorArgs(name=self.name, start=start, count=PAGE, real=self.real)
        self._ask = self.document.ask(TENSOR, args, self._on_view, self._on_failed)

    def _on_view(self, view: TensorView) -> None:
        self.loading, self.view, self.error = False, view, None
        self.changed.emit()

    def _on_failed(self, error: InspectorError) -> None:
        self.loading, self.view, self.heat, self.error = False, None, None, error
        self.changed.emit()
        self.map_changed.emit()

    def _draw(self) -> None:
        self.document.drop(self._map_ask)
        rows, columns, at, tiles = self.slice
        args = TensorMapArgs(name=self.name, rows=rows, columns=columns, at=at, tiles=tiles, real=self.real)
        self._map_ask = self.document.ask(TENSOR_MAP, args, self._on_map, self._on_no_map)

    def _on_map(self, drawn: TensorMap) -> None:
        try:
            self.heat = Heat(drawn)
        except ValueError as error:
            self._on_no_map(InspectorError(f"The picture makes no sense: {error}."))
            return
        self.map_changed.emit()

    def _on_no_map(self, _error: InspectorError) -> None:
        """What is wrong with the tensor is told by `error`; strings have no picture."""
        self.heat = None
        self.map_changed.emit()

    # Statistics of all values

    def scan(self) -> None:
        """Work out the statistics of all values of a large tensor, in steps."""
        if self.view is not None and not self.scanning:
            self.scanning = True
            self._step(begin=True)
            self.scan_progressed.emit(0.0)

    def stop_scan(self) -> None:
        """Stop that; the figures of the sample stay."""
        if self.scanning:
            self.document.drop(self._scan_ask)
            self.scanning = False
            self.changed.emit()

    def _step(self, *, begin: bool = False) -> None:
        args = TensorScanArgs(name=self.name, begin=begin, real=self.real)
        self._scan_ask = self.document.ask(TENSOR_SCAN, args, self._on_scan, self._on_scan_failed)

    def _on_scan(self, scan: TensorScan) -> None:
        if scan.done < 1:
            self.scan_progressed.emit(scan.done)
            self._step()
            return
        self.scanning = False
        if self.view is not None:
            self.view = msgspec.structs.replace(
                self.view, statistics=scan.statistics, histogram=scan.histogram, looked_at=scan.looked_at
            )
        self.changed.emit()

    def _on_scan_failed(self, error: InspectorError) -> None:
        self.scanning = False
        self._on_failed(error)

    # Saving

    def save(self, target: Path, *, overwrite: bool = False) -> None:
        """Write the tensor as it is shown into a .npy or .csv file, whole or not at all."""
        if self.saving is None and self.name:
            self.saving = Saving(
                self.document,
                self.name,
                target,
                real=self.real,
                overwrite=overwrite,
                ended=self._on_save_ended,
                progressed=self.save_progressed.emit,
            )
            self.saving.begin()

    def cancel_save(self) -> None:
        """Stop saving; nothing is left behind."""
        if self.saving is not None:
            self.saving.abandon()
            self.saving = None
            self.save_cancelled.emit()

    def _on_save_ended(self, error: InspectorError | None) -> None:
        saving, self.saving = self.saving, None
        if error is not None:
            self.save_failed.emit(error)
        elif saving is not None:
            self.saved.emit(str(saving.target))

    def _on_closed(self) -> None:
        if self.saving is not None:
            self.saving.abandon()
            self.saving = None

    def _on_restarted(self) -> None:
        self.scanning = False
        if self.saving is not None:
            name = self.saving.name
            self.saving.abandon()
            self.saving = None
            self.save_failed.emit(InspectorError(f"{name} was not saved: the file was read again.", "Save it again."))
