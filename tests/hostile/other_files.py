"""Safetensors, TensorFlow.js and NumPy, cases 64 to 66: headers that lie, names that lead outside, pickled arrays."""

from __future__ import annotations

import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from case import SECRET, Case, marker, plain
from witness import Seen

from inspector.worker.tasks.tensor import TASK as TENSOR
from inspector.worker.tasks.tensor import TensorArgs

Build = Callable[[Path], Path]
HIDES = "The file is damaged, or was made to hide something; it was not read."
TWO = "Other programs may see another model in this file; it was not read."
NUMBERS = "It holds numbers, not a model; use it as input for a model."
OUTSIDE = "The model names a side file outside its folder: "


def floats(begin: int, end: int, *shape: int) -> dict[str, Any]:
    """An entry of a safetensors header."""
    return {"dtype": "F32", "shape": list(shape or ((end - begin) // 4,)), "data_offsets": [begin, end]}


def tensors(header: dict[str, Any] | bytes, data: bytes = b"", length: int | None = None) -> Build:
    """A safetensors file; `length` is what it says of its header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return plain(struct.pack("<Q", len(text) if length is None else length) + text + data, "m.safetensors")


def many(folder: Path) -> Path:
    """700,000 tensors of nothing."""
    entry = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    text = "{" + ",".join(f'"t{number}":{entry}' for number in range(700_000)) + "}"
    return tensors(text.encode())(folder)


def sharded(where: str) -> Build:
    """An index whose one shard is named so."""

    def build(folder: Path) -> Path:
        os.link(folder.parent / "secret.txt", folder / "hard.safetensors")
        path = folder / "m.safetensors.index.json"
        name = where.format(secret=folder.parent / "secret.txt")
        path.write_text(json.dumps({"metadata": {}, "weight_map": {"w": name, "v": "m-1.safetensors"}}))
        return path

    return build


def js(paths: list[str], topology: str = "", **weight: Any) -> Build:
    """A TensorFlow.js model whose weights lie in these files."""

    def build(folder: Path) -> Path:
        (folder / "inside.bin").write_bytes(bytes(24))
        (folder / "link.bin").symlink_to(folder.parent / "secret.txt")
        os.link(folder.parent / "secret.txt", folder / "hard.bin")
        names = [path.format(secret=folder.parent / "secret.txt") for path in paths]
        weights = [{"name": "w", "shape": [2, 3], "dtype": "float32"} | weight]
        nodes = [
            {"name": "x", "op": "Placeholder", "attr": {"dtype": {"type": "DT_FLOAT"}}},
            {"name": "w", "op": "Const", "attr": {"dtype": {"type": "DT_FLOAT"}}},
            {"name": "y", "op": "AddV2", "input": ["x", "w"], "attr": {"T": {"type": "DT_FLOAT"}}},
        ]
        model = {
            "format": "graph-model",
            "modelTopology": "HERE",
            "weightsManifest": [{"paths": names, "weights": weights}],
        }
        path = folder / "model.json"
        path.write_text(json.dumps(model).replace('"HERE"', topology or json.dumps({"node": nodes})))
        return path

    return build


def buried(levels: int) -> str:
    """A node whose attribute is a function with an attribute that is a function, and so on."""
    value = '{"func":{"name":"f","attr":{"a":' * levels + '{"i":"1"}' + "}}}" * levels
    return f'{{"node":[{{"name":"y","op":"Relu","attr":{{"a":{value}}}}}]}}'


def array(descr: str, shape: str, data: bytes = b"") -> bytes:
    """An .npy file."""
    head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    head = head.ljust(-(-(len(head) + 11) // 64) * 64 - 11) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data


class Payload:
    """Writes a file when it is unpickled; only its pickle is ever made."""

    def __init__(self, target: str) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.target}",)


def objects(folder: Path) -> Path:
    return plain(array("'|O'", "(1,)", pickle.dumps(Payload(str(marker(folder))))), "m.npy")(folder)


def packed(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "m.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", array("'|O'", "(1,)", pickle.dumps(Payload(str(marker(folder))))))
        archive.writestr("b.npy", array("'<f4'", "(1000000000000,)", bytes(1 << 20)))
    return folder / "m.npz"


def unread(seen: Seen) -> None:
    assert SECRET.decode() not in seen.text


def held(seen: Seen) -> None:
    """The zero-sized ones have no values, the other has its own."""
    view = seen.answers["tensor"]
    assert view.values == ("0", "0"), view


def listed(seen: Seen) -> None:
    """All of them are in the table."""
    assert seen.answers["rows"].total == 700_000


def withheld(seen: Seen) -> None:
    """The values are refused in words, and nothing of another file is shown."""
    said = seen.answers["tensor"]
    assert isinstance(said, str), said
    unread(seen)


VALUES = ((TENSOR, TensorArgs("w")),)

CASES = [
    Case(
        64, "a header of 101 MB", tensors(b"{}", length=101_000_000), "refused",
        "The header of m.safetensors claims 101,000,000 bytes; the limit is 100,000,000.",
    ),
    Case(64, "a header of 2^64 - 1", tensors(b"{}", length=2**64 - 1), "refused", "the limit is 100,000,000."),
    Case(
        64, "tensors that overlap", tensors({"a": floats(0, 8), "b": floats(4, 12)}, bytes(12)), "refused",
        f"The tensors 'a' and 'b' of m.safetensors overlap. {HIDES}",
    ),
    Case(
        64, "a hole between tensors", tensors({"a": floats(0, 8), "b": floats(12, 16)}, bytes(16)), "refused",
        f"The tensors 'a' and 'b' of m.safetensors leave a hole between them. {HIDES}",
    ),
    Case(
        64, "bytes behind the last tensor", tensors({"a": floats(0, 8)}, bytes(8) + SECRET), "refused",
        "m.safetensors has 27 bytes after its last tensor.",
    ),
    Case(
        64, "a name that stands twice",
        tensors(
            b'{"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
            bytes(4),
        ),
        "refused", f"The header of m.safetensors has the name 'w' twice. {TWO}",
    ),
    Case(
        64, "a header behind a blank", tensors(b' {"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}', bytes(4)),
        "refused", "m.safetensors",
    ),
    Case(
        64, "a shape whose product is more than 64 bits",
        tensors({"w": floats(0, 8, 2**32, 2**32, 2**2)}, bytes(8)), "refused",
        "The entry of the tensor 'w' has 8 bytes where its type and shape need 295,147,905,179,352,825,856.",
    ),
    Case(
        64, "tensors of nothing at one offset",
        tensors({"a": floats(0, 0, 0), "b": floats(0, 0, 0), "w": floats(0, 8)}, bytes(8)), "opened", "w",
        check=held, then=VALUES,
    ),
    Case(64, "a header 100,000 deep", tensors(b'{"w":' * 100_000 + b"1" + b"}" * 100_000), "refused", "is damaged ("),
    Case(64, "700,000 tensors", many, "opened", "t199", check=listed, seconds=200, memory_mb=1000, slow=True),
    *(
        Case(64, f"an index with a shard {what}", sharded(where), "refused", says, check=unread)
        for what, where, says in (
            ("in ..", "../secret.txt", f"{OUTSIDE}'../secret.txt'."),
            ("at an absolute path", "{secret}", f"{OUTSIDE}'/"),
            ("at an address", "https://127.0.0.1/m.safetensors", OUTSIDE),
            ("that is a hard link", "hard.safetensors", "The side file 'hard.safetensors' is a hard link."),
            ("that is missing", "m-9.safetensors", "The side file 'm-9.safetensors' is missing."),
        )
    ),
    *(
        Case(65, f"weights {what}", js([where]), "refused", says, check=unread)
        for what, where, says in (
            ("in ..", "../secret.txt", f"{OUTSIDE}'../secret.txt'."),
            ("at an absolute path", "{secret}", f"{OUTSIDE}'/"),
            ("at an address", "http://127.0.0.1/w.bin", f"{OUTSIDE}'http://127.0.0.1/w.bin'."),
            ("in a link to elsewhere", "link.bin", "The side file 'link.bin' is a link that leaves the model's"),
            ("in a hard link", "hard.bin", "The side file 'hard.bin' is a hard link. Replace it by a real copy."),
        )
    ),
    Case(65, "weights of 4 TB", js(["inside.bin"], shape=[1 << 40]), "opened", "have 24 bytes of 4,398,046,511,104.",
        "warning", check=withheld, then=VALUES),
    Case(65, "weights of 2^62 × 2^62", js(["inside.bin"], shape=[2**61, 2**61]), "opened", "have 24 bytes of ",
        "warning", check=withheld, then=VALUES),
    Case(65, "a graph that reads a file", js(["inside.bin"], '{"node":[{"name":"r","op":"ReadFile"}]}'), "opened",
        "The model has operators that reach outside of it: ReadFile (reads files).", "danger"),
    *(
        Case(65, f"a graph {levels:,} deep", js(["inside.bin"], buried(levels)), "refused", says)
        for levels, says in ((90, "The graph in model.json is damaged ("), (10_000, "model.json is damaged ("))
    ),
    Case(66, "an array of 1e12", plain(array("'<f4'", "(1000000000000,)"), "m.npy"), "refused",
        f"m.npy is a NumPy array. {NUMBERS}"),
    Case(66, "an array of objects", objects, "refused", f"m.npy is a NumPy array. {NUMBERS}"),
    Case(66, "an archive of objects and of 1e12 numbers", packed, "refused",
        f"m.npz is a NumPy archive of 2 arrays. {NUMBERS}"),
    Case(66, "a header that is code", plain(array("__import__('os').system('id')", "(1,)"), "m.npy"), "refused",
        f"m.npy is a NumPy array. {NUMBERS}"),
]  # fmt: skip
