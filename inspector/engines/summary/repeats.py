"""Weights that are stored more than once: different tensors of one type and shape whose bytes are all equal.

**Two numbers stand side by side.** `parameters` goes by identity: what the file declares, known the moment it is open,
and the number that its author counts (`sum(p.numel() for p in model.parameters())`). `distinct` is that number with the
repeats taken off. Formats part here. Safetensors, ONNX and SavedModel can write tied embeddings (`wte.weight` and
`lm_head.weight`) twice and forget that they are one; TFLite's converter and tf2onnx do the opposite and merge whatever
is equal, even the layers of a Transformer that were copied from one and never trained. The file alone cannot tell which
of both was meant, so neither is called the truth: the declared number stays, and the distinct one, which does not
depend on who merges and who copies, says what differs and where. It is the same in every format that keeps the weights
as they are, also where an exporter transposed a copy for a matrix product: matrices that are each other's transposed
copies are found too, and marked as such.

**What is no repeat**, though it may be equal: tensors of fewer than two dimensions or 1,024 elements, and those whose
elements are all one value. Biases and scales that begin as zeros and ones are equal without anything being stored
twice. Neither are constants, an optimizer's slots and averaged copies (`parameters`). A converter that merges those as
well can therefore have a little less than the distinct number. Quantized weights are compared as they are stored.

**What it costs.** Only tensors that share type, shape and size with another are looked at: first 4 kB of each, then as
much of the middle and the end, and only those that are still alike are read whole and hashed (BLAKE2b, RFC 7693, of 16
bytes). Of matrices whose rows and columns are others' columns and rows a few elements are compared, then a digest that
a matrix shares with its transposed copy (`repeats_digests`). All is done in small steps and within limits of bytes and
of seconds; what was not compared is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from time import perf_counter

import msgspec

from inspector.engines.summary.parameters import Identity, identity, is_parameter, parameters_in
from inspector.engines.summary.repeats_digests import Digest, digest
from inspector.engines.summary.repeats_reading import Part, Reader, Weight, Whole
from inspector.engines.summary.repeats_turned import Turning
from inspector.engines.summary.sizes import LARGEST as LARGEST_NUMBER
from inspector.engines.summary.summary import Summary
from inspector.ir import Tensor
from inspector.ir.text import inert

FEWEST, LEAST = 2, 1024
"""Dimensions and elements below which nothing is called a repeat."""
SAMPLE = 4096
"""Bytes of a sample."""
SMALL = 16 * SAMPLE
"""Bytes up to which a tensor is read whole at once."""
PIECE = 4 << 20
"""Bytes read at a time."""
MOST_PAIRS = 10_000
"""Repeats that are named."""
BETWEEN = 2000
"""Tensors that are sorted between two looks at the clock."""


class Repeats(msgspec.Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes:
        pairs: Name of a weight that repeats, and of the first one that has its values, as shown; the 10,000
            largest, largest first.
        turned: Those of them, of two dimensions, that are the transposed copy of the first one.
        weights: How many repeat.
        parameters: Elements of those.
        parameter_bytes: Bytes of them as stored.
        beyond: How many weights that may repeat were not compared, because they lie beyond the limits.
        unread: How many could not be read.
        read: Bytes that were read.
    """

    pairs: dict[str, str] = {}
    turned: tuple[str, ...] = ()
    weights: int = 0
    parameters: int = 0
    parameter_bytes: int = 0
    beyond: int = 0
    unread: int = 0
    read: int = 0


Steps = Generator[None, None, list[list[Weight]]]


class Search:
    """Looks for repeats, a little at a time.

    Args:
        tensors: Of the model, by name.
        part: Reads some values of one.
        whole: Reads all values of one. Both raise InspectorError where they cannot.
        most_bytes: That may be read in all.
        most_seconds: That may be worked in all.
    """

    def __init__(
        self, tensors: Mapping[str, Tensor], part: Part, whole: Whole, most_bytes: int, most_seconds: float
    ) -> None:
        self._tensors = tensors
        self._reader = Reader(part, whole, most_bytes, most_seconds)
        self.share = 0.0
        """How much is done, 0 … 1."""
        self.doing = ""
        """What is being done, in words."""
        self._weights: list[Weight] = []
        self._found: list[list[Weight]] = []
        self._steps = self._run()

    def go_on(self, seconds: float) -> bool:
        """Work for so long, or a step more; whether it is done."""
        start = now = perf_counter()
        while now - start < seconds:
            try:
                next(self._steps)
            except StopIteration:
                self.share = 1.0
                return True
            before, now = now, perf_counter()
            self._reader.seconds -= now - before
        return False

    def result(self, order: Iterable[str]) -> Repeats:
        """What was found so far.

        Args:
            order: Names of tensors in the order of the table; of equal ones the first is the one that others repeat.
        """
        at = {
            name: (number, weight)
            for number, equal in enumerate(self._found)
            for weight in equal
            for name in weight.names
        }
        first: dict[int, tuple[str, bool]] = {}
        seen: set[int] = set()
        turned: set[str] = set()
        repeated: list[tuple[str, str, Tensor]] = []
        for name in order if at else ():
            if name not in at or id(at[name][1]) in seen:
                continue
            number, weight = at[name]
            seen.add(id(weight))
            other, lies = first.setdefault(number, (name, weight.turned))
            if other != name:
                repeated.append((name, other, weight.tensor))
                turned.update((name,) if lies != weight.turned else ())
        repeated.sort(key=lambda each: -each[2].count)
        return Repeats(
            pairs={inert(name): inert(other) for name, other, _ in repeated[:MOST_PAIRS]},
            turned=tuple(inert(name) for name, *_ in repeated[:MOST_PAIRS] if name in turned),
            weights=len(repeated),
            parameters=min(sum(parameters_in(tensor) for *_, tensor in repeated), LARGEST_NUMBER),
            parameter_bytes=min(sum(tensor.nbytes for *_, tensor in repeated), LARGEST_NUMBER),
            beyond=len(self._reader.beyond),
            unread=len(self._reader.unread - self._reader.beyond),
            read=self._reader.read,
        )

    # In steps

    def _run(self) -> Iterator[None]:
        self.doing = "Looking for weights of one shape"
        groups = yield from self._candidates()
        for stage in (0, 1):
            groups = yield from self._sampled(groups, stage)
        wanting = [group for group in groups if not all(weight.whole for weight in group)]
        for group in groups:
            if all(weight.whole for weight in group):
                self._settle(group)
        total = sum(weight.tensor.nbytes for group in wanting for weight in group if not weight.whole)
        done, sampled = 0, self.share
        for group in sorted(wanting, key=lambda group: -group[0].tensor.nbytes):
            self.doing = f"Comparing {len(group):,} weights that look alike"
            for weight in self._within(group):
                for size in self._hashed(weight):
                    done += size
                    self.share = sampled + (1 - sampled) * min(1.0, done / total)
                    yield
            self._settle([weight for weight in group if weight.whole])
        self.doing = "Looking for transposed copies"
        yield from Turning(self._weights, self._found, self._reader).run()

    def _candidates(self) -> Steps:
        """Weights that share type, shape and size with another one."""
        weights: dict[Identity, Weight] = {}
        alike: dict[tuple[object, ...], list[Weight]] = defaultdict(list)
        for number, (name, tensor) in enumerate(self._tensors.items(), 1):
            if not number % BETWEEN:
                yield
            if not may_repeat(tensor):
                continue
            key = identity(tensor, self._tensors)
            if key in weights:
                weights[key].names.append(name)
                continue
            weights[key] = Weight(tensor, [name])
            self._weights.append(weights[key])
            alike[tensor.dtype, tensor.shape, tensor.nbytes].append(weights[key])
        return [group for group in alike.values() if len(group) > 1]

    def _sampled(self, groups: Sequence[list[Weight]], stage: int) -> Steps:
        """What is still alike when the beginnings, or the middles and ends, are read."""
        amount = sum(map(len, groups))
        self.doing = f"Comparing samples of {amount:,} weights of like shapes"
        alike: list[list[Weight]] = []
        start, done = self.share, 0
        for group in groups:
            parts: dict[bytes, list[Weight]] = defaultdict(list)
            for weight in group:
                with self._reader.told(weight):
                    parts[self._sample(weight, stage)].append(weight)
                done += 1
                self.share = start + 0.1 * done / amount
                yield
            alike += [part for part in parts.values() if len(part) > 1]
        return alike

    def _sample(self, weight: Weight, stage: int) -> bytes:
        """Digest of a sample; the tensor is read whole where it is small or cannot be read in parts."""
        tensor = weight.tensor
        if weight.samples is not None:
            return weight.samples[stage]
        count = tensor.count
        few = min(count, max(1, SAMPLE * count // tensor.nbytes))
        if tensor.nbytes <= SMALL and (values := self._reader.some(tensor, 0, count)) is not None:
            weight.whole, weight.plain = digest([values])
            weight.samples = weight.whole, weight.whole
            return weight.whole
        starts = ((0,), (count // 2, count - few))
        some = [self._reader.some(tensor, start, min(few, count - start)) for start in starts[stage]]
        parts = [part for part in some if part is not None]
        if len(parts) == len(some):
            return digest(parts)[0]
        values = self._reader.every(tensor)
        weight.whole, weight.plain = digest([values])
        first, last = ([values[start : start + few] for start in each] for each in starts)
        weight.samples = digest(first)[0], digest(last)[0]
        if tensor.nbytes <= SMALL:
            weight.samples = weight.whole, weight.whole
        return weight.samples[stage]

    def _within(self, group: list[Weight]) -> list[Weight]:
        """Those of a group that are to be read whole and may be: two at least, or what is known has nobody to equal."""
        wanting = [weight for weight in group if not weight.whole]
        room = (self._reader.bytes - self._reader.read) // wanting[0].tensor.nbytes
        if room + len(group) - len(wanting) < 2:
            room = 0
        self._reader.beyond |= {id(weight) for weight in wanting[room:]}
        return wanting[:room]

    def _hashed(self, weight: Weight) -> Iterator[int]:
        """Read a weight whole; gives the bytes that each step has read."""
        tensor, taken = weight.tensor, Digest()
        few = max(1, PIECE * tensor.count // tensor.nbytes)
        with self._reader.told(weight):
            for values in self._reader.pieces(tensor, few):
                taken.add(values)
                yield values.size * tensor.nbytes // tensor.count
            weight.whole, weight.plain = taken.value, taken.plain

    def _settle(self, group: list[Weight]) -> None:
        """Take in those of a group that are equal."""
        parts: dict[bytes, list[Weight]] = defaultdict(list)
        for weight in group:
            parts[weight.whole].append(weight)
        self._found += [part for part in parts.values() if len(part) > 1 and not part[0].plain]


def may_repeat(tensor: Tensor) -> bool:
    """Whether a tensor is of those that are called a repeat when another one is equal."""
    large = len(tensor.shape) >= FEWEST and tensor.count >= LEAST and tensor.nbytes > 0
    return large and tensor.dtype not in {"string", ""} and is_parameter(tensor)


def in_order(summary: Summary) -> Iterator[str]:
    """Names of a model's tensors in the order of its table: as they are used, then as they are stored."""
    for graph in summary.examined:
        for facts in graph.facts:
            yield from facts.weights
    yield from summary.model.tensors
