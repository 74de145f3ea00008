"""What can be found in a model, as a few long texts: a million names are searched as one, in hundredths of a second.

Only what was found becomes an object of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from inspector.engines.summary.order import reachable
from inspector.ir import Graph, Model
from inspector.ir.text import inert

Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that was found: the parts that are shown, and its place among all that there are."""

    key: str
    name: str
    type: str
    module: str
    graph: str
    place: int


class Texts:
    """Many texts in lower case, of which those that have a word are found."""

    def __init__(self, texts: Iterable[str]) -> None:
        low = [inert(text).lower() for text in texts]
        self._hay = "\n".join(low)
        self._starts: Ints = np.cumsum([0, *(len(text) + 1 for text in low)])

    def having(self, word: str) -> Flags:
        """Which of them have a word, which holds no white space."""
        found = np.zeros(len(self._starts) - 1, bool)
        places = np.fromiter((match.start() for match in re.finditer(re.escape(word), self._hay)), np.int64)
        found[np.searchsorted(self._starts, places, "right") - 1] = True
        return found


class Coded:
    """Texts of which many are the same: each once, and a number for every place where it stands."""

    def __init__(self, texts: Iterable[str], count: int) -> None:
        numbers: dict[str, int] = {}
        self._codes = np.fromiter((numbers.setdefault(text, len(numbers)) for text in texts), np.int64, count)
        self._texts = Texts(numbers)

    def having(self, word: str) -> Flags:
        """Where a text stands that has a word."""
        found: Flags = self._texts.having(word)[self._codes]
        return found


class Section:
    """Things of one kind in one graph.

    Args:
        graph: Its name as shown.
        count: How many there are.
        columns: Their names, types and module paths.
        make: Key, name, type and module path of one by its position.
        first: Place of the first among the things of all sections.
    """

    def __init__(
        self,
        graph: str,
        columns: tuple[Sequence[str], Iterable[str], Iterable[str]],
        make: Callable[[int], tuple[str, str, str, str]],
        first: int,
    ) -> None:
        names, types, modules = columns
        self.graph, self.count = graph, len(names)
        self._make, self._first = make, first
        self._names = Texts(names)
        self._rest = (Coded(types, self.count), Coded(modules, self.count))

    def search(self, words: list[str]) -> tuple[Ints, Ints]:
        """Positions of what has every word in its name, and of the other things that have every word somewhere."""
        every = named = np.ones(self.count, bool)
        for word in words:
            here = self._names.having(word)
            named = named & here
            for column in self._rest:
                here = here | column.having(word)
            every = every & here
        return np.flatnonzero(named), np.flatnonzero(every & ~named)

    def found(self, position: int) -> Found:
        """One of its things, as it is shown."""
        key, name, kind, module = self._make(position)
        return Found(inert(key), inert(name), inert(kind), inert(module), self.graph, self._first + position)


def sections(model: Model) -> list[Section]:
    """All that can be found: modules, and the inputs, outputs and nodes of each graph that runs."""
    graphs = reachable(model)
    modules = [module for module in model.modules if module.path]

    def module(position: int) -> tuple[str, str, str, str]:
        found = modules[position]
        return f"m:{found.path}", found.path, found.type, found.path

    paths = [each.path for each in modules]
    main = inert(graphs[0].name) if graphs else ""
    made = [Section(main, (paths, [each.type for each in modules], paths), module, 0)]
    first = len(modules)
    for graph in graphs:
        made += _of_graph(graph, first)
        first += made[-1].count + made[-2].count
    return made


def _of_graph(graph: Graph, first: int) -> tuple[Section, Section]:
    ends = [("i", "Input", value.name) for value in graph.inputs]
    ends += [("o", "Output", value.name) for value in graph.outputs]
    nodes = graph.nodes

    def end(position: int) -> tuple[str, str, str, str]:
        sign, kind, name = ends[position]
        return f"{sign}:{name}", name, kind, ""

    def node(position: int) -> tuple[str, str, str, str]:
        found = nodes[position]
        return f"n:{found.name}", found.name, found.op, found.module

    shown = inert(graph.name)
    names, kinds = [name for *_, name in ends], [kind for _, kind, _ in ends]
    columns = [each.name for each in nodes], (each.op for each in nodes), (each.module for each in nodes)
    return (
        Section(shown, (names, kinds, repeat("", len(ends))), end, first),
        Section(shown, columns, node, first + len(ends)),
    )
