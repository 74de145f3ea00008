"""One open model: its worker, what has come of it so far, and what the user chose for it.

The window shows what is here and asks here; nothing else speaks to the document worker of a tab. Answers to questions
that are no longer asked are dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from PySide6.QtCore import QObject, Signal

from inspector.engines.summary.rows import ModuleRow, Overview, Remark, Row, Totals
from inspector.errors import InspectorError, WorkerDied
from inspector.ir.text import inert
from inspector.jobs.document import Document
from inspector.settings import Settings
from inspector.viewmodels.following import beyond, failed, remarked
from inspector.viewmodels.freshness import Freshness
from inspector.viewmodels.layers import LayerTable
from inspector.viewmodels.places import Places
from inspector.viewmodels.repeats import RepeatsModel
from inspector.viewmodels.selection import Selection, Target
from inspector.viewmodels.sizes import Sizes
from inspector.viewmodels.sizing import Sizing
from inspector.worker.tasks import Task
from inspector.worker.tasks.follow import TASK as FOLLOW
from inspector.worker.tasks.follow import FollowArgs, Followed
from inspector.worker.tasks.open import TASK as OPEN
from inspector.worker.tasks.open import OpenArgs
from inspector.worker.tasks.rows import TASK as ROWS
from inspector.worker.tasks.rows import RowsArgs, RowsPage

A = TypeVar("A", bound=msgspec.Struct)
R = TypeVar("R", bound=msgspec.Struct)

MOST_ROWS = 100_000
"""Rows that the window takes in; each costs it two kilobytes, and nobody reads further."""
FIRST_PAGE, PAGE = 1000, 5000
"""Rows asked for at once: a page is decoded in the window's thread and must cost it less than a frame or two."""


class State(StrEnum):
    """How far a document is."""

    OPENING = "opening"
    READY = "ready"
    FAILED = "failed"
    """The file could not be read."""
    DIED = "died"
    """Its worker ended; what was shown is still there."""


Grouping = Literal["layers", "operators", "modules"]
GROUPINGS: dict[str, Grouping] = {"layers": "layers", "operators": "operators", "modules": "modules"}


class DocumentModel(QObject):
    """A model file in a tab."""

    state_changed = Signal()
    progressed = Signal(str)
    overview_changed = Signal()
    """Overview, dims or shapes are new."""
    rows_changed = Signal()
    """The table holds all rows of the present grouping."""
    modules_changed = Signal()
    resized = Signal()
    """The worker's figures are those of other sizes now."""
    restarted = Signal()
    """A fresh worker took over; questions that had no answer yet never get one."""
    renewed = Signal()
    """The changed file was read again, and its rows are asked for: what is on show of it is to be asked for anew."""
    reloaded = Signal()
    """`renewed`, because the file has changed on disk."""
    closed = Signal()

    def __init__(self, path: Path, document: Document, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.path = path
        self.worker = document
        self.settings = settings
        self.state = State.OPENING
        self.error: InspectorError | None = None
        self.overview: Overview | None = None
        self.modules: tuple[ModuleRow, ...] = ()
        self.selection = Selection(self)
        self.layers = LayerTable(self)
        self.complete = False
        """Whether the table holds every row."""
        self.layers.set_depth(settings.depth)
        self.grouping: Grouping = GROUPINGS.get(settings.grouping, "layers")
        self.sizing = Sizing(self, settings)
        self._figured = self.sizing.shown
        self._asks: set[int] = set()
        self._renewing = False
        self.freshness = Freshness(self, settings)
        self._places = Places()
        self.repeats = RepeatsModel(self)
        self.sizing.typed.connect(self.overview_changed)
        self.sizing.ready.connect(self._reload)
        self.sizing.reopen.connect(self._reread)
        self.sizing.failed.connect(lambda error: self._say(failed(error.what, error.hint)))
        self.sizing.rereading.read.connect(self._on_reread)
        self.sizing.rereading.read.connect(lambda *_: self.freshness.on_rest())
        document.setParent(self)
        document.progressed.connect(self.progressed)
        document.died.connect(self._on_died)

    @property
    def name(self) -> str:
        """What its tab says, in one line."""
        return inert(self.path.name) or str(self.path)

    @property
    def protection(self) -> str:
        """How well its worker is fenced in; empty until it is up."""
        return self.worker.protection

    # Opening

    def open(self) -> None:
        """Read the file; also the answer to Retry."""
        self._forget()
        self.error, self._renewing = None, False
        self.freshness.on_opening()
        self._set_state(State.OPENING)
        sizes, again = self.sizes, self.overview is not None

        def opened(overview: Overview) -> None:
            self._on_opened(overview, sizes)
            if again:  # what is on show of it may be from before, or say that nobody answers
                self.renewed.emit()

        self._ask(OPEN, self._how(sizes), opened, self._on_failed)

    def _how(self, sizes: Sizes) -> OpenArgs:
        return OpenArgs(path=str(self.path), dims=sizes.dims, shapes=sizes.shapes, quick=True)

    @property
    def is_reading(self) -> bool:
        """Whether the file is being read right now."""
        return self._renewing or self.state is State.OPENING or bool(self.sizing.rereading.step)

    def renew(self) -> None:
        """Read the file, which has changed, with a fresh worker; what is shown stays until that has answered."""
        self._renewing = True
        sizes, bare = self.sizes, Sizes(self.dims)

        def failed(error: InspectorError) -> None:
            if sizes.shapes:  # they may not fit the inputs that it has now
                self.worker.renew(OPEN, self._how(bare), lambda overview: self._on_renewed(overview, bare), lost)
            else:
                lost(error)

        def lost(error: InspectorError) -> None:
            self._renewing = False
            self.sizing.lost()
            if self.overview is None:
                self._on_failed(error)
            self.freshness.on_not_renewed(error)

        self.worker.renew(OPEN, self._how(sizes), lambda overview: self._on_renewed(overview, sizes), failed)

    def _reread(self) -> None:
        """Read the file with other shapes of its inputs; where nothing is shown, there is nothing that could stay."""
        if self._renewing:
            self.renew()
        elif self.overview is None or self.state is State.FAILED:
            self.open()
        else:
            self.sizing.rereading.begin(self._how(self.sizes), self.sizes)

    def _on_reread(self, overview: Overview, sizes: Sizes) -> None:
        self._forget()
        self._renewing, self.error = False, None
        self.restarted.emit()
        self._on_opened(overview, sizes)
        self.renewed.emit()

    def _on_renewed(self, overview: Overview, sizes: Sizes) -> None:
        self._on_reread(overview, sizes)
        self.reloaded.emit()
        self.freshness.on_renewed()

    def retry(self) -> None:
        """Open again with a fresh worker."""
        self.worker.restart()
        self.restarted.emit()
        self.open()

    def close(self) -> None:
        """End the worker."""
        self._forget()
        self.worker.close()
        self.closed.emit()

    def _on_opened(self, overview: Overview, sizes: Sizes) -> None:
        self.overview = overview
        self._set_modules(overview.modules)
        self._set_state(State.READY)
        self.sizing.opened(sizes)
        self.overview_changed.emit()
        self._ask_rows(0)
        self.freshness.on_read(overview.beside)

    def _on_failed(self, error: InspectorError) -> None:
        self.error = error
        self.freshness.on_read()
        self._set_state(State.DIED if isinstance(error, WorkerDied) else State.FAILED)

    def _on_died(self, what: str, hint: str) -> None:
        self.error = self.error or WorkerDied(what, hint)
        self._set_state(State.DIED)

    def _set_state(self, state: State) -> None:
        self.state = state
        self.state_changed.emit()

    # Rows

    def set_grouping(self, grouping: Grouping) -> None:
        """Show `layers`, single `operators`, or layers beneath their `modules`."""
        if grouping != self.grouping:
            self.grouping = grouping
            self.settings.grouping = grouping
            self._reload()

    def set_depth(self, depth: int) -> None:
        """Show so many levels of modules open in the table by module, 0 for all."""
        self.settings.depth = depth
        self.layers.set_depth(depth)

    def _reload(self) -> None:
        if self.state is State.READY:
            self._forget()
            self._ask_rows(0)

    def _ask_rows(self, start: int) -> None:
        self.complete = False
        args = RowsArgs(
            grouping=self.grouping, dims=self.sizing.shown, start=start, count=PAGE if start else FIRST_PAGE, depth=-1
        )
        self._ask(ROWS, args, lambda page: self._on_rows(page, start), self._on_rows_failed)

    def _on_rows(self, page: RowsPage, start: int) -> None:
        if start == 0:
            self._places.clear()
            self.layers.replace(page.rows, page.totals)
            if page.modules:
                self._set_modules(page.modules)
            self._take_notes(page.notes)
            if self.sizing.shown != self._figured:
                self._figured = self.sizing.shown
                self.resized.emit()
        else:
            self.layers.extend(page.rows, last=not page.rows or start + len(page.rows) >= min(page.total, MOST_ROWS))
        self._places.note(page.rows)
        if self.overview is not None and self.overview.follows:
            self.rows_changed.emit()
            self._ask_follow()
            return
        have = start + len(page.rows)
        if page.rows and have < min(page.total, MOST_ROWS):
            self._ask_rows(have)
            return
        self.complete = True
        self.rows_changed.emit()
        if page.rows and have < page.total:
            self._say(beyond(have, page.total))

    def _ask_follow(self) -> None:
        self._ask(FOLLOW, FollowArgs(), self._on_followed, self._on_rows_failed)

    def _on_followed(self, followed: Followed) -> None:
        self.sizing.follow(None if followed.done else followed.share)
        if not followed.done:
            self._ask_follow()
        elif followed.overview is None:
            self.complete = True
            self._say(failed(followed.trouble))
        else:
            self.overview = followed.overview
            self._set_modules(followed.overview.modules)
            self.overview_changed.emit()
            self._ask_rows(0)
            self.renewed.emit()

    def _say(self, remark: Remark) -> None:
        if self.overview is not None:
            self.overview = remarked(self.overview, remark)
            self.overview_changed.emit()

    def _take_notes(self, notes: tuple[Remark, ...] | None) -> None:
        """Remarks on the figures for other sizes."""
        if notes is not None and self.overview is not None and notes != self.overview.notes:
            self.overview = msgspec.structs.replace(self.overview, notes=notes)
            self.overview_changed.emit()

    def _on_rows_failed(self, error: InspectorError) -> None:
        if not isinstance(error, WorkerDied):  # a worker's death is told once, by _on_died
            self._on_failed(error)

    def _set_modules(self, modules: tuple[ModuleRow, ...]) -> None:
        self.modules = modules
        self.modules_changed.emit()

    def row_of(self, target: Target | None) -> int | None:
        """Index of the row that a selected thing belongs to; None where there is none."""
        return self._places.row_of(target)

    def node_target(self, name: str, graph: str = "") -> Target:
        """What is selected when a node is, with the module it belongs to where a row says so."""
        index = self.row_of(Target("node", name, graph))
        module = "" if index is None else self.layers.all_rows()[index].module
        return Target("node", name, graph, (name,), module)

    @staticmethod
    def target_of(row: Row) -> Target:
        """What is selected when a row is."""
        if row.layers:
            return Target("module", row.name, row.graph, module=row.module)
        return Target("row", row.name, row.graph, row.nodes, row.module)

    # Sizes that the file leaves open

    @property
    def sizes(self) -> Sizes:
        """What the user typed."""
        return self.sizing.sizes

    @property
    def dims(self) -> dict[str, int]:
        """Sizes chosen for named dimensions."""
        return self.sizes.dims

    @property
    def shapes(self) -> dict[str, tuple[int | str, ...]]:
        """Shapes typed for inputs that have none."""
        return self.sizes.shapes

    @property
    def can_size(self) -> bool:
        """Whether its worker can be asked for figures of other sizes."""
        return self.state is State.READY

    def set_dims(self, dims: dict[str, int]) -> None:
        """Fix sizes by name; the table follows, and the file's next opening remembers."""
        self.sizing.choose(Sizes(dict(dims), self.shapes))

    def set_shapes(self, shapes: dict[str, tuple[int | str, ...]]) -> None:
        """Say the shapes of inputs by name; the model is read again with them."""
        self.sizing.choose(Sizes(self.dims, dict(shapes)))

    # Asking

    def ask(
        self, task: Task[A, R], args: A, done: Callable[[R], None], failed: Callable[[InspectorError], None]
    ) -> int:
        """Ask the document's worker something; see `Document.ask`."""
        return self.worker.ask(task, args, done, failed)

    def drop(self, ask: int) -> None:
        """Forget a question."""
        self.worker.drop(ask)

    def _ask(self, task: Task[Any, Any], args: Any, done: Callable[[Any], None], failed: Callable[..., None]) -> None:
        def answered(result: Any) -> None:
            self._asks.discard(ask)
            done(result)

        def went_wrong(error: InspectorError) -> None:
            self._asks.discard(ask)
            failed(error)

        ask = self.worker.ask(task, args, answered, went_wrong)
        self._asks.add(ask)

    def _forget(self) -> None:
        for ask in self._asks:
            self.worker.drop(ask)
        self._asks.clear()

    @property
    def totals(self) -> Totals:
        """Sums over the model, with the sizes that the user chose."""
        if self.layers.count():
            return self.layers.totals
        return self.overview.totals if self.overview else Totals()
