"""Opening a model on a device, as a part of recipes: which runtime, which device, in a worker of its own."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspector.errors import Cancelled, InspectorError, RuntimeFailure, WorkerDied
from inspector.formats import Source, identify
from inspector.jobs.recipe import Ask, Start, Step, Stop, Worker
from inspector.runtimes import Device, Runtime, runtimes
from inspector.worker.tasks.devices import TASK as DEVICES
from inspector.worker.tasks.devices import DevicesArgs, DevicesFound
from inspector.worker.tasks.session_open import TASK as SESSION_OPEN
from inspector.worker.tasks.session_open import SessionOpenArgs, SessionOpened

FRAMEWORKS = {"torch": "torch", "onnxruntime": "onnxruntime", "tensorflow": "tensorflow"}
"""Which warm worker suits a runtime."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A model that is open in a worker."""

    path: Path
    worker: Worker
    device: Device
    session: SessionOpened
    args: SessionOpenArgs

    @property
    def title(self) -> str:
        """For people: the file and where it runs."""
        return f"{self.path.name} on {self.device.title}"


def format_of(path: Path) -> str:
    """Id of a file's format; only its beginning is read."""
    return identify(Source(path)).id


def runtime_for(format_id: str, device: str, name: str) -> type[Runtime]:
    """The runtime that a device names, else the first installed one that accepts the format.

    Raises:
        RuntimeFailure: There is none, or the one asked for does not accept the format.
    """
    known = runtimes()
    fit = [runtime for runtime in known.values() if format_id in runtime.accepts]
    if device:
        runtime = known.get(device.partition(":")[0])
        if runtime is None:
            raise RuntimeFailure(f"There is no runtime for the device {device!r}.", "See: inspector devices")
        if runtime not in fit:
            where = ", ".join(f"{r.id}:…" for r in fit) or "none; convert it first"
            raise RuntimeFailure(f"{runtime.title} does not run {name}.", f"Devices that run it: {where}.")
        fit = [runtime]
    if not fit:
        raise RuntimeFailure(f"No runtime runs {name} ({format_id}).", "Convert it first: inspector routes")
    for runtime in fit:
        if not missing(runtime):
            return runtime
    raise RuntimeFailure(f"What runs {name} is not installed.", missing(fit[0]))


def missing(runtime: type[Runtime]) -> str:
    """Why a runtime cannot run here, or an empty string."""
    return next((reason for need in runtime.needs if (reason := need.missing())), "")


def open_session(
    path: Path, device: str = "", *, threads: int = 0, span: tuple[float, float] | None = None, format_id: str = ""
) -> Generator[Step, Any, Opened]:
    """Start a worker and open a model in it; an empty device takes the runtime's first CPU.

    Raises:
        InspectorError: What went wrong, with the worker stopped.
    """
    format_id = format_id or format_of(path)
    runtime = runtime_for(format_id, device, path.name)
    worker: Worker = yield Start(f"Starting {runtime.title}", FRAMEWORKS.get(runtime.id, ""))
    try:
        found: DevicesFound = yield Ask(worker, DEVICES, DevicesArgs(runtime.id))
        chosen = choose(found.devices, device)
        args = SessionOpenArgs(str(path.absolute()), runtime.id, chosen.id, threads, format_id)
        session: SessionOpened = yield Ask(worker, SESSION_OPEN, args, span)
    except Cancelled:
        raise
    except WorkerDied as error:
        raise blame(error, f"{runtime.title} broke down over {path.name}") from error
    except InspectorError:
        yield Stop(worker)
        raise
    return Opened(path, worker, chosen, session, args)


def choose(devices: tuple[Device, ...], wanted: str) -> Device:
    """The device of this id, or the first available CPU.

    Raises:
        RuntimeFailure: It does not exist, or is not available here.
    """
    known = {device.id: device for device in devices}
    if not wanted or ":" not in wanted:
        available = [device for device in devices if device.available]
        if not available:
            raise RuntimeFailure("There is no device to run it on.", devices[0].reason if devices else "")
        return next((device for device in available if device.kind == "cpu"), available[0])
    chosen = known.get(wanted) or known.get(f"{wanted}:0")
    if chosen is None:
        raise RuntimeFailure(f"There is no device {wanted!r}.", f"There are: {', '.join(known)}.")
    if not chosen.available:
        raise RuntimeFailure(f"The device {wanted} is not available here.", chosen.reason)
    return chosen


def blame(error: InspectorError, who: str) -> WorkerDied:
    """The same misfortune, saying over what it happened."""
    named = WorkerDied(f"{who}: {error.what}", error.hint)
    named.details = getattr(error, "details", "")  # type: ignore[attr-defined]
    return named
