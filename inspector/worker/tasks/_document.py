"""The open document of a document worker: the model as read, its source, and what has been worked out of it.

It lies in the worker's state under "document". Names that come from the window are those it was shown, which are
inert; where a name had to be changed to be shown, the real one is found again here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.engines.summary.preview import Preview
from inspector.engines.summary.summary import Summary
from inspector.errors import FormatError, InspectorError
from inspector.formats import Format, Source
from inspector.ir import Graph, Model, Node, Tensor, Value
from inspector.ir.text import inert
from inspector.worker.tasks._settling import Report, Settling
from inspector.worker.tasks._task import Context

KEY = "document"
MOST_SUMMARIES = 4
"""Choices of sizes whose figures are kept."""
MOST_NUMBERS = 16
"""Elements of a constant that loops and shapes may ask for; NUMBERS are the dtypes it may have."""
NUMBERS = frozenset({"bool", "int8", "uint8", "int16", "int32", "uint32", "int64", "uint64", "float32", "float64"})
FEW_NODES = 5000
"""Figures of a model of no more nodes than this are worked out at once when sizes are typed."""
SHAPES, NODES = 0.5, 0.35
"""Shares of the work of figures that the shapes and the nodes are."""
MANY_NODES = 20_000
"""Of a model of more nodes than this only the first and the last choice are kept."""


class Document:
    """A model that is open."""

    def __init__(
        self,
        source: Source,
        fmt: Format,
        model: Model,
        seconds: float,
        fixed: dict[str, int] | None = None,
        *,
        sketched: bool = False,
    ) -> None:
        self.source = source
        self.format = fmt
        self.model = model
        self.seconds = seconds
        self.fixed = fixed or {}
        """Sizes of dimensions that the user gave when opening it."""
        self.news: Summary | None = None
        """The figures whose module tree the window has; None once it may have another one."""
        self.chosen: Summary | None = None
        """The figures for the sizes that were asked for last: what details are given with."""
        self.kept: dict[str, Any] = {}
        """What other tasks keep beside the model, such as the index of the search."""
        self.preview = Preview(model) if sketched else None
        """What is shown of a model that was only sketched, until `settling` is done."""
        self.settling: Settling | None = None
        self.resizing: Settling | None = None
        """Figures for other sizes in the making."""
        self._sketch = model if sketched else None
        self._summaries: dict[tuple[tuple[str, int], ...], Summary] = {}
        self._names: dict[str, dict[str, str]] = {}
        self._nodes: dict[str, dict[str, Node]] = {}
        self._array: tuple[Tensor, NDArray[Any]] | None = None

    def summary(self, dims: dict[str, int]) -> Summary:
        """The figures for these sizes, which go before those given at opening; worked out once."""
        if self.preview is not None:
            return self.preview
        dims = {**self.fixed, **dims}
        key = tuple(sorted(dims.items()))
        if key not in self._summaries:
            self._keep(key, Summary(self._resized(dims), dims, self._numbers))
        return self._summaries[key]

    def _keep(self, key: tuple[tuple[str, int], ...], summary: Summary) -> None:
        """Keep figures, with those of the first choice and the last ones."""
        many = sum(len(graph.nodes) for graph in self.model.graphs) > MANY_NODES
        while len(self._summaries) >= (2 if many else MOST_SUMMARIES):
            del self._summaries[list(self._summaries)[1]]
        self._summaries[key] = summary

    def _resized(self, dims: dict[str, int], report: Report = lambda share: None) -> Model:
        """The model with these sizes."""
        if self._sketch is not None and self.format.settle is not None and (dims or self.model is self._sketch):
            return self.format.settle(self.source, self._sketch, dims, report)
        return self.format.resize(self.source, dims) if dims and self.format.resize else self.model

    def _worked_out(self, dims: dict[str, int], report: Report) -> Summary:
        """The figures for these sizes and all that the window asks for first, by a thread that may be stopped."""
        model = self._resized(dims, lambda share: report(share * SHAPES))
        summary = Summary(model, dims, self._numbers, lambda share: report(SHAPES + share * NODES))
        report(SHAPES + NODES)
        _ = summary.totals, summary.modules  # worked out here, that nobody waits for them later
        return summary

    @property
    def sketched(self) -> bool:
        """Whether it was first read without what takes long."""
        return self._sketch is not None

    def settle(self, dims: dict[str, int]) -> None:
        """Get ready to work out the figures of a model that was only sketched."""
        sizes = {**self.fixed, **dims}
        self.settling = Settling(lambda report: self._worked_out(sizes, report), sizes)

    def resettle(self, dims: dict[str, int]) -> None:
        """The same for other sizes, while those are still being worked out."""
        if self.settling is not None and self.settling.dims != {**self.fixed, **dims}:
            self.settling.stop()
            self.settle(dims)

    def resize(self, dims: dict[str, int]) -> Settling | None:
        """Work out the figures for other sizes beside all else; None where they are there, or come at once."""
        sizes = {**self.fixed, **dims}
        few = sum(len(graph.nodes) for graph in self.model.graphs) <= FEW_NODES
        if self.resizing is not None and self.resizing.dims != sizes:
            self.keep_sizes()
        if few or self.preview is not None or tuple(sorted(sizes.items())) in self._summaries:
            return None
        if self.resizing is None:
            self.resizing = Settling(lambda report: self._worked_out(sizes, report), sizes)
        return self.resizing

    def resized(self, summary: Summary) -> None:
        """Take in figures for other sizes; `summary` has them from now on."""
        assert self.resizing is not None
        self._keep(tuple(sorted(self.resizing.dims.items())), summary)
        self.resizing = None

    def keep_sizes(self) -> None:
        """Other sizes are not wanted any more."""
        if self.resizing is not None:
            self.resizing.stop()
            self.resizing = None

    def ahead(self) -> AbstractContextManager[None]:
        """What is done in it goes before the figures that are being worked out beside."""
        beside = self.resizing or self.settling
        return nullcontext() if beside is None else beside.paused()

    def settled(self, summary: Summary) -> None:
        """Take in the figures of a model that was only sketched: from now on it is like any other."""
        dims = self.settling.dims if self.settling else {}
        self.preview = self.settling = None
        if not dims:
            self.model = summary.model
        else:
            self.model = self._sketch = replace(self.model, modules=summary.model.modules)
        self._summaries = {(): summary} if not dims else {tuple(sorted(dims.items())): summary}
        self.news = self.chosen = summary
        self.kept = {
            key: kept
            for key, kept in self.kept.items()
            if key != "search" and not key.startswith(("colours", "hierarchy"))
        }

    def figures(self) -> Summary:
        """The figures that the window shows."""
        return self.chosen or self.summary({})

    def sized(self, graph: Graph, value: Value) -> Value:
        """A value of a graph with the sizes that the window shows."""
        figures = self.figures()
        other = graph if figures.model is self.model else figures.model.graph(graph.name)
        ends = () if other is None else (*other.inputs, *other.outputs)
        known = other.values.get(value.name) if other else None
        known = known or next((each for each in ends if each.name == value.name), value)
        return replace(value, dtype=known.dtype, shape=figures.sizes.shown(known.shape))

    def tensor(self, name: str) -> Tensor:
        """A stored tensor by its name as shown."""
        real = self._real("tensors", name, self.model.tensors)
        if real not in self.model.tensors:
            raise InspectorError(f"There is no tensor {inert(name)!r} in this model.")
        return self.model.tensors[real]

    def array(self, name: str) -> NDArray[Any]:
        """The values of a tensor; read when first asked for, the last one is kept."""
        return self.array_of(self.tensor(name))

    def array_of(self, tensor: Tensor) -> NDArray[Any]:
        """The values of a tensor that need not be one of the model's, such as one with another type; as `array`."""
        if self._array is None or self._array[0] != tensor:
            self._array = None  # let go of the last one before the next is read
            self._array = (tensor, self.fetched(tensor))
        return self._array[1]

    def graph(self, name: str) -> Graph:
        """A graph by its name as shown; the main one when empty."""
        names = {graph.name: graph for graph in self.model.graphs}
        found = self.model.main if not name else names.get(self._real("graphs", name, names))
        if found is None:
            raise InspectorError(f"There is no graph {inert(name)!r} in this model." if name else "It has no graph.")
        return found

    def node(self, graph: Graph, name: str) -> Node:
        """A node by its name as shown."""
        if graph.name not in self._nodes:
            self._nodes[graph.name] = {node.name: node for node in graph.nodes}
        nodes = self._nodes[graph.name]
        real = self._real(f"nodes of {graph.name}", name, nodes)
        if real not in nodes:
            raise InspectorError(f"There is no node {inert(name)!r} in this graph.")
        return nodes[real]

    def text(self, name: str) -> str:
        """One of the texts of the model by its name as shown."""
        real = self._real("texts", name, self.model.texts)
        if real not in self.model.texts:
            raise InspectorError(f"There is no text {inert(name)!r} in this model.")
        return self.model.texts[real]

    def once(self, key: str, make: Callable[[], Any]) -> Any:
        """Something worked out once for this model."""
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]

    def _numbers(self, name: str) -> tuple[float, ...] | None:
        """The elements of a stored tensor of a few numbers, such as the length of a loop."""
        tensor = self.model.tensors[name]
        if not 0 < tensor.count <= MOST_NUMBERS or tensor.dtype not in NUMBERS:
            return None
        try:
            return tuple(self.fetched(tensor).ravel().tolist())
        except InspectorError:
            return None

    def _real(self, kind: str, name: str, names: Iterable[str]) -> str:
        """The name in the file of what is shown under this name."""
        if not hasattr(names, "__contains__") or name in names:
            return name
        if kind not in self._names:
            self._names[kind] = {shown: each for each in names if (shown := inert(each)) != each}
        return self._names[kind].get(name, name)

    def fetched(self, tensor: Tensor) -> NDArray[Any]:
        """The values of a tensor, C-contiguous; nothing is kept."""
        array: NDArray[Any] = self.guarded(tensor, lambda: self.format.fetch(self.source, tensor))
        return array if array.flags.c_contiguous else np.ascontiguousarray(array)

    def guarded(self, tensor: Tensor, read: Callable[[], Any]) -> Any:
        """What reading a tensor gives; what bytes that make no sense raise becomes one sentence."""
        try:
            return read()
        except InspectorError:
            raise
        except (ValueError, TypeError, OSError, KeyError, IndexError, EOFError) as error:
            raise FormatError(
                f"The values of {inert(tensor.name)!r} cannot be read: {inert(str(error))}.",
                hint="The file may be damaged.",
            ) from error


def document(context: Context) -> Document:
    """The open document of this worker."""
    found = context.state.get(KEY)
    if not isinstance(found, Document):
        raise InspectorError("No model is open.", "Open a file first.")
    return found
