"""Named arrays in a .npz file, as they travel between run workers.

Names of models hold `/`, `:` and worse, and numpy reserves some for itself; so members are numbered and the names
stand in a list of their own. A .npz of the user's, with plain names, is read by the same function.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from inspector.errors import InspectorError

Arrays = dict[str, NDArray[Any]]
NAMES = "__names__"


def save(file: Path, arrays: Arrays) -> None:
    """Write arrays under their names, in order; text arrays as numpy text."""
    members = {f"a{i:05d}": _storable(array) for i, array in enumerate(arrays.values())}
    names: dict[str, Any] = {NAMES: np.array(list(arrays), dtype=np.str_)}
    np.savez(file, allow_pickle=False, **names, **members)


def load(file: Path) -> Arrays:
    """Read what `save` wrote, or a .npz of the user's.

    Raises:
        InspectorError: It is no .npz, or holds pickled objects.
    """
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            members = archive.files
            if NAMES in members:
                names = [str(name) for name in archive[NAMES]]
                return {name: archive[f"a{i:05d}"] for i, name in enumerate(names)}
            return {name: archive[name] for name in members}
    except (ValueError, OSError, BadZipFile, KeyError, EOFError, AttributeError, TypeError) as error:
        raise InspectorError(
            f"{file.name} is not a .npz file of plain arrays.", "Write it with numpy.savez, one array for each input."
        ) from error


def _storable(array: NDArray[Any]) -> NDArray[Any]:
    array = np.asarray(array)
    if array.dtype.kind != "O":
        return array
    texts = [item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in array.ravel()]
    return np.array(texts, dtype=np.str_).reshape(array.shape)
