"""What the window says of a very large model whose figures follow after it was opened."""

from __future__ import annotations

import msgspec

from inspector.engines.summary.rows import FOLLOWS, Overview, Remark


def remarked(overview: Overview, remark: Remark) -> Overview:
    """The overview with one more remark, from which nothing follows any more."""
    notes = tuple(note for note in overview.notes if note not in (FOLLOWS, remark))
    return msgspec.structs.replace(overview, follows=False, notes=(remark, *notes))


def beyond(shown: int, total: int) -> Remark:
    """What is said where a table does not hold every row."""
    words = f"The table holds the first {shown:,} of {total:,} rows; sums and the graph are of all."
    return Remark("info", words, "`inspector summary FILE --csv` writes every row.")


def failed(trouble: str, hint: str = "Open the file again.") -> Remark:
    """What is said where nothing came."""
    return Remark("warning", f"Shapes and figures could not be worked out: {trouble}", hint)
