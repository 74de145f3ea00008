"""Cases 67 to 70: workers that die, hang, flood and lie; cancelling; full disks; targets that are taken."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread
from time import perf_counter
from unittest.mock import patch

import pickle_bytes as p
from case import Loop, patience
from PySide6.QtCore import QEventLoop, QTimer

from inspector.errors import InspectorError
from inspector.jobs.document import MEMORY
from inspector.jobs.process import WorkerProcess
from inspector.jobs.publish import publish
from inspector.jobs.terminal import application, ask_document
from inspector.worker.tasks.open import TASK, OpenArgs

ROOT = Path(__file__).resolve().parents[2]
GOOD = ROOT / "tests/fuzz/seeds/onnx/small/small.onnx"
SLOW = b"\x80\x02" + b"N0" * 5_000_000 + b"N."

BEGIN = (
    f"import os, sys, time; sys.path[:0] = [{str(ROOT)!r}]\n"
    + """
import msgspec
from inspector.worker import wire
def say(message): os.write(1, wire.frame(message))
def hear():
    size = int.from_bytes(os.read(0, 4), "big")
    while size: size -= len(os.read(0, size))
def ready(): hear(); say(wire.Ready(wire.VERSION, "full")); hear()
def done(thing, id=1): say(wire.Done(id, msgspec.Raw(msgspec.msgpack.encode(thing))))
"""
)
LIES = {
    "ends at once": "sys.exit(0)",
    "ends with a status": "hear(); sys.exit(7)",
    "bytes that are no message": "os.write(1, b'\\0\\0\\0\\x05hello'); time.sleep(30)",
    "a message of 4 GB": "os.write(1, b'\\xff' * 64); time.sleep(30)",
    "another version": "hear(); say(wire.Ready(99, 'full')); time.sleep(30)",
    "a message cut in half, then its end": "ready(); os.write(1, wire.frame(wire.Progress(1, 0.5, 'x'))[:9])",
    "an answer of another kind": "ready(); done([1, 2, 3]); time.sleep(30)",
    "an overview with wrong fields": "ready(); done({'file': 3, 'size': 'x'}); time.sleep(30)",
    "a killed process": "ready(); os.kill(os.getpid(), 9)",
    "a segmentation fault": "ready(); os.kill(os.getpid(), 11)",
    "an abort": "ready(); os.kill(os.getpid(), 6)",
    "200 MB of log, then its end": "ready(); [os.write(2, b'x' * 1048576) for _ in range(200)]; sys.exit(1)",
    "an error of 30 MB": "ready(); say(wire.Failed(1, 'x' * 30_000_000, '', '', True)); time.sleep(30)",
    "a hundred thousand steps": "ready(); [say(wire.Progress(1, 0.1, 'x')) for _ in range(100_000)]; sys.exit(1)",
}  # fmt: skip


def lies(_: Path) -> str:
    for name, lie in LIES.items():
        error: InspectorError | None = None
        with patch("inspector.jobs.process.command", return_value=(sys.executable, ["-I", "-c", BEGIN + lie])):
            start = perf_counter()
            try:
                ask_document(GOOD, [])
            except InspectorError as caught:
                error = caught
        assert error is not None, name
        assert error.what, name
        assert perf_counter() - start < 20 * patience(), name
        assert ask_document(GOOD, [])[0].format == "onnx", f"opening again after: {name}"
    return f"{len(LIES)} lies, each one error; opening again works each time"


def started(path: Path) -> WorkerProcess:
    """A document worker that has been asked to open a file that takes seconds."""
    application()
    process = WorkerProcess("document", None, memory=MEMORY["document"])
    loop = QEventLoop()
    process.ready.connect(loop.quit)
    process.ended.connect(loop.quit)
    process.start()
    process.grant((str(path.parent),))
    loop.exec()
    process.ask(1, TASK.id, OpenArgs(str(path)))
    return process


def after(milliseconds: int, act: Callable[[], object], process: WorkerProcess) -> tuple[float, tuple[str, str]]:
    """Do something to a worker in a while; seconds from then to its end, and what it says of it."""
    loop, ends, began = QEventLoop(), [], []
    process.ended.connect(lambda *why: (ends.append((perf_counter(), why)), loop.quit()))
    QTimer.singleShot(milliseconds, loop, lambda: (began.append(perf_counter()), act()))
    QTimer.singleShot(30_000, loop, loop.quit)
    loop.exec()
    assert ends, "it did not end"
    return ends[0][0] - began[0], ends[0][1]


def slow_file(folder: Path) -> Path:
    path = folder / "model.pt"
    path.write_bytes(p.zipped(SLOW))
    return path


def killed(folder: Path) -> str:
    path, words = slow_file(folder), []
    for number in (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGTERM):
        process = started(path)
        pid = process.pid
        took, (what, hint) = after(100, lambda pid=pid, number=number: os.kill(pid, number), process)
        assert took < 2 * patience(), (number, took)
        assert what.startswith("The worker process"), what
        assert hint, what
        words.append(what)
    assert len(set(words)) >= 4, words
    assert ask_document(GOOD, [])[0].format == "onnx"
    return "5 signals in the midst of opening, each one sentence"


def cancelled(folder: Path, times: int) -> str:
    path, dice, slowest = slow_file(folder), random.Random(68), 0.0
    for _ in range(times):
        process = started(path)
        pid = process.pid
        took, why = after(dice.randrange(600), process.stop, process)
        assert why == ("", ""), why
        assert took < 1 * patience(), took
        slowest = max(slowest, took)
        assert not Path(f"/proc/{pid}").exists() or not Path("/proc/self").exists(), "an orphan is left"
    assert sorted(path.name for path in folder.iterdir()) == ["model.pt"]
    return f"{times} cancels, the slowest {slowest:.2f} s, nothing left behind"


FULL = """
import resource, sys
from pathlib import Path
from inspector.errors import InspectorError
from inspector.jobs.publish import publish
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
folder = Path(sys.argv[1])
import inspector.jobs.publish as module, errno
def elsewhere(source, near, stopped):
    module.copy(source, near, stopped)
module.bring = elsewhere  # as if the target were on another file system
try:
    publish(folder / "private" / "new.onnx", (), folder / "place" / "old.onnx", True)
except InspectorError as error:
    print(error.what)
"""


def full(folder: Path) -> str:
    private, place = folder / "private", folder / "place"
    private.mkdir()
    place.mkdir()
    (private / "new.onnx").write_bytes(bytes(1 << 20))
    (place / "old.onnx").write_bytes(b"the old one")
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "could not be written to" in done.stdout, done.stdout + done.stderr
    assert "File too large" in done.stdout, done.stdout
    assert [path.name for path in place.iterdir()] == ["old.onnx"]
    assert (place / "old.onnx").read_bytes() == b"the old one"
    for path in (folder, place):
        path.chmod(0o555)
    try:
        assert ask_document(GOOD, [])[0].format == "onnx"
    finally:
        for path in (folder, place):
            path.chmod(0o755)
    return "said, the old file whole, nothing left; opening needs no place to write"


def taken(folder: Path) -> str:
    private, place = folder / "private", folder / "place"
    private.mkdir()
    place.mkdir()
    (folder / "victim").write_bytes(b"victim")
    for kind, make in (("file", lambda path: path.write_bytes(b"old")), ("folder", lambda path: path.mkdir()),
                       ("link", lambda path: path.symlink_to(folder / "victim")),
                       ("dead link", lambda path: path.symlink_to(folder / "nowhere"))):  # fmt: skip
        target, new = place / kind, private / "new"
        new.write_bytes(b"new")
        make(target)
        error: InspectorError | None = None
        try:
            publish(new, (), target, False)
        except InspectorError as caught:
            error = caught
        assert error is not None, kind
        assert error.what.endswith("exists already."), error.what
        assert target.is_symlink() or target.is_dir() or target.read_bytes() == b"old"
    assert (folder / "victim").read_bytes() == b"victim"
    assert not (folder / "nowhere").exists()
    wins = _race(private, place / "both", 20)
    assert wins == [1] * 20, wins
    assert sorted(path.name for path in place.iterdir()) == ["dead link", "file", "folder", "link"]
    return "4 kinds of target refused, 20 races of two with one winner each"


def _race(private: Path, target: Path, times: int) -> list[int]:
    """How many of two that publish to one name at once succeed, each time."""
    found = []
    for _ in range(times):
        made: list[int] = []
        gate = Barrier(2)

        def one(number: int, made: list[int] = made, gate: Barrier = gate) -> None:
            new = private / f"new{number}"
            new.write_bytes(bytes([number]))
            gate.wait()
            try:
                publish(new, (), target, False)
                made.append(number)
            except InspectorError:
                pass

        threads = [Thread(target=one, args=(number,)) for number in (1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert target.read_bytes() == bytes(made[:1])
        target.unlink()
        found.append(len(made))
    return found


LOOPS = (
    Loop(67, "signals to the worker while it opens a file", killed, "one sentence each, opening again works"),
    Loop(67, "workers that lie, flood and end at each step of opening", lies, "one sentence each, opening again works"),
    Loop(68, "opening cancelled at 10 random moments", lambda folder: cancelled(folder, 10), "at most 1 s, no orphan"),
    Loop(68, "opening cancelled at 50 random moments", lambda folder: cancelled(folder, 50), "at most 1 s, no orphan",
         seconds=300, slow=True),
    Loop(69, "a disk that is full, a folder that is read-only", full, "the old target whole, nothing left behind"),
    Loop(70, "a target that exists, is a link, or comes into being at once", taken, "never overwritten"),
)  # fmt: skip
