"""Why a figure of a row is not known, in one sentence.

A dash stands where there is nothing to know, a question mark where the file leaves something open.
"""

from __future__ import annotations

from collections.abc import Sequence

from inspector.engines.summary.rows import Row
from inspector.viewmodels import words

MOST_NAMED = 3
OF_OUTPUTS = frozenset({"activation_bytes", "live_bytes"})
"""What follows from the outputs alone."""


def mark(row: Row, key: str) -> str:
    """What stands in place of a figure that is not known."""
    idle = not row.nodes and not row.layers
    return words.UNKNOWN if idle or (key == "intensity" and row.moved_bytes == 0) else words.OPEN


def why_unknown(row: Row, key: str) -> str:
    """Why the figure of this column is not known; empty where it is, or where it is none that could be."""
    if key not in _VALUES or _VALUES[key](row) is not None:
        return ""
    if key == "intensity" and row.moved_bytes == 0:
        return "It moves no bytes."
    if row.layers:
        return "It is not known of any layer in it."
    if not row.nodes:
        return "No operation in the file uses these weights."
    ports = row.outputs if key in OF_OUTPUTS else (*row.outputs, *row.inputs)
    shapeless = [port.name for port in ports if port.shape is None]
    if shapeless:
        return f"The file does not say the {_named('shape', shapeless)}, and it does not follow from what it says."
    typeless = [port.name for port in ports if not port.dtype]
    if typeless and key not in {"macs", "flops"}:
        return f"The file does not say the {_named('type', typeless)}."
    if key in {"macs", "flops"}:
        return f"It does not follow from the shapes, as far as {row.type} is known here."
    return "Something that is computed inside has a size that is not known."


_VALUES = {
    "macs": lambda row: row.macs,
    "flops": lambda row: row.flops,
    "activation_bytes": lambda row: row.activation_bytes,
    "live_bytes": lambda row: row.live_bytes,
    "moved_bytes": lambda row: row.moved_bytes,
    "intensity": lambda row: row.intensity,
}


def _named(what: str, names: Sequence[str]) -> str:
    """`shape of a`, `shapes of a, b, c and 2 more`."""
    shown = ", ".join(name or "an input" for name in names[:MOST_NAMED])
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{what}{'s' if len(names) > 1 else ''} of {shown}{more}"
