"""A document worker as a view-model uses it: answers in order, stale ones dropped, its death told once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from PySide6.QtCore import SIGNAL
from pytestqt.qtbot import QtBot

from inspector.errors import InspectorError
from inspector.jobs.desk import Desk
from inspector.jobs.document import Document
from inspector.registry import _from_file
from inspector.worker.tasks.open import TASK as OPEN
from inspector.worker.tasks.open import OpenArgs

toy = _from_file("toy_types_document", Path(__file__).parents[1] / "toys" / "tasks" / "toy.py")


@pytest.fixture
def document(qtbot: QtBot, toys: Path) -> Iterator[Document]:
    desk = Desk(spares=False)
    yield desk.document()
    desk.close()


class Answers:
    """Collects what the callbacks are given."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.failed: list[InspectorError] = []

    def ask(self, document: Document, what: str, text: str = "") -> int:
        return document.ask(toy.TASK, toy.ToyArgs(what, text), self.done.append, self.failed.append)


def test_answers_come_in_order(qtbot: QtBot, document: Document) -> None:
    answers = Answers()
    for i in range(20):
        answers.ask(document, "echo", str(i))
    qtbot.waitUntil(lambda: len(answers.done) == 20, timeout=30_000)
    assert [a.text for a in answers.done] == [str(i) for i in range(20)]
    assert len({a.pid for a in answers.done}) == 1
    assert document.protection


def test_a_dropped_ask_is_not_answered(qtbot: QtBot, document: Document) -> None:
    answers = Answers()
    document.drop(answers.ask(document, "echo", "stale"))
    answers.ask(document, "echo", "new")
    qtbot.waitUntil(lambda: bool(answers.done), timeout=30_000)
    assert [a.text for a in answers.done] == ["new"]


def test_a_failure_leaves_it_alive(qtbot: QtBot, document: Document) -> None:
    answers = Answers()
    answers.ask(document, "fail")
    answers.ask(document, "echo", "still here")
    qtbot.waitUntil(lambda: bool(answers.done), timeout=30_000)
    assert answers.failed[0].what == "It cannot be done."


def test_what_cannot_be_sent_fails_and_leaves_it_alive(qtbot: QtBot, document: Document) -> None:
    answers = Answers()
    answers.ask(document, "echo", "model\udcff.onnx")
    answers.ask(document, "echo", "next")
    qtbot.waitUntil(lambda: bool(answers.done), timeout=30_000)
    assert [error.what for error in answers.failed] == [r"The name model\udcff.onnx holds bytes that are no text."]


def test_its_death_is_told_once_and_the_next_ask_revives_it(qtbot: QtBot, document: Document) -> None:
    answers, deaths = Answers(), []
    document.died.connect(lambda what, hint: deaths.append((what, hint)))
    answers.ask(document, "segfault")
    answers.ask(document, "echo", "lost")
    qtbot.waitUntil(lambda: bool(deaths), timeout=30_000)
    assert len(deaths) == 1
    assert "segmentation fault" in deaths[0][0]
    assert len(answers.failed) == 2
    answers.ask(document, "echo", "again")
    qtbot.waitUntil(lambda: bool(answers.done), timeout=30_000)
    assert answers.done[0].text == "again"


def test_a_restart_frees_a_worker_that_hangs(qtbot: QtBot, document: Document) -> None:
    answers = Answers()
    with qtbot.waitSignal(document.progressed, timeout=30_000):
        answers.ask(document, "hold")
    document.restart()
    answers.ask(document, "echo", "free")
    qtbot.waitUntil(lambda: bool(answers.done), timeout=30_000)
    assert not answers.failed


def test_a_worker_that_takes_over_may_read_what_the_last_one_might(
    qtbot: QtBot, document: Document, samples: Path, tmp_path: Path
) -> None:
    answers = Answers()
    opening = OpenArgs(path=str(copy(samples / "digits_mlp.onnx", tmp_path)))
    document.ask(OPEN, opening, answers.done.append, answers.failed.append)
    qtbot.waitUntil(lambda: bool(answers.done or answers.failed), timeout=30_000)
    with qtbot.waitSignal(document.died, timeout=30_000):
        answers.ask(document, "segfault")
    answers.ask(document, "echo", "first")
    document.ask(OPEN, opening, answers.done.append, answers.failed.append)
    qtbot.waitUntil(lambda: len(answers.done) + len(answers.failed) == 4, timeout=30_000)
    assert [type(answer).__name__ for answer in answers.done] == ["Overview", "ToyResult", "Overview"]


def test_a_closed_document_hears_and_starts_nothing(qtbot: QtBot, document: Document) -> None:
    answers = Answers()
    answers.ask(document, "echo", "before")
    qtbot.waitUntil(lambda: bool(answers.done), timeout=30_000)
    host = document._host
    ended = SIGNAL("ended(int,QString,QString,QString)")
    heard = host.receivers(ended)
    document.close()
    document.close()
    qtbot.waitUntil(lambda: not host._processes, timeout=30_000)
    assert host.receivers(ended) == heard - 1
    answers.ask(document, "echo", "after")
    document.restart()
    qtbot.wait(100)
    assert (len(answers.done), host._processes) == (1, {})
