"""How a tensor becomes a file: whole, or not at all, whatever happens meanwhile."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal

from inspector.errors import InspectorError
from inspector.settings import Settings
from inspector.viewmodels.document import DocumentModel
from inspector.viewmodels.tensor import TensorModel
from inspector.worker.tasks.tensor_bytes import TensorBytes, TensorBytesArgs, npy_header

VALUES = np.arange(6, dtype="<f4")
DATA = VALUES.tobytes()


class FakeWorker(QObject):
    """Keeps the questions; the test gives the answers."""

    progressed = Signal(str)
    died = Signal(str, str)
    renewing = Signal(str)
    protection = "none"

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[tuple[Any, Callable[[Any], None], Callable[[InspectorError], None]]] = []

    def ask(self, task: Any, args: Any, done: Callable[[Any], None], failed: Callable[[Any], None]) -> int:
        self.waiting.append((args, done, failed))
        return len(self.waiting)

    def give(self, size: int) -> None:
        """Answer the last question with so many bytes."""
        args, done, _ = self.waiting[-1]
        assert isinstance(args, TensorBytesArgs)
        header = b"" if args.offset else npy_header(VALUES.dtype, VALUES.shape)
        done(TensorBytes(header, DATA[args.offset : args.offset + size], len(DATA)))

    def drop(self, ask: int) -> None:
        """The test gives no answer to what was dropped."""

    def restart(self) -> None:
        self.waiting.clear()

    def close(self) -> None:
        self.waiting.clear()


class Saved:
    """A tensor that is being saved into a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.worker = FakeWorker()
        self.document = DocumentModel(folder / "m.onnx", self.worker, Settings())
        self.model = TensorModel(self.document)
        self.done: list[str] = []
        self.failed: list[InspectorError] = []
        self.model.saved.connect(self.done.append)
        self.model.save_failed.connect(self.failed.append)
        self.model.name = "weight"
        self.model.save(folder / "weight.npy")

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def open_files(self) -> list[str]:
        fds = Path("/proc/self/fd").iterdir()
        return [link for fd in fds if os.path.lexists(fd) and (link := str(fd.readlink())).startswith(str(self.folder))]


@pytest.fixture
def saved(qapp: object, tmp_path: Path) -> Saved:
    return Saved(tmp_path / "out")


def test_a_tensor_in_two_pieces_with_the_usual_rights(saved: Saved) -> None:
    saved.worker.give(8)
    saved.worker.give(100)
    assert (saved.names(), saved.done, saved.failed) == (["weight.npy"], [str(saved.folder / "weight.npy")], [])
    assert np.array_equal(np.load(saved.folder / "weight.npy"), VALUES)
    usual = saved.folder / "usual"
    usual.touch()
    assert stat.S_IMODE((saved.folder / "weight.npy").stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)


def test_a_model_that_gives_too_little_saves_nothing(saved: Saved) -> None:
    saved.worker.give(8)
    saved.worker.give(0)
    assert (saved.names(), saved.done, saved.model.saving) == ([], [], None)
    assert saved.failed[0].what == "weight.npy was not saved: the model gave 8 of 24 bytes."


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
@pytest.mark.parametrize(("end", "told"), [("close", 0), ("retry", 1)])
def test_what_ends_the_worker_leaves_no_piece_behind(saved: Saved, end: str, told: int) -> None:
    saved.worker.give(8)
    assert len(saved.names()) == len(saved.open_files()) == 1
    getattr(saved.document, end)()
    assert (saved.names(), saved.open_files(), saved.done, saved.model.saving) == ([], [], [], None)
    assert [error.what for error in saved.failed] == ["weight was not saved: the file was read again."] * told
