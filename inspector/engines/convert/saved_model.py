"""Signatures of a SavedModel, read from its protocol buffer without loading it."""

from __future__ import annotations

from pathlib import Path

from inspector.errors import ConversionError

DEFAULT = "serving_default"


def signatures(folder: Path) -> list[str]:
    """Names of the signatures that can be called; TensorFlow's protocol buffers must be there."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    model = SavedModel()
    try:
        model.ParseFromString((folder / "saved_model.pb").read_bytes())
    except Exception as error:
        raise ConversionError(
            f"{folder.name} is not a SavedModel that TensorFlow can read.", "Export it again."
        ) from error
    return sorted(
        name for graph in model.meta_graphs for name in graph.signature_def if not name.startswith("__saved_model")
    )


def choose(folder: Path, wanted: str = "") -> str:
    """The signature to convert.

    Raises:
        ConversionError: There is none, the one wanted is not there, or there are several and none is the default.
    """
    names = signatures(folder)
    if not names:
        raise ConversionError("The SavedModel has no signature, so nothing in it can be called.", "Export it with one.")
    if wanted:
        if wanted not in names:
            raise ConversionError(f"The SavedModel has no signature {wanted!r}.", f"It has: {', '.join(names)}.")
        return wanted
    if DEFAULT in names:
        return DEFAULT
    if len(names) > 1:
        raise ConversionError("The SavedModel has several signatures.", f"Choose one of: {', '.join(names)}.")
    return names[0]
