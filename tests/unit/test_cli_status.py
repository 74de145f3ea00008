"""Exit statuses that need no model: what was asked to be proved and is not, and how a command is stopped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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
