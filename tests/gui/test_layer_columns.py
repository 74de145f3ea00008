"""Columns of the layer table as a user arranges them with the mouse, and as they are after the window was closed."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from inspector.settings import Settings
from inspector.viewmodels.column_choice import ColumnChoice
from inspector.viewmodels.columns import DEFAULT, KEYS, WEIGHTS_ONLY, column_number
from inspector.viewmodels.workspace import Workspace
from tests.rest import rest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inspector.app.window import MainWindow
    from inspector.views.layer_page import LayerPage

LEFT = Qt.MouseButton.LeftButton


def drag(page: LayerPage, start: int, end: int) -> None:
    """Press at `start`, let go at `end`, pixels from the left of the header."""
    viewport = page.table.header.viewport()
    middle = viewport.height() // 2
    QTest.mousePress(viewport, LEFT, pos=QPoint(start, middle))
    for step in range(1, 11):
        QTest.mouseMove(viewport, QPoint(start + (end - start) * step // 10, middle))
    QTest.mouseRelease(viewport, LEFT, pos=QPoint(end, middle))


def left(page: LayerPage, key: str) -> int:
    return page.table.header.sectionViewportPosition(column_number(key))


def width(page: LayerPage, key: str) -> int:
    return page.table.columnWidth(column_number(key))


def shown(page: LayerPage) -> dict[str, int]:
    return {key: width(page, key) for key in page.table.visible_keys()}


@contextmanager
def a_window(qtbot: QtBot, samples: Path, file: str | Path) -> Iterator[MainWindow]:
    from inspector.app.window import MainWindow

    window = MainWindow(Workspace(Settings()))
    window.resize(1400, 900)
    window.show()
    qtbot.waitExposed(window)
    document = window.workspace.open(samples / file)
    qtbot.waitUntil(lambda: document.complete or document.error is not None, timeout=20_000)
    window.show_page("layers")
    rest(qtbot)
    try:
        yield window
    finally:
        close(window, qtbot)


def close(window: MainWindow, qtbot: QtBot) -> None:
    window.close()
    window.workspace.deleteLater()
    window.deleteLater()
    qtbot.wait(10)


def test_widths_and_order_are_there_when_the_window_is_opened_again(
    qtbot: QtBot, samples: Path, tmp_path: Path
) -> None:
    from safetensors.numpy import save_file

    with a_window(qtbot, samples, "digits_mlp.onnx") as window:
        page = window.page.layers
        assert page.table.visible_keys() == list(DEFAULT)
        border = left(page, "type")
        before = width(page, "name")
        drag(page, border - 1, border + 59)
        assert abs(width(page, "name") - before - 60) <= 2
        drag(page, left(page, "macs") + 30, left(page, "input_shapes") + 4)
        wanted = ["name", "type", "macs", "input_shapes", "output_shapes", "dtype", "parameters"]
        assert page.table.visible_keys()[:7] == wanted
        first = shown(page)
        window.resize(1300, 900)
        window.resize(1400, 900)
        assert shown(page) == first, "what the user has set is not fitted again"
        page.show_column("intensity", True)
        page.table.selectRow(0)
        page.table.copy()
        assert QGuiApplication.clipboard().text().split("\t")[:4] == ["name", "type", "macs", "input_shapes"]
        page.show_column("intensity", False)
    with a_window(qtbot, samples, "digits_mlp.onnx") as window:
        assert shown(window.page.layers) == first
    file = tmp_path / "weights.safetensors"
    save_file({"a.weight": np.ones((3, 5), np.float32)}, file)
    with a_window(qtbot, samples, file) as window:
        bare = window.page.layers
        assert bare.table.visible_keys() == list(WEIGHTS_ONLY), "tables of weights are another kind"
        drag(bare, left(bare, "parameters") + 20, left(bare, "type") + 4)
        assert bare.table.visible_keys()[:3] == ["name", "parameters", "type"]
    with a_window(qtbot, samples, "digits_mlp.onnx") as window:
        page = window.page.layers
        assert shown(page) == first
        titles = {action.text(): action for action in page.columns_menu().actions()}
        assert titles["Reset columns"].isEnabled()
        titles["Reset columns"].trigger()
        assert page.table.visible_keys() == list(DEFAULT)
        assert width(page, "name") < first["name"]
        again = next(action for action in page.columns_menu().actions() if action.text() == "Reset columns")
        assert not again.isEnabled()
        assert again.toolTip() == "They are as they are at first"
    assert set(Settings().column_order) == {"weights"}
    assert Settings().column_widths == {}


def test_another_tab_follows_when_it_is_looked_at(
    window: MainWindow, qtbot: QtBot, opened: object, samples: Path
) -> None:
    for name in ("digits_mlp.onnx", "digits_keras.keras"):
        opened(name)  # type: ignore[operator]
        window.show_page("layers")
    page = window.page.layers
    border = left(page, "type")
    drag(page, border - 1, border + 79)
    page.show_column("macs", False)
    mine = width(page, "name")
    window.tabs.setCurrentIndex(0)
    rest(qtbot)
    assert window.page.layers is not page
    assert width(window.page.layers, "name") == mine
    assert "macs" not in window.page.layers.table.visible_keys()


def test_a_settings_file_of_another_version_or_a_damaged_one(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    kept = {"model": ["share", "nosuch", "name", "share", "macs"]}
    widths = {"model": {"name": -5, "type": 10**9, "nosuch": 7}}
    file.write_bytes(msgspec.json.encode({"layers.column_order": kept, "layers.column_widths": widths}))
    choice = ColumnChoice(Settings(file), lambda: False)
    order = choice.order()
    assert sorted(order) == sorted(KEYS), "each once"
    assert [key for key in order if key in {"share", "name", "macs"}] == ["share", "name", "macs"]
    assert order[order.index("name") + 1] == "type", "a column that is not in it stands behind its neighbour"
    assert choice.widths() == {"name": 48, "type": 4000}
    file.write_bytes(b'{"layers.column_order": [1], "layers.column_widths": {"model": 3}}')
    choice = ColumnChoice(Settings(file), lambda: False)
    assert tuple(choice.order()) == KEYS
    assert choice.is_usual()
