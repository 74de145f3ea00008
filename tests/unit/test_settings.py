"""Settings: kept, and never a reason not to start."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inspector.settings import Settings


def test_what_is_set_is_there_at_the_next_start(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "settings.json"
    settings = Settings(file)
    settings.recent = ["a.onnx"]
    settings.runs = 70
    again = Settings(file)
    assert (again.recent, again.runs, again.theme) == (["a.onnx"], 70, "system")
    assert [path.name for path in file.parent.iterdir()] == ["settings.json"]


@pytest.mark.parametrize("text", ["", "{", "[1]", "null"])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.json").write_text(text)
    assert Settings(tmp_path / "s.json").recent == []


def test_values_of_another_kind_are_the_defaults(tmp_path: Path) -> None:
    wrong = {"files.session": [1], "inputs.shapes": {"m.onnx": {"batch": "two"}}, "latency.runs": True, "look.theme": 3}
    (tmp_path / "s.json").write_text(json.dumps(wrong))
    settings = Settings(tmp_path / "s.json")
    assert (settings.session, settings.shapes, settings.runs, settings.theme) == ([], {}, 50, "system")


def test_what_is_read_is_a_copy(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "s.json")
    settings.recent.append("never set")
    settings.shapes["never"] = {"set": 1}
    assert (settings.recent, settings.shapes) == ([], {})


@pytest.mark.logs
def test_where_nothing_can_be_written_a_choice_holds_until_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    settings = Settings(tmp_path / "file" / "s.json")
    settings.seed = 7
    assert settings.seed == 7
    assert "The settings cannot be written" in caplog.text


@pytest.mark.logs
def test_a_name_that_is_no_text_spoils_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(tmp_path / "s.json")
    settings.session = ["model\udcff.onnx"]
    settings.seed = 7
    assert (Settings(tmp_path / "s.json").seed, settings.session) == (7, [])
    assert "files.session is not kept" in caplog.text
