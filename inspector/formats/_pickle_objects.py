"""What stands for the objects of a pickle, and what can be made of those that a broken one has begun."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


class Mark:
    """Separates what the next collecting instruction takes."""


MARK = Mark()


@dataclass(frozen=True, slots=True)
class Global:
    """A name the pickle asks for; nothing was imported."""

    module: str
    name: str

    @property
    def path(self) -> str:
        """Dotted path."""
        return f"{self.module}.{self.name}"


@dataclass(eq=False, slots=True)
class Table:
    """A dictionary as the pairs that were put in."""

    pairs: list[tuple[Any, Any]] = field(default_factory=list)

    def named(self) -> dict[str, Any]:
        """Its entries whose keys are strings; the last of a name wins, as in Python."""
        return {key: value for key, value in self.pairs if isinstance(key, str)}


@dataclass(eq=False, slots=True)
class Call:
    """A call or an instance that the pickle asks for; nothing was called.

    Attributes:
        function: Usually a `Global`.
        args: What it would have been called with.
        state: What BUILD would have set.
        items: What APPENDS and SETITEMS would have put in.
    """

    function: Any
    args: tuple[Any, ...] = ()
    state: Any = None
    items: list[Any] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Dotted path of the function, empty where it is not a plain name."""
        return self.function.path if isinstance(self.function, Global) else ""


@dataclass(eq=False, slots=True)
class Persistent:
    """An object that lies outside the pickle, such as a storage; whoever finds it there may put it in its place."""

    id: Any


def gathered(stack: list[Any]) -> Any:
    """The outermost object of a stack that was left standing, with what was to be put into it put in.

    A pickle collects the items of a dictionary or a list above a mark and puts them in by the hundred; where it
    breaks off, those that are there are put in. None where nothing was begun.
    """
    groups: list[list[Any]] = [[]]
    for item in stack:
        if item is MARK:
            groups.append([])
        else:
            groups[-1].append(item)
    while len(groups) > 1:
        items = groups.pop()
        _settle(items)
        if groups[-1]:
            _put(groups[-1][-1], items)
    _settle(groups[0])
    return groups[0][0] if groups[0] else None


def _settle(items: list[Any]) -> None:
    """Give an instance the state that stands behind it and has not been set."""
    last = items[-2:]
    if len(last) == 2 and isinstance(last[0], Call) and last[0].state is None and isinstance(last[1], Table):
        last[0].state = items.pop()


def _put(target: Any, items: list[Any]) -> None:
    """Put items into what collects them; a key without its value is left out."""
    if isinstance(target, Table | Call):
        pairs = list(zip(items[::2], items[1::2], strict=False))
        (target.pairs if isinstance(target, Table) else target.items).extend(pairs)
    elif isinstance(target, list):
        target.extend(items)
