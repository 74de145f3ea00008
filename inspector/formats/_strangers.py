"""Files that are met where models lie and that we do not read: what each is, and what to do with it."""

from __future__ import annotations

import re
import tarfile
from itertools import islice
from pathlib import PurePosixPath

from inspector.errors import FormatError
from inspector.formats._format import Glimpse
from inspector.formats._globals import asked, grade
from inspector.formats._pickle import Unpickled, survey
from inspector.formats._source import Source
from inspector.formats._strangers_more import more

MODELS = (
    ".onnx", ".pt", ".pth", ".pt2", ".ckpt", ".safetensors", ".keras", ".h5", ".hdf5", ".tflite", ".pb", ".bin",
    ".gguf",
)  # fmt: skip
PICKLE = 64 << 20
STREAMS = 16
PROTOCOLS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
APE = b"MZqFpD"
"""How a program for every system begins, such as a llamafile."""
HDF5 = b"\x89HDF\r\n\x1a\n"
NCNN = re.compile(rb"\s*7767517\s")
CAFFE = re.compile(rb"^\s*(name\s*:.*\n)?\s*(layers?|input)\s*[:{]", re.IGNORECASE)
OLD = re.compile(rb"[(\]}cSI]|\x80\x01")

HEADS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x93NUMPY", "is a NumPy array", "It holds numbers, not a model; use it as input for a model."),
    (0, b"lmgg", "is an old GGML file for llama.cpp", "Open the model that it was made from."),
    (0, b"tjgg", "is an old GGML file for llama.cpp", "Open the model that it was made from."),
    (4, b"ET12", "is an ExecuTorch program", "Open the .pt2 file that it was made from."),
    (4, b"PTMF", "is a TorchScript program for phones", "Open the .pt file that it was made from."),
    (4, b"MSL2", "is a MindSpore Lite model", "Open the model that it was made from."),
    (0, b"CBM1", "is a CatBoost model", "Export it to ONNX with CatBoost, then open that."),
    (0, b"ML\xefR", "is an MLIR program", "Open the model that it was made from."),
    (0, b"IMOD", "is an offline model for Ascend devices", "Open the model that it was made from."),
    (0, b"LDMK", "is a model for Kendryte devices", "Open the model that it was made from."),
    (1, b"HEF", "is a model for Hailo devices", "Open the model that it was made from."),
    (0, b"LITERTLM", "is a LiteRT-LM package", "Open the .tflite models that it was made from."),
    (4, b"ORTM", "is a model in ONNX Runtime's own form (.ort)", "Open the .onnx file that it was made from."),
    (0, b"ptrt", "is a TensorRT engine", "It is compiled for one graphics card; open the model that it was made from."),
    (0, b"ftrt", "is a TensorRT engine", "It is compiled for one graphics card; open the model that it was made from."),
    (0, b"RKNN", "is an RKNN model for Rockchip devices", "Open the model that it was made from."),
    (0, b"SQLite format 3\0", "is a SQLite database", "Open a model file."),
    (0, b"%PDF", "is a PDF document", "Open a model file."),
    (0, b"\x89PNG", "is a picture", "Open a model file."),
    (0, b"\xff\xd8\xff", "is a picture", "Open a model file."),
    (0, b"\x7fELF", "is a compiled program or library", "Open the model that it was made from."),
    (0, b"MZ", "is a program for Windows", "Do not run it to see what it is."),
)
"""What the first bytes give away: where they stand, what they are, what the file is, what to do."""


def strange(glimpse: Glimpse) -> FormatError | None:
    """What a file is, where it can be told; None else."""
    name = glimpse.path.name
    if glimpse.entries:
        return _folder(glimpse)
    if glimpse.members:
        return _zip(glimpse)
    if glimpse.head.startswith(APE):
        return more(glimpse, _models)
    for at, mark, what, hint in HEADS:
        if glimpse.head[at : at + len(mark)] == mark:
            return FormatError(f"{name} {what}.", hint=hint)
    if glimpse.head.startswith(HDF5):
        return FormatError(f"{name} is an HDF5 file without a Keras model.", hint="Open the file that Keras saved.")
    if glimpse.head[257:262] == b"ustar":
        return _tar(glimpse)
    return _text(glimpse) or _joblib(glimpse) or _pickle(glimpse) or _coreml(glimpse) or more(glimpse, _models)


def _folder(glimpse: Glimpse) -> FormatError | None:
    name, entries = glimpse.path.name or str(glimpse.path), set(glimpse.entries)
    if ("Manifest.json" in entries and "Data" in entries) or "coremldata.bin" in entries:
        return FormatError(f"{name} is a CoreML package.", hint="Open the model that it was made from.")
    if "_CHECKPOINT_METADATA" in entries or ("_METADATA" in entries and "manifest.ocdbt" in entries):
        return FormatError(f"{name} is an Orbax checkpoint.", hint="Save it as safetensors, then open that.")
    if "__model__" in entries or any(entry.endswith(".pdmodel") for entry in entries):
        return FormatError(f"{name} is a PaddlePaddle model.", hint="Convert it with paddle2onnx, then open that.")
    inside = _models(glimpse.entries)
    if inside:
        return FormatError(f"{name} is a folder.", hint=f"Open the model in it: {inside}.")
    return None


def _zip(glimpse: Glimpse) -> FormatError | None:
    name, members = glimpse.path.name, glimpse.members
    if all(member.endswith(".npy") for member in members):
        return FormatError(
            f"{name} is a NumPy archive of {len(members):,} array{'s' if len(members) != 1 else ''}.",
            hint="It holds numbers, not a model; use it as input for a model.",
        )
    if "MAR-INF/MANIFEST.json" in members:
        return FormatError(
            f"{name} is an archive for TorchServe.", hint="Unpack it, then open the model that is in it."
        )
    if any(member.endswith(".mlmodel") for member in members):
        return FormatError(f"{name} is a CoreML package.", hint="Open the model that it was made from.")
    if any(member.endswith("/.data/extern_modules") for member in members):
        return FormatError(f"{name} is a package of torch.package.", hint="It holds code; open the weights instead.")
    inside = _models(members)
    if inside:
        return FormatError(f"{name} is a zip archive with a model inside.", hint=f"Unpack it, then open {inside}.")
    return None


def _models(names: tuple[str, ...]) -> str:
    """Names of models among others, as words."""
    found = [name for name in names if PurePosixPath(name).suffix.lower() in MODELS]
    return ", ".join(name[:100] for name in found[:3]) + (f" and {len(found) - 3:,} more" if len(found) > 3 else "")


def _tar(glimpse: Glimpse) -> FormatError:
    name = glimpse.path.name
    names: tuple[str, ...] = ()
    try:
        with Source(glimpse.path).open() as file, tarfile.open(fileobj=file, mode="r:") as tar:
            names = tuple(member.name for member in islice(tar, 1000))
    except (tarfile.TarError, OSError, ValueError, EOFError, FormatError, OverflowError):
        return FormatError(f"{name} is a tar archive that is cut off or damaged.", hint="Fetch or copy it again.")
    if {"pickle", "storages", "tensors"} <= set(names):
        text = f"{name} is a checkpoint of PyTorch before 0.1.10 that is cut off or damaged."
        return FormatError(text, hint="Fetch or copy it again.")
    inside = _models(names)
    if inside:
        return FormatError(f"{name} is a tar archive with a model inside.", hint=f"Unpack it, then open {inside}.")
    return FormatError(f"{name} is a tar archive.", hint="Unpack it, then open what is in it.")


def _text(glimpse: Glimpse) -> FormatError | None:
    name, head = glimpse.path.name, glimpse.head.removeprefix(b"\xef\xbb\xbf")
    if NCNN.match(head):
        return FormatError(f"{name} is an NCNN model.", hint="Open the model that it was made from.")
    if b'"weight_map"' in head and head.lstrip().startswith(b"{"):
        return FormatError(
            f"{name} is the index of a checkpoint in files that we do not read.",
            hint="Open one of the files that it names.",
        )
    if CAFFE.match(head) and b"type" in head and glimpse.path.suffix in (".prototxt", ".txt"):
        return FormatError(f"{name} is a Caffe model.", hint="Convert it to ONNX, then open that.")
    return None


def _joblib(glimpse: Glimpse) -> FormatError | None:
    """joblib writes pickles with arrays between them, often packed."""
    head, suffix = glimpse.head, glimpse.path.suffix.lower()
    packed = suffix == ".joblib" and head[:1] in (b"x", b"\x1f", b"B", b"\xfd", b"\x04", b"]")
    if not packed and b"joblib.numpy_pickle" not in head and not (b"sklearn." in head and head.startswith(PROTOCOLS)):
        return None
    what = "a scikit-learn model" if b"sklearn." in head else "a joblib file"
    return FormatError(
        f"{glimpse.path.name} is {what}: a pickle, which runs what it names when it is loaded.",
        hint="Export the model to ONNX with skl2onnx, then open that.",
    )


def _pickle(glimpse: Glimpse) -> FormatError | None:
    """A pickle without tensors; a hostile one is named as such."""
    plain = glimpse.head.startswith(PROTOCOLS)
    if not plain and not OLD.match(glimpse.head):
        return None
    try:
        with Source(glimpse.path).open() as file:
            found = _streams(file.read(PICKLE))
    except (FormatError, OSError):
        return None
    names, _ = asked(found)
    if not plain and (not names or (found[0].broken is not None and not any(names.values()))):
        return None  # a text that begins like one
    return _asked(glimpse.path.name, names)


def _streams(data: bytes) -> list[Unpickled]:
    """The pickles that stand one after another in a file."""
    found: list[Unpickled] = []
    at = 0
    while at < len(data) and len(found) < STREAMS and (not found or found[-1].broken is None):
        found.append(survey(data, "pickle", at))
        at = found[-1].end
    return found


def _asked(name: str, names: dict[str, bool]) -> FormatError:
    bad = sorted((path for path in names if grade(path) == "danger"), key=lambda path: not names[path])
    if bad:
        words = ", ".join(path[:200] for path in bad[:5])
        text = (
            f"{name} is a Python pickle that asks to run {words}; {'it was' if len(bad) == 1 else 'they were'} not run."
        )
        return FormatError(text, hint="Do not load it.")
    needs = f" It needs {', '.join(path[:100] for path in list(names)[:3])}." if names else ""
    return FormatError(
        f"{name} is a Python pickle without a model that we know.{needs}",
        hint="Loading a pickle runs what it names; export the model to another format.",
    )


def _coreml(glimpse: Glimpse) -> FormatError | None:
    # A small number of the specification, then a description: a protocol buffer like others, so the name decides.
    if glimpse.path.suffix.lower() == ".mlmodel" and glimpse.head.startswith(b"\x08"):
        return FormatError(f"{glimpse.path.name} is a CoreML model.", hint="Open the model that it was made from.")
    return None
