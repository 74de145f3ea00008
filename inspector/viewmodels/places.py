"""Which row of the table each node, module and layer is in."""

from __future__ import annotations

from collections.abc import Sequence

from inspector.engines.summary.rows import Row
from inspector.viewmodels.selection import Target


class Places:
    """Rows by the names of what is in them, noted page by page."""

    def __init__(self) -> None:
        self._where: dict[tuple[str, str], int] = {}
        self._main = ""

    def clear(self) -> None:
        """Other rows are coming."""
        self._where.clear()

    def note(self, rows: Sequence[Row]) -> None:
        """Take more rows in; the main graph, that of the first row, has an empty name as well."""
        if rows and not self._where:
            self._main = rows[0].graph
        for row in rows:
            for name in (row.name, *row.nodes):
                self._where.setdefault((row.graph, name), row.index)
                if row.graph == self._main:
                    self._where.setdefault(("", name), row.index)

    def row_of(self, target: Target | None) -> int | None:
        """Index of the row that a selected thing belongs to; None where there is none."""
        if target is None:
            return None
        for name in (target.name, *target.nodes):
            for graph in (target.graph, ""):
                if (graph, name) in self._where:
                    return self._where[graph, name]
        return None
