"""Guarantees G1 to G5, G7 and G9, seen from outside: the command that a user types, under strace.

G6 is `tests/gui/test_heartbeat.py`, G8 `tests/unit/test_publish.py`; that every refusal is a sentence with a hint (G7)
and every text inert (G9) `witness.py` asks of each hostile file.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import pytest
from bytes_files import SEEDS, copied, seeds
from case import SECRET, Case, cases
from PySide6.QtCore import QCoreApplication, QEventLoop, QTimer

from inspector.jobs.document import MEMORY
from inspector.jobs.process import WorkerProcess
from inspector.worker import _landlock
from inspector.worker.sandbox import libraries
from inspector.worker.tasks.open import OpenArgs

CALLS = (
    "execve,execveat,socket,connect,openat,open,creat,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,truncate"
)
FENCE = "landlock_restrict_self"
LINE = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+)")
CUT = re.compile(r"^(\d+) +(\w+)\((.*) <unfinished \.\.\.>")
RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)")
HOSTILE = ("1b", "4d", "6a", "8b", "9a", "14b", "17a", "18a", "20a")
strace = pytest.mark.skipif(
    shutil.which("strace") is None or _landlock.version() < 3, reason="needs strace, and Landlock for the fence"
)


@dataclass
class Process:
    """What a process did that succeeded, before it fenced itself in and after."""

    programs: list[str] = field(default_factory=list)
    sockets: list[str] = field(default_factory=list)
    reads: dict[bool, list[str]] = field(default_factory=lambda: {False: [], True: []})
    writes: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    fenced: bool = False


def followed(log: Path) -> dict[str, Process]:
    """The processes of a log of strace, by their id; threads of one are not told apart from it."""
    found: dict[str, Process] = defaultdict(Process)
    halves: dict[tuple[str, str], str] = {}
    for line in log.read_text(errors="replace").splitlines():
        if cut := CUT.match(line):
            halves[cut[1], cut[2]] = cut[3]
            continue
        if again := RESUMED.match(line):
            pid, call, arguments, result = again[1], again[2], halves.pop((again[1], again[2]), "") + again[3], again[4]
        elif whole := LINE.match(line):
            pid, call, arguments, result = whole.groups()
        else:
            continue
        if int(result) >= 0:
            _take(found[pid], call, arguments)
    return found


def _take(process: Process, call: str, arguments: str) -> None:
    path = (re.findall(r'"((?:[^"\\]|\\.)*)"', arguments) or [""])[0]
    if call.startswith("exec"):
        process.programs.append(path)
    elif call in ("socket", "connect"):
        process.sockets.append(arguments)
    elif call == FENCE:
        process.fenced = True
    elif call in ("open", "openat", "creat"):
        if re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", arguments) or call == "creat":
            process.writes.append(path)
        elif "O_PATH" not in arguments:  # a folder named in a rule of Landlock; nothing can be read by that
            process.reads[process.fenced].append(path)
    elif call != "landlock_create_ruleset":
        process.changes.append(arguments)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One small file of each format and some hostile ones, each in a folder of its own."""
    base, found = tmp_path_factory.mktemp("models"), []
    for fmt in sorted({fmt for fmt, _, _ in seeds()}):
        seed, main = next((seed, main) for name, seed, main in seeds() if name == fmt)
        found.append(copied(seed, main, base / fmt / "model"))
    known = cases()
    for label in HOSTILE:
        case, folder = known[label], base / label / "model"
        assert isinstance(case, Case)
        folder.mkdir(parents=True)
        (base / label / "secret.txt").write_bytes(SECRET)
        found.append(case.build(folder))
    assert SEEDS.is_dir()
    return found


@pytest.fixture(scope="module")
def traced(models: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The log of strace of `inspector summary` of each of them in turn, and the home that it had."""
    home = tmp_path_factory.mktemp("traced")
    log = home.parent / "strace.log"
    code = "import sys; from inspector.__main__ import main; [main(['summary', path]) for path in sys.argv[1:]]"
    places = {name: str(home / name.lower()) for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")}
    environment = os.environ | places | {"HOME": str(home), "INSPECTOR_SETTINGS": str(home / "settings.json")}
    command = ["strace", "-f", "-s", "4096", "-e", f"trace={CALLS},{FENCE}", "-o", str(log)]
    subprocess.run(
        [*command, sys.executable, "-c", code, *map(str, models)],
        capture_output=True, check=True, env=environment, timeout=250,
    )  # fmt: skip
    return log, home


@strace
def test_opening_runs_nothing_writes_nothing_and_talks_to_nobody(models: list[Path], traced: tuple[Path, Path]) -> None:
    log, home = traced
    processes = followed(log)
    workers = [process for process in processes.values() if process.fenced]
    assert len(workers) == len(models)
    programs = [path for process in processes.values() for path in process.programs]
    assert len(programs) == len(models) + 1  # G1: strace's own, and one worker a file
    assert set(programs) == {sys.executable}
    sockets = [line for process in processes.values() for line in process.sockets]
    assert not [line for line in sockets if "AF_UNIX" not in line]  # G3
    assert not [line for worker in workers for line in worker.sockets]
    harmless = ("/dev/null", "/dev/shm/", str(home), "/proc/self/")
    written = [path for process in processes.values() for path in process.writes]
    assert not [path for path in written if not path.startswith(harmless) and "__pycache__" not in path]  # G2
    assert not [line for process in processes.values() for line in process.changes if "__pycache__" not in line]


@strace
def test_a_worker_reads_its_model_and_its_libraries_and_nothing_else(
    models: list[Path], traced: tuple[Path, Path]
) -> None:
    processes = followed(traced[0])
    own = [path.resolve() for path in libraries()]
    folders = [path if path.is_dir() else path.parent for path in models]
    seen = set()
    for process in processes.values():
        theirs = [path for path in process.reads[True] if path.startswith("/") and not _beneath(path, own)]
        opened = {folder for folder in folders for path in theirs if Path(path).is_relative_to(folder)}
        assert len(opened) <= 1
        assert not [path for path in theirs if not any(Path(path).is_relative_to(folder) for folder in opened)]  # G4
        seen |= opened
        before = [path for path in process.reads[False] if any(Path(path).is_relative_to(each) for each in folders)]
        assert not before  # no byte of a file before the fence, and none in the window's own process
    assert seen == set(folders)


def _beneath(path: str, folders: list[Path]) -> bool:
    real = Path(os.path.realpath(path))
    return any(real.is_relative_to(folder) or Path(path).is_relative_to(folder) for folder in folders)


@pytest.mark.parametrize("patience", [0, 40, 250])
def test_opening_is_cancelled_at_once(tmp_path: Path, patience: int) -> None:
    """G5: whatever the worker is doing, it is gone at once, also where native code holds the interpreter.

    It takes some hundredths of a second; where a machine is too busy for that, the ten that a test may wait tell an end
    by command from one that is waited for.
    """
    case = cases()["9m"]
    assert isinstance(case, Case)
    path = case.build(tmp_path)
    loop, ends = QEventLoop(), []
    process = WorkerProcess("document", None, memory=MEMORY["document"])
    process.ended.connect(lambda *why: (ends.append((perf_counter(), why)), loop.quit()))
    stopped = []

    def stop() -> None:
        stopped.append(perf_counter())
        process.stop()

    from inspector.worker.tasks.open import TASK

    process.ready.connect(lambda _: (process.ask(1, TASK.id, OpenArgs(str(path))), QTimer.singleShot(patience, stop)))
    process.start()
    process.grant((str(tmp_path),))
    QTimer.singleShot(60_000, loop, loop.quit)
    loop.exec()
    pid = process.pid
    QCoreApplication.processEvents()
    assert ends, "the worker did not end"
    assert ends[0][0] - stopped[0] < 10
    assert ends[0][1] == ("", "")
    with contextlib.suppress(ProcessLookupError):
        assert not pid
        os.kill(pid, 0)


@pytest.mark.parametrize("command", [["summary"], ["summary", "--json"], ["graph"]])
def test_what_is_printed_of_a_hostile_file_is_inert(tmp_path: Path, command: list[str]) -> None:
    """G9 in the terminal: no control, no bidirectional mark, no half of a character reaches it."""
    for label in ("2e", "17h", "6a", "14g"):
        case = cases()[label]
        assert isinstance(case, Case)
        folder = tmp_path / label / "model"
        folder.mkdir(parents=True)
        path = case.build(folder)
        done = subprocess.run(
            [sys.executable, "-m", "inspector", *command, str(path)], capture_output=True, check=False, timeout=60
        )
        text = (done.stdout + done.stderr).decode("utf-8")
        assert text.strip()
        assert "Traceback" not in text
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", text), label
