"""What boxes are coloured by besides their category: a number, or a word, of every node; folded modules add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from inspector.engines.layout.hierarchy import DEPTH, Hierarchy
from inspector.engines.layout.scene import Box, Folded

CATEGORY, DTYPE = "category", "dtype"
NUMBERS = ("parameters", "macs", "memory")
KEYS = (CATEGORY, *NUMBERS, DTYPE)


@dataclass(frozen=True, slots=True)
class Colouring:
    """Numbers or words of nodes, by the keys of their boxes (`n:NODE`).

    Attributes:
        key: One of KEYS.
        numbers: None where a node has some and it is not known how many.
        words: What a node is of, and how much that counts in a module of several.
    """

    key: str
    numbers: Mapping[str, float | None] = field(default_factory=dict)
    words: Mapping[str, tuple[str, float]] = field(default_factory=dict)


def coloured(folded: Folded, tree: Hierarchy, colouring: Colouring) -> Folded:
    """The same view with the colour of each box worked out; inputs, outputs and stubs have none."""
    if colouring.key == DTYPE:
        boxes = _toned(folded.boxes, tree, colouring.words)
    else:
        boxes = _measured(folded.boxes, tree, colouring.numbers)
    return msgspec.structs.replace(folded, boxes=boxes, colour=colouring.key)


def _entity(tree: Hierarchy, key: str) -> int:
    """The entity that stands for a node; -1 where there is none."""
    for _ in range(2 * DEPTH):
        if key not in tree.aliases:
            break
        key = tree.aliases[key]
    return max(-1, tree.index.get(key, -1))


def _measured(boxes: tuple[Box, ...], tree: Hierarchy, numbers: Mapping[str, float | None]) -> tuple[Box, ...]:
    sums: NDArray[np.float64] = np.zeros(len(tree.entities))
    known = np.zeros(len(tree.entities), bool)
    for key, number in numbers.items():
        entity = _entity(tree, key)
        if entity >= 0 and number is not None:
            sums[entity] += number
            known[entity] = True
    inside = tree.home >= 0
    upto, any_upto = (
        np.concatenate([[0.0], np.cumsum(np.bincount(tree.home[inside], values[inside], len(tree.groups)))])
        for values in (sums, known.astype(np.float64))
    )
    found = []
    for box in boxes:
        code = tree.index.get(box.key, -1) if box.kind in ("node", "module", "repeat") else len(sums)
        measure: float | None = None
        if 0 <= code < len(sums) and known[code]:
            measure = float(sums[code])
        elif code < 0 and box.key in tree.index and any_upto[tree.ends[~code]] > any_upto[~code]:
            measure = float(upto[tree.ends[~code]] - upto[~code])
        found.append(box if measure is None else msgspec.structs.replace(box, measure=measure))
    return tuple(found)


def _toned(boxes: tuple[Box, ...], tree: Hierarchy, words: Mapping[str, tuple[str, float]]) -> tuple[Box, ...]:
    """A module has the word that most of it has."""
    of_entity: dict[int, list[tuple[str, float]]] = {}
    for key, (word, weight) in words.items():
        if word:
            of_entity.setdefault(_entity(tree, key), []).append((word, weight))
    order = np.argsort(tree.home, kind="stable")
    starts = np.searchsorted(tree.home[order], np.arange(len(tree.groups) + 1))
    found = []
    for box in boxes:
        code = tree.index.get(box.key) if box.kind in ("node", "module", "repeat") and not box.open else None
        inside: list[int] = [] if code is None else [code]
        if code is not None and code < 0:
            inside = order[starts[~code] : starts[tree.ends[~code]]].tolist()
        sums: dict[str, float] = {}
        for entity in inside:
            for word, weight in of_entity.get(entity, ()):
                sums[word] = sums.get(word, 0.0) + weight
        found.append(msgspec.structs.replace(box, tone=max(sums, key=sums.__getitem__)) if sums else box)
    return tuple(found)
