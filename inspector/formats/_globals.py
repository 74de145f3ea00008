"""What a pickle would import and call, graded: known parts of PyTorch, unknown code, dangerous.

Known names are a list of what checkpoints need to be rebuilt, matched whole: a dotted name such as `torch.os.system`
reaches anything from anywhere and is never known. Everything of Python's own library that is not on the list counts as
dangerous, because no model needs it; what belongs to other packages is unknown: loading the file runs that code.
"""

from __future__ import annotations

import base64
import binascii
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Literal

from inspector.errors import FormatError
from inspector.formats._pickle import NESTED_BYTES, Call, Table, Unpickled, survey
from inspector.ir import Note

Grade = Literal["known", "unknown", "danger"]

KNOWN = frozenset(
    {
        *(f"collections.{name}" for name in ("OrderedDict", "defaultdict", "deque", "Counter")),
        *(
            f"{module}.{name}"
            for module in ("builtins", "__builtin__")
            for name in (
                *("set", "frozenset", "dict", "list", "tuple", "int", "long", "float", "bool", "str", "unicode"),
                *("bytes", "bytearray", "complex", "slice", "range", "xrange", "object", "Ellipsis", "NotImplemented"),
            )
        ),
        *(f"datetime.{name}" for name in ("datetime", "date", "time", "timedelta", "timezone")),
        *(f"pathlib.{name}" for name in ("Path", "PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")),
        *(f"pathlib._local.{name}" for name in ("Path", "PosixPath", "WindowsPath")),
        *(f"numpy{core}.multiarray.{name}" for core in (".core", "._core") for name in ("_reconstruct", "scalar")),
        *(f"numpy{core}.numeric._frombuffer" for core in (".core", "._core")),
        *("numpy.ndarray", "numpy.dtype", "numpy.random._pickle.__randomstate_ctor"),
        *("argparse.Namespace", "types.SimpleNamespace", "copyreg._reconstructor", "copy_reg._reconstructor"),
        *("_codecs.encode", "decimal.Decimal", "fractions.Fraction", "uuid.UUID", "typing.Any"),
        *("torch.Size", "torch.device", "torch.Tensor", "torch.Generator", "torch.storage.UntypedStorage"),
        *("torch.storage.TypedStorage", "torch.storage._TypedStorage", "torch.serialization._get_layout"),
        *("torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer", "torch.nn.parameter.UninitializedParameter"),
        *("torch._tensor._rebuild_from_type_v2", "torch._tensor._rebuild_from_type", "torch.jit._pickle.build_intlist"),
        *(
            "torch.jit._pickle.build_tensorlist",
            "torch.jit._pickle.build_tensor_from_id",
            "torch.jit._pickle.restore_type_tag",
            "torch.jit._pickle.build_doublelist",
            "torch.jit._pickle.build_boollist",
        ),
        *("torch._C._nn.gelu", "torch.utils.hooks.RemovableHandle", "torch.utils.hooks._WeakTensorRef"),
    }
)
"""Names by which checkpoints are rebuilt."""

PATTERNS = re.compile(
    r"torch\._utils\._rebuild_[a-z0-9_]+"
    r"|torch(\.cuda)?\.[A-Z][A-Za-z0-9]*(Storage|Tensor)"
    r"|torch\.(float|double|half|int|long|short|bool|uint|bfloat|complex|qint|quint|float8)[a-z0-9_]*"
    r"|torch\.(strided|sparse_coo|contiguous_format|channels_last|preserve_format)"
    r"|torch\.per_(tensor_affine|tensor_symmetric|channel_affine|channel_affine_float_qparams|channel_symmetric)"
    r"|torch\.nn\.(quantized\.|intrinsic\.)?modules\.[a-z_]+\.[A-Z][A-Za-z0-9]*"
    r"|torch\.ao\.nn\.[a-z_.]+\.modules\.([a-z_]+\.)?[A-Z][A-Za-z0-9]*"
    r"|torch\.nn\.functional\.[a-z][a-z0-9_]*"
    r"|torch\.nn\.init\.[a-z][a-z0-9_]*"
    r"|torch\.nn\.utils\.(parametrizations|weight_norm|spectral_norm)\.[A-Z_][A-Za-z]*"
    r"|torch\.optim\.([a-z_]+\.)?[A-Z][A-Za-z0-9]*"
    r"|numpy\.(dtypes\.[A-Z][A-Za-z0-9]*|float\d+|u?int\d+|bool_|complex\d+)"
)

RUNNERS = frozenset(
    {
        *(
            "distutils",
            "setuptools",
            "pkg_resources",
            "pip",
            "commands",
            "popen2",
            "__main__.__builtins__",
            "__builtin__",
        ),
        *(
            "dill",
            "cloudpickle",
            "cffi",
            "paramiko",
            "fabric",
            "invoke",
            "sh",
            "pexpect",
            "psutil",
            "requests",
            "urllib3",
        ),
        *(
            "aiohttp",
            "httpx",
            "IPython",
            "win32api",
            "win32com",
            "numba",
            "execnet",
            "nt",
            "posix",
            "_winapi",
            "winreg",
        ),
        *("test", "idlelib", "lib2to3", "pydoc", "code"),
    }
)
"""Packages outside of Python's library whose purpose is to run, fetch or unpickle something."""

RUNS = re.compile(
    r"(torch\.(load|hub|jit|package|ops|classes|serialization|utils\.(cpp_extension|data\.datapipes|collect_env|_freeze|bottleneck)"
    r"|_dynamo|_inductor|_export|fx|distributed\.(rpc|run|launch|elastic)|multiprocessing|testing|_C\._jit|_C\._import)(\..*)?)"
    r"|numpy\.(load|loadtxt|fromfile|memmap|testing|f2py|distutils|ctypeslib|lib\.npyio)(\..*)?"
    r"|joblib\.(load|numpy_pickle\..*)|pandas\.(read_\w+|io\..*|eval|DataFrame\.(eval|query))"
    r"|(keras|tensorflow)\.(.*\.)?(load_model|get_file|load|run|py_function)"
    r"|.*\.(eval|exec|system|popen|spawn|Popen|call|check_output|check_call|__import__|import_module|getattr|__reduce__)"
)

INSIDE = frozenset(
    {"os", "sys", "subprocess", "builtins", "importlib", "posix", "ctypes", "pickle", "shutil", "socket", "types"}
)
"""As a middle step of a dotted name these lead out of the package that it begins with."""

MILD = frozenset({"functools.partial", "enum.Enum", "enum.IntEnum", "weakref.ref", "threading.local", "random.Random"})
"""Of Python's own library, what honest modules hold too; harmless by itself."""

SHOWN = 10
DEPTH = 4
LARGEST = 16 << 20


def grade(path: str) -> Grade:
    """How much a name is to be trusted."""
    if path in KNOWN or PATTERNS.fullmatch(path):
        return "known"
    if path in MILD:
        return "unknown"
    steps = path.split(".")
    top = steps[0].strip()
    if top in sys.stdlib_module_names and top != "__main__":
        return "danger"
    if top in RUNNERS or RUNS.fullmatch(path) or INSIDE & set(steps[1:]) or any(s.startswith("__") for s in steps[1:]):
        return "danger"
    return "unknown" if all(step.isidentifier() for step in steps) else "danger"


def asked(pickles: Iterable[Unpickled]) -> tuple[dict[str, bool], int]:
    """Every name that the pickles ask for, whether it would be called, and how many pickles are hidden inside."""
    names: dict[str, bool] = {}
    hidden = 0
    waiting = [(pickle, 0) for pickle in pickles]
    room = LARGEST
    while waiting:
        found, depth = waiting.pop(0)
        called = set(found.called)
        for path in found.globals:
            names[path] = names.get(path, False) or path in called
        for literal in found.nested if depth < DEPTH else ():
            data = _bytes(literal)
            room -= len(data)
            if room < 0:
                break
            inner = survey(data, "pickle inside the pickle")
            if inner.globals or inner.broken is None:
                hidden += 1
                waiting.append((inner, depth + 1))
    return names, hidden


def _bytes(literal: bytes | str) -> bytes:
    """The bytes that a literal stands for; nothing where it is plain text after all."""
    if isinstance(literal, bytes):
        if literal.startswith(NESTED_BYTES) or not literal[:16].isalnum():
            return literal
        literal = literal.decode("ascii", "replace")
    try:
        if literal.startswith("80"):
            return bytes.fromhex(literal)
        return base64.b64decode(literal, validate=False)
    except (ValueError, binascii.Error):
        return b""


def damage(found: Unpickled, name: str) -> list[Note]:
    """What to say of a pickle that breaks off; nothing of a whole one.

    Raises:
        FormatError: Nothing had been made and nothing was asked for before it broke off.
    """
    broken = found.broken
    if broken is None:
        return []
    if not found.globals and not _begun(found.value):
        raise FormatError(f"{name}: {broken.what}"[:2000], hint=broken.hint) from broken
    level = "warning" if "incomplete" in broken.hint else "danger"
    return [Note(level, f"{broken.what} Only what stands before that is shown.", broken.hint)]


def _begun(value: Any) -> bool:
    """Whether anything had been put into the outermost object before a pickle broke off."""
    if isinstance(value, Table):
        return bool(value.pairs)
    return bool(value) if isinstance(value, list | tuple) else isinstance(value, Call)


def warnings(pickles: Iterable[Unpickled], own: str = "") -> Iterator[Note]:
    """What the user should know before anybody loads the file with PyTorch.

    Args:
        pickles: All that loading it would run.
        own: What the names of classes begin with that the file itself defines.
    """
    names, hidden = asked(pickles)
    names = {path: called for path, called in names.items() if not own or not path.startswith(own)}
    for number, note in enumerate(_warnings(names, hidden)):
        yield note if number else replace(note, details=graded(names))


def graded(names: dict[str, bool]) -> tuple[str, ...]:
    """Every name with its grade, the dangerous first, and whether it would be called."""
    order: tuple[Grade, ...] = ("danger", "unknown", "known")
    words = {"danger": "dangerous", "unknown": "unknown  ", "known": "known    "}
    ranked = sorted((order.index(level := grade(path)), level, path) for path in names)
    return tuple(f"{words[level]}  {'called  ' if names[path] else 'imported'}  {path}" for _, level, path in ranked)


def _warnings(names: dict[str, bool], hidden: int) -> Iterator[Note]:
    graded = {path: grade(path) for path in names}
    danger = [path for path, level in graded.items() if level == "danger"]
    run, named = [path for path in danger if names[path]], [path for path in danger if not names[path]]
    loading = "Do not load it with PyTorch or pickle unless you trust who made it."
    if run:
        yield Note("danger", f"This file asks to run {_list(run)}; {_was(run)} not run.", loading)
    if named:
        yield Note("danger", f"This file asks to import {_list(named)}; {_was(named)} not imported.", loading)
    unknown = [path for path, level in graded.items() if level == "unknown"]
    if unknown:
        text = f"Loading this file needs, and runs, code that is no known part of PyTorch: {_list(unknown)}."
        yield Note("warning", text, "Nothing of it was imported or run here.")
    if hidden:
        what = "a pickle" if hidden == 1 else f"{hidden} pickles"
        yield Note("warning", f"The file hides {what} inside its pickle.", "They were read as data; nothing was run.")


def known(pickles: Iterable[Unpickled]) -> list[str]:
    """The names that are known parts of PyTorch or plain containers."""
    return [path for path in asked(pickles)[0] if grade(path) == "known"]


def _list(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(name[:200] for name in names[:SHOWN]) + more


def _was(names: list[str]) -> str:
    return "it was" if len(names) == 1 else "they were"
