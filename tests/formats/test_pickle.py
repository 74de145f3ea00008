"""Pickles as data: hostile ones are built from opcodes and never loaded."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from inspector.errors import FormatError
from inspector.formats._pickle import Call, Global, Persistent, Table, unpickle
from inspector.formats._torch_tree import grow
from inspector.formats._torchzip import strided

PROTO = b"\x80\x02"


def text(word: str) -> bytes:
    data = word.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def called(module: str, name: str, *args: bytes) -> bytes:
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n(" + b"".join(args) + b"tR"


@pytest.mark.parametrize("protocol", range(6))
def test_plain_data_is_itself(protocol: int) -> None:
    data: Any = [
        1,
        -(2**70),
        2.5,
        "ü",
        b"bytes",
        None,
        True,
        False,
        (1,),
        (1, 2),
        (1, 2, 3),
        (1, 2, 3, 4),
        [[]],
        {1, 2},
    ]
    got = unpickle(pickle.dumps(data, protocol)).value
    ordinary = [item for item in data if not isinstance(item, bytes | set)]
    assert [item for item in got if not isinstance(item, bytes | list | Call) or item == [[]]] == ordinary


@pytest.mark.parametrize("protocol", range(6))
def test_dictionaries_and_objects(protocol: int) -> None:
    found = unpickle(pickle.dumps({"a": Path("x"), "b": {2: 3}}, protocol))
    entries = found.value.named()
    assert isinstance(entries["a"], Call)
    assert any("PosixPath" in name or "Path" in name for name in found.globals)
    assert entries["b"].pairs == [(2, 3)]


MARKER = "ran"
GADGETS = {
    "reduce": PROTO + called("os", "system", text("touch {}")) + b".",
    "protocol 0": b"cos\nsystem\n(Vtouch {}\ntR.",
    "inst": b"(Vtouch {}\nios\nsystem\n.",
    "obj": b"(cos\nsystem\nVtouch {}\no.",
    "newobj": PROTO + b"cbuiltins\neval\n(" + text("open({!r}, 'w')") + b"t\x81.",
    "newobj_ex": b"\x80\x04cbuiltins\neval\n(" + text("open({!r}, 'w')") + b"t}\x92.",
    "stack_global": b"\x80\x04" + text("os") + text("system") + b"\x93(" + text("touch {}") + b"tR.",
    "popped": PROTO + called("os", "system", text("touch {}")) + b"0N.",
    "then garbage": PROTO + called("os", "system", text("touch {}")) + b"\xff\xff\xff",
    "build": PROTO + b"c__main__\nX\n)\x81}" + text("__setstate__") + b"cos\nsystem\nsb.",
    "extension": b"\x80\x02\x82\x01(" + text("touch {}") + b"tR.",
    "import by attribute": PROTO
    + called("inspect", "getattr_static", called("importlib", "import_module", text("os")), text("system"))
    + b".",
}


@pytest.mark.parametrize("data", GADGETS.values(), ids=GADGETS.keys())
def test_nothing_that_is_named_is_called(tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    target = tmp_path / MARKER
    data = data.replace(b"{!r}", repr(MARKER).encode()).replace(b"{}", MARKER.encode())
    try:
        names = unpickle(data).globals
    except FormatError:
        names = ("refused",)
    assert not target.exists()
    assert names


def test_every_name_asked_for_is_listed() -> None:
    found = unpickle(GADGETS["import by attribute"])
    assert found.globals == ("inspect.getattr_static", "importlib.import_module")
    assert found.value.function == Global("inspect", "getattr_static")


def test_laughs_stay_small() -> None:
    body = b"]q\x00" + b"".join(
        b"](" + b"h" + bytes([at]) + b"h" + bytes([at]) + b"eq" + bytes([at + 1]) for at in range(60)
    )
    start = perf_counter()
    value = unpickle(PROTO + body + b".").value
    tree = grow(value)
    assert perf_counter() - start < 10
    assert not tree.complete  # cut off, and says so


def test_deep_nesting_is_cut() -> None:
    tree = grow(unpickle(PROTO + b"N" + b"\x85" * 100_000 + b".").value)
    assert not tree.complete


def test_a_list_that_holds_itself_ends() -> None:
    assert not grow(unpickle(PROTO + b"]q\x00h\x00a.").value).complete


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b".",
        PROTO,
        PROTO + b"0.",
        PROTO + b"R.",
        PROTO + b"h\x07.",
        PROTO + b"(K\x01K\x02K\x03d.",
        PROTO + b"K\x01K\x02a.",
        PROTO + b"K\x01(K\x02K\x03u.",
        PROTO + b"X\xff\xff\xff\x7fabc.",
        PROTO + b"\x8e" + b"\xff" * 8 + b".",
        b"\x80\x02]" + b"t.",
        b"I" + b"9" * 10_000 + b"\n.",
        b"not a pickle at all",
        bytes(range(256)),
    ],
)
def test_damage_is_an_error_in_words(data: bytes) -> None:
    with pytest.raises(FormatError) as error:
        unpickle(data, "module tree")
    assert "module tree" in error.value.what


def test_every_prefix_of_a_pickle_is_refused() -> None:
    data = pickle.dumps({"a": [1, "x", (2.5, None)], "b": Path("c")}, 4)
    for at in range(len(data)):
        with pytest.raises(FormatError):
            unpickle(data[:at])


def tensor(
    shape: Any, strides: Any, count: Any = 4, offset: Any = 0, kind: str = "FloatStorage", key: Any = "0"
) -> Call:
    storage = Persistent(("storage", Global("torch", kind), key, "cpu", count))
    return Call(Global("torch._utils", "_rebuild_tensor_v2"), (storage, offset, shape, strides, False, Table()))


def test_tensors_are_recognised_by_name_alone() -> None:
    found = strided(tensor((2, 2), (2, 1)))
    assert found is not None
    assert (found.dtype, found.dense, found.reach) == ("float32", True, 4)
    assert strided(Call(Global("torch._utils", "_rebuild_parameter"), (tensor((2,), (1,)), True))).grad is True  # type: ignore[union-attr]
    assert strided(tensor((2, 2), (1, 2))).dense is False  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "call",
    [
        tensor((-1,), (1,)),
        tensor((2,), (-1,)),
        tensor((2,), (1, 1)),
        tensor("ab", (1, 1)),
        tensor((2,), (1,), offset=-4),
        tensor((2,), (1,), count="many"),
        tensor((2,), (1,), kind="NoStorage"),
        tensor((2,), (1,), key=("..", "x")),
        tensor((1 << 63,), (1,)),
        tensor((True,), (1,)),
        tensor((1,) * 100, (1,) * 100),
        Call(Global("torch._utils", "_rebuild_tensor_v2"), ()),
        Call(Global("os", "system"), ("id",)),
        "nothing",
    ],
)
def test_tensors_that_make_no_sense_are_none(call: Any) -> None:
    assert strided(call) is None
