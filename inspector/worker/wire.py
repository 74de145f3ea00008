"""The protocol between the window and its workers, version 1.

Length-prefixed MessagePack frames of typed `msgspec.Struct`s over the worker's stdin and a private copy of its stdout.
Never pickle: a compromised worker must not own the window, so the window decodes every frame against its type and
refuses frames over 64 MiB. The payload of `Ask` and `Done` is left raw and decoded against the task's own types.

Loaded before the worker is fenced in, so it imports nothing that starts a thread: no numpy. Arrays travel as bytes
beside their dtype and shape in the structs of the tasks.

Frame: 4 bytes, big endian, length of what follows; then one MessagePack map with its tag under "type".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Protocol

import msgspec

VERSION = 1
LIMIT = 64 * 1024 * 1024
HEADER = struct.Struct(">I")


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The worker is up: what it speaks and how well it is fenced in."""

    version: int
    protection: str


class Grant(msgspec.Struct, frozen=True, tag="grant"):
    """First message to a document worker: the folders that it may read. It fences itself in and is then ready."""

    reads: tuple[str, ...] = ()


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """Do this task; answers carry the same id."""

    id: int
    task: str
    args: msgspec.Raw


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """A fraction between 0 and 1 (None: unknown) and a word of what is going on."""

    id: int
    fraction: float | None
    text: str


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The task's result."""

    id: int
    result: msgspec.Raw
    seconds: float = 0.0


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """What went wrong. `known` is true for an InspectorError; a bug comes with its traceback in `details`."""

    id: int
    what: str
    hint: str = ""
    details: str = ""
    known: bool = False


Reply = Ready | Progress | Done | Failed


def frame(message: Reply | Ask | Grant) -> bytes:
    """One message as it goes over the pipe; raises ValueError when it is over the limit."""
    body = msgspec.msgpack.encode(message)
    if len(body) > LIMIT:
        raise ValueError(f"A message of {len(body):,} bytes is over the limit of {LIMIT:,}.")
    return HEADER.pack(len(body)) + body


class Frames:
    """Cuts a stream of bytes into frames, however the pipe chops it."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The whole frames that are there now; raises ValueError on one over the limit."""
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            (length,) = HEADER.unpack_from(self._buffer)
            if length > LIMIT:
                raise ValueError(f"A frame claims {length:,} bytes; the limit is {LIMIT:,}.")
            end = HEADER.size + length
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[HEADER.size : end])
            del self._buffer[:end]
            yield body


class Readable(Protocol):
    """A binary stream, read whole."""

    def read(self, size: int, /) -> bytes:
        """Up to this many bytes."""


def read_frame(stream: Readable) -> bytes | None:
    """The next frame of a blocking stream; None at its end."""
    header = _exactly(stream, HEADER.size)
    if header is None:
        return None
    (length,) = HEADER.unpack(header)
    if length > LIMIT:
        raise ValueError(f"A frame claims {length:,} bytes; the limit is {LIMIT:,}.")
    return _exactly(stream, length)


def _exactly(stream: Readable, size: int) -> bytes | None:
    parts, left = [], size
    while left:
        part = stream.read(left)
        if not part:
            return None
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
