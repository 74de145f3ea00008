"""The rows by layer put into the tree of their modules: each module before what it is made of, with its sums.

Sums are those of the rows beneath, so that they add up at every depth; what enters and leaves a module is what the
table that is merged at its depth says. A table of very many rows does without the latter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from inspector.engines.summary.grouping import DEEPEST, cut
from inspector.engines.summary.rows import Row
from inspector.engines.summary.sizes import LARGEST
from inspector.ir.operators import category

if TYPE_CHECKING:
    from inspector.engines.summary.summary import Summary
    from inspector.engines.summary.table import Figures, Table

MANY_ROWS = 50_000
"""From here on nothing is said of what enters and leaves a module: each depth would be a table of its own."""


@dataclass(slots=True)
class _Module:
    """A module with what it is made of: rows by their position in the table by layer, and other modules."""

    path: str
    parts: list[int | _Module] = field(default_factory=list)


class Nested:
    """The table by module of one choice of sizes."""

    def __init__(self, summary: Summary) -> None:
        self._summary = summary
        self._table: Table = summary.table()
        self._few = len(self._table) <= MANY_ROWS
        self._order: list[tuple[int, int | _Module]] = []
        """Of each row its level, and what it is."""
        self._flatten(self._root())
        self._sums = self._summed()

    def __len__(self) -> int:
        return len(self._order)

    def rows(self, start: int, stop: int) -> tuple[Row, ...]:
        """Some of the rows, by position."""
        chosen = range(max(0, start), min(stop, len(self._order)))
        layers = self._layers([part for at in chosen if isinstance(part := self._order[at][1], int)])
        found = []
        for at in chosen:
            level, part = self._order[at]
            if isinstance(part, int):
                found.append(msgspec.structs.replace(layers[part], index=at, level=level))
            else:
                found.append(self._module_row(at, level, part))
        return tuple(found)

    def _root(self) -> _Module:
        root = _Module("")
        modules = {"": root}
        leaf = self._summary.leaf
        for position, figures in enumerate(self._table.figures):
            path = figures.module if figures.module.count(".") < DEEPEST else cut(figures.module, DEEPEST)
            home = path.rpartition(".")[0] if path in leaf else path
            _ensure(home, modules).parts.append(position)
        return root

    def _flatten(self, root: _Module) -> None:
        waiting: list[tuple[int, int | _Module]] = [(0, part) for part in reversed(root.parts)]
        while waiting:
            level, part = waiting.pop()
            self._order.append((level, part))
            if not isinstance(part, int):
                waiting += [(level + 1, inner) for inner in reversed(part.parts)]

    def _summed(self) -> dict[str, Row]:
        """The sums of each module, from the innermost outwards; as rows, because they have all the fields."""
        sums: dict[str, Row] = {}
        figures = self._table.figures
        for _level, part in reversed(self._order):
            if not isinstance(part, int):
                inside = [figures[each] if isinstance(each, int) else sums[each.path] for each in part.parts]
                sums[part.path] = _sum(part.path, inside)
        return sums

    def _layers(self, positions: list[int]) -> dict[int, Row]:
        """Rows of the table by layer, neighbours fetched together."""
        found: dict[int, Row] = {}
        for _, run in groupby(enumerate(sorted(positions)), lambda pair: pair[1] - pair[0]):
            near = [position for _, position in run]
            rows = self._table.rows(near[0], near[-1] + 1, self._summary)
            found.update(zip(near, rows, strict=True))
        return found

    def _module_row(self, at: int, level: int, module: _Module) -> Row:
        row, kind = self._sums[module.path], self._summary.type_of(module.path)
        merged = self._merged(module.path)
        return msgspec.structs.replace(
            row,
            index=at,
            level=level,
            type=kind or "Module",
            category=category(kind) if kind else "other",
            inputs=merged.inputs if merged else (),
            outputs=merged.outputs if merged else (),
            dtype=merged.dtype if merged else "",
            graph=merged.graph if merged else "",
        )

    def _merged(self, path: str) -> Row | None:
        if not self._few or not self._summary.examined:
            return None
        table = self._summary.table("layers", path.count(".") + 1)
        position = table.find("", path)
        return None if position is None else table.rows(position, position + 1, self._summary)[0]


def module_sums(figures: Iterable[Figures], path: str) -> Row:
    """The sums of all that lies in a module, of the whole model for the empty path."""
    inside = f"{path}."
    return _sum(path, [each for each in figures if not path or each.module == path or each.module.startswith(inside)])


def _ensure(path: str, modules: dict[str, _Module]) -> _Module:
    """The module of this path, with all around it, each put into the one around it."""
    missing: list[str] = []
    while path not in modules:
        missing.append(path)
        path = path.rpartition(".")[0]
    here = modules[path]
    for step in reversed(missing):
        modules[step] = _Module(step)
        here.parts.append(modules[step])
        here = modules[step]
    return here


def _sum(path: str, inside: list[Figures | Row]) -> Row:
    run = [each for each in inside if each.runs]
    return Row(
        index=0,
        name=path,
        type="",
        module=path,
        layers=sum(each.layers if isinstance(each, Row) else 1 for each in inside),
        parameters=min(LARGEST, sum(each.parameters for each in inside)),
        trainable=min(LARGEST, sum(each.trainable for each in inside)),
        parameter_bytes=min(LARGEST, sum(each.parameter_bytes for each in inside)),
        macs=_known(each.macs for each in run),
        flops=_known(each.flops for each in run),
        activation_bytes=_known(each.activation_bytes for each in run),
        moved_bytes=_known(each.moved_bytes for each in run),
        live_bytes=max((each.live_bytes for each in run if each.live_bytes is not None), default=None),
        runs=1 if run else 0,
    )


def _known(numbers: Iterable[int | None]) -> int | None:
    """The sum of what is known; None where something is not known and the rest is nothing."""
    every = list(numbers)
    total = sum(number or 0 for number in every)
    return None if not total and None in every else min(total, LARGEST)
