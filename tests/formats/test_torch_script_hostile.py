"""TorchScript archives that are damaged or made to hurt."""

from __future__ import annotations

import random
import struct
import warnings
import zipfile
from pathlib import Path
from time import perf_counter

import pytest
from built import dangling

from inspector.engines.summary.summary import Summary
from inspector.errors import FormatError
from inspector.formats import Source, identify
from inspector.formats.torch_script import FORMAT
from inspector.ir import Model

PROTO = b"\x80\x02"


def text(word: str) -> bytes:
    return b"X" + struct.pack("<I", len(word.encode())) + word.encode()


def module(state: bytes = b"") -> bytes:
    """A pickled module of the class `__torch__.M`."""
    return PROTO + b"c__torch__\nM\n)\x81}(" + text("training") + b"\x89" + state + b"ub."


def weight(shape: bytes, count: int = 4, key: str = "0", offset: int = 0, strides: bytes = b"K\x01\x85") -> bytes:
    storage = (
        b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu") + b"J" + struct.pack("<i", count)
    )
    rebuilt = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"tQJ" + struct.pack("<i", offset)
    return text("w") + rebuilt + shape + strides + b"\x89}tR"


def saved(path: Path, code: str = "", data: bytes = b"", **members: bytes) -> Source:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/data.pkl", data or module())
        archive.writestr("m/code/__torch__.py", code)
        archive.writestr("m/constants.pkl", PROTO + b").")
        for name, content in members.items():
            archive.writestr(name, content)
    return Source(path)


def followed(path: Path, body: str, state: bytes = b"", fields: str = "") -> Model:
    """A model whose forward has this body."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    code = f"class M(Module):\n{fields}  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n{lines}"
    return FORMAT.read(saved(path / "m.pt", code, module(state)))


def test_cut_off_anywhere_is_refused(samples: Path, tmp_path: Path) -> None:
    data = (samples / "digits_mlp.torchscript.pt").read_bytes()
    path = tmp_path / "a.pt"
    for at in [*range(0, 200, 7), *random.Random(1).sample(range(200, len(data) - 1), 60)]:
        path.write_bytes(data[:at])
        with pytest.raises(FormatError):
            FORMAT.read(Source(path))
        with pytest.raises(FormatError):
            identify(Source(path))


def test_a_gadget_in_the_pickle_is_named_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = FORMAT.read(
        saved(tmp_path / "m.pt", data=module(text("x") + b"cos\nsystem\n(" + text("touch ran") + b"tR"))
    )
    assert not (tmp_path / "ran").exists()
    danger = [note.text for note in model.notes if note.level == "danger"]
    assert danger == ["This file asks to run os.system; it was not run."]


@pytest.mark.parametrize(
    ("state", "content"),
    [
        (weight(b"K\x04\x85"), b""),
        (weight(b"K\x04\x85", key="../../etc/passwd"), b"x" * 16),
        (weight(b"K\x04\x85", offset=3), b"x" * 16),
        (weight(b"J\xff\xff\xff\x7f\x85", strides=b"K\x07\x85"), b"x" * 16),
    ],
)
def test_values_that_are_not_in_the_file(tmp_path: Path, state: bytes, content: bytes) -> None:
    source = saved(tmp_path / "m.pt", data=module(state), **{"m/data/0": content})
    model = FORMAT.read(source)
    assert any("are not in the file" in note.text for note in model.notes)
    with pytest.raises(FormatError):
        FORMAT.fetch(source, model.tensors["w"])


def test_a_view_that_repeats_its_elements_is_not_expanded_without_end(tmp_path: Path) -> None:
    state = weight(b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86", strides=b"K\x00K\x00\x86")
    source = saved(tmp_path / "m.pt", data=module(state), **{"m/data/0": b"x" * 16})
    with pytest.raises(FormatError, match="would need"):
        FORMAT.fetch(source, FORMAT.read(source).tensors["w"])


ENDLESS = {
    "recursion": "return (self).forward(x, )",
    "unknown attribute": "return (self.missing).forward(x, )",
    "unpacks a number": "a, b, = 3\nreturn a",
    "always raises": "ops.prim.RaiseException('no')\nreturn x",
    "unknown statement": "import os\nreturn x",
    "lambda": "return (lambda y: y)(x)",
    "long arithmetic": "y = 2\n" + "y = torch.mul(y, y)\n" * 500 + "return torch.add(x, y)",
    "loops in loops": "y = x\n" + "".join(f"{'  ' * at}for i{at} in range(60):\n" for at in range(8)) + "  " * 8
    + "y = torch.relu(y)\nreturn y",
    "long lists": "y = [1]\n" + "y = torch.add(y, y)\n" * 100 + "return torch.view(x, y)",
    "endless while": "i = 0\nwhile True:\n  i = torch.add(i, 1)\nreturn x",
    "branches of branches": "y = x\n" + "".join(f"{'  ' * at}if torch.gt(y, {at}):\n" for at in range(60)) + "  " * 60
    + "y = torch.relu(y)\nreturn y",
}  # fmt: skip


@pytest.mark.parametrize("body", ENDLESS.values(), ids=ENDLESS.keys())
def test_programs_that_lead_nowhere(tmp_path: Path, body: str) -> None:
    start = perf_counter()
    model = followed(tmp_path, body)
    assert perf_counter() - start < 20
    assert model.graphs or any(note.level in ("warning", "info") for note in model.notes)
    assert "code/__torch__.py" in model.texts


@pytest.mark.parametrize(
    "code", ["class M(", "(" * 5000, "-" * 100_000 + "1", "\0", "x = " + "1+" * 50_000 + "1", "é" * 10]
)
def test_code_that_does_not_parse_is_still_text(tmp_path: Path, code: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = FORMAT.read(saved(tmp_path / "m.pt", code))
    assert model.texts["code/__torch__.py"] == code
    assert model.graphs == ()


def test_nothing_of_the_code_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    followed(tmp_path, "y = open('ran', 'w')\nz = __import__('os').system('touch ran')\nreturn torch.relu(x)")
    assert not (tmp_path / "ran").exists()


def test_names_that_lead_outside_are_said(tmp_path: Path) -> None:
    model = FORMAT.read(saved(tmp_path / "m.pt", **{"../../evil": b"x"}))
    assert any("names that lead outside" in note.text for note in model.notes)
    assert not (tmp_path.parent / "evil").exists()


def test_two_parts_of_one_name_are_refused(tmp_path: Path) -> None:
    source = saved(tmp_path / "m.pt")
    with warnings.catch_warnings(), zipfile.ZipFile(source.path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("m/data.pkl", PROTO + b"N.")
    with pytest.raises(FormatError, match="two parts of the same name"):
        FORMAT.read(source)


def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    source = saved(tmp_path / "m.pt")
    with zipfile.ZipFile(source.path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/data.pkl", bytes(300 << 20))
        archive.writestr("m/constants.pkl", b"")
    with pytest.raises(FormatError, match="too large"):
        FORMAT.read(source)


def test_an_encrypted_part_is_named(tmp_path: Path) -> None:
    source = saved(tmp_path / "m.pt")
    data = bytearray(source.path.read_bytes())
    at = data.find(b"PK\x01\x02")
    while at >= 0:
        data[at + 8] |= 1
        at = data.find(b"PK\x01\x02", at + 1)
    source.path.write_bytes(data)
    with pytest.raises(FormatError, match="protected by a password"):
        FORMAT.read(source)


def test_deflated_members_are_read_too(samples: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    sample = samples / "digits_mlp.torchscript.pt"
    with zipfile.ZipFile(sample) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    a, b = Source(sample), Source(path)
    first, second = FORMAT.read(a), FORMAT.read(b)
    assert first.tensors.keys() == second.tensors.keys()
    for name, tensor in first.tensors.items():
        assert (FORMAT.fetch(a, tensor) == FORMAT.fetch(b, second.tensors[name])).all()


def test_state_that_one_branch_sets_is_a_choice_afterwards(tmp_path: Path) -> None:
    model = followed(
        tmp_path,
        "if torch.gt(torch.sum(x), 1):\n  self.s = torch.relu(x)\nelse:\n  pass\nreturn torch.add(self.s, x)",
        state=text("s") + b"K\x03",
    )
    main = model.main
    assert main is not None
    assert dangling(model) == []
    assert [node.op for node in main.nodes] == ["aten::sum", "aten::gt", "prim::If", "aten::add"]
    assert main.nodes[3].inputs == (main.nodes[2].outputs[0], "x")


@pytest.mark.parametrize(
    "call",
    [
        "torch.im2col(x, [[1, 2], 3], [1, 1], [0, 0], [1, 1])",
        "torch.im2col(x, [2.5, 3], [1, 1], [0, 0], [1, 1])",
        "torch.zeros([[1, 2], 3])",
        "torch.view(x, [True, -7])",
        'torch.pixel_shuffle(x, "x")',
        "torch.tril_indices(99999999999, -1)",
        "torch.tensor_split(x, [-9, 99999999999], 7)",
        "torch.fft_fftn(x, [0, -1, 5], [9, 9])",
        "torch.rot90(x, 1, [7, -9])",
        "torch.cartesian_prod([])",
    ],
)
def test_arguments_that_make_no_sense_leave_shapes_unknown(tmp_path: Path, call: str) -> None:
    model = followed(tmp_path, f"return {call}")
    assert model.main is not None
    assert FORMAT.reshape is not None
    told = FORMAT.reshape(model, {model.main.inputs[0].name: (2, 4, 8, 8)})
    assert told.main is not None
    sizes = [size for value in told.main.values.values() for size in value.shape or ()]
    assert all(size is None or (type(size) is int and size >= 0) for size in sizes)
    assert Summary(told).totals.macs == 0
