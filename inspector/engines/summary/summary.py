"""Rows, totals and the module tree of one model under one choice of sizes.

Totals do not depend on the grouping: multiply-adds and bytes are sums over nodes, parameters are a sum over distinct
tensors, and `layers` is always the number of rows of the grouping by layers. Bodies of branches and loops and functions
count once, however often they run. What no node uses is in a row of its own, so that rows always add up to totals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from inspector.engines.summary.calls import Examined, Facts, reachable
from inspector.engines.summary.collector import waiting
from inspector.engines.summary.grouping import Group, by_layer, by_node, leaves
from inspector.engines.summary.macs import counts
from inspector.engines.summary.modules import tree
from inspector.engines.summary.parameters import Identity, identity, is_parameter, is_trainable
from inspector.engines.summary.rows import ModuleRow, Port, Row, Totals
from inspector.engines.summary.sizes import BATCH, LARGEST, Sizes
from inspector.engines.summary.stored import Leftover, leftovers
from inspector.ir import Model, Role, Shape, Tensor, Value
from inspector.ir.operators import canonical, category
from inspector.ir.text import inert

MOST_NAMES = 2000
"""Names of nodes and of weights that one row lists; a row of a whole module can have a million."""

ARITHMETIC = frozenset({"linear", "convolution", "attention", "recurrent", "other", "control"})
"""Categories of module classes that may have multiply-adds."""

LAYERS, OPERATORS = "layers", "operators"


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
    """The figures of a model; each grouping is worked out when first asked for."""

    def __init__(self, model: Model, dims: Mapping[str, int] | None = None) -> None:
        self.model = model
        self.sizes = Sizes(dims or {})
        with waiting():
            self.examined = [Examined(model, graph, self.sizes) for graph in reachable(model)]
        self._types = {module.path: module.type for module in model.modules}
        self._rows: dict[tuple[str, int], tuple[Row, ...]] = {}
        self._shown: dict[Shape | None, Shape | None] = {}

    def rows(self, grouping: str = LAYERS, depth: int = -1) -> tuple[Row, ...]:
        """The rows of `layers` or `operators`; `depth` merges modules at that depth, -1 leaves them apart."""
        key = (grouping, depth)
        if key not in self._rows:
            with waiting():
                self._rows[key] = _Builder(self, grouping, depth).build()
        return self._rows[key]

    @cached_property
    def totals(self) -> Totals:
        """Sums over the model."""
        rows = self.rows()
        facts = [each for graph in self.examined for each in graph.facts]
        return Totals(
            layers=len(rows),
            nodes=len(facts),
            parameters=_capped(row.parameters for row in rows),
            trainable=_capped(row.trainable for row in rows),
            macs=_capped(row.macs or 0 for row in rows),
            parameter_bytes=_capped(row.parameter_bytes for row in rows),
            activation_bytes=_capped(row.activation_bytes or 0 for row in rows),
            complete=bool(facts)
            and self.sizes.open <= batch_names(self.model)
            and all(f.macs is not None and f.activation_bytes is not None for f in facts),
        )

    @cached_property
    def modules(self) -> tuple[ModuleRow, ...]:
        """The module tree with sums."""
        with waiting():
            return tree(self.model, self.rows())

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


class _Builder:
    """Makes the rows of one grouping; a distinct tensor is counted at the first row that uses it."""

    def __init__(self, summary: Summary, grouping: str, depth: int) -> None:
        self._summary = summary
        self._grouping = grouping
        self._depth = depth
        self._model = summary.model
        self._counted: set[Identity] = set()
        self._rows: list[Row] = []
        self._calls: dict[str, int] = {}
        self._ports: dict[str, Port] = {}

    def build(self) -> tuple[Row, ...]:
        grouped = [(graph, self._groups(graph)) for graph in self._summary.examined]
        used = {name for graph in self._summary.examined for facts in graph.facts for name in facts.weights}
        paths = {group.path for _, groups in grouped for group in groups if group.path}
        spare, rest = leftovers(self._model, used, paths, self._summary.leaf)
        for graph, groups in grouped:
            self._ports = {}
            entering, leaving = _borders(graph, groups)
            for number, group in enumerate(groups):
                self._add(graph, group, entering[number], leaving[number], spare.pop(group.path, ()))
        for leftover in rest:
            self._add_stored(leftover)
        return tuple(self._rows)

    def _groups(self, graph: Examined) -> list[Group]:
        if self._grouping == OPERATORS:
            return by_node(graph)
        return by_layer(graph, self._summary.leaf, self._depth)

    def _add(
        self, graph: Examined, group: Group, entering: list[str], leaving: list[str], spare: tuple[str, ...]
    ) -> None:
        facts = [graph.facts[index] for index in group.members]
        names = dict.fromkeys(name for each in facts for name in each.weights)
        weights = [self._model.tensors[name] for name in (*names, *spare)]
        lead, kind, colour = self._kind(group, facts)
        module = group.path if group.path or group.merged else lead.node.module
        outputs = tuple(self._port(graph, name) for name in leaving)
        parameters, trainable, size = self._count(weights)
        self._rows.append(
            Row(
                index=len(self._rows),
                name=self._name(group, lead.node.name),
                type=inert(kind or (lead.node.op if len(facts) == 1 or not group.merged else "Module")),
                category=colour,
                module=inert(module),
                graph=inert(graph.graph.name),
                nodes=tuple(inert(each.node.name) for each in facts[:MOST_NAMES]),
                inputs=tuple(self._port(graph, name) for name in entering),
                outputs=outputs,
                weights=_listed(weights),
                dtype=_dtype(weights, outputs),
                parameters=parameters,
                trainable=trainable,
                parameter_bytes=size,
                macs=_known(each.macs for each in facts),
                activation_bytes=_known(each.activation_bytes for each in facts),
                source=inert(next((each.node.source for each in facts if each.node.source), "")),
            )
        )

    def _kind(self, group: Group, facts: list[Facts]) -> tuple[Facts, str, str]:
        """The node that says most about a group, the class of its module, and its category."""
        lead = facts[0]
        if len(facts) > 1:
            lead = max(facts, key=lambda each: (each.macs or 0, len(each.weights), not each.derived))
        kind = self._summary.type_of(group.path) if group.path or group.merged else ""
        colour = category(kind) if kind else "other"
        if colour not in ARITHMETIC and not group.merged and counts(lead.name):
            kind = ""  # an exporter has fused a convolution into the normalisation that follows it
        if not kind or (colour in {"other", "control"} and not group.merged):
            colour = category(lead.node.op, lead.node.domain)
        return lead, kind, colour

    def _add_stored(self, leftover: Leftover) -> None:
        weights = [self._model.tensors[name] for name in leftover.tensors]
        kind = self._summary.type_of(leftover.path)
        parameters, trainable, size = self._count(weights)
        known = canonical(kind) if kind else ""
        self._rows.append(
            Row(
                index=len(self._rows),
                name=inert(leftover.path or leftover.tensors[0]),
                type=inert(kind or "Tensor"),
                category=category(known) if known else "constant",
                module=inert(leftover.path),
                weights=_listed(weights),
                dtype=_dtype(weights, ()),
                parameters=parameters,
                trainable=trainable,
                parameter_bytes=size,
                macs=0 if self._model.graphs else None,
                activation_bytes=0 if self._model.graphs else None,
            )
        )

    def _name(self, group: Group, node: str) -> str:
        if not group.path:
            return "(model)" if group.merged else inert(node)
        times = self._calls[group.path] = self._calls.get(group.path, 0) + 1
        return inert(group.path) if times == 1 else f"{inert(group.path)} ({times})"

    def _port(self, graph: Examined, name: str) -> Port:
        """One for each value, shared by who gives it and who takes it."""
        port = self._ports.get(name)
        if port is None:
            port = self._ports[name] = self._summary.port(name, graph.value(name))
        return port

    def _count(self, weights: Iterable[Tensor]) -> tuple[int, int, int]:
        parameters = trainable = size = 0
        for tensor in weights:
            if not is_parameter(tensor):
                continue
            key = identity(tensor, self._model.tensors)
            if key not in self._counted:
                self._counted.add(key)
                parameters += tensor.count
                trainable += tensor.count if is_trainable(tensor) else 0
                size += tensor.nbytes
        return min(parameters, LARGEST), min(trainable, LARGEST), min(size, LARGEST)


def _borders(graph: Examined, groups: list[Group]) -> tuple[list[list[str]], list[list[str]]]:
    """For each group the values that enter it and those that leave it, in order, without weights."""
    home: dict[str, int] = {}
    for number, group in enumerate(groups):
        for index in group.members:
            if not graph.facts[index].derived:
                home.update(dict.fromkeys(filter(None, graph.facts[index].node.outputs), number))
    entering: list[dict[str, None]] = [{} for _ in groups]
    wanted = {value.name for value in graph.graph.outputs}
    for number, group in enumerate(groups):
        for index in group.members:
            for name in graph.facts[index].data:
                if home.get(name) != number:
                    entering[number][name] = None
                    wanted.add(name)
    leaving: list[list[str]] = []
    for group in groups:
        made = [name for index in group.members for name in graph.facts[index].node.outputs if name]
        used = [name for name in made if name in wanted]
        leaving.append(used or (list(filter(None, graph.facts[group.members[-1]].node.outputs))))
    return [list(names) for names in entering], leaving


def _known(numbers: Iterable[int | None]) -> int | None:
    """The sum of what is known; None where something is not known and the rest is nothing."""
    total, open_ = 0, False
    for number in numbers:
        if number is None:
            open_ = True
        else:
            total += number
    return None if open_ and not total else min(total, LARGEST)


def _capped(numbers: Iterable[int]) -> int:
    return min(sum(numbers), LARGEST)


def _listed(weights: list[Tensor]) -> tuple[str, ...]:
    return tuple(inert(tensor.name) for tensor in weights if tensor.role is not Role.CONSTANT)[:MOST_NAMES]


def _dtype(weights: list[Tensor], outputs: tuple[Port, ...]) -> str:
    own = next((tensor.dtype for tensor in weights if is_parameter(tensor)), "")
    return inert(own or (outputs[0].dtype if outputs else ""))
