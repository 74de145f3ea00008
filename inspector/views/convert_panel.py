"""The convert panel: what to, by which way, with which options, where to; then the job and its verdict."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QWidget,
)

from inspector.viewmodels.convert import ConvertModel, title_of
from inspector.views import look
from inspector.views.error_box import ErrorBox
from inspector.views.options_form import TITLE_WIDTH, OptionsForm
from inspector.views.pieces import Elided, Picture, button, column, grey, label, line, row, show_share
from inspector.views.route_chips import RouteChips

OPTIONS_HEIGHT = 232
BUSY = "A conversion is on its way: wait for it, or cancel it"


class ConvertPanel(QWidget):
    """Converting the model of a tab.

    Signals:
        open_requested: The result is to be opened; its path.
        proof_requested: The proof is to be shown; the Conversion.
    """

    open_requested = Signal(str)
    proof_requested = Signal(object)

    def __init__(self, model: ConvertModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("convertPanel")
        self.setAccessibleName("Convert")
        self.model = model
        self.target = self._target_combo()
        self._fill_targets()
        self.chips = RouteChips(model.choose_route)
        self.options_button = button("Options", self._toggle_options, quiet=True, icon="settings")
        self.options_button.setCheckable(True)
        self.start_button = button("Convert && prove", self.start, primary=True)
        self.start_button.setObjectName("convertButton")
        self.destination = QLineEdit()
        self.destination.setObjectName("convertDestination")
        self.destination.setAccessibleName("Save the result as")
        self.destination.textEdited.connect(model.set_destination)
        self.browse = button("Browse…", self._browse)
        self.form = OptionsForm(model.set_option)
        self.inputs = QLineEdit()
        self.inputs.setObjectName("convertInputs")
        self.inputs.setAccessibleName("Shapes of inputs")
        self.inputs.setToolTip(
            "Only where the file does not say, or to fix sizes: name=1x3x224x224; several: name=…; name=…"
        )
        self.inputs.textEdited.connect(model.set_input_line)
        self.options = self._options_area()
        self.problem = label("", "caption", wrap=True)
        self._build_progress()
        self._build_result()
        self._lay_out()
        model.changed.connect(self._update)
        model.targets_changed.connect(self._fill_targets)
        model.route_changed.connect(self._show_route)
        look.themed.changed.connect(self._update)
        self._show_route()
        self._update()

    def start(self) -> None:
        """Convert; where something stands at the destination, ask first."""
        if self.model.problem:
            return
        if self.model.replaces and not self._may_replace():
            return
        self.model.start(overwrite=self.model.replaces)

    # Parts

    def _target_combo(self) -> QComboBox:
        made = QComboBox()
        made.setObjectName("convertTarget")
        made.setAccessibleName("Convert to")
        made.setMinimumWidth(112)
        made.setMaximumWidth(look.scaled(208))
        made.setPlaceholderText("No other format")
        made.activated.connect(lambda _place: self.model.choose(made.currentData()))
        made.currentIndexChanged.connect(self._on_target)
        return made

    def _fill_targets(self) -> None:
        """The formats that it can be converted to, and why the others are not among them."""
        combo = self.target
        items = QStandardItemModel(combo)
        for target in self.model.targets:
            item = QStandardItem(target.title)
            item.setData(target.format, Qt.ItemDataRole.UserRole)
            item.setToolTip(target.reason)
            if target.reason:
                item.setEnabled(False)
                item.setIcon(look.icon("circle-slash", "disabled"))
                item.setData(f"{target.title}: {target.reason}", Qt.ItemDataRole.AccessibleTextRole)
            items.appendRow(item)
        combo.blockSignals(True)  # the model has chosen already
        combo.setModel(items)
        combo.setCurrentIndex(combo.findData(self.model.target))
        combo.blockSignals(False)

    def _on_target(self, place: int) -> None:
        format = self.target.itemData(place)
        if format and format != self.model.target:
            self.model.choose(format)

    def _options_area(self) -> QScrollArea:
        inside = QWidget()
        reset = button("Defaults", self.model.reset_options, quiet=True)
        reset.setToolTip("Set every option back")
        title = label("Shapes of inputs", "heading")
        title.setFixedWidth(look.scaled(TITLE_WIDTH))
        line_of_inputs = row(title, self.inputs, reset, spacing=16)
        inside.setLayout(column(self.form, line_of_inputs, 0, spacing=16, margins=(0, 8, 0, 0)))
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setMaximumHeight(OPTIONS_HEIGHT)
        area.setVisible(False)
        return area

    def _build_progress(self) -> None:
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(160)
        self.words = Elided(role="caption", mode=Qt.TextElideMode.ElideRight)
        self.cancel_button = button("Cancel", self.model.cancel)
        self.cancel_button.setObjectName("convertCancel")
        self.progress = QWidget()
        self.progress.setLayout(row(self.bar, self.words, self.cancel_button, spacing=16))
        _give_room(self.progress, self.words)

    def _build_result(self) -> None:
        self.verdict_icon = Picture(look.icon("pass", "good"), 16)
        self.verdict = label("", "heading")
        self.verdict.setObjectName("convertVerdict")
        self.verdict_words = Elided(role="caption", mode=Qt.TextElideMode.ElideRight)
        self.open_button = button("Open result", self._open)
        self.proof_button = button("Show proof", self._show_proof)
        self.folder_button = button("Show in folder", self._show_folder)
        self.details_button = button("Details…", self._show_details)
        self.result_buttons: tuple[QPushButton, ...] = (self.open_button, self.proof_button, self.folder_button)
        self.result = QWidget()
        self.result.setLayout(
            row(self.verdict_icon, self.verdict, self.verdict_words, *self.result_buttons, self.details_button)
        )
        _give_room(self.result, self.verdict_words)

    def _lay_out(self) -> None:
        self.chips.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        to, place = label("Convert to"), label("Save as")
        to.setBuddy(self.target)
        place.setBuddy(self.destination)
        for text in (to, place):
            text.setFixedWidth(look.scaled(72))
        head = row(to, self.target, 8, column(self.chips), self.options_button)
        head.setStretch(3, 1)
        head.setAlignment(self.options_button, Qt.AlignmentFlag.AlignTop)
        where = row(place, self.destination, self.browse, self.start_button)
        self.separator = line()
        parts = (head, self.options, where, self.problem, self.separator, self.progress, self.result)
        self.setLayout(column(*parts, spacing=8, margins=(16, 8, 16, 8)))

    # Showing

    def _show_route(self) -> None:
        model = self.model
        if self.target.currentData() != model.target:
            self.target.setCurrentIndex(self.target.findData(model.target))
        self.chips.show_route(model.route, model.routes)
        self.form.show_forms(model.forms)

    def _update(self) -> None:
        model = self.model
        live = model.running.live
        if self.destination.text() != model.destination:
            self.destination.setText(model.destination)
        self.inputs.setPlaceholderText(model.input_example)
        count = model.options_changed
        self.options_button.setText(f"Options ({count} changed)" if count else "Options")
        problem = model.problem
        self.start_button.setEnabled(not live and not problem)
        tip = "Convert in the background, then run both on the same inputs"
        self.start_button.setToolTip(problem or (BUSY if live else tip))
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem) and not live)
        busy = BUSY if live else ""
        always: tuple[QWidget, ...] = (self.target, self.form, self.inputs)
        for widget in always:  # targets also where none can be chosen: each says why not
            grey(widget, busy)
        on_a_route: tuple[QWidget, ...] = (self.destination, self.browse, self.options_button)
        for widget in on_a_route:
            grey(widget, busy or (problem if model.route is None else ""))
        self._update_progress(live)
        self._update_result(live)
        self.separator.setVisible(not self.progress.isHidden() or not self.result.isHidden())

    def _update_progress(self, live: bool) -> None:
        running = self.model.running
        self.progress.setVisible(live)
        if live:
            show_share(self.bar, running.fraction)
            self.words.setText(running.words)
            self.bar.setAccessibleName(running.words)

    def _update_result(self, live: bool) -> None:
        model = self.model
        card, outcome = model.card, model.outcome
        self.result.setVisible(not live and outcome is not None)
        if live or outcome is None:
            return
        if card is not None:
            self._say(card.icon, card.tone, card.headline, f"{model.result_words} · {card.sentence}")
        elif outcome.state == "cancelled":
            self._say("circle-slash", "muted", "Cancelled", model.stopped or "Nothing was left behind.")
        else:
            self._say("error", "bad", outcome.what, outcome.hint)
        for each in self.result_buttons:
            each.setVisible(card is not None)
        self.proof_button.setEnabled(model.result is not None and model.result.proof is not None)
        self.details_button.setVisible(card is None and outcome.state == "failed")

    def _say(self, icon: str, tone: str, headline: str, words: str) -> None:
        self.verdict_icon.show_icon(look.icon(icon, tone))
        self.verdict.setText(headline)
        palette = self.verdict.palette()
        palette.setColor(self.verdict.foregroundRole(), look.colour("text" if tone == "muted" else tone))
        self.verdict.setPalette(palette)
        self.verdict.setProperty("tone", tone)
        self.verdict_words.setText(words)

    # Doing

    def _toggle_options(self) -> None:
        self.options.setVisible(self.options_button.isChecked())

    def _browse(self) -> None:
        title = f"Save {title_of(self.model.target)} as"
        confirm = QFileDialog.Option.DontConfirmOverwrite  # asked once, when converting
        name, _ = QFileDialog.getSaveFileName(self, title, self.model.destination, options=confirm)
        if name:
            self.model.set_destination(name)

    def _may_replace(self) -> bool:
        name = Path(self.model.destination).name
        box = QMessageBox(QMessageBox.Icon.Question, "Replace?", f"{name} is there already.", parent=self)
        box.setInformativeText("It is replaced only when the conversion succeeds.")
        replace = box.addButton("Replace", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.exec()
        return box.clickedButton() is replace

    def _open(self) -> None:
        if self.model.result is not None:
            self.open_requested.emit(self.model.result.target)

    def _show_proof(self) -> None:
        self.proof_requested.emit(self.model.result)

    def _show_folder(self) -> None:
        if self.model.result is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(self.model.result.target).parent)))

    def _show_details(self) -> None:
        outcome = self.model.outcome
        if outcome is not None:
            ErrorBox(outcome.what, outcome.hint, outcome.details or outcome.log, self).open()


def _give_room(box: QWidget, words: QWidget) -> None:
    """Let the words take what the others leave."""
    layout = box.layout()
    assert isinstance(layout, QHBoxLayout)
    layout.setStretchFactor(words, 1)
