"""Is it still the same model: the same inputs through both, each in a process of its own, and a verdict.

The first model is the reference. It runs more often than the second: once for the comparison, once more to see whether
it repeats itself, and once in float64 or, where its runtime cannot, with inputs moved by their last bit. By as much as
it differs from itself the second may differ from it. What goes wrong in these
further runs costs a reference, and not the verdict.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from inspector.engines.parity.align import Fit, InputPairs, pair_inputs
from inspector.engines.parity.layers import Layers
from inspector.engines.parity.verdict import Parity
from inspector.errors import Cancelled, InspectorError, WorkerDied
from inspector.jobs.recipe import Ask, Folder, Recipe, Step, Stop
from inspector.jobs.requests import CompareRequest
from inspector.jobs.sessions import Opened, blame, open_session
from inspector.worker.tasks.feeds import TASK as FEEDS
from inspector.worker.tasks.feeds import FeedsArgs, FeedsMade
from inspector.worker.tasks.judge import TASK as JUDGE
from inspector.worker.tasks.judge import JudgeArgs
from inspector.worker.tasks.judge_layers import TASK as JUDGE_LAYERS
from inspector.worker.tasks.judge_layers import JudgeLayersArgs
from inspector.worker.tasks.session_run import TASK as SESSION_RUN
from inspector.worker.tasks.session_run import SessionRan, SessionRunArgs
from inspector.worker.tasks.session_values import TASK as SESSION_VALUES
from inspector.worker.tasks.session_values import SessionValues, SessionValuesArgs

A_OPEN, B_OPEN, FED, RUN = (0.0, 0.3), (0.3, 0.6), (0.6, 0.62), (0.62, 0.95)
"""Parts of the progress bar."""


@dataclass(slots=True)
class _Results:
    """Files of what was run, one a feed that ran on both sides."""

    places: list[int] = field(default_factory=list)
    feeds: list[str] = field(default_factory=list)
    a: list[str] = field(default_factory=list)
    b: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    exact: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
    """What the reference itself could not run."""
    failed: str = ""
    """What only the second could not run."""
    missed: list[str] = field(default_factory=list)
    """In words, which further runs of the reference failed."""
    ended: bool = False
    """Whether the reference's worker ended over them."""


def compare(request: CompareRequest) -> Recipe[Parity]:
    """Compare two models on the same inputs.

    Raises:
        InspectorError: One of them cannot be opened or run at all.
    """
    root: Path = yield Folder()
    folder = Path(tempfile.mkdtemp(prefix="compare-", dir=root))
    opened: list[Opened] = []
    try:
        for path, device, span in ((request.a, request.device_a, A_OPEN), (request.b, request.device_b, B_OPEN)):
            opened.append((yield from open_session(Path(path), device, span=span)))
        parity: Parity = yield from _judged(request, opened, folder)
    except Cancelled:
        raise
    except InspectorError:
        for one in opened:
            yield Stop(one.worker)
        raise
    for one in opened:
        yield Stop(one.worker)
    return parity


def _judged(request: CompareRequest, opened: list[Opened], folder: Path) -> Recipe[Parity]:
    a, b = opened
    pairs = pair_inputs(a.session.inputs, b.session.inputs)
    made: FeedsMade = yield Ask(
        a.worker,
        FEEDS,
        FeedsArgs(
            inputs=pairs.specs,
            folder=str(folder),
            dims=request.dims,
            shapes=_by_name_of_a(request.shapes, pairs),
            batches=request.batches,
            seed=request.seed,
            file=request.feeds,
            nudge=True,
        ),
        FED,
    )
    results = yield from _run(a, b, made, pairs.fits, folder)
    yield from _references(opened, made, results, folder)
    a = opened[0]
    words = "; not run by the first: ".join([made.words, ", ".join(results.not_run)]) if results.not_run else made.words
    parity: Parity = yield Ask(
        b.worker if results.ended else a.worker,
        JUDGE,
        JudgeArgs(
            a=tuple(results.a),
            b=tuple(results.b),
            feeds=tuple(results.feeds),
            again=tuple(results.again),
            exact=tuple(results.exact),
            moved=tuple(results.moved),
            numbers_a=a.session.numbers,
            numbers_b=b.session.numbers,
            rtol=request.rtol,
            atol=request.atol,
            words="; ".join([words, *dict.fromkeys(results.missed)]),
            title_a=a.device.title,
            title_b=b.device.title,
            device_a=a.device.id,
            device_b=b.device.id,
            renamed=pairs.renamed,
            failed=results.failed,
        ),
        (RUN[1], 1.0),
    )
    if not request.layers:
        return parity
    return (yield from _with_layers(parity, request, (a, b), (made, results.feeds[0], pairs.fits), folder))


def _with_layers(
    parity: Parity,
    request: CompareRequest,
    both: tuple[Opened, Opened],
    fed: tuple[FeedsMade, str, tuple[Fit, ...]],
    folder: Path,
) -> Generator[Step, Any, Parity]:
    """The verdict with the values inside, for the first feed; where they cannot be had it stands and says why."""
    (a, b), (made, feeds, fits) = both, fed
    try:
        inside_a: SessionValues = yield from _inside(a, feeds, folder / "inside-a")
        inside_b: SessionValues = yield from _inside(b, feeds, folder / "inside-b", fits)
        moved = SessionValues(())
        if made.moved:
            moved = yield from _inside(a, made.moved[made.files.index(feeds)], folder / "inside-a-moved")
        layers: Layers = yield Ask(
            a.worker,
            JUDGE_LAYERS,
            JudgeLayersArgs(
                a=inside_a.taps,
                b=inside_b.taps,
                moved=moved.taps,
                numbers_a=a.session.numbers,
                numbers_b=b.session.numbers,
                rtol=request.rtol,
                atol=request.atol,
            ),
        )
    except Cancelled:
        raise
    except InspectorError as error:
        return msgspec.structs.replace(parity, layers_note=f"The layers were not compared: {error.what}")
    note = " ".join(dict.fromkeys(filter(None, (inside_a.note, inside_b.note))))
    return msgspec.structs.replace(
        parity, layers=layers.layers, first_divergence=layers.first_divergence, layers_note=note
    )


def _inside(who: Opened, feeds: str, folder: Path, fits: tuple[Fit, ...] = ()) -> Generator[Step, Any, SessionValues]:
    folder.mkdir()
    values: SessionValues = yield Ask(
        who.worker, SESSION_VALUES, SessionValuesArgs(feeds=feeds, folder=str(folder), fits=fits)
    )
    return values


def _run(a: Opened, b: Opened, made: FeedsMade, fits: tuple[Fit, ...], folder: Path) -> Generator[Step, Any, _Results]:
    """Run every feed through both; a feed that the reference cannot run is left out, if others can."""
    results = _Results()
    first: InspectorError | None = None
    for i, feeds in enumerate(made.files):
        spans = _spans(i, len(made.files))
        shapes = ", ".join("×".join(map(str, shape)) for shape in made.shapes[i].values())
        out_a, out_b = str(folder / f"a-{i}.npz"), str(folder / f"b-{i}.npz")
        try:
            yield from _once(a, SessionRunArgs(feeds=feeds, result=out_a), spans[0])
        except (Cancelled, WorkerDied):
            raise
        except InspectorError as error:
            first = first or error
            results.not_run.append(shapes)
            continue
        try:
            yield from _once(b, SessionRunArgs(feeds=feeds, result=out_b, fits=fits), spans[1])
        except (Cancelled, WorkerDied):
            raise
        except InspectorError as error:
            first = first or error
            results.failed = results.failed or f"{b.title} cannot run {shapes}, which the first can. {error.what}"
            continue
        results.places.append(i)
        results.feeds.append(feeds)
        results.a.append(out_a)
        results.b.append(out_b)
    if not results.a:
        assert first is not None
        raise first
    return results


def _references(opened: list[Opened], made: FeedsMade, results: _Results, folder: Path) -> Generator[Step, Any, None]:
    """Run the reference against itself: again, and in float64 or with inputs moved by their last bit.

    These runs come last: both models have run by then, and a reference that fails is only left out.
    """
    yield from _reference(opened[0], made.files, results.again, results, folder, "repeated")
    yield from _revive(opened, results)
    yield from _reference(opened[0], made.files, results.exact, results, folder, "run in float64", exact=True)
    yield from _revive(opened, results)
    if made.moved and not results.exact:
        yield from _reference(opened[0], made.moved, results.moved, results, folder, "run with moved inputs")


def _revive(opened: list[Opened], results: _Results) -> Generator[Step, Any, None]:
    """Open the reference in a worker of its own again, if the last one ended; what is left does without where not."""
    if not results.ended:
        return
    try:
        opened[0] = yield from open_session(opened[0].path, opened[0].device.id)
    except Cancelled:
        raise
    except InspectorError as error:
        results.missed.append(f"the first could not be opened again: {error.what.rstrip('.')}")
        return
    results.ended = False


def _reference(
    a: Opened,
    feeds: tuple[str, ...],
    made: list[str],
    results: _Results,
    folder: Path,
    words: str,
    *,
    exact: bool = False,
) -> Generator[Step, Any, None]:
    """Run all feeds that count once more, or none: references are paired by position."""
    if results.ended:
        return
    done: list[str] = []
    try:
        for i in results.places:
            result = str(folder / f"{words.replace(' ', '-')}-{i}.npz")
            ran: SessionRan = yield from _once(a, SessionRunArgs(feeds=feeds[i], result=result, exact=exact))
            if not ran.ran:
                return
            done.append(result)
    except Cancelled:
        raise
    except InspectorError as error:
        results.missed.append(f"the first could not be {words}: {error.what.rstrip('.')}")
        results.ended = isinstance(error, WorkerDied)
        return
    made.extend(done)


def _once(
    who: Opened, args: SessionRunArgs, span: tuple[float, float] | None = None
) -> Generator[Step, Any, SessionRan]:
    try:
        ran: SessionRan = yield Ask(who.worker, SESSION_RUN, args, span)
    except WorkerDied as error:
        raise blame(error, f"Running {who.title} failed") from error
    return ran


def _spans(i: int, count: int) -> tuple[tuple[float, float], tuple[float, float]]:
    low, width = RUN[0], (RUN[1] - RUN[0]) / (2 * count)
    start = low + 2 * i * width
    return (start, start + width), (start + width, start + 2 * width)


def _by_name_of_a(shapes: dict[str, tuple[int | str, ...]], pairs: InputPairs) -> dict[str, tuple[int | str, ...]]:
    """Shapes given under names of the second model count for the inputs of the first that they pair with."""
    own = {spec.name for spec in pairs.specs}
    of_b = {fit.b: fit for fit in pairs.fits}
    result = {name: shape for name, shape in shapes.items() if name in own}
    for name, shape in shapes.items():
        fit = of_b.get(name)
        if name not in own and fit is not None and len(shape) == len(fit.axes or shape):
            turned = list(shape)
            for position, axis in enumerate(fit.axes):
                turned[axis] = shape[position]
            result.setdefault(fit.a, tuple(turned))
    return result
