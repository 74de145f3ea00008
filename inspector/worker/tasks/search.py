"""Find nodes, modules, inputs and outputs of the open model by name, type or module."""

from __future__ import annotations

from functools import lru_cache
from heapq import nsmallest
from typing import NamedTuple

import msgspec

from inspector.engines.layout.hierarchy import Hierarchy
from inspector.engines.summary.calls import reachable
from inspector.ir import Graph
from inspector.ir.text import inert
from inspector.worker.tasks._document import Document, document
from inspector.worker.tasks._task import Context, Task


class SearchArgs(msgspec.Struct, frozen=True):
    """What to look for, in which graph (empty: in all), and how many hits to give at most."""

    text: str
    graph: str = ""
    limit: int = 200


class Hit(msgspec.Struct, frozen=True):
    """Something found.

    Attributes:
        key: Of its box in the graph view.
        name, type, module: As shown.
        graph: Name of the graph that it stands in.
        open: Keys of the module boxes around it, outermost first: open them to reveal it.
    """

    key: str
    name: str
    type: str
    module: str
    graph: str
    open: tuple[str, ...]


class Hits(msgspec.Struct, frozen=True):
    """The best hits, best first, and how many there are in all."""

    hits: tuple[Hit, ...]
    total: int


class Entry(NamedTuple):
    """One thing that can be found; what is compared is in lower case."""

    key: str
    name: str
    type: str
    module: str
    graph: str
    low_name: str
    low_type: str
    low_module: str


def run(args: SearchArgs, context: Context) -> Hits:
    """Rank by where the words stand: the whole name, its beginning, its last step, anywhere, the type, the module.

    Several words must all be found, each in the name, the type or the module.
    """
    opened = document(context)
    words = args.text.lower().split()
    if not words or args.limit < 1:
        return Hits((), 0)
    found = []
    for index, entry in enumerate(_entries(opened)):
        if args.graph and entry.graph != args.graph:
            continue
        rank = _rank(entry, words)
        if rank is not None:
            found.append((rank, len(entry.name), index, entry))
    best = nsmallest(min(args.limit, 1000), found, key=lambda each: each[:3])
    return Hits(tuple(_hit(entry, opened.kept.get(f"hierarchy of {entry.graph}")) for *_, entry in best), len(found))


def _rank(entry: Entry, words: list[str]) -> int | None:
    worst = 0
    for word in words:
        if word in entry.low_name:
            last = entry.low_name.rpartition(".")[2].rpartition("/")[2]
            exact, begins = entry.low_name == word, entry.low_name.startswith(word)
            rank = 0 if exact else 1 if last == word else 2 if begins else 3 if last.startswith(word) else 4
        elif word in entry.low_type:
            rank = 5
        elif word in entry.low_module:
            rank = 6
        else:
            return None
        worst = max(worst, rank)
    return worst


def _hit(entry: Entry, tree: Hierarchy | None) -> Hit:
    """The view's own tree knows best what to open; before there is one, the modules around it are named."""
    key, around = tree.place(entry.key) if tree is not None else ("", ())
    if not key:
        key, inside = entry.key, entry.module if entry.key.startswith("n:") else entry.module.rpartition(".")[0]
        steps = inside.split(".")[:64] if inside else []
        around = tuple(f"m:{'.'.join(steps[: depth + 1])}" for depth in range(len(steps)))
    return Hit(key, entry.name, entry.type, entry.module, entry.graph, around)


def _entries(opened: Document) -> list[Entry]:
    def make() -> list[Entry]:
        graphs = reachable(opened.model)
        main = graphs[0].name if graphs else ""
        modules = [_entry(f"m:{m.path}", m.path, m.type, m.path, main) for m in opened.model.modules if m.path]
        return modules + [entry for graph in graphs for entry in _of_graph(graph)]

    found: list[Entry] = opened.once("search", make)
    return found


def _of_graph(graph: Graph) -> list[Entry]:
    ends = [("i", "Input", value) for value in graph.inputs] + [("o", "Output", value) for value in graph.outputs]
    entries = [_entry(f"{sign}:{value.name}", value.name, kind, "", graph.name) for sign, kind, value in ends]
    entries += [_entry(f"n:{node.name}", node.name, node.op, node.module, graph.name) for node in graph.nodes]
    return entries


def _entry(key: str, name: str, kind: str, module: str, graph: str) -> Entry:
    name = inert(name)
    kind, low_kind = _shared(kind)
    module, low_module = _shared(module)
    return Entry(inert(key), name, kind, module, _shared(graph)[0], name.lower(), low_kind, low_module)


@lru_cache(maxsize=10_000)
def _shared(text: str) -> tuple[str, str]:
    """A text that many entries have, as it is shown and in lower case."""
    shown = inert(text)
    return shown, shown.lower()


TASK = Task("search", SearchArgs, Hits, run)
