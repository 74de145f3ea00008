"""A view of the graph before and after placing, as data that crosses between processes.

Arrays are columns ("structure of arrays"), so that 100,000 boxes cost little to send and to paint.
"""

from __future__ import annotations

import msgspec


class Box(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One thing to draw: a node, a folded or open module, a model input or output, or a stub of a far value.

    Attributes:
        key: Unique and stable between foldings: `n:NODE`, `m:MODULE` (`m:MODULE#k` for runs of repeats), `i:NAME`,
            `o:NAME`, `s:VALUE`.
        kind: node, module, repeat, input, output, stub.
        parent: Index of the open module box that contains it; -1 at the top.
        open: Whether a module box shows its contents.
        title: First line: operator or class.
        text: Second line: name, or "×12".
        category: Key of the colour, as in the layer table.
        nodes: How many nodes it stands for.
        width, height: Size in pixels at zoom 1 (of an open module: of its title bar; layout makes it larger).
        measure: What it is coloured by where that is a number, summed over what it stands for; None where unknown.
        tone: What it is coloured by where that is a word, such as a dtype.
    """

    key: str
    kind: str
    title: str
    text: str = ""
    category: str = "other"
    parent: int = -1
    open: bool = False
    nodes: int = 1
    width: float = 120.0
    height: float = 36.0
    measure: float | None = None
    tone: str = ""


class Link(msgspec.Struct, frozen=True, gc=False):
    """An edge between boxes by index, with the value it carries."""

    source: int
    target: int
    value: str = ""
    label: str = ""
    """Shape and dtype, for the tooltip."""


class Folded(msgspec.Struct, frozen=True, kw_only=True):
    """A graph as folded: what to place.

    Attributes:
        graph: Its name.
        nodes: Nodes of the whole graph, hidden ones included.
        revealed: Key of the box that stands for what was to be revealed; empty where there is none.
        graphs: Names of all graphs of the model, the main one first.
        colour: What `measure` or `tone` of the boxes is: parameters, macs, memory or dtype; empty for the category.
    """

    graph: str
    boxes: tuple[Box, ...]
    links: tuple[Link, ...]
    nodes: int
    revealed: str = ""
    graphs: tuple[str, ...] = ()
    colour: str = ""


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """Positions and routes.

    Attributes:
        rects: float32 bytes of shape (boxes, 4): x, y, width, height.
        points: float32 bytes of shape (points, 2): all routes one after another.
        starts: int32 bytes of shape (links + 1,): where each route begins in `points`.
        width, height: Size of the whole picture.
        engine: Which algorithm placed it, and why when it was not the first choice.
    """

    rects: bytes
    points: bytes
    starts: bytes
    width: float
    height: float
    engine: str
    seconds: float
