"""ONNX models made for tests, and short ways to read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inspector.formats import Source, formats, identify
from inspector.ir import Model

ONNX = formats()["onnx"]


def read(path: Path) -> Model:
    source = Source(path)
    assert identify(source).id == "onnx"
    return ONNX.read(source)


def values(path: Path, model: Model, name: str) -> Any:
    return ONNX.fetch(Source(path), model.tensors[name])


def save(path: Path, nodes: list[Any], *, inputs: str = "x", outputs: str = "y", **parts: Any) -> Path:
    """A float model of one input and one output."""
    from onnx import TensorProto, helper

    flat = parts.pop("shape", [2, 3])
    functions, imports = parts.pop("functions", []), parts.pop("imports", [helper.make_opsetid("", 21)])
    graph = helper.make_graph(
        nodes,
        parts.pop("name", "main"),
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, flat) for name in inputs.split()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs.split()],
        **parts,
    )
    model = helper.make_model(graph, opset_imports=imports, functions=functions, ir_version=10)
    path.write_bytes(model.SerializeToString())
    return path


def branching(tmp_path: Path, depth: int) -> Path:
    """If nodes, each in a branch of the one around it; written by hand because protobuf refuses deep messages."""

    def field(number: int, data: bytes) -> bytes:
        size, head = len(data), bytearray([number << 3 | 2])
        while size >= 0x80:
            head.append(size & 0x7F | 0x80)
            size >>= 7
        return bytes(head) + bytes([size]) + data

    leaf = field(
        1, field(2, b"y") + field(4, b"Constant") + field(5, field(1, b"value_float") + b"\x15\0\0\x80?\xa0\x01\x01")
    )
    graph = leaf + field(12, field(1, b"y"))
    for level in range(depth):
        branch = field(5, field(1, b"then_branch") + field(6, graph) + b"\xa0\x01\x05")
        graph = field(1, field(1, b"c") + field(2, b"y") + field(3, f"if{level}".encode()) + field(4, b"If") + branch)
        graph += field(2, b"g") + field(12, field(1, b"y"))
    path = tmp_path / f"deep{depth}.onnx"
    path.write_bytes(b"\x08\x0a" + field(7, graph) + field(8, b"\x10\x15"))
    return path


def external(tmp_path: Path, location: str, **facts: object) -> Path:
    from onnx import TensorProto, helper

    tensor = TensorProto(name="w", data_type=1, dims=[2, 3], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **facts}.items():
        tensor.external_data.add(key=key, value=str(value))
    return save(tmp_path / "m.onnx", [helper.make_node("Add", ["x", "w"], ["y"])], initializer=[tensor])
