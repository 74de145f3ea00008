"""ONNX files, cases 28 to 35: data in other files, told by a model that wants to read more than is its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from case import SECRET, Case
from witness import Seen

from inspector.worker.tasks.tensor import TASK as TENSOR
from inspector.worker.tasks.tensor import TensorArgs

OUTSIDE = "The model names a side file outside its folder: "


def save(path: Path, nodes: list[Any], *, inputs: str = "x", outputs: str = "y", **parts: Any) -> Path:
    """A float model of the given nodes; parts of a GraphProto or of a ModelProto by name."""
    from onnx import TensorProto, helper

    dims = parts.pop("dims", [2, 3])
    imports = parts.pop("imports", [helper.make_opsetid("", 21)])
    functions, version = parts.pop("functions", []), parts.pop("ir_version", 10)
    graph = helper.make_graph(
        nodes,
        "main",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name in inputs.split()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs.split()],
        **parts,
    )
    model = helper.make_model(graph, opset_imports=imports, functions=functions, ir_version=version)
    path.write_bytes(model.SerializeToString())
    return path


def external(folder: Path, location: str, *, weights: int = 1, **facts: object) -> Path:
    """A model whose weights, float32 of 2×3 each, lie elsewhere."""
    from onnx import TensorProto, helper

    tensors, nodes, flow = [], [], "x"
    for number in range(weights):
        tensor = TensorProto(name=f"w{number}", data_type=1, dims=[2, 3], data_location=TensorProto.EXTERNAL)
        for key, value in {"location": location, **facts}.items():
            tensor.external_data.add(key=key, value=str(value[number] if isinstance(value, list) else value))
        tensors.append(tensor)
        nodes.append(helper.make_node("Add", [flow, f"w{number}"], [f"a{number}"]))
        flow = f"a{number}"
    return save(folder / "m.onnx", nodes, outputs=flow, initializer=tensors)


def withheld(seen: Seen) -> None:
    """The values of the weight are refused in words, and nothing of the forbidden file is in what is said."""
    said = seen.answers["tensor"]
    assert isinstance(said, str), f"the values were read: {said}"
    assert "'w0'" in said or "ide file" in said or "w.data" in said, said
    assert SECRET.decode() not in seen.text


def named(folder: Path, location: str) -> Path:
    """Weights in a file that exists and is none of the model's."""
    return external(folder, location.format(secret=folder.parent / "secret.txt"))


def linked(folder: Path) -> Path:
    (folder / "w.data").symlink_to(folder.parent / "secret.txt")
    return external(folder, "w.data")


def linked_folder(folder: Path) -> Path:
    (folder / "weights").symlink_to(folder.parent, target_is_directory=True)
    return external(folder, "weights/secret.txt")


def hard(folder: Path) -> Path:
    os.link(folder.parent / "secret.txt", folder / "w.data")
    return external(folder, "w.data")


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "w.data")
    return external(folder, "w.data")


def device(folder: Path) -> Path:
    (folder / "w.data").symlink_to("/dev/zero")
    return external(folder, "w.data")


def directory(folder: Path) -> Path:
    (folder / "w.data").mkdir()
    return external(folder, "w.data")


def stored(folder: Path, size: int = 24, **facts: object) -> Path:
    """Weights in a file of this size, at a place that makes no sense."""
    (folder / "w.data").write_bytes(bytes(size))
    return external(folder, "w.data", **facts)


def overlapping(folder: Path) -> Path:
    (folder / "w.data").write_bytes(bytes(36))
    return external(folder, "w.data", weights=2, offset=[0, 12], length=24)


def shown(seen: Seen) -> None:
    """The values of the weight are there."""
    view = seen.answers["tensor"]
    assert not isinstance(view, str), view
    assert (view.shape, view.values[0]) == ((2, 3), "0")


def trusted(seen: Seen) -> None:
    """The values are there and nothing is to be warned of."""
    shown(seen)
    assert not [note for note in seen.notes if note[0] != "info"]


def unknown(folder: Path) -> Path:
    (folder / "w.data").write_bytes(bytes(24))
    return external(folder, "w.data", length=24, __class__="os.system", basepath="/etc")


def cached(folder: Path) -> Path:
    """A Hugging-Face cache: the model and its data are links from a snapshot to blobs beside it."""
    blobs, snapshot = folder / "blobs", folder / "snapshots" / "0123abcd"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    real = external(blobs, "m.onnx.data", length=24)
    for name, blob in (("m.onnx", "a" * 64), ("m.onnx.data", "b" * 64)):
        (snapshot / name).symlink_to(Path("..", "..", "blobs", blob))
    real.rename(blobs / ("a" * 64))
    (blobs / ("b" * 64)).write_bytes(bytes(24))
    return snapshot / "m.onnx"


VALUES = ((TENSOR, TensorArgs("w0")),)


def _data(number: int, name: str, build: Callable[[Path], Path], says: str) -> Case:
    """The structure opens with a remark, the values are refused."""
    return Case(number, name, build, "opened", says, "warning", check=withheld, then=VALUES)


CASES = [
    _data(28, "data in ../../etc/passwd", partial(named, location="../../etc/passwd"), OUTSIDE + "'../../etc/passwd'."),
    _data(28, "data in a/../../secret.txt", partial(named, location="a/../../secret.txt"), OUTSIDE),
    _data(28, "data in ..\\secret.txt", partial(named, location="..\\secret.txt"), OUTSIDE),
    _data(28, "data at an address", partial(named, location="https://127.0.0.1/w"), OUTSIDE),
    _data(29, "data at an absolute path", partial(named, location="{secret}"), OUTSIDE + "'/"),
    _data(29, "data in file:///", partial(named, location="file://{secret}"), OUTSIDE),
    _data(29, "data on a drive", partial(named, location="C:\\secret.txt"), OUTSIDE),
    _data(30, "data behind a link", linked, "The side file 'w.data' is a link that leaves the model's folder."),
    _data(30, "data behind a linked folder", linked_folder, "is a link that leaves the model's folder."),
    _data(31, "data that is a hard link", hard, "The side file 'w.data' is a hard link. Replace it by a real copy."),
    _data(32, "data in /dev/zero", partial(external, location="/dev/zero"), OUTSIDE + "'/dev/zero'."),
    _data(32, "data in a link to /dev/zero", device, "is a link that leaves the model's folder."),
    _data(32, "data in a FIFO", pipe, "w.data is not a regular file."),
    _data(32, "data in a folder", directory, "w.data is not a regular file."),
    _data(33, "data before the file", partial(stored, offset=-8), "The tensor 'w0' has an impossible place."),
    _data(33, "data of 1e15 bytes", partial(stored, length=10**15), "has 24 bytes; the model needs 1,000,000,000,000"),
    _data(33, "data at 2^64 - 4", partial(stored, offset=2**64 - 4), "impossible place"),
    _data(33, "data behind the end", partial(stored, offset=20), "has 24 bytes; the model needs 44."),
    _data(
        33,
        "data that is missing",
        partial(external, location="w.data"),
        "The side file 'w.data' is missing. Put it beside the model",
    ),
    Case(33, "data of two weights that overlap", overlapping, "opened", "'w0' and 'w1' share a part", "warning"),
    Case(
        34, "data with settings nobody knows", unknown, "opened",
        "Settings of data in other files are not known to ONNX: __class__.", "warning", check=shown, then=VALUES,
    ),
    Case(35, "a model in a Hugging-Face cache", cached, "opened", "", check=trusted, then=VALUES),
]  # fmt: skip
