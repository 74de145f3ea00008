"""The module tree with the sums of its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from inspector.engines.summary.grouping import DEEPEST, cut
from inspector.engines.summary.rows import ModuleRow
from inspector.engines.summary.sizes import LARGEST
from inspector.engines.summary.table import Figures
from inspector.ir import Model
from inspector.ir.text import inert

MOST = 50_000
"""Modules that are listed."""


class _Sum:
    __slots__ = ("flops", "known", "layers", "macs", "parameters")

    def __init__(self) -> None:
        self.parameters = self.layers = self.macs = self.flops = 0
        self.known = True

    def add(self, parameters: int, macs: int | None, flops: int | None, layers: int, known: bool) -> None:
        self.parameters = min(self.parameters + parameters, LARGEST)
        self.macs = min(self.macs + (macs or 0), LARGEST)
        self.flops = min(self.flops + (flops or 0), LARGEST)
        self.layers += layers
        self.known = self.known and known


def tree(model: Model, rows: Sequence[Figures]) -> tuple[ModuleRow, ...]:
    """Every module, parents before children, in the order of the file; sums include what lies beneath.

    Modules that only nodes or tensors name stand after those that the file lists; parents that nothing names are
    made up, so that the tree has no holes. Multiply-adds are None where nothing is known of them. Of more than MOST
    modules only the upper levels are listed, with all that is beneath them in their sums.
    """
    depth = _depth(dict.fromkeys([*(inert(module.path) for module in model.modules), *(row.module for row in rows)]))
    own: dict[str, _Sum] = {}
    for row in rows:
        path = cut(row.module, depth) if row.module.count(".") >= depth else row.module
        total = own.get(path)
        if total is None:
            total = own[path] = _Sum()
        if row.runs:
            total.add(row.parameters, row.macs, row.flops, 1, row.macs is not None)
        else:
            total.add(row.parameters, 0, 0, 1, True)
    types = {
        inert(module.path): inert(module.type.rpartition(".")[2])
        for module in model.modules
        if depth == DEEPEST or module.path.count(".") < depth
    }
    children = _children((*types, *own))
    if len(children) == 1:
        return ()
    order: list[str] = []
    waiting = [""]
    while waiting:
        path = waiting.pop()
        order.append(path)
        waiting += reversed(children[path])
    for path in reversed(order):
        if path:
            each = own.setdefault(path, _Sum())
            parent = path.rpartition(".")[0]
            own.setdefault(parent, _Sum()).add(each.parameters, each.macs, each.flops, each.layers, each.known)
    return tuple(_row(path, types.get(path, ""), own.setdefault(path, _Sum())) for path in order[:MOST])


def _depth(paths: Collection[str]) -> int:
    """How many steps of paths are listed, so that there are not more modules than can be sent and shown."""
    if len(paths) <= MOST:
        return DEEPEST
    counts = Counter(path.count(".") + 1 for path in paths)
    depth, shown = 1, counts[1]
    while depth < DEEPEST and shown + counts[depth + 1] <= MOST:
        depth += 1
        shown += counts[depth]
    return depth


def _children(paths: Iterable[str]) -> dict[str, list[str]]:
    """Every path and those between it and the root, with the children of each in order."""
    children: dict[str, list[str]] = {"": []}
    for path in paths:
        steps: list[str] = []
        here = path if path.count(".") < DEEPEST else cut(path, DEEPEST)
        while here and here not in children:
            steps.append(here)
            children[here] = []
            here = here.rpartition(".")[0]
        for step in reversed(steps):
            children[step.rpartition(".")[0]].append(step)
    return children


def _row(path: str, kind: str, total: _Sum) -> ModuleRow:
    macs = total.macs if total.known or total.macs else None
    flops = total.flops if total.known or total.flops else None
    return ModuleRow(path, kind, total.parameters, macs, total.layers, flops)
