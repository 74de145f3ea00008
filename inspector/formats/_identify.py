"""Which format a file has: by its bytes; the suffix only breaks ties; never by trying to load."""

from __future__ import annotations

from typing import cast

from inspector.errors import FormatError
from inspector.formats._format import Format, Glimpse, Support
from inspector.formats._source import Source
from inspector.formats._strangers import strange
from inspector.registry import found

PACKED = {
    b"\x1f\x8b": "gzip file", b"BZh": "bzip2 file", b"\xfd7zXZ": "xz file", b"7z\xbc\xaf": "7-Zip archive",
    b"(\xb5/\xfd": "Zstandard file", b"Rar!": "RAR archive",
}  # fmt: skip
"""What packed files begin with."""


def identify(source: Source) -> Format:
    """The format of a file or folder.

    Raises:
        FormatError: It is none that we know; the message names what it is where that is plain to see.
    """
    glimpse = source.glimpse()
    known = cast("dict[str, Format]", found("inspector.formats", "FORMAT")).values()
    suffix = glimpse.path.suffix.lower()
    ranked = [(fmt.sniff(glimpse), suffix in fmt.suffixes, fmt) for fmt in known]
    fits = [(support, tie, fmt) for support, tie, fmt in ranked if support is Support.YES or (support and tie)]
    if fits:
        return max(fits, key=lambda fit: (fit[0], fit[1]))[2]
    raise stranger(glimpse, sorted(fmt.title for fmt in known))


def stranger(glimpse: Glimpse, titles: list[str]) -> FormatError:
    """What a file is that we do not read, in words, with what to do about it."""
    name, head = glimpse.path.name or str(glimpse.path), glimpse.head
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if glimpse.path.is_dir():
        return strange(glimpse) or FormatError(
            f"{name} is a folder, and there is no model in it that we know.", hint="Open the model file."
        )
    if glimpse.size == 0:
        return FormatError(f"{name} is empty.", hint="The download or copy failed; fetch it again.")
    if head.startswith(b"version https://git-lfs.github.com/spec/"):
        return FormatError(f"{name} is a Git-LFS pointer, not the model.", hint="Run: git lfs pull")
    if text.startswith((b"<!doctype html", b"<html")):
        return FormatError(
            f"{name} is a web page, not a model.", hint="The download gave an error page; fetch it again."
        )
    if glimpse.path.suffix in {".part", ".crdownload", ".download", ".partial"}:
        return FormatError(
            f"{name} is an unfinished download.", hint="Wait until it is done, then open the whole file."
        )
    known = strange(glimpse)
    if known is not None:
        return known
    if head.startswith(b"PK"):
        if not glimpse.members:
            return FormatError(f"{name} is a zip archive that is cut off or damaged.", hint="Fetch or copy it again.")
        return FormatError(
            f"{name} is a zip archive without a model that we know.", hint="Unpack it, then open what is in it."
        )
    packed = next((what for mark, what in PACKED.items() if head.startswith(mark)), "")
    if packed:
        return FormatError(f"{name} is a {packed}, not a model.", hint="Unpack it, then open what is in it.")
    if b"\0" not in head and all(byte >= 9 for byte in head):
        return FormatError(f"{name} is a text file, not a model.", hint="Known: " + ", ".join(titles) + ".")
    return FormatError(f"{name} is not a model that we know.", hint="Known: " + ", ".join(titles) + ".")
