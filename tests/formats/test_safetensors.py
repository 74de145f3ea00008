"""Safetensors: one file, shards, and every way in which a header can lie."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from built import Built

from inspector.engines.summary.summary import Summary
from inspector.errors import FormatError
from inspector.formats import Source, identify
from inspector.formats.safetensors import FORMAT
from inspector.ir import Model, Role


def written(path: Path, header: bytes | dict[str, Any], data: bytes = b"", length: int | None = None) -> Path:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(raw) if length is None else length).to_bytes(8, "little") + raw + data)
    return path


def entry(dtype: str, shape: list[int], begin: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def read(path: Path) -> Model:
    return FORMAT.read(Source(path))


def counted(model: Model, *roles: Role) -> int:
    return sum(t.count for t in model.tensors.values() if t.role in roles and not t.same_as)


def test_one_file_is_what_torch_saved(torch_weights: Built) -> None:
    model, facts = torch_weights.read("one.safetensors"), torch_weights.facts
    assert model.format == "safetensors"
    assert sorted(model.tensors) == sorted(facts["names"])
    # The buffer `part` is a weight for all that the file says, and tied weights are stored twice.
    assert counted(model, Role.WEIGHT, Role.BUFFER) == facts["parameters"] + facts["buffers"] + facts["tied"]
    assert all(not t.trainable for t in model.tensors.values())
    assert {module.path for module in model.modules} <= set(facts["modules"])
    assert model.metadata["format"] == "pt"
    assert model.texts["long"] == "x" * 300


@pytest.mark.parametrize("name", ["one.safetensors", "m.safetensors.index.json"])
def test_values_are_torchs_own(torch_weights: Built, name: str) -> None:
    model = torch_weights.read(name)
    with np.load(torch_weights.folder / "state.npz") as want:
        assert set(want.files) == set(model.tensors)
        for key in want.files:
            assert np.array_equal(np.asarray(torch_weights.values(name, model.tensors[key]), np.float32), want[key])


def test_a_shard_says_that_it_is_one(torch_weights: Built) -> None:
    (note,) = torch_weights.read("m-00002-of-00002.safetensors").notes
    assert (note.text, note.hint) == (
        "This is part 2 of 2 of a sharded model.",
        "Open m.safetensors.index.json to see all of it.",
    )


BAD: dict[str, tuple[Any, bytes, str]] = {
    "overlap": (
        {"a": entry("F32", [1], 0, 4), "b": entry("F32", [1], 2, 6)},
        bytes(6),
        "The tensors 'a' and 'b' of x.safetensors overlap.",
    ),
    "hole": (
        {"a": entry("F32", [1], 0, 4), "b": entry("F32", [1], 8, 12)},
        bytes(12),
        "The tensors 'a' and 'b' of x.safetensors leave a hole between them.",
    ),
    "late start": (
        {"a": entry("F32", [1], 4, 8)},
        bytes(8),
        "The tensors '' and 'a' of x.safetensors leave a hole between them.",
    ),
    "trailing": ({"a": entry("F32", [1], 0, 4)}, bytes(9), "x.safetensors has 5 bytes after its last tensor."),
    "short": (
        {"a": entry("F32", [4], 0, 16)},
        bytes(9),
        "x.safetensors ends inside its tensors: 79 bytes of 86.",
    ),
    "size": (
        {"a": entry("F32", [2], 0, 4)},
        bytes(4),
        "The entry of the tensor 'a' has 4 bytes where its type and shape need 8.",
    ),
    "overflow": (
        {"a": entry("F32", [2**40, 2**40], 0, 4)},
        bytes(4),
        f"The entry of the tensor 'a' has 4 bytes where its type and shape need {2**82:,}.",
    ),
    "negative": (
        {"a": entry("F32", [-1], 0, 4)},
        bytes(4),
        "The entry of the tensor 'a' has an impossible shape or place.",
    ),
    "truth": ({"a": entry("U8", [True], 0, 1)}, b"1", "The entry of the tensor 'a' has an impossible shape or place."),
    "type": ({"a": entry("F31", [1], 0, 4)}, bytes(4), "The entry of the tensor 'a' has the unknown type 'F31'."),
    "key": (
        {"a": {**entry("U8", [1], 0, 1), "more": 1}},
        b"1",
        "The entry of the tensor 'a' is not a dtype, a shape and offsets.",
    ),
    "metadata": ({"__metadata__": {"a": 1}}, b"", "The metadata of x.safetensors are not texts by name."),
    "duplicate": (
        b'{"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        bytes(4),
        "The header of x.safetensors has the name 'w' twice.",
    ),
    "blank": (b' {"a":1}', b"", "The header of x.safetensors does not begin with {."),
    "list": (b"[1]", b"", "The header of x.safetensors does not begin with {."),
    "not a number": (
        b'{"a":NaN}',
        b"",
        "The header of x.safetensors is damaged (NaN is no number).",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_header_that_lies_is_refused(tmp_path: Path, case: str) -> None:
    header, data, what = BAD[case]
    with pytest.raises(FormatError) as caught:
        read(written(tmp_path / "x.safetensors", header, data))
    assert caught.value.what == what


@pytest.mark.parametrize("header", [b'{"a":' * 100_000, b'{"a":' + b"9" * 10_000 + b"}", b'{"\xff":1}', b"{"])
def test_json_that_breaks_parsers_is_refused(tmp_path: Path, header: bytes) -> None:
    with pytest.raises(FormatError, match=r"^The header of x\.safetensors is damaged \("):
        read(written(tmp_path / "x.safetensors", header))


def test_a_header_that_claims_too_much_is_refused_unread(tmp_path: Path) -> None:
    path = written(tmp_path / "x.safetensors", b"{}", length=101_000_000)
    with pytest.raises(FormatError, match="claims 101,000,000 bytes; the limit is 100,000,000"):
        identify(Source(path)).read(Source(path))


def test_zero_sized_tensors_may_share_an_offset(tmp_path: Path) -> None:
    header = {"a": entry("F32", [0], 0, 0), "b": entry("F32", [1], 0, 4), "c": entry("F32", [3, 0], 4, 4)}
    model = read(written(tmp_path / "x.safetensors", header, bytes(4)))
    assert {name: tensor.shape for name, tensor in model.tensors.items()} == {"a": (0,), "b": (1,), "c": (3, 0)}


def test_every_dtype_is_read(tmp_path: Path) -> None:
    header, at = {}, 0
    for dtype, width in {"BOOL": 1, "F8_E4M3": 1, "BF16": 2, "F16": 2, "C64": 8, "I64": 8, "F4": 1}.items():
        header[dtype] = entry(dtype, [2] if dtype == "F4" else [1], at, at + width)
        at += width
    path = written(tmp_path / "x.safetensors", header, bytes(at))
    for tensor in read(path).tensors.values():
        got = FORMAT.fetch(Source(path), tensor)
        assert (got.shape, got.dtype.name) == (tensor.shape, tensor.dtype)


def test_scales_of_quantized_weights_are_no_parameters(tmp_path: Path) -> None:
    """Names of GPTQ, of 8-bit floats and of bitsandbytes; `scales` alone is a weight like any other."""
    found = {
        "gptq": {"a.qweight": ("I32", [4, 16]), "a.scales": ("F16", [1, 16]), "a.qzeros": ("I32", [1, 2])},
        "fp8": {"a.weight": ("F8_E4M3", [8, 8]), "a.weight_scale_inv": ("F32", [1, 1]), "a.input_scale": ("F32", [])},
        "nf4": {"a.weight": ("U8", [64, 1]), "a.weight.absmax": ("F32", [2]),
                "a.weight.quant_state.bitsandbytes__nf4": ("U8", [9])},
        "plain": {"a.weight": ("F32", [6, 8]), "a.scales": ("F32", [16])},
    }  # fmt: skip
    for name, tensors in found.items():
        header, at = {}, 0
        for key, (dtype, shape) in tensors.items():
            size = math.prod(shape) * {"I32": 4, "F32": 4, "F16": 2}.get(dtype, 1)
            header[key], at = entry(dtype, shape, at, at + size), at + size
        model = read(written(tmp_path / "x.safetensors", header, bytes(at)))
        assert counted(model, Role.WEIGHT, Role.BUFFER) == 64, name
        assert any("several weights in each element" in note.text for note in model.notes) is (name in {"gptq", "nf4"})


PACKED = {
    # 64 inputs and 24 outputs, in groups of 32, as each of them stores it.
    "gptq 4": ({"a.qweight": ("I32", [8, 24]), "a.qzeros": ("I32", [2, 3]), "a.scales": ("F16", [2, 24])}, 64 * 24),
    "gptq 3": ({"a.qweight": ("I32", [6, 32]), "a.qzeros": ("I32", [2, 3]), "a.scales": ("F16", [2, 32])}, 64 * 32),
    "gptq 2": ({"a.qweight": ("I32", [4, 24]), "a.g_idx": ("I32", [64]), "a.scales": ("F16", [2, 24])}, 64 * 24),
    "awq": ({"a.qweight": ("I32", [64, 3]), "a.qzeros": ("I32", [2, 3]), "a.scales": ("F16", [2, 24])}, 64 * 24),
    "compressed": ({"a.weight_packed": ("I32", [24, 8]), "a.weight_scale": ("BF16", [24, 2]),
                    "a.weight_shape": ("I64", [2], struct.pack("<2q", 24, 63))}, 63 * 24),
    "bitsandbytes": ({"a.weight": ("U8", [768, 1]), "a.weight.absmax": ("U8", [24]),
                      "a.weight.quant_state.bitsandbytes__nf4": ("U8", [17], b'{"shape":[5,307]}')}, 5 * 307),
    "nvfp4": ({"a.weight": ("U8", [24, 32]), "a.weight_scale": ("F8_E4M3", [24, 4]),
               "a.weight_scale_2": ("F32", [])}, 64 * 24),
    "mxfp4": ({"a.up_blocks": ("U8", [4, 6, 2, 16]), "a.up_scales": ("U8", [4, 6, 2])}, 64 * 24),
    "exllama 2": ({"a.q_weight": ("I32", [10, 24]), "a.q_invperm": ("I32", [64]), "a.q_scale": ("I32", [2, 3])}, 1536),
    "unsaid": ({"a.qweight": ("I32", [8, 24])}, 8 * 24),
    "not packed": ({"a.weight": ("U8", [8, 24])}, 8 * 24),
}  # fmt: skip


@pytest.mark.parametrize("name", PACKED)
def test_packed_weights_count_as_weights(tmp_path: Path, name: str) -> None:
    """Elements are said beside it; where nothing says how many each holds, that is said."""
    tensors, weights = PACKED[name]
    header, data = {}, b""
    for key, (dtype, shape, *values) in tensors.items():
        size = math.prod(shape) * {"I64": 8, "I32": 4, "F32": 4, "F16": 2, "BF16": 2}.get(dtype, 1)
        header[key] = entry(dtype, shape, len(data), len(data) + size)
        data += values[0] if values else bytes(size)
    model = read(written(tmp_path / "x.safetensors", header, data))
    assert Summary(model).totals.parameters == weights
    notes = [note for note in model.notes if "several weights in each element" in note.text]
    assert len(notes) == (name != "not packed")
    if name not in ("unsaid", "not packed"):
        (packed,) = [tensor for tensor in model.tensors.values() if tensor.holds]
        assert f": {weights:,} weights in {packed.count:,} elements." in notes[0].text


def test_every_prefix_is_refused(torch_weights: Built, tmp_path: Path) -> None:
    data = (torch_weights.folder / "one.safetensors").read_bytes()
    path = tmp_path / "x.safetensors"
    for size in range(0, len(data), 37):
        path.write_bytes(data[:size])
        with pytest.raises(FormatError):
            identify(Source(path)).read(Source(path))


@pytest.mark.parametrize(
    ("file", "what"),
    [
        ("../m.safetensors", "The model names a side file outside its folder: '../m.safetensors'."),
        ("/etc/passwd", "The model names a side file outside its folder: '/etc/passwd'."),
        ("https://a.b/m.safetensors", "The model names a side file outside its folder: 'https://a.b/m.safetensors'."),
        ("gone.safetensors", "The side file 'gone.safetensors' is missing."),
    ],
)
def test_an_index_opens_nothing_outside_its_folder(tmp_path: Path, file: str, what: str) -> None:
    path = tmp_path / "m.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": {"a": file}, "_": ".safetensors"}))
    with pytest.raises(FormatError) as caught:
        identify(Source(path)).read(Source(path))
    assert caught.value.what == what


def test_shards_and_index_that_disagree_are_said_to(tmp_path: Path) -> None:
    for name in ("one", "two"):
        written(tmp_path / f"{name}.safetensors", {name: entry("U8", [1], 0, 1)}, b"1")
    path = tmp_path / "m.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": {"one": "one.safetensors", "three": "two.safetensors"}}))
    assert [note.text for note in read(path).notes] == [
        "1 of the index's tensors are not in the shard that it names, such as 'three'.",
        "1 of the stored tensors are not in the index, such as 'two'.",
    ]
    written(tmp_path / "two.safetensors", {"one": entry("U8", [1], 0, 1)}, b"1")
    with pytest.raises(FormatError, match="The tensor 'one' is stored in two shards"):
        read(path)


def test_a_name_of_dots_makes_no_tree_of_a_million_modules(tmp_path: Path) -> None:
    name = "a" + ".b" * 500_000
    model = read(written(tmp_path / "x.safetensors", {name: entry("U8", [1], 0, 1)}, b"1"))
    assert model.modules == ()
    assert list(model.tensors) == [name]
