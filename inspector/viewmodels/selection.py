"""What is selected in one model: table, graph, tree and panels read it here and write it here, never one to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Signal

Kind = Literal["node", "module", "row", "value", "tensor", "input", "output"]


@dataclass(frozen=True, slots=True)
class Target:
    """One selected thing.

    Attributes:
        kind: What it is; the same words as in `DetailsArgs`.
        name: Name of the node, module path, row name, value or tensor.
        graph: Graph it stands in; empty for the main one.
        nodes: Names of the nodes it stands for, for who can only show nodes.
        module: Dotted path of the module it belongs to, or is.
    """

    kind: Kind
    name: str
    graph: str = ""
    nodes: tuple[str, ...] = ()
    module: str = ""


class Selection(QObject):
    """The selection of one model; a tensor is selected beside the rest, so that its panel keeps the node's company."""

    changed = Signal(object)
    """Target | None: what table, graph, tree and node panel show."""
    tensor_changed = Signal(str)
    """Name of the tensor that the tensor panel shows; empty for none."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._target: Target | None = None
        self._tensor = ""

    @property
    def target(self) -> Target | None:
        """What is selected."""
        return self._target

    @property
    def tensor(self) -> str:
        """The tensor that is looked at; empty for none."""
        return self._tensor

    def select(self, target: Target | None) -> None:
        """Select something; who asked for it is told as well and must not ask again."""
        if target is not None and target.kind == "tensor":
            self.look_at(target.name)
        elif target != self._target:
            self._target = target
            self.changed.emit(target)

    def look_at(self, tensor: str) -> None:
        """Show a tensor."""
        if tensor != self._tensor:
            self._tensor = tensor
            self.tensor_changed.emit(tensor)
