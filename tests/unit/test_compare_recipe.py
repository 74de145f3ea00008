"""The recipe of a comparison, driven without processes: what goes wrong in the reference's further runs."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from inspector.engines.parity.verdict import Parity, Verdict
from inspector.errors import Cancelled, InspectorError, RuntimeFailure, WorkerDied
from inspector.jobs import compare as module
from inspector.jobs.compare import compare
from inspector.jobs.recipe import Ask, Folder, Recipe, Stop, Worker
from inspector.jobs.requests import CompareRequest
from inspector.jobs.sessions import Opened
from inspector.runtimes import Device, Spec
from inspector.worker.tasks.feeds import FeedsMade
from inspector.worker.tasks.judge import JudgeArgs
from inspector.worker.tasks.session_open import SessionOpenArgs, SessionOpened
from inspector.worker.tasks.session_run import SessionRan, SessionRunArgs

SPECS = (Spec("x", "float32", (1, 4)),)
DEATH = WorkerDied("The worker process was killed, perhaps because memory ran out.")


@dataclass
class Driver:
    """Answers the steps of a recipe as workers would; `trouble` is by the beginning of a result's name."""

    folder: Path
    trouble: dict[str, InspectorError] = field(default_factory=dict)
    exact: bool = True
    openings: int = 0
    reopens: bool = True
    dead: set[int] = field(default_factory=set)
    judged: tuple[int, JudgeArgs] | None = None

    def open_session(self, path: Path, device: str = "", **_: Any) -> Generator[Any, Any, Opened]:
        yield Folder()
        if self.openings == 2 and not self.reopens:
            raise DEATH
        self.openings += 1
        return Opened(
            path,
            Worker(self.openings, path.name),
            Device(id="toy:cpu", runtime="toy", title="Toy", kind="cpu", available=True),
            SessionOpened(SPECS, SPECS, {}, 1.0, "toy"),
            SessionOpenArgs(str(path), "toy", "toy:cpu"),
        )

    def run(self, recipe: Recipe[Parity]) -> Parity:
        value: Any = None
        error: BaseException | None = None
        while True:
            try:
                step = recipe.send(value) if error is None else recipe.throw(error)
            except StopIteration as stop:
                result: Parity = stop.value
                return result
            value, error = None, None
            try:
                value = self.answer(step)
            except InspectorError as problem:
                error = problem

    def answer(self, step: Any) -> Any:
        match step:
            case Folder():
                return self.folder
            case Stop():
                return None
            case Ask(worker, task, args):
                if worker.id in self.dead:
                    raise DEATH
                try:
                    return getattr(self, task.id)(worker.id, args)
                except WorkerDied:
                    self.dead.add(worker.id)
                    raise
        raise AssertionError(step)

    def feeds(self, _: int, args: Any) -> FeedsMade:
        shapes = ({"x": (1, 4)}, {"x": (2, 4)})
        return FeedsMade(files=("f0", "f1"), moved=("m0", "m1"), words="seed 0", shapes=shapes)

    def session_run(self, _: int, args: SessionRunArgs) -> SessionRan:
        for name, error in self.trouble.items():
            if Path(args.result).name.startswith(name):
                raise error
        return SessionRan(SPECS, 0.1, ran=self.exact or not args.exact)

    def judge(self, worker: int, args: JudgeArgs) -> Parity:
        self.judged = (worker, args)
        return Parity(verdict=Verdict.SAME, sentence="They are the same.")


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Driver:
    driver = Driver(tmp_path)
    monkeypatch.setattr(module, "open_session", driver.open_session)
    return driver


def judged(driver: Driver) -> tuple[int, JudgeArgs]:
    driver.run(compare(CompareRequest(a="a.toy", b="b.toy")))
    assert driver.judged is not None
    return driver.judged


def lengths(args: JudgeArgs) -> tuple[int, ...]:
    return tuple(map(len, (args.a, args.b, args.again, args.exact, args.moved)))


def test_float64_stands_in_for_moved_inputs_where_it_can(driver: Driver) -> None:
    worker, args = judged(driver)
    assert (worker, args.words, lengths(args)) == (1, "seed 0", (2, 2, 2, 2, 0))
    driver.exact = False
    assert lengths(judged(driver)[1]) == (2, 2, 2, 0, 2)


@pytest.mark.parametrize(
    ("kind", "there", "words"),
    [
        ("repeated", (2, 2, 0, 2, 0), "the first could not be repeated"),
        ("run-in-float64-1", (2, 2, 2, 0, 2), "the first could not be run in float64"),
    ],
)
@pytest.mark.parametrize("error", [DEATH, RuntimeFailure("There is not enough memory.")])
def test_a_reference_that_fails_is_dropped_and_said(
    driver: Driver, kind: str, there: tuple[int, ...], words: str, error: InspectorError
) -> None:
    driver.trouble[kind] = error
    worker, args = judged(driver)
    assert lengths(args) == there
    assert args.words.startswith(f"seed 0; {words}: ")
    assert error.what.rstrip(".") in args.words
    assert worker == (3 if error is DEATH else 1)


def test_without_a_worker_for_the_first_the_second_judges(driver: Driver) -> None:
    driver.trouble["run-in-float64"], driver.reopens = DEATH, False
    worker, args = judged(driver)
    assert (worker, lengths(args)) == (2, (2, 2, 2, 0, 0))
    assert "the first could not be opened again" in args.words


def test_moved_inputs_that_kill_it_are_judged_by_the_second(driver: Driver) -> None:
    driver.exact, driver.trouble["run-with-moved"] = False, DEATH
    worker, args = judged(driver)
    assert (worker, lengths(args)) == (2, (2, 2, 2, 0, 0))


def test_cancelling_a_reference_ends_it_all(driver: Driver) -> None:
    driver.trouble["repeated"] = Cancelled()
    with pytest.raises(Cancelled):
        driver.run(compare(CompareRequest(a="a.toy", b="b.toy")))


def test_a_first_model_that_dies_on_its_own_run_is_still_an_error(driver: Driver) -> None:
    driver.trouble["a-"] = DEATH
    with pytest.raises(WorkerDied, match=r"^Running a\.toy on Toy failed"):
        driver.run(compare(CompareRequest(a="a.toy", b="b.toy")))
