"""All devices of all runtimes, each runtime asked in a worker of its own: importing one may crash."""

from __future__ import annotations

from inspector.errors import Cancelled, InspectorError
from inspector.jobs.recipe import Ask, Recipe, Say, Start, Stop, Worker
from inspector.jobs.requests import DeviceList
from inspector.jobs.sessions import FRAMEWORKS, missing
from inspector.runtimes import Device, Runtime, runtimes
from inspector.worker.tasks.devices import TASK as DEVICES
from inspector.worker.tasks.devices import DevicesArgs, DevicesFound


def devices() -> Recipe[DeviceList]:
    """Ask every installed runtime; one that is missing or fails stands in the list with the reason."""
    result: list[Device] = []
    known = list(runtimes().values())
    for i, runtime in enumerate(known):
        yield Say(i / len(known), f"Asking {runtime.title}")
        reason = missing(runtime)
        if reason:
            result.append(_absent(runtime, reason))
            continue
        try:
            worker: Worker = yield Start(f"Asking {runtime.title}", FRAMEWORKS.get(runtime.id, ""))
            found: DevicesFound = yield Ask(worker, DEVICES, DevicesArgs(runtime.id))
            yield Stop(worker)
            result += found.devices
        except Cancelled:
            raise
        except InspectorError as error:
            result.append(_absent(runtime, error.what))
    return DeviceList(tuple(result))


def _absent(runtime: type[Runtime], reason: str) -> Device:
    return Device(id=runtime.id, runtime=runtime.id, title=runtime.title, available=False, reason=reason)
