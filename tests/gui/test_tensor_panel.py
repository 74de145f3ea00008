"""The tensor panel in the real window: pictures, slices, real numbers of quantized tensors, all values, and saving."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import psutil
import pytest
from onnx import helper, numpy_helper
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from inspector.viewmodels.document import State
from inspector.views import look
from inspector.views.tensor_heatmap import HeatMapView
from inspector.views.tensor_panel import FILTERS, TensorPanel
from inspector.views.tensor_slice import SliceBar
from tests.rest import rest

if TYPE_CHECKING:
    from inspector.app.window import MainWindow
    from inspector.viewmodels.document import DocumentModel

Opened = Callable[..., "DocumentModel"]
RNG = np.random.default_rng(0)
CUBE = RNG.normal(size=(3, 40, 50)).astype(np.float32)
KERNEL = RNG.normal(size=(8, 4, 3, 3)).astype(np.float32)
STORED = RNG.integers(-128, 128, (6, 5), dtype=np.int8)
SCALES = RNG.uniform(0.01, 0.1, 6).astype(np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model with tensors of several kinds, in a folder of its own."""
    flat = np.array([[-2, -1, 0, 1, 2], [0, 0, np.nan, 0, 0]], np.float32)
    tensors = {"cube": CUBE, "kernel": KERNEL, "q": STORED, "s": SCALES, "flat": flat,
               "words": np.array(["a", "<b>b</b>"], object), "one": np.float32(3),
               "turn": np.full((4, 5), 1 + 2j, np.complex64), "none": np.zeros((0, 4), np.float32)}  # fmt: skip
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "s"], ["y"], "dq", axis=0),
        *(helper.make_node("Identity", [name], [f"{name}_"]) for name in tensors if name not in "qs"),
    ]
    ends = [helper.make_tensor_value_info("y", 1, None)]
    graph = helper.make_graph(
        nodes, "g", [], ends, [numpy_helper.from_array(np.asarray(a), n) for n, a in tensors.items()]
    )
    path = tmp_path / "model" / "m.onnx"
    path.parent.mkdir()
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.fixture
def look_at(window: MainWindow, opened: Opened, model: Path, qtbot: QtBot) -> Callable[[str], TensorPanel]:
    """Open the model, look at a tensor, and wait until the panel shows it."""

    def look_at(name: str) -> TensorPanel:
        document = next((each for each in window.workspace.documents if each.path == model), None) or opened(model)
        panel: TensorPanel = window.findChild(TensorPanel, "tensorPanel")
        document.selection.look_at(name)
        qtbot.waitUntil(lambda: panel.title.text() == name and panel._model.view is not None, timeout=30_000)
        wait_for_map(panel, qtbot)
        return panel

    return look_at


def wait_for_map(panel: TensorPanel, qtbot: QtBot) -> None:
    """Wait until every question of the panel is answered."""
    qtbot.waitUntil(lambda: not panel._model.document.worker._waiting, timeout=30_000)


def test_a_matrix_in_colours_that_part_at_zero(look_at: Callable[[str], TensorPanel], qtbot: QtBot) -> None:
    panel = look_at("flat")
    heat_map = panel.findChild(HeatMapView, "tensorHeatMap")
    assert heat_map.isVisible()
    assert (heat_map.image().width(), heat_map.image().height()) == (5, 2)
    shades = [QColor(heat_map.image().pixel(column, 0)).name() for column in range(5)]
    assert shades[0] == look.colour("heat_least").name()
    assert shades[2] == look.colour("heat_zero").name()
    assert shades[4] == look.colour("heat_most").name()
    assert QColor(heat_map.image().pixel(2, 1)).name() == look.colour("heat_odd").name()
    cell = QPoint(round(heat_map.width() * 0.9), 3)
    qtbot.mouseMove(heat_map, cell)
    qtbot.waitUntil(lambda: panel.map_text.text() == "[0, 4]  2")
    qtbot.mouseClick(heat_map, Qt.MouseButton.LeftButton, pos=cell)
    assert [index.row() for index in panel.table.selectionModel().selectedRows()] == [4]
    panel.reveal_map()
    for key in (Qt.Key.Key_Home, Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Right):
        qtbot.keyClick(heat_map, key)
    assert heat_map.accessibleDescription() == panel.map_text.text() == "[1, 2]  NaN"
    look.apply(QApplication.instance(), "dark")
    assert QColor(heat_map.image().pixel(2, 0)).name() == look.colour("heat_zero", dark=True).name()
    assert not panel.findChild(SliceBar, "tensorSlice").isVisible()


def test_slices_are_chosen_with_the_keyboard(look_at: Callable[[str], TensorPanel], qtbot: QtBot) -> None:
    panel = look_at("cube")
    bar = panel.findChild(SliceBar, "tensorSlice")
    assert bar.isVisible()
    assert np.allclose(panel._model.heat.mean, CUBE[0])
    index = bar.indices[0][1]
    index.setFocus()
    qtbot.keyClick(index, Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: np.allclose(panel._model.heat.mean, CUBE[1]), timeout=30_000)
    bar.rows.setFocus()
    qtbot.keyClick(bar.rows, Qt.Key.Key_Up)
    bar.rows.activated.emit(bar.rows.currentIndex())  # as a key does when the list is closed
    qtbot.waitUntil(lambda: panel._model.heat.source.shape == (3, 40, 50) and panel._model.heat.source.rows == 0)
    assert panel._model.heat.source.columns == 2
    assert np.allclose(panel._model.heat.mean, CUBE[:, 0])
    assert [not field.isHidden() for field, _ in bar.indices] == [False, True, False]


def test_kernels_are_tiles(look_at: Callable[[str], TensorPanel], qtbot: QtBot) -> None:
    panel = look_at("kernel")
    assert panel.map_text.text() == "8×4 tiles of 3×3"
    assert panel._model.heat.mean[4, 0] == KERNEL[1, 0, 0, 0]
    panel.slice.tiles.click()
    qtbot.waitUntil(lambda: panel._model.heat.source.tiles == (0, 0), timeout=30_000)
    assert np.allclose(panel._model.heat.mean, KERNEL[0, 0])


def test_a_quantized_tensor_as_stored_and_as_it_is_meant(
    look_at: Callable[[str], TensorPanel], qtbot: QtBot, tmp_path: Path
) -> None:
    panel = look_at("q")
    assert panel.quantized.text().startswith("Quantized per axis 0: 6 scales, ")
    assert panel.values._view.values[0] == str(STORED[0, 0])
    panel.real.click()
    wait_for_map(panel, qtbot)
    want = STORED * SCALES[:, None]
    assert float(panel.values._view.values[0]) == pytest.approx(want[0, 0])
    assert np.allclose(panel._model.heat.mean, want)
    assert "int8, shown as float32" in panel.facts.text()
    with qtbot.waitSignal(panel._model.saved, timeout=30_000):
        panel.save(tmp_path / "real.csv")
    assert np.allclose(np.loadtxt(tmp_path / "real.csv", delimiter=","), want)
    assert not look_at("flat").real.isVisible()


def test_what_has_no_picture(look_at: Callable[[str], TensorPanel]) -> None:
    for name in ("words", "one"):
        panel = look_at(name)
        assert not panel.picture.isVisible()
        assert not panel.histogram_part.isVisible()
        assert panel.pages.isVisible()
        right = panel.table.mapTo(panel, panel.table.rect().topRight()).x()
        assert panel.width() - right >= 12, "values do not touch the edge of the window"
    assert panel.values._view.values == ("3",)
    assert not look_at("none").pages.isVisible()


def test_of_complex_numbers_the_magnitudes_are_shown_and_said_to_be(look_at: Callable[[str], TensorPanel]) -> None:
    panel = look_at("turn")
    assert panel.sampled.text() == "Statistics and colours are of magnitudes."
    assert not panel.scan_button.isVisible()
    index = panel.values.index(0, 1)
    assert index.data(Qt.ItemDataRole.ToolTipRole) == index.data(), "a cell may be too narrow for both parts"
    marked = look_at("words").values.index(1, 1).data(Qt.ItemDataRole.ToolTipRole)
    assert marked == "<qt>&lt;b&gt;b&lt;/b&gt;</qt>"


def test_the_histogram_counts_logarithmically(look_at: Callable[[str], TensorPanel]) -> None:
    panel = look_at("flat")
    assert panel.histogram.share(1) == pytest.approx(1 / 5)
    panel.logarithmic.click()
    assert panel.histogram.share(1) == pytest.approx(np.log(2) / np.log(6))
    panel.logarithmic.click()


def test_nothing_is_overwritten_without_a_word(
    window: MainWindow, look_at: Callable[[str], TensorPanel], qtbot: QtBot, tmp_path: Path
) -> None:
    panel = look_at("flat")
    there = tmp_path / "there.npy"
    there.write_text("mine")
    panel.save(there)
    qtbot.waitUntil(lambda: window.findChild(QWidget, "errorBox") is not None)
    assert "exists already" in window.findChild(QWidget, "errorBox").what.text()
    window.findChild(QWidget, "errorBox").close()
    assert there.read_text() == "mine"
    assert panel.save_button.isEnabled()
    with qtbot.waitSignal(panel._model.saved, timeout=30_000):
        panel.save(there, overwrite=True)
    assert np.load(there).shape == (2, 5)


@pytest.mark.parametrize(
    ("typed", "kind", "name"),
    [("w.npy", ".csv", "w.csv"), ("w.csv", ".npy", "w.csv"), ("w", ".csv", "w.csv"), ("w.1", ".npy", "w.1.npy")],
)
def test_the_dialog_says_what_kind_of_file_it_is_to_be(
    look_at: Callable[[str], TensorPanel], qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    typed: str, kind: str, name: str,
) -> None:  # fmt: skip
    panel = look_at("flat")
    chosen = (str(tmp_path / typed), FILTERS[kind])
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: chosen)
    with qtbot.waitSignal(panel._model.saved, timeout=30_000):
        panel.save_button.click()
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == [name]


def sparse(path: Path, count: int) -> Path:
    """A safetensors file with a vector that takes no room on the disk: zeros, and 7 in the middle."""
    head = json.dumps({"w": {"dtype": "F32", "shape": [count], "data_offsets": [0, count * 4]}}).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(head)) + head)
        file.truncate(8 + len(head) + count * 4)
        file.seek(8 + len(head) + count // 2 * 4 + 4)
        file.write(struct.pack("<f", 7.0))
    return path


def test_a_large_tensor_is_sampled_scanned_and_saving_it_can_be_cancelled(
    window: MainWindow, opened: Opened, qtbot: QtBot, tmp_path: Path
) -> None:
    document = opened(sparse(tmp_path / "large.safetensors", 100_000_000))
    document.selection.look_at("w")
    panel: Any = window.findChild(TensorPanel, "tensorPanel")
    qtbot.waitUntil(lambda: panel._model.view is not None, timeout=20_000)
    assert panel.sampled.text() == "Statistics of a sample: 16,777,216 of 100,000,000 values"
    assert panel._model.view.statistics["max"] == 0
    with qtbot.waitSignal(panel._model.scan_progressed, timeout=20_000, check_params_cb=lambda share: share > 0):
        panel.scan_button.click()
    panel.scan_button.click()  # Cancel
    assert not panel._model.scanning
    assert panel.sampled.text().startswith("Statistics of a sample")
    panel.scan_button.click()
    qtbot.waitUntil(lambda: panel._model.view.looked_at == 100_000_000, timeout=60_000)
    assert panel._model.view.statistics["max"] == 7
    assert not panel.sampled.isVisible()
    out = tmp_path / "out"
    out.mkdir()
    with qtbot.waitSignal(panel._model.save_progressed, timeout=20_000):
        panel.save(out / "w.csv")
    panel.cancel_button.click()
    assert list(out.iterdir()) == []
    assert panel.save_button.isEnabled()
    assert not panel.cancel_button.isVisible()


def test_saving_goes_on_behind_another_tab_and_is_told_there(
    window: MainWindow, opened: Opened, qtbot: QtBot, tmp_path: Path
) -> None:
    document = opened(sparse(tmp_path / "large.safetensors", 4_000_000))
    document.selection.look_at("w")
    panel: Any = window.findChild(TensorPanel, "tensorPanel")
    qtbot.waitUntil(lambda: panel._model.view is not None, timeout=20_000)
    told: list[str] = []
    panel.told.connect(told.append)
    model, file = panel._model, tmp_path / "w.npy"
    panel.save(file)
    assert not panel.save_button.isEnabled()
    assert "being saved" in panel.save_button.toolTip()
    other = opened("digits_mlp.onnx")
    assert panel._model.document is other
    assert panel.save_button.isEnabled(), "another model's tensor is not being saved"
    assert panel.cancel_button.isHidden()
    qtbot.waitUntil(lambda: model.saving is None, timeout=60_000)
    assert told == [f"Saved {file}"]
    window.tabs.setCurrentIndex(0)
    assert panel.save_button.isEnabled()
    assert panel.save_bar.isHidden()
    panel.save(tmp_path / "w.csv")
    window.close_tab(0)
    assert panel._model.document is other
    assert panel.save_button.isEnabled()
    assert not list(tmp_path.glob("*.part")), "what was not finished is gone"


def test_a_tensor_asked_of_a_dead_worker_is_there_once_the_file_is_open_again(
    window: MainWindow, opened: Opened, model: Path, qtbot: QtBot
) -> None:
    document = opened(model)
    for child in psutil.Process().children(recursive=True):
        if "--worker" in child.cmdline():
            child.kill()
    qtbot.waitUntil(lambda: document.state is State.DIED, timeout=30_000)
    panel: Any = window.findChild(TensorPanel, "tensorPanel")
    document.selection.look_at("cube")
    qtbot.waitUntil(lambda: panel._model.error is not None, timeout=20_000)
    document.retry()
    qtbot.waitUntil(lambda: panel._model.view is not None, timeout=30_000)
    assert panel.title.text() == "cube"
    assert panel._model.error is None


def test_what_there_is_to_say_of_no_values_stands_at_the_top(
    look_at: Callable[[str], TensorPanel], qtbot: QtBot
) -> None:
    panel = look_at("none")
    rest(qtbot)
    last = max(each.mapTo(panel, QPoint(0, each.height())).y() for each in (panel.facts, panel.sampled))
    assert panel.sampled.isVisible()
    assert last < 120


def test_a_value_has_the_room_that_its_place_leaves(look_at: Callable[[str], TensorPanel], qtbot: QtBot) -> None:
    panel = look_at("turn")
    rest(qtbot)
    places = panel.table.columnWidth(0)
    assert places >= panel.table.sizeHintForColumn(0), "0, 0 is whole"
    assert panel.table.columnWidth(1) > 2 * places
