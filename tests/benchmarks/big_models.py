"""Very large models, made under build/benchmarks in seconds: what is large in them is holes or short repeated bytes.

Weights are holes of sparse files, which every program reads as zeros; so nobody pays for a disk, neither we nor those
beside us. The million nodes are written as protobuf's wire format, because onnx's own helpers take minutes for them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.harness import BUILD
from tests.benchmarks.models import made

EXTERNAL = """
import sys, onnx
from onnx import TensorProto as T, helper as h
side, count, size = "external.onnx.data", 48, 4096                # 48 x 4096 x 4096 float32 = 3.2 GB
nodes, weights, last = [], [], "input"
for i in range(count):
    weight = T(name=f"layers.{i}.weight", data_type=T.FLOAT, dims=[size, size], data_location=T.EXTERNAL)
    bytes_ = size * size * 4
    for key, text in (("location", side), ("offset", str(i * bytes_)), ("length", str(bytes_))):
        weight.external_data.add(key=key, value=text)
    weights.append(weight)
    nodes += [h.make_node("MatMul", [last, weight.name], [f"m{i}"], f"/layers/{i}/linear/MatMul"),
              h.make_node("Relu", [f"m{i}"], [f"r{i}"], f"/layers/{i}/act/Relu")]
    last = f"r{i}"
graph = h.make_graph(nodes, "external", [h.make_tensor_value_info("input", T.FLOAT, ["batch", size])],
                     [h.make_tensor_value_info(last, T.FLOAT, ["batch", size])], weights)
model = h.make_model(graph, opset_imports=[h.make_opsetid("", 18)], ir_version=10)
open(sys.argv[1], "wb").write(model.SerializeToString())
with open(sys.argv[1] + ".data", "wb") as file:
    file.truncate(count * size * size * 4)
"""
SHARDS = """
import json, sys
from pathlib import Path
index, folder = Path(sys.argv[1]), Path(sys.argv[1]).parent
shards, per, size, where = 4, 24, 4096, {}                        # 4 x 24 x 4096 x 4096 bfloat16 = 3.2 GB
for shard in range(shards):
    name, header, at = f"shards-{shard + 1:05}-of-{shards:05}.safetensors", {"__metadata__": {"format": "pt"}}, 0
    for i in range(per):
        key = f"model.layers.{shard * per // 2 + i // 2}.mlp.{('up', 'down')[i % 2]}_proj.weight"
        header[key] = {"dtype": "BF16", "shape": [size, size], "data_offsets": [at, at + size * size * 2]}
        at, where[key] = at + size * size * 2, name
    data = json.dumps(header).encode()
    data += b" " * (-len(data) % 8)
    with open(folder / name, "wb") as file:
        file.write(len(data).to_bytes(8, "little") + data)
        file.truncate(8 + len(data) + at)
index.write_text(json.dumps({"metadata": {"total_size": shards * per * size * size * 2}, "weight_map": where}))
"""
ENTRIES = """
import json, sys
header, at = {}, 0
for i in range(int(sys.argv[2])):
    header[f"model.layers.{i // 100}.experts.{i % 100}.weight"] = {
        "dtype": "F32", "shape": [2, 2], "data_offsets": [at, at + 16]}
    at += 16
data = json.dumps(header, separators=(",", ":")).encode()
with open(sys.argv[1], "wb") as file:
    file.write(len(data).to_bytes(8, "little") + data)
    file.truncate(8 + len(data) + at)
"""
CHECKPOINT = """
import sys, torch
state = {f"layers.{i}.weight": torch.empty(4096, 4096, device="meta") for i in range(48)}
state = {name: torch.empty_like(weight, device="cpu") for name, weight in state.items()}
with torch.serialization.skip_data():                             # room for the weights, nothing in it
    torch.save(state, sys.argv[1])
"""
LAYERS = """
import sys, os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
import keras
here = start = keras.Input((16,), name="input")
for i in range(int(sys.argv[2]) // 4):
    inner = keras.layers.Dense(16, activation="relu", name=f"block{i}_up")(here)
    inner = keras.layers.LayerNormalization(name=f"block{i}_norm")(inner)
    inner = keras.layers.Dense(16, name=f"block{i}_down")(inner)
    here = keras.layers.Add(name=f"block{i}_add")([here, inner])
keras.Model(start, here).save(sys.argv[1])
"""
NODES = """
import sys
count, flat = int(sys.argv[2]), len(sys.argv) > 3

def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])

def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value

def value(name):
    shape = b"".join(field(1, field(2, d) if isinstance(d, str) else field(1, d)) for d in ("batch", 4, 8))
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))

PERM = field(5, field(1, "perm") + field(8, 0) + field(8, 2) + field(8, 1) + field(20, 7))
AXIS = field(5, field(1, "axis") + field(3, (1 << 64) - 1) + field(20, 2))
WEIGHT = field(1, 8) + field(1, 8) + field(2, 1) + field(9, bytes(256))
pieces, made = [], 0
def add(op, ins, name, attributes=b""):
    global made
    out = name + "_out"
    body = b"".join(field(1, each) for each in ins) + field(2, out) + field(3, name) + field(4, op) + attributes
    pieces.append(field(1, body))
    made += 1
    return out
weights, last, i = [], "input", 0
while made < count:                                               # transformer-like blocks with two skips each
    p = "" if flat else f"/encoder/layer.{i}/"
    name = (lambda words: f"n{made}") if flat else (lambda words: p + words)
    mine = {}
    for key in ("q", "k", "v", "o", "up", "down"):
        mine[key] = f"encoder.layer.{i}.{key}.weight"
        weights.append(field(5, WEIGHT + field(8, mine[key])))
    q, k, v = (add("MatMul", [last, mine[x]], name(f"attention/{x}/MatMul")) for x in "qkv")
    kt = add("Transpose", [k], name("attention/Transpose"), PERM)
    s = add("MatMul", [q, kt], name("attention/MatMul"))
    s = add("Softmax", [s], name("attention/Softmax"), AXIS)
    o = add("MatMul", [add("MatMul", [s, v], name("attention/MatMul_1")), mine["o"]], name("attention/o/MatMul"))
    x = add("Add", [last, o], name("Add"))
    u = add("Relu", [add("MatMul", [x, mine["up"]], name("mlp/up/MatMul"))], name("mlp/act/Relu"))
    last = add("Add", [x, add("MatMul", [u, mine["down"]], name("mlp/down/MatMul"))], name("Add_1"))
    i += 1
graph = b"".join(pieces) + field(2, "deep") + b"".join(weights)
graph += field(11, value("input")) + field(12, value(last))
with open(sys.argv[1], "wb") as file:
    file.write(field(1, 10) + field(8, field(2, 18)) + field(7, graph))
"""


def external() -> Path:
    """A small ONNX file beside 3.2 GB of external data."""
    return made("external.onnx", EXTERNAL)


def shards() -> Path:
    """The index of four safetensors shards of 3.2 GB together."""
    return made("shards.safetensors.index.json", SHARDS)


def entries(count: int = 700_000) -> Path:
    """A safetensors file of very many small tensors."""
    return made(f"entries_{count}.safetensors", ENTRIES, str(count))


def checkpoint() -> Path:
    """A state dict of 3.2 GB in torch's zip."""
    return made("checkpoint.pt", CHECKPOINT)


def layers(count: int = 800) -> Path:
    """A `.keras` of this many layers."""
    return made(f"layers_{count}.keras", LAYERS, str(count))


def nodes(count: int = 1_000_000, *, flat: bool = False) -> Path:
    """An ONNX file of this many nodes: in named blocks, or without any name to go by."""
    words = ["flat"] if flat else []
    return made(f"{'flat' if flat else 'nodes'}_{count}.onnx", NODES, str(count), *words)


ALL: dict[str, Callable[[], Path]] = {
    "external": external,
    "shards": shards,
    "entries": entries,
    "checkpoint": checkpoint,
    "layers": layers,
    "nodes": nodes,
}


def discard() -> None:
    """Delete what was generated here."""
    for pattern in ("external.onnx*", "shards*", "entries_*", "checkpoint.pt", "layers_*", "nodes_*", "flat_*"):
        for path in BUILD.glob(pattern):
            path.unlink()
