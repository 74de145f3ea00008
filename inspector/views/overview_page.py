"""The overview: what the model is, on one page."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from inspector.engines.summary.rows import Overview, Port, Remark, Row
from inspector.viewmodels import words
from inspector.viewmodels.document import DocumentModel
from inspector.viewmodels.overview import Figure, caption, figures
from inspector.views import look
from inspector.views.card_grid import CardGrid
from inspector.views.dims_editor import DimsEditor
from inspector.views.figures import Bar, BarList
from inspector.views.pieces import Elided, Picture, button, card, column, label, row
from inspector.views.repeats_line import RepeatsLine

WIDTH = 1040
MOST_PORTS = 12
NAME, SHAPE = 28, 36
"""Characters of an input's name and of its shape that are shown."""
MOST_METADATA = 60
MOST_TEXTS = 40
TINTS = {"info": ("info", "info"), "warning": ("warning", "warning"), "danger": ("error", "bad")}


class OverviewPage(QScrollArea):
    """Cards, from the most asked to the least."""

    layers_wanted = Signal()

    def __init__(self, document: DocumentModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("overviewPage")
        self.setAccessibleName("Overview")
        self.setWidgetResizable(True)
        self._document = document
        self._largest: list[Row] = []
        self._told: Remark | None = None
        self._distinct: int | None = None
        self.title, self.badge = Elided("", "title"), label("", "badge")
        self.caption = label("", "caption", wrap=True)
        self._notes, self._ports = QVBoxLayout(), QHBoxLayout()
        self._notes.setSpacing(8)
        self._ports.setSpacing(24)
        self._numbers = CardGrid()
        self.dims = DimsEditor(document)
        self.repeats = RepeatsLine(document)
        self.bars = BarList()
        self.bars.picked.connect(self._on_picked)
        self._bars_card = card(column(label("Largest layers", "heading"), self.bars, spacing=8))
        self._metadata = QGridLayout()
        self._metadata.setHorizontalSpacing(24)
        self._metadata.setVerticalSpacing(4)
        self._metadata.setColumnStretch(1, 1)
        self._metadata_card = card(column(label("Metadata", "heading"), self._metadata, spacing=8))
        self._texts = QVBoxLayout()
        self._texts.setSpacing(0)
        self._texts_card = card(column(label("Texts", "heading"), self._texts, spacing=8))
        self._more = label("", "caption", wrap=True)
        self.setWidget(self._body())
        document.overview_changed.connect(self.refresh)
        document.rows_changed.connect(self._on_rows)
        document.repeats.changed.connect(self._on_repeats)
        self.refresh()

    def _body(self) -> QWidget:
        head = QHBoxLayout()
        head.setSpacing(8)
        self.title.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        head.addWidget(self.title)
        head.addWidget(self.badge)
        head.addStretch(1)
        self._ports_card = card(column(self._ports, self._more, self.dims, spacing=16))
        inner = QWidget()
        inner.setMaximumWidth(WIDTH)
        inner.setLayout(
            column(
                column(head, self.caption, spacing=4),
                self._notes,
                self._ports_card,
                column(self._numbers, self.repeats, spacing=4),
                self._bars_card,
                self._metadata_card,
                self._texts_card,
                0,
                spacing=16,
                margins=24,
            )
        )
        body = QWidget()
        body.setProperty("surface", "base")
        body.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        across = row(spacing=0)
        across.addWidget(inner, 100)
        across.addStretch(1)
        body.setLayout(across)
        return body

    def refresh(self) -> None:
        """Write the overview anew."""
        overview = self._document.overview
        if overview is None:
            return
        self.title.setText(overview.file)
        self.badge.setText(overview.title)
        self.caption.setText(caption(overview))
        self._show_notes(note for note in overview.notes if note != self._told)
        self._show_ports(overview)
        self._show_numbers()
        self._show_texts(overview.texts)
        self._show_metadata(overview)
        self._on_rows()

    def leave_out(self, told: Remark | None) -> None:
        """A remark that stands above all pages need not stand here as well."""
        if told != self._told:
            self._told = told
            self.refresh()

    def _on_rows(self) -> None:
        if self._document.overview is None:
            return
        self._show_numbers()
        every = self._document.totals.parameters or 1
        self._largest = self._document.layers.largest
        self.bars.show_bars(
            [
                Bar(item.name, item.type, item.category, item.parameters / every, words.count(item.parameters))
                for item in self._largest
            ]
        )
        self._bars_card.setVisible(bool(self._largest))

    def _on_repeats(self) -> None:
        if self._document.overview is not None and self._document.repeats.distinct != self._distinct:
            self._show_numbers()

    # The cards

    def _show_numbers(self) -> None:
        self._distinct = self._document.repeats.distinct
        self._show_figures(figures(self._document.totals, self._distinct))

    def _show_notes(self, notes: Iterable[Remark]) -> None:
        _clear(self._notes)
        for note in notes:
            icon, tint = TINTS.get(note.level, TINTS["info"])
            text = column(label(note.text, wrap=True), spacing=2)
            if note.hint:
                text.addWidget(label(note.hint, "caption", wrap=True))
            made = QFrame()
            made.setProperty("level", note.level)
            made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
            inner = row(column(Picture(look.icon(icon, tint), 16), 0), spacing=8, margins=(16, 8, 16, 8))
            inner.addLayout(text, 1)
            made.setLayout(inner)
            self._notes.addWidget(made)

    def _show_ports(self, overview: Overview) -> None:
        _clear(self._ports)
        for signature in overview.signatures[:1]:
            self._ports.addWidget(_port_list("Inputs", signature.inputs), 1, Qt.AlignmentFlag.AlignTop)
            self._ports.addWidget(Picture(look.icon("arrow-right"), 16))
            self._ports.addWidget(_port_list("Outputs", signature.outputs), 1, Qt.AlignmentFlag.AlignTop)
        others = [signature.name for signature in overview.signatures[1:]]
        self._more.setText(f"Also callable as {', '.join(others[:MOST_PORTS])}" if others else "")
        self._more.setVisible(bool(others))
        self._ports_card.setVisible(bool(overview.signatures))

    def _show_figures(self, items: Iterable[Figure]) -> None:
        cards: list[QWidget] = []
        for item in items:
            number = Elided(item.number, "figure")
            number.setFont(look.tabular())
            words_ = Elided(item.words, "caption", Qt.TextElideMode.ElideRight)
            box = card(column(label(item.title, "caption"), number, words_, spacing=4), 12)
            box.setAccessibleName(f"{item.title}: {item.number}, {item.words}")
            box.setToolTip(item.tip)
            cards.append(box)
        self._numbers.show_cards(cards)

    def _show_texts(self, names: tuple[str, ...]) -> None:
        _clear(self._texts)
        for name in names[:MOST_TEXTS]:
            one = button(name.replace("&", "&&"), lambda name=name: self._open_text(name), quiet=True, icon="file-code")  # type: ignore[misc]
            self._texts.addLayout(row(one, 0))
        if len(names) > MOST_TEXTS:
            self._texts.addWidget(label(f"and {len(names) - MOST_TEXTS} more", "caption"))
        self._texts_card.setVisible(bool(names))

    def _open_text(self, name: str) -> None:
        from inspector.views.text_box import TextBox

        box = TextBox(self._document, name, self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def _show_metadata(self, overview: Overview) -> None:
        _clear(self._metadata)
        for number, (name, text) in enumerate(list(overview.metadata.items())[:MOST_METADATA]):
            value = label(text if len(text) < 2000 else text[:2000] + "…", wrap=True)
            self._metadata.addWidget(label(name, "caption"), number, 0, Qt.AlignmentFlag.AlignTop)
            self._metadata.addWidget(value, number, 1)
        self._metadata_card.setVisible(bool(overview.metadata))

    def _on_picked(self, number: int) -> None:
        self._document.selection.select(DocumentModel.target_of(self._largest[number]))
        self.layers_wanted.emit()


def _port_list(title: str, ports: tuple[Port, ...]) -> QWidget:
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(16)
    grid.setVerticalSpacing(4)
    grid.setColumnStretch(2, 1)
    grid.addWidget(label(title, "caption"), 0, 0, 1, 3)
    for number, port in enumerate(ports[:MOST_PORTS], 1):
        grid.addWidget(_short(port.name, NAME, "heading"), number, 0)
        grid.addWidget(_short(words.shape(port.shape), SHAPE, mono=True), number, 1)
        grid.addWidget(label(port.dtype, "caption"), number, 2)
    if len(ports) > MOST_PORTS:
        grid.addWidget(label(f"and {len(ports) - MOST_PORTS} more", "caption"), MOST_PORTS + 1, 0, 1, 3)
    if not ports:
        grid.addWidget(label("none", "caption"), 1, 0)
    made = QWidget()
    made.setLayout(grid)
    return made


def _short(text: str, most: int, role: str = "", *, mono: bool = False) -> QWidget:
    """A label that is cut where it would push others away; its tooltip has it whole."""
    made = label(text if len(text) <= most else f"{text[: most - 1]}…", role, mono=mono)
    made.setToolTip(words.tip(text) if len(text) > most else "")
    return made


def _clear(layout: QVBoxLayout | QHBoxLayout | QGridLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.deleteLater()
        elif isinstance(inner := item.layout(), QVBoxLayout | QHBoxLayout):
            _clear(inner)
