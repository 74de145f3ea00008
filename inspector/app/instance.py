"""One window for all files: a second start hands its files to the first and ends."""

from __future__ import annotations

import getpass
import hashlib
import os

import msgspec
from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

CONNECT_MS, ANSWER_MS = 200, 2000
LIMIT = 1 << 20
"""Bytes that another start may send."""


def address() -> str:
    """The name of this user's window; INSPECTOR_INSTANCE gives another, which is how tests keep apart."""
    name = os.environ.get("INSPECTOR_INSTANCE", "")
    who = f"{getpass.getuser()}|{os.environ.get('DISPLAY', '')}|{os.environ.get('WAYLAND_DISPLAY', '')}|{name}"
    return "inspector-" + hashlib.sha256(who.encode()).hexdigest()[:16]


def hand_over(files: list[str], name: str = "") -> bool:
    """Give files to the window that runs already; False when there is none."""
    socket = QLocalSocket()
    socket.connectToServer(name or address())
    if not socket.waitForConnected(CONNECT_MS):
        return False
    socket.write(msgspec.json.encode(files) + b"\n")
    socket.waitForBytesWritten(ANSWER_MS)
    taken = socket.waitForReadyRead(ANSWER_MS) and bytes(socket.readAll().data()).startswith(b"ok")
    socket.disconnectFromServer()
    return taken


class Instance(QObject):
    """Listens for files of later starts."""

    asked = Signal(list)
    """Paths; empty when the window was only asked to come to the front."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)

    def listen(self, name: str = "") -> bool:
        """Start to listen; the socket of a window that was killed is taken over."""
        name = name or address()
        if self._server.listen(name):
            return True
        QLocalServer.removeServer(name)
        return self._server.listen(name)

    def close(self) -> None:
        """Listen no more."""
        self._server.close()

    def _on_connection(self) -> None:
        socket = self._server.nextPendingConnection()
        received = bytearray()

        def read() -> None:
            received.extend(bytes(socket.readAll().data()))
            if len(received) > LIMIT:
                socket.abort()
            elif received.endswith(b"\n"):
                self._answer(socket, bytes(received))

        socket.readyRead.connect(read)
        socket.disconnected.connect(socket.deleteLater)
        read()

    def _answer(self, socket: QLocalSocket, message: bytes) -> None:
        try:
            files = msgspec.json.decode(message, type=list[str])
        except msgspec.MsgspecError:
            socket.abort()
            return
        socket.write(b"ok\n")
        socket.flush()
        self.asked.emit(files)
