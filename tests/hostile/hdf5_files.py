"""Keras files, cases 49 to 56: HDF5 that reaches outside of the file, or claims what it does not hold."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from case import SECRET, Case
from witness import Seen

from inspector.worker.tasks.tensor import TASK as TENSOR
from inspector.worker.tasks.tensor import TensorArgs

Write = Callable[[Any, Path], None]
"""Puts the hostile thing into the group of a layer's weights; is also given the folder of the model."""

DENSE = {"class_name": "Dense", "config": {"name": "dense", "units": 3, "batch_input_shape": [None, 2]}}
CONFIG = {"class_name": "Sequential", "config": {"name": "net", "layers": [DENSE]}}
ELSEWHERE = "it is a link that leads elsewhere"
PARTS = " parts of the weights were not read, such as "
ONE = "1 part of the weights was not read: "


def h5(write: Write, config: Any = CONFIG, libver: str = "earliest") -> Callable[[Path], Path]:
    """A model of Keras 2 in HDF5: the kernel of its layer is whole, beside it is what `write` makes."""

    def build(folder: Path) -> Path:
        import h5py

        path = folder / "m.h5"
        with h5py.File(path, "w", libver=libver) as file:
            file.attrs["keras_version"] = "2.4.0"
            file.attrs["model_config"] = json.dumps(config)
            group = file.create_group("model_weights/dense/dense")
            group["kernel:0"] = np.ones((2, 3), np.float32)
            write(group, folder)
        return path

    return build


def keras(write: Write, config: Any = CONFIG) -> Callable[[Path], Path]:
    """The same in Keras 3's archive."""

    def build(folder: Path) -> Path:
        import h5py

        with h5py.File(folder / "w.h5", "w") as file:
            group = file.create_group("layers/dense/vars")
            group["0"] = np.ones((2, 3), np.float32)
            write(group, folder)
        return archive(folder, config, (folder / "w.h5").read_bytes())

    return build


def archive(folder: Path, config: Any, weights: bytes = b"") -> Path:
    """A `.keras` file; `config` as data or as text."""
    with zipfile.ZipFile(folder / "m.keras", "w") as zipped:
        zipped.writestr("config.json", config if isinstance(config, str) else json.dumps(config))
        zipped.writestr("metadata.json", '{"keras_version": "3.15.0"}')
        if weights:
            zipped.writestr("model.weights.h5", weights)
    return folder / "m.keras"


def neighbour(folder: Path) -> Path:
    """Another HDF5 file beside the model."""
    import h5py

    path = folder / "neighbour.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.frombuffer(SECRET, np.uint8).astype(np.float32)
    return path


def outside(group: Any, folder: Path) -> None:
    import h5py

    group["bad"] = h5py.ExternalLink(str(neighbour(folder)), "/x")


def soft(group: Any, folder: Path) -> None:
    import h5py

    outside(group, folder)
    group["soft"] = h5py.SoftLink("bad")


def around(folder: Path) -> Path:
    """The group of all weights is a link to another file."""
    import h5py

    path = folder / "m.h5"
    with h5py.File(neighbour(folder), "a") as file:
        file["model_weights/dense/dense/kernel:0"] = file["x"]
        file["model_weights"].attrs["keras_version"] = SECRET.decode()
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(CONFIG)
        file["model_weights"] = h5py.ExternalLink("neighbour.h5", "/model_weights")
    return path


def raw(group: Any, folder: Path) -> None:
    secret = str(folder.parent / "secret.txt")
    group.create_dataset("bad", (len(SECRET),), "uint8", external=[(secret, 0, len(SECRET))])


def view(group: Any, folder: Path, *, file: str = "neighbour.h5", name: str = "x") -> None:
    import h5py

    neighbour(folder)
    layout = h5py.VirtualLayout((2, 3), "float32")
    layout[:] = h5py.VirtualSource(file, name, shape=(2, 3))
    group.create_virtual_dataset("bias:0" if file == "." else "bad", layout)


def own(group: Any, folder: Path) -> None:
    view(group, folder, file=".", name=f"{group.name}/kernel:0")


def roundabout(group: Any, folder: Path) -> None:
    """A view of the same file whose way leads out of it."""
    outside(group, folder)
    view(group, folder, file=".", name=f"{group.name}/bad")


def twisted(group: Any, _: Path) -> None:
    """A view of itself."""
    import h5py

    layout = h5py.VirtualLayout((2, 3), "float32")
    layout[:] = h5py.VirtualSource(".", f"{group.name}/bad", shape=(2, 3))
    group.create_virtual_dataset("bad", layout)


def circles(group: Any, _: Path) -> None:
    group["again"] = group
    group["root"] = group.file["/"]
    group.create_group("a")["b"] = group


def terabytes(group: Any, _: Path) -> None:
    group.create_dataset("bad", (1 << 20, 1 << 20), "float32", chunks=(64, 64), compression="gzip")


def flat(group: Any, _: Path) -> None:
    group.create_dataset("bad", (1 << 40,), "float32")


def crowd(group: Any, _: Path) -> None:
    for number in range(100_000):
        group.id.links.create_soft(b"n%d" % number, b"/nowhere")


def alike(group: Any, _: Path) -> None:
    """10,000 groups whose arrays all have one name: each group says that it is called `same`."""
    import h5py

    space, plain = h5py.h5s.create_simple((1,)), h5py.h5t.IEEE_F32LE
    word = h5py.h5t.TypeID.copy(h5py.h5t.C_S1)
    word.set_size(4)
    for number in range(10_000):
        inner = h5py.h5g.create(group.id, b"g%d" % number)
        vars_ = h5py.h5g.create(inner, b"vars")
        h5py.h5a.create(vars_, b"name", word, h5py.h5s.create(h5py.h5s.SCALAR)).write(np.array(b"same"))
        h5py.h5d.create(vars_, b"0", plain, space)


def talkative(group: Any, _: Path) -> None:
    import h5py

    space, plain = h5py.h5s.create(h5py.h5s.SCALAR), h5py.h5t.STD_I64LE
    for number in range(100_000):
        h5py.h5a.create(group.id, b"a%d" % number, plain, space)
    group.attrs["name"] = "x" * 60_000


def filtered(group: Any, folder: Path) -> None:
    """Weights behind a filter whose plug-in lies beside the model."""
    import h5py

    (folder / "libplugin.so").write_bytes(b"\x7fELF" + bytes(60))
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    made.set_chunk((3,))
    made.set_filter(32099, h5py.h5z.FLAG_OPTIONAL, (1, 2))
    space = h5py.h5s.create_simple((3,))
    h5py.h5d.create(group.id, b"bad", h5py.h5t.IEEE_F32LE, space, made)


def kernel(seen: Seen) -> None:
    """The plain weights are there, and nothing of what lies outside."""
    held = seen.answers["tensor"]
    assert held.values == ("1",) * 6, held
    assert SECRET.decode() not in seen.text
    assert seen.answers["open"].totals.parameters == 6


def both(seen: Seen) -> None:
    """The view is read as what it shows."""
    held = seen.answers["tensor"]
    assert held.values == ("1",) * 6, held


NAMED = ((TENSOR, TensorArgs("dense/kernel")),)
"""How both formats call the plain weights."""


def _pair(number: int, name: str, write: Write, reason: str, **more: Any) -> list[Case]:
    """The same in both formats: opened, what is whole is shown, the rest named with the reason."""
    return [
        Case(number, f"{name}, .{kind}", build, "opened", reason, "danger", check=kernel, then=NAMED, **more)
        for kind, build in (("h5", h5(write)), ("keras", keras(write)))
    ]


CASES = [
    *_pair(49, "a link to another file", outside, f"/bad: {ELSEWHERE}."),
    *_pair(50, "a link to a link to another file", soft, f"2{PARTS}"),
    Case(50, "all weights are a link to another file", around, "opened", f"{ONE}model_weights: {ELSEWHERE}.", "danger"),
    *_pair(51, "values in /etc/passwd's place: another file", raw, "/bad: its values lie in another file."),
    *_pair(52, "a view of another file", view, "/bad: its values are views of other files."),
    *_pair(52, "a view of a link to another file", roundabout, f"2{PARTS}"),
    *_pair(52, "a view of itself", twisted, "/bad: its values are views of views."),
    Case(
        52, "a view of the same file, .h5", h5(own), "opened", "dense/bias", check=both,
        then=((TENSOR, TensorArgs("dense/bias")),),
    ),
    *(
        Case(53, f"groups inside themselves, {kind}", build, "opened", "dense/kernel", check=kernel, then=NAMED)
        for kind, build in ((".h5", h5(circles)), (".keras", keras(circles)))
    ),
    *_pair(54, "4 TB of which nothing is stored", terabytes, "/bad: it claims 4,398,046,511,104 bytes and stores 0."),
    *_pair(54, "4 TB in one piece", flat, "/bad: it claims 4,398,046,511,104 bytes and stores "),
    *_pair(55, "100,000 links", crowd, f"100,000{PARTS}", seconds=20),
    Case(55, "10,000 weights of one name", keras(alike), "opened", "dense/kernel", seconds=30),
    Case(55, "100,000 attributes", h5(talkative, libver="latest"), "opened", "dense/kernel", check=kernel, then=NAMED),
    *_pair(56, "a filter that only a plug-in has", filtered, "by a filter that we do not know (32099)."),
]  # fmt: skip
