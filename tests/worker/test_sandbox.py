"""The fence around workers: what they still can do, tried from within, and that reading and running still work."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from inspector.jobs.recipe import Ask, Folder, Recipe, Start
from inspector.jobs.terminal import ask_worker, run
from inspector.registry import _from_file
from inspector.worker import _job_object, _landlock, _seatbelt, _seccomp, sandbox
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


PROBED = """
import sys
from pathlib import Path
from inspector.worker import _landlock, _seatbelt, _seccomp, sandbox

barriers, said = sys.argv[1].split("+"), []
def stand_in(rules):  # Linux's own barriers, or none, in the place of those of macOS
    said.append(rules)
    if "files" in barriers:
        _landlock.restrict([*sandbox.libraries()], [], [Path("/dev/null")])
    if "calls" in barriers:
        _seccomp.install(False)
    return "refused" not in barriers
_seatbelt.restrict = stand_in
sys.platform = "darwin"
level = sandbox.fence("document", 0, [Path(sys.argv[2])])
print(level, len(said), sep="|")
"""


@linux
@pytest.mark.parametrize(
    ("barriers", "level"),
    [
        ("files+calls", "full"),
        ("files", "files only"),
        ("calls", "network and programs only"),
        ("none", "process only"),
        ("refused", "process only"),
    ],
)
def test_on_macos_the_level_is_what_was_found_by_trying(barriers: str, level: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBED, barriers, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"{level}|1"
    assert not list(Path("/tmp").glob(".inspector-*.probe"))


def test_the_rules_of_macos_deny_before_they_allow() -> None:
    rules = _seatbelt.profile([Path('/Users/me/a "b"')], [Path("/private/var/jobs")]).splitlines()
    deny, allow = rules.index("(deny file-write*)"), rules.index('(allow file-write* (subpath "/private/var/jobs"))')
    assert deny < allow
    private = next(at for at, rule in enumerate(rules) if rule.startswith("(deny file-read-data"))
    assert private < rules.index('(allow file-read-data (subpath "/Users/me/a \\"b\\""))')
    assert "(deny network*)" in rules
    assert "(deny process-exec*)" in rules
    assert not any(rule.startswith("(deny file-read-data") for rule in _seatbelt.profile(None, []).splitlines())


def test_a_job_of_windows_holds_one_process_and_so_much_memory() -> None:
    made = _job_object.limits(1 << 30)
    assert made.basic.flags == 0x2508
    assert (made.basic.processes, made.process_memory) == (1, 1 << 30)
    assert ctypes.sizeof(made) == 144  # JOBOBJECT_EXTENDED_LIMIT_INFORMATION of 64-bit Windows
    assert _job_object.limits(0).basic.flags == 0x2408
    assert sys.platform == "win32" or not _job_object.restrict(0)
