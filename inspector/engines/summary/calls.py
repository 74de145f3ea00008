"""Facts of every node, worked out once for one choice of sizes; groupings only add them up.

A value is *derived* when it is made of stored tensors and constants alone: the transpose of a weight, the weight that
a dequantizer gives, a variable that was read. It is no activation, and the tensors it is made of belong to the first
operation that mixes it with data. What a function of ONNX takes is derived where all its callers hand over such.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from inspector.engines.summary.call import Call
from inspector.engines.summary.flops import PICKS, Ones, moves, ones
from inspector.engines.summary.macs import counts, macs
from inspector.engines.summary.order import callers_first, is_call, reachable
from inspector.engines.summary.shares import shares
from inspector.engines.summary.sizes import LARGEST, Sizes
from inspector.engines.summary.transforms import NAMES as TRANSFORMS
from inspector.engines.summary.transforms import transforms
from inspector.ir import Graph, Model, Node, Shape, Value
from inspector.ir.model import bytes_of
from inspector.ir.operators import canonical, category

CHANNELS_LAST = ("keras", "tf", "tflite")
"""How ids of formats begin whose convolutions have channels last unless they say otherwise."""

FOREIGN = {"onnx": ("", "ai.onnx", "com.microsoft"), "tflite": ("", "flex")}
"""Formats with operators of other people, and how the domains begin whose operators do what their names say."""

MOST_PARTS = 100
"""Stored tensors whose shapes may matter to the multiply-adds of one node."""

STRETCH = 1000
"""Nodes that are looked at without a pause."""

CARRIED = 1000
"""A derived value stands for at most this many tensors; more stay with the node that joins them."""


@dataclass(slots=True)  # not frozen: that costs as much as all the rest, and there is one for each node
class Facts:
    """What is known of one node.

    Attributes:
        derived: All its outputs are made of stored tensors and constants.
        data: Its inputs that are neither stored nor derived.
        weights: Names of the stored tensors that are counted at it.
        direct: Those of them that it names itself.
        macs: None where it has some and their number is not known, or nobody knows what the operator does.
        flops: Likewise.
        activation_bytes: Bytes of its outputs, 0 where they are derived; None where not known.
        moved: Bytes that it reads and writes; None where not known.
    """

    node: Node
    name: str
    derived: bool
    data: tuple[str, ...]
    weights: tuple[str, ...]
    direct: tuple[str, ...]
    macs: int | None
    flops: int | None
    activation_bytes: int | None
    moved: int | None


class _Kind(NamedTuple):
    """What is said of an operator, whatever its node."""

    name: str
    constant: bool
    counts: bool
    ones: Ones
    moves: bool
    picks: bool
    foreign: bool
    other: bool


_CALL = _Kind(
    "call", constant=False, counts=False, ones=Ones.NONE, moves=False, picks=False, foreign=False, other=False
)
"""Of a node that calls a function of the model, whatever that is called: what it does is what its body does."""


class Examined:
    """One graph under one choice of sizes.

    Args:
        model: As read.
        graph: One of its graphs.
        sizes: Of open dimensions.
        stretch: Called whenever STRETCH more nodes have been looked at.
        given: Inputs that are derived wherever the graph is called, and the bytes that are stored of each.
    """

    def __init__(
        self,
        model: Model,
        graph: Graph,
        sizes: Sizes,
        stretch: Callable[[], None] = lambda: None,
        given: Mapping[str, int] | None = None,
    ) -> None:
        self.graph = graph
        self.outermost = graph is model.graphs[0]
        self._model = model
        self._sizes = sizes
        self._outer = model.graphs[0].values
        self._last = model.format.startswith(CHANNELS_LAST)
        self._dialect = "" if model.format == "onnx" else model.format
        self._domains = FOREIGN.get(model.format, ())
        self._derived: dict[str, tuple[str, ...]] = dict.fromkeys(given or (), ())
        self._given = given or {}
        self._handed: dict[str, tuple[str, ...]] = {name: (name,) for name in self._given}
        """Inputs that values are made of, where those are derived."""
        self._calling = model.format == "onnx" and len(model.graphs) > 1
        self.calls: dict[str, tuple[Node, tuple[int, ...]]] = {}
        """Nodes that call functions by name, and the bytes stored of each of their inputs: -1 where it has data."""
        self._bytes_of: dict[tuple[str, Shape], int | None] = {}
        self._numbers: dict[int | None, int | None] = {}
        """Each number once: many nodes have the same."""
        self._taken = {name for node in graph.nodes for name in node.inputs} | {each.name for each in graph.outputs}
        self._kinds: dict[tuple[str, str], _Kind] = {}
        self._shares: dict[str, int] = {} if self.outermost else shares(graph.nodes, self._joins, self._exact)
        self.callers: list[tuple[Examined, Node]] = []
        """Who calls the graph, where it is a function."""
        self.numbers: dict[str, tuple[float, ...] | None] = {}
        """What of its inputs is known to be the same few numbers in every call, as far as somebody asked."""
        self.strange: set[str] = set()
        """Operators of which nobody knows what they compute."""
        self.facts: list[Facts] = []
        for start in range(0, len(graph.nodes), STRETCH):
            self.facts += [self._examine(node) for node in graph.nodes[start : start + STRETCH]]
            stretch()
        self._taken.clear()  # a set of all values of a very large model is no small thing to keep

    @property
    def complete(self) -> bool:
        """Whether the figures of every node are known."""
        return not self.strange and self.shaped

    @property
    def shaped(self) -> bool:
        """Whether they are known of every node whose operator is."""
        return all(
            each.activation_bytes is not None and (each.flops is not None or each.node.op in self.strange)
            for each in self.facts
        )

    def value(self, name: str) -> Value | None:
        """What is known of a value, in this graph or around it."""
        return self.graph.values.get(name) or self._outer.get(name)

    def is_stored(self, name: str) -> bool:
        """Whether a name stands for a stored tensor or something made of such alone."""
        return name in self._derived or name in self._model.tensors

    def is_tensor(self, name: str) -> bool:
        """Whether a name is that of a stored tensor."""
        return name in self._model.tensors

    def is_variable(self, name: str) -> bool:
        """Whether a name is that of a stored tensor in a file beside the graph."""
        tensor = self._model.tensors.get(name)
        return tensor is not None and bool(tensor.place.file)

    def dtype(self, name: str) -> str:
        """Of a value; empty where it is not known."""
        value = self.value(name)
        return "" if value is None else value.dtype

    def shape(self, name: str) -> tuple[int, ...] | None:
        """A shape in numbers; None where it is not known or the input was omitted."""
        if not name:
            return None
        if name in self._model.tensors and name not in self.graph.values:
            return self._model.tensors[name].shape
        value = self.value(name)
        if value is None or value.shape is None:
            return None
        if name in self._derived and not all(isinstance(dim, int) for dim in value.shape):
            return None  # what is made of weights has its size, whatever the user types; the reader does not know it
        return self._sizes.counted(value.shape)

    def _examine(self, node: Node) -> Facts:
        tensors, known = self._model.tensors, self._derived
        kind = self._kinds.get((node.op, node.domain)) or self._kind(node)
        if self._calling and node.graphs and is_call(node):
            kind = _CALL
            self.calls[node.name] = node, tuple(map(self._stored, node.inputs))
        data: list[str] = []
        direct: list[str] = []
        weights: list[str] = []
        for each in node.inputs[:1] if node.op == "CastLike" else node.inputs:  # of what it is like it takes the type
            if each in known:
                weights += known[each]
            elif each in tensors:
                weights.append(each)
                direct.append(each)
            elif each:
                data.append(each)
        for each in node.tensors:
            if each in tensors:
                weights.append(each)
                direct.append(each)
        handed = self._parts(node) if self._handed else ()
        still = not node.graphs or kind is _CALL
        derived = not data and still and (bool(weights) or bool(handed) or kind.constant)
        if derived:
            if handed:
                self._handed.update(dict.fromkeys(filter(None, node.outputs), handed))
            carried = tuple(weights) if len(weights) <= CARRIED else ()
            known.update(dict.fromkeys(filter(None, node.outputs), carried))
            if len(weights) <= CARRIED:
                weights, direct = [], []
            return Facts(node, kind.name, True, (), tuple(dict.fromkeys(weights)), tuple(direct), 0, 0, 0, 0)
        used = tuple(dict.fromkeys(weights)) if weights else ()
        strange = kind.other and not node.graphs and self._strange(node.op, kind, used, data)
        count = None if strange else self._macs(node, kind.name, used) if kind.counts else 0
        given = 0 if kind is _CALL else self._bytes(node)
        one = self._numbers.setdefault
        flops = None if strange else self._flops(node, kind, count)
        moved = self._moved(data, used, given, kind) if kind.moves else 0
        if handed and moved and not kind.picks:
            moved = min(LARGEST, moved + sum(map(self._given.__getitem__, handed)))
        return Facts(
            node,
            kind.name,
            False,
            node.inputs if len(data) == len(node.inputs) else tuple(data),
            used,
            used if direct == weights and len(used) == len(direct) else tuple(direct),
            one(count, count),
            one(flops, flops),
            given,
            one(moved, moved),
        )

    def _parts(self, node: Node) -> tuple[str, ...]:
        """The derived inputs of the graph that a node uses, straight or through others."""
        return tuple(dict.fromkeys(part for name in node.inputs for part in self._handed.get(name, ())))

    def _stored(self, name: str) -> int:
        """Bytes that are stored of a value, or -1."""
        tensors = self._model.tensors
        if name in self._derived:
            inner = sum(self._given[each] for each in self._handed.get(name, ()))
            return inner + sum(tensors[each].nbytes for each in self._derived[name])
        return tensors[name].nbytes if name in tensors else -1

    def _kind(self, node: Node) -> _Kind:
        """What an operator is; a model has few."""
        name = canonical(node.op, node.domain or self._dialect)
        constant = category(name) == "constant"
        foreign = bool(self._domains) and not (
            node.domain.startswith(self._domains[1:]) or node.domain in self._domains
        )
        other = category(name) == "other"
        kind = _Kind(name, constant, counts(name), ones(name), moves(name), name in PICKS, foreign, other)
        self._kinds[node.op, node.domain] = kind
        return kind

    def _strange(self, op: str, kind: _Kind, weights: tuple[str, ...], data: list[str]) -> bool:
        """Whether an operator that no table has may multiply: it takes matrices, or comes from elsewhere."""
        tensors = self._model.tensors
        shapes = [tensors[name].shape for name in weights[:MOST_PARTS]]
        shapes += [self.shape(name) or () for name in data[:MOST_PARTS] if self.dtype(name) != "string"]
        if not kind.foreign and not any(len(shape) > 1 for shape in shapes):
            return False
        self.strange.add(op)
        return True

    def _macs(self, node: Node, name: str, used: tuple[str, ...]) -> int | None:
        return macs(self._call(node, name, used))

    def _call(self, node: Node, name: str, used: tuple[str, ...]) -> Call:
        tensors = self._model.tensors
        return Call(
            name,
            node.op,
            tuple(map(self.shape, node.inputs)),
            tuple(map(self.shape, node.outputs)),
            tuple(map(self.is_stored, node.inputs)),
            tuple((each, tensors[each].shape) for each in node.tensors if each in tensors),
            node.attributes,
            node.domain,
            self._last,
            tuple(tensors[each].shape for each in used[:MOST_PARTS]),
        )

    def _flops(self, node: Node, kind: _Kind, count: int | None) -> int | None:
        if kind.counts:
            return count if count is None else min(2 * count, LARGEST)
        if kind.name in TRANSFORMS:
            found = transforms(self._call(node, kind.name, ()))
            return found if found is None else min(found, LARGEST)
        if kind.ones is Ones.NONE:
            return 0
        names = node.outputs if kind.ones is Ones.GIVEN else node.inputs
        shape = self.shape(names[0]) if names else None
        return shape if shape is None else min(prod(shape), LARGEST)

    def _moved(self, data: list[str], weights: tuple[str, ...], given: int | None, kind: _Kind) -> int | None:
        if given is None:
            return None
        if kind.picks:
            return 2 * given
        total = given
        for name in data:
            size = self.size(name)
            if size is None:
                return None
            total += size
        tensors = self._model.tensors
        for name in weights:
            total += tensors[name].nbytes
        return min(total, LARGEST)

    def _joins(self, node: Node) -> bool:
        return canonical(node.op, node.domain or self._dialect) == "concat"

    def _exact(self, name: str) -> int | None:
        """Bytes of a tensor, or of a value without open sizes."""
        if self.is_tensor(name):
            return self._model.tensors[name].nbytes
        value = self.value(name)
        shape = None if value is None else self._sizes.shown(value.shape)
        return None if value is None or shape is None else bytes_of(value.dtype, shape)

    def size(self, name: str) -> int | None:
        """Bytes of a value; None where they are not known."""
        if name in self._shares:
            return self._shares[name]
        value = self.graph.values.get(name) or self._outer.get(name)
        if value is None or value.shape is None:
            return None
        key = (value.dtype, value.shape)
        return self._bytes_of[key] if key in self._bytes_of else self._size(*key)

    def _bytes(self, node: Node) -> int | None:
        total = 0
        for name in node.outputs:
            size = self.size(name) if name else 0
            if size is not None:
                total += size
            elif name in self._taken:  # unlike the mask of a Dropout, which nothing computes when nothing takes it
                return None
        return total

    def _size(self, dtype: str, shape: Shape) -> int | None:
        size = bytes_of(dtype, self._sizes.counted(shape) or ()) if dtype else None
        self._bytes_of[dtype, shape] = known = size if shape else size or 0  # a number of the program is no memory
        return known


def examined(model: Model, sizes: Sizes, stretch: Callable[[], None] = lambda: None) -> list[Examined]:
    """The graphs that the model runs; functions of ONNX know of what all their callers hand over.

    Args:
        model: As read.
        sizes: Of open dimensions.
        stretch: Called whenever STRETCH more nodes have been looked at.
    """
    graphs = reachable(model)
    if model.format != "onnx" or len(graphs) < 2:
        return [Examined(model, graph, sizes, stretch) for graph in graphs]
    by_name = {graph.name: graph for graph in graphs}
    given: dict[str, dict[str, int]] = {}
    found: dict[str, Examined] = {}
    calling: list[tuple[str, Examined, Node]] = []
    for name in callers_first(graphs):
        stored = {formal: size for formal, size in given.pop(name, {}).items() if size >= 0}
        found[name] = each = Examined(model, by_name[name], sizes, stretch, stored)
        for node, handed in each.calls.values():
            calling.append((node.graphs[-1], each, node))
            called = by_name.get(node.graphs[-1])
            for value, size in zip(called.inputs if called else (), handed, strict=False):
                known = given.setdefault(node.graphs[-1], {})
                before = known.get(value.name, size)
                known[value.name] = -1 if -1 in (size, before) else max(size, before)
    for name, each, node in calling:
        if name in found:
            found[name].callers.append((each, node))
    return [found[graph.name] for graph in graphs]
