"""Repeated weights in the real window: the overview's line, the marks of the table, the tensor panel, and Cancel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot
from safetensors.numpy import save_file

from inspector.viewmodels.columns import column_number
from inspector.viewmodels.layers import LayerRole
from inspector.viewmodels.repeats import Phase
from inspector.views.repeats_line import RepeatsLine
from inspector.views.tensor_panel import TensorPanel
from inspector.worker.tasks.repeats import RepeatsArgs
from tests.rest import rest

if TYPE_CHECKING:
    from inspector.app.window import MainWindow
    from inspector.viewmodels.document import DocumentModel

Opened = Callable[..., "DocumentModel"]
RNG = np.random.default_rng(0)
WTE, HIDDEN = RNG.normal(size=(500, 32)).astype("f4"), RNG.normal(size=(64, 64)).astype("f4")
NAME = column_number("name")
SENTENCE = "36,096 parameters, 20,096 distinct: 1 weight repeats the values of another (wte.weight = lm_head.weight)."


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An embedding, a head with its values, and one more matrix."""
    path = tmp_path / "m.safetensors"
    save_file({"wte.weight": WTE, "lm_head.weight": WTE.copy(), "x.weight": HIDDEN}, path)
    return path


def test_from_opening_to_the_sentence_the_marks_and_the_tensor(
    window: MainWindow, opened: Opened, file: Path, qtbot: QtBot
) -> None:
    document = opened(file)
    line: RepeatsLine = window.findChild(RepeatsLine, "repeatsLine")
    qtbot.waitUntil(lambda: line.text.text() == SENTENCE, timeout=30_000)
    assert line.isVisible()
    assert not line.button.isVisible()
    assert line.text.toolTip().startswith("wte.weight = lm_head.weight\n")
    assert "20,096 distinct" in {each.text() for each in window.findChildren(QLabel)}
    table = document.layers
    rows = {row.name: table.index(number, NAME) for number, row in enumerate(table.shown())}
    assert {name: index.data(LayerRole.ALIKE) for name, index in rows.items()} == {
        "lm_head": "", "wte": "= lm_head.weight", "x": ""
    }  # fmt: skip
    assert rows["wte"].data(Qt.ItemDataRole.ToolTipRole) == "wte\nsame values as lm_head.weight"
    assert "36,096 parameters   ·   20,096 distinct" in table.summary()
    page = window.page.show_page("layers")
    metrics = page.table.fontMetrics()
    whole = metrics.horizontalAdvance("wte") + metrics.horizontalAdvance("= lm_head.weight")
    qtbot.waitUntil(lambda: page.table.columnWidth(NAME) > whole)  # neither is cut
    panel: TensorPanel = window.findChild(TensorPanel, "tensorPanel")
    for name, said in (("wte.weight", "Same values as lm_head.weight"), ("lm_head.weight", "Same values as wte.weight"),
                       ("x.weight", "")):  # fmt: skip
        document.selection.look_at(name)
        qtbot.waitUntil(lambda name=name: panel.title.text() == name and panel._model.view is not None, timeout=30_000)
        assert panel.repeats.text() == said
        assert panel.repeats.isHidden() is not bool(said)
    document.set_grouping("modules")
    qtbot.waitUntil(lambda: document.complete, timeout=30_000)
    assert line.text.text() == SENTENCE
    save_file({"wte.weight": WTE, "lm_head.weight": WTE + 1, "x.weight": HIDDEN}, file)
    document.freshness.read()
    qtbot.waitUntil(lambda: line.text.text() == "No weight repeats the values of another.", timeout=30_000)
    assert not any(index.data(LayerRole.ALIKE) for index in map(table.index, range(3), [NAME] * 3))
    assert "distinct" not in table.summary()


def test_cancel_and_compare_all(
    window: MainWindow, opened: Opened, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = {f"w{number}": np.roll(HIDDEN, number) for number in range(600)}
    save_file(many | {"last": many["w7"].copy()}, tmp_path / "many.safetensors")
    plain = RepeatsArgs

    def slowly(**more: object) -> RepeatsArgs:
        return plain(**{"step": 0.0001, **more})

    monkeypatch.setattr("inspector.viewmodels.repeats.RepeatsArgs", slowly)
    document = opened(tmp_path / "many.safetensors")
    line: RepeatsLine = window.findChild(RepeatsLine, "repeatsLine")
    qtbot.waitUntil(lambda: line.text.text().startswith("Comparing samples of 601 weights"), timeout=30_000)
    assert line.text.text().endswith("%")
    button: QPushButton = line.button
    assert button.text() == "Cancel"
    height = line.height()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert document.repeats.phase is Phase.STOPPED
    assert line.text.text() == "Weights were not compared with each other."
    rest(qtbot)
    assert (button.text(), line.height()) == ("Compare all", height)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "1 weight repeats" in line.text.text(), timeout=20_000)
    assert not button.isVisible()
    assert line.height() == height
    document.worker.restart()
    assert document.repeats.phase is Phase.DONE  # what is shown stays until the file is read again
    document.retry()
    assert document.repeats.phase is Phase.WAITING
    qtbot.waitUntil(lambda: document.repeats.phase is Phase.DONE, timeout=20_000)
