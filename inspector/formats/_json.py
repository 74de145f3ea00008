"""What is wrong with JSON, in words: a file that ends too early is one that is still being written, or half fetched."""

from __future__ import annotations

import json

from inspector.errors import FormatError


def broken(what: str, error: Exception) -> FormatError:
    """The error for text that is no JSON.

    Args:
        what: What was read, as the beginning of a sentence.
        error: What the decoder raised.
    """
    if isinstance(error, json.JSONDecodeError):
        nothing_follows = error.pos >= len(error.doc.rstrip()) - 1
        if nothing_follows or error.msg.startswith("Unterminated"):
            text = f"{what} ends too early: it is incomplete."
            return FormatError(text, hint="Wait until it is written, or fetch it again.")
    return FormatError(f"{what} is damaged ({str(error)[:80]}).", hint="Fetch or copy the file again.")
