"""The window as a user meets it: real window, real workers, real files."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QApplication, QLineEdit, QTableView, QWidget
from pytestqt.qtbot import QtBot

from inspector.app.window import MainWindow
from inspector.viewmodels.columns import column_number
from inspector.viewmodels.document import DocumentModel, State
from inspector.viewmodels.selection import Target
from inspector.views import look
from inspector.views.command_palette import CommandPalette
from inspector.views.node_panel import NodePanel
from inspector.views.tensor_panel import TensorPanel
from inspector.views.text_box import TextBox

Opened = Callable[..., DocumentModel]
PARAMETERS = 669_706


def press(window: QWidget, keys: str) -> None:
    """Press a key sequence such as `Ctrl+K` by running the action that has it."""
    actions = [action for action in window.findChildren(QAction) if action.shortcut() == QKeySequence(keys)]
    assert actions, keys
    assert actions[0].isEnabled(), actions[0].toolTip()
    actions[0].trigger()


def table(window: MainWindow) -> QTableView:
    found = window.page.findChild(QTableView, "layerTable")
    assert found is not None
    return found


def names(window: MainWindow) -> list[str]:
    model = table(window).model()
    return [model.index(row, column_number("name")).data() for row in range(model.rowCount())]


def test_the_welcome_page_stands_until_a_model_is_open(window: MainWindow) -> None:
    assert window.findChild(QWidget, "welcomePage").isVisible()
    assert not window.findChild(QWidget, "modelTabs").isVisible()
    assert window.windowTitle() == "Inspector"


def test_fixed_names_are_there(window: MainWindow, opened: Opened) -> None:
    opened()
    wanted = "welcomePage modelTabs layerTable layerFilter nodePanel tensorPanel convertPanel convertTarget jobList"
    missing = [name for name in wanted.split() if window.findChild(QWidget, name) is None]
    assert not missing
    unnamed = [name for name in wanted.split() if not window.findChild(QWidget, name).accessibleName()]
    assert not unnamed


@pytest.mark.parametrize(
    ("name", "rows", "parameters"),
    [
        ("digits_mlp.pt2", 6, PARAMETERS),
        ("digits_mlp.onnx", 6, PARAMETERS),
        ("digits_mlp.torchscript.pt", 6, PARAMETERS),
        ("digits_keras.keras", 4, 101_770),
    ],
)
def test_a_sample_opens(window: MainWindow, opened: Opened, name: str, rows: int, parameters: int) -> None:
    document = opened(name)
    assert table(window).model().rowCount() == rows
    assert f"{parameters:,} parameters" in window.page.layers.totals.text()
    assert document.overview.totals.parameters == parameters
    assert window.windowTitle() == f"{name} – Inspector"
    assert "Protection" in window._protection.text()


def test_filter_sort_totals_copy(window: MainWindow, opened: Opened) -> None:
    opened("digits_mlp.onnx")
    window.show_page("layers")
    field = window.findChild(QLineEdit, "layerFilter")
    field.setText("linear 512")
    shown = names(window)
    assert shown == [f"linear_relu_stack.{number}" for number in range(5)], "a word of the name, and one of a shape"
    assert "5 of 6 rows" in window.page.layers.totals.text()
    field.setText("")
    table(window).sortByColumn(column_number("parameters"), Qt.SortOrder.DescendingOrder)
    assert names(window)[0] == "linear_relu_stack.0"
    table(window).selectRow(0)
    table(window).copy()
    header, first, *rest = QGuiApplication.clipboard().text().splitlines()
    assert header.split("\t")[:2] == ["name", "type"]
    assert first.startswith("linear_relu_stack.0\tLinear")
    assert "401920" in first.split("\t")
    assert not rest


def test_a_filter_that_fits_nothing_says_so(window: MainWindow, opened: Opened) -> None:
    opened()
    window.show_page("layers")
    window.findChild(QLineEdit, "layerFilter").setText("nosuchlayer")
    assert not table(window).isVisible()
    assert window.page.layers._empty.title.text() == "Nothing fits the filter"
    window.findChild(QLineEdit, "layerFilter").setText("params>many")
    assert "many is no number" in window.page.layers._empty.words.text()


def test_exports_hold_what_is_shown(window: MainWindow, opened: Opened, tmp_path: Path) -> None:
    opened()
    window.findChild(QLineEdit, "layerFilter").setText("linear_relu_stack.0")
    for suffix, first in ((".csv", "name,type"), (".json", "["), (".md", "| Name | Type")):
        file = tmp_path / f"table{suffix}"
        window.page.layers.export(file)
        text = file.read_text()
        assert text.startswith(first)
        assert "linear_relu_stack.0" in text
        assert "linear_relu_stack.2" not in text


def test_operators_are_another_grouping(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    document = opened("digits_mlp.onnx")
    assert names(window)[1] == "linear_relu_stack.0"
    with qtbot.waitSignal(document.rows_changed):
        window.page.layers.set_grouping("operators")
    assert names(window)[1] != "linear_relu_stack.0", "an operator stands under the name of its node"
    assert window.page.findChild(QWidget, "grouping_operators").isChecked()
    assert window.workspace.settings.grouping == "operators"


def test_a_selected_row_shows_in_panel_and_tree(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    document = opened()
    window.show_page("layers")
    table(window).selectRow(1)
    panel = window.findChild(NodePanel, "nodePanel")
    qtbot.waitUntil(lambda: "linear_relu_stack.0" in panel.text.toPlainText())
    assert "Weights" in panel.text.toPlainText()
    assert document.selection.target == Target(
        "row", "linear_relu_stack.0", document.layers.row(1).graph, document.layers.row(1).nodes, "linear_relu_stack.0"
    )
    modules = window.docks.modules
    assert modules.model.module(modules.tree.currentIndex()).path == "linear_relu_stack.0"


def test_a_selected_node_shows_in_the_table(window: MainWindow, opened: Opened) -> None:
    document = opened()
    window.show_page("layers")
    node = document.layers.row(3).nodes[0]
    document.selection.select(Target("node", node, nodes=(node,)))
    assert table(window).selected_rows() == [3]


def test_tensor_panel_shows_turns_and_saves(window: MainWindow, opened: Opened, qtbot: QtBot, tmp_path: Path) -> None:
    document = opened()
    weight = document.layers.row(1).weights[0]
    document.selection.look_at(weight)
    panel = window.findChild(TensorPanel, "tensorPanel")
    qtbot.waitUntil(lambda: panel.title.text() == weight, timeout=30_000)
    assert "512×784" in panel.facts.text() or "784×512" in panel.facts.text()
    assert panel.values.rowCount() == 1000
    with qtbot.waitSignal(panel._model.changed):
        panel._on.click()
    assert panel.values._view.start == 1000
    with qtbot.waitSignal(panel._model.saved, timeout=30_000):
        panel.save(tmp_path / "weight.npy")
    saved = np.load(tmp_path / "weight.npy")
    assert saved.size == 784 * 512
    assert saved.dtype == np.float32
    assert float(panel.values._view.values[0]) == pytest.approx(saved.flat[1000], rel=1e-5)
    assert [file.name for file in tmp_path.iterdir()] == ["weight.npy"]


def test_a_tensor_that_cannot_be_written_is_one_error(
    window: MainWindow, opened: Opened, qtbot: QtBot, tmp_path: Path
) -> None:
    document = opened()
    document.selection.look_at(document.layers.row(1).weights[0])
    panel = window.findChild(TensorPanel, "tensorPanel")
    qtbot.waitUntil(lambda: panel.values.rowCount() > 0, timeout=30_000)
    panel.save(tmp_path / "nowhere" / "weight.npy")
    qtbot.waitUntil(lambda: window.findChild(QWidget, "errorBox") is not None)
    box = window.findChild(QWidget, "errorBox")
    assert "cannot be written" in box.what.text()
    box.close()


@pytest.mark.parametrize("content", [b"", b"this is a text, not a model\n" * 9, b"PK\3\4 cut off"])
def test_a_bad_file_is_one_clear_error(window: MainWindow, qtbot: QtBot, tmp_path: Path, content: bytes) -> None:
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(content)
    window.open_files([str(bad)])
    qtbot.waitUntil(lambda: window.page.findChild(QWidget, "errorBox") is not None, timeout=30_000)
    boxes = window.findChildren(QWidget, "errorBox")
    assert len(boxes) == 1
    assert boxes[0].what.text().startswith("bad.onnx is")
    assert boxes[0].hint.text()
    assert not boxes[0].details.isVisible()
    assert window.isVisible()
    assert str(bad) not in window.workspace.recent()


def test_a_repaired_file_opens_on_retry(window: MainWindow, qtbot: QtBot, tmp_path: Path, samples: Path) -> None:
    file = tmp_path / "model.onnx"
    document = window.workspace.open(file)
    qtbot.waitUntil(lambda: document.state is State.FAILED, timeout=30_000)
    file.write_bytes((samples / "digits_mlp.onnx").read_bytes())
    window.page.findChild(QWidget, "errorBox").buttons[0].click()
    qtbot.waitUntil(lambda: document.complete, timeout=30_000)
    assert document.layers.count() == 6
    assert window.page.findChild(QWidget, "errorBox") is None


def test_a_killed_worker_is_said_and_revived(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    document = opened()
    workers = [c for c in psutil.Process().children(recursive=True) if "--worker" in c.cmdline()]
    assert len(workers) == 1
    os.kill(workers[0].pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: document.state is State.DIED, timeout=30_000)
    assert window.page._died.isVisible()
    assert table(window).model().rowCount() == 6, "what was shown stays"
    document.retry()
    qtbot.waitUntil(lambda: document.state is State.READY and document.complete, timeout=30_000)
    assert not window.page._died.isVisible()


def test_dropped_files_open(window: MainWindow, qtbot: QtBot, samples: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(samples / name)) for name in ("digits_mlp.onnx", "digits_keras.keras")])
    left, copy, none = Qt.MouseButton.LeftButton, Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(50, 50), copy, data, left, none)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(50, 50), copy, data, left, none))
    qtbot.waitUntil(lambda: [d.complete for d in window.workspace.documents] == [True, True], timeout=20_000)
    assert window.tabs.count() == 2


def test_the_same_file_has_one_tab(window: MainWindow, opened: Opened) -> None:
    first = opened("digits_mlp.onnx")
    opened("digits_keras.keras")
    assert opened("digits_mlp.onnx") is first
    assert window.tabs.count() == 2
    assert window.page.document is first


def test_closing_and_reopening(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    document = opened()
    assert not window.menus.actions["file.reopen"].isEnabled()
    press(window, "Ctrl+W")
    assert window.tabs.count() == 0
    assert window.findChild(QWidget, "welcomePage").isVisible()
    press(window, "Ctrl+Shift+T")
    assert window.page.document.path == document.path
    qtbot.waitUntil(lambda: window.page.document.complete, timeout=30_000)


def test_greyed_commands_say_why(window: MainWindow) -> None:
    window.menus.refresh()
    action = window.menus.actions["file.export"]
    assert not action.isEnabled()
    assert action.toolTip() == "Open a model first"
    assert window.menus.menus["File"].toolTipsVisible()


def test_every_command_can_be_asked_why_not(window: MainWindow, opened: Opened) -> None:
    before = {id: action.isEnabled() for id, action in window.menus.actions.items()}
    opened()
    after = {id: action.isEnabled() for id, action in window.menus.actions.items()}
    assert not before["model.convert"]
    assert after["model.convert"]
    assert all(action.isEnabled() or action.toolTip() for action in window.menus.actions.values())


def test_command_palette_runs_a_command(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    opened()
    press(window, "Ctrl+K")
    palette = window.findChild(CommandPalette, "commandPalette")
    qtbot.keyClicks(palette.field, "vlay")
    assert palette._entries.shown[0].title == "View: Layers"
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert window.page.current == "layers"
    assert not palette.isVisible()


def test_sizes_follow_and_are_undone(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    document = opened("digits_mlp.onnx")
    one = document.totals.macs
    [(dim, field)] = window.page.overview.dims.fields.items()
    panel = window.findChild(NodePanel, "nodePanel")
    document.selection.select(document.target_of(document.layers.row(1)))
    qtbot.waitUntil(lambda: f"{401_408:,}" in panel.text.toPlainText())
    field.setText("8")
    with qtbot.waitSignal(document.rows_changed):
        field.editingFinished.emit()
    assert document.totals.macs == 8 * one
    qtbot.waitUntil(lambda: f"{8 * 401_408:,}" in panel.text.toPlainText())
    assert not any("= 1" in note.text for note in document.overview.notes), "the figures are no longer those of 1"
    assert names(window)[0] == "flatten"
    assert document.layers.row(0).inputs[0].shape == (8, 1, 28, 28)
    with qtbot.waitSignal(document.rows_changed):
        press(window, "Ctrl+Z")
    assert document.totals.macs == one
    assert any("batch = 1" in note.text for note in document.overview.notes)
    assert field.text() == ""
    with qtbot.waitSignal(document.rows_changed):
        press(window, "Ctrl+Shift+Z")
    assert window.workspace.settings.shapes[str(document.path)] == {dim: 8}


def test_session_recent_and_geometry_are_remembered(window: MainWindow, opened: Opened, samples: Path) -> None:
    opened("digits_keras.keras")
    opened("digits_mlp.onnx")
    window.close()
    settings = type(window.workspace.settings)()
    assert settings.session == [str(samples / "digits_keras.keras"), str(samples / "digits_mlp.onnx")]
    assert settings.recent == [str(samples / "digits_mlp.onnx"), str(samples / "digits_keras.keras")]
    assert settings.geometry
    assert settings.docks


def test_theme_changes_and_is_remembered(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    opened()
    with qtbot.waitSignal(look.themed.changed):
        window.set_theme("dark")
    assert look.is_dark()
    assert window.grab().toImage().pixelColor(4, 4).lightness() < 64
    window.set_theme("light")
    assert window.grab().toImage().pixelColor(4, 4).lightness() > 192
    assert window.workspace.settings.theme == "light"


def test_text_of_a_file_is_never_markup(window: MainWindow, opened: Opened) -> None:
    from PySide6.QtWidgets import QLabel

    opened()
    rich = [w.text() for w in window.findChildren(QLabel) if w.textFormat() != Qt.TextFormat.PlainText and w.text()]
    assert not rich


def test_texts_of_a_model_can_be_read(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    document = opened("digits_mlp.torchscript.pt")
    code = next(name for name in document.overview.texts if name.endswith("__torch__.py"))
    window.page.overview._open_text(code)
    box = window.findChild(TextBox, "textBox")
    qtbot.waitUntil(lambda: "def forward" in box.text.toPlainText())
    box.close()


def test_a_node_of_the_graph_shows_in_table_and_panel(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    document = opened("digits_mlp.onnx")
    page = window.page.show_page("graph")
    qtbot.waitUntil(lambda: page.model.scene is not None, timeout=20_000)
    node = document.layers.row(1).nodes[0]
    page.selected.emit(f"n:{node}")
    assert table(window).selected_rows() == [1]
    panel = window.findChild(NodePanel, "nodePanel")
    qtbot.waitUntil(lambda: node in panel.text.toPlainText())
    table(window).selectRow(2)
    qtbot.waitUntil(lambda: page.view.selected_key in {f"n:{document.layers.row(2).nodes[0]}", "m:linear_relu_stack.1"})


def test_searching_goes_where_the_page_is(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    opened()
    window.activateWindow()
    press(window, "Ctrl+F")
    assert window.page.current == "layers"
    assert window.focusWidget() is window.findChild(QLineEdit, "layerFilter")
    window.show_page("graph")
    press(window, "Ctrl+F")
    assert window.focusWidget() is window.page.findChild(QLineEdit, "graphSearch")
