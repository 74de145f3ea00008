"""What stands above the pages of a model: what the file asks for, graded, as plain text."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from inspector.app.window import MainWindow
from inspector.engines.summary.rows import Remark
from inspector.viewmodels import words
from inspector.viewmodels.document import DocumentModel
from inspector.viewmodels.remarks import as_text, gravest, headline

Opened = Callable[..., DocumentModel]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with tensors, and calls that no checkpoint needs."""
    script = Path(__file__).parents[2] / "packaging" / "hostile.py"
    spec = importlib.util.spec_from_file_location("hostile_sample", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    file = tmp_path_factory.mktemp("hostile") / "checkpoint.pt"
    module.write(file)
    return file


def test_a_hostile_pickle_is_told_on_every_page(
    window: MainWindow, opened: Opened, qtbot: QtBot, hostile: Path
) -> None:
    document = opened(hostile)
    banner = window.page.remarks
    assert document.overview.totals.parameters > 200_000, "it can be viewed all the same"
    for key in ("overview", "layers", "graph", "compare"):
        window.show_page(key)
        assert banner.isVisible()
    assert banner.property("level") == "danger"
    said = "This file asks to run posix.system, builtins.eval, requests.get; they were not run."
    assert banner.text.text() == f"{said} Do not load it with PyTorch or pickle unless you trust who made it."
    assert banner.text.textFormat() == Qt.TextFormat.PlainText
    banner.details.click()
    box = window.findChild(QWidget, "remarkBox")
    qtbot.waitUntil(box.isVisible)
    text = box.text.toPlainText()
    assert "dangerous  called    posix.system" in text
    assert "known      called    torch._utils._rebuild_tensor_v2" in text
    assert text.index("posix.system") < text.index("torch._utils")
    box.close()


def test_it_can_be_put_away_and_the_overview_keeps_it(window: MainWindow, opened: Opened, hostile: Path) -> None:
    document = opened(hostile)
    cards = [label.text() for label in window.page.overview.findChildren(QLabel) if label.isVisible()]
    assert not any("posix.system" in text for text in cards), "it need not be said twice on one page"
    window.page.remarks.dismiss.click()
    assert not window.page.remarks.isVisible()
    document.set_dims({"any": 3})
    assert not window.page.remarks.isVisible()
    said = [label.text() for label in window.page.overview.findChildren(QLabel)]
    assert any("posix.system" in text for text in said)


def test_an_honest_file_has_no_banner(window: MainWindow, opened: Opened) -> None:
    opened("digits_mlp.onnx")
    assert not window.page.remarks.isVisible()
    assert not window.page.fresh.isVisible()


def test_the_gravest_comes_first() -> None:
    notes = (Remark("info", "a"), Remark("warning", "b"), Remark("danger", "c", "do not"), Remark("danger", "d"))
    assert [note.text for note in gravest(notes)] == ["c", "d"]
    assert [note.text for note in gravest(notes[:2])] == ["b"]
    assert gravest(notes[:1]) == ()
    assert headline(gravest(notes)) == "c do not   (and 1 more)"
    assert as_text(notes).startswith("Danger: c\ndo not\n\nDanger: d\n\nWarning: b\n\nNote: a")


def test_markup_in_a_name_stays_text_in_tooltips(
    window: MainWindow, opened: Opened, tmp_path: Path, samples: Path
) -> None:
    file = tmp_path / "<img src=x> & <b>bold<b>.onnx"
    file.write_bytes((samples / "digits_mlp.onnx").read_bytes())
    opened(file)
    assert window.tabs.tabToolTip(0) == words.tip(str(file))
    assert "&lt;img" in window.tabs.tabToolTip(0)
    evil = "<img src='file:///etc/passwd'><b>bold</b> & more\nsecond"
    shown = QTextDocument()
    shown.setHtml(words.tip(evil))
    assert shown.toPlainText() == evil
    assert words.tip("linear_relu_stack.0\nLinear") == "linear_relu_stack.0\nLinear"
