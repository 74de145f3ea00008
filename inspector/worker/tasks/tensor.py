"""One tensor of the open model: its statistics, its histogram, some of its values. Only now are its bytes read.

Of a tensor of more than 16 million elements the statistics are those of a sample, evenly spread; `tensor_scan` works
them out of all values where somebody asks for that.
"""

from __future__ import annotations

import msgspec
import numpy as np

from inspector.engines.parity.verdict import Histogram
from inspector.ir import Tensor
from inspector.ir.text import inert
from inspector.worker.tasks._document import Document, document
from inspector.worker.tasks._figures import Statistics, measured, sample, texts
from inspector.worker.tasks._quantization import Quantization
from inspector.worker.tasks._task import Context, Task
from inspector.worker.tasks._values import Values, values

MOST_VALUES = 10_000
SHOWN_SCALES = 8


class TensorArgs(msgspec.Struct, frozen=True):
    """Which tensor, and which of its values: `count` from `start`, in order of storage, 10,000 at most.

    Attributes:
        real: Of a quantized tensor, whether to show the real numbers that its values stand for; None shows the type
            that the model's tensor has.
    """

    name: str
    start: int = 0
    count: int = 1000
    real: bool | None = None


class Quantized(msgspec.Struct, frozen=True):
    """How stored values stand for real numbers: real = (stored - zero point) · scale + offset.

    Attributes:
        how: `per tensor`, `per axis 0`, `in blocks of 32 along axis 1`.
        scales: The first few, of `count`; `low` and `high` are the least and the greatest of all.
        zero_points: The first few; one where all are the same.
        source: Where it was found.
    """

    how: str
    scales: tuple[float, ...]
    zero_points: tuple[float, ...]
    count: int
    low: float
    high: float
    source: str
    offset: float = 0.0


class TensorView(msgspec.Struct, frozen=True):
    """A tensor looked at.

    Attributes:
        dtype: Of the model's tensor; `shown` is that of the values as shown.
        statistics: min, max, mean, std (of the finite values), sparsity (share of zeros), nan and inf (how many),
            distinct (different values; of a larger tensor `distinct in 1,048,576`, of the first so many); of strings
            distinct, empty and longest.
        histogram: Of the finite values.
        values: As text; `start` is the first of them, `total` how many the tensor has.
        looked_at: How many values the statistics are of; fewer than `total` where they are those of a sample.
        quantized: None where nothing says that the tensor is quantized.
        real: Whether the values are the real numbers that quantized ones stand for.
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
    looked_at: int = 0
    shown: str = ""
    quantized: Quantized | None = None
    real: bool = False


def run(args: TensorArgs, context: Context) -> TensorView:
    """Read it if it is not the one that was read last, and look at it."""
    opened = document(context)
    tensor = opened.tensor(args.name)
    context.report(None, f"Reading {inert(tensor.name)}")
    found = values(opened, tensor, args.real)
    statistics, histogram, looked_at = figures(opened, tensor, found)
    start = min(max(0, args.start), found.size)
    return TensorView(
        name=inert(tensor.name),
        dtype=inert(tensor.dtype),
        shape=found.shape,
        nbytes=tensor.nbytes or (tensor.place.size if tensor.count else 0),
        role=str(tensor.role),
        trainable=tensor.trainable,
        statistics=statistics,
        histogram=histogram,
        values=tuple(texts(found.part(start, min(max(0, args.count), MOST_VALUES)))),
        start=start,
        total=found.size,
        looked_at=looked_at,
        shown=dtype_words(found),
        quantized=_quantized(found.quantized),
        real=found.real,
    )


def dtype_words(found: Values) -> str:
    """Name of the type of values as shown."""
    return "string" if found.dtype.kind in "OSU" else found.dtype.name


def figures(
    opened: Document, tensor: Tensor, found: Values, new: tuple[Statistics, Histogram, int] | None = None
) -> tuple[Statistics, Histogram, int]:
    """Statistics, histogram and of how many values; kept for the tensor that was read last, so that turning a page
    costs nothing. `new` takes the place of what is kept.
    """
    key = (tensor.name, found.real)
    kept: tuple[tuple[str, bool], tuple[Statistics, Histogram, int]] | None = opened.kept.get("statistics")
    if new is not None:
        opened.kept["statistics"] = kept = (key, new)
    if kept is None or kept[0] != key:
        blocks = sample(found.size)
        statistics, edges, counts = measured(found.dtype, lambda: found.parts(iter(blocks)))
        looked_at = sum(count for _, count in blocks)
        opened.kept["statistics"] = kept = (key, (statistics, Histogram(edges, counts), looked_at))
    return kept[1]


def _quantized(found: Quantization | None) -> Quantized | None:
    if found is None:
        return None
    along = f"axis {found.axis}"
    how = "per tensor" if found.axis is None else f"per {along}"
    how = f"in blocks of {found.block} along {along}" if found.axis is not None and found.block > 1 else how
    scales, zeros = found.scale.reshape(-1), found.zero.reshape(-1)
    same = bool(np.all(zeros == zeros[0]))
    return Quantized(
        how,
        tuple(scales[:SHOWN_SCALES].tolist()),
        tuple(zeros[: 1 if same else SHOWN_SCALES].tolist()),
        int(scales.size),
        float(scales.min()),
        float(scales.max()),
        found.source,
        found.offset,
    )


TASK = Task("tensor", TensorArgs, TensorView, run)
