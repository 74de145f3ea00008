"""Tensors that no node uses: counters of a module, unused heads, and all of a file that holds weights only."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from inspector.ir import Model

_SEPARATOR = re.compile(r"[./]")


@dataclass(frozen=True, slots=True)
class Leftover:
    """Tensors of one module that no node uses."""

    path: str
    tensors: tuple[str, ...]


def leftovers(
    model: Model, used: Collection[str], rows: Collection[str], leaf: Iterable[str]
) -> tuple[dict[str, tuple[str, ...]], list[Leftover]]:
    """Unused tensors of modules that have a row, by path, and the rest by the module that owns them.

    A tensor belongs to the module whose path its name begins with; without a module tree to what stands before the
    last dot or slash, and stands for itself where there is none. Shape constants are left out: nobody looks for them.
    """
    known = {module.path for module in model.modules if module.path} | set(leaf)
    spare: dict[str, list[str]] = {}
    rest: dict[str, list[str]] = {}
    for name, tensor in model.tensors.items():
        if name in used or tensor.role == "constant":
            continue
        path = _with_row(owner(name, known), rows)
        (spare if path in rows else rest).setdefault(path, []).append(name)
    return (
        {path: tuple(names) for path, names in spare.items()},
        [
            Leftover(path, part)
            for path, names in rest.items()
            for part in ([tuple(names)] if path else [(name,) for name in names])
        ],
    )


def owner(name: str, known: Collection[str]) -> str:
    """Path of the module that owns a tensor of this name."""
    if "/" not in name:
        path = name.rpartition(".")[0]
        if path and (not known or path in known):
            return path
    first = ""
    cuts = [match.start() for match in _SEPARATOR.finditer(name)][-64:]
    for end in reversed(cuts):
        path = name[:end].replace("/", ".")
        if not known or path in known:
            return path
        first = first or path
    return first


def _with_row(path: str, rows: Collection[str]) -> str:
    """The nearest module around it that has a row; itself where none has."""
    here = path if rows else ""
    while here and here not in rows:
        here = here.rpartition(".")[0]
    return here or path
