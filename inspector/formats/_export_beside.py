"""What lies in an exported program's archive beside the program, and what loading it would run.

Constants that are no tensors and the inputs that the author tried are pickles; a compiled package carries libraries.
Nothing of it is needed to show the program, so it is only looked at and named.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator

from inspector.errors import FormatError
from inspector.formats._globals import warnings
from inspector.formats._pickle import Unpickled, survey
from inspector.formats._zip import BROKEN, Archive
from inspector.ir import Note

LARGEST = 16 << 20
MOST = 100
PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
LIBRARIES = (".so", ".dll", ".dylib", ".o", ".obj", ".cubin", ".pyd")


def beside(zipped: Archive) -> Iterator[Note]:
    """Notes on pickles and machine code in the archive."""
    yield from warnings(_pickles(zipped))
    libraries = [name for name in zipped.names if name.lower().endswith(LIBRARIES)]
    if libraries:
        text = f"The archive holds machine code: {', '.join(name[:200] for name in libraries[:3])}"
        more = f" and {len(libraries) - 3:,} more" if len(libraries) > 3 else ""
        yield Note("warning", f"{text}{more}.", "Loading it as a compiled package runs that code; it was not read.")


def _pickles(zipped: Archive) -> list[Unpickled]:
    """The pickles among the members, plain or in archives of their own."""
    found: list[Unpickled] = []
    for name in zipped.names:
        held = "/constants/" in name or "/sample_inputs/" in name or name.startswith(("serialized_", "extra_files/"))
        if not held or name.endswith(".json") or not 0 < zipped.size(name) <= LARGEST or len(found) >= MOST:
            continue
        try:
            data = zipped.read(name, LARGEST)
            if data.startswith(PICKLES):
                found.append(survey(data, name))
            elif data.startswith(b"PK"):
                found += _inner(zipped, name)
        except FormatError:
            continue  # whoever needs the part says that it is damaged
    return found


def _inner(zipped: Archive, name: str) -> list[Unpickled]:
    """The pickle of a file of torch.save within the archive."""
    try:
        with zipped.open(name) as file, zipfile.ZipFile(file) as inner:
            nested = Archive(file, inner, name)
            objects = [member for member in nested.names if member.rpartition("/")[2] == "data.pkl"]
            return [survey(nested.read(member, LARGEST), name) for member in objects[:MOST]]
    except BROKEN:
        return []
