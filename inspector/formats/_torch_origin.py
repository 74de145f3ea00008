"""Where in the author's program a line of TorchScript comes from, from the debug records of the archive."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

from inspector.errors import FormatError
from inspector.formats._pickle import Call, unpickle

FRAME = re.compile(r"^(.+)\((\d+)\): ")
OWN = re.compile(r"[/\\]torch[/\\]")
"""Files of torch itself; the first file behind them is the author's."""


@dataclass(eq=False, slots=True)
class Origin:
    """The records of one file of code; read when first asked for.

    Attributes:
        text: The code.
        data: The pickle of the records.
    """

    text: str
    data: bytes
    _starts: list[int] = field(default_factory=list)
    _records: list[tuple[int, Any]] | None = None
    _table: tuple[Any, ...] = ()

    def at(self, line: int, column: int) -> str:
        """`file:line` of the program for a place in the code; empty where it is not known."""
        if self._records is None:
            self._read()
        if not self._records or not 0 < line <= len(self._starts):
            return ""
        offset = self._starts[line - 1] + column
        index = bisect_right(self._records, offset, key=lambda record: record[0]) - 1
        return self._words(self._records[index][1]) if index >= 0 else ""

    def _read(self) -> None:
        at = 0
        for line in self.text.split("\n"):
            self._starts.append(at)
            at += len(line.encode("utf-8", "replace")) + 1
        self._records = []
        try:
            value = unpickle(self.data, "debug records").value
        except FormatError:
            return
        if isinstance(value, tuple) and len(value) == 3 and isinstance(value[1], tuple) and isinstance(value[2], tuple):
            self._table = value[1]
            found = [record for record in value[2] if isinstance(record, tuple) and len(record) >= 2]
            self._records = sorted(
                ((record[0], record[1]) for record in found if isinstance(record[0], int)), key=lambda record: record[0]
            )

    def _words(self, record: Any) -> str:
        match record:
            case ((Call(args=(list() as texts, *_)), int() as name, int() as first), int() as start, _):
                lines = [self._entry(text) for text in texts[:1000]]
                stack = [FRAME.match(line) for line in lines]
                if stack and stack[0]:
                    frames = [frame for frame in stack if frame]
                    best = next((frame for frame in frames if not OWN.search(frame[1])), frames[0])
                    return f"{best[1]}:{best[2]}"
                file = self._entry(name)
                return f"{file}:{first + ''.join(lines)[:start].count(chr(10))}" if file else ""
        return ""

    def _entry(self, index: Any) -> str:
        known = isinstance(index, int) and 0 <= index < len(self._table)
        found = self._table[index] if known else ""
        return found if isinstance(found, str) else ""
