"""Questions about tensors, asked as the wire does; and files by hand to ask them of."""

from __future__ import annotations

import json
import struct
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from inspector.worker.tasks import Context, Task
from inspector.worker.tasks.open import TASK as OPEN
from inspector.worker.tasks.open import OpenArgs
from inspector.worker.tasks.tensor import TASK as TENSOR
from inspector.worker.tasks.tensor import TensorArgs, TensorView
from inspector.worker.tasks.tensor_bytes import TASK as TENSOR_BYTES
from inspector.worker.tasks.tensor_bytes import TensorBytesArgs
from inspector.worker.tasks.tensor_csv import TASK as TENSOR_CSV
from inspector.worker.tasks.tensor_csv import TensorCsvArgs
from inspector.worker.tasks.tensor_map import TASK as TENSOR_MAP
from inspector.worker.tasks.tensor_map import TensorMap, TensorMapArgs

A = TypeVar("A", bound=msgspec.Struct)
R = TypeVar("R", bound=msgspec.Struct)


def ask(task: Task[A, R], args: A, context: Context) -> R:
    """Ask as the wire does: arguments and result travel as MessagePack."""
    travelled = msgspec.msgpack.decode(msgspec.msgpack.encode(args), type=task.args)
    return msgspec.msgpack.decode(msgspec.msgpack.encode(task.run(travelled, context)), type=task.result)


def opened(path: Path) -> Context:
    context = Context()
    ask(OPEN, OpenArgs(str(path)), context)
    return context


def view(context: Context, name: str, **more: Any) -> TensorView:
    return ask(TENSOR, TensorArgs(name, **more), context)


def drawn(context: Context, name: str, **more: Any) -> TensorMap:
    return ask(TENSOR_MAP, TensorMapArgs(name, **more), context)


def mean_of(found: TensorMap) -> NDArray[np.float64]:
    return np.frombuffer(found.mean, "<f8").reshape(found.height, found.width)


def saved(context: Context, name: str, **more: Any) -> NDArray[Any]:
    """What the .npy file of a tensor holds."""
    out, offset = BytesIO(), 0
    while True:
        piece = ask(TENSOR_BYTES, TensorBytesArgs(name, offset, **more), context)
        out.write(piece.header + piece.data)
        offset += len(piece.data)
        if offset >= piece.total:
            break
    out.seek(0)
    array: NDArray[Any] = np.load(out, allow_pickle=False)
    return array


def written(context: Context, name: str, count: int = 1000, **more: Any) -> str:
    """What the .csv file of a tensor holds."""
    text, at = "", 0
    while True:
        piece = ask(TENSOR_CSV, TensorCsvArgs(name, at, count, **more), context)
        text, at = text + piece.data.decode(), piece.stop
        if at >= piece.total:
            return text


def safetensors(path: Path, tensors: dict[str, tuple[str, tuple[int, ...], bytes]]) -> Path:
    """A file of these tensors: name, type in the format's own word, shape, bytes."""
    header, at = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    head = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head + b"".join(data for _, _, data in tensors.values()))
    return path


def onnx_model(path: Path, nodes: list[onnx.NodeProto], tensors: dict[str, Any]) -> Path:
    """A model of these nodes and initializers; protos are taken as they are."""
    protos = [each if isinstance(each, onnx.TensorProto) else numpy_helper.from_array(np.asarray(each), name)
              for name, each in tensors.items()]  # fmt: skip
    ends = [helper.make_tensor_value_info(name, 1, None) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], protos)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)]), path)
    return path
