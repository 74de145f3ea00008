"""The fence around workers: what they still can do, tried from within, and that reading and running still work."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from inspector.jobs.recipe import Ask, Folder, Recipe, Start
from inspector.jobs.terminal import ask_worker, run
from inspector.registry import _from_file
from inspector.worker import _landlock, _seccomp, sandbox
from inspector.worker.tasks.open import TASK as OPEN
from inspector.worker.tasks.open import OpenArgs

toy = _from_file("toy_types_sandbox", Path(__file__).parents[1] / "toys" / "tasks" / "toy.py")
linux = pytest.mark.skipif(
    sys.platform != "linux" or _landlock.version() < 3 or platform.machine() not in _seccomp.TABLES,
    reason="this system has no Landlock and seccomp",
)


@pytest.fixture
def inside(tmp_path: Path, samples: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    file = folder / "model.onnx"
    file.write_bytes((samples / "digits_cnn.onnx").read_bytes())
    return file


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_bytes(b"secret")
    return file


@linux
def test_a_document_worker_reads_its_model_and_nothing_else(toys: Path, inside: Path, outside: Path) -> None:
    questions = [(OPEN, OpenArgs(path=str(inside))), (toy.TASK, toy.ToyArgs("probe", f"{inside}|{outside}"))]
    overview, probe = ask_worker("document", questions)
    assert overview.totals.parameters == 9610
    assert probe.text.split() == ["read-inside"]
    assert outside.read_bytes() == b"secret"
    assert sorted(p.name for p in inside.parent.iterdir()) == ["model.onnx"]


@linux
def test_a_layout_worker_reads_no_file_of_the_user(toys: Path, inside: Path, outside: Path) -> None:
    (probe,) = ask_worker("layout", [(toy.TASK, toy.ToyArgs("probe", f"{inside}|{outside}"))])
    assert probe.text == ""


@linux
def test_a_run_worker_writes_only_in_its_folder_and_talks_to_nobody(toys: Path, inside: Path, outside: Path) -> None:
    def recipe() -> Recipe[tuple[str, bool]]:
        folder = yield Folder()
        (folder / "seen").write_bytes(b"x")
        worker = yield Start("Probing")
        probe = yield Ask(worker, toy.TASK, toy.ToyArgs("probe", f"{inside}|{outside}"))
        mine = yield Ask(worker, toy.TASK, toy.ToyArgs("probe", f"{folder / 'seen'}|{outside}"))
        return probe.text, "write-inside" in mine.text

    can, own = run(recipe())
    forbidden = {"write-inside", "truncate-outside", "remove-outside", "write-tmp", "tcp", "udp", "unix", "netlink"}
    assert not forbidden & set(can.split())
    assert not {"program", "kill-parent", "user-namespace", "ptrace", "io-uring"} & set(can.split())
    assert own
    assert outside.read_bytes() == b"secret"


@linux
def test_a_fenced_worker_says_so(toys: Path, inside: Path) -> None:
    from inspector.jobs.terminal import ask_protection

    assert ask_protection() == "full"


def test_the_filter_refuses_what_it_lists_on_both_machines() -> None:
    for machine, (architecture, names) in _seccomp.TABLES.items():
        code = _seccomp.program(machine, writes=False)
        assert len(code) % 8 == 0
        assert architecture.to_bytes(4, sys.byteorder) in code
        for number in _seccomp.denied(machine, writes=False):
            assert number.to_bytes(4, sys.byteorder) in code
        assert set(_seccomp.denied(machine, writes=True)) < set(_seccomp.denied(machine, writes=False))
        assert {"socket", "execve", "io_uring_setup", "ptrace"} <= names.keys()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
@pytest.mark.parametrize("hard", [100, -1])
def test_limits_stay_below_those_of_the_user_and_a_refused_one_is_no_end(
    hard: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import resource

    asked: list[tuple[int, int]] = []

    def refuse(kind: int, limits: tuple[int, int]) -> None:
        asked.append(limits)
        if kind == resource.RLIMIT_AS:
            raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda kind: (hard, hard))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    sandbox._limit(1 << 40, writes=False)
    most = 100 if hard == 100 else 1 << 40
    assert asked == [(0, 0), (most, most), (0, 0), (min(256, most), min(256, most))]
    assert "The limit AS could not be set" in capsys.readouterr().err
