"""Fold a graph of the open model: which boxes and links a view shows."""

from __future__ import annotations

import msgspec

from inspector.engines.layout.colour import CATEGORY, KEYS, coloured
from inspector.engines.layout.fold import first_view, fold
from inspector.engines.layout.grouping import hierarchy
from inspector.engines.layout.hierarchy import Hierarchy
from inspector.engines.layout.place import check_count, check_size
from inspector.engines.layout.scene import Folded
from inspector.engines.layout.vast import VAST, Vast
from inspector.engines.summary.collector import waiting
from inspector.errors import InspectorError
from inspector.ir import Graph, Model
from inspector.ir.text import inert
from inspector.worker.tasks._colour import colouring
from inspector.worker.tasks._document import Document, document
from inspector.worker.tasks._task import Context, Task

GRAPHS = 1000
"""Names of graphs that are offered."""


class FoldArgs(msgspec.Struct, frozen=True, kw_only=True):
    """Which graph, and what is open in it.

    Attributes:
        graph: Its name; empty for the main one.
        open: Keys of open module boxes.
        everything: All of them are open.
        exact: Nothing but `open` is open; otherwise the groups of a good first view are open as well.
        depth: Groups down to this level are open as well.
        reveal: Key of something that must be seen: what it lies in is opened.
        colour: What boxes are coloured by: category (or empty), parameters, macs, memory or dtype.
    """

    graph: str = ""
    open: tuple[str, ...] = ()
    everything: bool = False
    exact: bool = False
    depth: int = 0
    reveal: str = ""
    colour: str = ""


def run(args: FoldArgs, context: Context) -> Folded:
    """Fold; the graph's hierarchy is built once and kept beside the model."""
    if args.colour and args.colour not in KEYS:
        raise InspectorError(f"A graph cannot be coloured by {args.colour!r}.", f"Use one of {', '.join(KEYS)}.")
    opened = document(context)
    with opened.ahead():
        return _folded(args, opened)


def _folded(args: FoldArgs, opened: Document) -> Folded:
    graph = opened.graph(args.graph)
    keys, shown = set(args.open), ""
    grown: Hierarchy | Vast = opened.once(f"hierarchy of {inert(graph.name)}", lambda: _grown(opened.model, graph))
    if args.reveal:
        shown, path = grown.place(args.reveal)
        keys |= set(path)
    if isinstance(grown, Vast):
        check_count(len(graph.nodes) if args.everything else 0)
        tree = grown.tree(keys)
    else:
        tree = grown
    if not args.exact:
        keys |= first_view(tree)
    folded = fold(opened.model, graph, keys, everything=args.everything, depth=args.depth, known=tree)
    check_size(folded)
    if args.colour not in ("", CATEGORY) and opened.preview is None:  # figures of a few nodes would colour only those
        by = opened.once(
            f"colours of {inert(graph.name)} by {args.colour}", lambda: colouring(opened, graph, args.colour)
        )
        folded = coloured(folded, tree, by)
    graphs = tuple(inert(each.name) for each in opened.model.graphs[:GRAPHS])
    return msgspec.structs.replace(folded, revealed=shown, graphs=graphs)


def _grown(model: Model, graph: Graph) -> Hierarchy | Vast:
    with waiting():
        return Vast(model, graph) if len(graph.nodes) > VAST else hierarchy(model, graph)


TASK = Task("fold", FoldArgs, Folded, run)
