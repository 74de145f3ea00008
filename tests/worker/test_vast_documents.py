"""Very large models in a real document worker: what is said at once, and what follows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from inspector.engines.summary.rows import FOLLOWS, Overview
from inspector.formats import _onnx_vast, _onnx_vast_shapes
from inspector.jobs.terminal import ask_document
from inspector.worker.tasks import Context, _document
from inspector.worker.tasks import resize as task_resize
from inspector.worker.tasks.fold import TASK as FOLD
from inspector.worker.tasks.fold import FoldArgs
from inspector.worker.tasks.follow import TASK as FOLLOW
from inspector.worker.tasks.follow import FollowArgs, Followed
from inspector.worker.tasks.open import TASK as OPEN
from inspector.worker.tasks.open import OpenArgs
from inspector.worker.tasks.resize import TASK as RESIZE
from inspector.worker.tasks.resize import ResizeArgs, Resized
from inspector.worker.tasks.rows import TASK as ROWS
from inspector.worker.tasks.rows import RowsArgs, RowsPage
from inspector.worker.tasks.search import TASK as SEARCH
from inspector.worker.tasks.search import SearchArgs
from tests.benchmarks import big_models, models

COUNT, FEW = 31_000, 3000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As many nodes as make a graph very large."""
    path = tmp_path_factory.mktemp("vast") / "nodes.onnx"
    models.write(path, big_models.NODES, str(COUNT))
    return path


@pytest.fixture
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model whose few nodes count as very many."""
    monkeypatch.setattr(_onnx_vast, "VAST", FEW)
    monkeypatch.setattr(_onnx_vast_shapes, "STRETCH", FEW // 3)
    path = tmp_path / "few.onnx"
    models.write(path, big_models.NODES, str(FEW))
    return path


def follow(context: Context) -> Overview:
    """Ask until all has followed."""
    followed = FOLLOW.run(FollowArgs(), context)
    while not followed.done:
        followed = FOLLOW.run(FollowArgs(), context)
    assert followed.trouble == ""
    assert followed.overview is not None
    return followed.overview


def test_the_first_rows_come_at_once_and_the_figures_follow(few: Path) -> None:
    context = Context()
    first = OPEN.run(OpenArgs(str(few), quick=True), context)
    assert first.follows
    assert first.notes[0] == FOLLOWS
    page = ROWS.run(RowsArgs(count=100), context)
    assert page.rows[0].type == "MatMul"
    assert page.rows[0].parameters == 64
    assert page.totals.parameters == first.totals.parameters
    assert not page.totals.complete
    hits = SEARCH.run(SearchArgs("layer.177/attention"), context)
    assert hits.total == 8, "nodes far beyond the first rows"
    seen = FOLD.run(FoldArgs(), context)
    assert 1 < len(seen.boxes) < 100
    whole = OPEN.run(OpenArgs(str(few)), Context())
    overview = follow(context)
    assert not overview.follows
    assert overview.totals == whole.totals
    assert overview.modules == whole.modules
    assert whole.totals.parameters == first.totals.parameters
    assert whole.totals.complete
    page = ROWS.run(RowsArgs(start=FEW - 20, count=10), context)
    assert page.total == whole.totals.layers
    assert page.rows[-1].outputs[0].shape == ("batch", 4, 8)
    assert SEARCH.run(SearchArgs("layer.177.attention"), context).total == 13, "modules are found as well"
    assert FOLLOW.run(FollowArgs(), context) == Followed(True)


def test_sizes_that_were_chosen_before_can_be_taken_back(few: Path) -> None:
    context = Context()
    OPEN.run(OpenArgs(str(few), dims={"batch": 3}, quick=True), context)
    three = follow(context).totals
    one = ROWS.run(RowsArgs(count=5), context)
    assert one.totals == OPEN.run(OpenArgs(str(few)), Context()).totals
    assert one.rows[0].outputs[0].shape == ("batch", 4, 8)
    assert three.macs == 3 * one.totals.macs
    again = ROWS.run(RowsArgs(count=5, dims={"batch": 3}), context)
    assert again.totals == three
    assert again.rows[0].outputs[0].shape == (3, 4, 8)


def resize(context: Context, dims: dict[str, int]) -> Resized:
    """Ask until the figures of these sizes are there."""
    while not (answer := RESIZE.run(ResizeArgs(dims), context)).done:
        assert 0 <= answer.share < 1
    return answer


def test_other_sizes_are_worked_out_beside_what_is_asked(few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_document, "FEW_NODES", 100)
    monkeypatch.setattr(task_resize, "PATIENCE", 0.0)
    context = Context()
    OPEN.run(OpenArgs(str(few), quick=True), context)
    one = follow(context).totals
    opened, go_on = context.state[_document.KEY], Event()
    work_out = opened._worked_out
    monkeypatch.setattr(opened, "_worked_out", lambda sizes, report: go_on.wait(100) and work_out(sizes, report))
    assert not RESIZE.run(ResizeArgs({"batch": 5}), context).done
    assert ROWS.run(RowsArgs(count=5), context).totals == one, "what is shown is answered meanwhile"
    go_on.set()
    assert resize(context, {"batch": 5}) == Resized(True)
    figures = opened.summary({"batch": 5})
    page = ROWS.run(RowsArgs(count=5, dims={"batch": 5}), context)
    assert opened.chosen is figures, "nothing was worked out again"
    assert page.totals.macs == 5 * one.macs
    assert page.rows[0].outputs[0].shape == (5, 4, 8)

    go_on.clear()
    assert not RESIZE.run(ResizeArgs({"batch": 7}), context).done
    given_up = opened.resizing
    assert RESIZE.run(ResizeArgs(stop=True), context).done
    go_on.set()
    assert given_up.wait(100)
    assert given_up.result is None
    go_on.clear()
    assert not RESIZE.run(ResizeArgs({"batch": 8}), context).done
    first = opened.resizing
    assert not RESIZE.run(ResizeArgs({"batch": 9}), context).done, "other sizes take its place"
    go_on.set()
    assert first.wait(100)
    assert first.result is None
    assert resize(context, {"batch": 9}).trouble == ""
    assert ROWS.run(RowsArgs(count=1, dims={"batch": 9}), context).totals.macs == 9 * one.macs


def test_sizes_typed_before_the_first_figures_are_there(few: Path) -> None:
    context = Context()
    OPEN.run(OpenArgs(str(few), quick=True), context)
    before = context.state[_document.KEY].settling
    assert RESIZE.run(ResizeArgs({"batch": 3}), context).done
    assert context.state[_document.KEY].settling is not before
    three = follow(context).totals
    page = ROWS.run(RowsArgs(count=5, dims={"batch": 3}), context)
    assert page.rows[0].outputs[0].shape == (3, 4, 8)
    assert page.totals == three


def test_a_fenced_worker_does_it_too(large: Path) -> None:
    questions: list[tuple[Any, Any]] = [(ROWS, RowsArgs(count=10)), (FOLD, FoldArgs()), (SEARCH, SearchArgs("softmax"))]
    opening = OpenArgs(str(large), quick=True)
    overview, page, seen, hits, *answers = ask_document(large, [*questions, *[(FOLLOW, FollowArgs())] * 900], opening)
    assert isinstance(overview, Overview)
    assert isinstance(page, RowsPage)
    assert overview.follows
    assert len(page.rows) == 10
    assert seen.nodes == overview.totals.nodes
    assert hits.total == -(-COUNT // 13)
    assert any(answer.overview is not None for answer in answers), "the figures came within three minutes"


def test_the_command_line_prints_every_row(large: Path) -> None:
    command = [sys.executable, "-m", "inspector", "summary", str(large), "--csv"]
    done = subprocess.run(command, text=True, capture_output=True, timeout=240, check=True)
    numbers = [line.partition(",")[0] for line in done.stdout.splitlines()[1:]]
    rows = [int(number) for number in numbers if number.isdigit()]
    assert rows == list(range(len(rows)))
    assert len(rows) >= COUNT
