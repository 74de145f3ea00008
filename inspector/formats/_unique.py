"""Names for what has the name of something else: quickly, for a hostile file has a hundred thousand of one name."""

from __future__ import annotations

from collections.abc import Container


class Numbered:
    """Gives names that are free: the second of a name is `name#2`."""

    def __init__(self, sign: str = "#") -> None:
        self._sign = sign
        self._last: dict[str, int] = {}

    def free(self, name: str, taken: Container[str]) -> str:
        """The name itself, or with a number behind it where it is taken."""
        new = name
        while new in taken:
            number = self._last[name] = self._last.get(name, 1) + 1
            new = f"{name}{self._sign}{number}"
        return new

    def shared(self, name: str) -> bool:
        """Whether more than one thing asked for this name."""
        return name in self._last
