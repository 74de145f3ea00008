"""Jobs with real child processes: what they give, how they fail, that they can be stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from pytestqt.qtbot import QtBot

from inspector.errors import Cancelled, InspectorError
from inspector.jobs.desk import Desk
from inspector.jobs.job import Outcome
from inspector.jobs.recipe import Aside, Ask, Folder, Recipe, Say, Start, Stop
from inspector.jobs.terminal import run
from inspector.registry import _from_file
from inspector.worker import wire

toy = _from_file("toy_types", Path(__file__).parents[1] / "toys" / "tasks" / "toy.py")


def one(what: str, text: str = "") -> Recipe[str]:
    worker = yield Start("A toy")
    result = yield Ask(worker, toy.TASK, toy.ToyArgs(what, text), span=(0.0, 1.0))
    yield Stop(worker)
    return result.text


def settle(qtbot: QtBot, desk: Desk, recipe: Recipe[object], seconds: int = 30) -> Outcome:
    with qtbot.waitSignal(desk.ended, timeout=seconds * 1000) as blocker:
        desk.submit("A toy", recipe)
    return blocker.args[1]


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def workers_left() -> list[psutil.Process]:
    """Workers among the processes below this one; a web engine of another test may have left helpers of its own."""
    left = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # one that has just ended is not left
            if child.status() != psutil.STATUS_ZOMBIE and "--worker" in child.cmdline():
                left.append(child)
    return left


@pytest.fixture
def desk(qtbot: QtBot, toys: Path) -> Desk:
    desk = Desk(spares=False)
    yield desk
    desk.close()


def test_a_result_and_its_progress(toys: Path) -> None:
    told: list[tuple[float | None, str]] = []
    assert run(one("echo", "hello"), lambda fraction, text: told.append((fraction, text))) == "hello"
    assert (0.5, "half way") in told
    assert told[-1][0] == 1.0


def test_what_a_framework_prints_is_log(toys: Path) -> None:
    log: list[str] = []
    assert run(one("noise"), on_log=log.append) == "quiet"
    assert "a framework prints this" in "".join(log)
    assert "and C++ prints this" in "".join(log)


def test_a_known_error_keeps_its_words(toys: Path) -> None:
    with pytest.raises(InspectorError, match=r"^It cannot be done\.$") as caught:
        run(one("fail"))
    assert caught.value.hint == "Do something else."


def test_a_bug_brings_its_traceback(toys: Path) -> None:
    with pytest.raises(InspectorError, match="KeyError") as caught:
        run(one("bug"))
    assert "Traceback" in caught.value.details


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("segfault", "The worker process crashed with a segmentation fault."),
        ("abort", "The worker process crashed with an abort."),
        ("exit", "The worker process ended without an answer (status 3)."),
        ("large", "The answer is too large to show."),
    ],
)
def test_a_crash_is_one_clear_message(qtbot: QtBot, desk: Desk, what: str, words: str) -> None:
    outcome = settle(qtbot, desk, one(what))
    assert (outcome.state, outcome.what) == ("failed", words)
    assert settle(qtbot, desk, one("echo", "again")).result == "again"


def test_kill_9(qtbot: QtBot, desk: Desk) -> None:
    pids: list[int] = []

    def recipe() -> Recipe[str]:
        worker = yield Start("A toy")
        pids.append((yield Ask(worker, toy.TASK, toy.ToyArgs("echo"))).pid)
        os.kill(pids[0], 9)
        return (yield Ask(worker, toy.TASK, toy.ToyArgs("sleep"))).text

    outcome = settle(qtbot, desk, recipe())
    assert outcome.state == "failed"
    assert "was killed" in outcome.what


def test_a_memory_limit_is_said(toys: Path) -> None:
    with pytest.raises(InspectorError, match="not enough memory"):
        run(one("memory"), memory=4 << 30)


def test_a_job_without_a_place_for_its_files_ends(
    qtbot: QtBot, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(InspectorError, match=r"^Jobs need a folder of their own"):
        run(one("echo"))
    assert settle(qtbot, desk, one("echo")).what.startswith("Jobs need a folder of their own")


def test_a_full_disk_is_said_in_words(toys: Path) -> None:
    def recipe() -> Recipe[None]:
        yield Say(None, "Writing")
        raise OSError(28, "No space left on device", "feeds.npz")

    with pytest.raises(InspectorError, match=r"^The system refuses: No space left on device\.$"):
        run(recipe())


def test_what_cannot_be_sent_is_an_error_of_its_ask(qtbot: QtBot, desk: Desk) -> None:
    with pytest.raises(InspectorError, match="bytes that are no text"):
        run(one("echo", "model\udcff.onnx"))
    assert "bytes that are no text" in settle(qtbot, desk, one("echo", "model\udcff.onnx")).what


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_midst_of_a_recipe(toys: Path, number: int) -> None:
    seen: list[str] = []

    def recipe() -> Recipe[None]:
        yield Start("A toy")
        signal.raise_signal(number)
        seen.append("not torn")
        yield Start("Another")
        seen.append("not reached")

    with pytest.raises(Cancelled):
        run(recipe())
    assert seen == ["not torn"]


def patient(seen: list[str], heed: bool) -> Recipe[str]:
    """A recipe that does something slow with files, and may be too late to stop."""

    def work(stopped: Callable[[], bool]) -> str:
        seen.append("begun")
        while not stopped():
            time.sleep(0.01)
        seen.append("stopped")
        if heed:
            raise Cancelled
        return "done"

    return (yield Aside(work))


@pytest.mark.parametrize(("heed", "state"), [(True, "cancelled"), (False, "done")])
def test_slow_work_with_files_stops_no_other_job_and_can_be_cancelled(
    qtbot: QtBot, desk: Desk, heed: bool, state: str
) -> None:
    seen: list[str] = []
    ends: dict[str, Outcome] = {}
    desk.ended.connect(ends.__setitem__)
    slow = desk.submit("Slow", patient(seen, heed))
    other = desk.submit("Other", one("echo", "hello"))
    qtbot.waitUntil(lambda: other in ends, timeout=30_000)
    assert (ends[other].result, seen) == ("hello", ["begun"])
    desk.cancel(slow)
    qtbot.waitUntil(lambda: slow in ends, timeout=30_000)
    assert (ends[slow].state, seen[-1]) == (state, "stopped")


def test_what_slow_work_raises_is_the_jobs_error(toys: Path) -> None:
    def work(stopped: Callable[[], bool]) -> None:
        raise InspectorError("It cannot be written.")

    def recipe() -> Recipe[None]:
        yield Aside(work)

    with pytest.raises(InspectorError, match=r"^It cannot be written\.$"):
        run(recipe())


def test_an_ask_without_a_span_leaves_the_bar_alone(toys: Path) -> None:
    def recipe() -> Recipe[None]:
        worker = yield Start("A toy")
        yield Ask(worker, toy.TASK, toy.ToyArgs("echo", "x"))

    told: list[tuple[float | None, str]] = []
    run(recipe(), lambda fraction, text: told.append((fraction, text)))
    assert (None, "half way") in told


def test_a_flood_of_log_is_survived(qtbot: QtBot, desk: Desk) -> None:
    outcome = settle(qtbot, desk, one("flood"))
    assert outcome.result == "flooded"
    assert len(outcome.log) <= 200_000


@pytest.mark.parametrize("what", ["lie", "nonsense"])
def test_a_lying_worker_is_cut_off(qtbot: QtBot, desk: Desk, what: str) -> None:
    outcome = settle(qtbot, desk, one(what))
    assert outcome.state == "failed"
    assert "not the protocol" in outcome.what


@pytest.mark.parametrize("what", ["sleep", "hold"])
def test_cancel_ends_a_worker_in_the_midst(qtbot: QtBot, desk: Desk, what: str) -> None:
    folders: list[Path] = []

    def recipe() -> Recipe[str]:
        folders.append((yield Folder()))
        return (yield from one(what))

    words = {"sleep": "sleeping", "hold": "holding the GIL"}[what]
    with qtbot.waitSignal(desk.progressed, timeout=20_000, check_params_cb=lambda *args: args[2] == words):
        job = desk.submit("A toy", recipe())
    with qtbot.waitSignal(desk.ended, timeout=20_000) as blocker:  # the toy itself goes on for longer
        desk.cancel(job)
    assert blocker.args[1].state == "cancelled"
    assert not folders[0].exists()


def test_a_cancelled_worker_takes_its_children_along(qtbot: QtBot, desk: Desk) -> None:
    with qtbot.waitSignal(desk.progressed, timeout=20_000, check_params_cb=lambda *args: "child" in args[2]) as told:
        job = desk.submit("A toy", one("child"))
    child = int(told.args[2].split()[-1])
    assert alive(child)
    with qtbot.waitSignal(desk.ended, timeout=30_000):
        desk.cancel(job)
    qtbot.waitUntil(lambda: not alive(child), timeout=30_000)


def test_closing_leaves_no_process(qtbot: QtBot, toys: Path) -> None:
    desk = Desk(spares=True)
    pids: list[int] = []

    def recipe() -> Recipe[str]:
        worker = yield Start("A toy", framework="onnxruntime")
        pids.append((yield Ask(worker, toy.TASK, toy.ToyArgs("echo"))).pid)
        return ""

    settle(qtbot, desk, recipe())
    settle(qtbot, desk, recipe())
    assert len(set(pids)) == 2
    document = desk.document()
    with qtbot.waitSignal(document.protected, timeout=30_000):
        document.ask(toy.TASK, toy.ToyArgs("echo"), lambda _: None, lambda _: None)
    desk.close()
    assert not workers_left()


def test_the_queue_and_an_exclusive_job(qtbot: QtBot, desk: Desk) -> None:
    order: list[str] = []

    def recipe(name: str) -> Recipe[str]:
        order.append(f"+{name}")
        yield Say(0.0, name)
        worker = yield Start("A toy")
        yield Ask(worker, toy.TASK, toy.ToyArgs("echo"))
        order.append(f"-{name}")
        return name

    jobs = [desk.submit("a", recipe("a")), desk.submit("m", recipe("m"), exclusive=True), desk.submit("b", recipe("b"))]
    qtbot.waitUntil(lambda: not desk.running, timeout=30_000)
    assert len(jobs) == 3
    assert order == ["+a", "-a", "+m", "-m", "+b", "-b"]


def test_a_spare_that_still_imports_is_stopped_for_a_measurement(qtbot: QtBot, toys: Path) -> None:
    desk = Desk(spares=True)
    spares = desk._floor._spares

    def using() -> Recipe[str]:
        worker = yield Start("A toy", framework="onnxruntime")
        return (yield Ask(worker, toy.TASK, toy.ToyArgs("echo", "done"))).text

    def measuring() -> Recipe[list[bool]]:
        stopping = [process.stopping for process, _ in spares.values()]
        yield from using()
        return stopping

    assert settle(qtbot, desk, using()).result == "done"
    with qtbot.waitSignal(desk.ended, timeout=30_000) as blocker:
        desk.submit("A measurement", measuring(), exclusive=True)
    outcome = blocker.args[1]
    assert (outcome.state, outcome.result) == ("done", [True])
    qtbot.waitUntil(lambda: [bool(process.protection) for process, _ in spares.values()] == [True], timeout=30_000)
    with qtbot.waitSignal(desk.ended, timeout=30_000) as blocker:
        desk.submit("A measurement", measuring(), exclusive=True)
    assert blocker.args[1].result == [False]
    desk.close()


def test_a_worker_sees_nothing_of_the_environment(toys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "abc")
    home, secret = run(one("home")).split("|")
    assert secret == "none"
    assert home != os.environ["HOME"]


def test_frames_are_cut_however_the_pipe_chops_them() -> None:
    messages = [wire.Progress(1, 0.25, "a"), wire.Progress(2, None, "b" * 1000)]
    data = b"".join(wire.frame(m) for m in messages)
    for size in (1, 3, 7, len(data)):
        frames = wire.Frames()
        bodies = [body for i in range(0, len(data), size) for body in frames.feed(data[i : i + size])]
        assert len(bodies) == 2
    with pytest.raises(ValueError, match="limit"):
        list(wire.Frames().feed(b"\xff\xff\xff\xff"))


@pytest.mark.parametrize("sent", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x02{}"])
def test_a_worker_that_is_asked_nonsense_ends(sent: bytes) -> None:
    command = [sys.executable, "-m", "inspector", "--worker", "layout"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as worker:
        assert worker.stdin is not None
        assert worker.stderr is not None
        worker.stdin.write(sent)
        worker.stdin.flush()
        assert worker.wait(100) == 1
        assert b"What is asked makes no sense" in worker.stderr.read()
