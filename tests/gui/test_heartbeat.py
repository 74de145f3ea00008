"""The window's pulse: a timer of 10 ms goes on while files are read, laid out, grouped and converted.

The goal is that no beat is late by more than 100 ms. How late it was is a timing of one machine at one moment, so it is
measured by `tests/benchmarks/holding.py`, which runs this file; here a test fails only when the window stands still as
it would if it read a file, imported a framework or laid out a graph by itself.
"""

from __future__ import annotations

import gc
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from inspector.app.window import MainWindow
from inspector.viewmodels.document import DocumentModel
from inspector.views.convert_panel import ConvertPanel
from tests.benchmarks.harness import fresh
from tests.benchmarks.opening import OPEN

BEAT_MS, STILL = 10, 1.0
"""Milliseconds between two beats; seconds of the window's own computing that are a standstill: ten times the goal."""

TOLD = "INSPECTOR_TEST_HOLDS"
"""Names the file to which each test adds what it measured, for the benchmark."""


def tell(held: float) -> None:
    """Write down how long the window was held, in seconds."""
    if TOLD in os.environ:
        name = os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].rsplit(" ", 1)[0]
        with Path(os.environ[TOLD]).open("a", encoding="utf-8") as file:
            file.write(json.dumps([name, held]) + "\n")


class Pulse:
    """Measures between two beats both the wall clock and the CPU time of this thread.

    Only the second is the window's own: on a busy machine the first also holds what other processes took. What the
    suite has left in memory is not the window's either: as in the program, what is old is put out of the collector's
    way, else a full collection in the midst looks at the remains of a thousand tests.
    """

    def __init__(self) -> None:
        self.worst = 0.0
        self.beats = 0
        self._timer = QTimer()
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._beat)

    def __enter__(self) -> Pulse:
        gc.collect()
        gc.freeze()
        self._wall, self._own = time.perf_counter(), time.thread_time()
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.stop()
        gc.unfreeze()
        tell(self.worst)

    def _beat(self) -> None:
        wall, own = time.perf_counter(), time.thread_time()
        self.worst = max(self.worst, min(wall - self._wall, own - self._own))
        self.beats += 1
        self._wall, self._own = wall, own


@pytest.fixture
def warm(window: MainWindow, opened: Callable[..., DocumentModel]) -> MainWindow:
    """A window that has opened a model before: its modules are imported."""
    window.workspace.close(opened("digits_mlp.onnx"))
    return window


@pytest.mark.parametrize(
    "name", ["digits_mlp.pt2", "digits_cnn.onnx", "digits_keras.keras", "digits_mlp.torchscript.pt"]
)
def test_opening_does_not_hold_the_window(warm: MainWindow, samples: Path, qtbot: QtBot, name: str) -> None:
    with Pulse() as pulse:
        document = warm.workspace.open(samples / name)
        qtbot.waitUntil(lambda: document.complete, timeout=20_000)
        warm.show_page("layers")
        qtbot.wait(200)
    assert pulse.beats > 5
    assert pulse.worst < STILL


@pytest.fixture(scope="module")
def five_thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 5,000 nodes in 250 blocks, as an exporter would name them."""
    import onnx
    from onnx import TensorProto, helper

    nodes = []
    for number in range(2500):
        block, before = f"/blocks.{number // 10}", f"relu{number - 1}" if number else "x"
        nodes.append(helper.make_node("MatMul", [before, "w"], [f"mm{number}"], name=f"{block}/mm{number}"))
        nodes.append(helper.make_node("Relu", [f"mm{number}"], [f"relu{number}"], name=f"{block}/relu{number}"))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 4]) for name in ("x", "relu2499")]
    weight = helper.make_tensor("w", TensorProto.FLOAT, [4, 4], [0.5] * 16)
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [weight])
    file = tmp_path_factory.mktemp("large") / "large.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), file)
    return file


@pytest.mark.parametrize("name", ["digits_mlp.pt2", "digits_cnn.onnx", "digits_keras.keras"])
def test_the_first_model_and_graph_of_a_program_do_not_hold_the_window(samples: Path, name: str) -> None:
    """A program just started, in which no page and no graph was ever made."""
    told = fresh(OPEN, str(samples / name))
    assert 0 < told["table"] < told["graph"]
    tell(told["held"])
    assert told["held"] < STILL


def test_the_first_model_may_have_thousands_of_nodes(five_thousand: Path) -> None:
    held = fresh(OPEN, str(five_thousand))["held"]
    tell(held)
    assert held < STILL


def test_laying_out_does_not_hold_the_window(warm: MainWindow, five_thousand: Path, qtbot: QtBot) -> None:
    with Pulse() as pulse:
        document = warm.workspace.open(five_thousand)
        qtbot.waitUntil(lambda: document.complete, timeout=60_000)
        document.set_grouping("operators")
        qtbot.waitUntil(lambda: document.complete and document.layers.count() == 5000, timeout=60_000)
        page = warm.page.show_page("graph")
        qtbot.waitUntil(lambda: page.model.scene is not None and not page.model.is_busy, timeout=60_000)
        qtbot.wait(200)
    assert page.model.scene.nodes == 5000
    assert pulse.worst < STILL


def test_converting_does_not_hold_the_window(warm: MainWindow, samples: Path, qtbot: QtBot, tmp_path: Path) -> None:
    source = tmp_path / "digits_mlp.pt2"
    source.write_bytes((samples / "digits_mlp.pt2").read_bytes())
    document = warm.workspace.open(source)
    qtbot.waitUntil(lambda: document.complete and warm.page.findChild(ConvertPanel) is not None, timeout=20_000)
    model = warm.page.findChild(ConvertPanel).model
    model.choose("onnx")
    with Pulse() as pulse:
        model.start()
        qtbot.waitUntil(lambda: model.result is not None or model.outcome is not None, timeout=200_000)
    assert model.result is not None, model.outcome
    assert Path(model.result.target).is_file()
    assert pulse.worst < STILL


def test_reading_again_and_grouping_do_not_hold_the_window(
    warm: MainWindow, five_thousand: Path, qtbot: QtBot, tmp_path: Path
) -> None:
    file = tmp_path / "large.onnx"
    file.write_bytes(five_thousand.read_bytes())
    document = warm.workspace.open(file)
    qtbot.waitUntil(lambda: document.complete, timeout=60_000)
    page = warm.page.show_page("layers")
    with Pulse() as pulse:
        page.set_grouping("modules")
        qtbot.waitUntil(lambda: document.complete and document.layers.is_tree, timeout=60_000)
        document.set_depth(1)
        document.set_depth(0)
        page.filter.setText("type:Relu shape:?,4 -blocks.17")
        page.filter.setText("")
        with qtbot.waitSignal(document.renewed, timeout=60_000):
            file.write_bytes(five_thousand.read_bytes())
        qtbot.waitUntil(lambda: document.complete, timeout=60_000)
        qtbot.wait(200)
    assert document.layers.deepest == 1
    assert pulse.worst < STILL
