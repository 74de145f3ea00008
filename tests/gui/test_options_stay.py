"""Fields of the window are there for as long as the window: no garbage collection takes one away."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from tests.rest import rest

if TYPE_CHECKING:
    from inspector.app.window import MainWindow
    from inspector.viewmodels.document import DocumentModel

Opened = Callable[..., "DocumentModel"]


def test_options_outlive_a_garbage_collection(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    opened("digits_cnn.onnx")
    qtbot.waitUntil(lambda: window.page.convert.page is not None, timeout=30_000)
    window.page.convert.page.model.choose("tflite")
    rest(qtbot)
    window._order_tabs()
    gc.collect()
    form = window.page.convert.page.form
    names = {widget.objectName() for widget in form.findChildren(QWidget)}
    wanted = {f"{one.edge.id}.{field.name}" for one in window.page.convert.page.model.forms for field in one.fields}
    assert "tf_saved_model_to_tflite.fixed_batch" in wanted
    assert wanted <= names
