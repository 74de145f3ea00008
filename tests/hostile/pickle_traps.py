"""Cases 9 to 13 and 15: pickles that exhaust, confuse, or are something else; whole modules of unknown classes."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pickle_bytes as p
from case import Case, plain
from pickle_bytes import call, name, row, table, text, whole
from pickle_files import RUN, asks, has_parameters, pickles, system, touch

LAUGHS = b"\x80\x02]q\x00" + b"".join(b"(h%ch%clq%c" % (at, at, at + 1) for at in range(60)) + b"."
DOUBLED = b"\x80\x02)" + b"2\x86" * 60 + b"."
TABLES = b"\x80\x02}q\x00" + b"".join(b"}(K\x01h%cK\x02h%cuq%c" % (at, at, at + 1) for at in range(60)) + b"."

NINE = (
    *(
        pickles(9, f"a billion laughs in {kind}", data, "There are no tensors in the file", seconds=2, memory_mb=200)
        for kind, data in (("lists", LAUGHS), ("tuples by DUP", DOUBLED), ("dictionaries", TABLES))
    ),
    pickles(
        9,
        "laughs among real tensors",
        b"\x80\x02}(" + text("w") + p.tensor() + text("config") + DOUBLED[2:-1] + b"u.",
        "",
        seconds=2,
        memory_mb=200,
        check=lambda seen: has_parameters(seen, 2),
    ),
    Case(
        9,
        "10,000,000 instructions",
        plain(p.zipped(b"\x80\x02" + b"N0" * 5_000_000 + b"N."), "model.pt"),
        "refused",
        "model.pt: The object (data.pkl) has more than 5,000,000 instructions.",
        seconds=4,
        memory_mb=200,
    ),
    pickles(
        9,
        "a list of 10,000,000 numbers",
        b"\x80\x02](" + b"K\x01" * 10_000_000 + b"e.",
        "items",
        seconds=3,
        memory_mb=400,
        level="danger",
    ),
    pickles(
        9,
        "tuples 100,000 deep",
        b"\x80\x02)" + b"\x85" * 100_000 + b".",
        "There are no tensors in the file",
        seconds=2,
        memory_mb=200,
    ),
    pickles(
        9,
        "lists 50,000 deep",
        b"\x80\x02" + b"](" * 50_000 + b"e" * 50_000 + b".",
        "There are no tensors in the file",
        seconds=2,
        memory_mb=200,
    ),
    pickles(9, "a list that holds itself", b"\x80\x02]q\x00h\x00a.", "There are no tensors in the file", seconds=2),
    pickles(
        9,
        "modules 5,000 deep",
        whole(
            b"".join(
                name("a", "B") + b")\x81}(" + text("_parameters") + b"}" + text("_modules") + b"}(" + text("x")
                for _ in range(5000)
            )
            + b"N"
            + b"uub" * 5000
        ),
        "nested too deeply",
        seconds=4,
        memory_mb=250,
    ),
    pickles(
        9,
        "a number of a million digits",
        whole(table({"w": p.tensor(), "n": p.number(1 << 3_000_000)})),
        "",
        seconds=2,
        memory_mb=200,
    ),
    pickles(
        9,
        "a number of a million digits among the facts",
        whole(table({"state_dict": table({"w": p.tensor()}), "n": p.number(1 << 3_000_000)})),
        "",
        seconds=2,
        memory_mb=200,
    ),
    Case(
        9,
        "a memo of 3,000,000 entries",
        plain(p.zipped(b"\x80\x04N" + b"\x94" * 3_000_000 + b"."), "model.pt"),
        "refused",
        "model.pt: The object (data.pkl) remembers more than 2,000,000 objects.",
        seconds=3,
        memory_mb=400,
    ),
)

NONSENSE = "1 tensors are described by what makes no sense, such as 'w'."
MISSING = "The values of 1 tensors are not in the file, such as 'w'."


def one(tensor: bytes) -> bytes:
    """A state dict of one tensor."""
    return whole(table({"w": tensor}))


TEN = (
    pickles(10, "a storage called /etc/passwd", one(p.tensor("/etc/passwd")), MISSING, level="warning"),
    pickles(10, "a storage called ../../secret.txt", one(p.tensor("../../secret.txt")), MISSING, level="warning"),
    pickles(10, "a storage that the archive does not have", one(p.tensor("9")), MISSING, level="warning"),
    pickles(10, "a tensor beyond its storage", one(p.tensor("0", (9,))), MISSING, level="warning"),
    pickles(
        10,
        "a tensor that begins beyond its storage",
        one(p.tensor("0", (2,), offset=1 << 40)),
        MISSING,
        level="warning",
    ),
    pickles(10, "a storage of 2^61 elements in 8 bytes", one(p.tensor("0", (1 << 61,))), MISSING, level="warning"),
    pickles(10, "sizes whose product overflows", one(p.tensor("0", (1 << 40, 1 << 40))), NONSENSE, level="warning"),
    pickles(
        10,
        "a persistent id that is a path",
        whole(table({"w": text("/etc/passwd") + b"Q"})),
        "There are no tensors in the file",
    ),
    pickles(10, "a key of a storage that is a dictionary", one(p.tensor(b"}")), NONSENSE),
    Case(
        10,
        "a legacy file whose storage claims 2^60 elements",
        plain(p.legacy(one(p.tensor()), ("0",), (1 << 60).to_bytes(8, "little")), "model.pt"),
        "opened",
        MISSING,
        "warning",
    ),
    Case(
        10,
        "a legacy file whose storage claims -1 elements",
        plain(p.legacy(one(p.tensor()), ("0",), b"\xff" * 8), "model.pt"),
        "opened",
        MISSING,
        "warning",
    ),
)

REBUILD = ("torch._utils", "_rebuild_tensor_v2")
ELEVEN = (
    pickles(
        11,
        "SETITEM on a number",
        b"\x80\x02}(" + text("w") + p.tensor() + b"uK\x05K\x01K\x02s.",
        "damaged",
        level="danger",
    ),
    pickles(11, "SETITEMS on a tensor", whole(p.tensor() + b"(" + text("a") + b"K\x01u"), ""),
    pickles(11, "BUILD on a number", whole(b"K\x05}b"), "There are no tensors in the file"),
    pickles(
        11, "APPEND to a dictionary", b"\x80\x02}(" + text("w") + p.tensor() + b"uK\x01a.", "damaged", level="danger"
    ),
    pickles(
        11,
        "sizes that are texts",
        one(call(*REBUILD, p.storage(text("0"), 2), p.number(0), row(text("2")), row(text("1")), p.FALSE, b"}")),
        NONSENSE,
        level="warning",
    ),
    pickles(
        11,
        "sizes that are below zero",
        one(call(*REBUILD, p.storage(text("0"), 2), p.number(0), row(p.number(-2)), row(p.number(1)), p.FALSE, b"}")),
        NONSENSE,
        level="warning",
    ),
    pickles(
        11,
        "steps below zero",
        one(call(*REBUILD, p.storage(text("0"), 2), p.number(1), row(p.number(2)), row(p.number(-1)), p.FALSE, b"}")),
        NONSENSE,
        level="warning",
    ),
    pickles(
        11,
        "sizes and steps of different length",
        one(call(*REBUILD, p.storage(text("0"), 2), p.number(0), row(p.number(2)), row(), p.FALSE, b"}")),
        NONSENSE,
        level="warning",
    ),
    pickles(11, "a tensor of no arguments", one(call(*REBUILD)), NONSENSE, level="warning"),
    pickles(
        11, "a dictionary whose keys are dictionaries", whole(b"}(}K\x01]K\x02)}u"), "There are no tensors in the file"
    ),
    pickles(11, "a call of a tensor", one(p.tensor() + b")R"), "There are no tensors in the file"),
    pickles(
        11,
        "a module whose parameters are a list",
        whole(
            p.instance(
                "torch.nn.modules.linear",
                "Linear",
                {"_parameters": p.array(p.number(1)), "_modules": p.number(3), "_buffers": text("x")},
            )
        ),
        "",
    ),
    Case(
        11,
        "a key that the memo does not have",
        plain(p.zipped(b"\x80\x02h\x07."), "model.pt"),
        "refused",
        "The object (data.pkl) is damaged (7).",
    ),
    Case(11, "a stack that is empty", plain(p.zipped(b"\x80\x02R."), "model.pt"), "refused", "stack underflow"),
)


def tarred(folder: Path) -> bytes:
    """A tar archive with a pickle in it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        data = system(2)(folder)
        item = tarfile.TarInfo("evil/data.pkl")
        item.size = len(data)
        archive.addfile(item, io.BytesIO(data))
        link = tarfile.TarInfo("model.pt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return made.getvalue()


SEVEN_ZIP = b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(24) + b"\x00" * 60
TWELVE = (
    Case(
        12,
        "a 7-Zip archive called .pt (nullifAI)",
        plain(SEVEN_ZIP, "model.pt"),
        "refused",
        "model.pt is a 7-Zip archive, not a model.",
    ),
    Case(
        12,
        "a gzip called .pt",
        plain(lambda f: gzip.compress(system(2)(f)), "model.pt"),
        "refused",
        "model.pt is a gzip file, not a model.",
    ),
    Case(
        12, "a tar called .pt", plain(tarred, "model.pt"), "refused", "model.pt is a tar archive with a model inside."
    ),
    Case(
        12,
        "a RAR archive called .bin",
        plain(b"Rar!\x1a\x07\x01\x00" + bytes(40), "model.bin"),
        "refused",
        "model.bin is a RAR archive, not a model.",
    ),
)

THIRTEEN = (
    Case(
        13,
        "a payload before the magic number",
        plain(lambda f: system(0)(f) + p.legacy(whole(b"}"))[15:], "model.pt"),
        "refused",
        "posix.system; it was not run.",
    ),
    Case(
        13,
        "a wrong magic number, a payload behind it",
        plain(lambda f: p.legacy(system(2)(f), magic=0x1950A86A20F9469CFC6D), "model.pt"),
        "refused",
        "posix.system; it was not run.",
    ),
    Case(
        13,
        "the magic number made by a call",
        plain(lambda f: whole(p.shell(touch(f)) + p.POP + p.number(p.MAGIC)) + p.legacy(whole(b"}"))[15:], "model.pt"),
        "refused",
        "posix.system; it was not run.",
    ),
    Case(
        13,
        "a payload in the facts of the system",
        plain(
            lambda f: (
                p.legacy(b"")[:15]
                + whole(p.number(1001))
                + whole(table({"little_endian": p.shell(touch(f))}))
                + whole(one(p.tensor())[2:-1])
                + whole(b"]")
            ),
            "model.pt",
        ),
        "opened",
        RUN.format("posix.system"),
        "danger",
    ),
    Case(
        13,
        "a payload in the list of storages",
        plain(lambda f: p.legacy(one(p.tensor()))[:-4] + whole(p.array(p.shell(touch(f)))), "model.pt"),
        "opened",
        RUN.format("posix.system"),
        "danger",
    ),
    Case(
        13,
        "a legacy file with another protocol number",
        plain(p.legacy(one(p.tensor()))[:15] + whole(p.number(7)), "model.pt"),
        "refused",
        "The facts of the system ends too early. The file is incomplete; fetch or copy it again.",
    ),
)


FIFTEEN = (
    pickles(
        15,
        "a whole module of classes that nobody has",
        whole(
            p.module(
                ("my.secret.net", "Net"),
                {"w": p.tensor()},
                {"block": p.module(("my.secret.net", "Block"), {"v": p.tensor("0", (2,))}, {}, size=p.number(7))},
            )
        ),
        "code that is no known part of PyTorch: my.secret.net.Net, my.secret.net.Block.",
        level="warning",
        check=lambda seen: _modules(seen, [("", "Net"), ("block", "Block")]),
    ),
    asks(
        15,
        "a whole module whose hook runs something",
        lambda folder: whole(
            p.module(
                ("torch.nn.modules.linear", "Linear"),
                {"w": p.tensor()},
                {},
                _forward_hooks=table({"0": p.shell(touch(folder))}),
            )
        ),
        "posix.system",
    ),
    pickles(
        15,
        "a module whose class is called like a layer of torch's, from elsewhere",
        whole(p.module(("torch_nn.modules.linear", "Linear"), {"w": p.tensor()}, {})),
        "torch_nn.modules.linear.Linear",
        level="warning",
    ),
)


def _modules(seen: object, want: list[tuple[str, str]]) -> None:
    found = [(module.path, module.type) for module in seen.answers["open"].modules]  # type: ignore[attr-defined]
    assert found == want, found


CASES = (*NINE, *TEN, *ELEVEN, *TWELVE, *THIRTEEN, *FIFTEEN)
