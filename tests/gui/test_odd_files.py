"""Files that nobody expects: very long names, other scripts, no nodes, nothing at all, gone while they are read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from inspector.settings import Settings
from inspector.viewmodels.document import State
from inspector.views.node_panel import NodePanel
from tests.rest import rest

if TYPE_CHECKING:
    from inspector.app.window import MainWindow
    from inspector.viewmodels.document import DocumentModel

Opened = Callable[..., "DocumentModel"]


def save(file: Path, nodes: list[tuple[str, list[str], list[str], str]], x: str = "x", y: str = "y") -> Path:
    from onnx import TensorProto, helper

    made = [helper.make_node(op, inputs, outputs, name=name) for op, inputs, outputs, name in nodes]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3]) for name in (x, y)]
    graph = helper.make_graph(made, "g", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    file.write_bytes(model.SerializeToString())
    return file


def test_long_names_make_no_wide_window(window: MainWindow, opened: Opened, qtbot: QtBot, tmp_path: Path) -> None:
    deep = "n" * 100_000
    file = save(tmp_path / ("a_very_long_name_" * 14 + ".onnx"), [("Relu", ["x"], ["y"], deep)])
    document = opened(file)
    for key in ("layers", "graph", "compare", "overview"):
        window.show_page(key)
        rest(qtbot)
    assert window.width() == 1400
    assert window.minimumSizeHint().width() <= 1040
    shown = window.tabs.tabText(0)
    assert len(shown) <= 32
    assert shown.startswith("a_very_long")
    assert shown.endswith(".onnx")
    assert file.name in window.tabs.tabToolTip(0)
    document.selection.select(document.target_of(document.layers.row(0)))
    panel = window.findChild(NodePanel, "nodePanel")
    qtbot.waitUntil(lambda: panel._model.details is not None)
    place = panel.text.toPlainText().index("Figures")
    cursor = QTextCursor(panel.text.document())
    cursor.setPosition(place)
    assert panel.text.cursorRect(cursor).top() < panel.text.viewport().height(), "a name takes no page"
    bad = tmp_path / ("b_very_long_name_" * 14 + ".onnx")
    bad.write_bytes(b"")
    window.open_files([str(bad)])
    qtbot.waitUntil(lambda: window.page.document.state is State.FAILED, timeout=30_000)
    rest(qtbot)
    assert window.minimumSizeHint().width() <= 1040
    assert window.page.findChild(QWidget, "errorBox").what.text() == f"{bad.name} is empty."


@pytest.mark.skipif(os.name == "nt", reason="no such names")
def test_names_with_line_breaks_and_of_bytes_that_are_no_text(
    window: MainWindow, opened: Opened, qtbot: QtBot, tmp_path: Path, samples: Path
) -> None:
    good, broken = tmp_path / "two\nlines & <b>.onnx", os.fsencode(tmp_path) + b"/bad\xff.onnx"
    for file in (good, broken):
        Path(os.fsdecode(file)).write_bytes((samples / "digits_mlp.onnx").read_bytes())
    opened(good)
    assert "\n" not in window.tabs.tabText(0)
    assert "\n" not in window.windowTitle()
    assert window.tabs.tabText(0).endswith("&& <b>.onnx")
    bad = window.workspace.open(Path(os.fsdecode(broken)))
    qtbot.waitUntil(lambda: bad.state is State.FAILED, timeout=30_000)
    assert "bytes that are no text" in bad.error.what
    window.workspace.remember_session()
    assert Settings().session == [str(good)], "one such name does not keep the others from being remembered"


def test_names_from_right_to_left_stand_where_names_stand(
    window: MainWindow, opened: Opened, qtbot: QtBot, tmp_path: Path
) -> None:
    names = "\u0645\u062f\u062e\u0644", "\u05e9\u05dc\u05d5\u05dd"
    document = opened(save(tmp_path / f"{names[0]}.onnx", [("Relu", [names[0]], [names[1]], names[1])], *names))
    document.selection.select(document.target_of(document.layers.row(0)))
    panel = window.findChild(NodePanel, "nodePanel")
    qtbot.waitUntil(lambda: "Inputs" in panel.text.toPlainText())
    text = panel.text.document()
    found = text.find(names[0], text.find("Inputs"))
    assert found.block().layout().lineAt(0).naturalTextRect().left() < 8
    option = text.defaultTextOption()
    assert option.textDirection() is Qt.LayoutDirection.LeftToRight


@pytest.mark.parametrize(("nodes", "words"), [([], "nothing is computed"), ([("Relu", ["x"], ["y"], "r")], "0 a call")])
def test_a_model_of_no_node_and_of_one(
    window: MainWindow, opened: Opened, tmp_path: Path, nodes: list[tuple[str, list[str], list[str], str]], words: str
) -> None:
    opened(save(tmp_path / "few.onnx", nodes))
    captions = [label.text() for label in window.page.overview.findChildren(QLabel)]
    assert words in captions
    assert "weights only" not in captions
    assert not any("Some shapes are not known" in text for text in captions)


def test_panes_of_a_file_that_cannot_be_read_say_so(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("hi")
    window.open_files([str(tmp_path / "folder")])
    document = window.page.document
    assert window.docks.modules.empty.title.text() == "No modules yet"
    qtbot.waitUntil(lambda: document.state is State.FAILED, timeout=30_000)
    assert window.docks.modules.empty.words.text() == "The file could not be read."
    assert window.docks.node.empty.title.text() == "Nothing to select"
    assert document.error.hint


def test_a_file_that_goes_while_it_is_read(window: MainWindow, qtbot: QtBot, tmp_path: Path, samples: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes((samples / "digits_mlp.onnx").read_bytes())
    document = window.workspace.open(file)
    file.unlink()
    qtbot.waitUntil(lambda: document.state in {State.FAILED, State.READY}, timeout=30_000)
    if document.state is State.FAILED:
        assert "model.onnx" in document.error.what
        assert "not there" in document.error.what or "no file" in document.error.what.lower(), document.error.what


def test_a_file_with_weights_only_greys_what_converts_and_says_why(
    window: MainWindow, opened: Opened, qtbot: QtBot, tmp_path: Path
) -> None:
    from safetensors.numpy import save_file

    file = tmp_path / "weights.safetensors"
    save_file({"a.weight": np.ones((3, 5), np.float32)}, file)
    opened(file)
    qtbot.waitUntil(lambda: window.page.convert.page is not None, timeout=30_000)
    panel = window.page.convert.page
    for widget in (panel.destination, panel.browse, panel.options_button, panel.start_button):
        assert not widget.isEnabled()
        assert widget.toolTip() == "No converter reads Safetensors."
    assert panel.target.isEnabled(), "each target says why not"
    reasons = [panel.target.itemData(place, Qt.ItemDataRole.ToolTipRole) for place in range(panel.target.count())]
    assert all(reasons)
    assert panel.target.currentIndex() == -1
    assert panel.target.placeholderText() == "No other format"
