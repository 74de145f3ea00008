"""Run the open model on the feeds of a file and keep what is computed inside, one .npy file for each value."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from inspector.engines.parity.bundle import load
from inspector.engines.parity.taps import Tap, taps
from inspector.errors import FormatError, RuntimeFailure
from inspector.formats import Source, formats
from inspector.runtimes import Runtime
from inspector.worker.tasks._task import Context, Task
from inspector.worker.tasks.session_run import Fits, fitted, opened

AT_ONCE = 256
"""Values taken from one run: the more, the fewer runs; the fewer, the less memory."""
MOST = 4 << 30
"""Bytes of values that are kept."""


class SessionValuesArgs(msgspec.Struct, frozen=True, kw_only=True):
    """What to run.

    Attributes:
        feeds: A .npz file. folder: A folder that exists, for the files.
        fits: As for `session_run`.
    """

    feeds: str
    folder: str
    fits: Fits = ()


class SessionValues(msgspec.Struct, frozen=True):
    """The values inside the main graph; `note` says what is missing, where something is."""

    taps: tuple[Tap, ...]
    note: str = ""


def run(args: SessionValuesArgs, context: Context) -> SessionValues:
    """One inference for every few hundred values."""
    session = opened(context)
    feeds = fitted(load(Path(args.feeds)), session, args.fits)
    found = _read(session)
    files: dict[str, str] = {}
    size = 0
    for start in range(0, len(found), AT_ONCE):
        context.report(None, f"Looking inside {session.path.name}: {start:,} of {len(found):,} values")
        given = session.values(feeds, [tap.value for tap in found[start : start + AT_ONCE]])
        for name, array in given.items():
            size += array.nbytes
            if size > MOST:
                break
            if array.dtype.kind in "fiub":
                files[name] = str(Path(args.folder, f"{len(files):06d}.npy"))
                np.save(files[name], array, allow_pickle=False)
        if size > MOST:
            break
    if not files:
        raise RuntimeFailure(f"{session.title} shows no value that is computed inside {session.path.name}.")
    note = f"Only the first {len(files):,} values of {session.path.name} were kept." if size > MOST else ""
    return SessionValues(tuple(msgspec.structs.replace(tap, file=files.get(tap.value, "")) for tap in found), note)


def _read(session: Runtime) -> tuple[Tap, ...]:
    """What the file says is computed inside."""
    try:
        model = formats()[session.format].read(Source(session.path))
    except (FormatError, KeyError) as error:
        raise RuntimeFailure(f"{session.path.name} does not tell what is computed inside.") from error
    found = taps(model)
    if model.main is None or not found:
        raise RuntimeFailure(f"{session.path.name} does not tell what is computed inside.")
    session.reading = tuple((node.outputs[0], node.op) for node in model.main.nodes if node.outputs)
    return found


TASK = Task("session_values", SessionValuesArgs, SessionValues, run)
