"""TensorFlow and TensorFlow Lite, cases 61 to 63: graphs that run on loading, names that lead outside, wild offsets."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from case import SECRET, Case, Loop, marker
from onnx_graphs import field, varint
from witness import Seen

from inspector.errors import InspectorError
from inspector.jobs.recipe import Recipe
from inspector.jobs.sessions import Opened, open_session
from inspector.jobs.terminal import run
from inspector.worker.tasks.tensor import TASK as TENSOR
from inspector.worker.tasks.tensor import TensorArgs

FLOAT, STRING = 1, 7
REACHES = "The model has operators that reach outside of it: "
MAY = "Loading or running it with TensorFlow may do that; nothing was run here."
AGAIN = "Fetch or copy"


def node(graph: Any, name: str, op: str, *inputs: str, **attributes: Any) -> str:
    """Add a node to a GraphDef or FunctionDef; gives its name."""
    nodes = graph.node_def if hasattr(graph, "node_def") else graph.node
    made = nodes.add(name=name, op=op, input=inputs)
    for key, value in attributes.items():
        if isinstance(value, bytes):
            made.attr[key].s = value
        elif isinstance(value, int):
            made.attr[key].type = value
    return name


def words(graph: Any, name: str, text: str) -> str:
    """Add a constant of one string."""
    node(graph, name, "Const", dtype=STRING)
    made = graph.node[-1] if hasattr(graph, "node") else graph.node_def[-1]
    made.attr["value"].tensor.dtype = STRING
    made.attr["value"].tensor.string_val.append(text.encode())
    return name


def saved(change: Callable[[Any, Path], None]) -> Callable[[Path], Path]:
    """A SavedModel without variables that gives back its input; `change` puts something into its MetaGraphDef."""

    def build(folder: Path) -> Path:
        from tensorboard.compat.proto.meta_graph_pb2 import MetaGraphDef

        meta = MetaGraphDef()
        meta.meta_info_def.tags.append("serve")
        node(meta.graph_def, "x", "Placeholder", dtype=FLOAT)
        node(meta.graph_def, "y", "Relu", "x", T=FLOAT)
        signature = meta.signature_def["serving_default"]
        signature.method_name = "tensorflow/serving/predict"
        for side, name in ((signature.inputs, "x"), (signature.outputs, "y")):
            side[name].name, side[name].dtype = f"{name}:0", FLOAT
            side[name].tensor_shape.dim.add(size=2)
        change(meta, folder)
        data = b"\x08\x01" + field(2, meta.SerializeToString())
        (folder / "saved_model.pb").write_bytes(data)
        return folder

    return build


def writing(meta: Any, folder: Path) -> None:
    """Loading writes a file: the initial operation is a WriteFile."""
    graph = meta.graph_def
    target, content = words(graph, "target", str(marker(folder))), words(graph, "content", "x")
    node(graph, "init", "WriteFile", target, content)
    meta.signature_def["__saved_model_init_op"].outputs["__saved_model_init_op"].name = "init"


def reading(meta: Any, folder: Path) -> None:
    name = words(meta.graph_def, "target", str(folder.parent / "secret.txt"))
    node(meta.graph_def, "content", "ReadFile", name)
    meta.signature_def["serving_default"].outputs["secret"].name = "content:0"


def python(meta: Any, _: Path) -> None:
    """Python inside a function that the signature does not reach."""
    function = meta.graph_def.library.function.add()
    function.signature.name = "hidden"
    node(function, "run", "PyFunc", token=b"pyfunc_0")
    node(function, "eager", "EagerPyFunc", token=b"pyfunc_1")


def restoring(meta: Any, folder: Path) -> None:
    """The signature restores a tensor from a file of the attacker's choice."""
    graph = meta.graph_def
    prefix, names = words(graph, "prefix", str(folder.parent / "secret.txt")), words(graph, "names", "x")
    node(graph, "restore", "RestoreV2", prefix, names, words(graph, "slices", ""))
    meta.signature_def["serving_default"].outputs["secret"].name = "restore:0"


def assets(meta: Any, folder: Path) -> None:
    (folder / "assets.extra").symlink_to(folder.parent)
    (folder / "assets").mkdir()
    (folder / "fingerprint.pb").symlink_to("/dev/zero")
    for name in ("../../secret.txt", "/etc/passwd", "words.txt"):
        made = meta.asset_file_def.add(filename=name)
        made.tensor_info.name = "asset:0"


def variable(meta: Any, _: Path) -> None:
    node(meta.graph_def, "v", "VarHandleOp", shared_name=b"v", dtype=FLOAT)


def linked(folder: Path) -> Path:
    """The folder of variables is a link to somewhere else, where there are some."""
    away = folder.parent / "elsewhere"
    away.mkdir()
    (away / "variables.index").write_bytes(index({b"v": entry(0, 24)}))
    (folder / "variables").symlink_to(away, target_is_directory=True)
    return saved(variable)(folder)


def block(entries: dict[bytes, bytes]) -> bytes:
    """A block of LevelDB's table, no prefix shared."""
    data = b"".join(varint(0) + varint(len(k)) + varint(len(v)) + k + v for k, v in entries.items())
    return data + struct.pack("<II", 0, 1)


def index(entries: dict[bytes, bytes]) -> bytes:
    """A checkpoint's index."""
    data = block({b"": b"\x08\x01", **entries})
    handle = varint(0) + varint(len(data))
    inner = data + bytes(5)
    top = block({b"z": handle})
    body = inner + top + bytes(5)
    footer = varint(0) + varint(0) + varint(len(inner)) + varint(len(top))
    return body + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def entry(offset: int, size: int, dims: tuple[int, ...] = (2, 3)) -> bytes:
    """An entry of float32."""
    shape = b"".join(field(2, b"\x08" + varint(dim)) for dim in dims)
    return b"\x08\x01" + field(2, shape) + b"\x20" + varint(offset) + b"\x28" + varint(size)


def checkpoint(**more: Any) -> Callable[[Path], Path]:
    """A SavedModel whose one variable lies where it cannot."""

    def build(folder: Path) -> Path:
        (folder / "variables").mkdir()
        (folder / "variables" / "variables.index").write_bytes(index({b"v": entry(**more)}))
        (folder / "variables" / "variables.data-00000-of-00001").write_bytes(bytes(24))
        return saved(variable)(folder)

    return build


def withheld(seen: Seen) -> None:
    """The values of the variable are refused in words."""
    said = seen.answers["tensor"]
    assert isinstance(said, str), said
    assert "'v'" in said or said.startswith("A tensor of 1000000×1000000"), said


def unread(seen: Seen) -> None:
    assert SECRET.decode() not in seen.text


def contained(folder: Path) -> str:
    """In a worker that may run models, loading ends without a file outside."""
    path = saved(writing)(folder)

    def recipe() -> Recipe[Opened]:
        return (yield from open_session(path, "tensorflow:cpu"))

    with pytest.raises(InspectorError, match=r"^TensorFlow cannot open model: ") as caught:
        run(recipe())
    assert not marker(folder).exists(), "THE PAYLOAD RAN"
    return f"{caught.value.what} {caught.value.hint}"


CASES = [
    Case(
        61, "a SavedModel that writes a file when it is loaded", saved(writing), "opened",
        f"{REACHES}WriteFile (writes files). {MAY}", "danger",
    ),
    Case(
        61, "a SavedModel that reads a file", saved(reading), "opened", f"{REACHES}ReadFile (reads files). {MAY}",
        "danger", check=unread,
    ),
    Case(
        61, "a SavedModel with Python in a function that nobody calls", saved(python), "opened",
        f"{REACHES}EagerPyFunc (runs Python), PyFunc (runs Python). {MAY}", "danger",
    ),
    Case(
        61, "a SavedModel that restores from a file of somebody's choice", saved(restoring), "opened",
        f"{REACHES}RestoreV2 (reads files). {MAY}", "danger", check=unread,
    ),
    Case(
        62, "assets outside of the folder, a fingerprint that never ends", saved(assets), "opened",
        "The model names files outside its folder: '../../secret.txt', '/etc/passwd'. They were not read.", "danger",
        check=unread,
    ),
    Case(
        62, "the folder of variables is a link to elsewhere", linked, "refused",
        "The side file 'variables/variables.index' is a link that leaves the model's folder.",
    ),
    *(
        Case(
            62, f"a variable {what}", checkpoint(**more), "opened", "v", check=withheld,
            then=((TENSOR, TensorArgs("v")),),
        )
        for what, more in {
            "behind the end of its file": {"offset": 8, "size": 24},
            "at 2^63": {"offset": 2**63 - 8, "size": 24},
            "of 1e15 bytes": {"offset": 0, "size": 10**15, "dims": (10**15 // 4,)},
            "larger than what is stored": {"offset": 0, "size": 24, "dims": (10**6, 10**6)},
        }.items()
    ),
    Case(
        62, "a variable of 100,000 dimensions", checkpoint(offset=0, size=24, dims=(2**62,) * 100_000), "refused",
        "A variable of the checkpoint has 100,000 dimensions.", seconds=5,
    ),
]  # fmt: skip

LOOPS = [Loop(61, "the SavedModel that writes a file, loaded by TensorFlow", contained, "writes nothing", slow=True)]
