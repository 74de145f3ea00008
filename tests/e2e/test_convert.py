"""Every edge on a sample, through real workers, proved; the chain of three; and what a cancel or a crash leaves."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest
from PySide6.QtCore import QEventLoop, QTimer

from inspector.engines.parity.verdict import Verdict
from inspector.errors import InspectorError
from inspector.formats import Source, identify
from inspector.jobs.convert import convert
from inspector.jobs.job import Job, Outcome
from inspector.jobs.process import WorkerProcess
from inspector.jobs.requests import Conversion, ConvertRequest
from inspector.jobs.terminal import ask_document, run

KERAS = "digits_keras.keras"
STATIC = {"input": (1, 1, 28, 28)}


def converted(source: Path, target: Path, to: str, **more: Any) -> Conversion:
    before = {path.name for path in target.parent.iterdir()}
    done = run(convert(ConvertRequest(source=str(source), target=str(target), to=to, **more)))
    assert {path.name for path in target.parent.iterdir()} - before == {Path(file).name for file in done.files}
    assert identify(Source(target)).id == to
    assert done.proof is not None, done.proof_note
    return done


def close(done: Conversion) -> None:
    """The same model: within the tolerance that the issue asks for, relative to the largest logit."""
    assert done.proof is not None
    assert done.proof.verdict is Verdict.SAME, done.proof.sentence
    for output in done.proof.outputs:
        assert output.max_abs <= 1e-5 * output.largest


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def keras_saved_model(samples: Path, kept: Path) -> Path:
    target = kept / "keras_saved_model"
    if not target.exists():
        close(converted(samples / KERAS, target, "tf.saved_model"))
    return target


def test_pt2_to_tflite_is_a_chain_of_three(samples: Path, tmp_path: Path) -> None:
    source, target = samples / "digits_mlp.pt2", tmp_path / "digits.tflite"
    done = converted(source, target, "tflite")
    close(done)
    assert [step.edge for step in done.route] == [
        "torch_export_to_onnx",
        "onnx_to_tf_saved_model",
        "tf_saved_model_to_tflite",
    ]
    assert all(step.seconds > 0 and step.version for step in done.route)
    assert done.route[0].facts["opset"] == "18"
    assert done.source_sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert done.target_sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    assert done.proof is not None
    assert "batch 1 and 5" in done.proof.feeds


def test_pt2_to_onnx_keeps_names_and_leaves_no_path_of_this_machine(samples: Path, tmp_path: Path) -> None:
    target = tmp_path / "digits.onnx"
    done = converted(
        samples / "digits_cnn.pt2", target, "onnx", options={"torch_export_to_onnx": {"output_names": ["digit"]}}
    )
    close(done)
    model = onnx.load(target)
    onnx.checker.check_model(model, full_check=True)
    assert [value.name for value in model.graph.input] == ["input"]
    assert [value.name for value in model.graph.output] == ["digit"]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param
    for place in (str(Path.home()), sys.prefix, str(Path(__file__).parents[2])):
        assert place.encode() not in target.read_bytes()


def test_onnx_to_saved_model(samples: Path, tmp_path: Path) -> None:
    done = converted(samples / "digits_cnn.onnx", tmp_path / "digits", "tf.saved_model")
    close(done)
    assert done.route[0].version.startswith("onnx-tf 1.10.0")


def test_keras_to_onnx(samples: Path, tmp_path: Path) -> None:
    done = converted(samples / KERAS, tmp_path / "k.onnx", "onnx", options={"keras_to_onnx": {"opset": "13"}})
    close(done)
    assert done.route[0].facts["opset"] == "13"


def test_keras_to_saved_model_and_on_to_onnx(keras_saved_model: Path, tmp_path: Path) -> None:
    done = converted(keras_saved_model, tmp_path / "k.onnx", "onnx")
    close(done)
    assert done.route[0].edge == "tf_saved_model_to_onnx"


def test_saved_model_to_tflite_in_float16(keras_saved_model: Path, tmp_path: Path) -> None:
    options = {"tf_saved_model_to_tflite": {"precision": "float16"}}
    done = converted(keras_saved_model, tmp_path / "k.tflite", "tflite", options=options)
    assert done.proof is not None
    assert done.proof.outputs[0].max_abs <= 1e-2 * done.proof.outputs[0].largest
    assert (tmp_path / "k.tflite").stat().st_size < 250_000


def test_keras_to_tflite_whole_and_quantised(samples: Path, tmp_path: Path) -> None:
    whole = converted(samples / KERAS, tmp_path / "k.tflite", "tflite")
    close(whole)
    assert [step.edge for step in whole.route] == ["keras_to_tflite"]
    options = {"keras_to_tflite": {"precision": "dynamic-int8"}}
    small = converted(samples / KERAS, tmp_path / "q.tflite", "tflite", options=options)
    assert small.proof is not None
    assert small.proof.outputs[0].max_abs <= 0.1 * small.proof.outputs[0].largest
    assert (tmp_path / "q.tflite").stat().st_size < 0.4 * (tmp_path / "k.tflite").stat().st_size


def test_torchscript_without_a_shape_says_what_to_give(samples: Path, tmp_path: Path) -> None:
    code = "import sys, torch; torch.jit.script(torch.nn.Sequential(torch.nn.Linear(4, 2))).save(sys.argv[1])"
    source = tmp_path / "scripted.pt"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(source)], check=True, capture_output=True)
    with pytest.raises(InspectorError) as caught:
        run(convert(ConvertRequest(source=str(source), target=str(tmp_path / "s.onnx"), to="onnx")))
    assert caught.value.what == "The TorchScript file does not say how large its input 'input' is."
    assert caught.value.hint == "Give its shape, such as input=1x3x224x224."
    assert [path.name for path in tmp_path.iterdir()] == ["scripted.pt"]


def test_a_truncated_model_is_an_error_in_words(samples: Path, tmp_path: Path) -> None:
    source = tmp_path / "broken.onnx"
    source.write_bytes((samples / "digits_mlp.onnx").read_bytes()[:100_000])
    with pytest.raises(InspectorError) as caught:
        run(convert(ConvertRequest(source=str(source), target=str(tmp_path / "x"), to="tf.saved_model")))
    assert caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["broken.onnx"]


class Watched:
    """A job that is interfered with at a word of its progress."""

    def __init__(self, request: ConvertRequest) -> None:
        self.job = Job(convert(request), lambda step, folder: WorkerProcess("run", folder))
        self.words: list[str] = []
        self.outcomes: list[Outcome] = []
        self.folder = self.job.folder()

    def until_end(self, word: str, act: Any) -> Outcome:
        loop = QEventLoop()

        def on_progress(_fraction: object, text: str) -> None:
            self.words.append(text)
            if word in text and act is not None:
                QTimer.singleShot(50, act)

        self.job.progressed.connect(on_progress)
        self.job.ended.connect(self.outcomes.append)
        self.job.ended.connect(loop.quit)
        QTimer.singleShot(0, self.job.start)
        loop.exec()
        self.job.deleteLater()
        return self.outcomes[0]


@pytest.fixture
def request_(samples: Path, tmp_path: Path) -> ConvertRequest:
    return ConvertRequest(source=str(samples / "digits_mlp.pt2"), target=str(tmp_path / "m.onnx"), to="onnx")


def test_cancel_in_the_midst_leaves_nothing(request_: ConvertRequest, tmp_path: Path) -> None:
    watched = Watched(request_)
    outcome = watched.until_end("Loading the exported program", watched.job.cancel)
    assert outcome.state == "cancelled"
    assert list(tmp_path.iterdir()) == []
    assert not watched.folder.exists()


def test_a_killed_worker_is_one_clear_message_and_leaves_nothing(request_: ConvertRequest, tmp_path: Path) -> None:
    watched = Watched(request_)

    def kill() -> None:
        for pid in watched.job.pids:
            os.kill(pid, signal.SIGSEGV)

    outcome = watched.until_end("Loading the exported program", kill)
    assert outcome.state == "failed"
    assert outcome.what
    assert "Traceback" not in outcome.what
    assert list(tmp_path.iterdir()) == []
    assert not watched.folder.exists()


def test_the_result_opens_in_a_document_worker(keras_saved_model: Path, samples: Path) -> None:
    (of_source,) = ask_document(samples / KERAS, [])
    (of_result,) = ask_document(keras_saved_model, [])
    assert of_source.totals.parameters == of_result.totals.parameters == 101_770
