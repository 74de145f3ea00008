"""The compare page: pick another model and devices, run, and see whether it is the same and how fast it is."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFrame,
    QLineEdit,
    QProgressBar,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from inspector.engines.latency.results import Bench
from inspector.engines.parity.verdict import Next, OutputParity, Parity
from inspector.errors import InspectorError
from inspector.viewmodels.compare import CompareModel
from inspector.viewmodels.compare_export import (
    bench_csv,
    histogram_csv,
    parity_csv,
    samples_csv,
    scatter_csv,
    to_json,
)
from inspector.viewmodels.measured import environment_words
from inspector.viewmodels.verdicts import excess
from inspector.viewmodels.words import tip
from inspector.views import look
from inspector.views.device_list import HEIGHT, DeviceList
from inspector.views.error_box import ErrorBox
from inspector.views.export import Texts
from inspector.views.flow import FlowBox
from inspector.views.halves import Halves
from inspector.views.pieces import Elided, EmptyPane, button, column, grey, label, roomy, row, show_share, tool
from inspector.views.plot_pane import PlotPane
from inspector.views.result_tables import (
    BENCH_HEAD,
    BENCH_TIPS,
    PARITY_HEAD,
    ResultTable,
    bench_cells,
    parity_cells,
)
from inspector.views.verdict_card import VerdictCard

if TYPE_CHECKING:
    from inspector.views.plots import Chart
    from inspector.views.plots_latency import LatencyChart
    from inspector.views.plots_parity import HistogramChart, ScatterChart

ERROR, SCATTER, HISTOGRAM = range(3)
BUSY = "A comparison is on its way: wait for it, or cancel it"
FILE = ""
"""Path of the entry that opens a file."""


class ComparePage(QWidget):
    """Two models side by side."""

    def __init__(self, model: CompareModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("comparePage")
        self.setAccessibleName("Compare")
        self.setProperty("surface", "base")
        self.model = model
        self._build_choice()
        self._build_inputs()
        self.devices = DeviceList(model.tick)
        self._build_progress()
        self.card = VerdictCard(self._next)
        self._build_parity()
        self._build_latency()
        self._lay_out()
        model.changed.connect(self._update)
        model.parity_changed.connect(self._show_parity)
        model.bench_changed.connect(self._show_bench)
        self._show_parity()
        self._show_bench()
        self._update()

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for the devices when first shown."""
        super().showEvent(event)
        self.model.ask_devices()

    # Parts

    def _build_choice(self) -> None:
        self.other = QComboBox()
        self.other.setObjectName("compareOther")
        self.other.setAccessibleName("Compare with")
        self.other.setMinimumWidth(96)
        self.other.setMaximumWidth(360)
        self.other.setMinimumContentsLength(26)
        self.other.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.other.setPlaceholderText("Choose a model")
        self.other.activated.connect(self._on_other)
        self.other.setToolTip("Another open model, the last result, or any file")
        self.run_button = button("Compare && measure", self.model.run, primary=True)
        self.run_button.setToolTip("Run both on the same inputs, then measure them")
        self.run_button.setObjectName("compareButton")

    def _build_inputs(self) -> None:
        model = self.model
        self.batches = QLineEdit(model.batches)
        self.batches.setFixedWidth(look.scaled(80))
        self.batches.setToolTip("Sizes of the batch dimension; the first one is measured")
        self.batches.textEdited.connect(model.set_batches)
        self.seed = _spin(model.seed, 0, 2**31 - 1)
        self.seed.setToolTip("Seed of the random inputs")
        self.seed.valueChanged.connect(model.set_seed)
        self.runs = _spin(model.runs, 3, 100_000)
        self.runs.setToolTip("Timed runs of each model on each device")
        self.runs.valueChanged.connect(model.set_runs)
        self.feeds = Elided("", "caption")
        self.feeds.setMinimumWidth(96)
        self.feeds_button = button("Real inputs…", self._choose_feeds)
        self.feeds_button.setToolTip("A .npz file with one array for each input")
        self.no_feeds = tool("close", "Use random inputs again", lambda: model.set_feeds(""))
        for widget, name in ((self.batches, "Batch sizes"), (self.seed, "Seed"), (self.runs, "Runs")):
            widget.setAccessibleName(name)
            widget.setObjectName(f"compare{name.split()[0]}")

    def _build_progress(self) -> None:
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(160)
        self.words = Elided(role="caption", mode=Qt.TextElideMode.ElideRight)
        self.cancel_button = button("Cancel", self.model.cancel)
        self.progress = QWidget()
        layout = row(self.bar, self.words, self.cancel_button, spacing=16)
        layout.setStretch(1, 1)
        self.progress.setLayout(layout)
        self.cancel_button.setFixedHeight(HEIGHT)

    def _build_parity(self) -> None:
        empty = EmptyPane(
            "graph-scatter", "Is it still the same model?",
            "Choose a model above and press Compare & measure: here you will see how far each output is off.",
        )  # fmt: skip
        self.parity_plot = PlotPane("Parity", empty, ("Error", "Scatter", "Histogram"), _parity_charts, self._texts_of)
        self.parity_plot.setObjectName("parityPlot")
        self.parity_plot.setAccessibleName("Parity plots")
        self.output = QComboBox()
        self.output.setAccessibleName("Output")
        self.output.setToolTip("Output shown by scatter and histogram")
        self.output.setMaximumWidth(208)
        self.output.currentIndexChanged.connect(lambda _place: self._show_output())
        self.parity_plot.extra.addWidget(self.output)
        self.parity_plot.turned.connect(self._show_choice_of_output)
        self.parity_table = ResultTable("Outputs", PARITY_HEAD, left=(0, 1))
        self.parity_words = label("", "caption", wrap=True)

    def _build_latency(self) -> None:
        empty = EmptyPane(
            "dashboard", "Is it faster?",
            "Tick the devices above and press Compare & measure: here you will see how long each model takes on each.",
        )  # fmt: skip
        self.latency_plot = PlotPane("Latency", empty, ("Box", "Cumulative"), _latency_charts, self._bench_texts)
        self.latency_plot.setObjectName("latencyPlot")
        self.latency_plot.setAccessibleName("Latency plots")
        self.bench_sentence = label("", "heading", wrap=True)
        self.bench_sentence.setObjectName("benchSentence")
        self.latency_table = ResultTable("Latencies", BENCH_HEAD, left=(0,), tips=BENCH_TIPS)
        self.environment = label("", "caption", wrap=True)

    def _lay_out(self) -> None:
        a = Elided(self.model.path.name, "heading")
        a.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        a.setMinimumWidth(72)
        a.setMaximumWidth(400)  # the other one needs room as well
        self.inputs_button = button("Inputs", self._toggle_inputs, quiet=True, icon="settings")
        self.inputs_button.setCheckable(True)
        choice = row(a, label("beside", "caption"), self.other, 0, self.inputs_button, self.run_button)
        self.inputs = FlowBox(gap=16)
        for text, field in (("Batch", self.batches), ("Seed", self.seed), ("Runs", self.runs)):
            self.inputs.flow.addWidget(_together(label(text, "caption"), field))
        self.inputs.flow.addWidget(_together(self.feeds_button, self.feeds, self.no_feeds))
        self.inputs.hide()
        parts = (choice, self.inputs, self.devices, self.progress, self.card, self._halves())
        layout = column(*parts, spacing=12, margins=(16, 12, 16, 12))
        layout.setStretch(len(parts) - 1, 1)
        inside = QWidget()
        inside.setProperty("surface", "base")
        inside.setLayout(layout)
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setAccessibleName("Comparison")
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what is inside is scrolled to as Tab reaches it
        self.setLayout(column(area))

    def _halves(self) -> Halves:
        left = column(self.parity_words, self.parity_table, 0, spacing=8)
        right = column(self.bench_sentence, self.latency_table, self.environment, 0, spacing=8)
        return Halves((self.parity_plot, left), (self.latency_plot, right))

    # Showing

    def _update(self) -> None:
        model, live = self.model, self.model.running.live
        self._fill_others()
        words = "Looking for devices …" if model.devices.asking else model.devices.what or "Devices are not known yet."
        self.devices.show_chips(model.chips, model.ticked, words)
        self.feeds.setText(Path(model.feeds).name if model.feeds else "random inputs")
        self.feeds.setToolTip(tip(model.feeds))
        self.no_feeds.setVisible(bool(model.feeds))
        busy = BUSY if live else ""
        grey(self.seed, busy or ("The inputs come from a file" if model.feeds else ""))
        if self.seed.value() != model.seed:
            self.seed.setValue(model.seed)
        problem = model.problem
        grey(self.run_button, busy or problem)
        grey(self.other, busy)
        for field in (self.batches, self.runs, self.feeds_button):
            grey(field, busy)
        self._show_progress(live)
        card = model.card
        self.card.show_card(card)
        self.card.offer(busy or problem)

    def _show_progress(self, live: bool) -> None:
        running = self.model.running
        self.progress.setVisible(live)
        self.devices.setVisible(not live)  # one in the place of the other: nothing jumps
        if live:
            show_share(self.bar, running.fraction)
            self.words.setText(running.words)

    def _fill_others(self) -> None:
        model = self.model
        wanted = [(str(other.path), f"{other.path.name}  ({other.note})") for other in model.others]
        wanted.append((FILE, "Open a file…"))
        if [(self.other.itemData(i), self.other.itemText(i)) for i in range(self.other.count())] != wanted:
            items = QStandardItemModel(self.other)
            for path, text in wanted:
                item = QStandardItem(text)
                item.setData(path, Qt.ItemDataRole.UserRole)
                item.setToolTip(tip(path))
                if path == FILE:
                    item.setIcon(look.icon("folder-opened"))
                items.appendRow(item)
            self.other.setModel(items)
        self.other.setCurrentIndex(self.other.findData(str(model.b.path)) if model.b else -1)

    def _show_parity(self) -> None:
        parity = self.model.parity
        self.output.blockSignals(True)
        self.output.clear()
        for output in parity.outputs if parity is not None else ():
            self.output.addItem(output.b or output.a)
        self.output.setCurrentIndex(_worst(parity.outputs) if parity is not None else -1)
        self.output.blockSignals(False)
        self._show_choice_of_output()
        self.parity_table.show_cells(parity_cells(parity))
        self.parity_words.setText(_parity_words(parity))
        self.parity_words.setVisible(parity is not None)
        self.parity_plot.show_data(
            partial(self._fill_parity, parity) if parity is not None and parity.outputs else None
        )

    def _fill_parity(self, parity: Parity) -> None:
        from inspector.views.plots_parity import ErrorChart

        chart = self.parity_plot.charts[ERROR]
        assert isinstance(chart, ErrorChart)
        chart.show_outputs(parity.outputs)
        self._show_output()

    def _show_choice_of_output(self) -> None:
        one_of_many = self.output.count() > 1 and self.parity_plot.number != ERROR
        self.output.setVisible(one_of_many)

    def _show_output(self) -> None:
        parity, place = self.model.parity, self.output.currentIndex()
        if not self.parity_plot.charts or parity is None or place < 0:
            return
        output: OutputParity = parity.outputs[place]
        for number in (SCATTER, HISTOGRAM):
            chart: ScatterChart | HistogramChart = self.parity_plot.charts[number]
            chart.show_output(output)

    def _show_bench(self) -> None:
        bench = self.model.bench
        self.latency_table.show_cells(bench_cells(bench))
        self.bench_sentence.setText(bench.sentence if bench else "")
        self.bench_sentence.setVisible(bool(bench and bench.sentence))
        self.environment.setText(environment_words(bench.environment) if bench else "")
        self.environment.setVisible(bench is not None)
        measured = bench is not None and any(result.samples_ms for result in bench.results)
        self.latency_plot.show_data(partial(self._fill_bench, bench) if bench and measured else None)

    def _fill_bench(self, bench: Bench) -> None:
        for each in self.latency_plot.charts:
            chart: LatencyChart = each
            chart.show_results(bench.results)

    # Doing

    def _toggle_inputs(self) -> None:
        self.inputs.setVisible(self.inputs_button.isChecked())

    def _on_other(self, place: int) -> None:
        path = self.other.itemData(place)
        if path == FILE:
            self._choose_file()
            self._fill_others()  # back to what is compared, where nothing was chosen
            return
        self.model.choose(next((other for other in self.model.others if str(other.path) == path), None))

    def _choose_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Compare with", str(self.model.path.parent))
        if name:
            try:
                self.model.choose_file(Path(name))
            except InspectorError as error:
                ErrorBox(error.what, error.hint, parent=self).open()

    def _choose_feeds(self) -> None:
        folder = str(self.model.path.parent)
        name, _ = QFileDialog.getOpenFileName(self, "Real inputs", folder, "NumPy archives (*.npz)")
        if name:
            self.model.set_feeds(name)

    def _next(self) -> None:
        words = self.card.card.next
        if words == Next.REAL_INPUTS and not self.model.feeds:
            self._choose_feeds()
            if not self.model.feeds:
                return
        if words:
            self.model.next()

    # Exporting

    def _texts_of(self, number: int) -> Texts:
        parity = self.model.parity
        assert parity is not None
        table = {ERROR: parity_csv, SCATTER: scatter_csv, HISTOGRAM: histogram_csv}[number]
        return {".csv": lambda: table(parity), ".json": lambda: to_json(parity)}

    def _bench_texts(self, number: int) -> Texts:
        bench = self.model.bench
        assert bench is not None
        table = bench_csv if number == 0 else samples_csv
        return {".csv": lambda: table(bench), ".json": lambda: to_json(bench)}


def _parity_charts() -> list[Chart]:
    from inspector.views.plots_parity import ErrorChart, HistogramChart, ScatterChart

    return [ErrorChart(), ScatterChart(), HistogramChart()]


def _latency_charts() -> list[Chart]:
    from inspector.views.plots_latency import BoxChart, CdfChart

    return [BoxChart(), CdfChart()]


def _together(*widgets: QWidget) -> QWidget:
    """Things that stay in one line."""
    box = QWidget()
    box.setLayout(row(*widgets))
    return box


def _spin(value: int, low: int, high: int) -> QSpinBox:
    made = QSpinBox()
    made.setRange(low, high)
    made.setValue(value)
    made.setKeyboardTracking(False)
    roomy(made)
    made.setFixedWidth(look.scaled(96))
    return made


def _worst(outputs: tuple[OutputParity, ...]) -> int:
    """The output that is furthest off its tolerance; -1 where there is none."""
    return max(range(len(outputs)), key=lambda place: excess(outputs[place]), default=-1)


def _parity_words(parity: Parity | None) -> str:
    """What was run, on what, with which inputs."""
    if parity is None:
        return ""
    renamed = ", ".join(f"{a} became {b}" for a, b in parity.renamed)
    parts = (f"{parity.a} against {parity.b}" if parity.a and parity.b else "", parity.feeds, renamed)
    return " · ".join(part for part in parts if part)
