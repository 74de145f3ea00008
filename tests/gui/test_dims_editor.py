"""Fields for what a file leaves open, against a worker that only writes down what it is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QCoreApplication, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from inspector.app.window import MainWindow
from inspector.assets import resource
from inspector.engines.summary.rows import Overview, Port, Signature, Totals
from inspector.settings import Settings
from inspector.viewmodels.document import DocumentModel, State
from inspector.views.dims_editor import DimsEditor
from inspector.worker.tasks.open import OpenArgs
from inspector.worker.tasks.resize import ResizeArgs, Resized
from inspector.worker.tasks.rows import RowsPage


class FakeWorker(QObject):
    """Answers at the next turn; the model has one input without a shape until one is typed."""

    progressed = Signal(str)
    renewing = Signal(str)
    died = Signal(str, str)
    protection = "none"

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Any] = []

    def ask(self, task: Any, args: Any, done: Callable[[Any], None], failed: Callable[[Any], None]) -> int:
        self.asked.append(args)
        if isinstance(args, OpenArgs):
            shape = args.shapes.get("x")
            dims = tuple(dim for dim in shape or () if isinstance(dim, str))
            signature = Signature("main", (Port("x", "float32", shape),), ())
            answer: Any = Overview(
                file="m.pt", size=1, format="f", title="F", signatures=(signature,), dims=dims, typed=("x",)
            )
        elif isinstance(args, ResizeArgs):
            answer = Resized(True)
        else:
            answer = RowsPage((), 0, Totals(), ())
        QTimer.singleShot(0, self, lambda: done(answer))
        return len(self.asked)

    def renew(self, task: Any, args: Any, done: Any, failed: Any, more: Any) -> None:
        """A fresh one answers the same."""
        self.ask(task, args, lambda answer: more(answer) or done(answer), failed)

    def dismiss(self) -> None:
        """It has answered already."""

    def drop(self, ask: int) -> None:
        """Everything was answered already."""

    def close(self) -> None:
        """Nothing runs."""


@pytest.fixture
def document(qtbot: QtBot, tmp_path: Path) -> DocumentModel:
    made = DocumentModel(tmp_path / "m.pt", FakeWorker(), Settings())
    made.open()
    settle()
    assert made.state is State.READY
    yield made
    made.close()


@pytest.fixture
def editor(qtbot: QtBot, document: DocumentModel) -> DimsEditor:
    made = DimsEditor(document)
    qtbot.addWidget(made)
    return made


def type_into(field: Any, text: str) -> None:
    field.setText(text)
    field.editingFinished.emit()
    settle()


def settle() -> None:
    """Let every answer come."""
    for _ in range(6):
        QCoreApplication.processEvents()


def test_a_typed_shape_is_read_again_remembered_and_undone(document: DocumentModel, editor: DimsEditor) -> None:
    type_into(editor.shape_fields["x"], "batch,1,28,28")
    opened = [args for args in document.worker.asked if isinstance(args, OpenArgs)]
    assert opened[-1].shapes == {"x": ("batch", 1, 28, 28)}
    assert list(editor.fields) == ["batch"], "its named size can be chosen now"
    assert Settings().input_shapes == {str(document.path): {"x": ["batch", 1, 28, 28]}}
    document.sizing.undo()
    settle()
    assert document.worker.asked[-2].shapes == {}
    assert Settings().input_shapes == {}
    document.sizing.redo()
    settle()
    assert editor.shape_fields["x"].text() == "batch×1×28×28"


def test_nonsense_is_marked_and_not_asked(document: DocumentModel, editor: DimsEditor) -> None:
    asked = len(document.worker.asked)
    type_into(editor.shape_fields["x"], "1x-3")
    assert editor.shape_fields["x"].property("wrong") is True
    assert len(document.worker.asked) == asked


def test_a_size_that_is_none_is_marked_and_not_asked(document: DocumentModel, editor: DimsEditor, qtbot: QtBot) -> None:
    type_into(editor.shape_fields["x"], "n,m")
    asked, field = len(document.worker.asked), editor.fields["n"]
    for text in ("0", "9999999999"):
        field.clear()
        qtbot.keyClicks(field, text)
        qtbot.keyClick(field, Qt.Key.Key_Return)
        settle()
        assert (field.text(), field.property("wrong")) == (text, True)
    assert "2,147,483,647" in field.toolTip()
    assert len(document.worker.asked) == asked
    type_into(editor.fields["m"], "3")
    assert document.dims == {"m": 3}, "the others count"
    type_into(editor.fields["n"], "2")
    assert editor.fields["n"].property("wrong") is False
    assert document.dims == {"m": 3, "n": 2}


def test_sizes_are_asked_for_and_left_open_again(document: DocumentModel, editor: DimsEditor) -> None:
    type_into(editor.shape_fields["x"], "[n, 8]")
    type_into(editor.fields["n"], "4")
    assert document.worker.asked[-1].dims == {"n": 4}
    editor._reset.click()
    settle()
    assert document.dims == {}
    assert document.shapes == {}


def test_what_was_typed_comes_back_next_time(document: DocumentModel, editor: DimsEditor, qtbot: QtBot) -> None:
    type_into(editor.shape_fields["x"], "1x8")
    again = DocumentModel(document.path, FakeWorker(), Settings())
    again.open()
    settle()
    assert again.worker.asked[0].shapes == {"x": (1, 8)}
    again.close()


def test_an_input_with_sizes_that_have_no_name_can_be_typed_whole(document: DocumentModel, editor: DimsEditor) -> None:
    assert document.overview is not None
    port = Port("x", "float32", (None, None, None, 3))
    signatures = (Signature("main", (port, Port("y", "float32", (None, 4))), ()),)
    document.overview = msgspec.structs.replace(document.overview, signatures=signatures, typed=("x",), dims=("batch",))
    editor.refresh()
    assert (list(editor.fields), list(editor.shape_fields)) == (["batch"], ["x"])
    document.overview = msgspec.structs.replace(document.overview, typed=())
    editor.refresh()
    assert not editor.shape_fields, "a shape that would change nothing is not asked for"


def test_many_sizes_go_on_in_the_next_line(
    window: MainWindow, opened: Callable[..., DocumentModel], tmp_path: Path, qtbot: QtBot
) -> None:
    from onnx import TensorProto, helper

    dims = [f"a_rather_long_name_of_a_size_{number}" + "_and_on" * (number == 3) for number in range(8)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"], name="act")], "g", ends[:1], ends[1:])
    file = tmp_path / "open.onnx"
    file.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString())
    document = opened(file)
    editor = window.page.overview.dims
    qtbot.waitUntil(lambda: editor.height() > 60)
    fields = list(editor.fields.values())
    assert list(editor.fields) == dims
    right = [field.mapTo(window.page.overview, field.rect().topRight()).x() for field in fields]
    assert max(right) < window.page.overview.width()
    fields[-1].setText("7")
    with qtbot.waitSignal(document.rows_changed):
        fields[-1].editingFinished.emit()
    assert document.layers.row(0).outputs[0].shape == (*dims[:-1], 7)
    largest = "2147483647"
    assert fields[-1].width() >= fields[-1].fontMetrics().horizontalAdvance(largest) + 16, "no digit is cut"


def test_a_typed_shape_that_does_not_fit_is_said_and_what_is_shown_stays(
    window: MainWindow, opened: Callable[..., DocumentModel], qtbot: QtBot
) -> None:
    document = opened("digits_mlp.onnx")
    name = document.overview.signatures[0].inputs[0].name
    document.set_shapes({name: (1, 2, 3)})
    assert document.state is State.READY, "the table stays while the file is read again"
    banner = window.page.remarks
    qtbot.waitUntil(lambda: "does not have the shape 1×2×3" in banner.text.text(), timeout=30_000)
    assert document.state is State.READY
    assert document.layers.count() == 6
    assert (document.shapes, Settings().input_shapes) == ({}, {})
    assert document.sizing.can_redo()


def test_remembered_shapes_that_do_not_fit_any_more_can_be_forgotten(window: MainWindow, qtbot: QtBot) -> None:
    file = resource("samples", "digits_mlp.onnx")
    window.workspace.settings.input_shapes = {str(file): {"input": [1, 2, 3]}}
    document = window.workspace.open(file)
    qtbot.waitUntil(lambda: document.state is State.FAILED, timeout=30_000)
    box = window.page.findChild(QWidget, "errorBox")
    assert box.buttons[0].text() == "Forget the typed shapes"
    box.buttons[0].click()
    qtbot.waitUntil(lambda: document.state is State.READY and document.complete, timeout=30_000)
    assert document.layers.count() == 6
    assert Settings().input_shapes == {}


def test_an_answer_leaves_alone_what_is_being_typed(
    window: MainWindow, opened: Callable[..., DocumentModel], tmp_path: Path, qtbot: QtBot
) -> None:
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "length"]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"], name="act")], "g", ends[:1], ends[1:])
    file = tmp_path / "open.onnx"
    file.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString())
    document = opened(file)
    window.show_page("overview")
    batch, length = window.page.overview.dims.fields.values()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=20_000)
    batch.setFocus()
    qtbot.keyClicks(batch, "4")
    length.setFocus()
    assert length.hasFocus()
    qtbot.keyClicks(length, "22")
    qtbot.waitUntil(lambda: document.complete and document.sizing.shown == {"batch": 4}, timeout=20_000)
    document.overview_changed.emit()
    assert length.text() == "22", "it is not wiped out beneath the fingers"
    qtbot.keyClick(length, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: document.complete and document.sizing.shown == {"batch": 4, "length": 22}, timeout=20_000)
    document.sizing.undo()
    assert length.text() == "", "what was taken is taken back also where the cursor still stands"
    window.page.overview.dims._reset.click()
    assert (batch.text(), length.text(), document.dims) == ("", "", {})
