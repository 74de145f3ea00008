"""`inspector integrate [--remove]`: menu entry, icons and file types for the user, by the freedesktop.org rules.

The MIME description is made from the formats themselves, so that a new format is known to the desktop without another
edit; `resources/desktop/inspector-mime.xml` is the same text for packages, and a test keeps the two equal. Types that
are zip archives say so (`sub-class-of`), because else the desktop prefers "zip archive" by its magic over our suffix.

Sources: Desktop Entry Specification 1.5, Shared MIME-info Database 0.21, Icon Theme Specification 0.13.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from inspector.assets import resource
from inspector.errors import InspectorError
from inspector.formats import Format, formats

DESKTOP = "inspector.desktop"
MIME = "inspector-mime.xml"
PRINTABLE = range(0x20, 0x7F)
MEMBER = 200
"""Bytes in which the telling part of an archive's first name is looked for."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    parser.add_argument("--remove", action="store_true", help="take everything out again")
    parser.add_argument(
        "--default",
        action="store_true",
        help="also make Inspector the program that a double-click on these files opens",
    )


def run(args: argparse.Namespace) -> int:
    """Install or remove."""
    if sys.platform != "linux":
        raise InspectorError(
            "This command is for Linux desktops.",
            "On Windows and macOS the packaged application declares its file types.",
        )
    data = Path(os.environ.get("XDG_DATA_HOME", "") or Path.home() / ".local" / "share")
    places = targets(data)
    if args.remove:
        for place in places:
            place.unlink(missing_ok=True)
        print("Inspector has been taken out of the desktop.")
    else:
        for place, text in places.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        print(
            f"Inspector is in the menu; {len(mime_types())} file types open with it. Undo: inspector integrate --remove"
        )
    refresh(data)
    if args.default and not args.remove:
        tool("xdg-mime", "default", DESKTOP, *mime_types())
    return 0


def targets(data: Path) -> dict[Path, str]:
    """What is installed where."""
    icons = data / "icons" / "hicolor" / "scalable"
    file_icon = resource("icons", "inspector-file.svg").read_text(encoding="utf-8")
    files = {
        data / "applications" / DESKTOP: desktop_entry(),
        data / "mime" / "packages" / MIME: mime_xml(),
        icons / "apps" / "inspector.svg": resource("icons", "inspector.svg").read_text(encoding="utf-8"),
    }
    return files | {icons / "mimetypes" / f"{name.replace('/', '-')}.svg": file_icon for name in mime_types()}


def desktop_entry() -> str:
    """The entry with this installation's command and all types."""
    command = shutil.which("inspector")
    start = quoted(command) if command else f"{quoted(sys.executable)} -m inspector"
    text = resource("desktop", DESKTOP).read_text(encoding="utf-8")
    return text.replace("Exec=inspector %F", f"Exec={start} %F") + f"MimeType={';'.join(mime_types())};\n"


def quoted(path: str) -> str:
    """A path as an Exec key needs it."""
    safe = path.replace("\\", "\\\\").replace('"', '\\"').replace("`", "\\`").replace("$", "\\$").replace("%", "%%")
    return f'"{safe}"' if safe != path or " " in path else path


def mime_types() -> tuple[str, ...]:
    """Every type that a format declares, once."""
    return tuple(dict.fromkeys(fmt.mime for fmt in formats().values() if fmt.mime))


def mime_xml() -> str:
    """The description of our types for the shared MIME database."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">',
    ]
    for name in mime_types():
        lines += mime_type(name, [fmt for fmt in formats().values() if fmt.mime == name])
    return "\n".join([*lines, "</mime-info>", ""])


def mime_type(name: str, sharing: list[Format]) -> list[str]:
    """One type: its comment, parent, magic and suffixes."""
    lines = [
        f"  <mime-type type={quoteattr(name)}>",
        f"    <comment>{escape(' or '.join(f.title for f in sharing))}</comment>",
    ]
    magic = list(dict.fromkeys(pair for fmt in sharing for pair in fmt.magic))
    archive = [pair for pair in magic if pair[1].startswith(b"PK")]
    inside = [pair for pair in magic if archive and pair not in archive]
    if archive:
        lines.append('    <sub-class-of type="application/zip"/>')
    lines.append('    <generic-icon name="application-x-executable"/>')
    if magic and (inside or not archive):  # the archive's own magic alone says nothing about what is in it
        lines.append(f'    <magic priority="{70 if inside else 60}">')  # an archive must beat plain zip, which has 60
        for offset, value in archive or magic:
            match = f'      <match type="string" value="{literal(value)}" offset="{offset}"'
            if not inside:
                lines.append(match + "/>")
                continue
            lines.append(match + ">")
            lines += [
                f'        <match type="string" value="{literal(each)}" offset="{first}:{first + MEMBER}"/>'
                for first, each in inside
            ]
            lines.append("      </match>")
        lines.append("    </magic>")
    for fmt in sharing:
        lines += [f'    <glob pattern="*{escape(suffix)}"/>' for suffix in fmt.suffixes if suffix]
        if "" in fmt.suffixes:
            lines.append('    <glob pattern="saved_model.pb" weight="80"/>')
    return [*dict.fromkeys(lines), "  </mime-type>"]


def literal(value: bytes) -> str:
    """Bytes as a match value: printable ones as they are, others as \\xNN."""
    special = b'"&<>\\'
    return "".join(chr(b) if b in PRINTABLE and b not in special else f"\\x{b:02x}" for b in value)


def refresh(data: Path) -> None:
    """Let the desktop read its databases again; a tool that is missing is not needed there."""
    tool("update-mime-database", str(data / "mime"))
    tool("update-desktop-database", "-q", str(data / "applications"))
    tool("gtk-update-icon-cache", "-q", "-t", "-f", str(data / "icons" / "hicolor"))


def tool(*command: str) -> None:
    """Run a desktop tool where it is installed."""
    if shutil.which(command[0]):
        subprocess.run(command, check=False, capture_output=True, timeout=60)
