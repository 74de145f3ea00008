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
KIND = "{ type: DT_FLOAT }"
GRAPH = f"""
node {{ name: "x" op: "Placeholder" attr {{ key: "dtype" value {KIND} }} }}
node {{ name: "first" op: "Relu" input: "x" attr {{ key: "T" value {KIND} }} }}
node {{ name: "second" op: "Abs" input: "first" attr {{ key: "T" value {KIND} }} }}
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sizing") / "nodes.onnx"
    models.write(path, big_models.NODES, str(COUNT))
    return path


def test_typed_shapes_are_read_beside_what_is_shown_and_can_be_given_up(
    window: MainWindow, opened: Opened, qtbot: QtBot, large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNREAD_MS", 0)
    file = tmp_path / "open.pbtxt"
    file.write_text(GRAPH)
    document = opened(file)
    banner, fields, rows = window.page.sizing, window.page.overview.dims.shape_fields, document.layers.count()
    [(name, field)] = fields.items()
    assert document.layers.row(1).outputs[0].shape is None

    field.setText("5x8")
    field.editingFinished.emit()
    assert banner.isVisible()
    assert banner.text.text().endswith(f" for {name} = 5×8; what is shown is still for open sizes.")
    assert banner.stop.isVisible()
    assert document.layers.count() == rows
    banner.stop.click()
    assert not banner.isVisible()
    assert (document.shapes, window.workspace.settings.input_shapes, fields[name].text()) == ({}, {}, "")

    document.sizing.redo()
    assert fields[name].text() == "5×8"
    qtbot.waitUntil(lambda: document.complete and not document.sizing.rereading.step, timeout=30_000)
    assert document.layers.row(1).outputs[0].shape[0] == 5
    assert document.state is document.state.READY
    assert not banner.isVisible()

    said: list[tuple[str, float | None]] = []
    document = opened(large)
    sizing = document.sizing
    sizing.changed.connect(lambda: said.append((sizing.text, sizing.progress)))
    [port] = document.overview.signatures[0].inputs
    document.set_shapes({port.name: tuple(4 if dim == "batch" else dim for dim in port.shape)})
    qtbot.waitUntil(lambda: document.complete and not sizing.rereading.step, timeout=60_000)
    assert document.layers.row(3).outputs[0].shape[0] == 4
    assert any(text.startswith("Working out shapes and figures for ") and share for text, share in said)
    assert not any("first rows" in text for text, _ in said), "what was shown whole stays whole"


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
