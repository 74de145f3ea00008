"""Composition of a model's pages: what each needs besides the document, and how their selections and results meet.

The pages are imported when first looked at: a graph, plots or a web engine cost a start nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from inspector.errors import InspectorError
from inspector.viewmodels.destination import folder_for
from inspector.viewmodels.document import DocumentModel, State
from inspector.viewmodels.selection import Target
from inspector.viewmodels.workspace import Workspace
from inspector.views import look
from inspector.views.model_page import Maker

if TYPE_CHECKING:
    from inspector.jobs.requests import Conversion
    from inspector.viewmodels.compare import CompareModel
    from inspector.viewmodels.graph import GraphModel
    from inspector.viewmodels.netron import Alike
    from inspector.views.graph_page import GraphPage

PICTURES = "Vectors (*.svg);;Picture (*.png);;PDF (*.pdf)"


class Pages(QObject):
    """Makes the pages of one document.

    Args:
        document: The model.
        workspace: What else is open.
        show_page: Brings a page of this document to the front.
        show_error: Shows an error that belongs to no page.
    """

    def __init__(
        self,
        document: DocumentModel,
        workspace: Workspace,
        show_page: Callable[[str], object],
        show_error: Callable[[InspectorError], object],
    ) -> None:
        super().__init__(document)
        self._document, self._workspace = document, workspace
        self._show_page, self._show_error = show_page, show_error
        self._compare: CompareModel | None = None

    def makers(self) -> dict[str, Maker]:
        """How the pages are made, by key."""
        return {"graph": self.graph, "netron": self.netron, "compare": self.compare, "convert": self.convert}

    # Graph

    def graph(self) -> QWidget:
        """The graph; laid out by a worker that ends with the document."""
        from inspector.viewmodels.graph import GraphModel
        from inspector.views.graph_page import GraphPage

        document = self._document
        layout = self._workspace.desk.layout()
        layout.setParent(document)
        document.closed.connect(layout.close)
        model = GraphModel(document, layout, document, orientation=self._workspace.settings.orientation)
        page = GraphPage(model)
        GraphLink(document, model, page)
        document.renewed.connect(model.load)
        document.resized.connect(model.load)
        page.export_wanted.connect(lambda: self._export_graph(model))
        return page

    def _export_graph(self, model: GraphModel) -> None:
        from inspector.views.graph_export import export

        if model.scene is None:
            return
        proposed = str(folder_for(self._document.path) / f"{self._document.path.stem}.graph.svg")
        name, _kind = QFileDialog.getSaveFileName(None, "Save the graph", proposed, PICTURES)
        try:
            if name:
                export(model.scene, Path(name), look.is_dark())
        except InspectorError as error:
            self._show_error(error)

    # Netron

    def netron(self) -> QWidget:
        """The same file in Netron; what is selected in one is selected in the other."""
        from inspector.viewmodels.netron import NetronModel
        from inspector.views.netron_page import NetronPage

        document = self._document
        model = NetronModel(document.path, document.totals.nodes, document)
        page = NetronPage(model)

        def selected(target: Target | None) -> None:
            if target is not None:
                page.select(*(target.nodes or (target.name,)), alike=self._alike(target))

        document.renewed.connect(page.reload)
        model.node_selected.connect(lambda name: document.selection.select(document.node_target(name)))
        document.selection.changed.connect(selected)
        selected(document.selection.target)
        return page

    def _alike(self, target: Target) -> Alike | None:
        """Where a layer stands among those of its type, for nodes that have no name in Netron."""
        from inspector.viewmodels.netron import Alike

        index = self._document.row_of(target)
        rows = self._document.layers.all_rows()
        if index is None:
            return None
        row = next(row for row in rows if row.index == index)
        same = [other.index for other in rows if other.type == row.type and other.graph == row.graph]
        return Alike(row.type, same.index(index), len(same))

    # Convert and compare

    def convert(self) -> QWidget:
        """The strip that converts; its result opens in a tab, its proof on the compare page."""
        from inspector.viewmodels.convert import ConvertModel
        from inspector.views.convert_panel import ConvertPanel

        document, workspace = self._document, self._workspace
        model = ConvertModel(document.path, self._format(), workspace.desk, workspace.settings, document)

        def say_inputs() -> None:  # also when sizes are typed on the overview
            overview = document.overview
            if overview is not None and overview.signatures:
                model.set_inputs((port.name, port.shape) for port in overview.signatures[0].inputs)

        say_inputs()
        document.overview_changed.connect(lambda: model.set_format(self._format()))
        document.overview_changed.connect(say_inputs)
        document.reloaded.connect(model.on_file_changed)
        panel = ConvertPanel(model)
        panel.open_requested.connect(lambda path: workspace.open(Path(path)))
        panel.proof_requested.connect(lambda _conversion: self._show_page("compare"))
        model.finished.connect(lambda conversion: self._on_converted(conversion, outdated=model.outdated))
        return panel

    def _on_converted(self, conversion: Conversion, *, outdated: bool) -> None:
        """The proof is there; how fast both are is measured while the user reads it."""
        self._comparing().take(conversion, measure=not outdated, outdated=outdated)

    def compare(self) -> QWidget:
        """This model beside another."""
        from inspector.views.compare_page import ComparePage

        return ComparePage(self._comparing())

    def _comparing(self) -> CompareModel:
        if self._compare is None:
            from inspector.viewmodels.compare import CompareModel

            workspace = self._workspace
            self._compare = CompareModel(
                self._document.path, self._format(), workspace.desk, workspace.settings, self._document
            )
            for signal in (workspace.recent_changed, workspace.closed):
                signal.connect(self._offer)
            self._offer()
            compare = self._compare
            self._document.overview_changed.connect(lambda: compare.set_format(self._format()))
            self._document.reloaded.connect(compare.on_file_changed)
        return self._compare

    def _offer(self, *_: object) -> None:
        """Offer the other open models for comparison."""
        if self._compare is not None and self._document in self._workspace.documents:
            documents = [other for other in self._workspace.documents if other is not self._document]
            self._compare.offer((other.path, other.overview.format) for other in documents if other.overview)

    def _format(self) -> str:
        assert self._document.overview is not None
        return self._document.overview.format


class GraphLink(QObject):
    """Keeps the selection of the graph and that of the document the same."""

    def __init__(self, document: DocumentModel, model: GraphModel, page: GraphPage) -> None:
        super().__init__(page)
        self._document, self._model, self._page = document, model, page
        self._picking = False
        self._late = document.state is not State.READY
        page.selected.connect(self._on_picked)
        document.selection.changed.connect(self._on_selected)
        document.state_changed.connect(self._on_state)
        self._on_selected(document.selection.target)

    def _on_picked(self, key: str) -> None:
        self._picking = True
        self._document.selection.select(self.target_of(key))
        self._picking = False

    def _on_selected(self, target: Target | None) -> None:
        if target is not None and not self._picking:
            self._page.select(self.key_of(target), target.graph)

    def _on_state(self) -> None:
        ready = self._document.state is State.READY
        if ready and self._late:
            self._model.load()  # the file was read again
        self._late = not ready

    def target_of(self, key: str) -> Target | None:
        """What a box of the graph is called in the selection."""
        name = key[2:]
        main = self._model.graphs[0] if self._model.graphs else ""
        graph = "" if self._model.graph == main else self._model.graph
        match key[:2]:
            case "n:":
                return self._document.node_target(name, graph)
            case "m:":
                path = name.partition("#")[0]
                return Target("module", path, graph, module=path)
            case "i:":
                return Target("input", name, graph)
            case "o:":
                return Target("output", name, graph)
            case "s:":
                return Target("value", name, graph)
        return None

    @staticmethod
    def key_of(target: Target) -> str:
        """Which box stands for a selected thing; empty where none does."""
        if target.kind in {"input", "output"}:
            return f"{target.kind[0]}:{target.name}"
        if target.kind == "module" or (target.kind == "row" and len(target.nodes) > 1 and target.module):
            return f"m:{target.module}" if target.module else ""
        nodes = target.nodes or ((target.name,) if target.kind == "node" else ())
        return f"n:{nodes[0]}" if nodes else ""
