"""What is said of samples, on samples whose truth is known."""

from __future__ import annotations

import re

import numpy as np
import pytest

from inspector.engines.latency.environment import environment
from inspector.engines.latency.schedule import ROUNDS, WARMUP_MS, orders, plan, stable
from inspector.engines.latency.statistics import ratio, sentence, summary


def measured(random: np.random.Generator, level: float, drift: np.ndarray, runs: int, turn: float = 0.03):
    """Samples as a machine gives them: a drift that all candidates share, a mood of each turn, noise, some outliers."""
    samples, round_of = [], []
    for number, common in enumerate(drift):
        mood = np.exp(random.normal(0, turn))
        times = level * common * mood * np.exp(random.normal(0, 0.01, runs))
        times *= np.where(random.random(runs) < 0.03, 2.0, 1.0)
        samples += times.tolist()
        round_of += [number] * runs
    return samples, round_of


def drifting(random: np.random.Generator) -> np.ndarray:
    return np.exp(np.cumsum(random.normal(0, 0.05, ROUNDS)))


def test_a_known_ratio_is_found_through_drift():
    random = np.random.default_rng(0)
    drift = drifting(random)
    a, b = measured(random, 1.9, drift, 4), measured(random, 1.0, drift, 4)
    value, (low, high) = ratio(*a, *b)
    assert low <= 1.9 <= high
    assert value == pytest.approx(1.9, rel=0.03)
    assert high / low < 1.08, "drift over rounds must cancel"


def test_the_same_model_twice_is_told_apart_about_one_time_in_twenty():
    hits = 0
    for seed in range(400):
        random = np.random.default_rng(seed)
        drift = drifting(random)
        _, (low, high) = ratio(*measured(random, 1.0, drift, 8), *measured(random, 1.0, drift, 8), seed)
        hits += low <= 1.0 <= high
    assert 0.915 <= hits / 400 <= 0.985


def test_reckoning_by_the_sample_would_be_too_sure():
    """The reason for the round as the unit: the same data, each sample taken for a round of its own."""
    by_round = by_sample = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        drift = np.ones(ROUNDS)
        a, b = measured(random, 1.0, drift, 6), measured(random, 1.0, drift, 6)
        single = range(len(a[0]))
        for which, (rounds_a, rounds_b) in enumerate(((a[1], b[1]), (single, single))):
            _, (low, high) = ratio(a[0], rounds_a, b[0], rounds_b, seed)
            by_round += which == 0 and low <= 1.0 <= high
            by_sample += which == 1 and low <= 1.0 <= high
    assert by_round >= 53
    assert by_sample <= 48


def test_figures_of_one_candidate():
    figures = summary(list(range(1, 101)), [i // 4 for i in range(100)])
    assert figures.median == 50.5
    assert figures.mean == 50.5
    assert figures.p90 == pytest.approx(90.1)
    assert figures.p99 == pytest.approx(99.01)
    assert figures.iqr == pytest.approx(49.5)
    assert figures.ci95[0] <= 50.5 <= figures.ci95[1]


def test_one_round_is_enough_for_figures():
    figures = summary([2.0], [0])
    assert (figures.median, figures.ci95) == (2.0, (2.0, 2.0))


def test_who_is_faster_in_words():
    assert sentence("ONNX Runtime", "TFLite on LiteRT", 1.9, (1.8, 2.0)) == (
        "TFLite on LiteRT is 1.9× faster than ONNX Runtime here, 1.8–2.0."
    )
    assert sentence("A", "B", 0.5, (0.4, 0.625)) == "A is 2.0× faster than B here, 1.6–2.5."
    assert "No difference can be shown between A and B" in sentence("A", "B", 1.01, (0.99, 1.03))
    assert re.search(r"is 1\.004× faster .*1\.002–1\.006", sentence("A", "B", 1.004, (1.002, 1.006)))


def test_a_plan_makes_the_runs_that_were_asked_for():
    for runs in (1, 7, 25, 50, 99, 1000):
        rounds = plan(runs)
        assert sum(rounds) == runs
        assert len(rounds) == min(runs, ROUNDS)
        assert max(rounds) - min(rounds) <= 1


def test_every_candidate_has_one_turn_a_round_and_the_order_varies():
    rounds = orders(3, 30, seed=0)
    assert all(sorted(order) == [0, 1, 2] for order in rounds)
    assert len({tuple(order) for order in rounds}) > 3
    assert rounds == orders(3, 30, seed=0) != orders(3, 30, seed=1)


def test_warm_up_ends_when_times_have_settled_or_patience_has():
    falling = [100 / (i + 1) for i in range(12)]
    assert not stable(falling)
    assert stable([*falling, *[5.0] * 10])
    assert not stable([5.0] * 9)
    assert stable([WARMUP_MS, WARMUP_MS])


def test_the_machine_is_named():
    facts = environment()
    assert {"cpu", "cores", "system", "python"} <= facts.keys()
    assert all(facts.values())
    assert int(facts["cores"]) >= 1
