"""Cases 16, 17, 19 and 20: zip archives that lie about what is in them, in the formats that are zip archives."""

from __future__ import annotations

import struct
from pathlib import Path

import pickle_bytes as p
from case import Case, marker, plain
from pickle_files import has_parameters
from zip_bytes import DEFLATED, Member, written

STATE = p.whole(p.table({"w": p.tensor()}))
SEVERAL = "The file is damaged, or made so that programs see different things."


def hostile(folder: Path) -> bytes:
    """A pickle that runs something."""
    return p.whole(p.table({"x": p.shell(f"touch {marker(folder)}"), "w": p.tensor()}))


def torch(*more: Member, data: Member | None = None, **end: object) -> bytes:
    """A checkpoint of one tensor as an archive; `data` is its pickle."""
    data = data or Member(b"archive/data.pkl", STATE)
    return written([data, Member(b"archive/data/0", bytes(8)), Member(b"archive/version", b"3\n"), *more], **end)  # type: ignore[arg-type]


def lies(number: int, tries: str, says: str, **fields: object) -> Case:
    """A checkpoint whose pickle's entries in the archive lie."""
    data = Member(b"archive/data.pkl", STATE, **fields)  # type: ignore[arg-type]
    return Case(number, tries, plain(torch(data=data), "model.pt"), "refused", says)


def differs(tries: str, why: str, **local: int | bytes) -> Case:
    """One whose own header differs from the directory."""
    says = f"model.pt: the part 'archive/data.pkl' is not what the archive's list says: {why}. {SEVERAL}"
    return lies(16, tries, says, local=local)


SIXTEEN = (
    lies(
        16,
        "flag bit 0x1: encrypted, which it is not",
        "model.pt is protected by a password.",
        flags=0x1,
        local={"flags": 0},
    ),
    lies(
        16,
        "flag bit 0x20: patched data",
        "model.pt: the part 'archive/data.pkl' is damaged (compressed patched data",
        flags=0x20,
    ),
    lies(
        16,
        "flag bit 0x40: strong encryption",
        "model.pt: the part 'archive/data.pkl' is damaged (strong encryption",
        flags=0x40,
    ),
    lies(16, "a wrong checksum", "model.pt: the part 'archive/data.pkl' is damaged (Bad CRC-32", crc=1),
    lies(
        16,
        "another name in its own header",
        "model.pt: the part 'archive/data.pkl' is damaged (File name in directory",
        local={"name": b"archive/evil.pkl"},
    ),
    differs("another way of packing in its own header", "they name different ways of packing", method=DEFLATED),
    differs("another size in its own header", "they name different sizes or checksums", size=5),
    differs("another checksum in its own header", "they name different sizes or checksums", crc=5),
    differs("encrypted in its own header only", "only one of the two says that it is encrypted", flags=1),
    lies(
        16,
        "two sizes of what is not packed",
        "it is not packed, and has two sizes.",
        size=1 << 20,
        local={"size": 1 << 20},
    ),
    lies(
        16,
        "a way of packing that nobody knows",
        "model.pt: the part 'archive/data.pkl' is damaged (That compression method is not supported)",
        method=77,
    ),
    lies(
        16,
        "packed bytes that are none",
        "model.pt: the part 'archive/data.pkl' is damaged (Error -3 while decomp",
        method=DEFLATED,
        raw=b"\xff" * 40,
    ),
    Case(
        16,
        "a directory cut in half",
        plain(torch()[:-60], "model.pt"),
        "refused",
        "model.pt is a zip archive that is cut off or damaged. Fetch or copy it again.",
    ),
    Case(
        16,
        "a second pickle hidden from the directory",
        plain(
            lambda f: written(
                [
                    Member(b"archive/data.pkl", hostile(f)),
                    Member(b"archive/data.pkl", STATE),
                    Member(b"archive/data/0", bytes(8)),
                ]
            ).replace(b"PK\1\2", b"PK\1\2", 1),
            "model.pt",
        ),
        "refused",
        "model.pt holds two parts of the same name.",
    ),
)


def odd(number: int, tries: str, says: str, *more: Member, **end: object) -> Case:
    """A checkpoint that opens, with a warning about its archive."""
    return Case(
        number,
        tries,
        plain(torch(*more, **end), "model.pt"),
        "opened",
        says,
        "warning",
        check=lambda seen: has_parameters(seen, 2),
    )


OUTSIDE = "1 parts of the archive have names that lead outside a folder, such as"
SEVENTEEN = (
    odd(17, "a part called ../../evil", f"{OUTSIDE} '../../evil'.", Member(b"../../evil", b"x")),
    odd(17, "a part with an absolute name", f"{OUTSIDE} '/etc/cron.d/evil'.", Member(b"/etc/cron.d/evil", b"x")),
    odd(17, "a part called C:\\evil", OUTSIDE, Member(b"C:\\Windows\\evil.dll", b"x")),
    odd(17, "a part called ..\\evil", OUTSIDE, Member(b"archive\\..\\..\\evil", b"x")),
    odd(
        17,
        "two names that differ in capital letters",
        "1 parts of the archive differ from others only in capital",
        Member(b"archive/DATA.pkl", b"x"),
    ),
    Case(
        17,
        "a name that goes on after a NUL",
        plain(torch(Member(b"archive/x\0.png", b"x")), "model.pt"),
        "refused",
        "model.pt: the name of the part 'archive/x' goes on after a NUL.",
    ),
    Case(
        17,
        "one name twice",
        plain(lambda f: torch(Member(b"archive/data.pkl", hostile(f))), "model.pt"),
        "refused",
        "model.pt holds two parts of the same name. It was not read further.",
    ),
    odd(
        17,
        "a name with a bidirectional mark and a line break",
        "such as '../a",
        Member("../a\u202e\nb\x1b[31m".encode(), b"x", flags=0x800),
    ),
    Case(
        17,
        "two data.pkl in two folders",
        plain(lambda f: torch(Member(b"a/data.pkl", hostile(f)), Member(b"a/data/0", bytes(8))), "model.pt"),
        "opened",
        "The archive holds 2 objects (data.pkl); the one in 'a' is shown.",
        "warning",
    ),
)

SECRET = Member(b"archive/data.pkl", STATE, flags=1, raw=b"\x7f" * 12 + STATE)
NINETEEN = (
    Case(
        19,
        "an encrypted checkpoint",
        plain(torch(data=SECRET), "model.pt"),
        "refused",
        "model.pt is protected by a password. Unpack it, then open what is in it.",
    ),
    Case(
        19,
        "an encrypted .keras",
        plain(
            written([Member(b"config.json", b"{}", flags=1, raw=b"\x7f" * 14), Member(b"metadata.json", b"{}")]),
            "model.keras",
        ),
        "refused",
        "model.keras is protected by a password.",
    ),
    Case(
        19,
        "an encrypted .pt2",
        plain(
            written(
                [Member(b"m/archive_format", b"pt2"), Member(b"m/models/model.json", b"{}", flags=1, raw=b"\x7f" * 14)]
            ),
            "model.pt2",
        ),
        "refused",
        "model.pt2 is protected by a password.",
    ),
)

LINK, DEVICE = 0o120777, 0o020666
WIDE = struct.pack("<HHQQ", 1, 16, 1 << 62, 1 << 62)
TWENTY = (
    odd(
        20,
        "a member that is a link",
        "1 parts of the archive are links or devices, such as 'archive/link'.",
        Member(b"archive/link", b"/etc/passwd", mode=LINK),
    ),
    odd(
        20,
        "a storage that is a link",
        "are links or devices, such as 'archive/data/1'.",
        Member(b"archive/data/1", b"/etc/passwd", mode=LINK),
    ),
    odd(
        20,
        "a member that is a device",
        "1 parts of the archive are links or devices, such as 'archive/zero'.",
        Member(b"archive/zero", b"", mode=DEVICE),
    ),
    Case(
        20,
        "sizes of 2^62 by zip64",
        plain(
            torch(data=Member(b"archive/data.pkl", STATE, size=0xFFFFFFFF, packed=0xFFFFFFFF, extra=WIDE)), "model.pt"
        ),
        "refused",
        "model.pt: the part 'archive/data.pkl' claims more bytes than the archive has.",
    ),
    Case(
        20,
        "an end that claims 65,535 members",
        plain(torch(count=0xFFFF), "model.pt"),
        "opened",
        "",
        check=lambda seen: has_parameters(seen, 2),
    ),
    Case(
        20,
        "a member that begins behind the end",
        plain(torch(Member(b"archive/x", b"x", at=1 << 31)), "model.pt"),
        "refused",
        "model.pt: the part 'archive/x' claims more bytes than the archive has.",
    ),
    odd(
        20,
        "an archive behind a PDF",
        "37 bytes stand before the archive: it may be two files in one.",
        before=b"PK\x03\x04%PDF-1.7\n" + b"%" * 24,
    ),
    Case(
        20,
        "a PDF in front, an archive behind",
        plain(torch(before=b"%PDF-1.7\n"), "model.pt"),
        "refused",
        "model.pt is a PDF document.",
    ),
    Case(
        20,
        "a safetensors file in the comment",
        plain(torch(comment=struct.pack("<Q", 2) + b"{}"), "model.pt"),
        "opened",
        "The archive has a comment of 10 bytes.",
        "info",
    ),
    Case(
        20,
        "a safetensors file in front, an archive behind",
        plain(torch(before=struct.pack("<Q", 2) + b"{}"), "model.safetensors"),
        "refused",
        "model.safetensors",
    ),
)

CASES = (*SIXTEEN, *SEVENTEEN, *NINETEEN, *TWENTY)
