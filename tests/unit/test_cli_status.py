"""Exit statuses that need no model: what was asked to be proved and is not, and how a command is stopped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto, helper

from inspector.__main__ import is_option
from inspector.__main__ import main as command
from inspector.assets import resource
from inspector.cli import main as module
from inspector.cli.main import main
from inspector.jobs import terminal
from inspector.jobs.requests import Conversion


@pytest.mark.parametrize(("arguments", "status"), [((), 1), (("--no-proof",), 0)])
def test_a_proof_that_was_wanted_and_is_not_there_is_nothing_proved(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], status: int
) -> None:
    done = Conversion(source="a", target="b", to="onnx", route=(), files=(), seconds=1.0, proof_note="It does not run.")

    def run(recipe: Any, *_: Any) -> Conversion:
        recipe.close()
        return done

    monkeypatch.setattr(terminal, "run", run)
    assert main(["convert", str(samples / "digits_mlp.pt2"), str(tmp_path / "out.onnx"), *arguments]) == status


ONNX = str(resource("samples", "digits_mlp.onnx"))
ROOT = Path.cwd().anchor


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-x",), "There is no option -x."),
        (("summary", ROOT), f"{ROOT} is a folder"),
        (("summary", ONNX, "--dim", "batch=²"), "'batch=²' is not a dimension."),
        (("summary", ONNX, "--dim", f"batch={10**25}"), f"'batch={10**25}' is not a dimension."),
        (("summary", ONNX, "--input", f"input={10**25}x1x28x28"), "This number is too large."),
        (("summary", ONNX, "--depth", "-3"), "Argument --depth: '-3' is no whole number from 0 to 2,147,483,647."),
        (("summary", ONNX, "--depth", str(10**25)), f"Argument --depth: '{10**25}' is no whole number"),
        (("graph", ONNX, "-o", "never.svg", "--expand", "²"), "'²' is not a depth."),
        (("graph", ONNX, "-o", "never.svg", "--expand", str(10**25)), f"'{10**25}' is not a depth."),
        (("compare", ONNX, ONNX, "--feeds", "seed:²"), "'seed:²' is not a seed."),
        (("compare", ONNX, ONNX, "--feeds", f"seed:{10**15}"), f"'seed:{10**15}' is not a seed."),
        (("compare", ONNX, ONNX, "--batches", "1,²"), "'1,²' is not a list of batch sizes."),
        (("bench", ONNX, "--runs", "0"), "Argument --runs: '0' is no whole number from 1"),
        (
            ("convert", ONNX, "out.x"),
            "out.x does not say which format to write.\nhint: Add --to with one of: tf.saved_m",
        ),
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(list(arguments)) == 2
    done = capsys.readouterr()
    assert done.out == ""
    assert done.err.startswith(f"error: {says}")
    assert done.err.count("\n") == 2, "one sentence and one hint"


def test_a_shape_that_changes_nothing_is_said_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", ends[:1], ends[1:])
    file = tmp_path / "m.onnx"
    file.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString())
    assert command(["summary", str(file), "--input", "x=5x8"]) == 0
    assert "The shape given for 'x' changes nothing." in capsys.readouterr().out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is needed")
def test_a_full_disk_is_one_sentence() -> None:
    with Path("/dev/full").open("wb") as full:
        asked = [sys.executable, "-m", "inspector", "formats"]
        done = subprocess.run(asked, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert done.stderr.startswith("error: No space left on device.\nhint: ")


def test_a_path_that_is_too_long_is_one_sentence_and_starts_nothing() -> None:
    asked = [sys.executable, "-m", "inspector", "summary", "/".join(["d" * 200] * 25)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 2, done.stderr
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["error", "hint"]


def test_a_file_may_be_called_like_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_option("-x")
    Path("-x").touch()
    assert not is_option("-x")
    assert not is_option("--")


def test_control_c_before_a_job_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(name: str) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "module", interrupted)
    assert main(["formats"]) == 2
    assert capsys.readouterr().err == "Cancelled.\n"


def test_a_reader_that_has_gone_is_no_traceback() -> None:
    command = [sys.executable, "-m", "inspector", "formats", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 2
