"""What the convert panel shows and does: targets, route, options, destination, and the one job that is on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
from PySide6.QtCore import QObject, Signal

from inspector.engines.convert.edge import Edge, edges
from inspector.engines.convert.plan import Route, plan, reachable
from inspector.errors import InspectorError
from inspector.formats import formats
from inspector.jobs.inputs import Shape, parse_line
from inspector.jobs.requests import Conversion, ConvertRequest
from inspector.settings import Settings
from inspector.viewmodels import words
from inspector.viewmodels.destination import default_destination, objection
from inspector.viewmodels.options import Field, changed, fields_of, with_defaults
from inspector.viewmodels.running import Running
from inspector.viewmodels.sizes import Sizes, typed_sizes
from inspector.viewmodels.verdicts import Card, card_of, card_without_proof

if TYPE_CHECKING:
    from inspector.jobs.desk import Desk
    from inspector.jobs.job import Outcome


EXAMPLE = "name=1x3x224x224"
"""Of a line of inputs, where the file does not say what it has."""


@dataclass(frozen=True, slots=True)
class Target:
    """A format to convert to; with a reason it cannot be chosen."""

    format: str
    title: str
    reason: str = ""


@dataclass(slots=True)
class Form:
    """The options of one step of the route."""

    edge: Edge
    fields: tuple[Field, ...]
    values: dict[str, Any]

    @property
    def title(self) -> str:
        """What the options belong to."""
        return f"{self.edge.tool} to {title_of(self.edge.target)}"


def _size(dim: int | str | None, dims: dict[str, int]) -> int:
    """A size that stands for a dimension: its own, the one typed for its name, or 1."""
    return dim if isinstance(dim, int) else dims.get(dim or "", 1)


def title_of(format: str) -> str:
    """The format's name for people."""
    known = formats().get(format)
    return known.title if known else format


def now_other(path: Path, format: str, before: str) -> str:
    """What is said where a file has become another kind of file while a job was at it."""
    return f"{path.name} is now {title_of(format)}, no longer {title_of(before)}; nothing was left behind."


class ConvertModel(QObject):
    """Converting one model file.

    Signals:
        changed: Anything the panel shows.
        targets_changed: The file has another format, and with it other targets.
        route_changed: The route and with it the options are others.
        finished: A Conversion.
        ended: An Outcome that is no conversion: failed or cancelled.
    """

    changed = Signal()
    targets_changed = Signal()
    route_changed = Signal()
    finished = Signal(object)
    ended = Signal(object)

    def __init__(self, path: Path, format: str, desk: Desk, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.path, self.format, self._settings = path, format, settings
        self.running = Running(desk, self)
        self.running.changed.connect(self.changed)
        self.running.ended.connect(self._on_ended)
        self.result: Conversion | None = None
        self.outcome: Outcome | None = None
        self.outdated = False
        """Whether the file has changed since the last job began."""
        self.stopped = ""
        """Why the last job was stopped without anybody asking for it."""
        self.targets = self._targets()
        self.target = ""
        self.routes: list[Route] = []
        self.route: Route | None = None
        self.forms: list[Form] = []
        self.destination = ""
        self._own_destination = True
        """Whether the destination is the one we thought of, and may follow the target."""
        self.input_line = ""
        self.input_example = EXAMPLE
        self._choose_first()

    # What the file is

    def set_format(self, format: str) -> None:
        """The file has been read again; where it has another format now, its targets are others."""
        if format == self.format:
            return
        before, self.format = self.format, format
        self.result = self.outcome = None
        if self.running.live:
            self.stopped = now_other(self.path, format, before)
            self.running.cancel()
        self.input_example = EXAMPLE
        self.targets = self._targets()
        self.targets_changed.emit()
        if self.target in {target.format for target in self.targets if not target.reason}:
            self.choose(self.target)
        else:
            self._choose_first()

    def on_file_changed(self) -> None:
        """The file has been read again: what is said of it was said of what it was before."""
        self.outdated = True
        self.changed.emit()

    def _choose_first(self) -> None:
        first = next((target for target in self.targets if not target.reason), None)
        self.choose(first.format if first is not None else "")

    # What to convert to

    def choose(self, target: str) -> None:
        """Convert to this format, by the cheapest route."""
        self.target = target
        try:
            self.routes = plan(edges().values(), self.format, target) if target else []
        except InspectorError:
            self.routes = []
        self.choose_route(0)

    def choose_route(self, number: int) -> None:
        """Take one of the routes."""
        self.route = self.routes[number] if number < len(self.routes) else None
        remembered = self._settings.options
        self.forms = []
        for edge in self.route.edges if self.route else ():
            fields = fields_of(edge.options)
            if fields:
                self.forms.append(Form(edge, fields, with_defaults(fields, remembered.get(edge.id, {}))))
        if self._own_destination:
            self._think_of_destination()
        self.route_changed.emit()
        self.changed.emit()

    def set_option(self, edge: str, name: str, value: Any) -> None:
        """Choose an option of a step."""
        for form in self.forms:
            if form.edge.id == edge:
                form.values[name] = value
        self.changed.emit()

    def reset_options(self) -> None:
        """Back to the defaults."""
        for form in self.forms:
            form.values = with_defaults(form.fields, {})
        self.route_changed.emit()
        self.changed.emit()

    @property
    def options_changed(self) -> int:
        """How many options are not at their default."""
        return sum(len(changed(form.fields, form.values)) for form in self.forms)

    # Inputs and destination

    def set_inputs(self, inputs: Iterable[tuple[str, tuple[int | str | None, ...] | None]]) -> None:
        """Names and shapes of the model's inputs, for the example in the input line."""
        typed, dims = self.sizes.shapes, self.sizes.dims
        parts = [
            f"{name}=" + ("x".join(str(_size(dim, dims)) for dim in typed.get(name, shape) or ()) or "scalar")
            for name, shape in inputs
            if name in typed or shape is not None
        ]
        self.input_example = "; ".join(parts) or self.input_example
        self.changed.emit()

    def set_input_line(self, line: str) -> None:
        """Shapes as the user writes them."""
        self.input_line = line
        self.changed.emit()

    @property
    def sizes(self) -> Sizes:
        """The sizes and shapes typed for this model on its overview."""
        return typed_sizes(self._settings, self.path)

    @property
    def shapes(self) -> dict[str, Shape]:
        """What the overview's fields say, and where it says otherwise the input line."""
        return self.sizes.shapes | parse_line(self.input_line)

    def set_destination(self, text: str) -> None:
        """Where the result goes; from now on it is the user's choice."""
        if text != self.destination:
            self.destination, self._own_destination = text, not text
            self.changed.emit()

    @property
    def replaces(self) -> bool:
        """Whether something stands at the destination."""
        return Path(self.destination).expanduser().exists()

    @property
    def problem(self) -> str:
        """Why it cannot start now, in one sentence; empty when it can."""
        if self.route is None:
            read = any(edge.source == self.format for edge in edges().values())
            reasons = [target.reason for target in self.targets if target.format == (self.target or target.format)]
            return reasons[0] if reasons and read else f"No converter reads {title_of(self.format)}."
        try:
            self.shapes  # noqa: B018 - asked for its objection
            for form in self.forms:
                msgspec.convert(changed(form.fields, form.values), form.edge.options, strict=False)
        except InspectorError as error:
            return f"{error.what} {error.hint}"
        except msgspec.ValidationError as error:
            return f"{form.title}: {error}"
        return objection(self.destination, self.path)

    # The job

    def start(self, overwrite: bool = False) -> None:
        """Convert and prove."""
        if self.problem or self.running.live or self.route is None:
            return
        from inspector.jobs.convert import convert

        self._remember()
        self.result = self.outcome = None
        self.outdated, self.stopped = False, ""
        target = Path(self.destination).expanduser()
        self.running.start(f"{self.path.name} → {target.name}", convert(self.request(overwrite)))

    def request(self, overwrite: bool = False) -> ConvertRequest:
        """What is asked for."""
        assert self.route is not None
        return ConvertRequest(
            source=str(self.path),
            target=str(Path(self.destination).expanduser()),
            to=self.target,
            via=self.route.ids if self.routes and self.route is not self.routes[0] else (),
            options={form.edge.id: chosen for form in self.forms if (chosen := changed(form.fields, form.values))},
            shapes=self.shapes,
            dims=self.sizes.dims,
            overwrite=overwrite,
            seed=self._settings.seed,
        )

    def cancel(self) -> None:
        """Stop it; nothing is left behind."""
        self.running.cancel()

    @property
    def card(self) -> Card | None:
        """The verdict on the last result."""
        if self.result is None:
            return None
        if self.result.proof is None:
            return card_without_proof(self.result.proof_note)
        return card_of(self.result.proof)

    @property
    def result_words(self) -> str:
        """The last result in a line: name, size, time."""
        if self.result is None:
            return ""
        size = sum(file.stat().st_size for file in map(Path, self.result.files) if file.is_file())
        parts = [Path(self.result.target).name, words.size(size) if size else "", words.seconds(self.result.seconds)]
        parts += ["of the file before it changed"] if self.outdated else []
        return " · ".join(part for part in parts if part)

    def _targets(self) -> tuple[Target, ...]:
        """Those that can be reached first, each group by title."""
        found = reachable(self.format, targets=formats())
        made = [Target(id, title_of(id), way if isinstance(way, str) else "") for id, way in found.items()]
        return tuple(sorted(made, key=lambda target: (bool(target.reason), target.title.lower())))

    def _think_of_destination(self) -> None:
        suffix = self.route.edges[-1].suffix if self.route else ""
        self.destination = str(default_destination(self.path, suffix)) if self.route else ""

    def _remember(self) -> None:
        kept = dict(self._settings.options)
        for form in self.forms:
            kept[form.edge.id] = changed(form.fields, form.values)
        self._settings.options = {edge: chosen for edge, chosen in kept.items() if chosen}

    def _on_ended(self, outcome: Outcome) -> None:
        self.outcome = outcome
        if outcome.state == "done":
            self.result = cast("Conversion", outcome.result)
            self._own_destination = True
            self._think_of_destination()
            self.changed.emit()
            self.finished.emit(self.result)
        else:
            self.changed.emit()
            self.ended.emit(outcome)
