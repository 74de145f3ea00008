"""What is said of weights that repeat the values of others, in the window and in a terminal alike."""

from __future__ import annotations

from inspector.engines.summary.repeats import Repeats

NAMED, ROOM = 3, 100
"""Repeats that a sentence names at most, and characters that more than one of them may take."""
LONGEST = 60
"""Characters of a name in it; the end tells more than the beginning."""
NONE = "No weight repeats the values of another"


def sentence(repeats: Repeats, parameters: int) -> str:
    """`163,037,184 parameters, 124,439,808 distinct: 1 weight repeats …`; that there is none where there is none.

    Args:
        repeats: What was found.
        parameters: Of the model, as the file declares them.
    """
    gaps, found = omitted(repeats), NONE
    if repeats.weights:
        found = f"{parameters:,} parameters, {distinct(repeats, parameters):,} distinct: {repeated(repeats)}"
    if gaps and not repeats.weights:
        found = "No weight that was compared repeats the values of another"
    return f"{found}. {gaps}".rstrip() if gaps else f"{found}."


def repeated(repeats: Repeats) -> str:
    """`1 weight repeats the values of another (lm_head.weight = wte.weight)`."""
    pairs = [
        f"{_short(name)} = {_short(other)}{' transposed' * (name in repeats.turned)}"
        for name, other in list(repeats.pairs.items())[:NAMED]
    ]
    while len(pairs) > 1 and len(", ".join(pairs)) > ROOM:
        pairs.pop()
    named = ", ".join(pairs) + (", …" if repeats.weights > len(pairs) else "")
    verb = "1 weight repeats" if repeats.weights == 1 else f"{repeats.weights:,} weights repeat"
    others = "another" if repeats.weights == 1 else "others"
    return f"{verb} the values of {others} ({named})"


def distinct(repeats: Repeats, parameters: int) -> int:
    """Parameters with repeats counted once."""
    return max(0, parameters - repeats.parameters)


def omitted(repeats: Repeats) -> str:
    """What was not compared; empty where all was."""
    parts = []
    if repeats.beyond:
        parts.append(f"{_weights(repeats.beyond)} not compared: that takes longer than is done unasked.")
    if repeats.unread:
        parts.append(f"{_weights(repeats.unread)} not compared: the values cannot be read.")
    return " ".join(parts)


def relation(name: str, repeats: Repeats) -> str:
    """`same values as wte.weight`, or `transposed copy of …`, for a weight that repeats; empty for another."""
    other = repeats.pairs.get(name)
    if not other:
        return ""
    return f"transposed copy of {other}" if name in repeats.turned else f"same values as {other}"


def _weights(number: int) -> str:
    return "1 weight that may repeat was" if number == 1 else f"{number:,} weights that may repeat were"


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"…{name[1 - LONGEST :]}"
