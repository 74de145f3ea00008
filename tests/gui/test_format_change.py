"""A file that becomes another kind of file under its name: what converts and compares it follows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from inspector.engines.parity.verdict import Parity, Verdict
from inspector.jobs.requests import Conversion
from inspector.settings import Settings
from inspector.viewmodels.compare import CompareModel
from inspector.viewmodels.convert import ConvertModel

if TYPE_CHECKING:
    from inspector.app.window import MainWindow
    from inspector.viewmodels.document import DocumentModel
    from inspector.views.compare_page import ComparePage
    from inspector.views.convert_panel import ConvertPanel

Opened = Callable[..., "DocumentModel"]


@pytest.fixture
def file(tmp_path: Path, samples: Path) -> Path:
    made = tmp_path / "model.bin"
    made.write_bytes((samples / "digits_mlp.onnx").read_bytes())
    return made


def rewrite(document: DocumentModel, qtbot: QtBot, data: bytes) -> None:
    other = document.path.with_name("saving.tmp")
    other.write_bytes(data)
    with qtbot.waitSignal(document.renewed, timeout=20_000):
        other.replace(document.path)
    qtbot.waitUntil(lambda: document.complete, timeout=30_000)


def offered(combo: QComboBox) -> set[str]:
    items = [combo.model().index(place, 0) for place in range(combo.count())]
    return {item.data(Qt.ItemDataRole.UserRole) for item in items if item.flags() & Qt.ItemFlag.ItemIsEnabled}


def test_targets_and_devices_follow(
    window: MainWindow, opened: Opened, qtbot: QtBot, file: Path, samples: Path
) -> None:
    from safetensors.numpy import save

    document = opened(file)
    page = window.page
    qtbot.waitUntil(lambda: page.convert.page is not None, timeout=30_000)
    panel: ConvertPanel = page.convert.page
    compare: ComparePage = page.show_page("compare")
    page.show_page("layers")
    assert offered(panel.target) == {"tf.saved_model", "tflite"}
    assert panel.start_button.isEnabled()
    panel.model.choose("tflite")
    assert panel.destination.text().endswith("model.tflite")

    rewrite(document, qtbot, save({"a.weight": np.ones((3, 3), np.float32)}))
    assert offered(panel.target) == set()
    assert not panel.start_button.isEnabled()
    assert panel.target.currentIndex() == -1
    assert panel.problem.isVisible()
    assert panel.problem.text() == panel.start_button.toolTip() != ""
    assert panel.destination.text() == ""
    assert panel.inputs.placeholderText() == "name=1x3x224x224", "what the other file had is forgotten"
    assert compare.model.format == "safetensors"

    rewrite(document, qtbot, (samples / "digits_keras.keras").read_bytes())
    assert offered(panel.target) == {"onnx", "tf.saved_model", "tflite"}
    assert panel.target.currentData() == panel.model.target != ""
    assert panel.start_button.isEnabled()
    assert compare.model.format == "keras"


def test_a_conversion_of_what_is_no_more_is_stopped_and_says_so(
    window: MainWindow, opened: Opened, qtbot: QtBot, file: Path, samples: Path
) -> None:
    document = opened(file)
    page = window.page
    qtbot.waitUntil(lambda: page.convert.page is not None, timeout=30_000)
    panel: ConvertPanel = page.convert.page
    panel.model.choose("tflite")
    panel.start()
    assert panel.model.running.live
    with qtbot.waitSignal(panel.model.ended, timeout=20_000):
        rewrite(document, qtbot, (samples / "digits_keras.keras").read_bytes())
    assert panel.verdict.text() == "Cancelled"
    assert panel.verdict_words.text() == "model.bin is now Keras, no longer ONNX; nothing was left behind."
    assert [each.name for each in file.parent.iterdir()] == ["model.bin"]
    assert panel.model.target == "tflite", "what was chosen stays where it can"
    assert panel.start_button.isEnabled()


def test_results_of_the_file_before_it_changed_say_so(qtbot: QtBot, desk: Any, tmp_path: Path) -> None:
    file, made = tmp_path / "a.onnx", tmp_path / "a.tflite"
    made.write_bytes(bytes(100))
    model = ConvertModel(file, "onnx", desk, Settings())
    model.choose("tflite")
    model.set_destination(str(tmp_path / "b.tflite"))
    model.start()
    proof = Parity(verdict=Verdict.SAME, sentence="They agree.")
    done = Conversion(
        source=str(file), target=str(made), to="tflite", route=(), files=(str(made),), seconds=1.0, proof=proof
    )
    desk.end(done)
    assert "before" not in model.result_words
    model.on_file_changed()
    assert model.result_words.endswith("of the file before it changed")
    compare = CompareModel(file, "onnx", desk, Settings())
    compare.take(done, measure=False)
    assert compare.card.sentence == "They agree."
    compare.on_file_changed()
    assert compare.card.sentence == "They agree. a.onnx has changed since."
    compare.set_format("keras")
    assert compare.card is None
    assert compare.parity is None


def test_the_other_model_of_a_comparison_follows_too(qtbot: QtBot, desk: Any, tmp_path: Path) -> None:
    mine, other = tmp_path / "a.onnx", tmp_path / "b.bin"
    compare = CompareModel(mine, "onnx", desk, Settings())
    compare.offer([(other, "onnx")])
    compare.choose(compare.others[0])
    compare.run()
    assert compare.running.live
    compare.offer([(other, "onnx")])
    assert compare.running.live, "nothing has changed"
    compare.offer([(other, "tflite")])
    assert not compare.running.live
    assert compare.b.format == "tflite"
    assert compare.card.headline == "Cancelled"
    assert compare.card.sentence.startswith("b.bin is now ")
    compare.run()
    assert compare.card is None
