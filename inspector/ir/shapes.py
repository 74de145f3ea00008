"""Shapes of inputs as people write them: `image=1x3x224x224` or `image=f32[batch,3,224,224]`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from inspector.errors import InspectorError

Shape = tuple[int | str, ...]

_INPUT = re.compile(r"^(?P<name>[^=\s]+)=(?:(?:[a-z]\w*)?\[(?P<inside>[^\]]*)\]|(?P<sizes>[\w?]+(?:[x×][\w?]+)*))$")


def parse(texts: Iterable[str]) -> dict[str, Shape]:
    """Shapes by input name; each text is one input.

    Raises:
        InspectorError: A text is not an input shape.
    """
    result: dict[str, Shape] = {}
    for text in texts:
        match = _INPUT.match(text.strip())
        if match is None:
            raise InspectorError(
                f"{text!r} is not an input shape.", "Write name=1x3x224x224 or name=f32[batch,3,224,224]."
            )
        inside, sizes = match["inside"], match["sizes"]
        parts = inside.split(",") if inside is not None else [] if sizes == "scalar" else re.split("[x×]", sizes)
        if inside is None and not all(part.isdecimal() or part == "?" for part in parts):
            raise InspectorError(
                f"In {text!r} it is not clear which x is a letter.",
                f"Write names of dimensions in brackets: {match['name']}=[batch,3,224,224].",
            )
        if (len(parts) > 1 and not all(part.strip() for part in parts)) or any(
            part.strip().startswith("-") for part in parts
        ):
            raise InspectorError(
                f"{text!r} is not an input shape.", "A dimension that is open has a name: name=f32[batch,3,224,224]."
            )
        result[match["name"]] = tuple(int(p) if p.strip().isdecimal() else p.strip() for p in parts if p.strip())
    return result
