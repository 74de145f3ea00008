"""Closing the window: it is gone at once, whatever its processes are doing, and none of them is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from pytestqt.qtbot import QtBot

from inspector.app.window import MainWindow
from inspector.jobs import desk
from inspector.settings import Settings
from inspector.viewmodels.workspace import Workspace


def is_worker(process: psutil.Process) -> bool:
    try:
        return "--worker" in process.cmdline()
    except psutil.Error:
        return False


def nothing(window: MainWindow, qtbot: QtBot, samples: Path) -> None:
    """The thread of the jobs is there and has no process: its end comes before anybody waits for it."""
    assert window.workspace.desk is not None


def importing(window: MainWindow, qtbot: QtBot, samples: Path) -> None:
    """A worker that stands by imports what reading needs, and hears nothing."""
    window.workspace.prepare()
    qtbot.waitUntil(lambda: any(map(is_worker, psutil.Process().children())), timeout=30_000)


def reading(window: MainWindow, qtbot: QtBot, samples: Path) -> None:
    for name in ("digits_mlp.onnx", "digits_keras.keras", "digits_mlp.pt2"):
        window.workspace.open(samples / name)


def converting(window: MainWindow, qtbot: QtBot, samples: Path) -> None:
    document = window.workspace.open(samples / "digits_mlp.onnx")
    qtbot.waitUntil(lambda: document.complete and window.page.convert.page is not None, timeout=20_000)
    window.show_page("graph")
    model = window.page.convert.page.model
    model.choose("tflite")
    model.set_destination(str(Path(os.environ["XDG_CACHE_HOME"]).parent / "made.tflite"))
    model.start()
    qtbot.waitUntil(lambda: len(list(filter(is_worker, psutil.Process().children()))) >= 2, timeout=30_000)


@pytest.mark.parametrize("doing", [nothing, importing, reading, converting])
def test_it_is_gone_before_anything_is_waited_for(
    qtbot: QtBot, samples: Path, doing: Callable[[MainWindow, QtBot, Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    window = MainWindow(Workspace(Settings()))
    window.show()
    qtbot.waitExposed(window)
    doing(window, qtbot, samples)
    shown: list[bool] = []
    shut_down = window.workspace.shut_down

    def watched() -> None:
        shown.append(window.isVisible())
        shut_down()

    monkeypatch.setattr(window.workspace, "shut_down", watched)
    monkeypatch.setattr(desk, "PATIENCE_S", 100.0)
    began = time.perf_counter()
    assert window.close()
    took = time.perf_counter() - began
    assert shown == [False]
    assert took < 50, "it has not been waited in vain"
    assert not [child for child in psutil.Process().children(recursive=True) if is_worker(child)]
    window.workspace.deleteLater()
    window.deleteLater()
    qtbot.wait(10)


def test_a_document_that_is_asked_for_while_it_closes_starts_nothing(qtbot: QtBot, samples: Path) -> None:
    workspace = Workspace(Settings())
    desk = workspace.desk
    desk.close()
    late = desk.document()
    qtbot.wait(100)
    assert late.protection == ""
    assert not [child for child in psutil.Process().children(recursive=True) if is_worker(child)]
    desk.close()
    workspace.deleteLater()


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
def test_the_program_ends_with_its_processes(samples: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "INSPECTOR_INSTANCE": str(tmp_path)}
    command = [sys.executable, "-m", "inspector", str(samples / "digits_mlp.onnx")]
    program = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    seen = psutil.Process(program.pid)
    end = time.monotonic() + 30
    workers: list[psutil.Process] = []
    while not workers and time.monotonic() < end:
        time.sleep(0.05)
        workers = [child for child in seen.children() if is_worker(child)]
    assert workers
    program.send_signal(signal.SIGTERM)
    _out, err = program.communicate(timeout=100)
    assert program.returncode in {0, -signal.SIGTERM}, err
    assert b"Traceback" not in err
    _gone, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive
