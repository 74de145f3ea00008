"""The rows of one grouping: figures of all of them at once, the rows themselves when they are asked for.

What is said of a model when it opens needs the figures of every row but no row, and a table on the screen shows a
hundred of a hundred thousand; what a row costs to put together is as much as all that it rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from inspector.engines.summary.calls import Examined, Facts
from inspector.engines.summary.grouping import Group
from inspector.engines.summary.macs import counts
from inspector.engines.summary.parameters import Identity, identity, is_parameter, is_trainable, parameters_in
from inspector.engines.summary.rows import Port, Row
from inspector.engines.summary.running import Running
from inspector.engines.summary.sizes import LARGEST
from inspector.engines.summary.stored import Leftover, leftovers
from inspector.ir import Model, Role, Tensor, Value
from inspector.ir.operators import canonical, category
from inspector.ir.text import inert

MOST_NAMES = 2000
"""Names of nodes and of weights that one row lists; a row of a whole module can have a million."""
MOST_SHAPES = 8
MOST_SHARED = 20
"""Names of tensors that one row shares."""

ARITHMETIC = frozenset({"linear", "convolution", "attention", "recurrent", "other", "control"})
"""Categories of module classes that may have multiply-adds."""


class Shown(Protocol):
    """How the figures of a model show what a row mentions."""

    def type_of(self, path: str) -> str:
        """Class of a module."""

    def port(self, name: str, value: Value | None) -> Port:
        """A value with its sizes."""


@dataclass(slots=True)
class Figures:
    """What of a row adds up."""

    module: str
    parameters: int = 0
    trainable: int = 0
    parameter_bytes: int = 0
    macs: int | None = None
    activation_bytes: int | None = None
    flops: int | None = None
    moved_bytes: int | None = None
    live_bytes: int | None = None
    runs: int = 1
    shared: tuple[str, ...] = ()


class Table:
    """The rows of one grouping; a distinct tensor is counted at the first row that uses it."""

    def __init__(
        self,
        model: Model,
        grouped: list[tuple[Examined, list[Group]]],
        running: list[Running],
        leaf: frozenset[str],
    ) -> None:
        self._model = model
        self._parts: list[_Part] = []
        self._counted: dict[Identity, str] = {}
        """Of each tensor the name under which it was counted."""
        self.figures: list[Figures] = []
        used = {name for graph, _ in grouped for facts in graph.facts for name in facts.weights}
        paths = {group.path for _, groups in grouped for group in groups if group.path}
        spare, rest = leftovers(self._model, used, paths, leaf)
        self._rest = rest
        for (graph, groups), runs in zip(grouped, running, strict=True):
            part = _Part(graph, groups, runs, len(self.figures), spare)
            self._parts.append(part)
            self.figures += [self._figures(part, group, number) for number, group in enumerate(groups)]
        calls: dict[str, int] = {}
        for part in self._parts:
            part.number(calls)
        self.figures += [self._stored_figures(leftover) for leftover in rest]
        self._counted.clear()  # nothing is counted any more

    def __len__(self) -> int:
        return len(self.figures)

    def rows(self, start: int, stop: int, shown: Shown) -> list[Row]:
        """Some of the rows, by position."""
        found: list[Row] = []
        for part in self._parts:
            first, last = max(start, part.start), min(stop, part.start + len(part.groups))
            found += [self._row(part, index - part.start, shown) for index in range(first, last)]
        first = len(self.figures) - len(self._rest)
        for index in range(max(start, first), min(stop, len(self.figures))):
            found.append(self._stored_row(self._rest[index - first], index, shown))
        return found

    def find(self, graph: str, name: str) -> int | None:
        """Position of the first row of this name in a graph, by their names as shown; without a graph, in any."""
        graphs = [graph] if graph else ["", *(part.shown for part in self._parts)]
        found = (self._positions.get((each, name)) for each in graphs)
        return next((position for position in found if position is not None), None)

    @cached_property
    def _positions(self) -> Mapping[tuple[str, str], int]:
        positions: dict[tuple[str, str], int] = {}
        for part in self._parts:
            for number in range(len(part.groups)):
                positions.setdefault((part.shown, part.name(number)), part.start + number)
        for index, leftover in enumerate(self._rest, len(self.figures) - len(self._rest)):
            positions.setdefault(("", _stored_name(leftover)), index)
        return positions

    def _figures(self, part: _Part, group: Group, number: int) -> Figures:
        facts = part.graph.facts
        if len(group.members) == 1:
            each = facts[group.members[0]]
            module = group.path if group.path or group.merged else inert(each.node.module)
            names: Iterable[str] = each.weights
            held, moved = _least(each.activation_bytes), _least(each.moved)
            figures = Figures(module, 0, 0, 0, each.macs, held, _least(each.flops), moved)
        else:
            inside = [facts[index] for index in group.members]
            module = group.path if group.path or group.merged else _lead(inside).node.module
            names = dict.fromkeys(name for each in inside for name in each.weights)
            figures = Figures(
                inert(module),
                macs=_known(each.macs for each in inside),
                activation_bytes=_known(each.activation_bytes for each in inside),
                flops=_known(each.flops for each in inside),
                moved_bytes=_known(each.moved for each in inside),
            )
        if group.path:
            figures.module = inert(group.path)
            names = (*names, *part.take(group.path, number))
        if names:
            self._count(figures, names)
        part.running(figures, group)
        return figures

    def _stored_figures(self, leftover: Leftover) -> Figures:
        figure = 0 if self._model.graphs else None
        path = inert(leftover.path)
        figures = Figures(path, macs=figure, activation_bytes=figure, flops=figure, moved_bytes=figure)
        self._count(figures, leftover.tensors)
        return figures

    def _count(self, figures: Figures, names: Iterable[str]) -> None:
        parameters = trainable = size = 0
        tensors = self._model.tensors
        shared: list[str] = []
        for name in names:
            tensor = tensors[name]
            if not is_parameter(tensor):
                continue
            key = identity(tensor, tensors)
            if key in self._counted:
                shared.append(self._counted[key])
            else:
                self._counted[key] = name
                count = parameters_in(tensor)
                parameters += count
                trainable += count if is_trainable(tensor) else 0
                size += tensor.nbytes
        figures.parameters, figures.trainable = min(parameters, LARGEST), min(trainable, LARGEST)
        figures.parameter_bytes = min(size, LARGEST)
        figures.shared = tuple(shared[:MOST_SHARED])

    def _row(self, part: _Part, number: int, shown: Shown) -> Row:
        index = part.start + number
        group, figures, graph = part.groups[number], self.figures[index], part.graph
        facts = [graph.facts[member] for member in group.members]
        names = dict.fromkeys(name for each in facts for name in each.weights)
        weights = [self._model.tensors[name] for name in (*names, *part.spare.get(number, ()))]
        lead = _lead(facts)
        kind, colour = _kind(group, lead, shown)
        outputs = tuple(part.port(name, shown) for name in part.leaving(number))
        return Row(
            index=index,
            name=part.name(number),
            type=inert(kind or (lead.node.op if len(facts) == 1 or not group.merged else "Module")),
            category=colour,
            module=figures.module,
            graph=part.shown,
            nodes=tuple([inert(each.node.name) for each in facts[:MOST_NAMES]]),
            inputs=tuple([part.port(name, shown) for name in part.entering(number)]),
            outputs=outputs,
            weights=_listed(weights),
            weight_shapes=_shapes(weights),
            dtype=_dtype(weights, outputs),
            parameters=figures.parameters,
            trainable=figures.trainable,
            parameter_bytes=figures.parameter_bytes,
            macs=figures.macs,
            activation_bytes=figures.activation_bytes,
            source=inert(next((each.node.source for each in facts if each.node.source), "")),
            flops=figures.flops,
            moved_bytes=figures.moved_bytes,
            live_bytes=figures.live_bytes,
            runs=figures.runs,
            shares=tuple([inert(name) for name in figures.shared]),
        )

    def _stored_row(self, leftover: Leftover, index: int, shown: Shown) -> Row:
        weights = [self._model.tensors[name] for name in leftover.tensors]
        kind, figures = shown.type_of(leftover.path), self.figures[index]
        known = canonical(kind) if kind else ""
        return Row(
            index=index,
            name=_stored_name(leftover),
            type=inert(kind or "Tensor"),
            category=category(known) if known else "constant",
            module=figures.module,
            weights=_listed(weights),
            weight_shapes=_shapes(weights),
            dtype=_dtype(weights, ()),
            parameters=figures.parameters,
            trainable=figures.trainable,
            parameter_bytes=figures.parameter_bytes,
            macs=figures.macs,
            activation_bytes=figures.activation_bytes,
            flops=figures.flops,
            moved_bytes=figures.moved_bytes,
            shares=tuple([inert(name) for name in figures.shared]),
        )


class _Part:
    """The rows of one graph."""

    def __init__(
        self, graph: Examined, groups: list[Group], runs: Running, start: int, left: dict[str, tuple[str, ...]]
    ) -> None:
        self.graph = graph
        self._runs = runs
        self.shown = inert(graph.graph.name)
        self.groups = groups
        self.start = start
        self.spare: dict[int, tuple[str, ...]] = {}
        self._ports: dict[str, Port] = {}
        self._left = left
        self._times: dict[int, int] = {}

    def take(self, path: str, number: int) -> tuple[str, ...]:
        """Unused tensors of a module; its first row has them."""
        names = self._left.pop(path, ())
        if names:
            self.spare[number] = names
        return names

    def running(self, figures: Figures, group: Group) -> None:
        """Add to the figures of one run of a row what is known of the runs of its graph."""
        live, around, times = self._runs.live, self._runs.around, self._runs.times
        first = live[group.members[0]] if len(group.members) == 1 else max(live[index] for index in group.members)
        if figures.activation_bytes is not None:
            figures.live_bytes = min(around + first, LARGEST) if around else first
        figures.runs = times
        figures.activation_bytes = _times(figures.activation_bytes, self._runs.copies)
        figures.macs = _times(figures.macs, times)
        figures.flops = _times(figures.flops, times)
        figures.moved_bytes = _times(figures.moved_bytes, times)

    def number(self, calls: dict[str, int]) -> None:
        """Count the calls of each module through all graphs."""
        for number, group in enumerate(self.groups):
            if group.path:
                calls[group.path] = times = calls.get(group.path, 0) + 1
                if times > 1:
                    self._times[number] = times

    def name(self, number: int) -> str:
        """What a row is called."""
        group, times = self.groups[number], self._times.get(number, 1)
        if not group.path:
            facts = self.graph.facts
            return "(model)" if group.merged else inert(_lead([facts[index] for index in group.members]).node.name)
        return inert(group.path) if times == 1 else f"{inert(group.path)} ({times})"

    def entering(self, number: int) -> list[str]:
        """Values that enter a row, in order, without weights."""
        home, facts = self._home, self.graph.facts
        names = [name for index in self.groups[number].members for name in facts[index].data]
        return list(dict.fromkeys(name for name in names if home.get(name) != number))

    def leaving(self, number: int) -> list[str]:
        """Values that leave a row, in order."""
        facts, members = self.graph.facts, self.groups[number].members
        made = [name for index in members for name in facts[index].node.outputs if name]
        used = [name for name in made if name in self._wanted]
        return used or list(filter(None, facts[members[-1]].node.outputs))

    def port(self, name: str, shown: Shown) -> Port:
        """One for each value, shared by who gives it and who takes it."""
        port = self._ports.get(name)
        if port is None:
            port = self._ports[name] = shown.port(name, self.graph.value(name))
        return port

    @cached_property
    def _home(self) -> Mapping[str, int]:
        """The row that makes each value, without derived ones."""
        home: dict[str, int] = {}
        facts = self.graph.facts
        for number, group in enumerate(self.groups):
            for index in group.members:
                if not facts[index].derived:
                    for name in facts[index].node.outputs:
                        home[name] = number
        home.pop("", None)
        return home

    @cached_property
    def _wanted(self) -> frozenset[str]:
        """Values that some other row takes, or the graph gives."""
        home, facts = self._home, self.graph.facts
        taken = {
            name
            for number, group in enumerate(self.groups)
            for index in group.members
            for name in facts[index].data
            if home.get(name) != number
        }
        return frozenset(taken | {value.name for value in self.graph.graph.outputs})


def _stored_name(leftover: Leftover) -> str:
    return inert(leftover.path or leftover.tensors[0])


def _kind(group: Group, lead: Facts, shown: Shown) -> tuple[str, str]:
    """The class of a group's module, and its category."""
    kind = shown.type_of(group.path) if group.path or group.merged else ""
    colour = category(kind) if kind else "other"
    if colour not in ARITHMETIC and not group.merged and counts(lead.name):
        kind = ""  # an exporter has fused a convolution into the normalisation that follows it
    if not kind or (colour in {"other", "control"} and not group.merged):
        colour = category(lead.name)
    return kind, colour


def _lead(facts: list[Facts]) -> Facts:
    """The node that says most about a group."""
    if len(facts) == 1:
        return facts[0]
    return max(facts, key=lambda each: (each.macs or 0, len(each.weights), not each.derived))


def _least(number: int | None) -> int | None:
    return number if number is None or number < LARGEST else LARGEST


def _times(number: int | None, times: int) -> int | None:
    if not number or times < 2:  # the same object: a million of their own take much
        return number
    return min(number * times, LARGEST)


def _known(numbers: Iterable[int | None]) -> int | None:
    """The sum of what is known; None where something is not known and the rest is nothing."""
    total, open_ = 0, False
    for number in numbers:
        if number is None:
            open_ = True
        else:
            total += number
    return None if open_ and not total else min(total, LARGEST)


def _listed(weights: list[Tensor]) -> tuple[str, ...]:
    return tuple([inert(tensor.name) for tensor in weights if tensor.role is not Role.CONSTANT])[:MOST_NAMES]


def _shapes(weights: list[Tensor]) -> tuple[tuple[int, ...], ...]:
    return tuple([tensor.shape for tensor in weights if tensor.role is not Role.CONSTANT][:MOST_SHAPES])


def _dtype(weights: list[Tensor], outputs: tuple[Port, ...]) -> str:
    own = next((tensor.dtype for tensor in weights if is_parameter(tensor)), "")
    return inert(own or (outputs[0].dtype if outputs else ""))
