"""Ask one runtime which devices exist here."""

from __future__ import annotations

import msgspec

from inspector.errors import RuntimeFailure
from inspector.runtimes import Device, runtimes
from inspector.worker.tasks._task import Context, Task


class DevicesArgs(msgspec.Struct, frozen=True):
    """Id of a runtime."""

    runtime: str


class DevicesFound(msgspec.Struct, frozen=True):
    """Its devices, the missing ones with their reasons."""

    devices: tuple[Device, ...]


def run(args: DevicesArgs, context: Context) -> DevicesFound:
    """Import the framework and look around."""
    kind = runtimes()[args.runtime]
    context.report(None, f"Asking {kind.title} for devices")
    try:
        return DevicesFound(kind.devices())
    except (ImportError, OSError, RuntimeError) as error:
        raise RuntimeFailure(
            f"{kind.title} does not start: {error}", hint="Its installation may be damaged; install it again."
        ) from error


TASK = Task("devices", DevicesArgs, DevicesFound, run)
