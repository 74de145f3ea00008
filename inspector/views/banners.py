"""Lines above a model: what the user should know of the file, and whether it is still the one on disk.

What they say may come from the file, so it is plain text everywhere, one line that is cut where it is too long.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QFrame, QLabel, QPlainTextEdit, QProgressBar, QPushButton, QSizePolicy, QWidget

from inspector.engines.summary.rows import Remark
from inspector.viewmodels.document import DocumentModel
from inspector.viewmodels.freshness import Fresh
from inspector.viewmodels.remarks import as_text, gravest, headline
from inspector.views import look
from inspector.views.pieces import Elided, Picture, button, column, label, repolish, row, tool

TINTS = {"info": ("info", "info"), "warning": ("warning", "warning"), "danger": ("error", "bad")}


class Banner(QFrame):
    """One line: a picture of how grave it is, a sentence, what can be done."""

    def __init__(self, name: str, accessible: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(accessible)
        self.setProperty("banner", True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._picture = Picture(look.icon(*TINTS["info"]), 16)
        self.text = Elided("", mode=Qt.TextElideMode.ElideRight)
        self.text.setMinimumHeight(26)
        self._row = row(self._picture, 4, spacing=4, margins=(16, 3, 12, 3))
        self._row.addWidget(self.text, 1)
        self.setLayout(self._row)
        self.hide()

    def add(self, widget: QWidget) -> None:
        """Something that can be done, at the right."""
        self._row.addWidget(widget)

    def say(self, level: str, text: str) -> None:
        """Show a sentence; an empty one hides the line."""
        self._picture.show_icon(look.icon(*TINTS.get(level, TINTS["info"])))
        repolish(self, "level", level)
        self.text.setText(text)
        self.text.setAccessibleName(text)
        self.setVisible(bool(text))


class RemarkBanner(Banner):
    """The gravest thing that is to be known of a file, on all pages of the model; it can be put away."""

    told = Signal(object)
    """The Remark that stands here; None when none does."""

    def __init__(self, document: DocumentModel) -> None:
        super().__init__("remarkBanner", "What to know of this file")
        self._document = document
        self._put_away: tuple[Remark, ...] = ()
        self.details = button("Details", self._show_details)
        self.dismiss = tool("close", "Put away; the overview keeps it", self._dismiss)
        self.add(self.details)
        self.add(self.dismiss)
        document.overview_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Say what is gravest, unless the user has put just that away."""
        overview = self._document.overview
        grave = gravest(overview.notes) if overview is not None else ()
        if not grave or grave == self._put_away:
            self.say("info", "")
            self.told.emit(None)
            return
        self._put_away = ()
        self.say(grave[0].level, headline(grave))
        self.told.emit(grave[0])

    def _dismiss(self) -> None:
        overview = self._document.overview
        self._put_away = gravest(overview.notes) if overview is not None else ()
        self.refresh()

    def _show_details(self) -> None:
        if self._document.overview is not None:
            box = RemarkBox(self._document.name, self._document.overview.notes, self.window())
            box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            box.open()


class RemarkBox(QDialog):
    """Every remark on a file, with all names that it asks for and how they are graded."""

    def __init__(self, name: str, remarks: tuple[Remark, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("remarkBox")
        self.setWindowTitle(f"Remarks – {name}")
        self.text = QPlainTextEdit(as_text(remarks))
        self.text.setReadOnly(True)
        self.text.setFont(look.mono_font())
        self.text.setAccessibleName("Remarks")
        words = label("Nothing that the file asks for was imported or run to show this.", "caption", wrap=True)
        copy = button("Copy", lambda: QGuiApplication.clipboard().setText(self.text.toPlainText()))
        close = button("Close", self.accept, primary=True)
        close.setDefault(True)
        self.setLayout(column(words, self.text, row(0, copy, close), spacing=16, margins=16))
        self.resize(760, 480)


class FreshBanner(Banner):
    """Says when what is shown is not what lies on disk."""

    def __init__(self, document: DocumentModel) -> None:
        super().__init__("freshBanner", "State of the file on disk")
        self._fresh = document.freshness
        self.again: QPushButton = button("Read again", self._fresh.read)
        self.always: QPushButton = button("Always", lambda: self._fresh.set_following(True), quiet=True)
        self.always.setToolTip("From now on, read files that change again by themselves")
        self.add(self.always)
        self.add(self.again)
        self._fresh.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Say what is the matter."""
        state = self._fresh.state
        self.again.setVisible(state is Fresh.CHANGED)
        self.always.setVisible(state is Fresh.CHANGED)
        self.say("info" if state is Fresh.CHANGED else "warning", self._fresh.text)


class SizingBanner(Banner):
    """Says that figures are being worked out, how far they are, and gives them up where that is possible."""

    def __init__(self, document: DocumentModel) -> None:
        super().__init__("sizingBanner", "Figures that are being worked out")
        self._sizing = document.sizing
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(160)
        self.stop: QPushButton = button("Cancel", self._sizing.cancel)
        self.stop.setToolTip("Go back to the sizes that are shown")
        self.add(self.bar)
        self.add(self.stop)
        self._sizing.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Say how far it is."""
        sizing, text, share = self._sizing, self._sizing.text, self._sizing.progress
        self.bar.setRange(0, 0 if share is None else 1000)
        self.bar.setValue(round((share or 0.0) * 1000))
        self.bar.setAccessibleName("Going on" if share is None else f"{share:.0%} done")
        self.stop.setVisible(sizing.can_cancel)
        if text != self.text.text() or bool(text) is self.isHidden():
            self.say("info", text)


def reloaded_label(document: DocumentModel) -> QLabel:
    """A quiet word at the end of the pages' bar: when the file was read again."""
    made = label("", "caption")
    made.setObjectName("reloadedLabel")
    made.setContentsMargins(0, 0, 16, 10)  # a corner hangs at the bar's bottom: in line with the names of the pages
    made.hide()

    def refresh() -> None:
        at = document.freshness.reloaded
        made.setText(f"Reloaded, {at}" if at else "")
        made.setVisible(bool(at))

    document.freshness.changed.connect(refresh)
    return made
