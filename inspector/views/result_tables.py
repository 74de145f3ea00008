"""Tables of a proof and of a measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QKeyEvent, QKeySequence, QPainter, QPixmap, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from inspector.engines.latency.results import Bench
from inspector.engines.parity.verdict import OutputParity, Parity
from inspector.viewmodels import words
from inspector.viewmodels.measured import beside_fastest, name_of
from inspector.viewmodels.verdicts import ICONS, difference, plain, tone_of
from inspector.views import look

LINE, HEAD, MOST, NAME = 28, 30, 6, 136


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell shows: text, an icon, a tone, a tip, and the number of the series whose colour it bears."""

    text: str
    icon: str = ""
    tone: str = ""
    tip: str = ""
    swatch: int = -1


class ResultTable(QTableWidget):
    """A small table that is as high as its lines; figures stand right, text left; copying takes what is selected."""

    def __init__(self, name: str, head: Sequence[str], left: Sequence[int], tips: Sequence[str] = ()) -> None:
        super().__init__(0, len(head))
        self._left = frozenset(left)
        self._cells: list[list[Cell]] = []
        self.setAccessibleName(name)
        self.setHorizontalHeaderLabels(list(head))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(LINE)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Fixed)
        header.setMinimumSectionSize(56)
        header.setHighlightSections(False)
        for number in range(len(head)):
            title = self.horizontalHeaderItem(number)
            assert title is not None
            title.setTextAlignment(self._side(number))
            title.setFont(look.tabular(0.92))
            title.setToolTip(tips[number] if tips else "")
        look.themed.changed.connect(self._dress)
        self.show_cells([])

    def show_cells(self, cells: list[list[Cell]]) -> None:
        """Show these lines."""
        self._cells = cells
        self.setRowCount(len(cells))
        for line, texts in enumerate(cells):
            for number, cell in enumerate(texts):
                item = QTableWidgetItem(cell.text)
                item.setTextAlignment(self._side(number))
                item.setFont(look.tabular(0.92))
                item.setToolTip(cell.tip)
                self.setItem(line, number, item)
        self._dress()
        self.setVisible(bool(cells))
        self._fit()

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(320, self.height())

    def minimumSizeHint(self) -> QSize:
        """It scrolls sideways."""
        return QSize(160, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The first column takes what the others leave."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        others = sum(self.columnWidth(number) for number in range(1, self.columnCount()))
        first = max(NAME, self.viewport().width() - others)
        self.setColumnWidth(0, first)
        scrolls = first + others > self.viewport().width()
        height = HEAD + LINE * max(1, min(MOST, len(self._cells))) + (12 if scrolls else 2)
        if self.height() != height:
            self.setFixedHeight(height)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy lines, not cells."""
        if event.matches(QKeySequence.StandardKey.Copy):
            chosen = sorted({index.row() for index in self.selectedIndexes()}) or range(len(self._cells))
            lines = ("\t".join(cell.text for cell in self._cells[line]) for line in chosen)
            QGuiApplication.clipboard().setText("\n".join(lines) + "\n")
            return
        super().keyPressEvent(event)

    def _side(self, number: int) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignLeft if number in self._left else Qt.AlignmentFlag.AlignRight
        return side | Qt.AlignmentFlag.AlignVCenter

    def _dress(self) -> None:
        for line, texts in enumerate(self._cells):
            for number, cell in enumerate(texts):
                item = self.item(line, number)
                assert item is not None
                if cell.tone:
                    item.setForeground(look.colour(cell.tone))
                if cell.icon:
                    item.setIcon(look.icon(cell.icon, cell.tone or "muted"))
                elif cell.swatch >= 0:
                    item.setIcon(swatch(cell.swatch))


PARITY_HEAD = ("Output", "Verdict", "Largest", "Mean", "Relative", "Tolerance", "Arg-max", "Cosine", "Shape")
BENCH_HEAD = ("Latency in ms", "Median", "95 % interval", "p90", "p99", "Load", "MB", "Ratio")
BENCH_TIPS = (
    "", "Half of the runs took less", "Where the median lies with 95 % confidence, by bootstrap",
    "Nine of ten runs took less", "99 of 100 runs took less", "Opening the model", "Peak memory of the process",
    "How many times as long as the fastest",
)  # fmt: skip


def swatch(series: int) -> QIcon:
    """A spot in the colour of a series."""
    pixmap = QPixmap(32, 32)
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(look.series_colour(series))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawEllipse(6, 6, 20, 20)
    return QIcon(pixmap)


def parity_cells(parity: Parity | None) -> list[list[Cell]]:
    """A line an output."""
    return [_output_cells(output) for output in parity.outputs] if parity is not None else []


def _output_cells(output: OutputParity) -> list[Cell]:
    tone = tone_of(output.verdict)
    name = output.a if output.a == output.b else f"{output.a} → {output.b}"
    aligned = f"Paired by {output.aligned_by}" + (f", {output.layout}" if output.layout else "")
    agreement = output.argmax_agreement
    return [
        Cell(name, tip=aligned),
        Cell(output.verdict.value, ICONS[tone], tone, output.sentence),
        Cell(difference(output.max_abs), tip=f"at {list(output.worst)}" if output.worst else ""),
        Cell(difference(output.mean_abs)),
        Cell(difference(output.max_rel)),
        Cell(difference(output.tolerance), tip=output.why),
        Cell(
            words.UNKNOWN if agreement is None else f"{agreement * 100:.4g} %",
            tip="Rows whose largest value is the same",
        ),
        Cell(words.UNKNOWN if output.cosine is None else f"{output.cosine:.9f}".rstrip("0").rstrip(".")),
        Cell(words.shape(output.shape), tip=output.dtype),
    ]


def bench_cells(bench: Bench | None) -> list[list[Cell]]:
    """A line a candidate; the swatch is the colour it has in the charts."""
    if bench is None:
        return []
    lines: list[list[Cell]] = []
    series = 0
    for result, (ratio, tip) in zip(bench.results, beside_fastest(bench), strict=True):
        facts = "\n".join(f"{name}: {value}" for name, value in result.facts.items())
        name = name_of(result)
        if result.error:
            failed = Cell(name, "warning", "warning", result.error)
            missing = Cell("not measured", tone="warning", tip=result.error)
            lines.append([failed, missing, *(Cell("") for _ in range(6))])
            continue
        low, high = result.ci95_ms
        figures = (result.median_ms, None, result.p90_ms, result.p99_ms, result.load_ms)
        cells = [Cell(f"{plain(low)}–{plain(high)}") if figure is None else Cell(plain(figure)) for figure in figures]
        memory = Cell(f"{result.peak_rss_mb:.0f}" if result.peak_rss_mb else words.UNKNOWN)
        named = Cell(name, tip=f"{result.model}\n{facts}".strip(), swatch=series)
        lines.append([named, *cells, memory, Cell(ratio, tip=tip, tone="good" if ratio == "fastest" else "")])
        series += 1
    return lines
