"""Where a result goes when nobody says: beside its source, under a sensible name that is not taken."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

# Suffixes that say what the file was, and would be a lie in the name of the result.
TELLING = frozenset({".torchscript", ".saved_model", ".savedmodel", ".traced", ".scripted", ".jit", ".export"})


def stem_of(source: Path) -> str:
    """The name without what says its format: `digits_mlp.torchscript.pt` gives `digits_mlp`."""
    name = source.name if source.is_dir() else source.stem
    while Path(name).suffix.lower() in TELLING:
        name = Path(name).stem
    for tail in ("_saved_model", "_savedmodel"):
        name = name.removesuffix(tail) or name
    return name or "model"


def default_destination(source: Path, suffix: str) -> Path:
    """A path that does not exist, in the source's folder where one may write there, else in the home folder.

    Args:
        source: The model that is converted.
        suffix: Suffix of the result; empty for a folder, which is told by its name.
    """
    folder = source.absolute().parent
    if not os.access(folder, os.W_OK):
        folder = Path.home()
    stem = stem_of(source) + ("" if suffix else "_saved_model")
    for number in count(1):
        path = folder / f"{stem}{'' if number == 1 else f'-{number}'}{suffix}"
        if not path.exists() and not path.is_symlink():
            return path
    raise AssertionError("unreachable: numbers do not end")


def objection(text: str, source: Path) -> str:
    """Why a result cannot go there, in one sentence; empty when it can."""
    if not text.strip():
        return "Say where the result should go."
    path = Path(text).expanduser()
    if not path.is_absolute():
        return "Write the whole path, or use Browse."
    if path == source or (path.exists() and source.exists() and path.samefile(source)):
        return "That is the model itself: choose another name."
    if not path.parent.is_dir():
        return f"There is no folder {path.parent}."
    if not os.access(path.parent, os.W_OK):
        return f"You may not write in {path.parent}."
    return ""
