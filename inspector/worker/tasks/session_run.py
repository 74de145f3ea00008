"""Run the open model once on the feeds of a file, and write what it gives to another."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import msgspec
import numpy as np

from inspector.engines.parity.align import Fit
from inspector.engines.parity.bundle import Arrays, load, save
from inspector.errors import RuntimeFailure
from inspector.runtimes import Runtime, Spec
from inspector.worker.tasks._task import Context, Task
from inspector.worker.tasks.session_open import SESSION

Fits = tuple[Fit, ...]


class SessionRunArgs(msgspec.Struct, frozen=True, kw_only=True):
    """What to run.

    Attributes:
        feeds: A .npz file. result: The .npz file to write.
        fits: How inputs are taken from the feeds when they were made for another model; empty takes them by name.
        exact: Compute in float64 where the runtime can.
    """

    feeds: str
    result: str
    fits: Fits = ()
    exact: bool = False


class SessionRan(msgspec.Struct, frozen=True):
    """What came out; `ran` is false when float64 was asked for and cannot be had, and then nothing is written."""

    outputs: tuple[Spec, ...]
    seconds: float
    ran: bool = True


def run(args: SessionRunArgs, context: Context) -> SessionRan:
    """One inference."""
    session = opened(context)
    feeds = fitted(load(Path(args.feeds)), session, args.fits)
    start = perf_counter()
    outputs = session.run_exactly(feeds) if args.exact else session.run(feeds)
    seconds = perf_counter() - start
    if outputs is None:
        return SessionRan((), seconds, False)
    save(Path(args.result), outputs)
    specs = tuple(Spec(name, str(array.dtype), tuple(array.shape)) for name, array in outputs.items())
    return SessionRan(specs, seconds)


def opened(context: Context) -> Runtime:
    """The runtime that `session_open` left."""
    session = context.state.get(SESSION)
    if not isinstance(session, Runtime):
        raise RuntimeFailure("No model is open in this worker.", hint="Open one first.")
    return session


def fitted(feeds: Arrays, session: Runtime, fits: Fits) -> Arrays:
    """The feeds under the model's own names, in its own layout and dtypes."""
    if not fits:
        fits = tuple(Fit(spec.name, spec.name) for spec in session.inputs if spec.name in feeds)
    dtypes = {spec.name: spec.dtype for spec in session.inputs}
    result: Arrays = {}
    for fit in fits:
        array = feeds[fit.a].transpose(fit.axes) if fit.axes else feeds[fit.a]
        wanted = dtypes.get(fit.b, "")
        if _castable(array.dtype.kind, wanted):
            array = array.astype(wanted, copy=False)
        result[fit.b] = np.ascontiguousarray(array)
    return result


def _castable(kind: str, wanted: str) -> bool:
    """Floats to floats and whole numbers to whole numbers; a quantised input scales floats by itself."""
    if wanted.startswith("float") and "_" not in wanted:
        return kind == "f"
    return wanted.startswith(("int", "uint")) and kind in "iub" and not wanted.endswith(("int2", "int4"))


TASK = Task("session_run", SessionRunArgs, SessionRan, run)
