"""The command-line contract, run as a user runs it: a process, its two streams and its exit status."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SIMPLE_NN = 784 * 512 + 512 + 512 * 512 + 512 + 512 * 10 + 10


def inspector(*arguments: str | Path, timeout: int = 240) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "inspector", *map(str, arguments)]
    return subprocess.run(command, text=True, capture_output=True, timeout=timeout)


def as_json(*arguments: str | Path, status: int = 0) -> Any:
    done = inspector(*arguments, "--json")
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("name", "format", "parameters"),
    [
        ("digits_mlp.pt2", "torch.export", SIMPLE_NN),
        ("digits_mlp.torchscript.pt", "torch.script", SIMPLE_NN),
        ("digits_mlp.onnx", "onnx", SIMPLE_NN),
        ("digits_keras.keras", "keras", 784 * 128 + 128 + 128 * 10 + 10),
    ],
)
def test_summary_of_the_samples(samples: Path, name: str, format: str, parameters: int) -> None:
    data = as_json("summary", samples / name)
    assert data["format"] == format
    assert data["totals"]["parameters"] == parameters
    assert {"file", "format", "inputs", "outputs", "totals", "rows"} <= data.keys()
    assert {"layers", "nodes", "parameters", "trainable", "macs", "parameter_bytes"} <= data["totals"].keys()
    for row in data["rows"]:
        assert {"name", "type", "input_shapes", "output_shapes", "parameters", "macs"} <= row.keys()
    assert sum(row["parameters"] for row in data["rows"]) == parameters


def test_the_cnn_has_the_same_numbers_in_both_formats(samples: Path) -> None:
    a, b = (as_json("summary", samples / f"digits_cnn.{suffix}")["totals"] for suffix in ("pt2", "onnx"))
    # The exporter folds BatchNorm into the convolutions' weights or keeps it; multiply-adds do not change.
    assert a["macs"] == b["macs"] > 1_000_000


def test_summary_as_csv_and_text(samples: Path) -> None:
    csv = inspector("summary", samples / "digits_mlp.onnx", "--csv")
    assert csv.returncode == 0
    assert len(csv.stdout.strip().splitlines()) > 3
    text = inspector("summary", samples / "digits_mlp.pt2")
    assert "669,706" in text.stdout


def test_routes_and_formats_and_devices(samples: Path) -> None:
    routes = as_json("routes", samples / "digits_mlp.pt2")
    assert routes["source"] == "torch.export"
    to_tflite = next(r for r in routes["routes"] if r["to"] == "tflite")
    assert to_tflite["route"] == ["torch_export_to_onnx", "onnx_to_tf_saved_model", "tf_saved_model_to_tflite"]
    devices = {d["id"]: d for d in as_json("devices")["devices"]}
    assert devices["onnxruntime:cpu"]["available"]
    assert devices["torch:cpu"]["available"]
    assert all(d["available"] or d["reason"] for d in devices.values())
    assert {"onnx", "torch.export", "torch.script", "keras"} <= {f["id"] for f in as_json("formats")["formats"]}


def test_doctor() -> None:
    report = as_json("doctor")
    assert report["protection"]
    assert not report["below_floor"]


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_graph(samples: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"graph.{suffix}"
    done = inspector("graph", samples / "digits_cnn.onnx", "-o", out)
    assert done.returncode == 0, done.stderr
    start = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[suffix]
    assert out.read_bytes().startswith(start)
    assert out.stat().st_size > 2000


def test_pt2_to_tflite_is_three_proved_edges(samples: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.tflite"
    data = as_json("convert", samples / "digits_mlp.pt2", target)
    assert [step["edge"] for step in data["route"]] == [
        "torch_export_to_onnx",
        "onnx_to_tf_saved_model",
        "tf_saved_model_to_tflite",
    ]
    assert all(step["tool"] and step["version"] and step["seconds"] > 0 for step in data["route"])
    assert data["proof"]["verdict"] == "same"
    for output in data["proof"]["outputs"]:
        assert output["max_abs"] <= 1e-5 * output["largest"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.tflite"]


def test_compare_finds_one_changed_weight(samples: Path, tmp_path: Path) -> None:
    a = samples / "digits_mlp.onnx"
    same = as_json("compare", a, samples / "digits_mlp.pt2")
    assert same["verdict"] == "same"
    damaged = tmp_path / "damaged.onnx"
    script = (
        "import sys, onnx, numpy as np; from onnx import numpy_helper as h\n"
        "m = onnx.load(sys.argv[1]); t = max(m.graph.initializer, key=lambda t: len(t.raw_data))\n"
        "w = h.to_array(t).copy(); w.flat[int(abs(w).argmax())] += 1.0\n"
        "t.CopyFrom(h.from_array(w, t.name)); onnx.save(m, sys.argv[2])\n"
    )
    subprocess.run([sys.executable, "-c", script, str(a), str(damaged)], check=True)
    different = as_json("compare", a, damaged, status=1)
    assert different["verdict"] == "different"
    assert different["outputs"][0]["a"] == "output"
    assert different["outputs"][0]["verdict"] == "different"
    for key in ("a", "b", "max_abs", "mean_abs", "max_rel", "cosine", "noise_floor", "verdict"):
        assert key in different["outputs"][0]


def test_bench(samples: Path) -> None:
    data = as_json("bench", samples / "digits_mlp.onnx", samples / "digits_mlp.pt2", "--runs", "20")
    assert data["environment"]
    assert len(data["results"]) >= 2
    for result in data["results"]:
        times = {"load_ms", "median_ms", "p90_ms", "p99_ms", "ci95_ms", "samples_ms"}
        assert times | {"model", "runtime", "device", "peak_rss_mb"} <= result.keys()
        assert len(result["samples_ms"]) >= 20
        assert 0 < result["ci95_ms"][0] <= result["median_ms"] <= result["ci95_ms"][1]
    assert data["ratios"]
    assert {"a", "b", "ratio", "ci95"} <= data["ratios"][0].keys()


def bad(tmp_path: Path, samples: Path, case: str) -> list[str | Path]:
    """The arguments of one kind of bad input."""
    out = tmp_path / "out.onnx"
    match case:
        case "missing file":
            return ["summary", tmp_path / "nothing.onnx"]
        case "empty file":
            (tmp_path / "empty.onnx").touch()
            return ["summary", tmp_path / "empty.onnx"]
        case "text file":
            (tmp_path / "text.onnx").write_text("just text")
            return ["summary", tmp_path / "text.onnx"]
        case "truncated model":
            data = (samples / "digits_mlp.onnx").read_bytes()
            (tmp_path / "cut.onnx").write_bytes(data[: len(data) // 2])
            return ["summary", tmp_path / "cut.onnx"]
        case "truncated archive":
            data = (samples / "digits_mlp.pt2").read_bytes()
            (tmp_path / "cut.pt2").write_bytes(data[: len(data) // 2])
            return ["summary", tmp_path / "cut.pt2"]
        case "unknown target":
            return ["convert", samples / "digits_mlp.pt2", out, "--to", "caffe"]
        case "unknown suffix":
            return ["convert", samples / "digits_mlp.pt2", tmp_path / "out.xyz"]
        case "impossible route":
            return ["convert", samples / "digits_mlp.onnx", tmp_path / "out.pt2"]
        case "missing folder":
            return ["convert", samples / "digits_mlp.pt2", tmp_path / "no" / "such" / "out.onnx"]
        case "unwritable destination":
            return ["convert", samples / "digits_mlp.pt2", Path("/proc/out.onnx")]
        case "existing destination":
            out.write_bytes(b"mine")
            return ["convert", samples / "digits_mlp.pt2", out]
        case "missing option":
            return ["convert", samples / "digits_mlp.pt2", out, "--option", "colour=red"]
        case "no arguments":
            return ["summary"]
        case "bad seed":
            return ["compare", samples / "digits_mlp.onnx", samples / "digits_mlp.pt2", "--feeds", "seed:x"]
        case "unknown device":
            return ["bench", samples / "digits_mlp.onnx", "--device", "abacus:0"]
        case "one unknown device":
            return ["bench", samples / "digits_mlp.onnx", "--device", "onnxruntime:cpu", "--device", "abacus:0"]
        case "no text":
            (tmp_path / "model\udcff.onnx").write_bytes((samples / "digits_mlp.onnx").read_bytes())
            return ["summary", tmp_path / "model\udcff.onnx"]
        case "long name":
            return ["routes", tmp_path / f"{'a' * 300}.onnx"]
        case "tolerance":
            return ["compare", samples / "digits_mlp.onnx", samples / "digits_mlp.onnx", "--rtol", "nan"]
        case "gap in a shape":
            return ["summary", samples / "digits_mlp.onnx", "--input", "input=[1,,28,28]"]
        case "letter or times":
            return ["summary", samples / "digits_mlp.onnx", "--input", "input=1xmax"]
        case "unreadable":
            (tmp_path / "secret.onnx").write_bytes(b"x")
            (tmp_path / "secret.onnx").chmod(0)
            return ["summary", tmp_path / "secret.onnx"]
    raise AssertionError(case)


CASES = [
    "missing file",
    "empty file",
    "text file",
    "truncated model",
    "truncated archive",
    "unknown target",
    "unknown suffix",
    "impossible route",
    "missing folder",
    "unwritable destination",
    "existing destination",
    "missing option",
    "no arguments",
    "bad seed",
    "unknown device",
    "one unknown device",
    "no text",
    "long name",
    "tolerance",
    "gap in a shape",
    "letter or times",
    "unreadable",
]


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_one_sentence_and_a_hint(samples: Path, tmp_path: Path, case: str) -> None:
    arguments = bad(tmp_path, samples, case)
    before = sorted(tmp_path.rglob("*"))
    done = inspector(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert lines[0].startswith("error: ")
    assert lines[0].endswith((".", "?"))
    assert lines[1].startswith("hint: ")
    assert len(lines) == 2
    assert sorted(tmp_path.rglob("*")) == before
    if case == "existing destination":
        assert (tmp_path / "out.onnx").read_bytes() == b"mine"


@pytest.mark.skipif(shutil.which("update-mime-database") is None, reason="the desktop's tools are not installed")
def test_integrate_and_remove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert inspector("integrate").returncode == 0
    entry = (tmp_path / "applications" / "inspector.desktop").read_text()
    assert "MimeType=" in entry
    assert "application/x-onnx" in (tmp_path / "mime" / "types").read_text()
    if shutil.which("desktop-file-validate"):
        check = subprocess.run(
            ["desktop-file-validate", tmp_path / "applications" / "inspector.desktop"], text=True, capture_output=True
        )
        assert check.returncode == 0, check.stdout
    assert inspector("integrate", "--remove").returncode == 0
    left = [p for p in tmp_path.rglob("*inspector*") if p.is_file()]
    assert not left


def test_the_packaged_mime_description_is_the_formats_own() -> None:
    from inspector.assets import resource
    from inspector.cli.integrate_command import MIME, mime_xml

    assert resource("desktop", MIME).read_text(encoding="utf-8") == mime_xml()
