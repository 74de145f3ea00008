"""The devices of this machine, asked once for the whole window: importing every framework takes seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, Signal

from inspector.runtimes import Device, runtimes
from inspector.viewmodels.running import ASKING, Running

if TYPE_CHECKING:
    from inspector.jobs.desk import Desk
    from inspector.jobs.job import Outcome

_books: WeakKeyDictionary[QObject, Devices] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Chip:
    """A device as something to tick; with a reason it cannot be."""

    id: str
    title: str
    runtime: str
    reason: str = ""
    details: str = ""


class Devices(QObject):
    """What devices there are.

    Signals:
        changed: There is an answer, or the asking has begun.
    """

    changed = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.known: tuple[Device, ...] = ()
        self.what = ""
        """Why there is no answer."""
        self._running = Running(desk, self)
        self._running.ended.connect(self._on_ended)

    @property
    def asking(self) -> bool:
        """Whether the answer is on its way."""
        return self._running.live

    def ask(self) -> None:
        """Ask, unless they are known or being asked."""
        if not self.known and not self._running.live:
            from inspector.jobs.devices import devices

            self.what = ""
            self._running.start(ASKING, devices())
            self.changed.emit()

    def _on_ended(self, outcome: Outcome) -> None:
        if outcome.state == "done":
            self.known = outcome.result.devices
        else:
            self.what = outcome.what or "Looking for devices was cancelled."
        self.changed.emit()


def devices_of(desk: Desk) -> Devices:
    """The devices that this desk has found; one list for all pages."""
    if desk not in _books:
        _books[desk] = Devices(desk)
    return _books[desk]


def chips_for(devices: tuple[Device, ...], formats: set[str]) -> tuple[Chip, ...]:
    """Devices that can run a model of one of these formats first, then the missing, then those for other formats."""
    accepts = {runtime.id: runtime.accepts for runtime in runtimes().values()}

    def chip(device: Device) -> Chip:
        fits = formats.intersection(accepts.get(device.runtime, ()))
        reason = device.reason if not device.available else ""
        if not reason and not fits:
            reads = ", ".join(accepts.get(device.runtime, ()))
            reason = f"It runs {reads}; neither model is of that format."
        details = "\n".join(f"{name}: {value}" for name, value in device.details.items())
        return Chip(device.id, device.title, device.runtime, reason, details)

    def rank(device: Device) -> int:
        fits = bool(formats.intersection(accepts.get(device.runtime, ())))
        return 0 if fits and device.available else 1 if fits else 2

    return tuple(chip(device) for device in sorted(devices, key=rank))
