"""A file that changes while it is open: read again by itself, with everything the user has set up."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from inspector.app.window import MainWindow
from inspector.viewmodels.document import DocumentModel, State
from inspector.viewmodels.freshness import Fresh
from inspector.viewmodels.selection import Target
from tests.rest import rest

Opened = Callable[..., DocumentModel]


@pytest.fixture
def model(tmp_path: Path, samples: Path) -> Path:
    """A copy of a sample, for the test to change."""
    file = tmp_path / "model.onnx"
    shutil.copyfile(samples / "digits_mlp.onnx", file)
    return file


def replace(file: Path, data: bytes) -> None:
    """The way good programs save: beside it, then in its place."""
    other = file.with_name("saving.tmp")
    other.write_bytes(data)
    other.replace(file)


def reloaded(document: DocumentModel, qtbot: QtBot, change: Callable[[], object]) -> None:
    with qtbot.waitSignal(document.renewed, timeout=20_000):
        change()
    qtbot.waitUntil(lambda: document.complete, timeout=30_000)


def test_a_replaced_file_is_read_again_and_the_view_stays(
    window: MainWindow, opened: Opened, qtbot: QtBot, model: Path, samples: Path
) -> None:
    document = opened(model)
    [(dim, size)] = window.page.overview.dims.fields.items()
    size.setText("8")
    with qtbot.waitSignal(document.rows_changed):
        size.editingFinished.emit()
    before = document.totals.macs
    window.show_page("layers")
    window.findChild(QLineEdit, "layerFilter").setText("linear")
    document.selection.select(document.target_of(document.layers.row(2)))
    chosen = document.selection.target
    label = window.page.findChild(QLabel, "reloadedLabel")
    assert not label.isVisible()

    reloaded(document, qtbot, lambda: replace(model, (samples / "digits_cnn.onnx").read_bytes()))
    assert document.overview.totals.parameters != 669_706
    assert window.page.current == "layers"
    assert window.findChild(QLineEdit, "layerFilter").text() == "linear"
    assert document.layers.filter == "linear"
    assert document.dims == {dim: 8}
    assert label.isVisible()
    assert label.text().startswith("Reloaded, ")
    rest(qtbot)
    pages = window.page.pages
    middles = [
        part.mapTo(pages, at.center()).y()
        for part, at in ((label, label.contentsRect()), (pages.tabBar(), pages.tabBar().rect()))
    ]
    assert abs(middles[0] - middles[1]) <= 4, "in line with the names of the pages"

    reloaded(document, qtbot, lambda: model.write_bytes((samples / "digits_mlp.onnx").read_bytes()))
    assert document.totals.macs == before
    assert document.selection.target == chosen
    assert window.page.layers.table.selected_rows() == [2]
    assert document.freshness.state is Fresh.SAME


def test_scroll_and_folds_stay(window: MainWindow, opened: Opened, qtbot: QtBot, tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    def save(op: str) -> None:
        nodes = [helper.make_node(op, [f"v{n}"], [f"v{n + 1}"], name=f"/blocks.{n // 50}/op{n}") for n in range(1500)]
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in ("v0", "v1500")]
        opsets = [helper.make_opsetid("", 18)]
        made = helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:]), opset_imports=opsets)
        replace(tmp_path / "long.onnx", made.SerializeToString())

    save("Relu")
    document = opened(tmp_path / "long.onnx")
    window.resize(1400, 700)
    table = window.page.layers.table
    window.page.layers.set_grouping("operators")
    qtbot.waitUntil(lambda: document.complete and document.layers.count() == 1500)
    window.show_page("layers")
    table.verticalScrollBar().setValue(20_000)
    at = table.rowAt(4)
    tree = window.docks.modules.tree
    qtbot.waitUntil(lambda: tree.model().rowCount() > 0)
    root = tree.model().index(0, 0)
    tree.setExpanded(root, False)
    reloaded(document, qtbot, lambda: save("Sigmoid"))
    qtbot.waitUntil(lambda: table.rowAt(4) == at > 400)
    assert document.layers.row(at).type == "Sigmoid"
    assert not tree.isExpanded(tree.model().index(0, 0))


def test_the_graph_stays_as_open_as_it_was(
    window: MainWindow, opened: Opened, qtbot: QtBot, tmp_path: Path, samples: Path
) -> None:
    file = tmp_path / "model.onnx"
    shutil.copyfile(samples / "digits_cnn.onnx", file)
    document = opened(file)
    graph = window.page.show_page("graph").model
    qtbot.waitUntil(lambda: graph.scene is not None and not graph.is_busy, timeout=20_000)
    graph.collapse_all()
    qtbot.waitUntil(lambda: not graph.is_busy, timeout=30_000)
    closed = len(graph.scene.boxes)
    graph.toggle("m:stem")
    qtbot.waitUntil(lambda: not graph.is_busy and len(graph.scene.boxes) > closed, timeout=30_000)
    boxes, scene = [(box.key, box.open) for box in graph.scene.boxes], graph.scene
    reloaded(document, qtbot, lambda: os.utime(file))
    qtbot.waitUntil(lambda: graph.scene is not scene and not graph.is_busy, timeout=30_000)
    assert [(box.key, box.open) for box in graph.scene.boxes] == boxes
    reloaded(document, qtbot, lambda: replace(file, (samples / "digits_mlp.onnx").read_bytes()))
    qtbot.waitUntil(lambda: any("linear_relu_stack" in box.key for box in graph.scene.boxes), timeout=30_000)


def test_a_file_that_is_still_written_is_said_to_be(
    window: MainWindow, opened: Opened, qtbot: QtBot, tmp_path: Path
) -> None:
    from safetensors.numpy import save

    data = save({f"layer{n}.weight": np.ones((100, 100), np.float32) for n in range(20)})
    file = tmp_path / "model.safetensors"
    file.write_bytes(save({"old.weight": np.ones((3, 3), np.float32)}))
    document = opened(file)
    banner = window.page.fresh
    assert not banner.isVisible()
    said: list[str] = []
    document.freshness.changed.connect(lambda: said.append(document.freshness.text))
    with file.open("wb") as writer:
        for part in range(100):
            writer.write(data[part * 10 : part * 10 + 10])
            writer.flush()
            os.fsync(writer.fileno())
            qtbot.wait(100)
            if any("is being written" in text for text in said):
                break
        written = next(text for text in said if "is being written" in text)
        assert written.startswith("model.safetensors is being written, ")
        assert written.endswith(" B so far. What is shown is from before.")
        assert document.overview.totals.parameters == 9, "what was shown stays"
        qtbot.waitUntil(lambda: document.freshness.state is Fresh.INCOMPLETE, timeout=30_000)
        assert banner.isVisible()
        assert "What is shown is from before." in banner.text.text()
        assert document.state is State.READY
        writer.write(data[part * 10 + 10 :])
    qtbot.waitUntil(lambda: document.overview.totals.parameters == 200_000, timeout=20_000)
    assert not banner.isVisible()


def test_a_deleted_file_stays_on_show(
    window: MainWindow, opened: Opened, qtbot: QtBot, model: Path, samples: Path
) -> None:
    document = opened(model)
    model.unlink()
    banner = window.page.fresh
    qtbot.waitUntil(banner.isVisible, timeout=30_000)
    assert banner.text.text() == "model.onnx has been moved or deleted. What is shown is from before."
    assert document.layers.count() == 6
    reloaded(document, qtbot, lambda: shutil.copyfile(samples / "digits_cnn.onnx", model))
    assert not banner.isVisible()


def test_reloading_can_be_turned_off(
    window: MainWindow, opened: Opened, qtbot: QtBot, model: Path, samples: Path
) -> None:
    action = window.menus.actions["model.follow"]
    assert action.isChecked()
    action.trigger()
    assert not action.isChecked()
    assert not type(window.workspace.settings)().follow, "it is remembered"
    document = opened(model)
    replace(model, (samples / "digits_cnn.onnx").read_bytes())
    banner = window.page.fresh
    qtbot.waitUntil(banner.isVisible, timeout=30_000)
    assert "has changed on disk" in banner.text.text()
    assert document.overview.totals.parameters == 669_706
    reloaded(document, qtbot, banner.again.click)
    assert document.overview.totals.parameters != 669_706
    assert not banner.isVisible()


def test_a_file_that_could_not_be_read_opens_once_it_is_whole(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, samples: Path
) -> None:
    file = tmp_path / "download.pt2"
    data = (samples / "digits_mlp.pt2").read_bytes()
    file.write_bytes(data[: len(data) // 2])
    document = window.workspace.open(file)
    qtbot.waitUntil(lambda: document.state is State.FAILED, timeout=30_000)
    with file.open("ab") as writer:
        writer.write(data[len(data) // 2 :])
    qtbot.waitUntil(lambda: document.state is State.READY and document.complete, timeout=20_000)
    assert document.layers.count() == 6


def test_files_beside_the_model_count(window: MainWindow, opened: Opened, qtbot: QtBot, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    shard = tmp_path / "model-00001-of-00001.safetensors"
    save_file({"a.weight": np.ones((4, 4), np.float32)}, shard)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(f'{{"metadata": {{}}, "weight_map": {{"a.weight": "{shard.name}"}}}}')
    document = opened(index)
    assert document.overview.beside == (shard.name,)
    reloaded(document, qtbot, lambda: save_file({"a.weight": np.ones((8, 8), np.float32)}, shard))
    assert document.overview.totals.parameters == 64


def test_a_folder_is_watched_to_its_depths(window: MainWindow, opened: Opened, qtbot: QtBot, tmp_path: Path) -> None:
    from tensorboard.compat.proto.meta_graph_pb2 import MetaGraphDef

    meta = MetaGraphDef()
    meta.graph_def.node.add(name="x", op="Placeholder").attr["dtype"].type = 1
    meta.signature_def["serving_default"].inputs["x"].name = "x:0"
    data = meta.SerializeToString()
    folder = tmp_path / "saved"
    (folder / "assets" / "inner").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"\x08\x01\x12" + bytes([len(data)]) + data)
    words = folder / "assets" / "inner" / "words.txt"
    words.write_text("one")
    document = opened(folder)
    reloaded(document, qtbot, lambda: words.write_text("one\ntwo"))
    assert document.state is State.READY
    assert document.overview.format == "tf.saved_model"


def test_a_selected_module_is_asked_for_again(
    window: MainWindow, opened: Opened, qtbot: QtBot, model: Path, samples: Path
) -> None:
    document = opened(model)
    document.selection.select(Target("row", "flatten", document.layers.row(0).graph))
    panel = window.docks.node
    qtbot.waitUntil(lambda: "flatten" in panel.text.toPlainText())
    reloaded(document, qtbot, lambda: replace(model, (samples / "digits_cnn.onnx").read_bytes()))
    qtbot.waitUntil(lambda: "flatten" not in panel.text.toPlainText().splitlines()[:1], timeout=30_000)
