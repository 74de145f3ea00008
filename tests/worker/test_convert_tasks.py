"""The tasks of a conversion: hashes as sha256sum prints them, results checked by bytes, edges run and preflighted."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from inspector.errors import ConversionError, InspectorError
from inspector.jobs.recipe import Ask, Folder, Recipe, Start
from inspector.jobs.terminal import run
from inspector.worker.tasks import Context
from inspector.worker.tasks.convert_step import TASK as CONVERT_STEP
from inspector.worker.tasks.convert_step import ConvertStepArgs
from inspector.worker.tasks.fingerprint import TASK as FINGERPRINT
from inspector.worker.tasks.fingerprint import FingerprintArgs
from inspector.worker.tasks.preflight import TASK as PREFLIGHT
from inspector.worker.tasks.preflight import PreflightArgs


def asked(*questions: tuple[Any, Any]) -> list[Any]:
    """The answers of one run worker; {folder} in a target stands for the only place where it may write."""

    def recipe() -> Recipe[list[Any]]:
        folder = yield Folder()
        worker = yield Start("Asking")
        answers = []
        for task, args in questions:
            if hasattr(args, "target"):
                args = msgspec.structs.replace(args, target=args.target.format(folder=folder))
            answers.append((yield Ask(worker, task, args)))
        return answers

    return run(recipe())


def fingerprint(path: Path, format: str = "", beside: tuple[str, ...] = ()) -> str:
    return FINGERPRINT.run(FingerprintArgs(str(path), format, beside), Context()).sha256


def test_the_hash_of_a_file_is_its_sha256(samples: Path) -> None:
    path = samples / "digits_mlp.onnx"
    assert fingerprint(path, "onnx") == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_hash_of_several_files_is_that_of_what_sha256sum_prints(tmp_path: Path) -> None:
    (tmp_path / "sm" / "variables").mkdir(parents=True)
    (tmp_path / "sm" / "saved_model.pb").write_bytes(b"graph")
    (tmp_path / "sm" / "variables" / "index").write_bytes(b"weights")
    script = "find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs sha256sum | sha256sum"
    printed = subprocess.run(["sh", "-c", script], cwd=tmp_path / "sm", capture_output=True, text=True, check=True)
    assert fingerprint(tmp_path / "sm") == printed.stdout.split()[0]
    (tmp_path / "m.onnx").write_bytes(b"model")
    (tmp_path / "m.onnx.data").write_bytes(b"weights")
    both = fingerprint(tmp_path / "m.onnx", beside=("m.onnx.data",))
    (tmp_path / "m.onnx.data").write_bytes(b"other weights")
    assert fingerprint(tmp_path / "m.onnx", beside=("m.onnx.data",)) != both


def test_a_result_of_another_format_is_discarded(samples: Path) -> None:
    with pytest.raises(ConversionError, match="The converter wrote ONNX where tflite was wanted"):
        fingerprint(samples / "digits_mlp.onnx", "tflite")


def test_a_result_that_does_not_open_is_discarded(samples: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes((samples / "digits_mlp.onnx").read_bytes()[:5000])
    with pytest.raises(ConversionError, match="The converter wrote a file that cannot be opened"):
        fingerprint(path, "onnx")


@pytest.fixture
def toy_model(tmp_path: Path) -> Path:
    """A model with an operator that onnx-tf does not know, and one that nobody can prove."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in "xy")
    nodes = [
        helper.make_node("RandomNormalLike", ["x"], ["r"]),
        helper.make_node("Add", ["x", "r"], ["s"]),
        helper.make_node("Unique", ["s"], ["y"]),
    ]
    model = helper.make_model(
        helper.make_graph(nodes, "g", [x], [y]), opset_imports=[helper.make_opsetid("", 18)], ir_version=10
    )
    onnx.save(model, tmp_path / "toy.onnx")
    return tmp_path / "toy.onnx"


def test_the_preflight_names_what_onnx_tf_cannot_convert(toy_model: Path, samples: Path) -> None:
    edge = "onnx_to_tf_saved_model"
    found, clear = asked(
        (PREFLIGHT, PreflightArgs(edge, str(toy_model))),
        (PREFLIGHT, PreflightArgs(edge, str(samples / "digits_cnn.onnx"))),
    )
    assert found.obstacles == (
        "RandomNormalLike (one node) gives random numbers, so the result could not be proved.",
        "onnx-tf has no handler for Unique of opset 18 (one node).",
    )
    assert clear.obstacles == ()


def test_an_edge_runs_by_name_with_plain_options(samples: Path, tmp_path: Path, toys: Path) -> None:
    args = ConvertStepArgs("onnx_to_toy", str(samples / "digits_mlp.onnx"), str(tmp_path / "m.toy"))
    done = CONVERT_STEP.run(args, Context(tmp_path))
    assert (tmp_path / "m.toy").read_bytes() == b"TOY1"
    assert done.files == ("m.toy",)
    with pytest.raises(InspectorError, match="has no option"):
        CONVERT_STEP.run(ConvertStepArgs("onnx_to_toy", "a", "b", {"x": 1}), Context(tmp_path))


def test_names_that_tensorflow_does_not_take_are_changed_and_said(tmp_path: Path) -> None:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3]) for name in ("in.1", "out/1:0"))
    weight = onnx.numpy_helper.from_array(np.eye(3, dtype=np.float32), "w:0")
    graph = helper.make_graph([helper.make_node("MatMul", ["in.1", "w:0"], ["out/1:0"])], "g", [x], [y], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "m.onnx")
    args = ConvertStepArgs("onnx_to_tf_saved_model", str(tmp_path / "m.onnx"), "{folder}/m")
    (done,) = asked((CONVERT_STEP, args))
    assert done.facts["renamed"] == "in.1 → in_1"
    assert "onnx-tf 1.10.0" in done.version
