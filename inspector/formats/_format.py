"""What a format says about itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inspector.ir import Model, Tensor

if TYPE_CHECKING:
    from inspector.formats._source import Source


class Support(IntEnum):
    """How sure a format is that a file is its own."""

    NO = 0
    MAYBE = 1
    """The bytes allow it; the suffix decides."""
    YES = 2
    """The bytes say so, whatever the suffix."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What may be looked at to recognise a file.

    Attributes:
        path: As opened.
        head: The first 4 KiB; empty for a folder.
        size: Bytes of the file; 0 for a folder.
        members: Names in the archive where it is a zip.
        entries: Names in the folder where it is one.
    """

    path: Path
    head: bytes
    size: int
    members: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()


def no_document(op: str, domain: str) -> str:
    """A format without documentation of its operators."""
    return ""


@dataclass(frozen=True, slots=True)
class Format:
    """A file format.

    Attributes:
        id: Such as `onnx` or `torch.export`; used on the command line and as a node of the conversion graph.
        title: For people.
        suffixes: With the dot; the first is the one written for results. A folder format has an empty first suffix.
        sniff: Whether the bytes are of this format; must be quick and may not raise on any bytes.
        read: The whole structure, weights as places. Raises FormatError and nothing else on bad input.
        fetch: The values of one tensor of a model that `read` gave, as a C-contiguous array of the tensor's dtype and
            shape (ml_dtypes for bfloat16 and kin; object array of str for strings).
        magic: Byte strings with offsets for the desktop's MIME database: ((offset, bytes), …). For a zip archive the
            first is its own and the others are looked for in the name of its first member, which begins at 30.
        mime: MIME type for the desktop.
        document: Documentation of one operator as plain text, from (op, domain); empty when there is none.
        fetch_part: Some values of a tensor in C order, from the first one and how many, as an array of one dimension,
            without reading the others; None where the tensor is stored so that this cannot be done.
        resize: Reads the model with named sizes fixed, where more shapes follow from them than by putting numbers in
            the place of names; None where that is all.
        reshape: The model with the shapes that follow from these shapes of its inputs, for files that do not say them;
            None where the file always says. Raises FormatError when the shapes do not fit.
        sketch: What `read` gives without what takes long for a very large model: the shapes between its nodes; gives
            None for any other model.
        settle: What `sketch` gave with those shapes, under these sizes of named dimensions; it tells a function the
            share that is done.
    """

    id: str
    title: str
    suffixes: tuple[str, ...]
    sniff: Callable[[Glimpse], Support]
    read: Callable[[Source], Model]
    fetch: Callable[[Source, Tensor], NDArray[np.generic[Any]]]
    mime: str = ""
    magic: tuple[tuple[int, bytes], ...] = ()
    document: Callable[[str, str], str] = no_document
    fetch_part: Callable[[Source, Tensor, int, int], NDArray[np.generic[Any]] | None] | None = None
    resize: Callable[[Source, Mapping[str, int]], Model] | None = None
    reshape: Callable[[Model, dict[str, tuple[int | str, ...]]], Model] | None = None
    sketch: Callable[[Source], Model | None] | None = None
    settle: Callable[[Source, Model, Mapping[str, int], Callable[[float], None]], Model] | None = None
