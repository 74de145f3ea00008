"""Composition of the Graph page: its model, a layout worker of its own, and how its selection meets the document's."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from inspector.errors import InspectorError
from inspector.viewmodels.document import DocumentModel
from inspector.viewmodels.graph import GraphModel
from inspector.viewmodels.selection import Kind, Target
from inspector.viewmodels.workspace import Workspace
from inspector.views.graph_page import GraphPage

KINDS: dict[str, Kind] = {"n": "node", "m": "module", "i": "input", "o": "output", "s": "value"}
FILTERS = "Scalable picture (*.svg);;PDF (*.pdf);;Picture (*.png)"


def graph_page(document: DocumentModel, workspace: Workspace) -> QWidget:
    """How values flow; what is selected here is selected in table and panels, and the other way round."""
    layout = workspace.desk.layout()
    document.closed.connect(layout.close)
    model = GraphModel(document, layout, document, orientation=workspace.settings.orientation)
    page = GraphPage(model)

    def chosen(key: str) -> None:
        target = target_of(document, key, model.graph, model.graphs[0] if model.graphs else "")
        if target is not None:
            document.selection.select(target)

    def selected(target: Target | None) -> None:
        key = key_of(target) if target is not None else ""
        if key and target is not None:
            page.select(key, target.graph)

    def turned() -> None:
        if workspace.settings.orientation != model.orientation:
            workspace.settings.orientation = model.orientation

    page.selected.connect(chosen)
    page.export_wanted.connect(lambda: _save(page, document.path))
    model.changed.connect(turned)
    document.selection.changed.connect(selected)
    selected(document.selection.target)
    return page


def target_of(document: DocumentModel, key: str, graph: str, main: str) -> Target | None:
    """What is selected when a box is; None for a box that stands for nothing by itself."""
    kind = KINDS.get(key[:1])
    name = key[2:]
    if kind == "module":
        name = name.partition("#")[0].partition("@")[0]
    elif kind == "value":
        name = name.partition(">")[0]
    if kind is None or not name:
        return None
    inner = "" if graph == main else graph
    if kind != "node":
        return Target(kind, name, inner, module=name if kind == "module" else "")
    index = document.row_of(Target("node", name, inner, nodes=(name,)))
    module = "" if index is None else document.layers.all_rows()[index].module
    return Target("node", name, inner, nodes=(name,), module=module)


def key_of(target: Target) -> str:
    """Key of the box that shows a selected thing; empty where no box does."""
    if target.kind in ("input", "output", "module"):
        return f"{target.kind[0]}:{target.name}"
    if target.kind == "row" and target.module and len(target.nodes) != 1:
        return f"m:{target.module}"
    if target.kind in ("row", "node"):
        return f"n:{target.nodes[0] if target.nodes else target.name}"
    return ""


def _save(page: GraphPage, model: Path) -> None:
    from inspector.views.graph_export import export

    if page.model.scene is None:
        return
    suggested = str(model.with_name(f"{model.stem}-graph.svg"))
    name, chosen = QFileDialog.getSaveFileName(page, "Save the graph", suggested, FILTERS)
    if not name:
        return
    path = Path(name)
    if not path.suffix:
        path = path.with_name(path.name + chosen.rpartition("*")[2].rstrip(")"))
    try:
        export(page.model.scene, path)
    except InspectorError as error:
        QMessageBox.warning(page, "The graph was not saved", f"{error.what}\n{error.hint}")
