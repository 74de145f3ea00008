"""Text of a file, made inert before anybody shows it.

A name in a model file is chosen by whoever made the file. Controls could end a line of a terminal or a log early,
bidirectional marks could make `exe.nfdp` read as `pdf.exe`, a lone surrogate cannot be encoded, a megabyte of name
would stop the window. One function takes all of that out; markup is no concern of it, because views show plain text.
What leaves the program goes where text is more than text: two others make it harmless there.
"""

from __future__ import annotations

import re

NAME_LIMIT = 500
"""Characters of a name that are shown."""

TEXT_LIMIT = 2_000_000
"""Characters of a whole text that are shown."""

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
_BREAKS = re.compile("[\t\n\u2028\u2029]+")
_SURROGATES = re.compile("[\ud800-\udfff]")
_MARKUP = re.compile(r"[\\`*{}\[\]<>()#|!~&$]|(?<![^\W_])_|_(?![^\W_])")
"""An underscore within a word, as most names have them, marks nothing up."""


def inert(text: str, limit: int = NAME_LIMIT, *, lines: bool = False) -> str:
    """The text without controls, bidirectional marks and invisible signs, cut at `limit` with an ellipsis.

    Args:
        text: As the file has it.
        limit: Most characters to keep.
        lines: Keep line breaks and tabs; they become spaces otherwise.
    """
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isprintable():
        return text
    text = _HIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _SURROGATES.sub("\ufffd", text)
    return text if lines else _BREAKS.sub(" ", text)


def in_markdown(text: str) -> str:
    """Text that GitHub's Markdown shows as it is, in a cell of a table too: no picture, no link under other words."""
    return _MARKUP.sub(r"\\\g<0>", text.replace("\n", " "))


def in_spreadsheet(text: str) -> str:
    """Text that a spreadsheet does not run as a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
