"""How fast, on what: every model on every device in a worker of its own, kept alive, timed in interleaved rounds."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec

from inspector.engines.latency.environment import environment, load
from inspector.engines.latency.results import Bench, Measured, Ratio
from inspector.engines.latency.schedule import REOPEN_MS, SETTLE_MS, WARMUP_RUNS, orders, plan
from inspector.engines.latency.statistics import ratio, sentence, summary
from inspector.engines.parity.align import Fit, pair_inputs
from inspector.errors import Cancelled, InspectorError, RuntimeFailure, WorkerDied
from inspector.formats import Source
from inspector.jobs.recipe import Ask, Folder, Recipe, Say, Start, Step, Stop, Worker
from inspector.jobs.requests import BenchRequest
from inspector.jobs.sessions import FRAMEWORKS, Opened, format_of, missing, open_session, runtime_for
from inspector.runtimes import Device, Runtime, runtimes
from inspector.worker.tasks import Task
from inspector.worker.tasks.devices import TASK as DEVICES
from inspector.worker.tasks.devices import DevicesArgs, DevicesFound
from inspector.worker.tasks.feeds import TASK as FEEDS
from inspector.worker.tasks.feeds import FeedsArgs, FeedsMade
from inspector.worker.tasks.session_open import TASK as SESSION_OPEN
from inspector.worker.tasks.session_open import SessionOpened
from inspector.worker.tasks.session_time import TASK as SESSION_TIME
from inspector.worker.tasks.session_time import SessionTimeArgs, SessionTimed

OPENED, WARMED = 0.3, 0.4
"""Parts of the progress bar."""


@dataclass(slots=True)
class _Candidate:
    """One model on one device, and what has been measured of it."""

    path: Path
    device: str
    opened: Opened | None = None
    fits: tuple[Fit, ...] = ()
    samples: list[float] = field(default_factory=list)
    round_of: list[int] = field(default_factory=list)
    warmup: tuple[float, ...] = ()
    peak_rss_mb: float = 0.0
    reopens: int = 0
    quick: bool = True
    """Whether it opens and warms up so quickly that it can be opened afresh for every turn."""
    error: str = ""

    @property
    def runs(self) -> bool:
        """Whether it is still in the race."""
        return self.opened is not None and not self.error

    @property
    def measured(self) -> bool:
        """Whether it ran to the end; one that failed on the way has no figures."""
        return bool(self.samples) and not self.error


def bench(request: BenchRequest) -> Recipe[Bench]:
    """Measure models on devices.

    Raises:
        InspectorError: Nothing at all could be measured, or an argument is wrong.
    """
    root: Path = yield Folder()
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=root))
    facts = environment()
    candidates = yield from _candidates(request)
    first: InspectorError | None = None
    for i, candidate in enumerate(candidates):
        span = (OPENED * i / len(candidates), OPENED * (i + 1) / len(candidates))
        try:
            candidate.opened = yield from open_session(
                candidate.path, candidate.device, threads=request.threads, span=span
            )
        except Cancelled:
            raise
        except InspectorError as error:
            first = first or error
            candidate.error = error.what
    if not any(candidate.runs for candidate in candidates):
        assert first is not None
        raise first
    feeds = yield from _feeds(request, candidates, folder)
    yield from _warm(candidates, feeds)
    yield from _rounds(request, candidates, feeds)
    for candidate in candidates:
        if candidate.opened is not None:
            yield Stop(candidate.opened.worker)
    if not any(candidate.measured for candidate in candidates):
        raise RuntimeFailure("Nothing could be measured.", next(c.error for c in candidates if c.error))
    if busy := load():
        facts["load"] += f", {busy} after"
    return _bench(facts, candidates, request.seed)


def _candidates(request: BenchRequest) -> Generator[Step, Any, list[_Candidate]]:
    """Every model on every device that was asked for and runs it; without devices, on every one that is there."""
    found: dict[str, tuple[Device, ...]] = {}
    result: list[_Candidate] = []
    for device in request.devices:
        if device.partition(":")[0] not in runtimes():
            raise RuntimeFailure(f"There is no runtime for the device {device!r}.", "See: inspector devices")
    for model in request.models:
        path = Path(model)
        format_id = format_of(path)
        if request.devices:
            known = runtimes()
            fit = [d for d in request.devices if _accepts(known.get(d.partition(":")[0]), format_id)]
            if not fit:
                runtime_for(format_id, request.devices[0], path.name)  # raises, with the devices that would do
            result += [_Candidate(path, device) for device in fit]
            continue
        runtime_for(format_id, "", path.name)  # raises where nothing that is installed runs it
        for runtime in runtimes().values():
            if not _accepts(runtime, format_id) or missing(runtime):
                continue
            if runtime.id not in found:
                found[runtime.id] = yield from _devices(runtime)
            result += [_Candidate(path, device.id) for device in found[runtime.id] if device.available]
    return result


def _accepts(runtime: type[Runtime] | None, format_id: str) -> bool:
    return runtime is not None and format_id in runtime.accepts


def _devices(runtime: type[Runtime]) -> Generator[Step, Any, tuple[Device, ...]]:
    worker: Worker = yield Start(f"Asking {runtime.title}", FRAMEWORKS.get(runtime.id, ""))
    found: DevicesFound = yield Ask(worker, DEVICES, DevicesArgs(runtime.id))
    yield Stop(worker)
    return found.devices


def _feeds(request: BenchRequest, candidates: list[_Candidate], folder: Path) -> Generator[Step, Any, str]:
    """Make the inputs once, for the first model; the others get the same, under their names and in their layout."""
    running = [candidate for candidate in candidates if candidate.runs]
    first = running[0].opened
    assert first is not None
    specs = first.session.inputs
    for candidate in running:
        assert candidate.opened is not None
        try:
            pairs = pair_inputs(specs, candidate.opened.session.inputs)
        except InspectorError as error:
            candidate.error = error.what
            continue
        specs, candidate.fits = pairs.specs, pairs.fits
    args = FeedsArgs(
        inputs=specs,
        folder=str(folder),
        dims=request.dims,
        shapes=request.shapes,
        batches=(request.batch,),
        seed=request.seed,
        file=request.feeds,
    )
    made: FeedsMade = yield Ask(first.worker, FEEDS, args)
    return made.files[0]


def _warm(candidates: list[_Candidate], feeds: str) -> Generator[Step, Any, None]:
    for i, candidate in enumerate(candidates):
        if candidate.opened is None or candidate.error:
            continue
        yield Say(OPENED + (WARMED - OPENED) * i / len(candidates), f"Warming up {candidate.opened.title}")
        timed = yield from _turn(candidate, SessionTimeArgs(feeds=feeds, runs=0, warmup=WARMUP_RUNS))
        candidate.warmup = timed.warmup_ms if timed else ()


def _rounds(request: BenchRequest, candidates: list[_Candidate], feeds: str) -> Generator[Step, Any, None]:
    """Interleave the candidates: each round gives each one turn, in random order."""
    planned = plan(request.runs)
    for number, order in enumerate(orders(len(candidates), len(planned), request.seed)):
        done = WARMED + (1 - WARMED) * number / len(planned)
        yield Say(done, f"Round {number + 1} of {len(planned)}")
        for candidate in (candidates[i] for i in order if candidates[i].runs):
            args = SessionTimeArgs(feeds=feeds, runs=planned[number], settle_ms=SETTLE_MS)
            timed = yield from (_fresh_turn if candidate.quick else _turn)(candidate, args)
            if timed is not None:
                candidate.samples += timed.samples_ms
                candidate.round_of += [number] * len(timed.samples_ms)
                candidate.peak_rss_mb = timed.peak_rss_mb


def _fresh_turn(candidate: _Candidate, args: SessionTimeArgs) -> Generator[Step, Any, SessionTimed | None]:
    """One turn of a model opened afresh; one that turns out to be slow to open is left open from now on."""
    assert candidate.opened is not None
    again = msgspec.structs.replace(candidate.opened.args, again=True)
    opened: SessionOpened | None = yield from _asked(candidate, SESSION_OPEN, again)
    if opened is None:
        return None
    timed = yield from _turn(candidate, msgspec.structs.replace(args, warmup=WARMUP_RUNS))
    candidate.reopens += 1
    candidate.quick = timed is not None and opened.load_ms + sum(timed.warmup_ms) - args.settle_ms <= REOPEN_MS
    return timed


def _turn(candidate: _Candidate, args: SessionTimeArgs) -> Generator[Step, Any, SessionTimed | None]:
    """One turn of a model as it is open."""
    timed: SessionTimed | None = yield from _asked(
        candidate, SESSION_TIME, msgspec.structs.replace(args, fits=candidate.fits)
    )
    return timed


def _asked(candidate: _Candidate, task: Task[Any, Any], args: msgspec.Struct) -> Generator[Step, Any, Any]:
    """The worker's answer; a candidate that fails is out of the race, and says why."""
    assert candidate.opened is not None
    try:
        return (yield Ask(candidate.opened.worker, task, args))
    except Cancelled:
        raise
    except WorkerDied as error:
        candidate.error = f"Its process ended: {error.what}"
    except InspectorError as error:
        candidate.error = error.what
    return None


def _bench(facts: dict[str, str], candidates: list[_Candidate], seed: int) -> Bench:
    results = tuple(_measured(candidate) for candidate in candidates)
    names = _names(results)
    ratios = []
    for i, j in combinations([i for i, candidate in enumerate(candidates) if candidate.measured], 2):
        a, b = candidates[i], candidates[j]
        value, interval = ratio(a.samples, a.round_of, b.samples, b.round_of, seed)
        words = sentence(names[i], names[j], value, interval)
        ratios.append(Ratio(a=i, b=j, ratio=value, ci95=interval, sentence=words))
    return Bench(environment=facts, results=results, ratios=tuple(ratios), sentence=_headline(results, ratios, names))


def _measured(candidate: _Candidate) -> Measured:
    opened = candidate.opened
    runtime = candidate.device.partition(":")[0]
    title = opened.device.title if opened else candidate.device
    if opened is None or not candidate.measured:
        return Measured(
            model=str(candidate.path), runtime=runtime, device=candidate.device, title=title, error=candidate.error
        )
    figures = summary(candidate.samples, candidate.round_of)
    return Measured(
        model=str(candidate.path),
        runtime=runtime,
        device=opened.device.id,
        title=title,
        load_ms=opened.session.load_ms,
        first_ms=candidate.warmup[0] if candidate.warmup else 0.0,
        median_ms=figures.median,
        mean_ms=figures.mean,
        p90_ms=figures.p90,
        p99_ms=figures.p99,
        iqr_ms=figures.iqr,
        ci95_ms=figures.ci95,
        samples_ms=tuple(candidate.samples),
        round_of=tuple(candidate.round_of),
        warmup=len(candidate.warmup),
        peak_rss_mb=candidate.peak_rss_mb,
        file_mb=Source(candidate.path).size / 1e6,
        facts=opened.session.facts | _how(candidate),
    )


def _how(candidate: _Candidate) -> dict[str, str]:
    """What else stands beside the figures: how it was measured, and what its weights are stored in."""
    assert candidate.opened is not None
    every = candidate.reopens == len(set(candidate.round_of))
    facts = {"opened": "afresh for every round" if every else "once: it is slow to open"}
    return facts | ({"weights": candidate.opened.session.numbers} if candidate.opened.session.numbers else {})


def _names(results: tuple[Measured, ...]) -> list[str]:
    """What tells the candidates apart, as short as it can be: the device, the file, or both; twins are numbered."""
    files = [Path(result.model).name for result in results]
    titles = [result.title.removesuffix(" · CPU") for result in results]
    both = [f"{file} on {title}" for file, title in zip(files, titles)]
    names = next((n for n in (titles, files) if len(set(n)) == len(n)), both)
    return [f"{n} ({names[: i + 1].count(n)})" if names.count(n) > 1 else n for i, n in enumerate(names)]


def _headline(results: tuple[Measured, ...], ratios: list[Ratio], names: list[str]) -> str:
    """The fastest against the next one; of a lone candidate, its own figures."""
    ranked = sorted((i for i, result in enumerate(results) if result.samples_ms), key=lambda i: results[i].median_ms)
    if len(ranked) < 2:
        one = results[ranked[0]]
        return f"{names[ranked[0]]} takes {one.median_ms:.3g} ms here, {one.ci95_ms[0]:.3g}–{one.ci95_ms[1]:.3g}."
    pair = set(ranked[:2])
    return next(ratio.sentence for ratio in ratios if {ratio.a, ratio.b} == pair)
