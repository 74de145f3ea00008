"""One tensor of the open model: its statistics, its histogram, some of its values. Only now are its bytes read."""

from __future__ import annotations

import msgspec

from inspector.engines.parity.verdict import Histogram
from inspector.ir import Tensor
from inspector.ir.text import inert
from inspector.worker.tasks._document import Document, document
from inspector.worker.tasks._figures import Statistics, measured, texts
from inspector.worker.tasks._task import Context, Task

MOST_VALUES = 10_000


class TensorArgs(msgspec.Struct, frozen=True):
    """Which tensor, and which of its values: `count` from `start`, in order of storage, 10,000 at most."""

    name: str
    start: int = 0
    count: int = 1000


class TensorView(msgspec.Struct, frozen=True):
    """A tensor looked at.

    Attributes:
        statistics: min, max, mean, std (of the finite values), sparsity (share of zeros), nan and inf (how many);
            empty for strings.
        histogram: Of the finite values.
        values: As text; `start` is the first of them, `total` how many the tensor has.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    nbytes: int
    role: str
    trainable: bool | None
    statistics: dict[str, float | int | None]
    histogram: Histogram
    values: tuple[str, ...]
    start: int
    total: int


def run(args: TensorArgs, context: Context) -> TensorView:
    """Read it if it is not the one that was read last, and look at it."""
    opened = document(context)
    tensor = opened.tensor(args.name)
    context.report(None, f"Reading {inert(tensor.name)}")
    array = opened.array(args.name)
    statistics, histogram = _measured(opened, tensor)
    start = min(max(0, args.start), array.size)
    return TensorView(
        name=inert(tensor.name),
        dtype=inert(tensor.dtype),
        shape=tuple(int(size) for size in array.shape),
        nbytes=tensor.nbytes or array.nbytes,
        role=str(tensor.role),
        trainable=tensor.trainable,
        statistics=statistics,
        histogram=histogram,
        values=texts(array, start, min(max(0, args.count), MOST_VALUES)),
        start=start,
        total=array.size,
    )


def _measured(opened: Document, tensor: Tensor) -> tuple[Statistics, Histogram]:
    """Figures of the tensor that was read last are kept, so that turning a page costs nothing."""
    kept: tuple[str, Statistics, Histogram] | None = opened.kept.get("statistics")
    if kept is None or kept[0] != tensor.name:
        statistics, edges, counts = measured(opened.array(tensor.name))
        opened.kept["statistics"] = kept = (tensor.name, statistics, Histogram(edges, counts))
    return kept[1], kept[2]


TASK = Task("tensor", TensorArgs, TensorView, run)
