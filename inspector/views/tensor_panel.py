"""The tensor panel: type, quantization, statistics, histogram, a picture of any slice, values, and saving."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal, SignalInstance
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFrame,
    QHeaderView,
    QProgressBar,
    QScrollArea,
    QSizePolicy,
    QStackedLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from inspector.errors import InspectorError
from inspector.viewmodels.destination import folder_for
from inspector.viewmodels.heat import Which
from inspector.viewmodels.tensor import PAGE, Slice, TensorModel
from inspector.viewmodels.tensor_words import facts, quantized_words, sample_words
from inspector.views import look
from inspector.views.figures import HistogramView
from inspector.views.pieces import Elided, EmptyPane, button, column, label, line, row, tool
from inspector.views.tensor_heatmap import HeatMapView
from inspector.views.tensor_slice import SliceBar
from inspector.views.tensor_tables import Statistics, ValueTable

FILTERS = {".npy": "NumPy array (*.npy)", ".csv": "Comma separated values (*.csv)"}
SAVES = "Save the values as they are shown, as .npy or .csv"
PLACE, PLACE_MARGIN = 120, 16
"""Pixels that the place of a value takes at most, and those around its text."""
SHOWN: dict[str, Which] = {"Mean": "mean", "Least": "low", "Greatest": "high"}
"""What of a cell's values colours it, as it is called."""


class TensorPanel(QWidget):
    """Shows the tensor that is looked at."""

    failed = Signal(object)
    told = Signal(str)
    """A sentence for the status bar."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tensorPanel")
        self.setAccessibleName("Tensor")
        self.setMinimumWidth(208)
        self._model: TensorModel | None = None
        self.title = Elided("", "heading")
        self.facts = label("", "caption", wrap=True)
        self.quantized = label("", "caption", wrap=True)
        self.repeats = label("", "caption", wrap=True)
        self.repeats.setObjectName("tensorRepeats")
        self.real = _check("Dequantized", "tensorReal", "Show the real numbers that the stored integers stand for")
        self.real.clicked.connect(self._on_real)
        self.histogram = HistogramView()
        self.logarithmic = _check("Log", "tensorLog", "Count the histogram logarithmically")
        self.logarithmic.toggled.connect(self.histogram.set_logarithmic)
        self.statistics = Statistics()
        self.sampled = label("", "caption", wrap=True)
        self.scan_button = button("All values", self._scan)
        self.scan_button.setObjectName("tensorScan")
        self.scan_button.setToolTip("Read the whole tensor for its statistics and its histogram")
        self.scan_bar = _bar("Statistics of all values")
        self.map = HeatMapView()
        self.map_text = Elided("", "caption")
        self.shown = QComboBox()
        self.slice = SliceBar()
        self.values = ValueTable(self)
        self.empty = EmptyPane("symbol-array", "No tensor", "Click a weight in the node panel to see its values.")
        self._stack = QStackedLayout()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self._content())
        holder = QVBoxLayout(self)
        holder.setContentsMargins(0, 0, 0, 0)
        holder.addLayout(self._stack)

    def sizeHint(self) -> QSize:
        """Narrow and high."""
        return QSize(288, 400)

    def hear(self, model: TensorModel) -> None:
        """Tell how saving ends for a document that is open, also when another is looked at by then."""
        model.saved.connect(self._on_saved)
        model.save_failed.connect(self._on_save_failed)
        model.save_cancelled.connect(self._on_save_cancelled)

    def set_model(self, model: TensorModel | None) -> None:
        """Follow another document's tensor."""
        if self._model is not None:
            for signal, slot in self._links(self._model):
                signal.disconnect(slot)
        self._model = model
        if model is not None:
            for signal, slot in self._links(model):
                signal.connect(slot)
        self.refresh()
        self.refresh_map()
        self._show_saving()

    def reveal_map(self) -> None:
        """Bring the picture into view, and the keys to it."""
        self.area.ensureWidgetVisible(self.map, 0, 48)
        self.map.setFocus()

    def _links(self, model: TensorModel) -> tuple[tuple[SignalInstance, Callable[..., None]], ...]:
        return (
            (model.changed, self.refresh),
            (model.document.repeats.changed, self._on_repeats),
            (model.map_changed, self.refresh_map),
            (model.scan_progressed, self._on_scan),
            (model.save_progressed, self._on_save_progress),
        )

    # What it is made of

    def _content(self) -> QWidget:
        figures = column(
            self.title, self.facts, self.repeats, self.quantized, self.real, 4, self._histogram(), self.statistics,
            row(self.sampled, self.scan_button, self.scan_bar), spacing=4, margins=(16, 16, 16, 12),
        )  # fmt: skip
        inner = QWidget()
        parts = column(figures, self._picture(), line(), self._pages(), spacing=0)
        parts.setStretchFactor(self.pages, 1)
        parts.addStretch(0)  # what there is stands at the top where there are no values
        inner.setLayout(parts)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setWidget(inner)
        self.area.viewport().setAutoFillBackground(False)
        inner.setAutoFillBackground(False)
        whole = QWidget()
        whole.setLayout(column(self.area, line(), self._foot(), spacing=0))
        return whole

    def _histogram(self) -> QWidget:
        self.histogram_part = QWidget()
        top = row(label("Histogram", "heading"), 0, self.logarithmic)
        self.histogram_part.setLayout(column(top, self.histogram, spacing=4))
        return self.histogram_part

    def _picture(self) -> QWidget:
        self.shown.addItems(list(SHOWN))
        self.shown.setAccessibleName("What colours a cell")
        self.shown.setToolTip("Which of a cell's values colours it")
        self.shown.activated.connect(self._on_shown)
        self.map.said.connect(self._on_said)
        self.map.picked.connect(self._on_picked)
        self.slice.chosen.connect(self._on_slice)
        top = row(label("Heat map", "heading"), 0, self.shown)
        parts = column(top, self.map, self.map_text, self.slice, spacing=4, margins=(16, 12, 16, 12))
        self.picture = QWidget()
        self.picture.setLayout(column(line(), parts, spacing=0))
        return self.picture

    def _pages(self) -> QWidget:
        self._back = tool("chevron-left", "Values before", lambda: self._turn(-1))
        self._on = tool("chevron-right", "Values after", lambda: self._turn(1))
        self._where = Elided("", "caption", Qt.TextElideMode.ElideRight)
        self._where.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self._where.setFont(look.tabular())
        pager = row(label("Values", "heading"), 0, self._where, self._back, self._on, spacing=4, margins=(16, 4, 8, 4))
        self.pages = QWidget()
        self.pages.setLayout(column(pager, row(self._table(), margins=(12, 0, 12, 0)), spacing=0))
        return self.pages

    def _table(self) -> QTableView:
        self.table = table = QTableView()
        table.setObjectName("tensorValues")
        table.setAccessibleName("Values")
        table.setModel(self.values)
        table.setShowGrid(False)
        table.setFrameShape(QFrame.Shape.NoFrame)
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        table.verticalHeader().setDefaultSectionSize(22)
        table.horizontalHeader().hide()
        table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Fixed)
        table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        table.setMinimumHeight(220)
        return table

    def _foot(self) -> QWidget:
        self.save_button = button("Save…", self.ask_save, icon="save")
        self.save_button.setObjectName("saveTensor")
        self.save_button.setToolTip(SAVES)
        self.save_bar = _bar("Saving")
        self.cancel_button = button("Cancel", self._cancel_save, quiet=True)
        self.cancel_button.setObjectName("tensorSaveCancel")
        self.cancel_button.hide()
        foot = QWidget()
        foot.setLayout(row(self.save_button, self.save_bar, self.cancel_button, 0, margins=(16, 8, 16, 8)))
        return foot

    # What it says

    def refresh(self) -> None:
        """Show what the model holds now."""
        model = self._model
        if model is None or model.view is None:
            self._say_empty(model)
            self._stack.setCurrentIndex(0)
            return
        view = model.view
        self.title.setText(view.name)
        self.facts.setText(facts(view))
        self._on_repeats()
        self.quantized.setText(quantized_words(view))
        self.quantized.setVisible(view.quantized is not None)
        self.real.setVisible(view.quantized is not None)
        self.real.setChecked(view.real)
        self.histogram.show_counts(view.histogram.edges, view.histogram.counts)
        self.histogram_part.setVisible(bool(view.histogram.counts) and view.total > 1)
        self.statistics.show_figures(view.statistics if view.total else {})
        self.sampled.setText("Reading all values" if model.scanning else sample_words(view))
        self.sampled.setVisible(model.scanning or bool(sample_words(view)))
        self.scan_button.setVisible(model.scanning or view.looked_at < view.total)
        self.scan_button.setText("Cancel" if model.scanning else "All values")
        self.scan_bar.setVisible(model.scanning)
        self.values.replace(view)
        widest = self.table.fontMetrics().horizontalAdvance  # of a larger font than the cells': never too narrow
        places = widest(", ".join(str(max(0, size - 1)) for size in view.shape) or "scalar") + PLACE_MARGIN
        self.table.setColumnWidth(0, min(places, look.scaled(PLACE)))
        self.pages.setVisible(bool(view.total))
        last = view.start + len(view.values)
        first = view.start + 1 if view.values else 0
        self._where.setText(f"{first:,}–{last:,} of {view.total:,}")
        self._back.setEnabled(view.start > 0)
        self._on.setEnabled(last < view.total)
        self._stack.setCurrentIndex(1)

    def _on_repeats(self) -> None:
        """Say whose values these are as well."""
        view = self._model.view if self._model is not None else None
        said = self._model.document.repeats.words_of(view.name) if self._model is not None and view is not None else ""
        self.repeats.setText(said[:1].upper() + said[1:])
        self.repeats.setVisible(bool(said))

    def refresh_map(self) -> None:
        """Show the picture that the model holds now."""
        heat = self._model.heat if self._model is not None else None
        heat = heat if heat is not None and heat.mean.size > 1 else None
        self.picture.setVisible(heat is not None)
        self.slice.show_heat(heat)
        if heat is not None:
            heat.choose(SHOWN[self.shown.currentText()])
        self.map.show_heat(heat)
        if heat is not None:
            self._on_said("")
            whole = heat.exact or heat.source.tiles != (0, 0)
            self.shown.setVisible(not whole)

    def _say_empty(self, model: TensorModel | None) -> None:
        if model is not None and model.error is not None:
            self.empty.say(model.error.what, model.error.hint)
        elif model is not None and model.loading:
            self.empty.say("Reading…", model.name)
        else:
            self.empty.say("No tensor", "Click a weight in the node panel to see its values.")

    def _on_real(self, on: bool) -> None:
        if self._model is not None:
            self._model.show_real(on)

    def _on_slice(self, chosen: Slice) -> None:
        if self._model is not None:
            self._model.show_slice(chosen)

    def _turn(self, way: int) -> None:
        if self._model is not None and self._model.view is not None:
            self._model.turn(self._model.view.start + way * PAGE)

    def _on_said(self, text: str) -> None:
        """What a cell shows; the whole picture where there is none."""
        heat = self._model.heat if self._model is not None else None
        self.map_text.setText(text or (heat.caption() if heat is not None else ""))

    def _on_shown(self) -> None:
        if self._model is not None and self._model.heat is not None:
            self._model.heat.choose(SHOWN[self.shown.currentText()])
            self.map.show_heat(self._model.heat)

    def _on_picked(self, number: int) -> None:
        """Show the value of a cell in the list."""
        if self._model is None or self._model.view is None:
            return
        self._model.go_to(number)
        at = number - self._model.view.start
        if 0 <= at < len(self._model.view.values):
            self.table.selectRow(at)
            self.table.scrollTo(self.values.index(at, 0))

    # All values

    def _scan(self) -> None:
        if self._model is not None:
            self._model.stop_scan() if self._model.scanning else self._model.scan()

    def _on_scan(self, share: float) -> None:
        self.sampled.setText("Reading all values")
        self.sampled.show()
        self.scan_button.setText("Cancel")
        self.scan_bar.setValue(round(share * 100))
        self.scan_bar.show()

    # Saving

    def ask_save(self) -> None:
        """Ask where to, then save."""
        if self._model is None or self._model.view is None:
            return
        proposed = "".join(c if c.isalnum() or c in "._-" else "_" for c in self._model.name)[-100:] + ".npy"
        folder = folder_for(self._model.document.path)
        name, kind = QFileDialog.getSaveFileName(
            self, "Save tensor", str(folder / proposed), ";;".join(FILTERS.values())
        )
        if not name:
            return
        file = _named(Path(name), next((suffix for suffix, text in FILTERS.items() if text == kind), ".npy"))
        self.save(file, overwrite=file == Path(name))  # the dialog has asked whether that one may be replaced

    def save(self, file: Path, *, overwrite: bool = False) -> None:
        """Write the tensor as .npy or .csv, by the suffix."""
        if self._model is not None:
            self._model.save(file, overwrite=overwrite)
            self._show_saving()

    def _cancel_save(self) -> None:
        if self._model is not None:
            self._model.cancel_save()

    def _on_save_progress(self, share: float) -> None:
        self.save_bar.setValue(round(share * 100))

    def _show_saving(self) -> None:
        """Each document saves a tensor of its own: whether that of the one in front is under way."""
        saving = self._model is not None and self._model.saving is not None
        self.save_button.setEnabled(not saving)
        self.save_button.setToolTip("A tensor of this model is being saved" if saving else SAVES)
        self.save_bar.setValue(0)
        self.save_bar.setVisible(saving)
        self.cancel_button.setVisible(saving)

    def _on_saved(self, file: str) -> None:
        self._show_saving()
        self.told.emit(f"Saved {file}")

    def _on_save_failed(self, error: InspectorError) -> None:
        self._show_saving()
        self.failed.emit(error)

    def _on_save_cancelled(self) -> None:
        self._show_saving()
        self.told.emit("Nothing was saved")


def _named(file: Path, kind: str) -> Path:
    """The file with a suffix: its own where that was typed, else that of the kind that was chosen in the dialog."""
    suffix = file.suffix.lower()
    if suffix not in FILTERS:
        return file.with_name(file.name + kind)
    return file.with_suffix(kind) if suffix == ".npy" else file  # .npy was proposed, and may just have been left


def _check(text: str, name: str, tip: str) -> QCheckBox:
    made = QCheckBox(text)
    made.setObjectName(name)
    made.setToolTip(tip)
    return made


def _bar(name: str) -> QProgressBar:
    made = QProgressBar()
    made.setRange(0, 100)
    made.setAccessibleName(name)
    made.hide()
    return made
