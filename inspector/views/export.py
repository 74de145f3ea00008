"""What is on a page as a file: a picture as it is drawn, or the figures behind it.

SVG goes through Qt's own generator: pyqtgraph's exporter fails on every item with the Qt we use.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QImage, QImageWriter, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QToolButton, QWidget

from inspector.views import look

SCALE = 2
"""Pixels of a PNG for each pixel of the window: pictures end up in documents."""
NAMES = {".png": "PNG picture", ".svg": "SVG drawing", ".csv": "Comma separated", ".json": "JSON"}

Texts = Mapping[str, Callable[[], str]]
"""What writes each kind of text, by suffix."""


def png(widget: QWidget) -> bytes:
    """The widget as a picture at twice its size."""
    image = QImage(widget.size() * SCALE, QImage.Format.Format_ARGB32)
    image.setDevicePixelRatio(SCALE)
    image.fill(Qt.GlobalColor.transparent)
    with QPainter(image) as painter:
        QWidget.render(widget, painter, QPoint())  # a graphics view has a render of its own, of its scene alone
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(image)
    return bytes(data.data())


def svg(widget: QWidget, title: str) -> bytes:
    """The widget as a drawing."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(QSize(widget.size()))
    generator.setViewBox(QRect(0, 0, widget.width(), widget.height()))
    generator.setTitle(title)
    with QPainter(generator) as painter:
        QWidget.render(widget, painter, QPoint())  # a graphics view has a render of its own, of its scene alone
    return bytes(data.data())


def save(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


class ExportButton(QToolButton):
    """A button with a menu: the picture as PNG or SVG, the figures as CSV or JSON.

    Args:
        owner: Asked for what is exported when it is exported: the widget to draw, a name, and the texts.
    """

    def __init__(self, owner: Callable[[], tuple[QWidget | None, str, Texts]]) -> None:
        super().__init__()
        self.setIcon(look.icon("export"))
        self.setIconSize(QSize(16, 16))
        self.setToolTip("Export")
        self.setAccessibleName("Export")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._owner = owner
        menu = QMenu(self)
        menu.aboutToShow.connect(self._fill)
        self.setMenu(menu)

    def write(self, path: Path) -> None:
        """Write what the file's suffix says; raises OSError, and KeyError for a suffix that is not offered."""
        widget, name, texts = self._owner()
        suffix = path.suffix.lower()
        if suffix in texts:
            save(path, texts[suffix]().encode())
        elif widget is not None and suffix in (".png", ".svg"):
            save(path, png(widget) if suffix == ".png" else svg(widget, name))
        else:
            raise KeyError(suffix)

    def offers(self) -> list[str]:
        """Suffixes that can be written now."""
        widget, _, texts = self._owner()
        return ([".png", ".svg"] if widget is not None else []) + list(texts)

    def _fill(self) -> None:
        menu = self.menu()
        menu.clear()
        for suffix in self.offers():
            menu.addAction(f"{NAMES[suffix]}…").triggered.connect(partial(self._ask, suffix))

    def _ask(self, suffix: str, _checked: bool = False) -> None:
        _, name, _ = self._owner()
        file, _ = QFileDialog.getSaveFileName(self, "Export", f"{name}{suffix}", f"{NAMES[suffix]} (*{suffix})")
        if not file:
            return
        path = Path(file) if Path(file).suffix.lower() == suffix else Path(file + suffix)
        try:
            self.write(path)
        except OSError as error:
            QMessageBox.warning(self, "Export", f"{path.name} cannot be written: {error.strerror}.")
