"""Objects of a pickle in words and as attributes: bounded, whatever they refer to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from inspector.formats._pickle import Call, Global, Persistent, Table
from inspector.formats._torchzip import Strided, strided
from inspector.ir import Attribute

LINES = 4000
DEPTH = 12
ITEMS = 256
WIDE = 10_000
JOINED, DIGITS = 8, 256
"""Parts that a key may have, and bits of a number that is one."""
"""Dictionaries with more entries are only counted in texts."""
TEXT = 4096
MAPPINGS = ("collections.OrderedDict", "collections.defaultdict")
SEQUENCES = ("builtins.set", "builtins.frozenset", "__builtin__.set", "builtins.list", "builtins.tuple", "torch.Size")
SUBCLASS = "torch._tensor._rebuild_from_type_v2"
TRACED = "torch.fx.graph_module.reduce_"
"""How the functions begin by which a module that torch.fx traced would be made, from its attributes."""
VARIABLES = ("torch.nn.parameter.Parameter", "torch.autograd.variable.Variable")


def tensor_of(item: Any) -> Strided | None:
    """The tensor that an object is, under its subclasses and old wrappers."""
    for _ in range(4):
        if not isinstance(item, Call):
            return strided(item)
        if item.path == SUBCLASS and len(item.args) >= 3 and isinstance(item.args[2], tuple):
            item = Call(item.args[0], item.args[2])
        elif item.path in VARIABLES and not item.args and isinstance(item.state, tuple) and item.state:
            item = Call(Global("torch._utils", "_rebuild_parameter"), item.state[:2])
        else:
            return strided(item)
    return None


def shift_of(item: Any) -> int:
    """First element of the view of a storage that an old tensor stands on."""
    while isinstance(item, Call) and item.args:
        item = item.args[2] if item.path == SUBCLASS and len(item.args) > 2 else item.args[0]
        item = item[0] if isinstance(item, tuple) and item else item
    view = item.id[5] if isinstance(item, Persistent) and isinstance(item.id, tuple) and len(item.id) > 5 else None
    start = view[1] if isinstance(view, tuple) and len(view) == 3 else 0
    return start if isinstance(start, int) and 0 <= start < 1 << 62 else 0


def mapping(item: Any) -> dict[str, Any] | None:
    """The entries of what is, or derives from, a dictionary; None of anything else."""
    if isinstance(item, Table):
        pairs: list[Any] = item.pairs
    elif isinstance(item, Call) and tensor_of(item) is None:
        start = item.args[0] if item.path in MAPPINGS and item.args and isinstance(item.args[0], list) else []
        pairs = [tuple(pair) for pair in start if isinstance(pair, list | tuple)] + item.items
        if not item.path.startswith(MAPPINGS) and not pairs:
            return None
    else:
        return None
    if not all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs):
        return None
    return {_key(key): value for key, value in pairs if isinstance(key, str | int) or _joins(key)}


def _joins(key: Any) -> bool:
    return isinstance(key, tuple) and len(key) <= JOINED and all(isinstance(part, str | int) for part in key)


def _key(key: str | int | tuple[str | int, ...]) -> str:
    """A key as a part of a name; of several, with dots between them."""
    if isinstance(key, tuple):
        return ".".join(_key(part)[:WIDE] for part in key)
    return "…" if isinstance(key, int) and key.bit_length() > DIGITS else str(key)


def state_of(item: Call) -> dict[str, Any]:
    """The attributes that an instance would be given."""
    state = item.state
    if state is None and item.path.startswith(TRACED) and item.args and isinstance(item.args[0], Table):
        state = item.args[0]
    if isinstance(state, tuple):  # a dictionary, and the slots
        return {key: value for part in state if isinstance(part, Table) for key, value in part.named().items()}
    return state.named() if isinstance(state, Table) else {}


def class_of(item: Call) -> str:
    """Full name of an instance's class; legacy files keep classes of modules outside the pickle, with their source."""
    function = item.function
    if item.path == "copyreg._reconstructor" or item.path == "copy_reg._reconstructor":
        function = item.args[0] if item.args else function
    if isinstance(function, Persistent) and isinstance(function.id, tuple) and len(function.id) > 1:
        function = function.id[1]
    if item.path.startswith(TRACED):
        return "torch.fx.graph_module.GraphModule"
    return function.path if isinstance(function, Global) else ""


def plain(item: Any, depth: int = 4) -> Attribute:
    """An object as an attribute, cut where it is deep or long."""
    if item is None or isinstance(item, bool | int | float):
        return item if not isinstance(item, int) or item.bit_length() < 1024 else "…"
    if isinstance(item, str | bytes):
        return item[:TEXT]
    if not depth:
        return "…"
    if isinstance(item, list | tuple):
        return tuple(plain(part, depth - 1) for part in item[:ITEMS])
    tensor = tensor_of(item)
    if tensor is not None:
        return f"{tensor.dtype}[{', '.join(map(str, tensor.shape))}]"
    if isinstance(item, Call) and item.path in SEQUENCES:
        return plain(item.args[0], depth) if item.args else ()
    if (wide := _wide(item)) > WIDE:
        return f"{wide:,} entries"
    entries = mapping(item)
    if entries is not None:
        return {key[:200]: plain(value, depth - 1) for key, value in list(entries.items())[:ITEMS]}
    if isinstance(item, Call):
        return _instance(item, depth)
    return item.path if isinstance(item, Global) else type(item).__name__.lower()


def _wide(item: Any) -> int:
    """How many entries a dictionary has."""
    return len(item.pairs) if isinstance(item, Table) else len(item.items) if isinstance(item, Call) else 0


def _instance(item: Call, depth: int) -> Attribute:
    name = class_of(item).rpartition(".")[2] or "…"
    state = {key: value for key, value in state_of(item).items() if not key.startswith("_")}
    if state:
        return {name: plain(Table(list(state.items())), depth - 1)}
    if item.args and all(isinstance(arg, bool | int | float | str) for arg in item.args):
        return f"{name}({', '.join(map(repr, item.args))})"[:TEXT]
    return name


def written(item: Any) -> str:
    """An object as text, an entry a line, nested ones indented."""
    lines = []
    for line in _lines(item, 0):
        lines.append(line)
        if len(lines) >= LINES:
            lines.append("…")
            break
    return "\n".join(lines)


def _entries(item: Any) -> dict[str, Any] | None:
    """What stands beneath an object in a text; None where it takes one line."""
    if _wide(item) > WIDE:
        return None
    entries = mapping(item)
    if entries is None and isinstance(item, Call) and tensor_of(item) is None and item.path not in SEQUENCES:
        entries = {key: value for key, value in state_of(item).items() if not key.startswith("_")}
    if entries is None and isinstance(item, list) and any(mapping(part) is not None for part in item[:ITEMS]):
        entries = {f"- {at}": part for at, part in enumerate(item[:ITEMS])}
    return entries or None


def _lines(item: Any, depth: int) -> Iterator[str]:
    entries = _entries(item)
    if entries is None or depth > DEPTH:
        yield "  " * depth + _line(item)
        return
    for key, value in entries.items():
        if _entries(value) is None:
            yield f"{'  ' * depth}{key[:200]}: {_line(value)}"
        else:
            yield f"{'  ' * depth}{key[:200]}:"
            yield from _first(_lines(value, depth + 1))


def _first(lines: Iterator[str]) -> Iterator[str]:
    for count, line in enumerate(lines):
        if count > LINES:
            return
        yield line


def _line(item: Any) -> str:
    found = plain(item, 2)
    if isinstance(found, str):
        return found[:2000]
    return repr(found)[:2000] if found != {} else "{}"
