"""Case 18: archives that unpack to more than a machine has, or hold more than anybody can list."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import pickle_bytes as p
from case import Case, plain
from pickle_files import has_parameters
from zip_bytes import DEFLATED, Member, written
from zip_files import STATE, torch


def bomb(name: bytes, size: int, head: bytes = b"") -> Member:
    """A deflated member of zeros behind a head, made without holding them."""
    packer, crc, parts = zlib.compressobj(9, wbits=-15), zlib.crc32(head), []
    parts.append(packer.compress(head))
    block = bytes(1 << 24)
    for _ in range(size >> 24):
        parts.append(packer.compress(block))
        crc = zlib.crc32(block, crc)
    raw = b"".join([*parts, packer.flush()])
    return Member(name, method=DEFLATED, raw=raw, crc=crc, size=len(head) + (size >> 24 << 24))


def bombed(size: int, *members: Member, name: bytes, head: bytes = b"") -> Callable[[Path], bytes]:
    """An archive with a bomb, made when it is wanted."""
    return lambda _: written([bomb(name, size, head), *members])


def many(count: int) -> Callable[[Path], bytes]:
    """An archive of very many members that all point to one."""
    return lambda _: written(
        [
            Member(b"archive/data.pkl", STATE),
            *(Member(b"archive/data/%d" % at, at=0, write=False) for at in range(count)),
        ]
    )


def nested(_: Path) -> bytes:
    """Archives within archives, thirty levels."""
    inner = torch()
    for _level in range(30):
        inner = written([Member(b"model.pt", inner, method=DEFLATED)])
    return inner


def over(_: Path) -> bytes:
    """Members that share their bytes, as in the bomb of David Fifield."""
    kernel = bomb(b"archive/data.pkl", 64 << 20)
    return written(
        [
            kernel,
            *(
                Member(
                    b"archive/data/%d" % at,
                    method=DEFLATED,
                    raw=b"",
                    crc=kernel.crc,
                    size=kernel.size,
                    packed=len(kernel.raw or b""),
                    at=0,
                    write=False,
                )
                for at in range(200)
            ),
        ]
    )


KERAS = b'{"class_name": "Sequential", "config": {"name": "s", "layers": []}}'
CASES = (
    Case(
        18,
        "a pickle of 3 MB that unpacks to 3 GiB",
        plain(bombed(3 << 30, name=b"archive/data.pkl"), "model.pt"),
        "refused",
        "model.pt: the part 'archive/data.pkl' is too large (3,221,225,472 bytes; limit 268,435,456).",
        memory_mb=150,
    ),
    Case(
        18,
        "the same, its size said to be 10 bytes",
        plain(
            lambda _: written(
                [Member(b"archive/data.pkl", method=DEFLATED, raw=bomb(b"", 3 << 30).raw, crc=0, size=10)]
            ),
            "model.pt",
        ),
        "refused",
        "model.pt: the part 'archive/data.pkl' is damaged (Bad CRC-32",
        memory_mb=150,
    ),
    Case(
        18,
        "a bomb as config.json of a .keras",
        plain(bombed(1 << 30, Member(b"metadata.json", b"{}"), name=b"config.json", head=b'{"a": "'), "model.keras"),
        "refused",
        "model.keras: the part 'config.json' is too large (1,073,741,831 bytes; limit 67,108,864).",
        memory_mb=150,
    ),
    Case(
        18,
        "a bomb as the weights of a .keras",
        plain(
            bombed(1 << 30, Member(b"metadata.json", b"{}"), Member(b"config.json", KERAS), name=b"model.weights.h5"),
            "model.keras",
        ),
        "refused",
        "model.keras: the part 'model.weights.h5' is too large (1,073,741,824 bytes; limit 536,870,912).",
        memory_mb=150,
    ),
    Case(
        18,
        "a bomb in a .npz",
        plain(bombed(1 << 30, name=b"x.npy", head=b"\x93NUMPY"), "model.npz"),
        "refused",
        "model.npz is a NumPy archive of 1 array.",
        memory_mb=150,
    ),
    Case(
        18,
        "a bomb as the program of a .pt2",
        plain(bombed(1 << 30, Member(b"m/archive_format", b"pt2"), name=b"m/models/model.json"), "model.pt2"),
        "refused",
        "is too large (1,073,741,824 bytes;",
        memory_mb=150,
    ),
    Case(
        18,
        "a bomb as code of TorchScript",
        plain(
            bombed(
                1 << 30,
                Member(b"m/data.pkl", p.whole(p.instance("__torch__", "M", {}))),
                Member(b"m/constants.pkl", p.whole(b")")),
                name=b"m/code/__torch__.py",
            ),
            "model.pt",
        ),
        "opened",
        "",
        memory_mb=150,
    ),
    Case(
        18,
        "an archive in an archive in an archive …",
        plain(nested, "model.pt"),
        "refused",
        "model.pt is a zip archive with a model inside. Unpack it, then open model.pt.",
    ),
    Case(
        18,
        "members that lie over one another",
        plain(over, "model.pt"),
        "refused",
        "lies over another one. The archive was made to unpack to more than it holds; it was not read.",
        memory_mb=150,
    ),
    Case(
        18,
        "1,000,000 members",
        plain(many(1_000_000), "model.pt"),
        "refused",
        "model.pt has too many parts (more than 200,000).",
        seconds=3,
        memory_mb=150,
    ),
    Case(
        18,
        "150,000 members",
        plain(
            lambda _: written(
                [
                    Member(b"archive/data.pkl", STATE),
                    *(Member(b"archive/data/%d" % at, bytes(8)) for at in range(150_000)),
                ]
            ),
            "model.pt",
        ),
        "opened",
        "",
        seconds=8,
        memory_mb=400,
        check=lambda seen: has_parameters(seen, 2),
    ),
)
