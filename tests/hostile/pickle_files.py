"""Cases 1 to 8: pickles, in every container that PyTorch reads. Each payload would write a marker; none may."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pickle_bytes as p
from case import Case, marker, plain
from pickle_bytes import call, name, row, table, text, whole

Clothes = Callable[[bytes], bytes]
RUN = "This file asks to run {}; it was not run."
LOAD = "Do not load it with PyTorch or pickle unless you trust who made it."


def bare(data: bytes) -> bytes:
    """No container."""
    return data


def touch(folder: Path) -> str:
    """The payload's command."""
    return f"touch {marker(folder)}"


def asks(
    number: int, tries: str, piece: Callable[[Path], bytes], names: str, clothes: Clothes = p.zipped, **more: object
) -> Case:
    """A file in one of torch's containers that opens, with what it asks to run in a red banner."""
    says = RUN.format(names) if ", " not in names else f"This file asks to run {names}; they were not run."
    build = plain(lambda folder: clothes(piece(folder)), "model.pt")
    return Case(number, tries, build, "opened", says, "danger", **more)  # type: ignore[arg-type]


def pickles(number: int, tries: str, data: bytes | Callable[[Path], bytes], says: str = "", **more: object) -> Case:
    """A checkpoint that opens and says something."""
    build = plain(lambda folder: p.zipped(data if isinstance(data, bytes) else data(folder)), "model.pt")
    return Case(number, tries, build, "opened", says, **more)  # type: ignore[arg-type]


def system(proto: int) -> Callable[[Path], bytes]:
    """`os.system` called in a protocol."""
    return lambda folder: whole(p.shell(touch(folder), proto), proto)


def inert(data: bytes) -> Callable[[Path], bytes]:
    """A payload that needs no marker."""
    return lambda _: data


ONE = (
    *(
        asks(1, f"os.system by REDUCE, protocol {proto}, in a zip", system(proto), "posix.system")
        for proto in (0, 2, 4, 5)
    ),
    *(
        asks(1, f"os.system, protocol {proto}, in a legacy file", system(proto), "posix.system", p.legacy)
        for proto in (2, 5)
    ),
    Case(
        1,
        "os.system in a bare pickle called .bin",
        plain(system(2), "model.bin"),
        "refused",
        "model.bin is a Python pickle that asks to run posix.system; it was not run. Do not load it.",
    ),
    Case(
        1,
        "os.system in a bare pickle of protocol 0 called .pth",
        plain(system(0), "model.pth"),
        "refused",
        "model.pth is a Python pickle that asks to run posix.system; it was not run.",
    ),
    asks(
        1,
        "os.system before a real state dict",
        lambda folder: whole(table({"w": p.tensor(), "x": p.shell(touch(folder))})),
        "posix.system",
    ),
    asks(1, "nt.system, as Windows calls it", inert(whole(p.shell("calc", 2, ("nt", "system")))), "nt.system"),
)


def memoed(folder: Path) -> bytes:
    """Both names put away first, taken out by BINGET and LONG_BINGET, the memo overwritten between."""
    names = (
        text("posix", 4) + b"q\x00" + p.POP + text("getpid", 4) + b"q\x01" + p.POP + text("system", 4) + b"r\x01\0\0\0"
    )
    return whole(names + p.POP + b"h\x00j\x01\0\0\0\x93" + row(text(touch(folder))) + p.REDUCE, 4)


TWO = (
    asks(2, "names from the memo, one overwritten there", memoed, "posix.system"),
    asks(
        2,
        "a dotted name that leaves torch",
        lambda folder: whole(call("torch", "os.system", text(touch(folder)), proto=4), 4),
        "torch.os.system",
    ),
    asks(
        2,
        "a dotted name that begins like a layer",
        lambda folder: whole(call("torch.nn.modules.linear", "Linear.forward.__globals__", proto=4), 4),
        "torch.nn.modules.linear.Linear.forward.__globals__",
    ),
    pickles(
        2,
        "a name of 1 MB",
        whole(call("a" * 1_000_000, "b")),
        "code that is no known part of PyTorch: aaaaaaaa",
        level="warning",
        memory_mb=200,
    ),
    asks(
        2,
        "names with a bidirectional mark, NUL and markup",
        inert(whole(call("os", "\u202e<b>sys\0tem", proto=4), 4)),
        "os.<b>system",
    ),
    Case(
        2,
        "a name whose module is a number",
        plain(p.zipped(whole(p.number(7) + text("x", 4) + b"\x93)R", 4)), "model.pt"),
        "opened",
        "7.x",
        "danger",
    ),
)

THREE = (
    asks(3, "INST", lambda folder: whole(b"(" + text(touch(folder), 0) + b"iposix\nsystem\n", 0), "posix.system"),
    asks(
        3,
        "OBJ",
        lambda folder: whole(b"(" + name("posix", "system") + text(touch(folder)) + b"o"),
        "posix.system",
        p.legacy,
    ),
    asks(
        3,
        "NEWOBJ_EX",
        lambda folder: whole(
            name("subprocess", "Popen", 4) + row(text(touch(folder))) + table({"shell": p.TRUE}) + b"\x92", 4
        ),
        "subprocess.Popen",
    ),
    asks(
        3,
        "BUILD, which calls __setstate__",
        inert(whole(name("doctest", "DocTestRunner") + b")\x81" + table({"x": text("1")}) + p.BUILD)),
        "doctest.DocTestRunner",
    ),
    *(
        pickles(
            3,
            f"EXT{size}, a number for a name",
            whole(code),
            "This file asks to import copyreg.extension 1;",
            level="danger",
        )
        for size, code in ((1, b"\x82\x01"), (2, b"\x83\x01\x00"), (4, b"\x84\x01\0\0\0"))
    ),
)


def static(folder: Path) -> bytes:
    """`inspect.getattr_static(importlib.import_module("os"), "system")(…)`."""
    module = call("importlib", "import_module", text("os"), proto=4)
    found = call("inspect", "getattr_static", module, text("system"), proto=4)
    return whole(found + row(text(touch(folder))) + p.REDUCE, 4)


def compiled(folder: Path) -> bytes:
    """`types.FunctionType(codeop.compile_command(…), {})()`."""
    code = call("codeop", "compile_command", text(f"open({str(marker(folder))!r}, 'w')"), proto=4)
    return whole(call("types", "FunctionType", code, b"}", proto=4) + b")R", 4)


def forked(folder: Path) -> bytes:
    """`_posixsubprocess.fork_exec(…)`."""
    words = row(p.raw(b"/usr/bin/touch"), p.raw(str(marker(folder)).encode()))
    nobody = p.number(-1)
    return whole(
        call(
            "_posixsubprocess",
            "fork_exec",
            words,
            row(p.raw(b"/usr/bin/touch")),
            p.TRUE,
            row(),
            p.NONE,
            p.NONE,
            *[nobody] * 6,
            *[p.FALSE] * 2,
            *[p.NONE] * 4,
            proto=4,
        ),
        4,
    )


def spawned(folder: Path) -> bytes:
    """`distutils.spawn.spawn(["touch", …])`."""
    return whole(call("distutils.spawn", "spawn", p.array(text("touch"), text(str(marker(folder)))), proto=4), 4)


FOUR = (
    asks(
        4,
        "inspect.getattr_static on importlib.import_module",
        static,
        "inspect.getattr_static, importlib.import_module",
    ),
    asks(4, "distutils.spawn.spawn", spawned, "distutils.spawn.spawn"),
    asks(4, "types.FunctionType on codeop.compile_command", compiled, "types.FunctionType, codeop.compile_command"),
    asks(4, "_posixsubprocess.fork_exec", forked, "_posixsubprocess.fork_exec"),
    asks(
        4,
        "_ctypes.CDLL",
        lambda folder: whole(call("_ctypes", "CDLL", text(str(folder / "x.so")), proto=4), 4),
        "_ctypes.CDLL",
    ),
    asks(
        4,
        "all five in the hyper-parameters of a checkpoint",
        lambda folder: whole(
            table(
                {
                    "state_dict": table({"w": p.tensor()}),
                    "hyper_parameters": p.array(*(made(folder)[2:-1] for made in (static, spawned, compiled, forked))),
                }
            )
        ),
        "inspect.getattr_static, importlib.import_module, distutils.spawn.spawn, types.FunctionType, "
        "codeop.compile_command, _posixsubprocess.fork_exec",
    ),
)

FIVE = (
    asks(
        5, "the result thrown away by POP", lambda folder: whole(p.shell(touch(folder)) + p.POP + b"}"), "posix.system"
    ),
    asks(
        5,
        "the result thrown away by POP_MARK",
        lambda folder: whole(b"(" + p.shell(touch(folder)) + b"1}"),
        "posix.system",
    ),
    asks(
        5,
        "the result as a key that is overwritten",
        lambda folder: whole(b"}(" + text("a") + p.shell(touch(folder)) + text("a") + p.tensor() + b"u"),
        "posix.system",
    ),
)


def broken(folder: Path) -> bytes:
    """A payload, a good tensor, and then what no reader understands."""
    return b"\x80\x02}(" + text("a") + p.shell(touch(folder)) + text("w") + p.tensor() + b"\xff\xff\xff"


SIX = (
    asks(6, "a payload, then garbage, in a zip (nullifAI)", broken, "posix.system"),
    pickles(
        6,
        "the same: what was built so far is shown",
        broken,
        "The object (data.pkl) is damaged",
        level="danger",
        check=lambda seen: has_parameters(seen, 2),
    ),
    asks(6, "a payload, then garbage, in a legacy file", broken, "posix.system", p.legacy),
    asks(6, "a payload, then nothing", lambda folder: b"\x80\x02" + p.shell(touch(folder)), "posix.system"),
    Case(
        6,
        "a payload, then garbage, bare",
        plain(lambda folder: p.shell(touch(folder), 0) + b"\xff", "model.bin"),
        "refused",
        "model.bin is a Python pickle that asks to run posix.system; it was not run.",
    ),
)


def has_parameters(seen: object, count: int) -> None:
    """What was read of it counts so many."""
    totals = seen.answers["open"].totals  # type: ignore[attr-defined]
    assert totals.parameters == count, totals


def second(folder: Path) -> bytes:
    """A harmless pickle and a second one behind it."""
    return whole(table({"w": p.tensor()})) + system(2)(folder)


SEVEN = (
    asks(7, "a second pickle behind the first, in a zip", second, "posix.system"),
    pickles(7, "the same: what follows is said", second, "bytes after the end of the pickle.", level="warning"),
    Case(
        7,
        "a second pickle behind the first, bare",
        plain(second, "model.bin"),
        "opened",
        RUN.format("posix.system"),
        "danger",
    ),
    Case(
        7,
        "a harmless bare pickle without a model, a second one behind it",
        plain(lambda folder: whole(b"}") + system(2)(folder), "model.bin"),
        "refused",
        "posix.system; it was not run.",
    ),
    asks(
        7,
        "five pickles, the last one runs something",
        lambda folder: whole(b"}") * 4 + system(4)(folder),
        "posix.system",
    ),
    Case(
        7,
        "a pickle behind the storages of a legacy file",
        plain(
            lambda folder: p.legacy(whole(table({"w": p.tensor()})), ("0",), b"\x02" + bytes(15) + system(2)(folder)),
            "model.pt",
        ),
        "opened",
        "after the end of",
    ),
)


def nested(write: Callable[[bytes], bytes]) -> Callable[[Path], bytes]:
    """A pickle within a pickle."""
    return lambda folder: whole(table({"w": p.tensor(), "config": write(system(4)(folder))}), 4)


EIGHT = (
    asks(8, "a pickle inside, as bytes", nested(p.raw), "posix.system"),
    asks(8, "a pickle inside, as base64 text", nested(lambda data: text(base64.b64encode(data))), "posix.system"),
    asks(8, "a pickle inside, as base64 bytes", nested(lambda data: p.raw(base64.b64encode(data))), "posix.system"),
    asks(8, "a pickle inside, in hexadecimal digits", nested(lambda data: text(data.hex())), "posix.system"),
    asks(
        8,
        "a pickle inside, in hexadecimal digits as bytes",
        nested(lambda data: p.raw(data.hex().encode())),
        "posix.system",
    ),
    asks(
        8,
        "a pickle inside a pickle inside a pickle",
        nested(lambda data: p.raw(whole(p.raw(whole(p.raw(data), 4)), 4))),
        "posix.system",
    ),
    asks(
        8,
        "a pickle of protocol 0 inside, as bytes",
        lambda folder: whole(table({"config": p.raw(system(0)(folder))}), 4),
        "posix.system",
    ),
    pickles(
        8,
        "the same: that it hides is said",
        nested(p.raw),
        "The file hides a pickle inside its pickle.",
        level="warning",
    ),
)

CASES = (*ONE, *TWO, *THREE, *FOUR, *FIVE, *SIX, *SEVEN, *EIGHT)
