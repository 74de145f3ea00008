"""`inspector compare --layers`: which value inside is which, and the first that is off."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from inspector.needs import installed

pytestmark = pytest.mark.skipif(not installed("torch"), reason="torch is not installed")

DAMAGE = """
import sys, numpy as np, onnx
from onnx import numpy_helper
model = onnx.load(sys.argv[1])
convs = [node for node in model.graph.node if node.op_type == "Conv"]
middle = convs[len(convs) // 2]
(weight,) = (t for t in model.graph.initializer if t.name == middle.input[1])
array = numpy_helper.to_array(weight).copy()
array[3, 5, 1, 1] += 0.25
weight.CopyFrom(numpy_helper.from_array(array, weight.name))
onnx.save(model, sys.argv[2])
print(middle.name, middle.output[0])
"""


def inspector(*arguments: object) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "inspector", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    return done.returncode, done.stdout, done.stderr


def compared(*arguments: object) -> tuple[int, dict[str, Any]]:
    code, out, err = inspector("compare", *arguments, "--layers", "--json")
    assert code in (0, 1), err
    return code, json.loads(out)


@pytest.fixture(scope="module")
def damaged(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A copy of the ONNX sample with one weight of its middle convolution changed; the node and its output."""
    path = tmp_path_factory.mktemp("damaged") / "damaged.onnx"
    command = [sys.executable, "-c", DAMAGE, str(samples / "digits_cnn.onnx"), str(path)]
    node, value = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return path, node, value


def test_an_untouched_pair_has_no_divergence(samples: Path) -> None:
    code, parity = compared(samples / "digits_cnn.pt2", samples / "digits_cnn.onnx")
    assert (code, parity["first_divergence"], parity["layers_note"]) == (0, None, "")
    pairs = {layer["a"]: layer["b"] for layer in parity["layers"]}
    assert len(pairs) == 15  # every value of the ONNX file; its convolutions are those after the normalisation
    assert pairs["batch_norm_2"] == "getitem_6"
    assert pairs["linear"] == "output"
    for layer in parity["layers"]:
        assert layer["max_abs"] <= layer["tolerance"]
        assert layer["verdict"] in ("identical", "noise")
        assert {"paired_by", "mean_abs", "max_rel", "largest", "node_a", "node_b"} <= layer.keys()


@pytest.mark.parametrize("reference", ["digits_cnn.pt2", "digits_cnn.onnx"])
def test_the_first_divergence_is_the_layer_that_was_changed(
    samples: Path, damaged: tuple[Path, str, str], reference: str
) -> None:
    path, node, value = damaged
    code, parity = compared(samples / reference, path)
    first = parity["first_divergence"]
    assert (code, parity["verdict"]) == (1, "different")
    assert (first["b"], first["node_b"], first["verdict"]) == (value, node, "different")
    assert first["max_abs"] > first["tolerance"]
    before = parity["layers"][: parity["layers"].index(first)]
    assert len(before) >= 4
    assert {layer["verdict"] for layer in before} <= {"identical", "noise"}


def test_the_table_marks_it(samples: Path, damaged: tuple[Path, str, str]) -> None:
    path, node, value = damaged
    code, out, _ = inspector("compare", samples / "digits_cnn.onnx", path, "--layers")
    assert code == 1
    (marked,) = [line for line in out.splitlines() if line.startswith("▶")]
    assert value in marked
    assert f"First divergence: {value} (Conv, node {node})" in out


def test_the_layers_of_the_other_framework_are_found_by_content(
    samples: Path, damaged: tuple[Path, str, str], tmp_path: Path
) -> None:
    if not (installed("tensorflow") and installed("ai_edge_litert")):
        pytest.skip("TensorFlow or LiteRT is not installed")
    path, _, value = damaged
    lite = tmp_path / "cnn.tflite"
    code, _, err = inspector("convert", samples / "digits_cnn.onnx", lite, "--no-proof")
    assert code == 0, err
    code, parity = compared(samples / "digits_cnn.onnx", lite)
    layers = parity["layers"]
    assert (code, parity["first_divergence"]) == (0, None)
    assert len(layers) >= 9  # of 15: the rectifiers are fused into the convolutions
    assert sum(layer["paired_by"] == "content" for layer in layers) > len(layers) / 2
    assert any(layer["layout"] == "NHWC→NCHW" for layer in layers)
    code, parity = compared(path, lite)
    assert (code, parity["first_divergence"]["a"]) == (1, value)


def test_torchscript_is_looked_into(samples: Path) -> None:
    code, parity = compared(samples / "digits_mlp.torchscript.pt", samples / "digits_mlp.onnx")
    assert (code, parity["first_divergence"], parity["layers_note"]) == (0, None, "")
    assert [layer["op_a"] for layer in parity["layers"]] == [
        "aten::flatten",
        *["aten::linear", "aten::relu"] * 2,
        "aten::linear",
    ]
