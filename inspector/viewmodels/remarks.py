"""What a file's remarks amount to: the gravest in one line, all of them as text."""

from __future__ import annotations

from collections.abc import Iterable

from inspector.engines.summary.rows import Remark

GRAVE = ("danger", "warning")
WORDS = {"danger": "Danger", "warning": "Warning", "info": "Note"}


def gravest(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    """Those of the gravest level there is, where that is danger or warning."""
    every = tuple(remarks)
    for level in GRAVE:
        found = tuple(remark for remark in every if remark.level == level)
        if found:
            return found
    return ()


def headline(remarks: tuple[Remark, ...]) -> str:
    """The first of them in one line, and how many more there are."""
    if not remarks:
        return ""
    more = f"   (and {len(remarks) - 1} more)" if len(remarks) > 1 else ""
    return f"{remarks[0].text} {remarks[0].hint}".rstrip() + more


def as_text(remarks: Iterable[Remark]) -> str:
    """All of them, gravest first, as plain text."""
    order = {level: number for number, level in enumerate((*GRAVE, "info"))}
    parts: list[str] = []
    for remark in sorted(remarks, key=lambda remark: order.get(remark.level, len(order))):
        lines = [f"{WORDS.get(remark.level, 'Note')}: {remark.text}", *([remark.hint] if remark.hint else [])]
        lines += [f"    {each}" for each in remark.details]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)
