"""The node panel: everything known of what is selected, as text that can be selected and copied."""

from __future__ import annotations

from itertools import groupby

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import (
    QFont,
    QFontMetrics,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextFrameFormat,
    QTextLength,
    QTextOption,
    QTextTableFormat,
)
from PySide6.QtWidgets import QStackedLayout, QTextBrowser, QVBoxLayout, QWidget

from inspector.viewmodels import words
from inspector.viewmodels.details import DetailsModel, flowing
from inspector.viewmodels.figures import figures_of
from inspector.viewmodels.words import brief
from inspector.views import look
from inspector.views.pieces import EmptyPane
from inspector.worker.tasks.details import Details, Fact, Section

LONG_NAME = 14
"""A name longer than this has a line of its own, its text below it."""
CODE = "    "
MOST_TITLE, MOST_SHORT = 120, 300
"""Characters of a name in the heading, and of names and what is said first: the figures are not to be pages below."""
MOST_FACTS = 300
"""Facts of one section that are written out."""


class NodePanel(QWidget):
    """Shows the details of the selected node, module or value."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("nodePanel")
        self.setAccessibleName("Node")
        self.setMinimumWidth(208)
        self._model: DetailsModel | None = None
        self._links: list[Fact] = []
        self.text = QTextBrowser()
        self.text.setObjectName("nodeText")
        self.text.setAccessibleName("Details of the selected node")
        self.text.setOpenLinks(False)
        self.text.setOpenExternalLinks(False)
        self.text.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.text.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        option = self.text.document().defaultTextOption()
        option.setTextDirection(Qt.LayoutDirection.LeftToRight)  # names of any script stand where names stand
        self.text.document().setDefaultTextOption(option)
        self.text.document().setDocumentMargin(16)
        self.text.document().setUndoRedoEnabled(False)
        self.text.setStyleSheet("QTextBrowser { background: transparent; border: none; padding: 0; }")
        self.text.anchorClicked.connect(self._on_link)
        self.empty = EmptyPane("inspect", "Nothing selected", "Select a layer in the table, the graph or the tree.")
        self._stack = QStackedLayout()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.text)
        holder = QVBoxLayout(self)
        holder.setContentsMargins(0, 0, 0, 0)
        holder.addLayout(self._stack)
        look.themed.changed.connect(self.refresh)

    def sizeHint(self) -> QSize:
        """Narrow and high."""
        return QSize(288, 400)

    def set_model(self, model: DetailsModel | None) -> None:
        """Follow another document's details."""
        if self._model is not None:
            self._model.changed.disconnect(self.refresh)
            self._model.document.state_changed.disconnect(self.refresh)
        self._model = model
        if model is not None:
            model.changed.connect(self.refresh)
            model.document.state_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Write the details anew."""
        model = self._model
        if model is not None and model.error is not None:
            self.empty.say(model.error.what, model.error.hint)
        elif model is not None and model.document.overview is None and model.document.error is not None:
            self.empty.say("Nothing to select", "The file could not be read.")
        else:
            self.empty.say("Nothing selected", "Select a layer in the table, the graph or the tree.")
        if model is None or model.details is None:
            self._stack.setCurrentWidget(self.empty)
            return
        self._write(model.details)
        self._stack.setCurrentWidget(self.text)

    # Writing; insertText never reads markup

    def _write(self, details: Details) -> None:
        self._links = []
        self.text.clear()
        cursor = QTextCursor(self.text.document())
        cursor.beginEditBlock()
        cursor.setBlockFormat(_spaced(0, 2))
        cursor.insertText(details.title, _letters("text", weight=QFont.Weight.DemiBold, scale=1.25))
        if details.subtitle:
            cursor.insertBlock(_spaced(0, 0))
            cursor.insertText(brief(details.subtitle, MOST_TITLE), _letters("muted", tip=details.subtitle))
        sections = (*details.sections[:1], figures_of(details), *details.sections[1:])
        form = _form([fact.name for section in sections for fact in section.facts[:MOST_FACTS]])
        for section in sections:
            if section.facts:
                self._heading(cursor, section.title)
                self._facts(cursor, section, form)
        if details.source:
            self._heading(cursor, "Source")
            cursor.insertBlock(_spaced(0, 0))
            cursor.insertText(details.source, _letters("text", mono=True))
        if details.doc:
            self._heading(cursor, "Documentation")
            self._documentation(cursor, flowing(details.doc))
        cursor.endEditBlock()
        self.text.moveCursor(QTextCursor.MoveOperation.Start)

    @staticmethod
    def _documentation(cursor: QTextCursor, text: str) -> None:
        """Paragraphs as prose, lines that begin with four spaces as code."""
        for is_code, lines in groupby(text.splitlines(), lambda line: line.startswith(CODE)):
            said = "\n".join(line.removeprefix(CODE) if is_code else line for line in lines)
            cursor.insertBlock(_spaced(0, 0))
            cursor.insertText(said, _letters("text", mono=is_code, scale=0.92 if is_code else 1.0))

    @staticmethod
    def _heading(cursor: QTextCursor, title: str) -> None:
        cursor.insertBlock(_spaced(16, 4))
        cursor.insertText(title, _letters("muted", weight=QFont.Weight.DemiBold))

    def _facts(self, cursor: QTextCursor, section: Section, form: QTextTableFormat) -> None:
        shown = section.facts[:MOST_FACTS]
        most = MOST_SHORT if section.title == "About" else None
        table = cursor.insertTable(len(shown), 2, form)
        for number, fact in enumerate(shown):
            if len(fact.name) > LONG_NAME:
                table.mergeCells(number, 0, 1, 2)
                whole = table.cellAt(number, 0).firstCursorPosition()
                whole.insertText(brief(fact.name, MOST_SHORT), _letters("muted", tip=fact.tip))
                whole.insertBlock()
                whole.insertText(_cut(fact.text, most), self._form_of(fact))
                continue
            table.cellAt(number, 0).firstCursorPosition().insertText(fact.name, _letters("muted", tip=fact.tip))
            table.cellAt(number, 1).firstCursorPosition().insertText(_cut(fact.text, most), self._form_of(fact))
        cursor.movePosition(QTextCursor.MoveOperation.End)
        if len(section.facts) > MOST_FACTS:
            cursor.insertText(f"and {len(section.facts) - MOST_FACTS:,} more", _letters("muted"))

    def _form_of(self, fact: Fact) -> QTextCharFormat:
        if not (fact.tensor or fact.node):
            return _letters("text", mono=True, tip=fact.tip)
        form = _letters("link", mono=True)
        form.setAnchor(True)
        form.setAnchorHref(f"fact:{len(self._links)}")
        self._links.append(fact)
        return form

    def _on_link(self, url: QUrl) -> None:
        number = url.path()
        if self._model is None or not number.isdecimal() or int(number) >= len(self._links):
            return
        fact = self._links[int(number)]
        if fact.tensor:
            self._model.document.selection.look_at(fact.tensor)
        else:
            self._model.follow(fact.node)


def _form(names: list[str]) -> QTextTableFormat:
    """Names at the left, as wide as the widest, so that what is said of them stands in one line in all sections."""
    form = QTextTableFormat()
    form.setBorder(0)
    form.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_None)
    form.setCellPadding(0)
    form.setCellSpacing(3)
    form.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
    metrics = QFontMetrics(look.tabular())
    width = max((metrics.horizontalAdvance(name) for name in names if len(name) <= LONG_NAME), default=0) + 12
    form.setColumnWidthConstraints([QTextLength(QTextLength.Type.FixedLength, max(72, width)), QTextLength()])
    return form


def _letters(
    colour: str, *, weight: QFont.Weight = QFont.Weight.Normal, scale: float = 1.0, mono: bool = False, tip: str = ""
) -> QTextCharFormat:
    form = QTextCharFormat()
    font = look.mono_font(scale) if mono else look.tabular(scale)
    font.setWeight(weight)
    form.setFont(font)
    form.setForeground(look.colour(colour))
    if tip:
        form.setToolTip(words.tip(tip))
    return form


def _cut(text: str, most: int | None) -> str:
    """What is said of a fact; of a text of pages its beginning."""
    more = 0 if most is None else len(text) - most
    return f"{text[:most]}… and {more:,} characters more" if more > 0 else text or "–"


def _spaced(above: int, below: int) -> QTextBlockFormat:
    form = QTextBlockFormat()
    form.setTopMargin(above)
    form.setBottomMargin(below)
    form.setAlignment(Qt.AlignmentFlag.AlignLeft)
    return form
