"""One worker process, as the window's side sees it: frames in, frames out, one way to stop.

A plain QProcess child in a session of its own. Stop = close its stdin, wait 500 ms, kill the group; this is the same on
every system and works when native code holds the GIL. When the program ends nobody waits: a worker that imports hears
nothing, and what any of them has written lies in private folders. Its end is told on `QProcess.finished` and not on its
last message, so that a crash while shutting down is not missed.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from inspector.errors import InspectorError
from inspector.jobs.interpreters import command, environment
from inspector.worker import wire

GRACE_MS = 500
LOG_LIMIT = 200_000
"""Characters of a worker's log that are kept: its tail."""

_REPLY = msgspec.msgpack.Decoder(wire.Ready | wire.Progress | wire.Done | wire.Failed)
_SIGNALS = {
    4: "an illegal instruction",
    6: "an abort",
    7: "a bus error",
    8: "an arithmetic error",
    11: "a segmentation fault",
}


class WorkerProcess(QObject):
    """A worker of one role; lives in the thread that created it."""

    ready = Signal(str)
    """Its level of protection."""
    replied = Signal(object)
    """A Progress, Done or Failed."""
    logged = Signal(str)
    ended = Signal(str, str)
    """Why it ended, in words, and what to do; both empty when it was asked to stop."""

    def __init__(
        self,
        role: str,
        folder: Path | None,
        *,
        memory: int = 0,
        warm: tuple[str, ...] = (),
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.log = ""
        self.protection = ""
        self.started = False
        self.finished = False
        self.stopping = False
        self._problem = ""
        self._granted = False
        self._frames = wire.Frames()
        self._process = QProcess(self)
        program, arguments = command(role, folder, memory, warm)
        self._process.setProgram(program)
        self._process.setArguments(arguments)
        settings = QProcessEnvironment()
        for name, value in environment(folder).items():
            settings.insert(name, value)
        self._process.setProcessEnvironment(settings)
        self._process.setWorkingDirectory(str(folder) if folder is not None else os.sep)
        if sys.platform != "win32":
            self._process.setUnixProcessParameters(QProcess.UnixProcessFlag.CreateNewSession)
        self._process.readyReadStandardOutput.connect(self._on_output)
        self._process.readyReadStandardError.connect(self._on_log)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)
        self._process.started.connect(self._on_started)
        self._group = 0
        self._kill = QTimer(self, singleShot=True, interval=GRACE_MS)
        self._kill.timeout.connect(self.kill)

    @property
    def pid(self) -> int:
        """Process id; 0 when it does not run."""
        return int(self._process.processId())

    def start(self) -> None:
        """Start it; `ready` or `ended` follows."""
        self.started = True
        self._process.start()

    def grant(self, reads: tuple[str, ...]) -> None:
        """Tell a document worker what it may read; it becomes ready after that."""
        self._granted = True
        self._process.write(wire.frame(wire.Grant(tuple(path for path in reads if _is_text(path)))))

    def ask(self, id: int, task: str, args: msgspec.Struct) -> None:
        """Send an ask; answers come as `replied`.

        Raises:
            InspectorError: It cannot be put into a message.
        """
        try:
            data = wire.frame(wire.Ask(id, task, msgspec.Raw(msgspec.msgpack.encode(args))))
        except UnicodeEncodeError as error:
            name = error.object.encode("utf-8", "backslashreplace").decode()
            raise InspectorError(
                f"The name {name} holds bytes that are no text.", "Rename it and try again."
            ) from error
        except OverflowError as error:
            raise InspectorError("This number is too large.", "Give one that any model could have.") from error
        except ValueError as error:  # over the limit of the protocol
            raise InspectorError(
                "This is too large to be handed to a worker.", "Ask for a smaller part of it."
            ) from error
        self._process.write(data)

    def stop(self, *, at_once: bool = False) -> None:
        """Ask by closing its stdin; insist by killing after the grace time, or at once."""
        if self.finished:
            return
        if not self.stopping:
            self.stopping = True
            if self._process.state() == QProcess.ProcessState.NotRunning:
                self._on_finished(0, QProcess.ExitStatus.NormalExit)
                return
            self._process.closeWriteChannel()
            self._kill.start()
        if at_once:
            self.kill()

    def kill(self) -> None:
        """Kill it and whatever it started."""
        if not self._kill_group():
            self._process.kill()

    def _kill_group(self) -> bool:
        """Kill what is left of its process group; False where there is no such group."""
        if sys.platform == "win32" or not self._group:
            return False
        try:
            os.killpg(self._group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def wait(self, milliseconds: int) -> bool:
        """Block until it has ended; for the end of the program only."""
        return self.finished or self._process.waitForFinished(milliseconds)

    def _on_started(self) -> None:
        self._group = self.pid

    def _on_output(self) -> None:
        try:
            for body in self._frames.feed(bytes(self._process.readAllStandardOutput().data())):
                self._take(_REPLY.decode(body))
        except (ValueError, msgspec.MsgspecError) as error:
            self._problem = f"The worker sent something that is not the protocol: {error}"
            self.kill()

    def _take(self, reply: Any) -> None:
        if isinstance(reply, wire.Ready):
            if reply.version != wire.VERSION:
                raise ValueError(f"it speaks version {reply.version}, we speak {wire.VERSION}")
            self.protection = reply.protection
            self.ready.emit(reply.protection)
        else:
            self.replied.emit(reply)

    def _on_log(self) -> None:
        text = bytes(self._process.readAllStandardError().data()).decode("utf-8", "replace")
        self.log = (self.log + text)[-LOG_LIMIT:]
        self.logged.emit(text[-LOG_LIMIT:])

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._problem = f"The worker could not be started: {self._process.errorString()}"
            self._on_finished(0, QProcess.ExitStatus.NormalExit)

    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        if self.finished:
            return
        self._on_output()
        self._on_log()
        self.finished = True
        self._kill.stop()
        self._kill_group()  # children of a worker that ended by itself
        what, hint = ("", "") if self.stopping else self._words(code, status)
        self.ended.emit(what, hint)

    def _words(self, code: int, status: QProcess.ExitStatus) -> tuple[str, str]:
        again = "Try again; the details hold the end of its log."
        if self._problem:
            return self._problem, again
        if status == QProcess.ExitStatus.CrashExit:
            if code == 9:
                return (
                    "The worker process was killed, perhaps because memory ran out.",
                    "Close other programs and try again.",
                )
            if self._granted:  # a library in C that reads the format did not stand the file
                again = "The file is probably damaged: fetch or copy it again. The details hold the end of the log."
            return f"The worker process crashed with {_SIGNALS.get(code, f'signal {code}')}.", again
        return f"The worker process ended without an answer (status {code}).", again


def _is_text(path: str) -> bool:
    """Whether a path can be sent; a file may be called by bytes that are no text."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
