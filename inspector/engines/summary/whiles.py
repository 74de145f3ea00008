"""How often a `While` of TensorFlow, TFLite or their kin runs: as long as counters have not reached their limits.

A counter starts at a constant and grows or shrinks by another, which may be an input of the loop that it hands on
unchanged, as the limit may be. What the condition says beside counters must be true for ever.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from inspector.engines.summary.calls import Facts
from inspector.ir import Node

if TYPE_CHECKING:
    from inspector.engines.summary.trips import Known

DEEPEST = 32
"""Comparisons of one condition."""


def conjuncts(graph: Known, name: str) -> list[Facts | None]:
    """The comparisons that must all be true; None for something else."""
    waiting, found = [name], list[Facts | None]()
    while waiting and len(found) <= DEEPEST:
        name = graph.origin(waiting.pop())
        facts = graph.maker(name)
        if facts is not None and facts.name == "logical" and "and" in facts.node.op.lower():
            waiting += facts.node.inputs
        elif facts is not None or not graph.number(name):
            found.append(facts if facts is not None and facts.name == "compare" else None)
    return found


class While:
    """A loop with its condition and its body.

    Args:
        node: It.
        around: What is known in the graph it stands in.
        condition: The graph that tells whether it goes on.
        body: The graph that it runs.
    """

    def __init__(self, node: Node, around: Known, condition: Known, body: Known) -> None:
        self._node, self._around, self._condition, self._body = node, around, condition, body

    def trips(self) -> int | None:
        """The least of what its counters allow; None where that depends on values."""
        found: list[int] = []
        for facts in conjuncts(self._condition, self._condition.graph.outputs[0].name):
            allowed = None if facts is None else self._allowed(facts.node)
            if allowed is None:
                return None
            found.append(allowed)
        return min(found) if found else None

    def _allowed(self, test: Node) -> int | None:
        """How often one comparison of a counter with a limit is true."""
        words = test.op.lower()
        less, more = "less" in words or words.endswith("lt"), "greater" in words or words.endswith("gt")
        if not (less or more) or len(test.inputs) < 2:
            return None
        one, two = (self._condition.origin(each) for each in test.inputs[:2])
        for counter, limit, rising in ((one, two, less), (two, one, more)):
            place = self._place(self._condition, counter)
            step = None if place is None else self._step(place)
            if place is None or step is None or (step > 0) is not rising:
                continue
            start, last = self._around.number(self._node.inputs[place]), self._limit(limit)
            if start is None or last is None:
                return None
            way = 1 if rising else -1
            return ceil((way * (last - start) + (1 if "equal" in words else 0)) / (way * step))
        return None

    def _limit(self, name: str) -> float | None:
        place = self._place(self._condition, name)
        return self._condition.number(name) if place is None else self._constant(place)

    def _constant(self, place: int) -> float | None:
        """A number that the loop is given and hands on in every run."""
        inside = next((each for each in self._body.inputs if self._place(self._body, each) == place), "")
        return self._around.number(self._node.inputs[place]) if inside and self._ends(place) == inside else None

    def _step(self, place: int) -> float | None:
        """By how much an input of the loop grows in each run; None for anything else."""
        inside = next((each for each in self._body.inputs if self._place(self._body, each) == place), "")
        facts = self._body.maker(self._ends(place)) if inside else None
        if facts is None or facts.name not in {"add", "sub"} or len(facts.node.inputs) < 2:
            return None
        one, two = (self._body.origin(each) for each in facts.node.inputs[:2])
        if one == inside:
            step = self._number(two)
        else:
            step = self._number(one) if two == inside and facts.name == "add" else None
        return -step if step and facts.name == "sub" else step or None

    def _number(self, name: str) -> float | None:
        """A number of the body, its own or one of the loop's."""
        place = self._place(self._body, name)
        return self._body.number(name) if place is None else self._constant(place)

    def _ends(self, place: int) -> str:
        """What the body gives for an input of the loop in the next run."""
        outputs = self._body.graph.outputs
        at = place if len(outputs) == len(self._node.inputs) else self._places(self._body).index(place)
        return self._body.origin(outputs[at].name)

    def _place(self, graph: Known, name: str) -> int | None:
        """Which input of the loop an input of its graphs is."""
        return self._places(graph)[graph.inputs.index(name)] if name in graph.inputs else None

    def _places(self, graph: Known) -> list[int]:
        """The inputs of the loop that are inputs of a graph: all but variables, which are the same everywhere."""
        every = list(range(len(self._node.inputs)))
        if len(graph.inputs) == len(every):
            return every
        kept = [at for at in every if not self._around.is_variable(self._node.inputs[at])]
        if len(kept) == len(graph.inputs):
            return kept
        ends = [value.name for value in self._body.graph.outputs]
        if len(ends) == len(every):  # a variable that the body replaces is what the loop begins with
            given = self._node.inputs
            kept = [at for at in every if ends[at] != given[at] or not self._around.is_variable(given[at])]
        return kept if len(kept) == len(graph.inputs) else every
