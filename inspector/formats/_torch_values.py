"""What TorchScript's values are while its program is followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inspector.formats._torch_build import Body, Sym
from inspector.formats._torch_origin import Origin
from inspector.formats._torch_tree import Instance


class UnreadableError(Exception):
    """The program does something that we do not follow."""


class RaisesError(Exception):
    """The program raises here."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function or class of the archive, by its qualified name."""

    name: str


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a module."""

    owner: Instance
    name: str


class Record(tuple[Any, ...]):
    """A NamedTuple of the archive."""

    names: tuple[str, ...] = ()


Fields = dict[tuple[Instance, str], Any]
"""Attributes that the program has set."""


@dataclass(eq=False, slots=True)
class Frame:
    """A call that is being followed."""

    env: dict[str, Any]
    module: str
    origin: Origin | None = None
    called: str = ""
    returned: bool = False
    value: Any = None


@dataclass(eq=False, slots=True)
class Outcome:
    """What following a branch led to."""

    body: Body
    env: dict[str, Any]
    instead: dict[Sym, Sym]
    fields: Fields
    raised: bool = False
    returned: bool = False
    value: Any = None
