"""Every runtime on a sample, in a child process as in life: frameworks never come into the process of the tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspector.engines.parity import bundle
from inspector.errors import InspectorError
from inspector.jobs.devices import devices
from inspector.jobs.recipe import Ask, Folder, Recipe, Start
from inspector.jobs.sessions import open_session
from inspector.jobs.terminal import run
from inspector.needs import installed
from inspector.worker.tasks.session_run import TASK as SESSION_RUN
from inspector.worker.tasks.session_run import SessionRan, SessionRunArgs
from inspector.worker.tasks.session_time import TASK as SESSION_TIME
from inspector.worker.tasks.session_time import SessionTimeArgs, SessionTimed

NEEDS = {"torch": "torch", "onnxruntime": "onnxruntime", "tensorflow": "tensorflow", "litert": "ai_edge_litert"}


def needs(*frameworks: str):
    absent = [name for name in frameworks if not installed(NEEDS[name])]
    return pytest.mark.skipif(bool(absent), reason=f"not installed: {absent}")


def runs(path: Path, device: str, feeds: Sequence[dict[str, Any]], *, exact: bool = False, keep: Path) -> Recipe[Any]:
    """Open a model, run it on feeds, time it; give what it said and the outputs."""
    folder = yield Folder()
    opened = yield from open_session(path, device, threads=1)
    outputs = []
    for i, feed in enumerate(feeds):
        bundle.save(folder / f"in-{i}.npz", feed)
        args = SessionRunArgs(feeds=str(folder / f"in-{i}.npz"), result=str(folder / f"out-{i}.npz"), exact=exact)
        ran: SessionRan = yield Ask(opened.worker, SESSION_RUN, args)
        outputs.append(bundle.load(folder / f"out-{i}.npz") if ran.ran else None)
    timed: SessionTimed = yield Ask(
        opened.worker, SESSION_TIME, SessionTimeArgs(feeds=str(folder / "in-0.npz"), runs=5, warmup=10)
    )
    return opened, outputs, timed


def digits(samples: Path, channels: bool = True) -> tuple[np.ndarray, np.ndarray]:
    with np.load(samples / "digits.npz") as file:
        x, y = file["x"].astype(np.float32), file["y"]
    return (x if channels else x[:, 0]), y


def check(samples: Path, path: Path, device: str, tmp_path: Path, name: str = "input", channels: bool = True) -> Any:
    x, y = digits(samples, channels)
    opened, outputs, timed = run(runs(path, device, [{name: x[:1]}, {name: x}], keep=tmp_path))
    assert [spec.name for spec in opened.session.inputs] == [name]
    assert opened.session.inputs[0].dtype == "float32"
    (single,), (many,) = outputs[0].values(), outputs[1].values()
    assert single.shape == (1, 10)
    np.testing.assert_allclose(single, many[:1], rtol=1e-4, atol=1e-4)
    assert (many.argmax(1) == y).mean() >= 0.9, "held-back digits are recognised"
    assert len(timed.samples_ms) == 5
    assert min(timed.samples_ms) > 0
    assert timed.peak_rss_mb > 10 or sys.platform == "win32"
    assert opened.session.facts["threads"].startswith("1")
    assert opened.session.numbers == "float32"
    return opened


@needs("onnxruntime")
@pytest.mark.parametrize("sample", ["digits_mlp.onnx", "digits_cnn.onnx"])
def test_onnxruntime(samples: Path, tmp_path: Path, sample: str):
    opened = check(samples, samples / sample, "onnxruntime:cpu", tmp_path)
    assert [spec.name for spec in opened.session.outputs] == ["output"]


@needs("torch")
@pytest.mark.parametrize("sample", ["digits_mlp.pt2", "digits_cnn.pt2", "digits_mlp.torchscript.pt"])
def test_torch(samples: Path, tmp_path: Path, sample: str):
    opened = check(samples, samples / sample, "torch:cpu", tmp_path)
    assert opened.session.outputs == () or opened.session.outputs[0].name == "output"


@needs("torch")
@pytest.mark.parametrize("sample", ["digits_cnn.pt2", "digits_mlp.torchscript.pt"])
def test_torch_computes_in_float64_when_asked(samples: Path, tmp_path: Path, sample: str):
    x, _ = digits(samples)
    _, (plain,), _ = run(runs(samples / sample, "torch:cpu", [{"input": x[:4]}], keep=tmp_path))
    _, (exact,), _ = run(runs(samples / sample, "torch:cpu", [{"input": x[:4]}], exact=True, keep=tmp_path))
    assert exact["output"].dtype == np.float64
    gap = np.abs(exact["output"] - plain["output"]).max()
    assert 0 < gap < 1e-4


@needs("tensorflow")
def test_tensorflow_runs_keras(samples: Path, tmp_path: Path):
    check(samples, samples / "digits_keras.keras", "tensorflow:cpu", tmp_path, channels=False)


@pytest.fixture(scope="session")
def converted(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Keras sample as a SavedModel and as TFLite files of three number formats, made once in a child process."""
    folder = tmp_path_factory.mktemp("converted")
    code = """
import sys, numpy as np, tensorflow as tf, keras
sample, digits, folder = sys.argv[1:]
keras.models.load_model(sample).export(folder + "/saved", verbose=False)
x = np.load(digits)["x"].astype("float32")[:, 0]
for name in ("float32", "float16", "dynamic", "int8"):
    converter = tf.lite.TFLiteConverter.from_saved_model(folder + "/saved")
    if name != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if name == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if name == "int8":
        converter.representative_dataset = lambda: ([x[i : i + 1]] for i in range(100))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    open(f"{folder}/{name}.tflite", "wb").write(converter.convert())
"""
    arguments = [str(samples / "digits_keras.keras"), str(samples / "digits.npz"), str(folder)]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@needs("tensorflow")
def test_tensorflow_runs_saved_models(samples: Path, tmp_path: Path, converted: Path):
    opened = check(samples, converted / "saved", "tensorflow:cpu", tmp_path, channels=False)
    assert opened.session.facts["place"] == "/CPU:0"


@needs("tensorflow", "litert")
@pytest.mark.parametrize("device", ["litert:cpu-xnnpack", "litert:cpu"])
def test_litert(samples: Path, tmp_path: Path, converted: Path, device: str):
    check(samples, converted / "float32.tflite", device, tmp_path, channels=False)


@needs("tensorflow", "litert")
def test_litert_speaks_floats_to_quantised_models(samples: Path, tmp_path: Path, converted: Path):
    x, y = digits(samples, channels=False)
    path = converted / "int8.tflite"
    opened, (outputs,), _ = run(runs(path, "litert:cpu-xnnpack", [{"input": x}], keep=tmp_path))
    (scores,) = outputs.values()
    assert opened.session.inputs[0].dtype == "int8"
    assert scores.dtype == np.float32
    assert (scores.argmax(1) == y).mean() >= 0.9
    assert opened.session.numbers == "int8"


def test_every_device_has_a_title_and_the_missing_ones_a_reason():
    found = run(devices()).devices
    assert len({device.id for device in found}) == len(found)
    assert all(device.title for device in found)
    assert all(device.available or device.reason for device in found)
    available = {device.id for device in found if device.available}
    expected = {
        "torch": {"torch:cpu"},
        "onnxruntime": {"onnxruntime:cpu"},
        "tensorflow": {"tensorflow:cpu"},
        "litert": {"litert:cpu", "litert:cpu-xnnpack"},
    }
    for name, ids in expected.items():
        assert not installed(NEEDS[name]) or ids <= available


def opening(path: Path, device: str = "") -> Recipe[Any]:
    return (yield from open_session(path, device))


@pytest.mark.parametrize(
    ("sample", "device", "what"),
    [
        ("digits_mlp.onnx", "abacus:cpu", "no runtime for the device"),
        ("digits_mlp.onnx", "litert:cpu", "LiteRT does not run"),
        ("digits_mlp.onnx", "onnxruntime:abacus", "no device 'onnxruntime:abacus'"),
    ],
)
def test_a_device_that_will_not_do_is_named(samples: Path, sample: str, device: str, what: str):
    with pytest.raises(InspectorError, match=what) as error:
        run(opening(samples / sample, device))
    assert error.value.hint


@needs("onnxruntime")
def test_a_damaged_model_is_one_sentence(samples: Path, tmp_path: Path):
    broken = tmp_path / "broken.onnx"
    whole = (samples / "digits_cnn.onnx").read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InspectorError, match=r"cannot open broken\.onnx") as error:
        run(opening(broken))
    assert "\n" not in error.value.what


@needs("tensorflow", "litert")
def test_a_saved_model_that_does_not_load_is_one_sentence(tmp_path: Path, converted: Path):
    copy = tmp_path / "saved"
    shutil.copytree(converted / "saved", copy)
    shutil.rmtree(copy / "variables")
    with pytest.raises(InspectorError, match="TensorFlow cannot open saved"):
        run(opening(copy))


def test_an_ask_without_an_open_model_is_refused(tmp_path: Path):
    def recipe() -> Recipe[None]:
        worker = yield Start("Nothing open")
        yield Ask(worker, SESSION_TIME, SessionTimeArgs(feeds="x.npz", runs=1))

    with pytest.raises(InspectorError, match="No model is open"):
        run(recipe())
