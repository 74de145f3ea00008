"""The sandbox of macOS (Seatbelt), entered by the process itself: which files, sockets and programs it can still reach.

`sandbox_init` of libsandbox takes a profile in its own language, of which the last rule that matches wins. Apple calls
it deprecated and offers nothing else to a program that is no app bundle; browsers and build tools rely on it. What it
is worth is not taken on trust: `inspector.worker.sandbox` tries the doors afterwards, and says what it found.

Only contents are denied, not the existence of files: resolving a path looks at every folder on the way.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from pathlib import Path

PRIVATE = ("/Users", "/Volumes", "/Network", "/private/tmp", "/private/var", "/private/etc", "/Library/Keychains")
"""Where files of users and of the machine lie."""
ALWAYS = ("/private/etc/localtime", "/private/var/db/timezone", "/private/var/db/dyld")
"""What of it the interpreter and the system's own libraries read."""
DEVICES = ("/dev/null", "/dev/zero", "/dev/dtracehelper")


def profile(reads: Iterable[Path] | None, writes: Iterable[Path]) -> str:
    """The rules: nothing is written but beneath `writes`, nobody is called, nothing is started.

    Args:
        reads: Of the places of users only these are read; None leaves reading as it is.
        writes: Folders.
    """
    rules = ["(version 1)", "(allow default)", "(deny network*)", "(deny process-exec*)", "(deny file-write*)"]
    if reads is not None:
        beneath = [*ALWAYS, *(str(path) for path in reads)]
        rules += [f"(deny file-read-data {' '.join(_subpath(path) for path in PRIVATE)})"]
        rules += [f"(allow file-read-data {_subpath(path)})" for path in beneath]
    rules += [f"(allow file-write* {_subpath(str(path))})" for path in writes]
    rules += [f"(allow file-write-data (literal {_quoted(path)}))" for path in DEVICES]
    return "\n".join(rules)


def restrict(rules: str) -> bool:
    """Enter the sandbox, for good; whether the system took the rules."""
    try:
        library = ctypes.CDLL("libsandbox.dylib")
        message = ctypes.c_char_p()
        taken: int = library.sandbox_init(rules.encode(), ctypes.c_uint64(0), ctypes.byref(message))
    except (OSError, AttributeError):
        return False
    return taken == 0


def _subpath(path: str) -> str:
    return f"(subpath {_quoted(path)})"


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
