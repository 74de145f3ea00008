"""The system, cases 71 and 72: what is no file, files that change while they are read, names, and environments."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
from case import Case, Loop, marker
from hdf5_files import filtered, h5
from onnx_graphs import field, value, varint
from PySide6.QtCore import QEventLoop, QTimer
from witness import Seen

from inspector.errors import InspectorError
from inspector.jobs.desk import Desk
from inspector.jobs.document import Document
from inspector.jobs.terminal import application, ask_document
from inspector.worker.tasks import Task
from inspector.worker.tasks.open import TASK as OPEN
from inspector.worker.tasks.open import OpenArgs
from inspector.worker.tasks.tensor import TASK as TENSOR
from inspector.worker.tasks.tensor import TensorArgs

MODEL = "Open a model file or a model folder."
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def relu(path: Path) -> Path:
    """A plain model."""
    node = field(1, b"x") + field(2, b"y") + field(3, b"only") + field(4, b"Relu")
    graph = field(1, node) + field(11, value(b"x")) + field(12, value(b"y"))
    path.write_bytes(b"\x08\x0a" + field(7, graph) + field(8, b"\x10\x15"))
    return path


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "m.onnx")
    return folder / "m.onnx"


def listening(folder: Path) -> Path:
    """A socket; bound by a short name, for those of sockets are."""
    made, here = socket.socket(socket.AF_UNIX), Path.cwd()
    try:
        os.chdir(folder)
        made.bind("m.onnx")
    finally:
        os.chdir(here)
        made.close()
    return folder / "m.onnx"


def fixed(path: str) -> Callable[[Path], Path]:
    """A file of the system."""
    return lambda _: Path(path)


def linked(target: str) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        (folder / "m.onnx").symlink_to(target)
        return folder / "m.onnx"

    return build


def ring(folder: Path) -> Path:
    (folder / "a.onnx").symlink_to("b.onnx")
    (folder / "b.onnx").symlink_to("a.onnx")
    return folder / "a.onnx"


def forbidden(folder: Path) -> Path:
    path = relu(folder / "m.onnx")
    path.chmod(0)
    return path


def called(name: str) -> Callable[[Path], Path]:
    """A plain model of this name."""
    return lambda folder: relu(folder / name)


def both(folder: Path) -> Path:
    """Two names that look the same: one composed, one not; the second is asked for."""
    name = "modèle.onnx"
    (folder / unicodedata.normalize("NFC", name)).write_bytes(b"not this one")
    return relu(folder / unicodedata.normalize("NFD", name))


def long(folder: Path) -> Path:
    """A path of some 4,000 bytes."""
    here = os.open(folder, os.O_RDONLY)
    path = folder
    try:
        while len(str(path)) < 3_700:
            name = "d" * min(200, 3_800 - len(str(path)))
            os.mkdir(name, dir_fd=here)
            here, path = _down(here, name), path / name
    finally:
        os.close(here)
    return relu(path / "m.onnx")


def _down(here: int, name: str) -> int:
    inner = os.open(name, os.O_RDONLY, dir_fd=here)
    os.close(here)
    return inner


def bytes_only(folder: Path) -> Path:
    path = os.fsdecode(os.fsencode(folder) + b"/m\xff\xfe.onnx")
    return relu(Path(path))


def shown(name: str) -> Callable[[Seen], None]:
    """What is shown as the file's name."""

    def check(seen: Seen) -> None:
        assert seen.answers["open"].file == name, seen.answers["open"].file

    return check


def weighty(path: Path, size: int, hole: bool = False) -> Path:
    """A model with a weight of so many bytes: numbers, or nothing but a hole in the file."""
    head = b"\x08" + varint(size // 4) + b"\x10\x01" + field(8, b"w")
    tensor = len(head) + 1 + len(varint(size)) + size
    node = field(1, field(1, b"x") + field(1, b"w") + field(2, b"y") + field(4, b"Add"))
    node += field(11, value(b"x", [size // 4])) + field(12, value(b"y", [size // 4]))
    length = len(node) + 1 + len(varint(tensor)) + tensor
    with path.open("wb") as file:
        file.write(b"\x08\x0a" + field(8, b"\x10\x15") + b"\x3a" + varint(length) + node + b"\x2a" + varint(tensor))
        file.write(head + b"\x4a" + varint(size))
        if hole:
            file.truncate(file.tell() + size)
        else:
            file.write(np.ones(size // 4, np.float32).tobytes())
    return path


class Reader:
    """An open model, asked one question after another, with time for mischief between them."""

    def __init__(self) -> None:
        application()
        self._desk = Desk(spares=False)
        self.document: Document = self._desk.document()

    def ask(self, task: Task[Any, Any], args: Any, meanwhile: Callable[[], None] | None = None) -> Any:
        """The answer, or the error; something else may happen in the midst of it."""
        answers: list[Any] = []
        loop = QEventLoop()
        for_all = [answers.append, lambda _: loop.quit()]
        take: Callable[[Any], None] = lambda answer: [each(answer) for each in for_all]  # type: ignore[assignment] # noqa: E731
        self.document.ask(task, args, take, take)
        if meanwhile is not None:
            threading.Thread(target=meanwhile, daemon=True).start()
        QTimer.singleShot(60_000, loop, loop.quit)
        loop.exec()
        assert answers, "no answer came"
        return answers[0]

    def close(self) -> None:
        self._desk.close()


def changed(folder: Path, change: Callable[[Path], None], during: bool = False) -> str:
    """A file is changed after it was opened, or in the midst of reading; the window lives and opens the next one."""
    size = 1 << 30 if during else 1 << 16
    path, reader = weighty(folder / "m.onnx", size, hole=during), Reader()
    try:
        opened = reader.ask(OPEN, OpenArgs(path=str(path)))
        assert opened.totals.parameters == size // 4, opened
        if during:
            meanwhile = partial(_later, 0.3, partial(change, path))
            answer = reader.ask(TENSOR, TensorArgs("w"), meanwhile)
            said = f"{answer.what} {answer.hint}" if isinstance(answer, InspectorError) else "It was faster."
        else:
            change(path)
            answer = reader.ask(TENSOR, TensorArgs("w"))
            assert isinstance(answer, InspectorError), answer
            said = f"{answer.what} {answer.hint}"
        assert "Traceback" not in said
        again = reader.ask(OPEN, OpenArgs(path=str(relu(folder / "next.onnx"))))
        assert again.file == "next.onnx", again
    finally:
        reader.close()
    return said


def _later(seconds: float, change: Callable[[], None]) -> None:
    sleep(seconds)
    change()


def emptied(path: Path) -> None:
    os.truncate(path, 100)


def removed(path: Path) -> None:
    path.unlink()


def exchanged(path: Path) -> None:
    """Another model of the same name, smaller."""
    other = relu(path.with_name("other"))
    other.replace(path)


def growing(folder: Path) -> str:
    """A file that is still written is said to be incomplete, and opens when it is whole."""
    whole = weighty(folder / "whole.onnx", 1 << 20).read_bytes()
    path = folder / "m.onnx"
    path.write_bytes(whole[: 1 << 19])
    try:
        ask_document(path, [])
        raise AssertionError("half a file was opened")
    except InspectorError as error:
        said = f"{error.what} {error.hint}"
    path.write_bytes(whole)
    (overview,) = ask_document(path, [])
    assert overview.totals.parameters == 1 << 18
    return said


EVIL = ("onnx", "torch", "h5py", "tensorflow", "keras", "onnxruntime", "sitecustomize", "usercustomize")


def environment(folder: Path) -> str:
    """Modules beside the model, and in every place that Python can be told of, are imported by no worker."""
    text = f"open({str(marker(folder))!r}, 'a').write(__name__)\nraise SystemExit(__name__)\n"
    for name in EVIL:
        (folder / f"{name}.py").write_text(text)
    start = folder / "startup.py"
    start.write_text(text)
    relu(folder / "m.onnx")
    h5(filtered)(folder).rename(folder / "n.h5")
    home = folder / "home"
    home.mkdir()
    said = []
    # Python's own start imports sitecustomize from PYTHONPATH, before any program can say no: that is the user's doing.
    path = folder / "path"
    shutil.copytree(folder, path, ignore=lambda _, names: [n for n in names if not n.endswith(".py") or "custom" in n])
    hostile = {
        "PYTHONPATH": str(path), "PYTHONSTARTUP": str(start), "PYTHONINSPECT": "", "PYTHONBREAKPOINT": "onnx.run",
        "PYTHONUSERBASE": str(home), "PYTHONWARNINGS": "error", "HDF5_PLUGIN_PATH": str(folder),
        "LD_PRELOAD": "", "HOME": str(home), "TF_CPP_MIN_LOG_LEVEL": "x", "ONNX_HOME": str(home),
        "QT_QPA_PLATFORM": "offscreen",
    }  # fmt: skip
    for name in ("m.onnx", "n.h5"):
        command = [sys.executable, "-m", "inspector", "summary", name]
        settings = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | hostile
        done = subprocess.run(command, text=True, capture_output=True, timeout=120, cwd=folder, env=settings)
        assert not marker(folder).exists(), marker(folder).read_text()
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert "only" in said[0], said[0]
    assert "32099" in said[1], said[1]
    return "Both were opened by workers that imported none of it."


CASES = [
    Case(71, "a FIFO", pipe, "refused", f"m.onnx is not a regular file. {MODEL}", seconds=1),
    Case(71, "a socket", listening, "refused", f"m.onnx is not a regular file. {MODEL}", seconds=1),
    Case(71, "/dev/zero", fixed("/dev/zero"), "refused", f"zero is not a regular file. {MODEL}", seconds=1),
    Case(71, "a link to /dev/zero", linked("/dev/zero"), "refused", "m.onnx is not a regular file.", seconds=1),
    *(
        Case(71, path, fixed(path), "refused", says, seconds=1)
        for path, says in (
            ("/proc/cpuinfo", "cpuinfo is empty."),
            ("/proc/self/mem", "mem cannot be read: Input/output error."),
            ("/proc/kmsg", "kmsg "),
            ("/proc/kmsg", "kmsg "),  # once more: what there was is read, and now it would make us wait
        )
        if sys.platform == "linux"
    ),
    Case(
        71, "an empty folder", lambda folder: folder, "refused",
        "model is a folder, and there is no model in it that we know. Open the model file.", seconds=1,
    ),
    Case(71, "links in a circle", ring, "refused", "a.onnx is a link that leads back to itself.", seconds=1),
    Case(71, "a link to nothing", linked("nowhere"), "refused", "There is no file ", seconds=1),
    Case(
        71, "a file that may not be read", forbidden, "opened" if ROOT else "refused",
        "only" if ROOT else "m.onnx may not be read. Ask its owner for the right to read it.", seconds=1,
    ),
    *(
        Case(72, f"a name {what}", called(name), "opened", "only", check=shown(as_shown))
        for what, name, as_shown in (
            ("with blanks", "  my  model .onnx", "  my  model .onnx"),
            ("that begins with a dash", "--help.onnx", "--help.onnx"),
            ("with %s and {0}", "%s%n{0}$HOME`id`.onnx", "%s%n{0}$HOME`id`.onnx"),
            ("with a new line", "a\nb\x1b[31m.onnx", "a b[31m.onnx"),
            ("turned around", "\u202egpj.onnx", "gpj.onnx"),
            ("of 255 bytes", "n" * 250 + ".onnx", "n" * 250 + ".onnx"),
            ("that is a percent code", "..%2f..%2fetc%2fpasswd", "..%2f..%2fetc%2fpasswd"),
        )
    ),
    Case(72, "a name that is not composed beside one that is", both, "opened", "only"),
    Case(72, "a path of 3,800 bytes", long, "opened", "only"),
    Case(72, "a name that is no text", bytes_only, "refused", r"m\udcff\udcfe.onnx holds bytes that are no text."),
]  # fmt: skip

LOOPS = [
    Loop(71, "cut off after it was opened", partial(changed, change=emptied), "an error in words"),
    Loop(71, "removed after it was opened", partial(changed, change=removed), "an error in words"),
    Loop(71, "exchanged after it was opened", partial(changed, change=exchanged), "an error in words"),
    Loop(71, "cut off while it is read", partial(changed, change=emptied, during=True), "the window lives"),
    Loop(71, "opened while it is written", growing, "said to be incomplete"),
    Loop(72, "modules beside the model and an environment that asks for them", environment, "none is imported"),
]
