"""Composition of a model's pages: what each needs besides the document, and how selections meet.

The pages are imported when first looked at: a graph, plots or a web engine cost a start nothing.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QWidget

from inspector.viewmodels.document import DocumentModel
from inspector.viewmodels.selection import Target
from inspector.viewmodels.workspace import Workspace
from inspector.views.model_page import Maker


def makers(document: DocumentModel, workspace: Workspace) -> dict[str, Maker]:
    """How the pages of a document are made, by key."""
    return {
        "graph": lambda: graph_page(document, workspace),
        "netron": lambda: netron_page(document),
        "convert": lambda: convert_panel(document, workspace),
    }


def graph_page(document: DocumentModel, workspace: Workspace) -> QWidget:
    """How values flow, folded by module."""
    from inspector.app.graph_wiring import graph_page as made

    return made(document, workspace)


def convert_panel(document: DocumentModel, workspace: Workspace) -> QWidget:
    """The strip that converts the document; its result opens in a tab."""
    from inspector.viewmodels.convert import ConvertModel
    from inspector.views.convert_panel import ConvertPanel

    overview = document.overview
    assert overview is not None
    model = ConvertModel(document.path, overview.format, workspace.desk, workspace.settings, document)
    ports = overview.signatures[0].inputs if overview.signatures else ()
    model.set_inputs((port.name, port.shape) for port in ports)
    panel = ConvertPanel(model)
    panel.open_requested.connect(lambda path: workspace.open(Path(path)))
    return panel


def netron_page(document: DocumentModel) -> QWidget:
    """The same file in Netron; what is selected in one is selected in the other."""
    from inspector.viewmodels.netron import NetronModel
    from inspector.views.netron_page import NetronPage

    model = NetronModel(document.path, document.totals.nodes, document)
    page = NetronPage(model)

    def selected(target: Target | None) -> None:
        if target is not None:
            page.select(*(target.nodes or (target.name,)))

    model.node_selected.connect(lambda name: document.selection.select(node_target(document, name)))
    document.selection.changed.connect(selected)
    selected(document.selection.target)
    return page


def node_target(document: DocumentModel, name: str) -> Target:
    """A node as it is selected, with the module it belongs to where a row says so."""
    index = document.row_of(Target("node", name, nodes=(name,)))
    module = "" if index is None else document.layers.all_rows()[index].module
    return Target("node", name, nodes=(name,), module=module)
