"""What the node panel shows: asked for when something is selected, only the newest answer kept."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from inspector.errors import InspectorError
from inspector.viewmodels.document import DocumentModel
from inspector.viewmodels.selection import Target
from inspector.worker.tasks.details import TASK as DETAILS
from inspector.worker.tasks.details import Details, DetailsArgs

WRAPPED_AT = 48
"""A line at least this long that another follows was broken for width, not for sense."""


class DetailsModel(QObject):
    """Details of the selected thing of one document."""

    changed = Signal()

    def __init__(self, document: DocumentModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.details: Details | None = None
        self.error: InspectorError | None = None
        self.target: Target | None = None
        self._ask = 0
        document.selection.changed.connect(self._on_selected)
        for signal in (document.renewed, document.resized):
            signal.connect(lambda: self._on_selected(self.target))

    def follow(self, name: str) -> None:
        """Select a node that the details name."""
        graph = self.target.graph if self.target else ""
        self.document.selection.select(self.document.node_target(name, graph))

    def _on_selected(self, target: Target | None) -> None:
        self.document.drop(self._ask)
        self.target, self.error = target, None
        if target is None:
            self.details = None
            self.changed.emit()
            return
        args = DetailsArgs(kind=target.kind, name=target.name, graph=target.graph)
        self._ask = self.document.ask(DETAILS, args, self._on_details, self._on_failed)

    def _on_details(self, details: Details) -> None:
        self.details = details
        self.changed.emit()

    def _on_failed(self, error: InspectorError) -> None:
        self.details, self.error = None, error
        self.changed.emit()


def flowing(text: str) -> str:
    """Documentation with the line breaks of its source taken out of its paragraphs; lists and code keep theirs."""
    lines: list[str] = []
    for line in text.splitlines():
        bare = line.strip()
        goes_on = bool(lines and lines[-1] and bare) and line[:1] not in {" ", "\t", "-", "*", "`", "|", "#"}
        if goes_on and len(lines[-1].rpartition("\n")[2]) > WRAPPED_AT and not lines[-1].endswith(":"):
            lines[-1] = f"{lines[-1]} {bare}"
        else:
            lines.append(line.rstrip())
    return "\n".join(lines).strip()
