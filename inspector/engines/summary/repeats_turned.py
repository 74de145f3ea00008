"""Matrices that are each other's transposed copies: a few places of each are compared, then everything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from inspector.engines.summary.repeats_digests import FIRST, SPOTS, Keys, Scattered, digest, spots
from inspector.engines.summary.repeats_reading import Reader, Weight

ELEMENTS = 1 << 19
"""Elements of a matrix that are mixed with their places at a time."""
BETWEEN = 2000
"""Weights that are sorted between two looks at the clock."""


def _both_ways(group: Sequence[Weight]) -> bool:
    """Whether there may be a matrix and its transposed copy among these."""
    shapes = {weight.tensor.shape for weight in group}
    return len(group) > 1 and (len(shapes) > 1 or all(rows == columns for rows, columns in shapes))


class Turning:
    """The search for them.

    Args:
        weights: All that may repeat.
        equal: Those of them that are equal as they lie; sets of transposed copies are joined in it.
        reader: Reads them.
    """

    def __init__(self, weights: Sequence[Weight], equal: list[list[Weight]], reader: Reader) -> None:
        self._weights, self._found, self._reader = weights, equal, reader
        self._keys = Keys()
        self._sets = {id(each[0]): each for each in equal if each}

    def run(self) -> Iterator[None]:
        """Matrices that are each other's transposed copies, of which a few places are alike, then everything."""
        later = {id(weight) for equal in self._found for weight in equal[1:]}
        alike: dict[tuple[object, ...], list[Weight]] = defaultdict(list)
        for number, weight in enumerate(self._weights, 1):
            tensor = weight.tensor
            if len(tensor.shape) == 2 and id(weight) not in later and tensor.dtype != "complex128":
                alike[tensor.dtype, *sorted(tensor.shape), tensor.nbytes].append(weight)
            if not number % BETWEEN:
                yield
        groups = [group for group in alike.values() if _both_ways(group)]
        for amount in (FIRST, SPOTS):
            spotted: dict[object, list[Weight]] = defaultdict(list)
            for group in groups:
                for weight in group:
                    with self._reader.told(weight):
                        spotted[id(group), self._spotted(weight, amount)].append(weight)
                    yield
            groups = [group for group in spotted.values() if _both_ways(group)]
        for group in groups:
            for weight in self._within(group):
                yield from self._scatter(weight)
            self._join([weight for weight in group if weight.scattered])

    def _within(self, group: list[Weight]) -> list[Weight]:
        """Those that are to be read whole and may be: two at least, or what is known has nobody to equal."""
        wanting = [weight for weight in group if weight.scattered is None]
        room = max(0, self._reader.bytes - self._reader.read) // group[0].tensor.nbytes
        room = 0 if room + len(group) - len(wanting) < 2 else room
        self._reader.beyond |= {id(weight) for weight in wanting[room:]}
        return wanting[:room]

    def _spotted(self, weight: Weight, amount: int) -> bytes:
        """A few elements, which a transposed copy has too."""
        tensor = weight.tensor
        rows, columns = tensor.shape
        places = spots(rows, columns, amount)[: 1 + (rows == columns)]
        ways = [[self._reader.some(tensor, at, 1) for at in each] for each in places]
        if any(value is None for way in ways for value in way):
            values = self._reader.every(tensor)
            taken = Scattered(rows, columns, self._keys)
            taken.add(values)
            weight.scattered, weight.plain = taken.value, taken.plain
            ways = [[values[at : at + 1] for at in each] for each in places]
        return b"".join(sorted(digest(value for value in way if value is not None)[0] for way in ways))

    def _scatter(self, weight: Weight) -> Iterator[None]:
        """Read a matrix whole."""
        tensor = weight.tensor
        rows, columns = tensor.shape
        taken = Scattered(rows, columns, self._keys)
        with self._reader.told(weight):
            for values in self._reader.pieces(tensor, ELEMENTS):
                taken.add(values)
                yield
            weight.scattered, weight.plain = taken.value, taken.plain

    def _join(self, group: list[Weight]) -> None:
        """Take in those of a group that are each other's, with all that are known to equal them."""
        parts: dict[bytes, list[Weight]] = defaultdict(list)
        for weight in group:
            if weight.scattered is not None and not weight.plain:
                parts[weight.scattered[0]].append(weight)
        for part in (part for part in parts.values() if len(part) > 1):
            joined: list[Weight] = []
            for weight in part:
                equal = self._sets.get(id(weight), [weight])
                for each in equal:
                    each.turned = bool(weight.scattered and weight.scattered[1])
                joined += equal
                equal.clear()
            self._found.append(joined)
