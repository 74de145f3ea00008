"""The Graph page: the graph, a slim bar to steer it, a search, and a legend of what the colours mean."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QPaintEvent, QShortcut
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from inspector.engines.layout.colour import KEYS
from inspector.viewmodels.graph import GraphModel
from inspector.viewmodels.graph_scene import Scene
from inspector.viewmodels.words import tip
from inspector.views import look
from inspector.views.graph import GraphView
from inspector.views.graph_colours import HEIGHT, TITLES, in_text, paint_legend
from inspector.views.graph_style import Style
from inspector.views.pieces import EmptyPane, button, label, line, row, tool
from inspector.worker.tasks.search import Hits

TYPING_MS = 150
PATIENCE_MS = 250
"""Work shorter than this shows no sign of itself."""


class GraphPage(QWidget):
    """One model's graph."""

    selected = Signal(str)
    """Key of the box that the user selected; empty for none."""
    export_wanted = Signal()
    """The user wants the picture saved."""

    def __init__(self, model: GraphModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("graphPage")
        self.model = model
        self.view = GraphView()
        self._hits = Hits((), 0)
        self._hit = -1
        self._asking = False
        self._going = 0
        self._typing = QTimer(self, singleShot=True, interval=TYPING_MS)
        self._typing.timeout.connect(self._search)
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._patience.timeout.connect(self._on_patience)
        self._pane = EmptyPane(
            "type-hierarchy-sub", "Laying out the graph …", "Modules are folded; open one to see inside."
        )
        self._stack = QStackedLayout()
        self._stack.addWidget(self._pane)
        self._stack.addWidget(self.view)
        self._strip = self._make_strip()
        self._legend = Legend()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._make_bar())
        layout.addWidget(line())
        layout.addWidget(self._strip)
        layout.addLayout(self._stack, 1)
        layout.addWidget(line())
        layout.addLayout(row(self._legend, label("Colour by", "caption"), self._make_colours(), margins=(0, 2, 16, 2)))
        self.setFocusProxy(self.view)
        self._connect()
        if model.scene is not None:
            self._on_changed(model.scene, True)
        elif not model.is_busy:
            model.load()

    def select(self, name: str, graph: str = "") -> None:
        """Select a node by name or key, opening what lies around it; nothing happens if it is selected."""
        if name and self.view.selected_key not in (name, f"n:{name}"):
            self.model.reveal(name, graph)

    # The bar

    def _make_bar(self) -> QHBoxLayout:
        view, model = self.view, self.model
        self.search = QLineEdit()
        self.search.setObjectName("graphSearch")
        self.search.setAccessibleName("Search the graph")
        self.search.setPlaceholderText("Search nodes and modules")
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(88)
        self.search.setMaximumWidth(260)
        self.search.installEventFilter(self)
        self._count = label("", "caption")
        self._count.setObjectName("graphSearchCount")
        self._previous = tool("arrow-up", "Previous hit (Shift+Enter)", lambda: self._go(-1))
        self._next = tool("arrow-down", "Next hit (Enter)", lambda: self._go(1))
        self._graphs = QComboBox()
        self._graphs.setObjectName("graphPicker")
        self._graphs.setAccessibleName("Graph of the model")
        self._graphs.setMaximumWidth(260)
        self._turn = tool("arrow-swap", "Top to bottom or left to right", self._on_turn)
        self._zoom = button("100 %", view.actual_size, quiet=True)
        self._zoom.setToolTip("Zoom to 100 % (Ctrl+0)")
        self._zoom.setFixedWidth(look.scaled(72))
        made = row(
            self.search, self._count, self._previous, self._next, 8, self._graphs, 0,
            tool("expand-all", "Open all modules", model.expand_all),
            tool("collapse-all", "Close all modules", model.collapse_all),
            tool("discard", "Back to the first view", model.reset),
            self._turn, 8,
            tool("zoom-out", "Zoom out (-)", view.zoom_out), self._zoom, tool("zoom-in", "Zoom in (+)", view.zoom_in),
            tool("screen-full", "Show everything (F)", view.fit),
            tool("desktop-download", "Save as SVG, PNG or PDF", self.export_wanted.emit),
            spacing=4, margins=(16, 6, 16, 6),
        )  # fmt: skip
        made.setStretchFactor(self.search, 4)  # up to its largest width before the gap in the middle grows
        return made

    def _make_colours(self) -> QComboBox:
        self._colours = QComboBox()
        self._colours.setObjectName("graphColours")
        self._colours.setAccessibleName("Colour by")
        for key in KEYS:
            self._colours.addItem(TITLES[key], key)
        self._colours.activated.connect(lambda number: self.model.set_colour(str(self._colours.itemData(number))))
        return self._colours

    def _make_strip(self) -> QWidget:
        """What is going on, or went wrong, above the graph."""
        made = QWidget()
        self._words = label("", "caption", wrap=True)
        self._cancel = button("Cancel", self.model.cancel, quiet=True)
        self._cancel.setObjectName("graphCancel")
        made.setLayout(row(self._words, 0, self._cancel, margins=(16, 4, 16, 4)))
        made.hide()
        return made

    def _connect(self) -> None:
        model, view = self.model, self.view
        model.changed.connect(self._on_changed)
        model.busy.connect(self._on_busy)
        model.failed.connect(self._on_failed)
        model.revealed.connect(self._on_revealed)
        model.graphs_changed.connect(self._on_graphs)
        model.found.connect(self._on_found)
        view.selected.connect(self.selected)
        view.toggled.connect(model.toggle)
        view.zoomed.connect(lambda zoom: self._zoom.setText(f"{zoom * 100:.0f} %"))
        self.search.textChanged.connect(lambda: self._typing.start())
        self._graphs.activated.connect(lambda number: model.set_graph(str(self._graphs.itemData(number))))
        find = QShortcut(QKeySequence.StandardKey.Find, self)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        find.activated.connect(self._on_find)
        self._on_graphs()
        self._show_hits()

    def _on_find(self) -> None:
        self.search.setFocus()
        self.search.selectAll()

    def _on_turn(self) -> None:
        self.model.set_orientation("horizontal" if self.model.orientation == "vertical" else "vertical")

    def _on_graphs(self) -> None:
        with QSignalBlocker(self._graphs):
            self._graphs.clear()
            for number, name in enumerate(self.model.graphs):
                self._graphs.addItem(f"{name or 'main'} (main)" if number == 0 else name, name)
            self._graphs.setCurrentIndex(max(0, self._graphs.findData(self.model.graph)))
        self._graphs.setVisible(len(self.model.graphs) > 1)

    # What the model says

    def _on_changed(self, scene: Scene, fit: bool) -> None:
        self.view.set_scene(scene, fit=fit)
        if scene.boxes:
            self._stack.setCurrentWidget(self.view)
        else:
            self._pane.say("This graph is empty", "The file holds no nodes here; its tensors are in the table.")
            self._stack.setCurrentWidget(self._pane)
        self._legend.show_scene(scene)
        self._mark()
        self._on_graphs()

    def _on_busy(self, words: str) -> None:
        self._cancel.setText("Cancel")
        if not words:
            self._colours.setCurrentIndex(max(0, self._colours.findData(self.model.colour)))
            self._patience.stop()
            self._strip.hide()
            return
        self._words.setText(f"{words} …")
        if self.model.scene is None:
            self._pane.say(f"{words} …", "Modules are folded; open one to see inside.")
        if not self._strip.isVisible():
            self._patience.start()

    def _on_patience(self) -> None:
        self._strip.show()

    def _on_failed(self, what: str, hint: str) -> None:
        if self.model.scene is None:
            self._pane.say(what, hint)
            return
        self._words.setText(f"{what} {hint}".strip())
        self._cancel.setText("Dismiss")
        self._strip.show()

    def _on_revealed(self, key: str) -> None:
        self.view.select(key)

    # Search

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter goes to the next hit, Shift+Enter to the one before, Escape back to the graph."""
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._go(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.search.clear()
                self.view.setFocus()
                return True
        return super().eventFilter(watched, event)

    def _search(self) -> None:
        self._asking = True
        self.model.search(self.search.text())

    def _on_found(self, hits: Hits) -> None:
        self._hits, self._hit, self._asking = hits, -1, False
        self._show_hits()
        self._mark()
        if self._going:
            self._go(self._going)

    def _show_hits(self) -> None:
        hits, shown = self._hits, len(self._hits.hits)
        if not self.search.text().strip():
            self._count.setText("")
        elif not shown:
            self._count.setText("none")
        elif self._hit < 0:
            self._count.setText(f"{hits.total:,} found")
        else:
            self._count.setText(f"{self._hit + 1} of {hits.total:,}")
        for arrow in (self._previous, self._next):
            arrow.setEnabled(shown > 0)

    def _mark(self) -> None:
        self.view.mark(self.model.seen(self._hits.hits))

    def _go(self, step: int) -> None:
        """To another hit, wherever it lies."""
        if self._typing.isActive():
            self._typing.stop()
            self._search()
        self._going = step if self._asking else 0
        if self._hits.hits and not self._asking:
            self._hit = (self._hit + step) % len(self._hits.hits) if self._hit >= 0 or step > 0 else -1
            hit = self._hits.hits[self._hit]
            self._show_hits()
            self.model.reveal(hit.key, hit.graph)
            self.selected.emit(hit.key)


class Legend(QWidget):
    """What the colours on view mean."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("graphLegend")
        self.setFixedHeight(round(HEIGHT))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._scene: Scene | None = None

    def show_scene(self, scene: Scene) -> None:
        """Explain this scene's colours."""
        self._scene = scene
        self.setAccessibleName(in_text(scene))
        self.setToolTip(tip(in_text(scene)))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the squares or the scale."""
        if self._scene is not None:
            with QPainter(self) as painter:
                paint_legend(painter, self._scene, Style.of(look.is_dark()), 16.0, 0.0, title=False, right=self.width())
