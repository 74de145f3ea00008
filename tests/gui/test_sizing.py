"""Sizes typed for a model of very many nodes: the user sees how far its figures are, may give up, and is not held."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytestqt.qtbot import QtBot

from inspector.viewmodels import sizing as module
from inspector.views.node_panel import NodePanel
from tests.benchmarks import big_models, models

if TYPE_CHECKING:
    from inspector.app.window import MainWindow
    from inspector.viewmodels.document import DocumentModel

Opened = Callable[..., "DocumentModel"]
COUNT = 31_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sizing") / "nodes.onnx"
    models.write(path, big_models.NODES, str(COUNT))
    return path


def test_progress_cancel_and_other_answers_meanwhile(
    window: MainWindow, opened: Opened, qtbot: QtBot, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNSEEN_MS", 0)
    said: list[str] = []
    document = window.workspace.open(large)
    document.sizing.changed.connect(lambda: said.append(document.sizing.text))
    qtbot.waitUntil(lambda: document.complete, timeout=60_000)
    assert any("its first rows are shown" in text for text in said)
    page = window.page
    banner = page.sizing
    assert not banner.isVisible()
    one = document.totals.macs
    [(dim, field)] = page.overview.dims.fields.items()
    settings = window.workspace.settings

    field.setText("8")
    field.editingFinished.emit()
    qtbot.waitUntil(lambda: banner.isVisible() and banner.bar.value() > 0, timeout=30_000)
    assert banner.text.text() == (
        "Working out shapes and figures for batch = 8; what is shown is still for open sizes."
    )
    assert banner.stop.isVisible()
    document.selection.select(document.target_of(document.layers.row(3)))
    panel = window.findChild(NodePanel, "nodePanel")
    qtbot.waitUntil(lambda: panel._model.details is not None, timeout=30_000)
    assert document.sizing.share is not None, "what is shown is answered meanwhile"
    assert document.totals.macs == one
    assert document.layers.row(3).outputs[0].shape[0] == "batch"
    banner.stop.click()
    assert not banner.isVisible()
    assert document.dims == {}
    assert field.text() == ""
    assert settings.shapes == {}
    assert document.sizing.can_redo()
    assert not document.sizing.can_undo()
    assert document.layers.count() == page.layers.table.model().rowCount() > 10_000

    field.setText("4")
    with qtbot.waitSignal(document.resized, timeout=60_000):
        field.editingFinished.emit()
    qtbot.waitUntil(lambda: document.complete, timeout=20_000)
    assert not banner.isVisible()
    assert document.totals.macs == 4 * one
    assert document.layers.row(3).outputs[0].shape[0] == 4
    assert document.dims == {dim: 4} == settings.shapes[str(large)]
    with qtbot.waitSignal(document.rows_changed, timeout=20_000):
        document.sizing.undo()
    assert document.totals.macs == one, "the first figures are kept"
