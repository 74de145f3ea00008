"""The layer table by module: open and closed, filtered, sorted, copied; and tables of many rows."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from inspector.app.window import MainWindow
from inspector.engines.summary.rows import Row, Totals
from inspector.viewmodels.columns import WEIGHTS_ONLY, column_number
from inspector.viewmodels.document import DocumentModel
from inspector.viewmodels.layers import LayerRole, LayerTable
from inspector.viewmodels.selection import Target
from inspector.views.layer_cells import fold_mark
from tests.rest import rest

Opened = Callable[..., DocumentModel]
NAME, PARAMETERS = column_number("name"), column_number("parameters")
UP, DOWN = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder


def module(index: int, level: int, name: str, parameters: int, layers: int) -> Row:
    return Row(index=index, name=name, type="Block", module=name, level=level, parameters=parameters, layers=layers)


def layer(index: int, level: int, name: str, parameters: int) -> Row:
    return Row(index=index, name=name, type="Linear", module=name, level=level, parameters=parameters, macs=parameters)


ROWS = [
    layer(0, 0, "stem", 5),
    module(1, 0, "body", 50, 3),
    module(2, 1, "body.0", 20, 2),
    layer(3, 2, "body.0.a", 7),
    layer(4, 2, "body.0.b", 13),
    layer(5, 1, "body.fc", 30),
    module(6, 0, "head", 9, 1),
    layer(7, 1, "head.fc", 9),
]


@pytest.fixture
def layers(qtbot: QtBot) -> LayerTable:
    made = LayerTable()
    made.replace(ROWS[:3], Totals(layers=5, parameters=64, trainable=64, macs=64))
    made.extend(ROWS[3:6], last=False)
    made.extend(ROWS[6:])
    return made


def names(layers: LayerTable) -> list[str]:
    return [layers.index(position, NAME).data() for position in range(layers.rowCount())]


def test_a_tree_as_a_list(layers: LayerTable) -> None:
    QAbstractItemModelTester(layers, QAbstractItemModelTester.FailureReportingMode.Fatal)
    assert names(layers) == ["stem", "body", "0", "a", "b", "fc", "head", "fc"], "without what stands above"
    assert layers.deepest == 2
    assert [layers.index(at, NAME).data(LayerRole.OPEN) for at in (0, 1, 2)] == [None, True, True]
    layers.set_depth(1)
    assert names(layers) == ["stem", "body", "head"]
    layers.toggle(1)
    assert names(layers) == ["stem", "body", "0", "fc", "head"]
    layers.toggle(2)
    layers.toggle(1)
    assert names(layers) == ["stem", "body", "head"]
    layers.toggle(1)
    assert names(layers) == ["stem", "body", "0", "a", "b", "fc", "head"], "what was open inside is open again"
    layers.set_depth(2)
    assert names(layers) == ["stem", "body", "0", "fc", "head", "fc"]
    layers.reveal(4)
    assert names(layers)[3:5] == ["a", "b"]
    assert layers.parent_of(4) == 2
    assert layers.summary().startswith("5 rows   ·   64 parameters")


def test_sorting_stays_within_modules(layers: LayerTable) -> None:
    layers.sort(PARAMETERS, DOWN)
    assert names(layers) == ["body", "fc", "0", "b", "a", "head", "fc", "stem"]
    layers.set_depth(1)
    assert names(layers) == ["body", "head", "stem"]


def test_a_filter_keeps_the_modules_around_and_sums_layers_only(layers: LayerTable) -> None:
    layers.set_depth(1)
    layers.set_filter("type:linear params<10 -stem")
    assert names(layers) == ["body", "0", "a", "head", "fc"], "closed modules do not hide what was looked for"
    assert layers.summary().startswith("2 of 5 rows   ·   16 parameters")
    layers.set_filter("")
    assert names(layers) == ["stem", "body", "head"]


def test_by_module_in_the_window(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    document = opened("digits_cnn.onnx")
    page = window.page.show_page("layers")
    box = page.findChild(QComboBox, "layerDepth")
    assert not box.isVisible()
    whole = page.totals.text()
    with qtbot.waitSignal(document.rows_changed):
        window.menus.actions["model.group.modules"].trigger()
    assert box.isVisible()
    assert [box.itemText(number) for number in range(box.count())] == ["1 level", "2 levels", "All levels"]
    assert page.totals.text() == whole
    top = {row.name: row for row in document.layers.all_rows() if row.level == 0}
    assert sum(row.parameters for row in top.values()) == document.totals.parameters == 9610
    box.setCurrentIndex(0)
    box.activated.emit(0)
    assert names(document.layers) == ["stem", "blocks", "pool", "node_Reshape_93", "head"]
    assert window.workspace.settings.depth == 1
    table = page.table
    blocks = document.layers.index(1, NAME)
    mark = fold_mark(table.visualRect(blocks), 0).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=mark)
    assert names(document.layers)[1:4] == ["blocks", "0", "1"]
    table.setFocus()
    table.selectRow(1)
    qtbot.keyClick(table, Qt.Key.Key_Left)
    assert names(document.layers)[1:3] == ["blocks", "pool"]
    qtbot.keyClick(table, Qt.Key.Key_Right)
    assert document.selection.target == Target("module", "blocks", document.layers.row(1).graph, module="blocks")
    assert window.docks.modules.model.module(window.docks.modules.tree.currentIndex()).path == "blocks"
    panel = window.docks.node
    qtbot.waitUntil(lambda: "blocks" in panel.text.toPlainText())
    qtbot.mouseDClick(
        table.viewport(), Qt.MouseButton.LeftButton, pos=table.visualRect(blocks).center() + QPoint(40, 0)
    )
    assert names(document.layers)[1:3] == ["blocks", "pool"]
    document.selection.select(Target("module", "blocks.1.act", module="blocks.1.act"))
    assert "act" in names(document.layers), "what is selected elsewhere is shown"
    table.copy(every=True)
    copied = QGuiApplication.clipboard().text().splitlines()
    assert copied[1].split("\t")[0] == "stem"
    parameters, sums = (copied[0].split("\t").index(key) for key in ("parameters", "layers"))
    cells = [line.split("\t") for line in copied[1:]]
    assert all((cell[0] in {"stem", "blocks", "blocks.0", "blocks.1"}) is (cell[sums] != "0") for cell in cells)
    assert sum(int(cell[parameters]) for cell in cells if cell[sums] == "0") <= 9610, "sums can be told from layers"
    assert any(line.startswith("blocks.1.act\t") for line in copied), "whole names are copied"


def test_the_filter_of_the_window_takes_keys(window: MainWindow, opened: Opened) -> None:
    document = opened("digits_mlp.onnx")
    window.show_page("layers")
    window.findChild(QLineEdit, "layerFilter").setText("type:Linear shape:1,784 params>100k")
    assert [row.name for row in document.layers.shown()] == []
    window.findChild(QLineEdit, "layerFilter").setText("type:Linear in:?,784 params>100k")
    assert [row.name for row in document.layers.shown()] == ["linear_relu_stack.0"]
    assert "1 of 6 rows   ·   401,920 parameters" in window.page.layers.totals.text()
    assert "shape:1,28" in window.findChild(QLineEdit, "layerFilter").toolTip()


def test_rows_are_copied_in_any_kind(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    opened("digits_mlp.onnx")
    page = window.page.show_page("layers")
    page.table.selectRow(1)
    menu = page.rows_menu()
    for action in menu.actions():
        action.trigger()
        text = QGuiApplication.clipboard().text()
        assert text.count("linear_relu_stack.0") == 1, action.text()
        assert "linear_relu_stack.2" not in text


def test_columns_are_remembered_apart_for_weights_only(window: MainWindow, opened: Opened, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    file = tmp_path / "weights.safetensors"
    save_file({"a.weight": np.ones((3, 5), np.float32), "a.bias": np.ones(3, np.float32)}, file)
    opened("digits_mlp.onnx")
    page = window.page.layers
    assert "output_shapes" in page.table.visible_keys()
    page.show_column("intensity", True)
    page.show_column("dtype", False)
    opened(file)
    bare = window.page.layers
    assert bare.table.visible_keys() == list(WEIGHTS_ONLY)
    assert bare.table.model().index(0, column_number("weight_shapes")).data() in {"3×5, 3", "3, 3×5"}
    bare.show_column("trainable", False)
    settings = type(window.workspace.settings)()
    assert "intensity" in settings.columns
    assert "dtype" not in settings.columns
    assert "trainable" not in settings.weight_columns
    bare.show_column("trainable", True)
    assert type(settings)().weight_columns == [], "the usual ones need no remembering"


def test_selecting_all_of_a_big_table_looks_at_few(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    document = opened("digits_mlp.onnx")
    page = window.page.show_page("layers")
    document.layers.replace([layer(number, 0, f"layer.{number}", number) for number in range(30_000)], Totals())
    rest(qtbot)
    asked = 0
    counting = document.layers.rowCount

    def count(*parent: QModelIndex) -> int:
        nonlocal asked
        asked += 1
        return counting(*parent)

    document.layers.rowCount = count  # type: ignore[method-assign]
    page.table.selectAll()
    rest(qtbot)
    assert asked < 20_000
    assert len(page.table.selected_rows()) == 30_000
    page.table.sortByColumn(PARAMETERS, DOWN)
    qtbot.waitUntil(lambda: not document.layers.is_arranging and document.layers.row(0).parameters == 29_999)
    assert page.table.selected_rows() == [], "to keep hold of so many while they move would hold the window"


def test_a_big_table_is_arranged_between_events(qtbot: QtBot) -> None:
    shuffled = random.Random(0)
    rows = [layer(number, 0, f"layer.{number}", shuffled.randrange(10**6)) for number in range(120_000)]
    layers = LayerTable()
    layers.replace(rows[:1000], Totals())
    for start in range(1000, len(rows), 5000):
        layers.extend(rows[start : start + 5000], last=start + 5000 >= len(rows))
    assert layers.rowCount() == 120_000
    layers.sort(PARAMETERS, DOWN)
    layers.set_filter("params>500k")
    assert layers.is_arranging, "the rest is done between events"
    qtbot.waitUntil(lambda: not layers.is_arranging, timeout=20_000)
    fitting = sorted((row for row in rows if row.parameters > 500_000), key=lambda row: -row.parameters)
    assert layers.shown() == fitting
    assert f"{len(fitting):,} of 120,000 rows" in layers.summary()
    assert layers.largest == sorted(rows, key=lambda row: -row.parameters)[:8]
