"""The main job in the real window: open, see, convert, prove, measure; and what if it is stopped or killed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QApplication, QComboBox, QPushButton, QTableView, QWidget
from pytestqt.qtbot import QtBot

from inspector.app.main import files_of
from inspector.app.window import MainWindow
from inspector.settings import Settings
from inspector.viewmodels.workspace import Workspace
from inspector.views import look
from inspector.views.compare_page import ComparePage
from inspector.views.convert_panel import ConvertPanel

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def sample(tmp_path: Path, samples: Path) -> Path:
    """A copy in a folder of its own, so that what is left behind is seen."""
    folder = tmp_path / "models"
    folder.mkdir()
    return Path(shutil.copy(samples / "digits_mlp.pt2", folder))


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication, sample: Path) -> Iterator[MainWindow]:
    """The window with the sample, opened as an argument of the program is."""
    look.apply(qapp, "light")
    window = MainWindow(Workspace(Settings()))
    window.resize(1400, 900)
    window.show()
    window.open_files(files_of([str(sample)]))
    table = wait_for(qtbot, lambda: window.findChild(QTableView, "layerTable"))
    qtbot.waitUntil(lambda: table.model().rowCount() == 6, timeout=30_000)
    wait_for(qtbot, lambda: window.findChild(QPushButton, "convertButton"))
    yield window
    window.close()
    window.workspace.deleteLater()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert not [child for child in psutil.Process().children(recursive=True) if "--worker" in child.cmdline()]


def wait_for(qtbot: QtBot, what: Callable[[], Any], seconds: float = 30) -> Any:
    qtbot.waitUntil(lambda: bool(what()), timeout=int(seconds * 1000))
    return what()


def panel_of(window: MainWindow) -> ConvertPanel:
    panel = window.findChild(QWidget, "convertPanel")
    assert isinstance(panel, ConvertPanel)
    return panel


def convert(qtbot: QtBot, window: MainWindow, format: str) -> ConvertPanel:
    """Pick a target and click."""
    panel = panel_of(window)
    combo = window.findChild(QComboBox, "convertTarget")
    combo.setCurrentIndex(combo.findData(format))
    button = window.findChild(QPushButton, "convertButton")
    assert button.isEnabled(), button.toolTip()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert panel.model.running.live
    return panel


def jobs_left() -> list[Path]:
    """Private folders of jobs, but for those of spare workers."""
    from platformdirs import user_cache_path

    root = user_cache_path("inspector") / "jobs"
    return [folder for folder in root.glob("*") if any(folder.glob("**/*.onnx")) or "job" in folder.name]


def test_open_convert_prove_and_measure(qtbot: QtBot, window: MainWindow, sample: Path) -> None:
    panel = convert(qtbot, window, "tf.saved_model")
    assert "onnx-tf" in panel.chips.accessibleName()
    seen: list[str] = []
    panel.model.changed.connect(lambda: seen.append(panel.model.running.words))
    wait_for(qtbot, lambda: panel.model.outcome, 200)
    assert panel.model.result is not None, panel.model.outcome
    assert any("onnx-tf" in words for words in seen)
    assert panel.verdict.property("tone") == "good"
    target = sample.parent / "digits_mlp_saved_model"
    assert (target / "saved_model.pb").is_file()
    assert sorted(file.name for file in sample.parent.iterdir()) == ["digits_mlp.pt2", "digits_mlp_saved_model"]

    qtbot.mouseClick(panel.proof_button, Qt.MouseButton.LeftButton)
    page = wait_for(qtbot, lambda: window.findChild(QWidget, "comparePage"))
    assert isinstance(page, ComparePage)
    wait_for(qtbot, page.isVisible)
    card = page.findChild(QWidget, "verdictCard")
    assert card.property("verdict") == "same"
    assert card.property("tone") == "good"
    parity = wait_for(qtbot, lambda: page.parity_plot.series())
    assert page.parity_plot.objectName() == "parityPlot"
    assert len(parity["Error"]["max_abs"]) == 1
    assert 0 < parity["Error"]["max_abs"][0] <= parity["Error"]["tolerance"][0]
    assert len(parity["Scatter"]["source"]) == len(parity["Scatter"]["result"]) >= 10
    assert sum(parity["Histogram"]["counts"]) > 0

    latency = wait_for(qtbot, lambda: page.latency_plot.series(), 200)
    assert page.latency_plot.objectName() == "latencyPlot"
    assert any("digits_mlp.pt2" in name for name in latency["Box"])
    assert any("digits_mlp_saved_model" in name for name in latency["Box"])
    assert all(len(samples) == Settings().runs and min(samples) > 0 for samples in latency["Box"].values())
    assert "faster" in page.bench_sentence.text() or "as fast" in page.bench_sentence.text()
    devices = page.findChild(QWidget, "deviceList")
    wait_for(qtbot, lambda: devices.chips, 60)
    assert devices.missing  # no machine has them all
    assert all(chip.reason for chip in devices.missing)


def test_cancel_in_the_midst_leaves_nothing(qtbot: QtBot, window: MainWindow, sample: Path) -> None:
    panel = convert(qtbot, window, "onnx")
    wait_for(qtbot, lambda: (panel.model.running.fraction or 0) > 0.05, 60)
    qtbot.mouseClick(panel.cancel_button, Qt.MouseButton.LeftButton)
    wait_for(qtbot, lambda: not panel.model.running.live)
    assert panel.verdict.text() == "Cancelled"
    assert [file.name for file in sample.parent.iterdir()] == ["digits_mlp.pt2"]
    wait_for(qtbot, lambda: not jobs_left())
    assert panel.start_button.isEnabled()


def test_a_killed_worker_is_one_message_and_the_window_lives(qtbot: QtBot, window: MainWindow, sample: Path) -> None:
    panel = convert(qtbot, window, "onnx")
    wait_for(qtbot, lambda: (panel.model.running.fraction or 0) > 0.05, 60)
    for worker in run_workers():
        worker.kill()
    wait_for(qtbot, lambda: not panel.model.running.live)
    assert panel.model.outcome is not None
    assert panel.model.outcome.state == "failed"
    assert panel.verdict.property("tone") == "bad"
    assert panel.verdict.text().endswith(".")
    assert panel.verdict_words.text()
    assert [file.name for file in sample.parent.iterdir()] == ["digits_mlp.pt2"]
    window.show_page("layers")
    assert window.findChild(QTableView, "layerTable").model().rowCount() == 6
    convert(qtbot, window, "onnx")
    wait_for(qtbot, lambda: panel.model.outcome, 200)
    assert panel.model.outcome.state == "done"
    assert sample.with_suffix(".onnx").is_file()
    wait_for(qtbot, lambda: not window.workspace.jobs.live(), 200)


def run_workers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if "run" in child.cmdline()]
