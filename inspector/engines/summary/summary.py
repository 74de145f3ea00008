"""Rows, totals and the module tree of one model under one choice of sizes.

Totals do not depend on the grouping: multiply-adds and bytes are sums over nodes, parameters are a sum over distinct
tensors, and `layers` is always the number of rows of the grouping by layers. What runs how often is in `running`. What
no node uses is in a row of its own, so that the rows that run always add up to totals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

from inspector.engines.summary.calls import STRETCH, Examined, examined
from inspector.engines.summary.collector import waiting
from inspector.engines.summary.grouping import Group, by_layer, by_node, leaves
from inspector.engines.summary.modules import tree
from inspector.engines.summary.nested import Nested
from inspector.engines.summary.order import reachable
from inspector.engines.summary.rows import ModuleRow, Port, Row, Totals
from inspector.engines.summary.running import running
from inspector.engines.summary.sizes import BATCH, LARGEST, Sizes
from inspector.engines.summary.table import Table
from inspector.engines.summary.trips import Fetch
from inspector.ir import Model, Shape, Value
from inspector.ir.text import inert

LAYERS, OPERATORS, MODULES = "layers", "operators", "modules"


def inputs_of(model: Model) -> tuple[Value, ...]:
    """Inputs by the default signature, or of the main graph."""
    if model.signatures:
        return model.signatures[0].inputs
    return model.main.inputs if model.main else ()


def batch_names(model: Model) -> frozenset[str]:
    """The name of the batch: the open first dimension of the first input that has one."""
    for value in inputs_of(model):
        if value.shape and not isinstance(value.shape[0], int):
            return frozenset({value.shape[0] or BATCH})
    return frozenset()


class Summary:
    """The figures of a model; each grouping is worked out when first asked for.

    Args:
        model: As read.
        dims: Sizes of open dimensions.
        fetch: Reads small constants; without it every loop counts as one run.
        report: Is told how many of the nodes have been looked at, 0 … 1; what it raises ends the work.
    """

    def __init__(
        self,
        model: Model,
        dims: Mapping[str, int] | None = None,
        fetch: Fetch = lambda name: None,
        report: Callable[[float], None] = lambda share: None,
    ) -> None:
        self.model = model
        self.sizes = Sizes(dims or {})
        with waiting():
            counted = _counted(sum(len(graph.nodes) for graph in reachable(model)), report)
            self.examined = examined(model, self.sizes, counted)
            self.running = running(self.examined, fetch)
        self._types = {module.path: module.type for module in model.modules}
        self._tables: dict[tuple[str, int], Table] = {}
        self._shown: dict[Shape | None, Shape | None] = {}

    def rows(self, grouping: str = LAYERS, depth: int = -1) -> tuple[Row, ...]:
        """The rows of `layers`, `operators` or `modules`; `depth` merges modules there, -1 leaves them apart."""
        return self.page(grouping, depth, 0, self.count(grouping, depth))

    def count(self, grouping: str = LAYERS, depth: int = -1) -> int:
        """How many rows there are."""
        return len(self.nested if grouping == MODULES else self.table(grouping, depth))

    @cached_property
    def nested(self) -> Nested:
        """The rows by layer in the tree of their modules."""
        with waiting():
            return Nested(self)

    def page(self, grouping: str, depth: int, start: int, stop: int) -> tuple[Row, ...]:
        """Some of them, by position; only these are put together."""
        with waiting():
            if grouping == MODULES:
                return self.nested.rows(start, stop)
            return tuple(self.table(grouping, depth).rows(start, stop, self))

    def row(self, grouping: str, graph: str, name: str) -> Row | None:
        """The first row of this name in a graph (empty: in any), by their names as shown."""
        table = self.table(grouping)
        position = table.find(graph, name)
        return None if position is None else self.page(grouping, -1, position, position + 1)[0]

    def table(self, grouping: str = LAYERS, depth: int = -1) -> Table:
        """The figures of all rows."""
        key = (grouping, depth)
        if key not in self._tables:
            with waiting():
                grouped = [(graph, self._groups(graph, grouping, depth)) for graph in self.examined]
                self._tables[key] = Table(self.model, grouped, self.running, self.leaf)
        return self._tables[key]

    def _groups(self, graph: Examined, grouping: str, depth: int) -> list[Group]:
        return by_node(graph) if grouping == OPERATORS else by_layer(graph, self.leaf, depth)

    @cached_property
    def totals(self) -> Totals:
        """Sums over the model."""
        rows = self.table().figures
        run = [row for row in rows if row.runs]
        return Totals(
            layers=len(rows),
            nodes=sum(len(graph.facts) for graph in self.examined),
            parameters=_capped(row.parameters for row in rows),
            trainable=_capped(row.trainable for row in rows),
            macs=_capped(row.macs or 0 for row in run),
            flops=_capped(row.flops or 0 for row in run),
            parameter_bytes=_capped(row.parameter_bytes for row in rows),
            activation_bytes=_capped(row.activation_bytes or 0 for row in run),
            moved_bytes=_capped(row.moved_bytes or 0 for row in run),
            peak_bytes=max((row.live_bytes or 0 for row in run), default=0),
            complete=any(graph.facts for graph in self.examined)
            and self.sizes.open <= batch_names(self.model)
            and all(graph.complete or not runs.times for graph, runs in zip(self.examined, self.running, strict=True))
            and not any(runs.open and runs.times for runs in self.running),
        )

    @cached_property
    def modules(self) -> tuple[ModuleRow, ...]:
        """The module tree with sums."""
        with waiting():
            return tree(self.model, self.table().figures)

    @cached_property
    def leaf(self) -> frozenset[str]:
        """Paths of the leaf modules."""
        nodes = {facts.node.module for graph in self.examined for facts in graph.facts}
        return leaves(self._types.keys() | nodes)

    def type_of(self, path: str) -> str:
        """Class of a module, without its package; empty where the file does not say."""
        return self._types.get(path, "").rpartition(".")[2]

    def port(self, name: str, value: Value | None) -> Port:
        """A value as it is shown, with the sizes the user has fixed."""
        if value is None:
            return Port(inert(name), "")
        shape = value.shape
        if shape not in self._shown:
            sizes = self.sizes.shown(shape)
            self._shown[shape] = sizes and tuple(inert(dim, 100) if isinstance(dim, str) else dim for dim in sizes)
        return Port(inert(name), inert(value.dtype), self._shown[shape])


def _counted(total: int, report: Callable[[float], None]) -> Callable[[], None]:
    """Counts stretches of nodes and reports their share."""
    done = 0

    def stretch() -> None:
        nonlocal done
        done += STRETCH
        report(min(1.0, done / total))

    return stretch


def _capped(numbers: Iterable[int]) -> int:
    return min(sum(numbers), LARGEST)
