"""A format in one file: four bytes of magic and a name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inspector.formats import Format, Glimpse, Source, Support
from inspector.ir import Graph, Model, Node, Signature, Tensor, Value


def sniff(glimpse: Glimpse) -> Support:
    return Support.YES if glimpse.head.startswith(b"TOY1") else Support.NO


def read(source: Source) -> Model:
    x, y = Value("x", "float32", (1, 3)), Value("y", "float32", (1, 3))
    node = Node("double", "Add", ("x", "x"), ("y",))
    graph = Graph("main", (x,), (y,), (node,), {"x": x, "y": y})
    return Model("toy", graphs=(graph,), signatures=(Signature("main", (x,), (y,)),))


def fetch(source: Source, tensor: Tensor) -> NDArray[np.float32]:
    return np.zeros(tensor.shape, np.float32)


FORMAT = Format("toy", "Toy model", (".toy",), sniff, read, fetch, mime="application/x-toy", magic=((0, b"TOY1"),))
