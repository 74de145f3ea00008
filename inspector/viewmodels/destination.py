"""Where a result goes when nobody says: beside its source, under a sensible name that is not taken.

Where one may not write there, and for our own samples, whose folder is part of the program, it goes to the user's
documents.
"""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

from PySide6.QtCore import QStandardPaths

from inspector.assets import resources

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


def folder_for(source: Path) -> Path:
    """The folder for what is made of a model: its own, or the user's documents where nothing belongs in that."""
    folder = source.absolute().parent
    if os.access(folder, os.W_OK) and not source.resolve().is_relative_to(resources()):
        return folder
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    usable = bool(documents) and Path(documents).is_dir() and os.access(documents, os.W_OK)
    return Path(documents) if usable else Path.home()


def default_destination(source: Path, suffix: str) -> Path:
    """A path that does not exist, in `folder_for` the source.

    Args:
        source: The model that is converted.
        suffix: Suffix of the result; empty for a folder, which is told by its name.
    """
    folder = folder_for(source)
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
