"""Finding the chain of converters that leads from one format to another, and saying why.

The graph is small (tens of edges), so all loop-free chains are found by a best-first search: the cheapest comes
first, the others are what is tried next when a step of the first one fails. Nothing is imported or opened here;
whether an edge can run is asked of a function, by default whether its packages are installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from heapq import heappop, heappush
from itertools import count

from inspector.engines.convert.edge import Edge
from inspector.engines.convert.edge import edges as every_edge
from inspector.errors import ConversionError

Usable = Callable[[Edge], str]
"""Why an edge cannot be used, or an empty string."""

ROUTES = 8
"""How many alternatives are worth offering."""


@dataclass(frozen=True, slots=True)
class Route:
    """A chain of converters.

    Attributes:
        edges: In the order in which they run.
        cost: Sum of theirs.
        why: One sentence for people: why it stands where it stands among the routes.
    """

    edges: tuple[Edge, ...]
    cost: float
    why: str = ""

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the edges."""
        return tuple(edge.id for edge in self.edges)

    @property
    def formats(self) -> tuple[str, ...]:
        """Ids of the formats it passes through, source and target included."""
        return (self.edges[0].source, *(edge.target for edge in self.edges))

    @property
    def words(self) -> str:
        """The chain in one line, such as `torch.export ─torch.onnx→ onnx ─onnx-tf→ tf.saved_model`."""
        return self.edges[0].source + "".join(f" ─{edge.tool}→ {edge.target}" for edge in self.edges)


class NoRoute(ConversionError):  # noqa: N818 - it is what the user is told, not a fault
    """No chain of converters that can run here leads from one format to another.

    Attributes:
        reachable: Ids of the formats that can be reached.
        skipped: Why edges were left out, by id.
    """

    def __init__(self, source: str, target: str, reachable: Sequence[str], skipped: dict[str, str]) -> None:
        reach = f"From {source} you can reach: {', '.join(reachable) or 'nothing yet'}."
        reasons = " ".join(f"{id} was left out: {reason}." for id, reason in sorted(skipped.items()))
        super().__init__(f"There is no way from {source} to {target}.", f"{reach} {reasons}".strip())
        self.reachable, self.skipped = tuple(reachable), skipped


def installed(edge: Edge) -> str:
    """Why the edge's packages are not there, or an empty string."""
    return edge.missing()


def plan(
    edges: Iterable[Edge], source: str, target: str, via: Sequence[str] = (), usable: Usable = installed
) -> list[Route]:
    """The chains from source to target that can run here, cheapest first.

    Args:
        edges: The graph.
        source: Id of the format to start from.
        target: Id of the format to reach.
        via: Ids of edges that the chain must use, in this order.
        usable: Why an edge cannot be used, or an empty string.

    Raises:
        NoRoute: There is none.
        ConversionError: `via` names an edge that does not exist.
    """
    known = tuple(edges)
    _check_names(known, via)
    skipped = {edge.id: reason for edge in known if (reason := usable(edge))}
    free = [edge for edge in known if edge.id not in skipped]
    chains = [chain for chain in _chains(free, source, target) if _in_order(via, chain)][:ROUTES]
    if not chains:
        reach = sorted({chain[-1].target for edge in free for chain in _chains(free, source, edge.target)})
        raise NoRoute(source, target, reach, _on_the_way(known, skipped, source, target, via))
    return [Route(chain, _cost(chain), _why(place, chains, via)) for place, chain in enumerate(chains)]


def reachable(
    source: str, edges: Iterable[Edge] | None = None, targets: Iterable[str] = (), usable: Usable = installed
) -> dict[str, Route | str]:
    """What every target format is worth from here: the cheapest route, or the reason why there is none.

    Args:
        source: Id of the format to start from.
        edges: The graph; None takes every edge there is.
        targets: Ids of formats to speak about besides those that some edge writes.
        usable: Why an edge cannot be used, or an empty string.
    """
    known = tuple(every_edge().values() if edges is None else edges)
    result: dict[str, Route | str] = {}
    for target in sorted({edge.target for edge in known}.union(targets) - {source}):
        try:
            result[target] = plan(known, source, target, usable=usable)[0]
        except NoRoute as error:
            reasons = list(dict.fromkeys(error.skipped.values()))
            result[target] = reasons[0] if reasons else f"No converter leads from {source} to {target}."
    return result


def _check_names(edges: Sequence[Edge], via: Sequence[str]) -> None:
    ids = [edge.id for edge in edges]
    for name in via:
        if name not in ids:
            near = get_close_matches(name, ids, 1)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(ids)}."
            raise ConversionError(f"There is no converter called {name!r}.", hint)


def _chains(edges: Sequence[Edge], source: str, target: str) -> Iterator[tuple[Edge, ...]]:
    """Every chain that visits no format twice, cheapest first; among equals the shorter."""
    tie = count()
    queue: list[tuple[float, int, int, str, tuple[Edge, ...]]] = [(0.0, 0, next(tie), source, ())]
    while queue:
        cost, length, _, here, chain = heappop(queue)
        if here == target and chain:
            yield chain
            continue
        been = {source, *(edge.target for edge in chain)}
        for edge in edges:
            if edge.source == here and edge.target not in been:
                heappush(queue, (cost + edge.cost, length + 1, next(tie), edge.target, (*chain, edge)))


def _in_order(via: Sequence[str], chain: Sequence[Edge]) -> bool:
    ids = iter(edge.id for edge in chain)
    return all(name in ids for name in via)


def _cost(chain: Iterable[Edge]) -> float:
    return round(sum(edge.cost for edge in chain), 6)


def _why(place: int, chains: Sequence[tuple[Edge, ...]], via: Sequence[str]) -> str:
    """Why a chain stands where it stands."""
    chain = chains[place]
    steps = "1 step" if len(chain) == 1 else f"{len(chain)} steps"
    asked = f" through {', '.join(via)}" if via else ""
    if place == 0:
        rank = "The only way" if len(chains) == 1 else f"The cheapest of {len(chains)} ways"
        return f"{rank}{asked}: {steps}, cost {_cost(chain):g}."
    return f"Tried when the ones before it fail: {steps}, cost {_cost(chain):g}."


def _on_the_way(
    edges: Sequence[Edge], skipped: dict[str, str], source: str, target: str, via: Sequence[str]
) -> dict[str, str]:
    """The skipped edges that a chain would have used."""
    chains = [chain for chain in _chains(edges, source, target) if _in_order(via, chain)]
    return {edge.id: skipped[edge.id] for chain in chains for edge in chain if edge.id in skipped}
