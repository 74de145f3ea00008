"""`inspector compare` and `inspector bench` as typed: the untouched pair, the damaged copy, bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspector.needs import installed

pytestmark = pytest.mark.skipif(not installed("torch"), reason="torch is not installed")


def inspector(*arguments: object, timeout: float = 240) -> tuple[int, str, str]:
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-m", "inspector", *map(str, arguments)],
        capture_output=True, text=True, timeout=timeout, env=environment, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def compared(*arguments: object) -> tuple[int, dict[str, Any]]:
    code, out, err = inspector("compare", *arguments, "--json")
    assert code in (0, 1), err
    return code, json.loads(out)


@pytest.fixture(scope="session")
def variants(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copies of the ONNX sample: one weight changed, all rounded to float16, dead (a zeroed last layer)."""
    folder = tmp_path_factory.mktemp("variants")
    code = """
import sys, numpy as np, onnx
from onnx import numpy_helper
source, folder = sys.argv[1:]

def variant(name, change):
    model = onnx.load(source)
    change(model.graph)
    onnx.save(model, f"{folder}/{name}.onnx")

def weights(graph):
    return sorted((t for t in graph.initializer if len(t.dims) == 2), key=lambda t: np.prod(t.dims))

def edit(tensor, change):
    array = numpy_helper.to_array(tensor).copy()
    tensor.CopyFrom(numpy_helper.from_array(change(array), tensor.name))

def one(array):
    array[np.unravel_index(np.abs(array).argmax(), array.shape)] *= 1.5
    return array

def shake(graph):  # the sample's own weights are float16 numbers already
    random = np.random.default_rng(0)
    for tensor in weights(graph):
        edit(tensor, lambda array: (array * (1 + 1e-4 * random.standard_normal(array.shape))).astype(np.float32))

def halve(graph):
    shake(graph)
    for tensor in list(graph.initializer):
        if tensor.data_type == onnx.TensorProto.FLOAT:
            array = numpy_helper.to_array(tensor).astype(np.float16)
            wide = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(array, wide + "_half"))
            graph.node.insert(0, onnx.helper.make_node("Cast", [wide + "_half"], [wide], to=onnx.TensorProto.FLOAT))

def dead(graph):
    edit(weights(graph)[0], np.zeros_like)

variant("damaged", lambda graph: edit(weights(graph)[0], one))
variant("whole", shake)
variant("half", halve)
variant("dead", dead)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(samples / "digits_mlp.onnx"), str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def test_the_untouched_pair_is_the_same(samples: Path):
    code, parity = compared(samples / "digits_mlp.pt2", samples / "digits_mlp.onnx")
    (output,) = parity["outputs"]
    assert (code, parity["verdict"], output["verdict"]) == (0, "same", "noise")
    assert (output["a"], output["b"]) == ("output", "output")
    assert 0 < output["noise_floor"] < output["tolerance"]
    assert output["max_abs"] <= output["tolerance"]
    assert output["cosine"] > 0.999999
    assert "batch 1 and 5" in parity["feeds"]
    assert (parity["device_a"], parity["device_b"]) == ("torch:cpu", "onnxruntime:cpu")


def test_a_damaged_copy_is_different_and_the_output_is_named(samples: Path, variants: Path):
    code, parity = compared(samples / "digits_mlp.onnx", variants / "damaged.onnx")
    assert (code, parity["verdict"]) == (1, "different")
    assert parity["outputs"][0]["verdict"] == "different"
    assert "output" in parity["sentence"]
    code, out, err = inspector("compare", samples / "digits_mlp.onnx", variants / "damaged.onnx")
    assert code == 1
    assert "not the same model" in out
    assert "Traceback" not in err


def test_half_weights_are_precision(samples: Path, variants: Path):
    code, parity = compared(variants / "whole.onnx", variants / "half.onnx")
    assert (code, parity["verdict"]) == (0, "precision")
    assert "float16" in parity["outputs"][0]["sentence"]


def test_a_dead_model_proves_nothing_even_against_itself(variants: Path):
    code, parity = compared(variants / "dead.onnx", variants / "dead.onnx")
    assert (code, parity["verdict"], parity["outputs"][0]["verdict"]) == (1, "nothing proved", "vacuous")


def test_real_inputs_and_tolerances_of_the_user(samples: Path, variants: Path):
    pair = (samples / "digits_mlp.onnx", variants / "damaged.onnx")
    code, parity = compared(*pair, "--feeds", samples / "digits.npz", "--rtol", 10, "--atol", 1000)
    assert (code, parity["verdict"]) == (0, "same")
    assert "digits.npz" in parity["feeds"]
    assert "asked for" in parity["outputs"][0]["why"]


def test_torchscript_takes_its_shapes_from_the_other(samples: Path):
    code, parity = compared(samples / "digits_mlp.torchscript.pt", samples / "digits_mlp.onnx")
    assert (code, parity["verdict"]) == (0, "same")


def test_other_models_are_different(samples: Path):
    code, parity = compared(samples / "digits_mlp.onnx", samples / "digits_cnn.onnx")
    assert (code, parity["verdict"]) == (1, "different")


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "is empty"), (b"hello", "text file"), (None, "no file")], ids=["empty", "text", "none"]
)
def test_what_is_no_model_is_an_error(samples: Path, tmp_path: Path, content: bytes | None, words: str):
    other = tmp_path / "other.onnx"
    if content is not None:
        other.write_bytes(content)
    code, out, err = inspector("compare", samples / "digits_mlp.onnx", other)
    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err


def test_models_that_take_other_inputs_are_an_error(samples: Path, tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", OTHER_INPUT, str(tmp_path / "other.onnx")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    code, _, err = inspector("compare", samples / "digits_mlp.onnx", tmp_path / "other.onnx")
    assert code == 2
    assert "'tokens'" in err


OTHER_INPUT = """
import sys, onnx
from onnx import helper, TensorProto as T
x = helper.make_tensor_value_info("tokens", T.INT64, [1, 7])
y = helper.make_tensor_value_info("y", T.INT64, [1, 7])
graph = helper.make_graph([helper.make_node("Identity", ["tokens"], ["y"])], "g", [x], [y])
onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), sys.argv[1])
"""


def test_bench_keeps_the_contract(samples: Path):
    models = (samples / "digits_mlp.onnx", samples / "digits_cnn.onnx")
    code, out, err = inspector("bench", *models, "--runs", 30, "--json")
    assert code == 0, err
    bench = json.loads(out)
    assert {"cpu", "cores", "system", "load"} <= bench["environment"].keys() | {"load"}
    assert [Path(result["model"]).name for result in bench["results"]] == [model.name for model in models]
    for result in bench["results"]:
        samples_ms = np.array(result["samples_ms"])
        assert len(samples_ms) == len(result["round_of"]) == 30
        assert result["median_ms"] == pytest.approx(np.median(samples_ms))
        assert result["p90_ms"] == pytest.approx(np.percentile(samples_ms, 90))
        assert result["ci95_ms"][0] <= result["median_ms"] <= result["ci95_ms"][1]
        assert result["load_ms"] > 0
        assert result["peak_rss_mb"] > 10 or sys.platform == "win32"
        assert result["device"] == "onnxruntime:cpu"
        assert result["facts"]["onnxruntime"]
    (ratio,) = bench["ratios"]
    assert (ratio["a"], ratio["b"]) == (0, 1)
    assert ratio["ci95"][0] <= ratio["ratio"] <= ratio["ci95"][1]
    assert bench["sentence"] == ratio["sentence"]


def test_bench_says_what_it_cannot_measure(samples: Path):
    code, out, err = inspector("bench", samples / "digits_mlp.onnx", "--device", "onnxruntime:cuda", "--json")
    assert (code, out) == (2, "")
    assert "cuda" in err.lower()


def test_a_model_that_fails_on_the_way_has_no_figures_and_says_why(samples: Path):
    """A worker that dies between rounds takes its model out of the race; when all have died there is one sentence."""
    from inspector.errors import InspectorError, WorkerDied
    from inspector.jobs.bench import bench
    from inspector.jobs.recipe import Ask
    from inspector.jobs.requests import BenchRequest
    from inspector.jobs.terminal import run

    def dying(recipe: Any, victims: int) -> Any:
        """The same recipe; once some rounds are measured, the first workers no longer answer."""
        asked: dict[int, int] = {}
        step, value, error = None, None, None
        while True:
            try:
                step = recipe.send(value) if error is None else recipe.throw(error)
            except StopIteration as stop:
                return stop.value
            value = error = None
            if isinstance(step, Ask) and step.task.id == "session_time":
                asked[step.worker.id] = asked.get(step.worker.id, 0) + 1
                if asked[step.worker.id] > 5 and sorted(asked).index(step.worker.id) < victims:
                    error = WorkerDied("It was killed.")
                    continue
            value = yield step

    request = BenchRequest(
        models=(str(samples / "digits_mlp.onnx"), str(samples / "digits_cnn.onnx")),
        devices=("onnxruntime:cpu",),
        runs=12,
    )
    result = run(dying(bench(request), victims=1))
    assert [bool(measured.samples_ms) for measured in result.results] == [False, True]
    assert "killed" in result.results[0].error
    assert result.ratios == ()
    assert "digits_cnn.onnx" in result.sentence or "ONNX Runtime" in result.sentence
    with pytest.raises(InspectorError, match="Nothing could be measured") as caught:
        run(dying(bench(request), victims=2))
    assert "killed" in caught.value.hint
