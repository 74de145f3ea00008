"""Every hostile file of SECURITY.md §4, opened in a real document worker: exactly what is said, and nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from case import Case, Loop, cases
from witness import Witness, tried

ALL = cases()


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    made = Witness(patience=6)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("label", "case"),
    [
        pytest.param(label, case, id=f"{label}-{case.name[:60]}", marks=[pytest.mark.slow] if case.slow else [])
        for label, case in ALL.items()
    ],
)
def test_a_hostile_file_gives_what_is_said(label: str, case: Case | Loop, tmp_path: Path, witness: Witness) -> None:
    _seen, wrong = tried(label, case, tmp_path / "case", witness)
    assert not wrong


def test_every_number_of_the_list_has_a_case() -> None:
    assert {case.number for case in ALL.values()} == set(range(1, 73))
