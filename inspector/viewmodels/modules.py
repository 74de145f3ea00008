"""The module tree, made of the flat list that the worker sends (parents before children)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from inspector.engines.summary.rows import ModuleRow
from inspector.viewmodels import words

Index = QModelIndex | QPersistentModelIndex
NO_PARENT = QModelIndex()
TITLES = ("Module", "Parameters")
TYPE = Qt.ItemDataRole.UserRole + 1
"""The module's class, drawn beside its name."""


def figure(parameters: int) -> str:
    """What stands at the right of a module's line: its parameters, where it has any."""
    return words.short(parameters) if parameters else ""


class ModuleTree(QAbstractItemModel):
    """Modules by path; the internal id of an index is the module's place in the flat list."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._modules: tuple[ModuleRow, ...] = ()
        self._children: list[list[int]] = [[]]
        self._parents: list[int] = []
        self._rows: list[int] = []
        self._by_path: dict[str, int] = {}

    def replace(self, modules: Sequence[ModuleRow]) -> None:
        """Show these modules."""
        self.beginResetModel()
        self._modules = tuple(modules)
        self._children = [[] for _ in range(len(self._modules) + 1)]  # the last entry is the invisible root
        self._parents, self._rows, self._by_path = [], [], {}
        for number, module in enumerate(self._modules):
            parent = self._parent_of(module.path)
            self._parents.append(parent)
            self._rows.append(len(self._children[parent]))
            self._children[parent].append(number)
            self._by_path.setdefault(module.path, number)
        self.endResetModel()

    def _parent_of(self, path: str) -> int:
        while path:
            path = path.rpartition(".")[0]
            if path in self._by_path:
                return self._by_path[path]
        return -1

    def module(self, index: Index) -> ModuleRow | None:
        """The module at an index."""
        return self._modules[index.internalId()] if index.isValid() else None

    def index_of(self, path: str) -> QModelIndex:
        """Where the module of this path stands, or the nearest one above it; invalid where there is none."""
        while path and path not in self._by_path:
            path = path.rpartition(".")[0]
        number = self._by_path.get(path)
        return QModelIndex() if number is None else self.createIndex(self._rows[number], 0, number)

    def parents(self, limit: int) -> list[tuple[str, QModelIndex]]:
        """The first modules that have others beneath them, by path."""
        found = ((number, module.path) for number, module in enumerate(self._modules) if self._children[number])
        return [(path, self.createIndex(self._rows[number], 0, number)) for number, path in islice(found, limit)]

    def index(self, row: int, column: int, parent: Index = NO_PARENT) -> QModelIndex:
        """The child at a place."""
        above = self._children[parent.internalId() if parent.isValid() else -1]
        if 0 <= row < len(above) and 0 <= column < len(TITLES):
            return self.createIndex(row, column, above[row])
        return QModelIndex()

    def parent(self, index: Index = NO_PARENT) -> QModelIndex:  # type: ignore[override]
        """The module above."""
        if not index.isValid():
            return QModelIndex()
        number = self._parents[index.internalId()]
        return QModelIndex() if number < 0 else self.createIndex(self._rows[number], 0, number)

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        """Children of a module."""
        if parent.column() > 0:
            return 0
        return len(self._children[parent.internalId() if parent.isValid() else -1])

    def columnCount(self, parent: Index = NO_PARENT) -> int:
        """Name and parameters."""
        return len(TITLES)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a cell says."""
        module = self.module(index)
        if module is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            if index.column() == 0:
                return module.path.rpartition(".")[2] or module.type or "model"
            return figure(module.parameters)
        if role == TYPE and index.column() == 0:
            return module.type if module.path else ""
        if role == Qt.ItemDataRole.ToolTipRole:
            path = module.path or "the whole model"
            return words.tip(
                f"{path}\n{module.type}\n{words.count(module.parameters)} parameters, {module.layers} layers"
            )
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() == 1:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Titles."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return TITLES[section]
        return None
