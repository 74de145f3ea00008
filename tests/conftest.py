"""What every test gets: a store of settings of its own, and no log record of WARNING that it did not expect."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from pytestqt.qtbot import QtBot

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")
QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)  # as app/main.py does, for the web engine
TOYS = Path(__file__).parent / "toys"
for waiting in (QtBot.waitUntil, QtBot.waitSignal, QtBot.waitSignals, QtBot.waitExposed, QtBot.waitActive):
    waiting.__kwdefaults__["timeout"] = 30_000  # five seconds by default: a busy machine is no failure


@pytest.fixture(scope="session")
def qapp_cls() -> type:
    """The application is the program's own."""
    from inspector.app.main import Application

    return Application


@pytest.fixture(scope="session", autouse=True)
def one_application(qapp: object) -> None:
    """The application with widgets comes first: Qt allows one, and jobs would make one without."""


@pytest.fixture(autouse=True)
def own_places(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings and caches of a test never touch the user's."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("INSPECTOR_SETTINGS", str(home / "settings.json"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))


@pytest.fixture(autouse=True)
def quiet_log(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A record of WARNING or above that the test did not expect fails it; mark it with `logs` to expect some."""
    yield
    if request.node.get_closest_marker("logs"):
        return
    loud = [r for r in caplog.get_records("call") if r.levelno >= logging.WARNING and r.name.startswith("inspector")]
    assert not loud, [r.getMessage() for r in loud]


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of the samples."""
    return Path(__file__).parents[1] / "resources" / "samples"


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of toy plug-ins, found by this process and its workers."""
    from inspector.registry import found

    monkeypatch.setenv("INSPECTOR_PLUGINS", str(TOYS))
    found.cache_clear()
    yield TOYS
    monkeypatch.delenv("INSPECTOR_PLUGINS")
    found.cache_clear()
