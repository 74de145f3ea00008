"""Find nodes, modules, inputs and outputs of the open model by name, type or module."""

from __future__ import annotations

from heapq import nsmallest

import msgspec

from inspector.engines.layout.hierarchy import Hierarchy
from inspector.engines.layout.vast import Vast
from inspector.engines.summary.collector import waiting
from inspector.worker.tasks._document import Document, document
from inspector.worker.tasks._search_index import Found, Section, sections
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


EXAMINED = 50_000
"""Things with the words that are ranked; of more than these the first are, those with the words in their names before
others."""


def run(args: SearchArgs, context: Context) -> Hits:
    """Rank by where the words stand: the whole name, its beginning, its last step, anywhere, the type, the module.

    Several words must all be found, each in the name, the type or the module.
    """
    opened = document(context)
    words = args.text.lower().split()
    if not words or args.limit < 1:
        return Hits((), 0)
    with opened.ahead():
        return _hits(args, opened, words)


def _hits(args: SearchArgs, opened: Document, words: list[str]) -> Hits:
    found: list[tuple[int, int, int, Found]] = []
    total = 0
    for section in _sections(opened):
        if args.graph and section.graph != args.graph:
            continue
        for positions in section.search(words):
            total += len(positions)
            for position in positions[: max(0, EXAMINED - len(found))].tolist():
                each = section.found(position)
                found.append((_rank(each, words), len(each.name), each.place, each))
    best = nsmallest(min(args.limit, 1000), found, key=lambda each: each[:3])
    return Hits(tuple(_hit(each, opened.kept.get(f"hierarchy of {each.graph}")) for *_, each in best), total)


def _rank(found: Found, words: list[str]) -> int:
    """How well the words fit, 0 best; each of them stands in the name, the type or the module."""
    name, kind = found.name.lower(), found.type.lower()
    last = name.rpartition(".")[2].rpartition("/")[2]
    worst = 0
    for word in words:
        if word in name:
            exact, begins = name == word, name.startswith(word)
            rank = 0 if exact else 1 if last == word else 2 if begins else 3 if last.startswith(word) else 4
        else:
            rank = 5 if word in kind else 6
        worst = max(worst, rank)
    return worst


def _hit(found: Found, tree: Hierarchy | Vast | None) -> Hit:
    """The view's own tree knows best what to open; before there is one, the modules around it are named.

    One that is in pieces is asked when something is to be revealed: it would look into as many as there are hits.
    """
    key, around = tree.place(found.key) if isinstance(tree, Hierarchy) else ("", ())
    if not key:
        key, inside = found.key, found.module if found.key.startswith("n:") else found.module.rpartition(".")[0]
        steps = inside.split(".")[:64] if inside else []
        around = tuple(f"m:{'.'.join(steps[: depth + 1])}" for depth in range(len(steps)))
    return Hit(key, found.name, found.type, found.module, found.graph, around)


def _sections(opened: Document) -> list[Section]:
    def make() -> list[Section]:
        with waiting():
            return sections(opened.model)

    made: list[Section] = opened.once("search", make)
    return made


TASK = Task("search", SearchArgs, Hits, run)
