"""What the compare page shows and does: two models, devices, inputs; is it the same, and how fast is it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, Signal

from inspector.engines.latency.results import Bench
from inspector.engines.parity.verdict import Next, Parity
from inspector.formats import Source, identify
from inspector.jobs.requests import BenchRequest, CompareRequest, Conversion
from inspector.runtimes import runtimes
from inspector.settings import Settings
from inspector.viewmodels.convert import now_other
from inspector.viewmodels.devices import Chip, chips_for, devices_of
from inspector.viewmodels.running import Running
from inspector.viewmodels.sizes import Sizes, typed_sizes
from inspector.viewmodels.verdicts import Card, card_of, card_without_proof

if TYPE_CHECKING:
    from inspector.jobs.desk import Desk
    from inspector.jobs.job import Outcome


@dataclass(frozen=True, slots=True)
class Other:
    """A model to compare with."""

    path: Path
    format: str
    note: str = ""


class CompareModel(QObject):
    """One model of a tab beside another.

    Signals:
        changed: Anything but the results.
        parity_changed, bench_changed: There are new results, or they are gone.
    """

    changed = Signal()
    parity_changed = Signal()
    bench_changed = Signal()

    def __init__(self, path: Path, format: str, desk: Desk, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.path, self.format, self._settings = path, format, settings
        self.others: tuple[Other, ...] = ()
        self.b: Other | None = None
        self.parity: Parity | None = None
        self.note = ""
        """Why the last conversion has no proof."""
        self.bench: Bench | None = None
        self.outcome: Outcome | None = None
        """How the last job ended, where it did not end well."""
        self.outdated = False
        """Whether the file has changed since the last job began."""
        self.stopped = ""
        """Why the last job was stopped without anybody asking for it."""
        self.batches = "1, 5"
        self.feeds = ""
        self.seed, self.runs = settings.seed, settings.runs
        self._unticked: set[str] = set()
        self._measuring = self._then_measure = False
        self.devices = devices_of(desk)
        self.devices.changed.connect(self.changed)
        self.running = Running(desk, self)
        self.running.changed.connect(self.changed)
        self.running.ended.connect(self._on_ended)

    # What the files are

    def set_format(self, format: str) -> None:
        """The file has been read again; where it has another format now, other devices run it."""
        if format == self.format:
            return
        before, self.format = self.format, format
        self._put_away()
        self._stop(now_other(self.path, format, before))

    def on_file_changed(self) -> None:
        """The file has been read again: what is said of it was said of what it was before."""
        self.outdated = True
        self.changed.emit()

    def _stop(self, why: str) -> None:
        if self.running.live:
            self.stopped = why
            self.cancel()

    def _put_away(self) -> None:
        """What was found is about something else."""
        self.parity, self.bench, self.note, self.outcome = None, None, "", None
        self.changed.emit()
        self.parity_changed.emit()
        self.bench_changed.emit()

    # The other model

    def offer(self, paths: Iterable[tuple[Path, str]]) -> None:
        """Offer other open models: path and format of each."""
        open_now = [Other(path, format, "open") for path, format in paths if path != self.path]
        kept = [other for other in self.others if other.note != "open" and other.path not in {o.path for o in open_now}]
        self.others = (*kept, *open_now)
        was = self.b
        again = next((o for o in open_now if was and o.path == was.path and o.format != was.format), None)
        if again is not None and was is not None:  # it has been read again, and is another kind of file
            self.choose(again)
            self._stop(now_other(again.path, again.format, was.format))
        self.changed.emit()

    def choose(self, other: Other | None) -> None:
        """Compare with this one; results about another are put away."""
        if other != self.b:
            self.b = other
            self.stopped = self.stopped if self.running.live else ""
            self._put_away()

    def choose_file(self, path: Path) -> None:
        """Compare with a file; raises InspectorError where it is no model that we know."""
        known = next((other for other in self.others if other.path == path), None)
        if known is None:
            known = Other(path, identify(Source(path)).id, "file")
            self.others = (known, *self.others)
        self.choose(known)

    def take(self, conversion: Conversion, measure: bool = True, *, outdated: bool = False) -> None:
        """Show the proof of a conversion of this model, and measure both; `outdated`: the file has changed since."""
        made = Other(Path(conversion.target), conversion.to, "converted")
        self.others = (made, *(other for other in self.others if other.path != made.path))
        self.b, self.outdated, self.stopped = made, outdated, ""
        self.parity, self.note, self.bench, self.outcome = conversion.proof, conversion.proof_note, None, None
        self.changed.emit()
        self.parity_changed.emit()
        self.bench_changed.emit()
        if measure and conversion.proof is not None and not self.running.live:
            self.measure()

    # Devices and inputs

    def ask_devices(self) -> None:
        """Find out what devices there are; the answer may take seconds."""
        self.devices.ask()

    @property
    def chips(self) -> tuple[Chip, ...]:
        """The devices as things to tick."""
        formats = {self.format, self.b.format} if self.b else {self.format}
        return chips_for(self.devices.known, formats)

    def tick(self, device: str, on: bool) -> None:
        """Use a device, or do not."""
        (self._unticked.discard if on else self._unticked.add)(device)
        self.changed.emit()

    def ticked(self, device: str) -> bool:
        """Whether a device is used."""
        return device not in self._unticked

    @property
    def chosen(self) -> tuple[str, ...]:
        """Ids of the devices that are used; empty while they are not known: then every one is."""
        return tuple(chip.id for chip in self.chips if not chip.reason and self.ticked(chip.id))

    @property
    def sizes(self) -> Sizes:
        """The sizes and shapes typed for this model on its overview."""
        return typed_sizes(self._settings, self.path)

    def set_batches(self, text: str) -> None:
        """Batch sizes as the user writes them."""
        self.batches = text
        self.changed.emit()

    def set_seed(self, seed: int) -> None:
        """Seed of the inputs; remembered."""
        self.seed = self._settings.seed = seed
        self.changed.emit()

    def set_runs(self, runs: int) -> None:
        """Timed runs of each candidate; remembered."""
        self.runs = self._settings.runs = runs
        self.changed.emit()

    def set_feeds(self, file: str) -> None:
        """A .npz with real inputs; empty for seeded ones."""
        self.feeds = file
        self.changed.emit()

    @property
    def problem(self) -> str:
        """Why it cannot run now, in one sentence; empty when it can."""
        if self.b is None:
            return "Choose a model to compare with."
        try:
            self._sizes()
        except ValueError:
            return "Write batch sizes as whole numbers above 0, separated by commas."
        if self.devices.known and not self.chosen:
            return "Tick at least one device."
        return ""

    # Jobs

    def run(self) -> None:
        """Compare, then measure."""
        self._compare(then_measure=True)

    def _compare(self, then_measure: bool) -> None:
        if self.problem or self.running.live or self.b is None:
            return
        from inspector.jobs.compare import compare

        self._measuring, self._then_measure, self.outcome = False, then_measure, None
        self.outdated, self.stopped = False, ""
        self.running.start(f"Comparing {self.path.name} with {self.b.path.name}", compare(self.compare_request()))

    def measure(self) -> None:
        """Measure both on the chosen devices; nothing else runs meanwhile."""
        if self.problem or self.running.live or self.b is None:
            return
        from inspector.jobs.bench import bench

        self._measuring, self._then_measure, self.outcome = True, False, None
        self.stopped = ""
        self.devices.ask()  # before the measurement, beside which nothing else may run
        title = f"Measuring {self.path.name} and {self.b.path.name}"
        self.running.start(title, bench(self.bench_request()), exclusive=True)

    def next(self) -> None:
        """Do what the verdict proposes; real inputs must have been set."""
        words = self.card.next if self.card else ""
        if words == Next.MEASURE:
            self.measure()
        elif words == Next.ANOTHER_SEED:
            self.set_seed(self.seed + 1)
            self._compare(then_measure=False)
        elif words == Next.REAL_INPUTS and self.feeds:
            self._compare(then_measure=False)

    def cancel(self) -> None:
        """Stop what is running."""
        self._then_measure = False
        self.running.cancel()

    def compare_request(self) -> CompareRequest:
        """What is asked of the comparison."""
        assert self.b is not None
        return CompareRequest(
            a=str(self.path), b=str(self.b.path), device_a=self._device_for(self.format),
            device_b=self._device_for(self.b.format), feeds=self.feeds, batches=self._sizes(), seed=self.seed,
            dims=self.sizes.dims, shapes=self.sizes.shapes,
        )  # fmt: skip

    def bench_request(self) -> BenchRequest:
        """What is asked of the measurement."""
        assert self.b is not None
        return BenchRequest(
            models=(str(self.path), str(self.b.path)), devices=self.chosen, runs=self.runs, batch=self._sizes()[0],
            feeds=self.feeds, seed=self.seed, dims=self.sizes.dims, shapes=self.sizes.shapes,
        )  # fmt: skip

    @property
    def card(self) -> Card | None:
        """The verdict, or what kept it from being found; None before there is any."""
        if self.outcome is not None and self.outcome.state == "failed":
            return Card(
                "bad", "error", "failed", "Could not be done", f"{self.outcome.what} {self.outcome.hint}".strip()
            )
        if self.stopped and self.outcome is not None:
            return Card("muted", "circle-slash", "cancelled", "Cancelled", self.stopped)
        if self.parity is not None:
            card = card_of(self.parity)
            done = card.next == Next.MEASURE and self.bench is not None
            since = f" {self.path.name} has changed since." if self.outdated else ""
            return replace(card, next="" if done else card.next, sentence=f"{card.sentence}{since}")
        return card_without_proof(self.note) if self.note else None

    def _device_for(self, format: str) -> str:
        """The first ticked device that runs this format; empty leaves it to the job."""
        accepts = {runtime.id: runtime.accepts for runtime in runtimes().values()}
        fits = (chip.id for chip in self.chips if not chip.reason and self.ticked(chip.id))
        runtime_of = {chip.id: chip.runtime for chip in self.chips}
        return next((id for id in fits if format in accepts.get(runtime_of[id], ())), "")

    def _sizes(self) -> tuple[int, ...]:
        sizes = tuple(int(word) for word in re.split(r"[\s,;]+", self.batches.strip()) if word)
        if not sizes or min(sizes) < 1:
            raise ValueError(self.batches)
        return sizes

    def _on_ended(self, outcome: Outcome) -> None:
        if outcome.state != "done":
            self.outcome = outcome
            self.changed.emit()
        elif self._measuring:
            self.bench = cast("Bench", outcome.result)
            self.changed.emit()
            self.bench_changed.emit()
        else:
            self.parity, self.note = cast("Parity", outcome.result), ""
            self.changed.emit()
            self.parity_changed.emit()
            if self._then_measure:
                self.measure()
