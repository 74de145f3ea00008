"""One window for all files: what a second start does."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QUrl
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtNetwork import QLocalSocket
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from inspector.app.instance import Instance, address, hand_over
from inspector.app.main import Application, files_of
from inspector.app.window import MainWindow


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> Instance:
    monkeypatch.setenv("INSPECTOR_INSTANCE", uuid.uuid4().hex)
    made = Instance()
    assert made.listen()
    yield made
    made.close()
    made.deleteLater()


def second_start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "inspector", *arguments]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ.copy())


@pytest.mark.qt_log_ignore("This plugin does not support raise", extend=True)
def test_a_second_start_hands_its_files_over(
    instance: Instance, window: MainWindow, qtbot: QtBot, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance.asked.connect(window.come_forward)
    monkeypatch.chdir(samples)
    with qtbot.waitSignal(instance.asked, timeout=20_000) as asked:
        second = second_start("digits_mlp.onnx")
    assert asked.args == [[str(samples / "digits_mlp.onnx")]]
    qtbot.waitUntil(lambda: second.poll() is not None, timeout=30_000)
    assert second.communicate() == ("", "")
    assert second.returncode == 0
    qtbot.waitUntil(lambda: window.page is not None and window.page.document.complete, timeout=30_000)
    assert window.page.document.path == samples / "digits_mlp.onnx"


def test_nobody_listens() -> None:
    assert not hand_over(["x"], f"inspector-nobody-{uuid.uuid4().hex}")


def test_a_stranger_on_the_socket_changes_nothing(instance: Instance, qtbot: QtBot) -> None:
    asked: list[object] = []
    instance.asked.connect(asked.append)
    socket = QLocalSocket()
    socket.connectToServer(address())
    assert socket.waitForConnected(30_000)
    socket.write(b'{"not": "a list"}\n')
    qtbot.waitUntil(lambda: socket.state() is QLocalSocket.LocalSocketState.UnconnectedState)
    assert asked == []


def test_arguments_become_absolute_paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    address = QUrl.fromLocalFile(str(tmp_path / "a b.onnx")).toString()
    assert files_of(["--", "x.onnx", address]) == [str(tmp_path / "x.onnx"), str(tmp_path / "a b.onnx")]


def test_a_file_open_event_opens(qtbot: QtBot, tmp_path: Path) -> None:
    app = QApplication.instance()
    opened: list[list[str]] = []
    assert isinstance(app, Application)
    app.asked.connect(opened.append)
    QApplication.sendEvent(app, QFileOpenEvent(str(tmp_path / "m.onnx")))
    QApplication.sendEvent(app, QEvent(QEvent.Type.User))
    app.asked.disconnect(opened.append)
    assert opened == [[str(tmp_path / "m.onnx")]]
