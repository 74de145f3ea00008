"""Hostile pickles, written as bytes and never loaded: nothing runs, and what they ask for is named."""

from __future__ import annotations

import base64
import io
import os
import pickle
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from inspector.errors import FormatError
from inspector.formats import Source, identify
from inspector.ir import Model

MAGIC = 0x1950A86A20F9469CFC6C


def zipped(data: bytes, **more: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        for name, content in more.items():
            archive.writestr(f"archive/data/{name}", content)
    return made.getvalue()


def legacy(data: bytes) -> bytes:
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    return b"".join(pickle.dumps(item, 2) for item in (MAGIC, 1001, system)) + data + pickle.dumps([], 2)


CLOTHES: dict[str, Callable[[bytes], bytes]] = {"zip": zipped, "legacy": legacy}


def read(path: Path, data: bytes) -> Model:
    path.write_bytes(data)
    source = Source(path)
    return identify(source).read(source)


def text(word: str) -> bytes:
    return b"\x8c" + bytes([len(word)]) + word.encode()


def call(module: str, name: str, args: bytes = b")") -> bytes:
    """Proto 4: a name from the stack, called."""
    return text(module) + text(name) + b"\x93" + args + b"R"


SHELL = b"cposix\nsystem\n(S'touch %s'\ntR."
ASKS: dict[str, tuple[bytes, str]] = {
    "reduce": (SHELL, "posix.system"),
    "protocol 2": (b"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00id\x85R.", "posix.system"),
    "protocol 4": (b"\x80\x04" + call("posix", "system", text("id") + b"\x85") + b".", "posix.system"),
    "protocol 5": (b"\x80\x05" + call("nt", "system", text("id") + b"\x85") + b".", "nt.system"),
    "inst": (b"(S'id'\niposix\nsystem\n.", "posix.system"),
    "obj": (b"(cposix\nsystem\nS'id'\no.", "posix.system"),
    "newobj_ex": (b"\x80\x04cos\npopen\n)}\x92.", "os.popen"),
    "names from the memo": (
        b"\x80\x04" + text("posix") + b"\x940" + text("system") + b"\x940h\x00h\x01\x93" + text("id") + b"\x85R.",
        "posix.system",
    ),
    "dotted name": (b"\x80\x04" + call("torch", "os.system", text("id") + b"\x85") + b".", "torch.os.system"),
    "popped result": (b"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00id\x85R0}.", "posix.system"),
    "built": (b"\x80\x02c__builtin__\neval\n)\x81}X\x01\x00\x00\x00aK\x01sb.", "__builtin__.eval"),
    "inside a dictionary": (b"\x80\x02}X\x01\x00\x00\x00acbuiltins\nexec\nX\x01\x00\x00\x00x\x85Rs.", "builtins.exec"),
    # SECURITY: the five that scanners pass
    "getattr_static": (
        b"\x80\x04" + call("inspect", "getattr_static", call("importlib", "import_module", text("os") + b"\x85")
        + text("system") + b"\x86") + b".",
        "importlib.import_module, inspect.getattr_static",
    ),
    "distutils": (b"\x80\x04" + call("distutils.spawn", "spawn", b"]" + text("id") + b"a\x85") + b".",
                  "distutils.spawn.spawn"),
    "code object": (
        b"\x80\x04" + call("types", "FunctionType", call("codeop", "compile_command", text("1") + b"\x85")
        + b"}\x86") + b".",
        "codeop.compile_command, types.FunctionType",
    ),
    "fork_exec": (b"\x80\x04" + call("_posixsubprocess", "fork_exec") + b".", "_posixsubprocess.fork_exec"),
    "ctypes": (b"\x80\x04" + call("_ctypes", "CDLL", text("x") + b"\x85") + b".", "_ctypes.CDLL"),
}  # fmt: skip


def named(model: Model) -> list[str]:
    return [note.text for note in model.notes if note.level == "danger"]


@pytest.mark.parametrize("clothes", CLOTHES)
@pytest.mark.parametrize("case", ASKS)
def test_what_a_pickle_would_run_is_named_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, clothes: str
) -> None:
    def never(*_args: object, **_more: object) -> None:
        raise AssertionError("the pickle was run")

    monkeypatch.setattr(os, "system", never)
    monkeypatch.setattr(subprocess, "Popen", never)
    data, names = ASKS[case]
    (found,) = named(read(tmp_path / "x.pt", CLOTHES[clothes](data)))
    assert sorted(found.removeprefix("This file asks to run ").partition(";")[0].split(", ")) == sorted(
        names.split(", ")
    )
    assert found.endswith(("it was not run.", "they were not run."))


def test_a_name_that_is_only_imported_is_said_so(tmp_path: Path) -> None:
    model = read(tmp_path / "x.pt", zipped(b"\x80\x02}X\x01\x00\x00\x00acos\nsystem\ns."))
    assert named(model) == ["This file asks to import os.system; it was not imported."]
    model = read(tmp_path / "x.pt", zipped(b"\x80\x02\x82\x01."))
    assert named(model) == ["This file asks to import copyreg.extension 1; it was not imported."]


@pytest.mark.parametrize("hide", [bytes, base64.b64encode, lambda data: data.hex().encode()])
def test_pickles_inside_pickles_are_looked_into(tmp_path: Path, hide: Callable[[bytes], bytes]) -> None:
    inner = b"\x80\x04" + call("posix", "system", text("id") + b"\x85") + b"."
    hidden = hide(inner)
    outer = {"a": hidden if hidden == inner else hidden.decode()}
    model = read(tmp_path / "x.pt", zipped(pickle.dumps(outer, 2) if hidden != inner else pickle.dumps(outer, 4)))
    assert named(model) == ["This file asks to run posix.system; it was not run."]
    assert "The file hides a pickle inside its pickle." in [note.text for note in model.notes]


def test_a_second_stream_is_looked_into(tmp_path: Path) -> None:
    model = read(tmp_path / "x.pt", zipped(pickle.dumps({}, 2) + ASKS["protocol 2"][0]))
    assert named(model) == ["This file asks to run posix.system; it was not run."]


@pytest.mark.parametrize("clothes", CLOTHES)
def test_a_payload_before_the_damage_is_named(tmp_path: Path, clothes: str) -> None:
    model = read(tmp_path / "x.pt", CLOTHES[clothes](SHELL[:-1] + b"\xff\xff"))
    run, damaged = named(model)
    assert run == "This file asks to run posix.system; it was not run."
    assert "is damaged (at position" in damaged
    assert damaged.endswith("Only what stands before that is shown.")


def test_what_stands_before_the_damage_is_shown(tmp_path: Path) -> None:
    whole = storage(b"0", 2, 2)
    model = read(tmp_path / "x.pt", zipped(whole[:-2] + b"\xff", **{"0": bytes(8)}))
    assert not model.tensors  # the key is there and its value is; they were not put together
    several = b"\x80\x02}(" + whole[3:-2] * 2 + b"\xff"
    model = read(tmp_path / "x.pt", zipped(several, **{"0": bytes(8)}))
    assert [tensor.shape for tensor in model.tensors.values()] == [(2,)]


def test_a_plain_pickle_is_named_for_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        read(tmp_path / "x.bin", SHELL)
    assert str(caught.value) == "x.bin is a Python pickle that asks to run posix.system; it was not run."


LAUGHS = b"\x80\x02]q\x00" + b"".join(b"(h%ch%clq%c" % (at, at, at + 1) for at in range(60)) + b"."
BOMBS: dict[str, bytes] = {
    "billion laughs": LAUGHS,
    "laughs in dictionaries": b"\x80\x02}q\x00"
    + b"".join(b"}(K\x01h%cK\x02h%cuq%c" % (at, at, at + 1) for at in range(60))
    + b".",
    "cycle": b"\x80\x02]q\x00h\x00a.",
    "deep tuples": b"\x80\x02)" + b"\x85" * 100_000 + b".",
    "deep lists": b"\x80\x02" + b"](" * 50_000 + b"e" * 50_000 + b".",
    "long name": b"\x80\x02c" + b"a" * 10_000_000 + b"\nb\n)R.",
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("clothes", CLOTHES)
@pytest.mark.parametrize("case", BOMBS)
def test_bombs_stay_small(tmp_path: Path, case: str, clothes: str) -> None:
    model = read(tmp_path / "x.pt", CLOTHES[clothes](BOMBS[case]))
    assert not model.tensors
    assert sum(len(note.text) for note in model.notes) < 5000
    assert sum(map(len, model.texts.values())) < 1_000_000


WRONG: dict[str, bytes] = {
    "items of no dictionary": b"\x80\x02NK\x01K\x02s.",
    "memo that is not there": b"\x80\x02h\x05.",
    "underflow": b"\x80\x02R.",
    "no mark": b"\x80\x02t.",
}


@pytest.mark.parametrize("clothes", CLOTHES)
@pytest.mark.parametrize("case", WRONG)
def test_confused_pickles_are_refused(tmp_path: Path, case: str, clothes: str) -> None:
    with pytest.raises(FormatError, match="damaged"):
        read(tmp_path / "x.pt", CLOTHES[clothes](WRONG[case]))


def test_a_pickle_without_an_end_is_refused(tmp_path: Path) -> None:
    for cut in (b"}", b"\x8b\xff\xff\xff\x7f.", b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f."):
        with pytest.raises(FormatError, match="ends too early"):
            read(tmp_path / "x.pt", zipped(b"\x80\x04" + cut))


def storage(key: bytes, count: int, shape: int, offset: int = 0) -> bytes:
    """A dictionary with one tensor over a storage, as torch pickles it."""
    return (
        b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n(("
        + b"X\x07\x00\x00\x00storagectorch\nFloatStorage\nX" + len(key).to_bytes(4, "little") + key
        + b"X\x03\x00\x00\x00cpuJ" + count.to_bytes(4, "little") + b"tQJ" + offset.to_bytes(4, "little")
        + b"J" + shape.to_bytes(4, "little") + b"\x85K\x01\x85\x89}tRs."
    )  # fmt: skip


@pytest.mark.parametrize(
    ("key", "shape", "offset"), [(b"../../../etc/passwd", 2, 0), (b"9", 2, 0), (b"0", 9, 0), (b"0", 2, 7)]
)
def test_a_storage_that_is_not_there_is_missing(tmp_path: Path, key: bytes, shape: int, offset: int) -> None:
    path = tmp_path / "x.pt"
    model = read(path, zipped(storage(key, 2, shape, offset), **{"0": bytes(8)}))
    assert [note.text for note in model.notes] == [
        "The values of 1 tensors are not in the file, such as 'w'.",
    ]
    source = Source(path)
    with pytest.raises(FormatError, match="are not in the file"):
        identify(source).fetch(source, model.tensors["w"])


def test_a_wrong_magic_number_is_no_way_past(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"asks to run posix\.system"):
        read(tmp_path / "x.pt", SHELL + legacy(b"}.")[15:])
