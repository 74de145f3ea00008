"""Fold a graph of the open model: which boxes and links a view shows."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from inspector.engines.layout.fold import first_view, fold
from inspector.engines.layout.grouping import hierarchy
from inspector.engines.layout.hierarchy import Hierarchy
from inspector.engines.layout.scene import Folded
from inspector.errors import InspectorError
from inspector.ir.model import Graph, Model
from inspector.worker.tasks._task import Context, Task


class FoldArgs(msgspec.Struct, frozen=True, kw_only=True):
    """Which graph, and what is open in it.

    Attributes:
        graph: Its name; empty for the main one.
        open: Keys of open module boxes.
        everything: All of them are open.
        exact: Nothing but `open` is open; otherwise the groups of a good first view are open as well.
        depth: Groups down to this level are open as well.
        reveal: Key of something that must be seen: what it lies in is opened.
    """

    graph: str = ""
    open: tuple[str, ...] = ()
    everything: bool = False
    exact: bool = False
    depth: int = 0
    reveal: str = ""


def run(args: FoldArgs, context: Context) -> Folded:
    """Fold; the graph's hierarchy is built once and kept beside the model."""
    model = _model(context)
    graph = model.graph(args.graph) if args.graph else model.main
    if graph is None:
        raise InspectorError(
            f"There is no graph {args.graph!r} in this file." if args.graph else "This file holds no graph.",
            "Its layers and tensors are in the table." if not args.graph else "",
        )
    tree = _tree(context, model, graph)
    keys = set(args.open)
    if not args.exact:
        keys |= first_view(tree)
    shown = ""
    if args.reveal:
        shown, path = tree.place(args.reveal)
        keys |= set(path)
    folded = fold(model, graph, keys, everything=args.everything, depth=args.depth, known=tree)
    return msgspec.structs.replace(folded, revealed=shown)


def _model(context: Context) -> Model:
    if "document" not in context.state:
        raise InspectorError("No model is open.", "Open a file first.")
    document = context.state["document"]
    return cast(Model, getattr(document, "model", document))


def _tree(context: Context, model: Model, graph: Graph) -> Hierarchy:
    kept: dict[str, tuple[Model, Hierarchy]] = context.state.setdefault("graph.trees", cast("dict[str, Any]", {}))
    known = kept.get(graph.name)
    if known is None or known[0] is not model:
        kept[graph.name] = known = (model, hierarchy(model, graph))
    return known[1]


TASK = Task("fold", FoldArgs, Folded, run)
