"""Weights that are compared with each other, and how they are read: within limits, and what cannot be is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from inspector.errors import InspectorError
from inspector.ir import Tensor

Array = NDArray[Any]
Part = Callable[[Tensor, int, int], Array | None]
"""Some values of a tensor, from the first one and how many; None where it can only be read whole."""
Whole = Callable[[Tensor], Array]

LARGEST = 64 << 20
"""Bytes of a tensor that is compared though its format cannot give a part of it."""


class LimitError(Exception):
    """A tensor lies beyond the limits."""


@dataclass(slots=True, eq=False)
class Weight:
    """One that may be equal to another; its names are those that the file has for the same bytes."""

    tensor: Tensor
    names: list[str]
    samples: tuple[bytes, bytes] | None = None
    """Digests of its beginning, and of its middle and end, where it was read whole before they were wanted."""
    whole: bytes = b""
    """Digest of all its bytes; empty where it is not known."""
    plain: bool = False
    """Whether all its elements are one value."""
    turned: bool = False
    """Whether it lies the other way than others that are equal to it."""
    scattered: tuple[bytes, bool] | None = None
    """Digest that its transposed copy has too, and which way it lies in that."""


class Reader:
    """Reads values and accounts for them.

    Args:
        part: Reads some values of a tensor.
        whole: Reads all values of one.
        most_bytes: That may be read in all.
        most_seconds: That may be worked in all.
    """

    def __init__(self, part: Part, whole: Whole, most_bytes: int, most_seconds: float) -> None:
        self._part, self._whole = part, whole
        self.bytes, self.seconds = most_bytes, most_seconds
        self.read = 0
        """Bytes so far."""
        self.beyond, self.unread = set[int](), set[int]()
        """Weights that were not compared, by their identity: one may be wanted more than once."""

    def some(self, tensor: Tensor, start: int, count: int) -> Array | None:
        """Some values; raises LimitError beyond the limits."""
        size = tensor.nbytes * count // tensor.count
        self.take(size)
        values = self._part(tensor, start, count)
        if values is None:
            self.read -= size
        elif values.size != count:
            raise InspectorError("There are fewer values than the file says.")
        return values

    def pieces(self, tensor: Tensor, few: int) -> Iterator[Array]:
        """All values, so many at once; raises LimitError beyond the limits, and where no part of them can be read."""
        for start in range(0, tensor.count, few):
            values = self.some(tensor, start, min(few, tensor.count - start))
            if values is None:
                raise LimitError
            yield values

    def every(self, tensor: Tensor) -> Array:
        """All values in a row; raises LimitError where they are too many to be read at once."""
        if tensor.nbytes > LARGEST:
            raise LimitError
        self.take(tensor.nbytes)
        return self._whole(tensor).reshape(-1)

    def take(self, size: int) -> None:
        """Account for what is about to be read."""
        if self.seconds <= 0 or self.read + size > self.bytes:
            raise LimitError
        self.read += size

    @contextmanager
    def told(self, weight: Weight) -> Iterator[None]:
        """A weight that cannot be compared is counted as such."""
        try:
            yield
        except LimitError:
            self.beyond.add(id(weight))
        except InspectorError:
            self.unread.add(id(weight))
