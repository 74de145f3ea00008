"""A pickle read as data: an interpreter that never imports, never calls and never looks up what the file names.

Every global becomes a `Global`, every call a `Call` that remembers its function and arguments, every persistent id a
`Persistent`. Dictionaries become `Table`s, lists of pairs, because a hostile file may use anything as a key. What the
reader of a format understands (torch's `_rebuild_tensor_v2`, an `OrderedDict`) it recognises by name afterwards.

Caps on opcodes, stack and memo bound the work; objects are shared as the file shares them, so that a "billion laughs"
pickle stays as small as it is on disk. Whoever walks the result must bound its own walk: it may hold cycles.
"""

from __future__ import annotations

import io
import pickletools
import re
import struct
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from inspector.errors import FormatError
from inspector.formats._pickle_objects import MARK, Call, Global, Persistent, Table, gathered

__all__ = ["Call", "Global", "Persistent", "Table", "Unpickled", "survey", "unpickle"]

OPCODES = 5_000_000
MEMO = 2_000_000
STACK = 1_000_000
NESTED = 100
NESTED_BYTES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"\x8a\x0a\x6c\xfc\x9c\x46\xf9", b"PK\x03\x04")
NESTED_TEXTS = (*(f"gA{third}" for third in "IJKLMNOPQRSTUVWX"), "8002", "8003", "8004", "8005")
SHORT = re.compile(r"exhausted before|not enough data|but only \d+ remain|no newline found")
"""What `pickletools` says where the data ends within an instruction."""
MADE = "The file may be damaged, or made to exhaust memory or time."
NESTED_WORDS = re.compile(rb"c[\w.]{1,200}\n[\w.]{1,200}\n")


@dataclass(frozen=True, slots=True)
class Unpickled:
    """What a pickle holds, and every name it asked for in order of appearance.

    Attributes:
        value: What it would make; of a broken one, the outermost object as far as it came.
        globals: Names that it asks to import, modules and all.
        called: Those of them that it asks to call.
        nested: Bytes and texts in it that look like pickles themselves.
        end: Where it ends in the data.
        broken: Why it could not be read to its end; None where it could.
    """

    value: Any
    globals: tuple[str, ...]
    called: tuple[str, ...] = ()
    nested: tuple[bytes | str, ...] = ()
    end: int = 0
    broken: FormatError | None = None


def unpickle(data: bytes, what: str = "pickle") -> Unpickled:
    """Interpret the first pickle in `data`.

    Raises:
        FormatError: It is not a pickle, is damaged, or exceeds a cap.
    """
    found = survey(data, what)
    if found.broken is not None:
        raise found.broken
    return found


def survey(data: bytes, what: str = "pickle", start: int = 0) -> Unpickled:
    """What the pickle at `start` asks for, also where it is broken: a loader runs what stands before the damage."""
    machine = _Machine(what)
    broken: FormatError | None = None
    stream = io.BytesIO(data)
    stream.seek(start)
    with warnings.catch_warnings():  # pickletools decodes texts, and grumbles at odd ones
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            for count, (opcode, arg, position) in enumerate(pickletools.genops(stream)):
                if count > OPCODES:
                    raise FormatError(f"The {what} has more than {OPCODES:,} instructions.", hint=MADE)
                if opcode.name == "STOP":
                    return machine.result(machine.pop(), (position or 0) + 1, None)
                action = _ACTIONS.get(opcode.name)
                if action is None:
                    raise ValueError(f"unknown instruction {opcode.name}")
                action(machine, arg)
            broken = _early(what)
        except FormatError as error:
            broken = error
        except (
            ValueError,
            IndexError,
            TypeError,
            KeyError,
            struct.error,
            OverflowError,
            EOFError,
            RecursionError,
        ) as error:
            broken = _early(what) if SHORT.search(str(error)) else _damaged(what, error)
            broken.__cause__ = error
    return machine.result(gathered(machine.stack), stream.tell(), broken)


def references(value: Any) -> Iterator[Persistent]:
    """Every reference to something outside of the pickle, such as a storage, in what was made, each object once."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, Persistent):
            yield item
        elif isinstance(item, list | tuple):
            waiting += item
        elif hasattr(item, "pairs"):
            waiting += [part for pair in item.pairs for part in pair]
        elif hasattr(item, "args"):
            waiting += (item.args, item.state, item.items, item.function)


def _early(what: str) -> FormatError:
    return FormatError(f"The {what} ends too early.", hint="The file is incomplete; fetch or copy it again.")


def _damaged(what: str, error: Exception) -> FormatError:
    return FormatError(f"The {what} is damaged ({str(error)[:100]}).", hint="Fetch or copy the file again.")


def _pickled(item: bytes | bytearray | str) -> bool:
    """Whether a literal looks like a pickle, plain or written as base64 or in hexadecimal digits."""
    if isinstance(item, str):
        return item.startswith(NESTED_TEXTS) and len(item) > 12
    head = bytes(item[:16])
    if head.startswith(NESTED_BYTES) or NESTED_WORDS.match(item):
        return True
    return head.startswith(tuple(map(str.encode, NESTED_TEXTS))) and len(item) > 12 and head.isalnum()


class _Machine:
    """The stack machine."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.globals: dict[str, None] = {}
        self.called: dict[str, None] = {}
        self.nested: list[bytes | str] = []

    def result(self, value: Any, end: int, broken: FormatError | None) -> Unpickled:
        return Unpickled(value, tuple(self.globals), tuple(self.called), tuple(self.nested), end, broken)

    def call(self, function: Any, args: tuple[Any, ...]) -> None:
        if isinstance(function, Global):
            self.called.setdefault(function.path)
        self.push(Call(function, args))

    def pop(self) -> Any:
        if not self.stack or self.stack[-1] is MARK:
            raise ValueError("stack underflow")
        return self.stack.pop()

    def to_mark(self) -> list[Any]:
        for at in range(len(self.stack) - 1, -1, -1):
            if self.stack[at] is MARK:
                items = self.stack[at + 1 :]
                del self.stack[at:]
                return items
        raise ValueError("no mark on the stack")

    def push(self, item: Any) -> None:
        if len(self.stack) >= STACK:
            raise FormatError(f"The {self.what} needs a stack of more than {STACK:,} items.", hint=MADE)
        self.stack.append(item)

    def put(self, key: int) -> None:
        if len(self.memo) >= MEMO:
            raise FormatError(f"The {self.what} remembers more than {MEMO:,} objects.", hint=MADE)
        self.memo[key] = self.stack[-1]

    def ask(self, module: str, name: str) -> Global:
        asked = Global(module, name)
        self.globals.setdefault(asked.path)
        return asked


def _global(machine: _Machine, arg: Any) -> None:
    module, _, name = str(arg).partition(" ")
    machine.push(machine.ask(module, name))


def _stack_global(machine: _Machine, _arg: Any) -> None:
    name, module = machine.pop(), machine.pop()
    machine.push(machine.ask(str(module)[:1000], str(name)[:1000]))


def _extension(machine: _Machine, arg: Any) -> None:
    machine.push(machine.ask("copyreg", f"extension {arg}"))


def _reduce(machine: _Machine, _arg: Any) -> None:
    args, function = machine.pop(), machine.pop()
    machine.call(function, args if isinstance(args, tuple) else (args,))


def _newobj_ex(machine: _Machine, _arg: Any) -> None:
    kwargs, args, function = machine.pop(), machine.pop(), machine.pop()
    machine.call(function, (*(args if isinstance(args, tuple) else (args,)), kwargs))


def _inst(machine: _Machine, arg: Any) -> None:
    module, _, name = str(arg).partition(" ")
    machine.call(machine.ask(module, name), tuple(machine.to_mark()))


def _obj(machine: _Machine, _arg: Any) -> None:
    function, *args = machine.to_mark()
    machine.call(function, tuple(args))


def _build(machine: _Machine, _arg: Any) -> None:
    state = machine.pop()
    target = machine.stack[-1]
    if isinstance(target, Call):
        target.state = state


def _append(machine: _Machine, items: list[Any]) -> None:
    target = machine.stack[-1]
    if isinstance(target, list):
        target.extend(items)
    elif isinstance(target, Call):
        target.items.extend(items)
    else:
        raise ValueError("appends to what is no list")


def _set_items(machine: _Machine, items: list[Any]) -> None:
    pairs = list(zip(items[::2], items[1::2], strict=True))
    target = machine.stack[-1]
    if isinstance(target, Table):
        target.pairs.extend(pairs)
    elif isinstance(target, Call):
        target.items.extend(pairs)
    else:
        raise ValueError("sets items of what is no dictionary")


def _one_item(machine: _Machine, _arg: Any) -> None:
    value, key = machine.pop(), machine.pop()
    _set_items(machine, [key, value])


def _tuple(count: int) -> Callable[[_Machine, Any], None]:
    def action(machine: _Machine, _arg: Any) -> None:
        items = [machine.pop() for _ in range(count)]
        machine.push(tuple(reversed(items)))

    return action


def _dict(machine: _Machine, _arg: Any) -> None:
    items = machine.to_mark()
    machine.push(Table())
    _set_items(machine, items)


def _drop(machine: _Machine, _arg: Any) -> None:
    machine.stack.pop()


def _drop_to_mark(machine: _Machine, _arg: Any) -> None:
    machine.to_mark()


def _constant(item: Any) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.push(item)


def _literal(machine: _Machine, arg: Any) -> None:
    machine.push(arg)


def _text(machine: _Machine, arg: Any) -> None:
    if _pickled(arg) and len(machine.nested) < NESTED:
        machine.nested.append(arg if isinstance(arg, str) else bytes(arg))
    machine.push(arg)


def _nothing(_machine: _Machine, _arg: Any) -> None:
    pass


def _get(machine: _Machine, arg: Any) -> None:
    machine.push(machine.memo[int(arg)])


_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": (), "MARK": MARK}
_NUMBERS = ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT")
_TEXTS = (
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
)
_ACTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    **{name: _constant(item) for name, item in _CONSTANTS.items()},
    **dict.fromkeys(_NUMBERS, _literal),
    **dict.fromkeys(_TEXTS, _text),
    **dict.fromkeys(("PROTO", "FRAME", "READONLY_BUFFER"), _nothing),
    "EMPTY_LIST": lambda m, _: m.push([]),
    "EMPTY_DICT": lambda m, _: m.push(Table()),
    "EMPTY_SET": lambda m, _: m.push([]),
    "LIST": lambda m, _: m.push(m.to_mark()),
    "TUPLE": lambda m, _: m.push(tuple(m.to_mark())),
    "FROZENSET": lambda m, _: m.push(m.to_mark()),
    "DICT": _dict,
    "TUPLE1": _tuple(1),
    "TUPLE2": _tuple(2),
    "TUPLE3": _tuple(3),
    "APPEND": lambda m, _: _append(m, [m.pop()]),
    "APPENDS": lambda m, _: _append(m, m.to_mark()),
    "ADDITEMS": lambda m, _: _append(m, m.to_mark()),
    "SETITEM": _one_item,
    "SETITEMS": lambda m, _: _set_items(m, m.to_mark()),
    "POP": _drop,
    "POPMARK": _drop_to_mark,
    "DUP": lambda m, _: m.push(m.stack[-1]),
    "GET": _get,
    "BINGET": _get,
    "LONG_BINGET": _get,
    "PUT": lambda m, arg: m.put(int(arg)),
    "BINPUT": lambda m, arg: m.put(int(arg)),
    "LONG_BINPUT": lambda m, arg: m.put(int(arg)),
    "MEMOIZE": lambda m, _: m.put(len(m.memo)),
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "EXT1": _extension,
    "EXT2": _extension,
    "EXT4": _extension,
    "REDUCE": _reduce,
    "NEWOBJ": _reduce,
    "NEWOBJ_EX": _newobj_ex,
    "INST": _inst,
    "OBJ": _obj,
    "BUILD": _build,
    "PERSID": lambda m, arg: m.push(Persistent(arg)),
    "BINPERSID": lambda m, _: m.push(Persistent(m.pop())),
    "NEXT_BUFFER": lambda m, _: m.push(m.ask("pickle", "out-of-band buffer")),
}
