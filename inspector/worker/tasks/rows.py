"""The layer table of the open model, page by page."""

from __future__ import annotations

from typing import Literal

import msgspec

from inspector.engines.summary.overview import remarks
from inspector.engines.summary.rows import ModuleRow, Remark, Row, Totals
from inspector.worker.tasks._document import Document, document
from inspector.worker.tasks._task import Context, Task

LIMIT = 32 * 1024 * 1024
"""Bytes of rows in one answer; it holds fewer rows than asked for when they are larger."""


class RowsArgs(msgspec.Struct, frozen=True):
    """Which rows.

    Attributes:
        grouping: One row a layer, one row an operator, or the layers beneath rows for the modules they are part of.
        dims: Sizes of named dimensions for shapes and figures.
        start: First row.
        count: Most rows.
        depth: Merge modules at this depth; -1 leaves them apart.
    """

    grouping: Literal["layers", "operators", "modules"] = "layers"
    dims: dict[str, int] = {}
    start: int = 0
    count: int = 20_000
    depth: int = -1


class RowsPage(msgspec.Struct, frozen=True):
    """Some rows; `total` is how many there are.

    The module tree comes with the first page, unless it is the one that came when the file was opened, and so do the
    remarks, some of which are on the sizes.
    """

    rows: tuple[Row, ...]
    total: int
    totals: Totals
    modules: tuple[ModuleRow, ...]
    notes: tuple[Remark, ...] | None = None


def run(args: RowsArgs, context: Context) -> RowsPage:
    """One page of rows; the figures of all are worked out when the first page is asked for."""
    opened = document(context)
    with opened.ahead():
        return _page(opened, args)


def _page(opened: Document, args: RowsArgs) -> RowsPage:
    summary = opened.chosen = opened.summary(args.dims)
    total = summary.count(args.grouping, args.depth)
    start = max(0, args.start)
    page = summary.page(args.grouping, args.depth, start, start + max(0, args.count))
    while len(page) > 1 and len(msgspec.msgpack.encode(page)) > LIMIT:
        page = page[: len(page) // 2]
    if start or summary is opened.news:
        return RowsPage(page, total, summary.totals, ())
    opened.news = None
    return RowsPage(page, total, summary.totals, summary.modules, remarks(summary))


TASK = Task("rows", RowsArgs, RowsPage, run)
