"""Netron in a web view that sees its own page, one model and nothing else. Importing this module loads QtWebEngine.

Everything is answered by `NetronModel`; requests to any other place are blocked, so that it works offline and tells
nobody. Each view has a profile of its own, off the record, gone with it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

if hasattr(os, "geteuid") and os.geteuid() == 0:
    # Chromium refuses to run as root with its own sandbox; containers and test machines run as root.
    os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")
os.environ.setdefault(
    "QTWEBENGINE_CHROMIUM_FLAGS",
    "--disable-background-networking --disable-gpu" if sys.platform == "linux" else "--disable-background-networking",
)

from PySide6.QtCore import QBuffer, QByteArray, QFile, QIODevice, QObject, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QColor, QDesktopServices
from PySide6.QtWebEngineCore import (
    QWebEngineDownloadRequest,
    QWebEngineNewWindowRequest,
    QWebEnginePage,
    QWebEngineProfile,
    QWebEngineScript,
    QWebEngineUrlRequestInfo,
    QWebEngineUrlRequestInterceptor,
    QWebEngineUrlRequestJob,
    QWebEngineUrlScheme,
    QWebEngineUrlSchemeHandler,
)
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QFileDialog, QWidget

from inspector.assets import resource
from inspector.log import topic
from inspector.viewmodels.netron import Alike, NetronModel

log = topic("netron")
SCHEME = b"inspector-netron"
START = f"{SCHEME.decode()}://netron/index.html"
SELECTED = "inspector:selected:"
RETRY_MS, PATIENCE_MS = 100, 60_000


def register_scheme() -> None:
    """Make the scheme known to the web engine; only the first call has an effect."""
    if not QWebEngineUrlScheme.schemeByName(SCHEME).name().isEmpty():
        return
    scheme = QWebEngineUrlScheme(SCHEME)
    scheme.setSyntax(QWebEngineUrlScheme.Syntax.Host)
    flags = QWebEngineUrlScheme.Flag
    scheme.setFlags(flags.SecureScheme | flags.CorsEnabled | flags.FetchApiAllowed)
    QWebEngineUrlScheme.registerScheme(scheme)


class Wall(QWebEngineUrlRequestInterceptor):
    """Lets the page ask only for what the pane itself answers."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.blocked: list[str] = []

    def interceptRequest(self, info: QWebEngineUrlRequestInfo) -> None:
        """Block every other place."""
        url = info.requestUrl()
        if url.scheme() not in (SCHEME.decode(), "data", "blob"):
            self.blocked.append(url.host())
            info.block(True)


class Server(QWebEngineUrlSchemeHandler):
    """Answers the page from a `NetronModel`."""

    def __init__(self, model: NetronModel, parent: QObject) -> None:
        super().__init__(parent)
        self._model = model

    def requestStarted(self, job: QWebEngineUrlRequestJob) -> None:
        """Give the file behind the path, or say that there is none."""
        answer = self._model.answer(job.requestUrl().path())
        device: QIODevice
        if answer is None:
            job.fail(QWebEngineUrlRequestJob.Error.UrlNotFound)
            return
        if answer.file is not None:
            device = QFile(str(answer.file), job)
        else:
            device = QBuffer(job)
            device.setData(QByteArray(answer.data))
        if not device.open(QIODevice.OpenModeFlag.ReadOnly):
            job.fail(QWebEngineUrlRequestJob.Error.RequestFailed)
            return
        job.reply(QByteArray(answer.mime.encode()), device)


class Page(QWebEnginePage):
    """A page that stays where it is; links of documentation open in the desktop's browser."""

    chosen = Signal(str)

    def acceptNavigationRequest(self, url: QUrl | str, kind: QWebEnginePage.NavigationType, main: bool) -> bool:
        """Only our own scheme."""
        url = QUrl(url)
        if url.scheme() == SCHEME.decode():
            return True
        if kind == QWebEnginePage.NavigationType.NavigationTypeLinkClicked and url.scheme() in ("http", "https"):
            QDesktopServices.openUrl(url)
        return False

    def javaScriptConsoleMessage(
        self, level: QWebEnginePage.JavaScriptConsoleMessageLevel, message: str, line: int, source: str
    ) -> None:
        """What the page says: a chosen node is passed on, the rest is log."""
        if message.startswith(SELECTED):
            self.chosen.emit(message.removeprefix(SELECTED))
        else:
            log.debug("%s:%s %s", source, line, message)


class NetronView(QWebEngineView):
    """The model in Netron.

    Signals:
        rendered: The graph stands on the page.
        failed: It does not, and why.
    """

    rendered = Signal()
    failed = Signal(str)

    def __init__(self, model: NetronModel, dark: bool, ground: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        register_scheme()
        self.setObjectName("netronView")
        self.setAccessibleName("The model in Netron")
        self.setAcceptDrops(False)  # a dropped file belongs to the window
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self._dark, self._ground, self._ready, self._waited = dark, ground, False, 0
        profile = QWebEngineProfile()
        self.wall = Wall(profile)
        profile.setUrlRequestInterceptor(self.wall)
        profile.installUrlSchemeHandler(SCHEME, Server(model, profile))
        profile.downloadRequested.connect(self._on_download)
        script = QWebEngineScript()
        script.setName("pane")
        script.setSourceCode(resource("netron", "pane.js").read_text("utf-8"))
        script.setInjectionPoint(QWebEngineScript.InjectionPoint.DocumentCreation)
        script.setWorldId(QWebEngineScript.ScriptWorldId.MainWorld)
        profile.scripts().insert(script)
        page = Page(profile, self)
        page.setBackgroundColor(QColor(ground))
        page.chosen.connect(model.node_selected)
        page.newWindowRequested.connect(self._on_new_window)
        page.loadFinished.connect(self._on_loaded)
        self.setPage(page)
        profile.setParent(self)  # after the page: children go in order, and a page must go before its profile
        self._timer = QTimer(self)
        self._timer.setInterval(RETRY_MS)
        self._timer.timeout.connect(self._look)
        self.load(QUrl(START))

    @property
    def is_ready(self) -> bool:
        """Whether the graph stands on the page."""
        return self._ready

    def ask(self, script: str, then: Callable[[Any], None] = lambda _: None) -> None:
        """Run a script in the page."""
        self.page().runJavaScript(script, QWebEngineScript.ScriptWorldId.MainWorld.value, then)

    def select(
        self, names: tuple[str, ...], alike: Alike | None = None, then: Callable[[Any], None] = lambda _: None
    ) -> None:
        """Select and show the first node that bears one of the names; `then` gets "done:name", "none" or "wait"."""
        more = json.dumps(asdict(alike) if alike else None)
        self.ask(f"inspectorPane.select({json.dumps(names)}, {more})", then)

    def set_dark(self, dark: bool, ground: str) -> None:
        """Follow the window's palette."""
        self._dark, self._ground = dark, ground
        self.page().setBackgroundColor(QColor(ground))
        self.ask(f"inspectorPane.theme({json.dumps(dark)}, {json.dumps(ground)})")

    def _on_loaded(self, well: bool) -> None:
        if not well:
            self.failed.emit("Netron's page did not load.")
            return
        self.set_dark(self._dark, self._ground)
        self._timer.start()

    def _look(self) -> None:
        self._waited += RETRY_MS
        self.ask("inspectorPane.state()", self._on_look)

    def _on_look(self, state: str) -> None:
        if self._ready or not self._timer.isActive() or not state:
            return
        ready, shown, message = json.loads(state)
        if ready:
            self._timer.stop()
            self._ready = True
            self.ask(f"inspectorPane.listen({json.dumps(SELECTED)})")
            self.rendered.emit()
        elif message and "alert" in shown:
            self._timer.stop()
            self.failed.emit(message)
        elif self._waited >= PATIENCE_MS:
            self._timer.stop()

    def _on_new_window(self, request: QWebEngineNewWindowRequest) -> None:
        if request.requestedUrl().scheme() in ("http", "https"):
            QDesktopServices.openUrl(request.requestedUrl())

    def _on_download(self, download: QWebEngineDownloadRequest) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save the picture", download.suggestedFileName())
        if name:
            download.setDownloadDirectory(str(Path(name).parent))
            download.setDownloadFileName(Path(name).name)
            download.accept()
