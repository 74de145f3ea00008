"""What the author of a TensorFlow Lite model says of it: the flatbuffer `TFLITE_METADATA`.

Follows `metadata_schema.fbs` of TensorFlow Lite Support (identifier `M001`); fields are found by their numbers there.
Files that go with the model (labels, vocabularies) stand in a zip archive behind the flatbuffer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from inspector.errors import FormatError
from inspector.formats._flat import BROKEN
from inspector.formats._source import Source
from inspector.formats._zip import archive

MARK = b"M001"
MOST = 1000
"""Entries of a list that are followed."""
LONG = 200
LABELS = 1 << 20
"""Bytes of a file beside the model that are shown."""
FILES = {
    1: "descriptions", 2: "labels of an axis", 3: "labels of values", 4: "calibration of scores", 5: "vocabulary",
    6: "search index",
}  # fmt: skip
CONTENTS = {1: "features", 2: "picture", 3: "boxes", 4: "sound"}
COLOURS = {1: "RGB", 2: "grey"}


@dataclass(slots=True)
class Told:
    """Facts of a line each, and longer texts."""

    facts: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def say(self, key: str, words: str) -> None:
        """Put in what is said, if anything is."""
        if words:
            (self.texts if len(words) > LONG or "\n" in words else self.facts)[key[:LONG]] = words


class _Table:
    """A table of a flatbuffer, its fields by number; what is not there is empty."""

    def __init__(self, data: bytes, place: int) -> None:
        from flatbuffers.table import Table

        self.raw: Any = Table(data, place)

    def at(self, number: int) -> int:
        """Where a field stands; 0 where it is not there."""
        offset = self.raw.Offset(4 + 2 * number)
        return int(self.raw.Pos + offset) if offset else 0

    def text(self, number: int) -> str:
        """A string."""
        place = self.at(number)
        return bytes(self.raw.String(place)).decode("utf-8", "backslashreplace") if place else ""

    def byte(self, number: int) -> int:
        """A number of one byte."""
        place = self.at(number)
        return self.raw.Bytes[place] if place else 0

    def word(self, number: int) -> int:
        """A number of four bytes with a sign."""
        place = self.at(number)
        return int.from_bytes(self.raw.Bytes[place : place + 4], "little", signed=True) if place else 0

    def real(self, number: int) -> float:
        """A number in single precision."""
        place = self.at(number)
        return float(struct.unpack_from("<f", self.raw.Bytes, place)[0]) if place else 0.0

    def table(self, number: int) -> _Table | None:
        """A table."""
        place = self.at(number)
        return _Table(self.raw.Bytes, int(self.raw.Indirect(place))) if place else None

    def _list(self, number: int, width: int) -> Iterator[int]:
        if self.at(number):
            start = int(self.raw.Vector(self.at(number) - self.raw.Pos))
            for step in range(min(int(self.raw.VectorLen(self.at(number) - self.raw.Pos)), MOST)):
                yield start + step * width

    def tables(self, number: int) -> Iterator[_Table]:
        """A list of tables."""
        for place in self._list(number, 4):
            yield _Table(self.raw.Bytes, int(self.raw.Indirect(place)))

    def texts(self, number: int) -> Iterator[str]:
        """A list of strings."""
        for place in self._list(number, 4):
            yield bytes(self.raw.String(place)).decode("utf-8", "backslashreplace")

    def reals(self, number: int) -> tuple[float, ...]:
        """A list of numbers in single precision."""
        return tuple(struct.unpack_from("<f", self.raw.Bytes, place)[0] for place in self._list(number, 4))


def told(data: bytes) -> Told:
    """What the metadata say; nothing where they are damaged."""
    found = Told()
    if data[4:8] != MARK:
        return found
    try:
        root = _Table(data, int.from_bytes(data[:4], "little"))
        for number, key in ((0, "name"), (1, "description"), (2, "version"), (4, "author"), (5, "licence")):
            found.say(key, root.text(number))
        found.say("files with it", ", ".join(map(_file, root.tables(6))))
        for graph in root.tables(3):
            found.say("graph", ": ".join(filter(None, (graph.text(0), graph.text(1)))))
            for number, side in ((2, "input"), (3, "output")):
                for at, tensor in enumerate(graph.tables(number), 1):
                    found.say(f"{side} {at}", _tensor(tensor))
            found.say("files with the graph", ", ".join(map(_file, graph.tables(4))))
    except BROKEN:
        found.say("metadata", "damaged")
    return found


def _tensor(item: _Table) -> str:
    """An input or output in words."""
    words = [": ".join(filter(None, (item.text(0), item.text(1)))), ", ".join(item.texts(2))]
    content = item.table(3)
    if content is not None:
        words.append(_content(content))
    for unit in item.tables(4):
        made = unit.table(1)
        if unit.byte(0) == 1 and made is not None:
            words.append(f"normalised by mean {_numbers(made.reals(0))} and deviation {_numbers(made.reals(1))}")
        if unit.byte(0) == 3 and made is not None:
            words.append(f"scores from {made.real(0):g} up")
    stats = item.table(5)
    if stats is not None and (stats.reals(0) or stats.reals(1)):
        words.append(f"from {_numbers(stats.reals(1))} to {_numbers(stats.reals(0))}")
    words += map(_file, item.tables(6))
    return " · ".join(filter(None, words))


def _content(content: _Table) -> str:
    kind = CONTENTS.get(content.byte(0), "")
    about = content.table(1)
    if content.byte(0) == 2 and about is not None:
        size = about.table(1)
        sizes = f" {size.word(0)}×{size.word(1)}" if size is not None else ""
        return f"{COLOURS.get(about.byte(0), '')} {kind}{sizes}".strip()
    if content.byte(0) == 4 and about is not None:
        return f"{kind} of {about.word(0):,} Hz in {about.word(1)} channels"
    return kind


def _file(item: _Table) -> str:
    kind = FILES.get(item.byte(2), "")
    return f"{item.text(0)}{f' ({kind})' if kind else ''}"


def _numbers(items: tuple[float, ...]) -> str:
    return ", ".join(f"{item:g}" for item in items[:8]) + (" …" if len(items) > 8 else "")


def beside(source: Source) -> dict[str, str]:
    """Texts of the archive that stands behind the flatbuffer, by name."""
    try:
        with archive(source) as zipped:
            small = [name for name in zipped.names if name.endswith(".txt") and zipped.size(name) <= LABELS]
            return {name[:LONG]: zipped.read(name, LABELS).decode("utf-8", "backslashreplace") for name in small[:20]}
    except FormatError:
        return {}
