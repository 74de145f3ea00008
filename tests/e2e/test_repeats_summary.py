"""`inspector summary` of a file in which a weight is stored twice, run as a user runs it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from inspector.cli import summary_command
from inspector.cli.main import main

WTE = np.random.default_rng(0).normal(size=(500, 32)).astype("f4")
SENTENCE = "1 weight repeats the values of another (=wte.weight = =lm_head.weight)"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An embedding and a head with its values, with names that a spreadsheet would run."""
    path = tmp_path / "m.safetensors"
    save_file({"=wte.weight": WTE, "=lm_head.weight": WTE.copy(), "bias": np.ones(2048, np.float32)}, path)
    return path


def test_json_names_the_repeats(file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "inspector", "summary", file, "--json"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert (data["totals"]["parameters"], data["totals"]["distinct"]) == (34_048, 18_048)
    found = data["repeats"]
    assert (found["pairs"], found["weights"]) == ({"=wte.weight": "=lm_head.weight"}, 1)
    assert (found["parameters"], found["parameter_bytes"], found["complete"]) == (16_000, 64_000, True)
    marked = {row["name"]: row["repeats"] for row in data["rows"]}
    assert marked == {"=wte": {"=wte.weight": "=lm_head.weight"}, "=lm_head": {}, "bias": {}}


def test_text_markdown_and_csv(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("Parameters"))
    assert lines[at : at + 2] == ["Parameters          34,048, 136 kB", f"Distinct            18,048: {SENTENCE}"]
    assert main(["summary", str(file), "--markdown"]) == 0
    assert (
        r"18,048: 1 weight repeats the values of another \(=wte.weight = =lm_head.weight\)" in capsys.readouterr().out
    )
    assert main(["summary", str(file), "--csv"]) == 0
    rows = {row["name"]: row["repeats"] for row in csv.DictReader(StringIO(capsys.readouterr().out))}
    assert rows == {"'=wte": "'=wte.weight = =lm_head.weight", "'=lm_head": "", "bias": ""}


def test_what_is_beyond_the_limit_is_said_and_compared_when_asked(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary_command, "MOST_BYTES", WTE.nbytes)
    assert main(["summary", str(file)]) == 0
    said = capsys.readouterr().out
    assert "Distinct" not in said
    assert "Not compared        1 weight that may repeat was not compared: that takes longer" in said
    assert "Ask with --repeats." in said
    assert main(["summary", str(file), "--repeats"]) == 0
    assert SENTENCE in capsys.readouterr().out
