"""Protobuf's wire format read in columns: the fields of a hundred thousand messages at once, as arrays of offsets.

The nodes of a very large ONNX graph are short messages of few fields. Stepping through all of them side by side takes
as many array operations as the longest has fields, instead of a turn of Python's loop for every field of every node.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from inspector.errors import FormatError
from inspector.formats._onnx_wire import Buffer, damaged, varint

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

MOST = 4096
"""Messages of more fields than this are left to be read one by one."""

FIELDS = 20_000_000
"""A message of more fields is refused: it would take minutes and gigabytes."""

BLOCK = 50_000
"""Messages read at once; it bounds what the columns take."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Where the messages of one repeated field lie: their tags begin at `begin`, they reach from `at` to `stop`."""

    begin: Ints
    at: Ints
    stop: Ints

    def __len__(self) -> int:
        return len(self.begin)

    def blocks(self) -> Iterator[tuple[int, Spans]]:
        """Pieces of at most BLOCK messages, each with the position of its first."""
        for first in range(0, len(self), BLOCK):
            part = slice(first, first + BLOCK)
            yield first, Spans(self.begin[part], self.at[part], self.stop[part])


@dataclass(frozen=True, slots=True)
class Columns:
    """Fields of many messages, in the order of the messages, those of one in the file's order.

    Attributes:
        first: For each message the position of its first field, and the number of fields at the end.
        owner: The message that each field is in.
        number: Its number.
        wire: Its wire type.
        begin: Offset of its tag.
        at: Offset of its value.
        stop: Offset after it.
        long: Messages of more than MOST fields; theirs are not all here.
    """

    first: Ints
    owner: Ints
    number: Ints
    wire: Ints
    begin: Ints
    at: Ints
    stop: Ints
    long: Ints


def spans(buffer: Buffer, data: Bytes, start: int, end: int) -> dict[int, Spans]:
    """Where the values of each field of one message lie, as far as they are of wire type 2, by number.

    Args:
        buffer: The file.
        data: The same as an array.
        start: Offset of the message.
        end: Offset after it.

    Raises:
        FormatError: The bytes are no message.
    """
    begin = np.array(_begins(buffer, start, end), np.int64)
    tag, at = _varints(data, begin)
    if (tag < 8).any():
        raise damaged(start)
    bulk = (tag & 7) == 2
    number, begin = tag[bulk] >> 3, begin[bulk]
    size, at = _varints(data, at[bulk])
    found = {int(each): number == each for each in np.unique(number)}
    return {each: Spans(begin[mine], at[mine], (at + size)[mine]) for each, mine in found.items()}


def _begins(buffer: Buffer, start: int, end: int) -> list[int]:
    """Where each field of a message begins: all that must be done one after the other, so no step is wasted here."""
    begins: list[int] = []
    add = begins.append
    at = start
    near = end - 3
    for _ in repeat(None, FIELDS):
        if at >= near:
            break
        add(at)
        tag = buffer[at]
        if tag & 0x87 == 2:
            size = buffer[at + 1]
            if size < 0x80:
                at += size + 2
                continue
            high = buffer[at + 2]
            if high < 0x80:
                at += (high << 7) + size - 125
                continue
        at = _next(buffer, at, end)
    else:
        raise FormatError(
            f"The ONNX file has more than {FIELDS:,} parts.", hint="No exporter writes this; it is not read."
        )
    while at < end:
        add(at)
        at = _next(buffer, at, end)
    if at > end:
        raise damaged(begins[-1])
    return begins


def _next(buffer: Buffer, begin: int, end: int) -> int:
    """Where the field after this one begins."""
    tag, at = varint(buffer, begin, end)
    wire = tag & 7
    if wire == 2:
        size, at = varint(buffer, at, end)
        return at + size
    if wire == 0:
        return varint(buffer, at, end)[1]
    if wire not in (1, 5):
        raise damaged(begin)
    return at + (4 if wire == 5 else 8)


def columns(data: Bytes, messages: Spans) -> Columns:
    """The fields of messages of one kind.

    Raises:
        FormatError: The bytes are no messages.
    """
    owner = np.flatnonzero(messages.at < messages.stop)
    at, stops = messages.at[owner], messages.stop
    counts = np.zeros(len(messages), np.int64)
    steps: list[tuple[Ints, ...]] = []
    while len(owner) and len(steps) < MOST:
        begin = at
        tag, at = _varints(data, begin)
        wire = tag & 7
        number, here = tag >> 3, at
        size, after = _varints(data, at)
        here = np.where(wire == 2, after, at)
        stop = np.where(wire == 2, after + size, np.where(wire == 0, after, at + np.where(wire == 5, 4, 8)))
        wrong = (stop > stops[owner]) | (stop < here) | (number < 1) | ((wire > 2) & (wire != 5))
        if wrong.any():
            raise damaged(int(begin[wrong][0]))
        steps.append((owner, number, wire, begin, here, stop))
        counts[owner] += 1
        more = stop < stops[owner]
        owner, at = owner[more], stop[more]
    first = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    table = np.empty((6, int(first[-1])), np.int64)
    for step, fields in enumerate(steps):  # each message has one field in each step until it ends
        table[:, first[fields[0]] + step] = fields
    held, number, wire, begin, at, stop = table
    return Columns(first, held, number, wire, begin, at, stop, owner)


def _varints(data: Bytes, at: Ints) -> tuple[Ints, Ints]:
    """Variable-length integers and the offsets after them; one that is too long or cut off becomes negative."""
    last = len(data) - 1
    value = data[np.minimum(at, last)].astype(np.int64)
    after = at + 1
    left = np.flatnonzero(value >= 0x80)
    value[left] &= 0x7F
    for shift in range(7, 63, 7):
        if not len(left):
            return value, after
        byte = data[np.minimum(after[left], last)].astype(np.int64)
        value[left] |= (byte & 0x7F) << shift
        after[left] += 1
        left = left[byte >= 0x80]
    value[left] = -1
    while len(left):  # a negative number has ten bytes; its value is of no interest here
        byte = data[np.minimum(after[left], last)].astype(np.int64)
        after[left] += 1
        left = left[(byte >= 0x80) & (after[left] <= last)]
    return value, after
