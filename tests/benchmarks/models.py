"""Models that the measurements generate once, under build/benchmarks."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

from tests.benchmarks.harness import BUILD

LARGE = """
import sys, numpy as np, onnx
from onnx import TensorProto as T, helper as h, numpy_helper as n
rng = np.random.default_rng(0)
nodes, weights, last = [], [], "input"
for i in range(25):                                   # 25 x 1024 x 1024 float32 = 105 MB
    matrix = rng.standard_normal((1024, 1024)).astype("f4") / 32
    weights += [n.from_array(matrix, f"layers.{i}.weight"), n.from_array(np.zeros(1024, "f4"), f"layers.{i}.bias")]
    inputs = [last, f"layers.{i}.weight", f"layers.{i}.bias"]
    nodes += [h.make_node("Gemm", inputs, [f"g{i}"], f"/layers/{i}/linear/Gemm"),
              h.make_node("Relu", [f"g{i}"], [f"r{i}"], f"/layers/{i}/act/Relu")]
    last = f"r{i}"
graph = h.make_graph(nodes, "large", [h.make_tensor_value_info("input", T.FLOAT, ["batch", 1024])],
                     [h.make_tensor_value_info(last, T.FLOAT, ["batch", 1024])], weights)
onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 18)], ir_version=10), sys.argv[1])
"""

DEEP = """
import sys, numpy as np, onnx
from onnx import TensorProto as T, helper as h, numpy_helper as n
count = int(sys.argv[2])
rng = np.random.default_rng(0)
nodes, weights, last = [], [], "input"
def add(op, ins, name, **attrs):
    nodes.append(h.make_node(op, ins, [name + "_out"], name, **attrs)); return name + "_out"
i = 0
while len(nodes) < count:                             # transformer-like blocks with two skips each
    p = f"/encoder/layer.{i}"
    for k in ("q", "k", "v", "o", "up", "down"):
        weights.append(n.from_array(rng.standard_normal((8, 8)).astype("f4"), f"encoder.layer.{i}.{k}.weight"))
    w = lambda k: f"encoder.layer.{i}.{k}.weight"
    q, k, v = (add("MatMul", [last, w(x)], f"{p}/attention/{x}/MatMul") for x in "qkv")
    kt = add("Transpose", [k], f"{p}/attention/Transpose", perm=[0, 2, 1])
    s = add("Softmax", [add("MatMul", [q, kt], f"{p}/attention/MatMul")], f"{p}/attention/Softmax", axis=-1)
    o = add("MatMul", [add("MatMul", [s, v], f"{p}/attention/MatMul_1"), w("o")], f"{p}/attention/o/MatMul")
    x = add("Add", [last, o], f"{p}/Add")
    u = add("Relu", [add("MatMul", [x, w("up")], f"{p}/mlp/up/MatMul")], f"{p}/mlp/act/Relu")
    last = add("Add", [x, add("MatMul", [u, w("down")], f"{p}/mlp/down/MatMul")], f"{p}/Add_1")
    i += 1
graph = h.make_graph(nodes, "deep", [h.make_tensor_value_info("input", T.FLOAT, ["batch", 4, 8])],
                     [h.make_tensor_value_info(last, T.FLOAT, ["batch", 4, 8])], weights)
onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 18)], ir_version=10), sys.argv[1])
"""


def made(name: str, script: str, *arguments: str) -> Path:
    """The file of this name, generated in a process of its own where it is not there yet."""
    path = BUILD / name
    if not path.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        write(path, script, *arguments)
    return path


def write(path: Path, script: str, *arguments: str) -> None:
    """Generate a file in a process of its own."""
    subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(path), *arguments], check=True)


def large() -> Path:
    """An ONNX file of 105 MB: 50 nodes, 26 million parameters."""
    return made("large.onnx", LARGE)


def deep(count: int = 5000) -> Path:
    """An ONNX file of at least this many nodes, in blocks with skips."""
    return made(f"deep_{count}.onnx", DEEP, str(count))
