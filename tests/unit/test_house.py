"""The walls of the house: what is found without an edit, and what the window's process never loads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from inspector.errors import FormatError
from inspector.formats import Source, identify
from inspector.settings import Settings

FRAMEWORKS = {"torch", "tensorflow", "keras", "onnx", "onnxruntime", "h5py", "ai_edge_litert", "tf2onnx", "onnx_tf"}
TOYS = Path(__file__).parents[1] / "toys"


def inspector(*arguments: str, plugins: bool = False) -> subprocess.CompletedProcess[str]:
    env = os.environ | ({"INSPECTOR_PLUGINS": str(TOYS)} if plugins else {})
    return subprocess.run([sys.executable, "-m", "inspector", *arguments], text=True, capture_output=True, env=env)


def test_a_format_an_edge_and_a_runtime_are_one_file_each(tmp_path: Path) -> None:
    formats = json.loads(inspector("formats", "--json", plugins=True).stdout)["formats"]
    assert "toy" in {f["id"] for f in formats}
    routes = json.loads(inspector("routes", "onnx", "--json", plugins=True).stdout)["routes"]
    assert ["onnx_to_toy"] in [r["route"] for r in routes if r["to"] == "toy"]
    devices = json.loads(inspector("devices", "--json", plugins=True).stdout)["devices"]
    assert "toy:cpu" in {d["id"] for d in devices}
    (tmp_path / "model.toy").write_bytes(b"TOY1")
    summary = json.loads(inspector("summary", str(tmp_path / "model.toy"), "--json", plugins=True).stdout)
    assert summary["format"] == "toy"


def test_without_them_they_are_not_there() -> None:
    assert "toy" not in inspector("formats", "--json").stdout


def test_the_window_process_loads_no_framework(samples: Path) -> None:
    code = (
        "import sys; from tests.smoke import open_and_close;"
        f"open_and_close({str(samples / 'digits_mlp.onnx')!r}); print(*sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True, timeout=120)
    assert not FRAMEWORKS & {name.partition(".")[0] for name in out.stdout.split()}


def test_the_command_line_loads_no_framework(samples: Path) -> None:
    code = (
        "import sys; from inspector.__main__ import main;"
        f"main(['summary', {str(samples / 'digits_mlp.onnx')!r}]); print('MODULES', *sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True, timeout=120)
    assert not FRAMEWORKS & {name.partition(".")[0] for name in out.stdout.partition("MODULES")[2].split()}


def test_void_calls_of_qt_keep_none_alive(qapp: object) -> None:
    from PySide6.QtCore import QObject

    thing = QObject()
    before = sys.getrefcount(None)
    for _ in range(1000):
        thing.setObjectName("x")
    assert abs(sys.getrefcount(None) - before) < 500


@pytest.mark.parametrize(
    ("name", "content", "what", "hint"),
    [
        ("empty.onnx", b"", "empty.onnx is empty.", "The download or copy failed; fetch it again."),
        ("notes.onnx", b"hello, this is text\n", "notes.onnx is a text file, not a model.", None),
        ("page.pt", b"<!DOCTYPE html><html>404", "page.pt is a web page, not a model.", None),
        (
            "lfs.pt",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "lfs.pt is a Git-LFS pointer, not the model.",
            "Run: git lfs pull",
        ),
        ("cut.pt2", b"PK\x03\x04" + b"\0" * 100, "cut.pt2 is a zip archive that is cut off or damaged.", None),
        ("x.keras", b"7z\xbc\xaf\x27\x1c" + b"\0" * 50, "x.keras is a 7-Zip archive, not a model.", None),
        ("random.tflite", bytes(range(256)) * 2, "random.tflite is not a model that we know.", None),
    ],
)
def test_strangers_are_named(tmp_path: Path, name: str, content: bytes, what: str, hint: str | None) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FormatError) as caught:
        identify(Source(path))
    assert caught.value.what == what
    assert caught.value.hint
    assert hint is None or caught.value.hint == hint


def test_a_fifo_and_a_device_are_refused_at_once(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe.onnx"
    os.mkfifo(fifo)
    for path in (fifo, Path("/dev/zero")):
        with pytest.raises(FormatError, match="not a regular file"):
            identify(Source(path))


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "http://x/y", "C:\\x", "", "a\0b"])
def test_side_files_outside_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "model.onnx").write_bytes(b"x")
    with pytest.raises(FormatError, match="outside its folder"):
        Source(tmp_path / "model.onnx").side(name)


def test_hard_links_and_leaving_links_are_refused(tmp_path: Path) -> None:
    outside, folder = tmp_path / "secret", tmp_path / "model"
    folder.mkdir()
    outside.write_bytes(b"secret")
    (folder / "m.onnx").write_bytes(b"x")
    (folder / "hard").hardlink_to(outside)
    (folder / "soft").symlink_to(outside)
    source = Source(folder / "m.onnx")
    with pytest.raises(FormatError, match="hard link"), source.open("hard"):
        pass
    with pytest.raises(FormatError, match="leaves the model's folder"):
        source.side("soft")


def test_a_hugging_face_cache_opens(tmp_path: Path) -> None:
    repo = tmp_path / "models--x"
    (repo / "blobs").mkdir(parents=True)
    (repo / "snapshots" / "abc").mkdir(parents=True)
    for blob, name in (("b1", "model.onnx"), ("b2", "model.data")):
        (repo / "blobs" / blob).write_bytes(blob.encode())
        (repo / "snapshots" / "abc" / name).symlink_to(f"../../blobs/{blob}")
    with Source(repo / "snapshots" / "abc" / "model.onnx").open("model.data") as file:
        assert file.read() == b"b2"


def test_settings_are_kept_and_typed(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    settings = Settings(file)
    assert settings.theme == "system"
    settings.theme = "dark"
    settings.recent = ["a", "b"]
    again = Settings(file)
    assert (again.theme, again.recent) == ("dark", ["a", "b"])
    file.write_text('{"look.theme": 5, "files.recent": ["c"]}')
    assert (Settings(file).theme, Settings(file).recent) == ("system", ["c"])
    file.write_text("not json")
    assert Settings(file).theme == "system"


@pytest.mark.parametrize(
    ("text", "words"), [("1 / 0", "cannot be imported: ZeroDivisionError"), ("x = 1", "has no FORMAT")]
)
def test_a_plug_in_that_is_broken_is_one_clear_error(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "formats").mkdir()
    (tmp_path / "formats" / "mine.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "inspector", "formats"],
        env=os.environ | {"INSPECTOR_PLUGINS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 2
