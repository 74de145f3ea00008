"""Private folders: those of programs that were killed are cleared away, those of live ones are not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from inspector.jobs import folders as module
from inspector.jobs.folders import private_folder, remove_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
OTHER = "from inspector.jobs.folders import private_folder; print(private_folder('job'), flush=True); input()"


def aged(folder: Path) -> Path:
    (folder / "big.onnx").write_bytes(b"x")
    old = time.time() - 2 * module.YOUNG
    os.utime(folder, (old, old))
    return folder


def test_only_folders_that_nobody_holds_are_cleared_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_cleared", set())
    mine = aged(private_folder("job"))
    command = [sys.executable, "-c", OTHER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        theirs = aged(Path(other.stdout.readline().strip()))
        young = mine.parent / "job-young"
        young.mkdir()
        module.clear(mine.parent)
        assert mine.exists()
        assert theirs.exists()
        other.kill()
        other.wait()
    module.clear(mine.parent)
    assert sorted(mine.parent.iterdir()) == sorted([mine, young])
    remove_folder(mine)
    assert not mine.exists()


def test_the_first_folder_clears_away_what_was_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_cleared", set())
    monkeypatch.setattr(module, "_held", {})
    left = private_folder("job")
    os.close(module._held.pop(left))
    aged(left)
    remove_folder(private_folder("job"))
    assert left.exists()  # it was looked through already
    monkeypatch.setattr(module, "_cleared", set())
    remove_folder(private_folder("job"))
    assert not left.exists()
