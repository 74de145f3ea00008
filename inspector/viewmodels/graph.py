"""What the graph page shows: which graph, what is open in it, which way it runs, and the newest picture of that.

A change goes two steps: the document worker folds, the layout worker places. Only the newest wish counts; what is on
its way for an older one is dropped. Laying out has a time limit: the worker is ended and what was shown stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from inspector.engines.layout.colour import CATEGORY
from inspector.engines.layout.scene import Folded, Placed
from inspector.errors import InspectorError
from inspector.viewmodels.graph_scene import Scene
from inspector.worker.tasks._task import Task
from inspector.worker.tasks.fold import TASK as FOLD
from inspector.worker.tasks.fold import FoldArgs
from inspector.worker.tasks.place import TASK as PLACE
from inspector.worker.tasks.place import PlaceArgs
from inspector.worker.tasks.search import TASK as SEARCH
from inspector.worker.tasks.search import Hit, Hits, SearchArgs

LIMIT_MS = 10_000
HITS = 200


class Asked(Protocol):
    """What answers questions about the open model."""

    def ask(
        self, task: Task[Any, Any], args: Any, done: Callable[[Any], None], failed: Callable[[InspectorError], None]
    ) -> int:
        """Ask; gives the question's id."""

    def drop(self, ask: int) -> None:
        """Forget a question."""


class Layout(Asked, Protocol):
    """What lays out; it can hang, so it can be ended."""

    def restart(self) -> None:
        """End what it is doing."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user wants to see."""

    graph: str = ""
    open: frozenset[str] | None = None
    """None: whatever makes a good first view."""
    everything: bool = False
    orientation: str = "vertical"
    reveal: str = ""
    fit: bool = False


class GraphModel(QObject):
    """The graph of one open model."""

    changed = Signal(object, bool)
    """A Scene, and whether the eye should go back to the beginning."""
    busy = Signal(str)
    """What is going on; empty when nothing is."""
    failed = Signal(str, str)
    """What went wrong and what to do; what was shown is still there."""
    revealed = Signal(str)
    """Key of the box that was to be seen; it is on view now."""
    graphs_changed = Signal()
    found = Signal(object)
    """The Hits of the newest search."""

    def __init__(
        self, document: Asked, layout: Layout, parent: QObject | None = None, *, orientation: str = "vertical"
    ) -> None:
        super().__init__(parent)
        self._document, self._layout = document, layout
        self._wish = Wish(orientation=orientation)
        self._shown: Wish | None = None
        self.scene: Scene | None = None
        self.graphs: tuple[str, ...] = ()
        self.colour = CATEGORY
        self._folding = self._placing = self._searching = 0
        self._limit = QTimer(self, singleShot=True, interval=LIMIT_MS)
        self._limit.timeout.connect(self._on_limit)

    # Wishes

    @property
    def orientation(self) -> str:
        """vertical or horizontal."""
        return self._wish.orientation

    @property
    def graph(self) -> str:
        """Name of the graph on view; empty for the main one before it is known."""
        return self.scene.graph if self.scene is not None else self._wish.graph

    @property
    def is_busy(self) -> bool:
        """Whether an answer is on its way."""
        return bool(self._folding or self._placing)

    def load(self) -> None:
        """Show the first view, or the present one anew."""
        self._want(self._wish)

    def set_colour(self, key: str) -> None:
        """Colour by category, parameters, macs, memory or dtype."""
        if key != self.colour:
            self.colour = key
            self._want(self._wish)

    def toggle(self, key: str) -> None:
        """Open or close a module."""
        box = self.scene.boxes[self.scene.index[key]] if self.scene is not None and key in self.scene.index else None
        if box is None or box.kind not in ("module", "repeat"):
            return
        now = self._open()
        self._want(Wish(self._wish.graph, now - {key} if box.open else now | {key}, False, self.orientation))

    def expand_all(self) -> None:
        """Open everything."""
        self._want(Wish(self._wish.graph, self._open(), True, self.orientation))

    def collapse_all(self) -> None:
        """Close everything."""
        self._want(Wish(self._wish.graph, frozenset(), False, self.orientation, fit=True))

    def reset(self) -> None:
        """Back to the first view."""
        self._want(Wish(self._wish.graph, None, False, self.orientation, fit=True))

    def set_graph(self, name: str) -> None:
        """Show another graph of the model."""
        if name != self.graph:
            self._want(Wish(name, None, False, self.orientation, fit=True))

    def set_orientation(self, orientation: str) -> None:
        """Let it run from top to bottom or from left to right."""
        if orientation != self.orientation:
            self._want(Wish(self._wish.graph, self._wish.open, self._wish.everything, orientation, fit=True))

    def reveal(self, name: str, graph: str = "") -> None:
        """Open what lies around something, then say `revealed`.

        Args:
            name: A node's name, or any key (`n:…`, `m:…`, `i:…`, `o:…`).
            graph: Where it is; empty for the graph on view.
        """
        key = name if name[:2] in ("n:", "m:", "i:", "o:") else f"n:{name}"
        other = bool(graph) and graph != self.graph
        if not other and self.scene is not None and key in self.scene.index and not self.is_busy:
            self.revealed.emit(key)
            return
        opened = None if other else self._open() if self.scene is not None else None
        self._want(Wish(graph or self._wish.graph, opened, False, self.orientation, reveal=key, fit=other))

    def cancel(self) -> None:
        """Stop what is on its way; what was shown stays."""
        laying = bool(self._placing)
        self._forget()
        if laying:
            self._layout.restart()
        self._wish = self._shown or self._wish
        self.colour = self.scene.colour or CATEGORY if self.scene is not None else self.colour
        self.busy.emit("")

    def _open(self) -> frozenset[str]:
        """Keys of what is open, those inside closed modules included: they come back when those are opened."""
        seen = self.scene.boxes if self.scene is not None else ()
        return frozenset(box.key for box in seen if box.open) | (self._wish.open or frozenset())

    # The two steps

    def _want(self, wish: Wish) -> None:
        if self._placing:
            self._layout.restart()
        self._forget()
        self._wish = wish
        args = FoldArgs(
            graph=wish.graph, open=tuple(sorted(wish.open or ())), everything=wish.everything,
            exact=wish.open is not None, reveal=wish.reveal, colour=self.colour,
        )  # fmt: skip
        self._folding = self._document.ask(FOLD, args, self._on_folded, self._on_failed)
        self.busy.emit("Folding the graph")

    def _on_folded(self, folded: Folded) -> None:
        self._folding = 0
        if folded.graphs != self.graphs:
            self.graphs = folded.graphs
            self.graphs_changed.emit()
        args = PlaceArgs(folded=folded, orientation="horizontal" if self.orientation == "horizontal" else "vertical")
        self._limit.start()
        self._placing = self._layout.ask(PLACE, args, lambda placed: self._on_placed(folded, placed), self._on_failed)
        self.busy.emit(f"Laying out {len(folded.boxes):,} boxes")

    def _on_placed(self, folded: Folded, placed: Placed) -> None:
        self._placing = 0
        self._limit.stop()
        wish = self._wish
        try:
            scene = Scene(folded, placed)
        except ValueError as error:
            self._on_failed(InspectorError(str(error), "Open the file again."))
            return
        self.scene = scene
        opened = frozenset(box.key for box in scene.boxes if box.open)
        self._wish = Wish(wish.graph, opened | (wish.open or frozenset()), wish.everything, wish.orientation)
        self._shown = self._wish
        self.busy.emit("")
        self.changed.emit(scene, wish.fit)
        if folded.revealed:
            self.revealed.emit(folded.revealed)

    def _on_failed(self, error: InspectorError) -> None:
        self._forget()
        self._wish = self._shown or self._wish
        self.colour = self.scene.colour or CATEGORY if self.scene is not None else self.colour
        self.busy.emit("")
        self.failed.emit(error.what, error.hint)

    def _on_limit(self) -> None:
        wish = self._wish
        self.cancel()
        self.failed.emit(
            f"Laying out took more than {LIMIT_MS // 1000} seconds and was stopped.", "Open fewer modules at once."
        )
        if self._shown is None and (wish.everything or wish.open is None or wish.open):
            self._want(Wish(wish.graph, frozenset(), False, wish.orientation, fit=True))

    def _forget(self) -> None:
        self._limit.stop()
        if self._folding:
            self._document.drop(self._folding)
        if self._placing:
            self._layout.drop(self._placing)
        self._folding = self._placing = 0

    # Search

    def search(self, text: str) -> None:
        """Look for nodes and modules in all graphs; `found` follows."""
        if self._searching:
            self._document.drop(self._searching)
            self._searching = 0
        if not text.strip():
            self.found.emit(Hits((), 0))
            return
        self._searching = self._document.ask(
            SEARCH, SearchArgs(text=text, limit=HITS), self._on_found, lambda error: self._on_search_failed()
        )

    def _on_found(self, hits: Hits) -> None:
        self._searching = 0
        self.found.emit(hits)

    def _on_search_failed(self) -> None:
        self._searching = 0
        self.found.emit(Hits((), 0))

    def seen(self, hits: tuple[Hit, ...]) -> list[str]:
        """Keys of the boxes on view that a hit is in: itself, or the closed module around it."""
        if self.scene is None:
            return []
        index = self.scene.index
        found: dict[str, None] = {}
        for hit in hits:
            if hit.graph in ("", self.scene.graph):
                key = next((key for key in (hit.key, *reversed(hit.open)) if key in index), "")
                if key:
                    found[key] = None
        return list(found)
