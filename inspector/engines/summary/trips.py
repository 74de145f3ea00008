"""How often a loop runs, where the file fixes it.

A `Loop` of ONNX runs as often as its first input says, when its condition is always true or only looks at counters; a
`Scan` once for each slice of what it scans; a `While` of TensorFlow, TFLite or their kin as `whiles` says. Everything
else depends on values, which nobody knows before the model runs. The few numbers that this takes are constants of the
file, read when a loop needs them (`Fetch`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil

from inspector.engines.summary.calls import Examined, Facts
from inspector.engines.summary.sizes import LARGEST
from inspector.engines.summary.whiles import While, conjuncts
from inspector.ir import Node

Numbers = tuple[float, ...]

Fetch = Callable[[str], Numbers | None]
"""Gives the elements of a stored tensor of a few numbers by its name; None for a larger one."""

CALLERS = 64
"""Calls of a function that are looked at for what they hand over."""

DEEPEST = 32
"""Steps between a value and the constants it is made of."""

_SAME = frozenset({"contiguous", "cast", "reshape"})


def trips(node: Node, around: Known, bodies: Mapping[str, Examined], fetch: Fetch) -> int | None:
    """How often a node runs its bodies; None where the file does not fix it.

    Args:
        node: A loop.
        around: What is known in the graph it stands in.
        bodies: Graphs by name.
        fetch: Reads small constants.
    """
    inner = [bodies[name] for name in node.graphs if name in bodies]
    try:
        if node.op == "Scan" and inner:
            found = _scanned(node, around)
        elif node.op == "Loop" and len(inner) == 1:
            found = _counted(node, around, Known(inner[0], fetch))
        elif node.op == "prim::Loop":
            said = node.attributes.get("rounds")  # by the reader, where it follows from the shapes
            found = said if isinstance(said, int) else None
        elif node.op == "higher_order.vmap" and inner:
            found = _mapped(node, around)
        elif node.op.startswith("higher_order.") and len(inner) == 1:
            found = _taken_apart(node, around, inner[0])
        elif len(inner) == 2:
            found = While(node, around, *_condition_first(inner, fetch)).trips()
        else:
            return None
    except (IndexError, ValueError, OverflowError, ZeroDivisionError):  # not the loop that its name promises
        return None
    return None if found is None else min(max(found, 0), LARGEST)


class Known:
    """Values of one graph that follow from constants and shapes alone."""

    def __init__(self, examined: Examined, fetch: Fetch) -> None:
        self.examined = examined
        self.graph = examined.graph
        self.inputs = [value.name for value in examined.graph.inputs]
        self._fetch = fetch
        self._maker: dict[str, Facts] | None = None

    def maker(self, name: str) -> Facts | None:
        """The node that makes a value; what only hands it on is passed over."""
        if self._maker is None:
            self._maker = {name: facts for facts in self.examined.facts for name in facts.node.outputs if name}
        return self._maker.get(name)

    def origin(self, name: str) -> str:
        """What a value is a copy of."""
        for _ in range(DEEPEST):
            facts = self.maker(name)
            if facts is None or facts.name not in _SAME or not facts.node.inputs:
                break
            name = facts.node.inputs[0]
        return name

    def is_variable(self, name: str) -> bool:
        """Whether a name is that of a tensor that lies in a file of its own, which graphs need not be given."""
        return self.examined.is_variable(name)

    def number(self, name: str) -> float | None:
        """A value of one element."""
        found = self.of(name)
        return found[0] if found and len(found) == 1 else None

    def of(self, name: str, depth: int = 0) -> Numbers | None:
        """The elements of a value; None where they are not known."""
        name = self.origin(name)
        if self.examined.is_tensor(name):
            return self._fetch(name)
        facts = self.maker(name)
        if depth > DEEPEST:
            return None
        if facts is None:
            return self._handed(name, depth)
        if facts.name == "shape":
            return self._shape(facts.node)
        if facts.node.op == "Constant":
            return _literal(facts.node)
        parts = [self.of(each, depth + 1) for each in facts.node.inputs if each]
        return _worked_out(facts, parts)

    def _handed(self, name: str, depth: int) -> Numbers | None:
        """What all that call a function hand over."""
        known, callers = self.examined.numbers, self.examined.callers
        if name in known or name not in self.inputs or not 0 < len(callers) <= CALLERS:
            return known.get(name)
        known[name] = None  # what runs itself hands over nothing
        place = self.inputs.index(name)
        taken = [(around, node.inputs[place] if place < len(node.inputs) else "") for around, node in callers]
        found = {Known(around, self._fetch).of(each, depth + 1) if each else None for around, each in taken}
        known[name] = found.pop() if len(found) == 1 else None
        return known[name]

    def _shape(self, node: Node) -> Numbers | None:
        sizes = self.examined.shape(node.inputs[0])
        start, end = node.attributes.get("start"), node.attributes.get("end")
        first, last = start if isinstance(start, int) else None, end if isinstance(end, int) else None
        return None if sizes is None else sizes[first:last]


def _literal(node: Node) -> Numbers | None:
    """The value of a constant of ONNX that is no tensor of the file: an attribute of a call."""
    value = next(iter(node.attributes.values()), None)
    found = value if isinstance(value, tuple) else (value,)
    numbers = tuple(each for each in found if isinstance(each, int | float))
    return numbers if len(numbers) == len(found) else None


def _worked_out(facts: Facts, parts: list[Numbers | None]) -> Numbers | None:
    """One operation on small constants."""
    if facts.name in {"reduce_max", "reduce_min"} and parts and parts[0]:
        return ((max if facts.name == "reduce_max" else min)(parts[0]),)  # all of them: they are one number or a list
    known = [part for part in parts if part is not None]
    if not known or len(known) != len(parts):
        return None
    first = known[0]
    if facts.name == "concat":
        return tuple(number for part in known for number in part)
    if facts.name == "gather":
        return tuple(first[int(place)] for place in known[1])
    if facts.name == "slice" and len(known) > 2:
        if facts.node.attributes.get("shrink_axis_mask"):
            return (first[int(known[1][0])],)
        start = 0 if facts.node.attributes.get("begin_mask") else int(known[1][0])
        return first[start : None if facts.node.attributes.get("end_mask") else int(known[2][0])]
    if facts.name in _ARITHMETIC and len(known) == 2:
        size = max(map(len, known))
        one, two = (part * size if len(part) == 1 else part for part in known)
        return tuple(map(_ARITHMETIC[facts.name], one, two))
    return None


_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "maximum": max,
    "minimum": min,
}


def _scanned(node: Node, around: Known) -> int | None:
    """Slices of the first input that ONNX's Scan takes apart."""
    count = node.attributes.get("num_scan_inputs")
    if not isinstance(count, int) or not 0 < count <= len(node.inputs):
        return None
    axes = node.attributes.get("scan_input_axes")
    axis = axes[0] if isinstance(axes, tuple) and axes and isinstance(axes[0], int) else 0
    shape = around.examined.shape(node.inputs[len(node.inputs) - count])
    return None if shape is None else shape[axis]


def _taken_apart(node: Node, around: Known, body: Examined) -> int | None:
    """Slices of the first input that PyTorch's map or scan hands to its body without the first dimension."""
    for outer, value in zip(node.inputs, body.graph.inputs, strict=False):
        whole, part = around.examined.shape(outer), body.shape(value.name)
        if whole and part is not None and whole[1:] == part:
            return whole[0]
    return None


def _mapped(node: Node, around: Known) -> int | None:
    """Slices of the first input along the dimension that PyTorch's vmap takes it apart."""
    dims = node.attributes.get("in_dims")
    for outer, dim in zip(node.inputs, dims if isinstance(dims, tuple) else (), strict=False):
        whole = around.examined.shape(outer)
        if whole is not None and isinstance(dim, int):
            return whole[dim]
    return None


def _counted(node: Node, around: Known, body: Known) -> int | None:
    """The first input of ONNX's Loop, or less where its condition ends it before by nothing but counters."""
    most = around.number(node.inputs[0]) if node.inputs[0] else None
    going_on = body.origin(body.graph.outputs[0].name)
    if most is None or len(body.inputs) < 2:
        return None
    found = int(most)
    if going_on != body.inputs[1] and not body.number(going_on):
        for facts in conjuncts(body, going_on):
            if facts is None or not any(_grows(body, _base(body, each)[0], 1) for each in facts.node.inputs):
                return None
            ended = _ended(node, around, body, facts.node)
            found = found if ended is None else min(found, ended)
    return found


def _ended(node: Node, around: Known, body: Known, test: Node) -> int | None:
    """After how many runs a comparison at the end of each ends a Loop; None where its limit is not known."""
    words = test.op.lower()
    if "less" not in words and "greater" not in words:
        return None
    counter, limit = test.inputs[:2] if "less" in words else test.inputs[1::-1]
    base, more = _base(body, counter)
    step, last = _grows(body, base, 1), body.number(limit)
    place = body.inputs.index(base) if base in body.inputs else -1
    start = 0 if place == 0 else around.number(node.inputs[place]) if 0 < place < len(node.inputs) else None
    if not step or last is None or start is None:
        return None
    return 1 + max(0, ceil((last - start - more + (1 if "equal" in words else 0)) / step))


def _condition_first(inner: list[Examined], fetch: Fetch) -> tuple[Known, Known]:
    """The condition of a while, which gives one truth, and its body."""
    one, two = (Known(each, fetch) for each in inner)

    def asks(graph: Known) -> bool:
        ends = graph.graph.outputs
        return len(ends) == 1 and (graph.examined.dtype(ends[0].name) or ends[0].dtype) in {"bool", ""}

    return (one, two) if asks(one) and not (asks(two) and len(one.graph.nodes) > len(two.graph.nodes)) else (two, one)


def _base(body: Known, name: str) -> tuple[str, float]:
    """What a value is when additions of constants are taken off, and their sum."""
    total = 0.0
    for _ in range(DEEPEST):
        name = body.origin(name)
        facts = body.maker(name)
        if facts is None or facts.name != "add" or len(facts.node.inputs) < 2:
            break
        one, two = facts.node.inputs[:2]
        first, second = body.number(one), body.number(two)
        if first is None and second is None:
            break
        name = one if second is not None else two
        total += second if second is not None else first or 0
    return name, total


def _grows(body: Known, name: str, skipped: int) -> float | None:
    """By how much a counter grows in each run, for an input of a body; None for anything else.

    Args:
        body: The body.
        name: Of the input.
        skipped: Inputs in front that no output answers: ONNX's number of the run, which grows by one.
    """
    if name not in body.inputs:
        return None
    place = body.inputs.index(name)
    if skipped and place == 0:
        return 1
    if place - skipped >= len(body.graph.outputs):
        return None
    facts = body.maker(body.origin(body.graph.outputs[place - skipped].name))
    if facts is None or facts.name != "add" or len(facts.node.inputs) < 2:
        return None
    one, two = (body.origin(each) for each in facts.node.inputs[:2])
    step = body.number(two) if one == name else body.number(one) if two == name else None
    return step if step and step > 0 else None
