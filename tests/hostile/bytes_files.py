"""Cases 21 to 27: what any file may be, whatever its name says. Mostly loops over the seeds of the fuzzing harness."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from case import Case, Loop, plain

from inspector.errors import InspectorError
from inspector.formats import Source, formats
from inspector.worker.tasks import Context
from inspector.worker.tasks.open import OpenArgs
from inspector.worker.tasks.open import run as open_file

ROOT = Path(__file__).resolve().parents[2]
SEEDS = ROOT / "tests" / "fuzz" / "seeds"
SMALL = 20_480
SUFFIXES = (
    ".onnx", ".pt", ".pth", ".ckpt", ".bin", ".pt2", ".safetensors", ".keras", ".h5", ".hdf5", ".pb", ".pbtxt",
    ".tflite", ".json", ".gguf", ".xml", ".torchscript",
)  # fmt: skip
PAGE = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body>Not Found</body></html>\n"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"


def seeds() -> Iterator[tuple[str, Path, Path]]:
    """Format, folder and main file of every small real model; formats that are folders give the folder."""
    for folder in sorted(SEEDS.glob("*/*")):
        yield folder.parent.name, folder, folder / (folder / "MAIN").read_text().strip()


def copied(seed: Path, main: Path, to: Path) -> Path:
    """A seed in a folder of its own; its main file there."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(seed, to, ignore=shutil.ignore_patterns("MAIN"))
    return to / main.relative_to(seed)


def opened(path: Path) -> Any:
    """The overview of a file, read in this process."""
    return open_file(OpenArgs(str(path)), Context(None, {}, lambda _fraction, _text: None))


def error_of(path: Path, of: str = "") -> InspectorError | None:
    """Why a file is refused, in words and with a hint; None where it opens."""
    error: InspectorError | None = None
    try:
        if of:
            formats()[of].read(Source(path))
        else:
            opened(path)
    except InspectorError as caught:
        error = caught
    assert error is None or error.what.endswith("."), error.what
    assert error is None or error.hint or of, error.what
    return error


def refused(path: Path, of: str = "") -> str:
    """Why a file is refused."""
    error = error_of(path, of)
    assert error is not None, f"{path.name} was opened {of}"
    return error.what


def told(path: Path, before: set[str]) -> bool:
    """Whether a file is refused, or has a remark that the whole file does not have."""
    return error_of(path) is not None or any(
        note.level != "info" and note.text not in before for note in opened(path).notes
    )


def empty(folder: Path) -> str:
    for suffix in SUFFIXES:
        path = folder / f"model{suffix}"
        path.write_bytes(b"")
        assert refused(path) == f"{path.name} is empty."
        for fmt in formats():
            refused(path, fmt)
    return f"{len(SUFFIXES)} suffixes, and each read as each format"


def chance(folder: Path) -> str:
    dice, count = random.Random(22), 0
    for suffix in SUFFIXES:
        for _ in range(12):
            path = folder / f"model{suffix}"
            path.write_bytes(dice.randbytes(100))
            refused(path)
            for fmt in formats():
                refused(path, fmt)
            count += 1
    return f"{count} files, and each read as each format"


def pairs(folder: Path) -> str:
    count = 0
    for fmt, seed, main in seeds():
        if not main.is_file():
            continue
        for suffix in (*SUFFIXES, ".zip", ""):
            path = copied(seed, main, folder / "x")
            named = path.rename(path.with_name(f"model{suffix}"))
            overview = opened(named)
            assert overview.format == fmt, (main.name, suffix, overview.format)
            owners = [other for other in formats().values() if suffix in other.suffixes and suffix]
            wrong = bool(owners) and fmt not in [other.id for other in owners]
            said = [note.text for note in overview.notes if note.text.startswith("The file is called")]
            if wrong and not {fmt, *(other.id for other in owners)} <= TORCH:
                assert said, (main.name, suffix)
            elif fmt in [other.id for other in owners]:
                assert not said, (main.name, suffix, said)
            count += 1
    return f"{count} pairs of a format and a name"


TORCH = {"torch.module", "torch.state_dict", "torch.script", "torch.export"}
"""They share their suffixes in the wild."""


FILLING = b"\0\n"
"""A file whose end of nothing but this is cut off is whole."""
ENDLESS = {"tflite": b"", "tf.saved_model": b"\0", "before_archives.pth": b""}
"""What does not say where it ends, and before which bytes: FlatBuffers and tar; a SavedModel before zeros."""


def cut(folder: Path, offsets: Callable[[int], Iterator[int]], most: int) -> str:
    count, silent = 0, {}
    for _, seed, main in seeds():
        path = copied(seed, main, folder / "x")
        path = path / "saved_model.pb" if path.is_dir() else path
        data = path.read_bytes()
        if len(data) > most:
            continue
        before = {note.text for note in opened(path).notes}
        for at in offsets(len(data)):
            path.write_bytes(data[:at])
            if data[at:].strip(FILLING) and not told(path, before):
                silent.setdefault(main.name, []).append(at)
            count += 1
    assert not silent, {name: (len(places), places[:10]) for name, places in silent.items()}
    return f"{count:,} files"


def few(size: int) -> Iterator[int]:
    """Both ends, and some between."""
    yield from sorted({*range(min(40, size)), *range(0, size, max(1, size // 60)), *range(max(0, size - 20), size)})


def every(size: int) -> Iterator[int]:
    """Every offset."""
    yield from range(size)


def mutants(_: Path) -> str:
    command = [sys.executable, "-m", "tests.fuzz", "--count", "100000", "--seconds", "4", "--jobs", "2", "--seed", "25"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]


STRANGE: tuple[tuple[bytes, str], ...] = (
    (PAGE, "is a web page, not a model."),
    (b"\xef\xbb\xbf\n" + PAGE.lower(), "is a web page, not a model."),
    (POINTER, "is a Git-LFS pointer, not the model."),
    (b"Entry not found\n", "is the answer of a server that refused, not a model."),
    (b"# My model\n\nIt was trained.\n", "is a text file, not a model."),
    (b"<Error><Code>AccessDenied</Code></Error>", "is the answer of a server that refused, not a model."),
)


def strangers(folder: Path) -> str:
    for suffix in SUFFIXES:
        path = folder / f"model{suffix}"
        for content, what in STRANGE:
            path.write_bytes(content)
            assert refused(path) == f"{path.name} {what}", refused(path)
        for end in (".part", ".crdownload"):
            path = folder / f"model{suffix}{end}"
            path.write_bytes(bytes(range(64, 128)))
            assert refused(path) == f"{path.name} is an unfinished download."
    return f"{len(SUFFIXES)} suffixes, {len(STRANGE) + 2} strangers"


def behind(folder: Path) -> str:
    silent, count = [], 0
    for fmt, seed, main in seeds():
        path = copied(seed, main, folder / "x")
        path = path / "saved_model.pb" if path.is_dir() else path
        data = path.read_bytes()
        before = {note.text for note in opened(path).notes}
        for garbage in (b"\0" * 512, b"\xff" * 100, b"PK\5\6", b"garbage\n"):
            path.write_bytes(data + garbage)
            endless = any(garbage.startswith(ENDLESS[key]) for key in (fmt, main.name) if key in ENDLESS)
            if not told(path, before) and not endless:
                silent.append((main.name, garbage[:8]))
            count += 1
    assert not silent, silent
    return f"{count} files"


def marked(folder: Path) -> str:
    opens = []
    for fmt, seed, main in seeds():
        path = copied(seed, main, folder / "x")
        path = path / "saved_model.pb" if path.is_dir() else path
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
        if error_of(path) is None:
            opens.append(f"{fmt} of {opened(path).format}")
    assert {name.split(" of ")[0] for name in opens} <= {"openvino", "tfjs", "safetensors", "tf.graph_def"}, opens
    return f"text formats open: {', '.join(sorted(set(opens)))}"


CASES = (
    Case(21, "0 bytes called .onnx", plain(b"", "model.onnx"), "refused", "model.onnx is empty. The download or copy"),
    Case(22, "100 random bytes called .tflite", plain(random.Random(1).randbytes(100), "model.tflite"), "refused",
         "model.tflite is not a model that we know."),
    Case(23, "a checkpoint called .onnx", plain(lambda _: (SEEDS / "torch.state_dict/state_pt/state.pt").read_bytes(),
         "model.onnx"), "opened", "The file is called .onnx, but by its bytes it is: PyTorch checkpoint.", "info"),
    Case(26, "a web page called .onnx", plain(PAGE, "model.onnx"), "refused",
         "model.onnx is a web page, not a model. The download gave an error page; fetch it again."),
    Case(26, "a Git-LFS pointer called .safetensors", plain(POINTER, "model.safetensors"), "refused",
         "model.safetensors is a Git-LFS pointer, not the model. Run: git lfs pull"),
)  # fmt: skip
LOOPS = (
    Loop(21, "0 bytes with each suffix", empty, "refused, each in a sentence"),
    Loop(22, "100 random bytes with each suffix", chance, "refused, each in a sentence"),
    Loop(23, "each format with the suffix of each other", pairs, "recognised by its bytes, and said so"),
    Loop(24, "each format cut off at 100 places", lambda f: cut(f, few, 1 << 30), "refused or said to be incomplete"),
    Loop(24, "each file of at most 20 KB cut off at every place", lambda f: cut(f, every, SMALL),
         "refused or said to be incomplete", seconds=3600, slow=True),
    Loop(25, "changed files of every format, 4 s each", mutants, "no reader crashes", seconds=600, slow=True),
    Loop(26, "pages, pointers, texts, unfinished downloads with each suffix", strangers, "named as what they are"),
    Loop(27, "bytes behind the end of each format", behind, "refused or said"),
    Loop(27, "a byte order mark before each format", marked, "text opens, all else is refused"),
)  # fmt: skip
