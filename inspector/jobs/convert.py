"""Convert a model along the cheapest route, prove the result, and bring it to its place: whole, or not at all.

Everything is built in the job's private folder. Only when the result has been recognised, opened again and, where
asked, proved, is it brought beside the target; whatever goes wrong before leaves nothing behind.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from inspector.engines.convert import Edge, Route, plan
from inspector.engines.convert.edge import edges, nothing_in_the_way
from inspector.engines.convert.options import decode
from inspector.engines.parity.verdict import Parity
from inspector.errors import Cancelled, ConversionError, InspectorError
from inspector.formats import Source, identify
from inspector.ir.text import inert
from inspector.jobs.compare import compare
from inspector.jobs.publish import publish, taken, temporary
from inspector.jobs.recipe import Aside, Ask, Folder, Recipe, Say, Start, Step, Stop, Worker
from inspector.jobs.requests import CompareRequest, Conversion, ConvertRequest, StepDone, Tried
from inspector.worker.tasks.convert_step import TASK as CONVERT_STEP
from inspector.worker.tasks.convert_step import ConvertedStep, ConvertStepArgs
from inspector.worker.tasks.fingerprint import TASK as FINGERPRINT
from inspector.worker.tasks.fingerprint import Fingerprint, FingerprintArgs
from inspector.worker.tasks.preflight import TASK as PREFLIGHT
from inspector.worker.tasks.preflight import Preflight, PreflightArgs

CONVERTING, PROVING = (0.0, 0.6), (0.6, 0.97)
"""Parts of the progress bar when there is a proof."""

OF_A_MODEL = frozenset({
    "saved_model.pb", "saved_model.pbtxt", "variables", "assets", "assets.extra", "fingerprint.pb", "keras_metadata.pb"
})  # fmt: skip
"""What a SavedModel consists of; a folder with more than that is not replaced, only because it holds one too."""


@dataclass(frozen=True, slots=True)
class _Built:
    """A result in the private folder."""

    path: Path
    beside: tuple[str, ...]
    steps: tuple[StepDone, ...]
    sha256: str
    source_sha256: str


def convert(request: ConvertRequest) -> Recipe[Conversion]:
    """Convert a model.

    Raises:
        InspectorError: It cannot be done as asked, or every route failed; nothing is left behind.
    """
    began = perf_counter()
    source, target = Path(request.source).absolute(), Path(request.target).absolute()
    routes = check(request, source, target)
    root: Path = yield Folder()
    folder = Path(tempfile.mkdtemp(prefix="convert-", dir=root))
    tried: list[Tried] = []
    built = yield from _first_that_works(request, routes, folder, tried)
    proof, note = None, "No proof was asked for."
    if request.prove or request.require_proof:
        proof, note = yield from _prove(request, source, built.path)
        _insist(request, proof, note)
    yield Say(0.98, "Bringing the result to its place")
    files: tuple[Path, ...] = yield Aside(
        lambda stopped: publish(built.path, built.beside, target, request.overwrite, stopped)
    )
    return Conversion(
        source=str(source),
        target=str(target),
        to=request.to,
        route=built.steps,
        files=tuple(str(file) for file in files),
        seconds=perf_counter() - began,
        source_sha256=built.source_sha256,
        target_sha256=built.sha256,
        proof=proof,
        proof_note=note,
        tried=tuple(tried),
    )


# Before it starts


def check(request: ConvertRequest, source: Path, target: Path) -> list[Route]:
    """The routes to try, cheapest first, once everything that can be known beforehand is in order.

    Raises:
        InspectorError: Something is not.
    """
    if not os.path.lexists(source):
        raise InspectorError(f"There is no file {source}.", "Check the spelling of the path.")
    format_id = identify(Source(source)).id
    known = edges()
    if format_id == request.to:
        raise ConversionError(f"{source.name} is {request.to} already.", "Choose another format to convert to.")
    writers = {edge.target for edge in known.values()}
    if request.to not in writers:
        raise ConversionError(f"Nothing here writes {request.to!r}.", f"Targets: {', '.join(sorted(writers))}.")
    routes = plan(known.values(), format_id, request.to, request.via)
    for id, options in request.options.items():
        if id not in known:
            raise ConversionError(f"There is no converter called {id!r}.", f"Known: {', '.join(known)}.")
        decode(known[id], options)
    check_target(source, target, request)
    return routes


def check_target(source: Path, target: Path, request: ConvertRequest) -> None:
    """Raise InspectorError unless the result may be written there."""
    if not target.name or not target.parent.is_dir():
        raise InspectorError(f"There is no folder {target.parent}.", "Make it first, or choose another place.")
    real, own = target.resolve(), source.resolve()
    if real == own:
        raise InspectorError("The result would replace the model that it is made from.", "Choose another name.")
    if source.is_dir() and real.is_relative_to(own):
        raise InspectorError("The result would lie inside the model that it is made from.", "Choose another place.")
    if own.is_relative_to(real):
        raise InspectorError("The model lies inside the folder that would be replaced.", "Choose another place.")
    if os.path.lexists(target):
        if not request.overwrite:
            raise taken(target)
        _check_replaceable(target, request.to)
    # The longest name that bringing the result to its place may need: a model can have its data in a file beside it.
    probe = temporary(target.with_name(f"{target.name}.data"), "part")
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InspectorError(f"The name {target.name} is too long.", "Choose a shorter name.") from error
        raise InspectorError(
            f"Nothing can be written in {target.parent}: {error.strerror}.", "Choose another place."
        ) from error


def _check_replaceable(target: Path, to: str) -> None:
    """A folder is replaced only when it is a model of the kind that is being written."""
    folder = not any(edge.suffix for edge in edges().values() if edge.target == to)
    if target.is_dir() != folder:
        kind = "a folder" if target.is_dir() else "a file"
        raise InspectorError(f"{target} is {kind}, and the result is not.", "Choose another name.")
    if folder:
        try:
            found = identify(Source(target)).id
        except InspectorError:
            found = ""
        if found != to:
            raise InspectorError(
                f"{target} is a folder that holds something else; it is not replaced.", "Choose another name."
            )
        others = sorted(each.name for each in target.iterdir() if each.name not in OF_A_MODEL)
        if others:
            raise InspectorError(
                f"The folder {target} also holds {inert(others[0])}, which would be lost; it is not replaced.",
                "Move what is yours out of it, or choose another name.",
            )


# Converting


def _first_that_works(request: ConvertRequest, routes: list[Route], folder: Path, tried: list[Tried]) -> Recipe[_Built]:
    """Try one route after another; gives the first result, and notes what failed.

    A route without a converter that the user gave options for would not be what was asked, and is left out.
    """
    first: InspectorError | None = None
    others: list[Tried] = []
    for number, route in enumerate(routes):
        absent = next((id for id, chosen in request.options.items() if chosen and id not in route.ids), "")
        if absent:
            what = f"It was left out, because options were given for {absent}, which it does not use."
            others.append(Tried(route.ids, route.ids[0], what, "Leave these options out."))
            tried.append(others[-1])
            continue
        done: list[StepDone] = []
        try:
            return (yield from _along(request, route, folder / str(number), done))
        except Cancelled:
            raise
        except InspectorError as error:
            tried.append(Tried(route.ids, route.edges[len(done)].id, error.what, error.hint))
            if first is not None:
                others.append(tried[-1])
            first = first or error
    listed = "; ".join(f"{' → '.join(one.route)}: {one.what}" for one in others)
    if first is None:
        raise ConversionError("No route has every converter that options were given for.", listed)
    if others:
        first.hint = f"{first.hint} Other routes: {listed}".strip()
    raise first


def _along(request: ConvertRequest, route: Route, folder: Path, done: list[StepDone]) -> Recipe[_Built]:
    """Run the edges of one route."""
    prove = request.prove or request.require_proof
    end = CONVERTING[1] if prove else PROVING[1]
    here = Path(request.source).absolute()
    beside: tuple[str, ...] = ()
    prints: tuple[str, str] = ("", "")
    for place, edge in enumerate(route.edges):
        last = place == len(route.edges) - 1
        name = Path(request.target).name if last else f"{Path(request.source).stem}{edge.suffix}"
        there = folder / str(place) / name
        there.parent.mkdir(parents=True)
        span = (end * place / len(route.edges), end * (place + 1) / len(route.edges))
        began = perf_counter()
        step, prints = yield from _one(request, edge, (here, there), span, (place == 0, last, prints))
        done.append(
            StepDone(
                edge=edge.id,
                tool=edge.tool,
                version=step.version,
                seconds=perf_counter() - began,
                source=edge.source,
                target=edge.target,
                options=request.options.get(edge.id, {}),
                facts=step.facts,
            )
        )
        here, beside = there, step.files[1:]
    return _Built(here, beside, tuple(done), prints[1], prints[0])


def _one(
    request: ConvertRequest,
    edge: Edge,
    paths: tuple[Path, Path],
    span: tuple[float, float],
    ends: tuple[bool, bool, tuple[str, str]],
) -> Recipe[tuple[ConvertedStep, tuple[str, str]]]:
    """Run one edge in a worker of its own; gives its result, and the hashes of source and target as far as known."""
    worker = yield Start(f"{edge.source} → {edge.target} with {edge.tool}", framework_of(edge))
    try:
        return (yield from _asked(worker, request, edge, paths, span, ends))
    except Cancelled:
        raise
    except InspectorError:
        yield Stop(worker)  # the next route needs the memory
        raise


def _asked(
    worker: Worker,
    request: ConvertRequest,
    edge: Edge,
    paths: tuple[Path, Path],
    span: tuple[float, float],
    ends: tuple[bool, bool, tuple[str, str]],
) -> Recipe[tuple[ConvertedStep, tuple[str, str]]]:
    first, last, (source_print, target_print) = ends
    options = request.options.get(edge.id, {})
    if edge.preflight is not nothing_in_the_way:
        found: Preflight = yield Ask(worker, PREFLIGHT, PreflightArgs(edge.id, str(paths[0]), options))
        if found.obstacles:
            raise ConversionError(_list(found.obstacles), f"{edge.tool} was not started: it cannot convert this.")
    args = ConvertStepArgs(edge.id, str(paths[0]), str(paths[1]), options, request.shapes)
    step: ConvertedStep = yield Ask(worker, CONVERT_STEP, args, span=span)
    check_args = FingerprintArgs(str(paths[1]), edge.target, step.files[1:])
    checked: Fingerprint = yield Ask(worker, FINGERPRINT, check_args)
    if last:
        target_print = checked.sha256
    if first:
        of_source: Fingerprint = yield Ask(worker, FINGERPRINT, FingerprintArgs(str(paths[0])))
        source_print = of_source.sha256
    yield Stop(worker)
    return step, (source_print, target_print)


def framework_of(edge: Edge) -> str:
    """Which spare worker suits an edge: the one with its heaviest framework imported."""
    modules = {need.module for need in edge.needs}
    return next((name for name in ("tensorflow", "torch", "onnxruntime") if name in modules), "")


def _list(sentences: tuple[str, ...], limit: int = 3) -> str:
    more = f" And {len(sentences) - limit} more." if len(sentences) > limit else ""
    return " ".join(sentences[:limit]) + more


# Proving


def _prove(request: ConvertRequest, source: Path, built: Path) -> Recipe[tuple[Parity | None, str]]:
    """The same inputs through source and result; gives the verdict, or why there is none."""
    ask = CompareRequest(a=str(source), b=str(built), dims=request.dims, shapes=request.shapes, seed=request.seed)
    try:
        return (yield from within(compare(ask), PROVING)), ""
    except Cancelled:
        raise
    except InspectorError as error:
        return None, f"{error.what} {error.hint}".strip()


def _insist(request: ConvertRequest, proof: Parity | None, note: str) -> None:
    if request.require_proof and (proof is None or proof.verdict.exit_code):
        why = note if proof is None else proof.sentence
        raise ConversionError(
            f"The result was discarded, because it is not proved: {why}", "Convert without insisting."
        )


def within(recipe: Recipe[Any], span: tuple[float, float]) -> Generator[Step, Any, Any]:
    """A recipe as a part of a larger one: its progress fills only this part of the bar."""

    def scaled(fraction: float) -> float:
        return span[0] + (span[1] - span[0]) * fraction

    value: Any = None
    error: BaseException | None = None
    while True:
        try:
            step = recipe.send(value) if error is None else recipe.throw(error)
        except StopIteration as stop:
            return stop.value
        if isinstance(step, Ask) and step.span is not None:
            step = replace(step, span=(scaled(step.span[0]), scaled(step.span[1])))
        elif isinstance(step, Say) and step.fraction is not None:
            step = replace(step, fraction=scaled(step.fraction))
        value, error = None, None
        try:
            value = yield step
        except GeneratorExit:
            recipe.close()
            raise
        except BaseException as raised:  # noqa: BLE001 - passed on to the inner recipe, which decides
            error = raised
