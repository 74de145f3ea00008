"""The program itself in a process of its own: started, looked at, closed; its exit status is what counts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from inspector.needs import NETRON, WEBENGINE

SHOW_NETRON = """
import sys
from PySide6.QtCore import QTimer
from inspector.app import main as program
from inspector.app.window import MainWindow

application = program.Application(["inspector"])

def look(window=None, page=None):
    windows = [w for w in application.topLevelWidgets() if isinstance(w, MainWindow)]
    if windows and windows[0].page is not None and windows[0].page.document.complete:
        page = windows[0].page.show_page("netron")
        if page.is_rendered:
            print("rendered", flush=True)
            QTimer.singleShot(200, windows[0].close)
            return
    QTimer.singleShot(50, look)

QTimer.singleShot(0, look)
sys.exit(program.main(sys.argv[1:]))
"""


@pytest.mark.skipif(bool(WEBENGINE.missing() or NETRON.missing()), reason="the extra `web` is not installed")
def test_the_program_shows_netron_and_ends_well(samples: Path) -> None:
    start = (
        "from PySide6.QtCore import QCoreApplication, Qt\n"
        "QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)\n" + SHOW_NETRON
    )
    done = subprocess.run(
        [sys.executable, "-c", start, str(samples / "digits_cnn.onnx")],
        env=os.environ | {"INSPECTOR_INSTANCE": f"test-{os.getpid()}"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "rendered" in done.stdout
