"""The sizes that the user types for one document, and how the figures come to be those of them.

Figures of a large model take seconds to minutes: meanwhile what is shown stays, everything else is answered, and the
user sees how far it is and may give up, which brings the sizes back that are shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

from inspector.errors import InspectorError, WorkerDied
from inspector.settings import Settings
from inspector.viewmodels.rereading import Rereading
from inspector.viewmodels.sizes import Sizes, typed_sizes
from inspector.viewmodels.words import shape
from inspector.worker.tasks.resize import TASK as RESIZE
from inspector.worker.tasks.resize import ResizeArgs, Resized

if TYPE_CHECKING:
    from inspector.viewmodels.document import DocumentModel

T = TypeVar("T")
UNSEEN_MS, UNREAD_MS = 300, 1000
"""What takes less than this is not worth a line that comes and goes: other sizes, and reading the file again."""


class Sizing(QObject):
    """Sizes of one document.

    Signals:
        changed: How far the figures are, or that they are no longer worked out.
        ready: The worker has the figures for `shown`.
        reopen: Shapes of inputs were typed: the file is to be read with them.
        typed: Other sizes are wanted.
        failed: Why there are no figures for what was typed, as an InspectorError; what is shown is wanted again.
    """

    changed = Signal()
    ready = Signal()
    reopen = Signal()
    typed = Signal()
    failed = Signal(object)

    def __init__(self, document: DocumentModel, settings: Settings) -> None:
        super().__init__(document)
        self._document, self._settings = document, settings
        self.sizes = typed_sizes(settings, document.path)
        """What is wanted."""
        self.shown = self.sizes.dims
        """The sizes of dimensions that the figures on show are for."""
        self.shown_shapes = self.sizes.shapes
        """The shapes of inputs that they are for."""
        self.share: float | None = None
        """How much of other figures is worked out, 0 … 1; None where none are."""
        self.first_share: float | None = None
        """The same of the first figures of a very large model."""
        self._history: list[Sizes] = []
        self._future: list[Sizes] = []
        self._ask = 0
        self._since = QElapsedTimer()
        self.rereading = Rereading(document)
        self.rereading.changed.connect(self.changed)
        self.rereading.failed.connect(self._on_not_read)
        document.state_changed.connect(self._on_state)

    # What the user types

    def choose(self, sizes: Sizes) -> None:
        """Want these."""
        if sizes != self.sizes:
            self._history.append(self.sizes)
            self._future.clear()
            self._use(sizes)

    def undo(self) -> None:
        """Take back the last change."""
        if self._history:
            self._future.append(self.sizes)
            self._use(self._history.pop())

    def redo(self) -> None:
        """Do again what was taken back."""
        if self._future:
            self._history.append(self.sizes)
            self._use(self._future.pop())

    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._history)

    def can_redo(self) -> bool:
        """Whether there is something to do again."""
        return bool(self._future)

    def cancel(self) -> None:
        """Give up: the sizes that are shown are wanted again; what was typed can be done again."""
        if self.share is not None:
            self._document.ask(RESIZE, ResizeArgs(stop=True), lambda _: None, lambda _: None)
        if self.share is not None or self.rereading.step:
            self.give_up()
            self._document.freshness.on_rest()

    def lost(self) -> None:
        """The file could not be read: shapes that are not shown are not wanted any more."""
        if self.sizes.shapes != self.shown_shapes:
            self.give_up()

    def give_up(self) -> None:
        """Want what is shown."""
        self.rereading.stop()
        given_up, self.sizes = self.sizes, Sizes(self.shown, self.shown_shapes)
        if self.sizes in self._history:
            del self._history[self._history.index(self.sizes) :]
        if given_up != self.sizes:
            self._future.append(given_up)
        self._keep()
        self._document.drop(self._ask)
        self._set_share(None)
        self.typed.emit()

    def _use(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self._keep()
        if sizes.shapes == self.shown_shapes:
            self.rereading.stop()
            self.typed.emit()
            self.work_out()
            return
        self._document.drop(self._ask)
        self._since.start()
        self._set_share(None)
        self.reopen.emit()
        self.typed.emit()
        QTimer.singleShot(UNREAD_MS, self, self.changed.emit)

    def _keep(self) -> None:
        """The file's next opening remembers."""
        key, settings = str(self._document.path), self._settings
        settings.shapes = _with(settings.shapes, key, self.sizes.dims)
        typed = {name: list(shape) for name, shape in self.sizes.shapes.items()}
        settings.input_shapes = _with(settings.input_shapes, key, typed)

    # How the figures come to be

    @property
    def text(self) -> str:
        """What is being worked out, in a sentence; empty where nothing is, or not for long yet."""
        if self.rereading.step:
            if self._since.elapsed() < UNREAD_MS:
                return ""
            wanted, before = _named(self.sizes), _named(Sizes(self.shown, self.shown_shapes))
            return f"{self.rereading.step} for {wanted}; what is shown is still for {before}."
        if self.first_share is not None:
            return "Working out shapes and figures of this very large model; its first rows are shown."
        if self.share is None or self._since.elapsed() < UNSEEN_MS:
            return ""
        said, before = _named(Sizes(self.sizes.dims)), _named(Sizes(self.shown))
        return f"Working out shapes and figures for {said}; what is shown is still for {before}."

    @property
    def progress(self) -> float | None:
        """How much is done, 0 … 1; None where that cannot be said."""
        if self.rereading.step:
            return self.rereading.share
        return self.share if self.first_share is None else self.first_share

    @property
    def can_cancel(self) -> bool:
        """Whether there are figures to go back to."""
        return self.first_share is None or bool(self.rereading.step)

    def opened(self, sizes: Sizes) -> None:
        """The file has been read with these; what was being worked out has gone with the worker, or is forgotten."""
        self.sizes, self.shown = Sizes(self.sizes.dims, sizes.shapes), sizes.dims
        self.shown_shapes = sizes.shapes
        self.rereading.end()
        self._drop()
        if self.sizes.dims != self.shown:  # typed in the meantime
            self.work_out()

    def _on_state(self) -> None:
        if not self._document.can_size:
            self._drop()

    def _drop(self) -> None:
        self._document.drop(self._ask)
        self.follow(None)
        if self.share is not None:
            self._set_share(None)

    def follow(self, share: float | None) -> None:
        """The first figures are so far; None where nothing follows any more."""
        if share != self.first_share:
            self.first_share = share
            self.changed.emit()

    def work_out(self) -> None:
        """Have the worker get the figures for what is wanted."""
        if self.share is None:
            self._since.start()
        self._document.drop(self._ask)
        if self._document.can_size:
            self._go_on()

    def _go_on(self) -> None:
        wanted = self.sizes.dims
        args = ResizeArgs(dims=wanted)
        self._ask = self._document.ask(RESIZE, args, lambda answer: self._on_answer(answer, wanted), self._on_failed)

    def _on_answer(self, answer: Resized, wanted: dict[str, int]) -> None:
        if not answer.done:
            self._set_share(answer.share)
            self._go_on()
        elif answer.trouble:
            self._on_failed(InspectorError(answer.trouble))
        else:
            self.shown = wanted
            self._set_share(None)
            self.ready.emit()

    def _on_failed(self, error: InspectorError) -> None:
        if isinstance(error, WorkerDied):  # it is told once, by the document
            self._drop()
            return
        self.give_up()
        self.failed.emit(error)

    def _on_not_read(self, error: InspectorError) -> None:
        self.give_up()
        self.failed.emit(error)
        self._document.freshness.on_rest()

    def _set_share(self, share: float | None) -> None:
        self.share = share
        self.changed.emit()


def _named(sizes: Sizes) -> str:
    """What was typed, in words."""
    shapes = [f"{name} = {shape(given)}" for name, given in sizes.shapes.items()]
    return ", ".join([*shapes, *(f"{name} = {size:,}" for name, size in sizes.dims.items())]) or "open sizes"


def _with(store: dict[str, T], key: str, value: T) -> dict[str, T]:
    """The store with this value, or without the key where the value is empty."""
    rest = {name: each for name, each in store.items() if name != key}
    return rest | {key: value} if value else rest
