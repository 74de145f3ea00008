"""The convert panel: forms made from types, greyed targets with reasons, destinations, and how a job is shown."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from PySide6.QtCore import QStandardPaths, Qt, QTimer
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QSpinBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from inspector import needs
from inspector.engines.convert.edge import Options
from inspector.engines.parity.verdict import Parity, Verdict
from inspector.jobs.inputs import as_line, parse_line
from inspector.jobs.requests import Conversion
from inspector.settings import Settings
from inspector.viewmodels.convert import ConvertModel
from inspector.viewmodels.destination import default_destination, objection, stem_of
from inspector.viewmodels.options import changed, fields_of, with_defaults
from inspector.views.convert_panel import ConvertPanel
from inspector.views.error_box import ErrorBox
from inspector.views.options_form import field_widget


class Everything(Options, frozen=True):
    opset: Annotated[int, msgspec.Meta(title="Opset", description="Of ONNX.", ge=11, le=23)] = 17
    precision: Annotated[Literal["float32", "float16"], msgspec.Meta(title="Precision")] = "float32"
    simplify: bool = True
    batch_name: str = "batch"
    names: tuple[str, ...] = ()
    threshold: float = 0.5
    seed: int | None = None
    axes: dict[str, dict[int, str]] = {}  # noqa: RUF012


def test_a_form_is_read_off_the_types() -> None:
    fields = fields_of(Everything)
    kinds = ["whole", "choice", "switch", "text", "words", "number", "whole", "table"]
    assert [field.kind for field in fields] == kinds
    opset = fields[0]
    assert (opset.title, opset.help, opset.low, opset.high, opset.default) == ("Opset", "Of ONNX.", 11, 23, 17)
    assert fields[1].choices == ("float32", "float16")
    assert fields[3].title == "Batch name"
    assert fields[6].optional


def test_only_what_differs_from_the_defaults_is_sent_and_it_is_accepted() -> None:
    fields = fields_of(Everything)
    values = with_defaults(fields, {"opset": 13, "precision": "int8", "names": ["a", "b"], "gone": 1, "seed": 3})
    sent = changed(fields, values)
    assert sent == {"opset": 13, "names": ["a", "b"], "seed": 3}  # int8 is no choice: the default stands
    assert msgspec.convert(sent, Everything) == Everything(opset=13, names=("a", "b"), seed=3)


def test_each_kind_of_field_tells_its_value(qtbot: QtBot) -> None:
    told: dict[str, Any] = {}
    page = QWidget()
    qtbot.addWidget(page)
    made = {
        f.name: field_widget(f, f.default, lambda v, n=f.name: told.__setitem__(n, v)) for f in fields_of(Everything)
    }
    for widget in made.values():
        widget.setParent(page)
    spin, combo, box = made["opset"], made["precision"], made["simplify"]
    assert isinstance(spin, QSpinBox)
    assert isinstance(combo, QComboBox)
    assert isinstance(box, QCheckBox)
    spin.setValue(99)  # the bound holds
    combo.setCurrentIndex(1)
    box.click()
    for name, text in {"batch_name": "n", "names": "x, y ,", "seed": "5", "axes": '{"x": {"1": "w"}}'}.items():
        line = made[name]
        assert isinstance(line, QLineEdit)
        line.setText(text)
    assert told == {
        "opset": 23, "precision": "float16", "simplify": False, "batch_name": "n", "names": ("x", "y"), "seed": 5,
        "axes": {"x": {"1": "w"}},
    }  # fmt: skip
    line = made["axes"]
    assert isinstance(line, QLineEdit)
    line.setText("{broken")
    assert line.property("wrong") is True
    assert told["axes"] == {"x": {"1": "w"}}


@pytest.mark.parametrize(
    ("line", "shapes"),
    [
        ("image=1x3x224x224", {"image": (1, 3, 224, 224)}),
        ("image=f32[batch, 3]; n=5 s=[]", {"image": ("batch", 3), "n": (5,), "s": ()}),
        ("", {}),
    ],
)
def test_shapes_in_a_line(line: str, shapes: dict[str, Any]) -> None:
    assert parse_line(line) == shapes
    assert parse_line(as_line(shapes)) == shapes


@pytest.fixture
def folder(tmp_path: Path, samples: Path) -> Path:
    shutil.copy(samples / "digits_mlp.torchscript.pt", tmp_path)
    shutil.copy(samples / "digits_mlp.pt2", tmp_path)
    return tmp_path


def test_a_destination_is_sensible_and_never_taken(folder: Path) -> None:
    source = folder / "digits_mlp.torchscript.pt"
    assert stem_of(source) == "digits_mlp"
    assert default_destination(source, ".onnx") == folder / "digits_mlp.onnx"
    (folder / "digits_mlp.onnx").touch()
    (folder / "digits_mlp-2.onnx").mkdir()
    assert default_destination(source, ".onnx") == folder / "digits_mlp-3.onnx"
    assert default_destination(source, "") == folder / "digits_mlp_saved_model"
    (folder / "digits_mlp_saved_model").mkdir()
    assert stem_of(folder / "digits_mlp_saved_model") == "digits_mlp"
    assert default_destination(folder / "digits_mlp_saved_model", ".tflite") == folder / "digits_mlp.tflite"


def test_what_is_made_of_a_sample_goes_to_the_documents(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = tmp_path / "Documents"
    monkeypatch.setattr(QStandardPaths, "writableLocation", lambda _kind: str(documents))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert default_destination(samples / "digits_mlp.pt2", ".onnx") == tmp_path / "digits_mlp.onnx"  # no such folder
    documents.mkdir()
    (documents / "digits_mlp.onnx").touch()
    assert default_destination(samples / "digits_mlp.pt2", ".onnx") == documents / "digits_mlp-2.onnx"


def test_what_is_made_where_one_may_not_write_goes_to_the_documents(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = tmp_path_factory.mktemp("Documents")
    monkeypatch.setattr(QStandardPaths, "writableLocation", lambda _kind: str(documents))
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != folder)  # root may write anywhere
    assert default_destination(folder / "digits_mlp.pt2", ".onnx") == documents / "digits_mlp.onnx"


def test_sizes_typed_on_the_overview_reach_the_request(folder: Path, desk: Any) -> None:
    path, settings = folder / "digits_mlp.torchscript.pt", Settings()
    model = ConvertModel(path, "torch.script", desk, settings)
    settings.shapes = {str(path): {"batch": 3}}
    settings.input_shapes = {str(path): {"x": [3, 1, 28, 28]}}
    model.set_inputs([("x", None), ("y", ("batch", 7))])
    assert model.input_example == "x=3x1x28x28; y=3x7"
    assert (model.request().dims, model.request().shapes) == ({"batch": 3}, {"x": (3, 1, 28, 28)})
    model.set_input_line("x=9x1x28x28")
    assert model.request().shapes == {"x": (9, 1, 28, 28)}  # what is written here counts for more


def test_why_a_destination_will_not_do(folder: Path) -> None:
    source = folder / "digits_mlp.pt2"
    assert objection(str(folder / "x.onnx"), source) == ""
    assert "the model itself" in objection(str(source), source)
    assert "There is no folder" in objection(str(folder / "none" / "x"), source)
    assert "whole path" in objection("x.onnx", source)
    assert "Say where" in objection(" ", source)


@pytest.fixture
def panel(qtbot: QtBot, folder: Path, desk: Any) -> ConvertPanel:
    model = ConvertModel(folder / "digits_mlp.pt2", "torch.export", desk, Settings())
    panel = ConvertPanel(model)
    qtbot.addWidget(panel)
    panel.resize(1200, 300)
    panel.show()
    choose(panel, "onnx")
    return panel


def choose(panel: ConvertPanel, format: str) -> None:
    panel.target.setCurrentIndex(panel.target.findData(format))
    assert panel.model.target == format


def press(qtbot: QtBot, button: QPushButton) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def conversion(panel: ConvertPanel, verdict: Verdict = Verdict.SAME) -> Conversion:
    target = Path(panel.model.destination)
    target.write_bytes(b"x" * 2000)
    proof = Parity(verdict=verdict, sentence="They agree within noise.")
    return Conversion(
        source=str(panel.model.path), target=str(target), to="onnx", route=(), files=(str(target),), seconds=1.5,
        proof=proof,
    )  # fmt: skip


def test_a_target_that_cannot_be_reached_is_greyed_and_says_why(
    qtbot: QtBot, folder: Path, desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(needs, "installed", lambda module: module != "torch")
    model = ConvertModel(folder / "digits_mlp.pt2", "torch.export", desk, Settings())
    panel = ConvertPanel(model)
    qtbot.addWidget(panel)
    item = panel.target.model().index(panel.target.findData("onnx"), 0)
    assert not item.flags() & Qt.ItemFlag.ItemIsEnabled
    assert "pip install 'inspector[torch]'" in item.data(Qt.ItemDataRole.ToolTipRole)
    assert "pip install" in item.data(Qt.ItemDataRole.AccessibleTextRole)
    assert not panel.start_button.isEnabled()
    assert panel.start_button.toolTip()


def test_the_route_stands_as_chips(panel: ConvertPanel) -> None:
    assert panel.chips.objectName() == "convertRoute"
    assert "torch.onnx" in panel.chips.accessibleName()
    assert panel.chips.flow.count() == 3, "a chip, a step, a chip"


def test_options_are_sent_and_remembered(qtbot: QtBot, panel: ConvertPanel, desk: Any) -> None:
    press(qtbot, panel.options_button)
    assert panel.options.isVisible()
    opset = panel.findChild(QComboBox, "torch_export_to_onnx.opset")
    opset.setCurrentIndex(opset.findData(20))
    assert panel.options_button.text() == "Options (1 changed)"
    panel.inputs.setText("")
    qtbot.keyClicks(panel.inputs, "input=2x1x28x28")
    request = panel.model.request()
    assert request.options == {"torch_export_to_onnx": {"opset": 20}}
    assert request.shapes == {"input": (2, 1, 28, 28)}
    assert request.via == ()
    press(qtbot, panel.start_button)
    assert Settings().options == {"torch_export_to_onnx": {"opset": 20}}
    assert next(iter(desk.jobs.values()))[0] == "digits_mlp.pt2 → digits_mlp.onnx"


def test_a_wrong_line_keeps_it_from_starting_and_says_why(qtbot: QtBot, panel: ConvertPanel) -> None:
    qtbot.keyClicks(panel.inputs, "nonsense")
    assert not panel.start_button.isEnabled()
    assert "is not an input shape" in panel.problem.text()
    panel.inputs.clear()
    qtbot.keyClicks(panel.inputs, " ")
    assert panel.start_button.isEnabled()
    panel.destination.clear()
    qtbot.keyClicks(panel.destination, "/nowhere/at/all.onnx")
    assert "There is no folder /nowhere/at" in panel.problem.text()


def test_progress_cancel_and_what_is_said_then(qtbot: QtBot, panel: ConvertPanel, desk: Any) -> None:
    press(qtbot, panel.start_button)
    desk.started.emit(desk.last)
    desk.progressed.emit("another", 0.9, "not ours")
    desk.progressed.emit(desk.last, 0.25, "torch.onnx is translating")
    assert panel.bar.value() == 250
    assert panel.words.text() == "torch.onnx is translating"
    assert not panel.start_button.isEnabled()
    press(qtbot, panel.cancel_button)
    assert panel.verdict.text() == "Cancelled"
    assert panel.start_button.isEnabled()
    assert panel.progress.isHidden()


@pytest.mark.parametrize(
    ("verdict", "tone"),
    [
        (Verdict.SAME, "good"),
        (Verdict.PRECISION, "warning"),
        (Verdict.DIFFERENT, "bad"),
        (Verdict.NOTHING_PROVED, "muted"),
    ],
)
def test_a_result_has_the_colour_of_its_verdict(
    qtbot: QtBot, panel: ConvertPanel, desk: Any, verdict: Verdict, tone: str
) -> None:
    press(qtbot, panel.start_button)
    done = conversion(panel, verdict)
    with qtbot.waitSignal(panel.model.finished):
        desk.end(done)
    assert panel.verdict.property("tone") == tone
    assert "2.00 kB · 1.5 s · They agree" in panel.verdict_words.text()
    with qtbot.waitSignal(panel.open_requested) as opened:
        press(qtbot, panel.open_button)
    assert opened.args == [done.target]
    with qtbot.waitSignal(panel.proof_requested) as shown:
        press(qtbot, panel.proof_button)
    assert shown.args == [done]
    assert panel.destination.text().endswith("digits_mlp-2.onnx")  # the next one replaces nothing


def test_a_failure_is_one_sentence_and_its_details(qtbot: QtBot, panel: ConvertPanel, desk: Any) -> None:
    press(qtbot, panel.start_button)
    desk.fail("The converter ended: out of memory.", "Close other programs.", "Traceback: …")
    assert panel.verdict.text() == "The converter ended: out of memory."
    assert panel.verdict_words.text() == "Close other programs."
    assert not panel.open_button.isVisible()
    press(qtbot, panel.details_button)
    box = panel.findChild(ErrorBox)
    assert box.details.toPlainText() == "Traceback: …"
    box.close()


@pytest.mark.parametrize(("answer", "jobs"), [("Replace", 1), ("Cancel", 0)])
def test_replacing_asks(qtbot: QtBot, panel: ConvertPanel, desk: Any, answer: str, jobs: int) -> None:
    taken = panel.model.path.with_name("taken.onnx")
    taken.touch()
    panel.destination.clear()
    qtbot.keyClicks(panel.destination, str(taken))

    def reply() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        next(button for button in box.buttons() if button.text().replace("&", "") == answer).click()

    QTimer.singleShot(50, reply)
    press(qtbot, panel.start_button)
    assert len(desk.jobs) == jobs
    assert panel.model.replaces


def test_everything_is_reached_by_keyboard(qtbot: QtBot, panel: ConvertPanel) -> None:
    panel.activateWindow()
    panel.target.setFocus()
    seen = []
    for _ in range(12):
        widget = QApplication.focusWidget()
        seen.append(widget)
        qtbot.keyClick(widget, Qt.Key.Key_Tab)
    for wanted in (panel.target, panel.options_button, panel.destination, panel.browse, panel.start_button):
        assert wanted in seen
    panel.start_button.setFocus()
    qtbot.keyClick(panel.start_button, Qt.Key.Key_Space)
    assert panel.model.running.live
