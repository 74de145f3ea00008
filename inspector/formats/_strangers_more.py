"""More of what is met where models lie: packed files with a model inside, parts of models, other tools' forms."""

from __future__ import annotations

import bz2
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from inspector.errors import FormatError
from inspector.formats._format import Glimpse
from inspector.formats._source import Source
from inspector.formats._zip import BROKEN

LOOK = 1 << 20
"""Bytes of a packed file that are read, and bytes of it that are unpacked."""
MADE_FROM = "Open the model that it was made from."

SUFFIXES: dict[str, tuple[str, str]] = {
    ".pdmodel": ("is a PaddlePaddle model", "Convert it with paddle2onnx, then open that."),
    ".pdiparams": ("holds the weights of a PaddlePaddle model", "Convert the model with paddle2onnx, then open that."),
    ".pdparams": ("holds the weights of a PaddlePaddle model", "Convert the model with paddle2onnx, then open that."),
    ".caffemodel": ("holds the weights of a Caffe model", "Convert it to ONNX, then open that."),
    ".weights": ("holds the weights of a Darknet model", "Convert it to ONNX, then open that."),
    ".mnn": ("is an MNN model", MADE_FROM),
    ".tmfile": ("is a Tengine model", MADE_FROM),
    ".mindir": ("is a MindSpore model", "Export it to ONNX with MindSpore, then open that."),
    ".engine": ("is an engine that was compiled for one device", MADE_FROM),
    ".plan": ("is an engine that was compiled for one device", MADE_FROM),
    ".msgpack": ("is a file of arrays as Flax writes it", "Convert it to safetensors, then open that."),
    ".index": ("is the index of a TensorFlow checkpoint", "Open the SavedModel, or export one from the checkpoint."),
    ".meta": ("is the graph of a TensorFlow checkpoint", "Export a SavedModel or a frozen graph, then open that."),
    ".dlc": ("is a model for Qualcomm's devices", MADE_FROM),
    ".param": ("is an NCNN model", "Convert the model that it was made from to ONNX, or open that."),
}
"""What a file of bytes is by its suffix, where the bytes say nothing."""

KEYS: tuple[tuple[bytes, str, str], ...] = (
    (rb'"arg_nodes"\s*:', "is the graph of an MXNet model", "Export it to ONNX with MXNet, then open that."),
    (rb'"base_code"\s*:', "is a PaddlePaddle model", "Convert it with paddle2onnx, then open that."),
    (rb'"learner"\s*:', "is an XGBoost model", "Convert it with onnxmltools, then open that."),
    (rb'"added_tokens"\s*:', "is a tokenizer, not a model", "Open the weights beside it."),
    (rb'"(architectures|model_type)"\s*:', "is a configuration without weights", "Open the weights beside it."),
    (rb'"class_name"\s*:', "is the architecture of a Keras model, without weights", "Open the .keras or .h5 file."),
    (rb'"error"\s*:', "is the answer of a server that refused, not a model", "Fetch it again; you may have to log in."),
)  # fmt: skip
"""What a JSON object is by a key that stands early in it."""

REFUSALS = re.compile(
    rb"(404:? )?not found|entry not found|access (to|denied)|invalid (username|credentials)|forbidden"
    rb"|(<\?xml[^>]{0,99}>\s*)?<error>\s*<code>",
    re.I,
)
TENSORFLOW = re.compile(r"\.data-\d{5}-of-\d{5}$")
MXNET = b"\x12\x01\0\0\0\0\0\0"


def more(glimpse: Glimpse, models: Callable[[tuple[str, ...]], str]) -> FormatError | None:
    """What a file is, where it can be told; None else.

    Args:
        glimpse: What may be looked at.
        models: The names of models among names, as words.
    """
    if glimpse.head.startswith(b"MZqFpD"):
        return _llamafile(glimpse)
    return _packed(glimpse, models) or _words(glimpse) or _companion(glimpse) or _named(glimpse)


def _said(glimpse: Glimpse, what: str, hint: str) -> FormatError:
    return FormatError(f"{glimpse.path.name} {what}.", hint=hint)


def _llamafile(glimpse: Glimpse) -> FormatError:
    """A program for every system, with a model in the zip archive at its end."""
    names: tuple[str, ...] = ()
    try:
        with Source(glimpse.path).open() as file, zipfile.ZipFile(file) as archive:
            names = tuple(name for name in archive.namelist()[:1000] if name.endswith(".gguf"))
    except (*BROKEN, FormatError):
        pass
    hint = f"Unpack {names[0][:100]} with unzip and open that." if names else "Unpack it with unzip."
    return _said(glimpse, "is a llamafile: a program with a model inside, which was not run", hint)


def _packed(glimpse: Glimpse, models: Callable[[tuple[str, ...]], str]) -> FormatError | None:
    """A packed file in which a model can be seen."""
    head = glimpse.head
    makers: dict[bytes, tuple[str, Callable[[], Any]]] = {
        b"\x1f\x8b": (" gzip file", lambda: zlib.decompressobj(wbits=31)),
        b"BZh": (" bzip2 file", bz2.BZ2Decompressor),
        b"\xfd7zXZ": ("n xz file", lambda: lzma.LZMADecompressor(memlimit=1 << 28)),
    }
    what, maker = next((entry for mark, entry in makers.items() if head.startswith(mark)), ("", None))
    if maker is None:
        return None
    try:
        with Source(glimpse.path).open() as file:
            data = maker().decompress(file.read(LOOK), LOOK)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, MemoryError, FormatError):
        return None
    if data[257:262] == b"ustar":
        inside = models(_members(data))
    else:
        stem = PurePosixPath(glimpse.path.name).stem
        inside = models((stem,)) or (stem[:100] if data[:4] == b"GGUF" or data[4:8] == b"TFL3" else "")
    return _said(glimpse, f"is a{what} with a model inside", f"Unpack it, then open {inside}.") if inside else None


def _members(data: bytes) -> tuple[str, ...]:
    """Names in the first part of a tar archive."""
    names: list[str] = []
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            names.extend(member.name for member in islice(tar, 1000))
    except (tarfile.TarError, OSError, ValueError, EOFError, OverflowError):
        pass
    return tuple(names)


def _words(glimpse: Glimpse) -> FormatError | None:
    """JSON and other text of which the beginning says what it is."""
    head = glimpse.head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"{L") and b"learner" in head[:64]:
        return _said(glimpse, KEYS[2][1], KEYS[2][2])
    if head.startswith(b"{"):
        for key, what, hint in KEYS:
            if re.search(key, head):
                return _said(glimpse, what, hint)
        return None
    if glimpse.size < 400 and REFUSALS.match(head):
        return _said(glimpse, "is the answer of a server that refused, not a model", KEYS[-1][2])
    if head.startswith((b"[net]", b"[convolutional]")):
        return _said(glimpse, "is a Darknet model", "Convert it to ONNX, then open that.")
    if head.startswith(b"tree\nversion="):
        return _said(glimpse, "is a LightGBM model", "Convert it with onnxmltools, then open that.")
    if head.startswith(b"model_checkpoint_path:"):
        return _said(glimpse, "names a TensorFlow checkpoint", SUFFIXES[".index"][1])
    if head.startswith(b"<") and re.search(rb"<PMML\b", head):
        return _said(glimpse, "is a PMML model", "Neural networks are better kept as ONNX; open that.")
    if re.match(rb"(#\w+ = .*\n)*\s*module\b.*[{@]", head):
        return _said(glimpse, "is an MLIR program", MADE_FROM)
    return None


def _companion(glimpse: Glimpse) -> FormatError | None:
    """A file of numbers that belongs to another file, which says what they are."""
    path = glimpse.path
    if glimpse.head.startswith(MXNET):
        return _said(glimpse, "holds the weights of an MXNet model", "Export the model to ONNX with MXNet.")
    if TENSORFLOW.search(path.name):
        return _said(glimpse, "holds the weights of a TensorFlow checkpoint", SUFFIXES[".index"][1])
    for suffix, tool in ((".xml", "OpenVINO"), (".param", "NCNN")) if path.suffix.lower() == ".bin" else ():
        beside = path.with_suffix(suffix)
        if _is_file(beside):
            hint = f"Open {beside.name}." if suffix == ".xml" else MADE_FROM
            return _said(glimpse, f"holds the weights of the {tool} model {beside.name}", hint)
    return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _named(glimpse: Glimpse) -> FormatError | None:
    """Bytes that say nothing, under a name that does."""
    what = SUFFIXES.get(glimpse.path.suffix.lower())
    binary = b"\0" in glimpse.head or any(byte < 9 for byte in glimpse.head)
    return _said(glimpse, *what) if what is not None and binary else None
