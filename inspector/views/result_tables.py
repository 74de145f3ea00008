"""Tables of a proof and of a measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import (
    QFontMetrics,
    QGuiApplication,
    QIcon,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from inspector.engines.latency.results import Bench
from inspector.engines.parity.verdict import OutputParity, Parity
from inspector.viewmodels import words
from inspector.viewmodels.measured import beside_fastest, name_of, parts_of
from inspector.viewmodels.verdicts import ICONS, difference, plain, tone_of
from inspector.views import look

ALIGN = Qt.AlignmentFlag
CELL = Qt.ItemDataRole.UserRole
LINE, TALL, HEAD, MOST = 28, 40, 30, 6
"""Heights of a line, of a line with two rows of text, of the head; and how many lines are shown at once."""
NAME, GAP, ICON = 168, 20, 24
"""The least width of the first column; what a column needs beside its text, and for an icon."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell shows: text, an icon, a tone, a tip, and the number of the series whose colour it bears.

    Where `above` and `below` are given, they are shown one below the other, and the text is what is copied.
    """

    text: str
    icon: str = ""
    tone: str = ""
    tip: str = ""
    swatch: int = -1
    above: str = ""
    below: str = ""


class NameCells(QStyledItemDelegate):
    """The first column: where a cell has two rows of text, the second is fainter."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw ground and icon as usual, then both rows."""
        cell = index.data(CELL)
        if not isinstance(cell, Cell) or not cell.below:
            super().paint(painter, option, index)
            return
        self.initStyleOption(option, index)
        widget: QWidget = option.widget
        room = widget.style().subElementRect(QStyle.SubElement.SE_ItemViewItemText, option, widget)
        option.text = ""
        widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, widget)
        room.setTop(option.rect.top() + 4)
        room.setBottom(option.rect.bottom() - 4)
        painter.save()
        painter.setFont(option.font)
        metrics = QFontMetrics(option.font)
        for text, tone, side in ((cell.above, "text", ALIGN.AlignTop), (cell.below, "muted", ALIGN.AlignBottom)):
            painter.setPen(look.colour(tone))
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, room.width())
            painter.drawText(room, int(ALIGN.AlignLeft | side), shown)
        painter.restore()


class ResultTable(QTableWidget):
    """A small table that is as high as its lines; figures stand right, text left; copying takes what is selected.

    Args:
        name: For screen readers.
        head: Titles of the columns, the most wanted first: those that find no room are hidden, the last ones first.
        left: Columns of text.
        tips: What the columns mean.
    """

    def __init__(self, name: str, head: Sequence[str], left: Sequence[int], tips: Sequence[str] = ()) -> None:
        super().__init__(0, len(head))
        self._left = frozenset(left)
        self._head = tuple(head)
        self._cells: list[list[Cell]] = []
        self._wanted: list[int] = []
        self._asked = 0
        self.setAccessibleName(name)
        self.setProperty("role", "results")
        self.setHorizontalHeaderLabels(list(head))
        self.setItemDelegateForColumn(0, NameCells(self))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setFixedHeight(HEAD)
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
        tall = any(cell.below for texts in cells for cell in texts)
        self.verticalHeader().setDefaultSectionSize(TALL if tall else LINE)
        self.setRowCount(len(cells))
        for line, texts in enumerate(cells):
            for number, cell in enumerate(texts):
                item = QTableWidgetItem(cell.text)
                item.setData(CELL, cell)
                item.setTextAlignment(self._side(number))
                item.setFont(look.tabular(0.92))
                item.setToolTip(words.tip(cell.tip))
                self.setItem(line, number, item)
        self._wanted = [self._wish(number) for number in range(len(self._head))]
        self._dress()
        self.setVisible(bool(cells))
        self._fit()

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(320, self.height())

    def minimumSizeHint(self) -> QSize:
        """It hides columns."""
        return QSize(160, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Other columns may find room."""
        super().resizeEvent(event)
        self._fit()

    def shown(self) -> list[str]:
        """Titles of the columns that find room."""
        return [title for number, title in enumerate(self._head) if not self.isColumnHidden(number)]

    def _wish(self, number: int) -> int:
        metrics = QFontMetrics(look.tabular(0.92))
        cells = [texts[number] for texts in self._cells]
        texts = [text for cell in cells for text in ((cell.above, cell.below) if cell.below else (cell.text,))]
        icon = ICON if any(cell.icon or cell.swatch >= 0 for cell in cells) else 0
        head = QFontMetrics(self.horizontalHeader().font()).horizontalAdvance(self._head[number])
        return GAP + icon + max(head, *(metrics.horizontalAdvance(text) for text in (self._head[number], *texts)))

    def _fit(self) -> None:
        """The first columns that find room beside the name; it takes what they leave."""
        room, least = self.viewport().width(), min(max(self._wanted[0], 64), NAME)
        used, full = least, False
        for number in range(1, len(self._head)):
            full = full or (number > 1 and used + self._wanted[number] > room)
            self.setColumnHidden(number, full)
            self.setColumnWidth(number, self._wanted[number])
            used += 0 if full else self._wanted[number]
        self.setColumnWidth(0, max(least, least + room - used))
        policy = Qt.ScrollBarPolicy.ScrollBarAsNeeded if used > room else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setHorizontalScrollBarPolicy(policy)
        each = self.verticalHeader().defaultSectionSize()
        height = HEAD + each * max(1, min(MOST, len(self._cells))) + (12 if used > room else 2)
        if self._asked != height:
            self._asked = height
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


PARITY_HEAD = ("Output", "Verdict", "Largest", "Tolerance", "Mean", "Arg-max", "Relative", "Cosine", "Shape")
BENCH_HEAD = ("Latency in ms", "Median", "95 % interval", "Ratio", "p90", "p99", "Load", "MB")
BENCH_TIPS = (
    "", "Half of the runs took less", "Where the median lies with 95 % confidence, by bootstrap",
    "How many times as long as the fastest", "Nine of ten runs took less", "99 of 100 runs took less",
    "Opening the model", "Peak memory of the process",
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
        Cell(difference(output.tolerance), tip=output.why),
        Cell(difference(output.mean_abs)),
        Cell(
            words.UNKNOWN if agreement is None else f"{agreement * 100:.4g} %",
            tip="Rows whose largest value is the same",
        ),
        Cell(difference(output.max_rel)),
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
        name, above, below = name_of(result), *parts_of(result)
        if result.error:
            failed = Cell(name, "warning", "warning", result.error, above=above, below=below)
            missing = Cell("not measured", tone="warning", tip=result.error)
            lines.append([failed, missing, *(Cell("") for _ in range(6))])
            continue
        low, high = result.ci95_ms
        memory = f"{result.peak_rss_mb:.0f}" if result.peak_rss_mb else words.UNKNOWN
        named = Cell(name, tip=f"{result.model}\n{facts}".strip(), swatch=series, above=above, below=below)
        beside = Cell(ratio, tip=tip, tone="good" if ratio == "fastest" else "")
        rest = [Cell(plain(figure)) for figure in (result.p90_ms, result.p99_ms, result.load_ms)]
        interval = Cell(f"{plain(low)}–{plain(high)}")
        lines.append([named, Cell(plain(result.median_ms)), interval, beside, *rest, Cell(memory)])
        series += 1
    return lines
