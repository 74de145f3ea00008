"""What is told of tensors of every kind: on real files, through the tasks that the tensor panel asks."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import ml_dtypes
import msgspec
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from onnx import helper
from tensor_asks import ask, drawn, mean_of, onnx_model, opened, safetensors, saved, view, written

from inspector.errors import InspectorError
from inspector.jobs.terminal import ask_document
from inspector.viewmodels.heat import Heat
from inspector.worker.tasks import Context, _figures, _plane, _values, tensor_scan
from inspector.worker.tasks._document import document
from inspector.worker.tasks.tensor import TASK as TENSOR
from inspector.worker.tasks.tensor import TensorArgs
from inspector.worker.tasks.tensor_map import TASK as TENSOR_MAP
from inspector.worker.tasks.tensor_map import TensorMapArgs
from inspector.worker.tasks.tensor_scan import TASK as TENSOR_SCAN
from inspector.worker.tasks.tensor_scan import TensorScanArgs

# dtypes

EIGHTS = {
    "F8_E4M3": ml_dtypes.float8_e4m3fn, "F8_E5M2": ml_dtypes.float8_e5m2, "F8_E8M0": ml_dtypes.float8_e8m0fnu,
    "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz, "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
}  # fmt: skip
SMALL = {"F4": ml_dtypes.float4_e2m1fn, "F6_E2M3": ml_dtypes.float6_e2m3fn, "F6_E3M2": ml_dtypes.float6_e3m2fn}


def packed(codes: NDArray[np.uint8], bits: int) -> bytes:
    """Codes as a stream of bits, each from its low end."""
    stream = ((codes[:, None] >> np.arange(bits)) & 1).astype(np.uint8).reshape(-1)
    return np.packbits(stream, bitorder="little").tobytes()


def test_floats_of_few_bits(tmp_path: Path) -> None:
    """Every code of every small float is shown as the number that ml_dtypes says it is."""
    codes = np.arange(256, dtype=np.uint8)
    tensors = {name: (name, (16, 16), codes.tobytes()) for name in EIGHTS}
    for name in SMALL:
        bits = int(name[1])
        few = np.arange(1 << bits, dtype=np.uint8)
        tensors[name] = (name, (1 << bits,), packed(few, bits))
    tensors["BF16"] = ("BF16", (3,), np.array([1.5, -2, np.nan], ml_dtypes.bfloat16).tobytes())
    tensors["C64"] = ("C64", (2,), np.array([3 + 4j, 0], np.complex64).tobytes())
    context = opened(safetensors(tmp_path / "small.safetensors", tensors))
    for name, kind in {**EIGHTS, **SMALL}.items():
        few = codes if name in EIGHTS else np.arange(1 << int(name[1]), dtype=np.uint8)
        want = few.view(kind).astype(np.float64)
        seen = view(context, name)
        finite = want[np.isfinite(want)]
        assert np.allclose([float(value) for value in seen.values], want, rtol=1e-8, atol=0, equal_nan=True), name
        assert seen.statistics["min"] == finite.min()
        assert seen.statistics["max"] == finite.max()
        assert seen.statistics["mean"] == pytest.approx(finite.mean())
        assert seen.statistics["std"] == pytest.approx(finite.std())
        assert seen.statistics["nan"] == np.isnan(want).sum()
        assert seen.statistics["inf"] == np.isinf(want).sum()
        assert seen.shown == np.dtype(kind).name
        assert np.array_equal(saved(context, name).reshape(-1), want.astype(np.float32), equal_nan=True)
        assert np.array_equal(mean_of(drawn(context, name)).reshape(-1), np.where(np.isfinite(want), want, np.nan),
                              equal_nan=True)  # fmt: skip
    assert view(context, "BF16").values == ("1.5", "-2", "nan")
    assert view(context, "C64").statistics["max"] == 5


def test_onnx_integers_of_few_bits_strings_and_empty_ones(tmp_path: Path) -> None:
    tensors = {
        "i4": np.array([[-8, 7, 1]], ml_dtypes.int4),
        "u4": np.array([0, 15, 9], ml_dtypes.uint4),
        "i2": np.array([-2, 1, 0, -1, 1], ml_dtypes.int2),
        "f4": np.array([0.5, -6, 3], ml_dtypes.float4_e2m1fn),
        "words": np.array([["a", "b,c"], ["=1+1", ""]], object),
        "none": np.zeros((0, 4), np.float32),
        "flag": np.array(True),
        "large": np.array([2**63 - 1, -(2**63)], np.int64),
    }
    context = opened(onnx_model(tmp_path / "m.onnx", [helper.make_node("Identity", ["x"], ["y"])], tensors))
    for name, values in {"i4": ("-8", "7", "1"), "u4": ("0", "15", "9"), "i2": ("-2", "1", "0", "-1", "1"),
                         "f4": ("0.5", "-6", "3"), "flag": ("true",)}.items():  # fmt: skip
        assert view(context, name).values == values
    assert view(context, "i4").statistics["min"] == -8
    assert type(view(context, "i4").statistics["min"]) is int
    large = view(context, "large").statistics
    assert (large["min"], large["max"]) == (-(2**63), 2**63 - 1)
    words = view(context, "words")
    assert words.statistics == {"distinct": 4, "empty": 1, "longest": 4}
    assert written(context, "words") == 'a,"b,c"\n\'=1+1,""\n'
    with pytest.raises(InspectorError, match="There is no picture of strings"):
        drawn(context, "words")
    none = view(context, "none")
    assert (none.values, none.total, none.statistics["mean"], none.nbytes) == ((), 0, None, 0)
    assert (drawn(context, "none").height, written(context, "none"), saved(context, "none").shape) == (0, "", (0, 4))
    assert mean_of(drawn(context, "flag")).tolist() == [[1.0]]


# Pictures


@pytest.fixture
def pictured(tmp_path: Path) -> Context:
    rng = np.random.default_rng(1)
    wide = rng.normal(size=(300, 1000)).astype(np.float32)
    wide[0, 0], wide[299, 999], wide[5, 990] = np.nan, np.inf, 100
    tensors = {
        "wide": wide,
        "cube": np.arange(2 * 300 * 3 * 5, dtype=np.float32).reshape(2, 300, 3, 5),
        "kernel": np.arange(3 * 4 * 2 * 2, dtype=np.float32).reshape(3, 4, 2, 2),
        "keras": np.arange(2 * 2 * 4 * 3, dtype=np.float32).reshape(2, 2, 4, 3),
        "points": np.zeros((16, 8, 1, 1), np.float32),
        "line": np.arange(1000, dtype=np.float32),
    }
    return opened(onnx_model(tmp_path / "p.onnx", [helper.make_node("Identity", ["x"], ["y"])], tensors))


def test_cells_of_a_matrix(pictured: Context) -> None:
    whole = saved(pictured, "wide").astype(np.float64)
    found = drawn(pictured, "wide", cells=64)
    assert (found.height, found.width, found.extent, found.sampled) == (64, 64, (300, 1000), False)
    heat = Heat(found)
    for row, column in ((0, 0), (1, 63), (63, 63), (31, 7)):
        part = whole[row * 300 // 64 : (row + 1) * 300 // 64, column * 1000 // 64 : (column + 1) * 1000 // 64]
        fine = part[np.isfinite(part)]
        assert (heat.low[row, column], heat.high[row, column]) == (fine.min(), fine.max())
        assert heat.mean[row, column] == pytest.approx(fine.mean())
    assert (heat.odd[0, 0], heat.odd[63, 63], heat.odd[3, 3]) == (1, 2, 0)
    assert heat.text(0, 0).startswith("[0–3, 0–14]  mean ")
    assert heat.text(0, 0).endswith(", some NaN")
    assert heat.number(1, 1) == 4 * 1000 + 15
    turned = drawn(pictured, "wide", rows=1, columns=0, cells=64)
    assert np.array_equal(mean_of(turned), mean_of(found).T, equal_nan=True)


def test_slices_and_tiles(pictured: Context) -> None:
    cube = saved(pictured, "cube")
    found = drawn(pictured, "cube", rows=3, columns=0, at=(0, 7, 2, 9), tiles=False)
    assert (found.rows, found.columns, found.at, found.can_tile) == (3, 0, (0, 7, 2, 0), True)
    assert np.array_equal(mean_of(found), cube[:, 7, 2, :].T)
    assert Heat(found).text(4, 1) == f"[1, 7, 2, 4]  {cube[1, 7, 2, 4]:.6g}"
    for name, how, dims in (("kernel", {}, (2, 3)), ("keras", {"rows": 0, "columns": 1, "tiles": True}, (0, 1))):
        whole, tiles = saved(pictured, name), drawn(pictured, name, **how)
        heat = Heat(tiles)
        assert ((tiles.rows, tiles.columns), tiles.tiles) == (dims, (3, 4))
        for row in range(tiles.height):
            for column in range(tiles.width):
                at = heat.index(row, column)
                value = heat.mean[row, column]
                assert np.isnan(value) if at is None else value == whole[tuple(first for first, _ in at)]
    assert (drawn(pictured, "points").rows, drawn(pictured, "points").tiles) == (0, (0, 0))
    late = drawn(pictured, "cube", rows=2, columns=3, at=(0, 290, 0, 0))
    heat = Heat(late)
    assert late.at[1] == 300 - max(late.tiles)
    place = heat.index(0, 0)
    assert place is not None
    assert heat.mean[0, 0] == cube[tuple(first for first, _ in place)]
    assert mean_of(drawn(pictured, "line", cells=10)).tolist() == [[49.5 + 100 * at for at in range(10)]]


def test_a_picture_that_makes_no_sense_is_refused(pictured: Context) -> None:
    """The window does not believe its worker."""
    found = drawn(pictured, "kernel")
    for wrong in ({"rows": 9}, {"at": ()}, {"tiled": (0, 7)}, {"mean": b""}, {"height": 1 << 40}, {"extent": (-1, 2)}):
        with pytest.raises(ValueError, match=r"."):
            Heat(msgspec.structs.replace(found, **wrong))


def test_csv_reads_back(pictured: Context) -> None:
    whole = saved(pictured, "wide")
    assert np.array_equal(np.loadtxt(written(pictured, "wide").splitlines(), np.float32, delimiter=","), whole,
                          equal_nan=True)  # fmt: skip
    lines = written(pictured, "kernel", count=7).splitlines()
    assert lines[:3] == ["index 0,index 1,index 2,0,1", "0,0,0,0,1", "0,0,1,2,3"]
    assert len(lines) == 1 + 3 * 4 * 2
    assert written(pictured, "line", count=999).splitlines()[998:] == ["998", "999"]


# Large ones


def test_a_tensor_that_is_not_read_whole_tells_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small limits make a small file a large one; every answer is that of the whole tensor."""
    rng = np.random.default_rng(2)
    array = rng.normal(3, 2, (40, 50, 60)).astype(np.float32)
    array[1, 2, 3] = np.nan
    path = safetensors(tmp_path / "large.safetensors", {"w": ("F32", array.shape, array.tobytes())})
    small = opened(path)
    whole = view(small, "w")
    pictures = [{}, {"rows": 0, "columns": 2, "at": (0, 7, 0)}, {"rows": 2, "columns": 0}, {"rows": 0, "columns": 1}]
    expected = [drawn(small, "w", cells=16, **how) for how in pictures]
    monkeypatch.setattr(_values, "WHOLE", 1000)
    monkeypatch.setattr(_values, "PART", 777)
    monkeypatch.setattr(_figures, "SAMPLE", 6400)
    monkeypatch.setattr(tensor_scan, "STEP", 50_000)
    large = opened(path)
    sampled = view(large, "w", start=6123, count=2)
    assert (sampled.looked_at, sampled.total) == (6400, 120_000)
    assert sampled.statistics["mean"] == pytest.approx(3, abs=0.2)
    assert [float(value) for value in sampled.values] == pytest.approx(array.reshape(-1)[6123:6125].tolist(), rel=1e-6)
    shares = []
    while True:
        step = ask(TENSOR_SCAN, TensorScanArgs("w", begin=not shares), large)
        shares.append(step.done)
        if step.done == 1:
            break
    assert shares == sorted(shares)
    assert len(shares) == 6
    exact = {key: value for key, value in whole.statistics.items() if key != "distinct"}
    assert {key: step.statistics[key] for key in exact} == pytest.approx(exact)
    assert step.histogram == whole.histogram
    assert view(large, "w").looked_at == 120_000
    for how, want in zip(pictures, expected, strict=True):
        found = drawn(large, "w", cells=16, **how)
        assert (found.sampled, found.odd, found.low) == (False, want.odd, want.low)
        assert np.allclose(mean_of(found), mean_of(want), equal_nan=True)
    assert np.array_equal(saved(large, "w"), array, equal_nan=True)
    monkeypatch.setattr(_plane, "READ", 500)
    monkeypatch.setattr(_plane, "LONG", 50)
    for rough in (
        Heat(drawn(large, "w", cells=16)),
        Heat(drawn(large, "w", rows=0, columns=1, at=(0, 0, 5), cells=16)),
    ):
        assert rough.source.sampled
        assert "sampled" in rough.caption()
        for row, column in ((0, 0), (15, 15), (7, 3)):
            place = rough.index(row, column)
            assert place is not None
            part = array[tuple(slice(first, last + 1) for first, last in place)]
            assert (
                part.min() <= rough.low[row, column] <= rough.mean[row, column] <= rough.high[row, column] <= part.max()
            )


@pytest.mark.parametrize(
    "name", ["digits_keras.keras", "checkpoint.pt", "digits_mlp.torchscript.pt", "digits_cnn.onnx"]
)
def test_parts_are_what_the_whole_is(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    path = (tmp_path if name == "checkpoint.pt" else samples) / name
    if not path.exists():
        torch.save({"w": torch.randn(40, 50), "turned": torch.randn(5, 6).T}, path)
    context = opened(path)
    tensors = sorted(document(context).model.tensors)
    whole = [saved(context, tensor) for tensor in tensors]
    monkeypatch.setattr(_values, "WHOLE", 100)
    monkeypatch.setattr(_values, "PART", 99)
    parted = opened(path)
    read: list[int] = []
    by_part = document(parted).format.fetch_part
    assert by_part is not None
    for tensor, want in zip(tensors, whole, strict=True):
        assert np.array_equal(saved(parted, tensor), want), tensor
        found = by_part(document(parted).source, document(parted).tensor(tensor), 0, min(1, want.size))
        read.append(0 if found is None else want.size)
    assert sum(read) > 0.9 * sum(array.size for array in whole)


def test_parts_of_values_that_share_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_values, "WHOLE", 0)
    monkeypatch.setattr(_values, "PART", 5)
    tensors, rng = {}, np.random.default_rng(3)
    wanted = {}
    for name, kind in SMALL.items():
        codes = rng.integers(0, 1 << int(name[1]), 104, dtype=np.uint8)
        tensors[name] = (name, (8, 13), packed(codes, int(name[1])))
        wanted[name] = codes.view(kind).astype(np.float32).reshape(8, 13)
    context = opened(safetensors(tmp_path / "packed.safetensors", tensors))
    for name, want in wanted.items():
        assert np.array_equal(saved(context, name), want)
        assert [float(value) for value in view(context, name, start=37, count=9).values] == want.reshape(-1)[
            37:46
        ].tolist()
        assert view(context, name).statistics["max"] == want.max()


def test_a_real_worker_reads_a_large_tensor_in_little_memory(tmp_path: Path) -> None:
    """Three gigabytes that take no room on the disk: the worker may not read them whole, and says what it sampled."""
    rows, columns = 50_000, 15_000
    head = json.dumps(
        {"w": {"dtype": "F32", "shape": [rows, columns], "data_offsets": [0, rows * columns * 4]}}
    ).encode()
    path = tmp_path / "sparse.safetensors"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(head)) + head)
        file.seek(8 + len(head) + (rows * columns - 1) * 4)
        file.write(struct.pack("<f", 5.0))
    _, seen, found = ask_document(path, [(TENSOR, TensorArgs("w")), (TENSOR_MAP, TensorMapArgs("w"))])
    assert (seen.total, seen.looked_at) == (750_000_000, 1 << 24)
    assert (seen.statistics["max"], seen.statistics["sparsity"]) == (5.0, 1 - 1 / (1 << 24))
    assert (found.height, found.width, found.sampled) == (256, 256, True)
