"""Results reach their place whole or not at all, and nothing is replaced that was not to be."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from inspector.errors import Cancelled, InspectorError
from inspector.jobs import publish as module
from inspector.jobs.publish import publish


@pytest.fixture
def private(tmp_path: Path) -> Path:
    folder = tmp_path / "private"
    folder.mkdir()
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


def made(path: Path, text: str = "new") -> Path:
    path.write_text(text)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_moved_to_its_name(private: Path, place: Path) -> None:
    assert publish(made(private / "m.onnx"), (), place / "m.onnx", overwrite=False) == (place / "m.onnx",)
    assert names(place) == ["m.onnx"]
    assert names(private) == []


def test_a_model_with_data_brings_both(private: Path, place: Path) -> None:
    made(private / "m.onnx.data", "weights")
    files = publish(made(private / "m.onnx"), ("m.onnx.data",), place / "m.onnx", overwrite=False)
    assert files == (place / "m.onnx", place / "m.onnx.data")
    assert names(place) == ["m.onnx", "m.onnx.data"]


def test_a_folder_is_moved_whole(private: Path, place: Path) -> None:
    (private / "sm" / "variables").mkdir(parents=True)
    made(private / "sm" / "saved_model.pb")
    made(private / "sm" / "variables" / "index")
    publish(private / "sm", (), place / "sm", overwrite=False)
    assert (place / "sm" / "variables" / "index").read_text() == "new"
    assert names(place) == ["sm"]


@pytest.mark.parametrize("kind", ["file", "folder", "empty folder", "dangling link"])
def test_what_came_into_being_meanwhile_is_not_replaced(private: Path, place: Path, kind: str) -> None:
    target = place / "m"
    if kind == "file":
        made(target, "mine")
    elif kind == "dangling link":
        target.symlink_to(place / "nowhere")
    else:
        target.mkdir()
        if kind == "folder":
            made(target / "mine")
    source = private / "m"
    if "folder" in kind:
        source.mkdir()
        made(source / "saved_model.pb")
    else:
        made(source)
    with pytest.raises(InspectorError, match="exists already"):
        publish(source, (), target, overwrite=False)
    assert names(place) == ["m"]
    assert kind != "file" or target.read_text() == "mine"
    assert kind != "empty folder" or names(target) == []


def test_data_already_placed_is_taken_back_when_the_model_cannot_follow(private: Path, place: Path) -> None:
    made(private / "m.onnx.data")
    made(place / "m.onnx", "mine")
    with pytest.raises(InspectorError, match="exists already"):
        publish(made(private / "m.onnx"), ("m.onnx.data",), place / "m.onnx", overwrite=False)
    assert names(place) == ["m.onnx"]
    assert (place / "m.onnx").read_text() == "mine"


def test_it_is_the_data_that_exists_and_is_named(private: Path, place: Path) -> None:
    made(private / "m.onnx.data")
    made(place / "m.onnx.data", "mine")
    with pytest.raises(InspectorError) as caught:
        publish(made(private / "m.onnx"), ("m.onnx.data",), place / "m.onnx", overwrite=False)
    assert caught.value.what == f"{place / 'm.onnx.data'} exists already."
    assert names(place) == ["m.onnx.data"]
    assert (place / "m.onnx.data").read_text() == "mine"


def test_overwriting_replaces_and_leaves_nothing_else(private: Path, place: Path) -> None:
    made(place / "m.onnx", "old")
    publish(made(private / "m.onnx"), (), place / "m.onnx", overwrite=True)
    assert (place / "m.onnx").read_text() == "new"
    (place / "sm").mkdir()
    made(place / "sm" / "old")
    (private / "sm").mkdir()
    made(private / "sm" / "new")
    publish(private / "sm", (), place / "sm", overwrite=True)
    assert names(place / "sm") == ["new"]
    assert names(place) == ["m.onnx", "sm"]


def test_a_failed_overwrite_brings_everything_back(private: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(place / "m.onnx", "old")
    made(place / "m.onnx.data", "old data")
    made(private / "m.onnx.data")
    real = module.settle

    def settle(near: Path, target: Path, overwrite: bool) -> Path | None:
        if target.name == "m.onnx":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(near, target, overwrite)

    monkeypatch.setattr(module, "settle", settle)
    with pytest.raises(InspectorError, match="No space left on device"):
        publish(made(private / "m.onnx"), ("m.onnx.data",), place / "m.onnx", overwrite=True)
    assert names(place) == ["m.onnx", "m.onnx.data"]
    assert (place / "m.onnx.data").read_text() == "old data"


def test_another_file_system_gets_a_copy(private: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self.parent == private:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    monkeypatch.setattr(module, "PIECE", 2)
    publish(made(private / "m.onnx"), (), place / "m.onnx", overwrite=False)
    assert (place / "m.onnx").read_text() == "new"
    assert names(place) == ["m.onnx"]


@pytest.mark.parametrize("folder", [False, True])
def test_a_copy_that_is_stopped_leaves_nothing(
    private: Path, place: Path, monkeypatch: pytest.MonkeyPatch, folder: bool
) -> None:
    def rename(self: Path, target: Path) -> Path:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(Path, "rename", rename)
    monkeypatch.setattr(module, "PIECE", 2)
    (private / "sm").mkdir()
    made(private / "sm" / "saved_model.pb", "0123456789")
    made(private / "m.onnx", "0123456789")
    asked: list[int] = []

    def stopped() -> bool:
        asked.append(1)
        return len(asked) == 3

    with pytest.raises(Cancelled):
        publish(private / ("sm" if folder else "m.onnx"), (), place / "m", overwrite=False, stopped=stopped)
    assert len(asked) == 3
    assert names(place) == []


@pytest.mark.parametrize("known", [True, False])
def test_without_linuxs_own_rename_nothing_is_replaced_either(
    private: Path, place: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    if not known:
        monkeypatch.setattr(module, "_renameat2", lambda near, target: False)
    publish(made(private / "a"), (), place / "m", overwrite=False)
    with pytest.raises(InspectorError, match="exists already"):
        publish(made(private / "b"), (), place / "m", overwrite=False)
    assert names(place) == ["m"]
