"""The Netron pane: offline, one model a page, nodes selected from our table; and what it says where it is missing."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from inspector.needs import NETRON, WEBENGINE
from inspector.viewmodels.netron import HEAVY, Alike, NetronModel, netron_folder
from inspector.views import look
from inspector.views.netron_page import NetronPage

web = pytest.mark.skipif(bool(WEBENGINE.missing() or NETRON.missing()), reason="the extra `web` is not installed")
# Chromium without a graphics card and without D-Bus says so.
quiet = pytest.mark.qt_log_level_fail("CRITICAL")


@pytest.fixture
def model(samples: Path) -> NetronModel:
    return NetronModel(samples / "digits_mlp.onnx")


@web
def test_the_page_names_the_model_and_never_grows_old(model: NetronModel) -> None:
    answer = model.answer("/index.html")
    assert answer is not None
    text = answer.data.decode()
    assert '<meta name="file" content="/data/digits_mlp.onnx">' in text
    packaged = (netron_folder() or Path()).joinpath("index.html").read_text("utf-8")
    date = packaged.split('<meta name="date" content="')[1].split('"')[0]
    assert date not in text
    assert text.count('name="date"') == 1


@web
def test_it_serves_the_model_and_its_neighbours_and_nothing_else(model: NetronModel, tmp_path: Path) -> None:
    assert model.answer("/data/digits_mlp.onnx").file == model.path  # type: ignore[union-attr]
    assert model.answer("/data/digits.npz").file is not None  # type: ignore[union-attr]
    for path in ("/data/../build.py", "/data/../../pyproject.toml", "/data//etc/passwd", "/../server.py", "/server.py"):
        assert model.answer(path) is None, path
    assert "netron" not in sys.modules


def test_a_saved_model_is_its_graph_file(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    assert NetronModel(tmp_path).model_file == tmp_path / "saved_model.pb"


def test_without_the_extra_it_says_what_to_install(
    qtbot: QtBot, model: NetronModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(model), "missing", "netron is not installed: pip install 'inspector[web]'")
    page = NetronPage(model)
    qtbot.addWidget(page)
    page.show()
    assert "pip install 'inspector[web]'" in page.pane.words.text()
    copy = page.findChild(QPushButton)
    qtbot.mouseClick(copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "pip install 'inspector[web]'"
    qtbot.wait(10)
    assert page.view is None


def test_a_large_graph_is_not_drawn_unasked(qtbot: QtBot, samples: Path) -> None:
    page = NetronPage(NetronModel(samples / "digits_mlp.onnx", nodes=4 * HEAVY))
    qtbot.addWidget(page)
    page.show()
    qtbot.wait(10)
    assert page.view is None
    assert "20,000 nodes" in page.pane.words.text() or page.model.missing


@web
@quiet
@pytest.mark.parametrize(
    ("file", "node"),
    [("digits_keras.keras", "dense"), ("digits_cnn.pt2", "relu"), ("digits_mlp.onnx", "output")],
)
def test_it_draws_offline_and_selects(qtbot: QtBot, qapp: QApplication, samples: Path, file: str, node: str) -> None:
    look.apply(qapp, "dark")
    page = NetronPage(NetronModel(samples / file))
    qtbot.addWidget(page)
    page.resize(900, 600)
    page.select(node)  # before there is anything to select
    with qtbot.waitSignal(page.rendered, timeout=30_000):
        page.show()
    assert page.view is not None
    answers: list[object] = []
    page.view.select((node,), then=answers.append)
    qtbot.waitUntil(lambda: bool(answers), timeout=30_000)
    assert str(answers[0]).startswith("done:")
    sidebar: list[object] = []
    page.view.ask("document.getElementById('sidebar-content').innerText", sidebar.append)
    qtbot.waitUntil(lambda: bool(sidebar), timeout=30_000)
    assert "inputs" in str(sidebar[0]).lower()
    page.view.select(("no such node",), then=answers.append)
    qtbot.waitUntil(lambda: len(answers) == 2, timeout=30_000)
    assert answers[1] == "none"
    ground: list[object] = []
    page.view.ask("getComputedStyle(document.body).backgroundColor", ground.append)
    qtbot.waitUntil(lambda: bool(ground), timeout=30_000)
    assert ground[0] == "rgb({}, {}, {})".format(*look.colour("base").getRgb()[:3])
    assert all(host == "analytics.google.com" for host in page.view.wall.blocked)


@web
@quiet
def test_a_click_in_netron_is_told(qtbot: QtBot, samples: Path) -> None:
    page = NetronPage(NetronModel(samples / "digits_keras.keras"))
    qtbot.addWidget(page)
    page.resize(900, 600)
    with qtbot.waitSignal(page.rendered, timeout=30_000):
        page.show()
    assert page.view is not None
    node = "[...t.nodes.values()].find(n => n.label.value.name === 'dense').label.value"
    click = f"{{const t = __view__._target; t.activate({node}, 'sidebar')}}"
    with qtbot.waitSignal(page.model.node_selected, timeout=30_000) as told:
        page.view.ask(click)
    assert told.args == ["dense"]


@web
@quiet
def test_two_models_side_by_side_do_not_mix(qtbot: QtBot, samples: Path) -> None:
    pages = [NetronPage(NetronModel(samples / name)) for name in ("digits_keras.keras", "digits_cnn.onnx")]
    titles: dict[int, object] = {}
    for page in pages:
        qtbot.addWidget(page)
        with qtbot.waitSignal(page.rendered, timeout=30_000):
            page.show()
    for number, page in enumerate(pages):
        assert page.view is not None
        page.view.ask("document.title", partial(titles.__setitem__, number))
    qtbot.waitUntil(lambda: len(titles) == 2, timeout=30_000)
    assert titles == {0: "digits_keras.keras", 1: "digits_cnn.onnx"}


@web
@quiet
def test_nodes_without_names_are_found_by_type_and_place(qtbot: QtBot, samples: Path) -> None:
    page = NetronPage(NetronModel(samples / "digits_mlp.torchscript.pt"))
    qtbot.addWidget(page)
    with qtbot.waitSignal(page.rendered, timeout=30_000):
        page.show()
    assert page.view is not None
    answers: list[object] = []
    for place in range(3):
        page.view.select(("linear_relu_stack/linear",), Alike("Linear", place, 3), answers.append)
    page.view.select(("linear_relu_stack/linear",), Alike("Linear", 0, 4), answers.append)
    qtbot.waitUntil(lambda: len(answers) == 4, timeout=30_000)
    assert len(set(answers[:3])) == 3
    assert all(str(answer).startswith("done:%") for answer in answers[:3])
    assert answers[3] == "none"


@web
@quiet
def test_a_changed_file_is_drawn_anew(qtbot: QtBot, samples: Path, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes((samples / "digits_mlp.onnx").read_bytes())
    page = NetronPage(NetronModel(file))
    qtbot.addWidget(page)
    page.resize(900, 600)
    with qtbot.waitSignal(page.rendered, timeout=30_000):
        page.show()
    first = page.view
    file.write_bytes((samples / "digits_cnn.onnx").read_bytes())
    with qtbot.waitSignal(page.rendered, timeout=30_000):
        page.reload()
    assert page.view is not first
    drawn: list[object] = []
    page.view.ask("document.getElementById('canvas').textContent", drawn.append)
    qtbot.waitUntil(lambda: bool(drawn), timeout=30_000)
    assert "Conv" in str(drawn[0])
