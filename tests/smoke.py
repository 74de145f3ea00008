"""Open a model in a real window and close it again: what the test of the import wall runs in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from inspector.app.window import MainWindow
from inspector.errors import InspectorError
from inspector.settings import Settings
from inspector.viewmodels.workspace import Workspace
from inspector.views import look

PATIENCE_MS = 60_000


def open_and_close(path: str) -> int:
    """Open a file, wait until its table is full, show every page, close; gives the number of rows.

    Raises:
        InspectorError: The file cannot be read, or is not read within a minute.
    """
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    look.apply(app)
    window = MainWindow(Workspace(Settings()))
    window.show()
    loop = QEventLoop()
    document = window.workspace.open(Path(path))
    document.rows_changed.connect(loop.quit)
    document.state_changed.connect(lambda: loop.quit() if document.error is not None else None)
    QTimer.singleShot(PATIENCE_MS, loop, loop.quit)
    loop.exec()
    try:
        if document.error is not None or not document.complete:
            raise document.error or InspectorError(f"{path} was not read within a minute.")
        for page in ("layers", "graph", "compare", "overview"):
            window.show_page(page)
            app.processEvents()
        return document.layers.count()
    finally:
        window.close()
        window.deleteLater()
        app.processEvents()
