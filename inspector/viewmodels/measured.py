"""How a candidate of a measurement is called, and how it compares with the others."""

from __future__ import annotations

from pathlib import Path

from inspector.engines.latency.results import Bench, Measured


def name_of(result: Measured) -> str:
    """`digits_mlp.tflite · LiteRT · CPU`: which model, on what."""
    model = Path(result.model).name
    return result.title if model in result.title else f"{model} · {result.title or result.device}"


def parts_of(result: Measured) -> tuple[str, str]:
    """The model, and below it on what it was run; the second is empty where one name says both."""
    model = Path(result.model).name
    return (result.title, "") if model in result.title else (model, result.title or result.device)


def beside_fastest(bench: Bench) -> list[tuple[str, str]]:
    """For each result how many times as long as the fastest it takes, and the sentence behind the figure."""
    good = [place for place, result in enumerate(bench.results) if not result.error and result.median_ms > 0]
    if not good:
        return [("", "") for _ in bench.results]
    first = min(good, key=lambda place: bench.results[place].median_ms)
    return [_beside(bench, place, first) if place in good else ("", "") for place in range(len(bench.results))]


def _beside(bench: Bench, place: int, first: int) -> tuple[str, str]:
    if place == first:
        return "fastest", "The smallest median here"
    for ratio in bench.ratios:
        if (ratio.a, ratio.b) == (place, first):
            return _interval(ratio.ratio, *ratio.ci95)
        if (ratio.a, ratio.b) == (first, place) and min(ratio.ratio, *ratio.ci95) > 0:
            return _interval(1 / ratio.ratio, 1 / ratio.ci95[1], 1 / ratio.ci95[0])
    times = bench.results[place].median_ms / bench.results[first].median_ms
    return f"{times:.3g}×", "Ratio of the medians"


def _interval(ratio: float, low: float, high: float) -> tuple[str, str]:
    return f"{ratio:.3g}×", f"{ratio:.3g} times as long as the fastest, {low:.3g}–{high:.3g} with 95 % confidence"


def environment_words(environment: dict[str, str]) -> str:
    """Where it was measured in one line; a bare figure is said with its name."""
    return " · ".join(_fact(name, value) for name, value in environment.items() if value)


def _fact(name: str, value: str) -> str:
    if name == "cores":
        return f"{value} cores"
    return f"{name} {value}" if value[:1].isdigit() else value
