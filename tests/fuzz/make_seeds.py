"""Makes the seeds: small whole models of every format. Needs all frameworks, so what it makes is committed.

`python -m tests.fuzz.make_seeds`. Each seed is a folder with the files of one model and MAIN, which says what to open.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.harness import SEEDS

FORMATS = Path(__file__).resolve().parents[1] / "formats"
sys.path.insert(0, str(FORMATS))
BUILT = {
    "build_tensorflow.py": {
        "tflite": ["control.tflite"],
        "keras": ["unsafe.keras"],
        "tf.saved_model": ["program/"],
    },
    "build_tf_graphs.py": {
        "tf.graph_def": ["frozen.pb"],
        "keras": ["sequential.keras"],
        "keras.h5": ["sequential.h5", "sequential.weights.h5"],
        "tfjs": ["js_graph/model.json", "js_sequential/model.json"],
    },
    "build_torch_script.py": {"torch.script": ["looping_script.pt", "odd_trace.pt", "named_script.pt"]},
    "build_torch_weights.py": {
        "torch.state_dict": [
            *("state.pt", "legacy.pth", "lightning.ckpt", "before_archives.pth", "pytorch_model.bin.index.json"),
        ],
        "torch.module": ["module.pt", "plain_module.pt"],
        "safetensors": ["one.safetensors", "m.safetensors.index.json"],
    },
}
BESIDE = {
    "m.safetensors.index.json": ["m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors"],
    "pytorch_model.bin.index.json": ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"],
}


def main() -> None:
    """Make them all anew."""
    shutil.rmtree(SEEDS, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        for script, formats in BUILT.items():
            folder = Path(scratch) / script
            folder.mkdir()
            subprocess.run([sys.executable, str(FORMATS / script), str(folder)], check=True, capture_output=True)
            for fmt, names in formats.items():
                for name in names:
                    _take(folder, fmt, name)
    for fmt, name, make in (
        ("onnx", "small.onnx", small_onnx),
        ("onnx", "outside.onnx", outside_onnx),
        ("torch.export", "small.pt2", small_pt2),
        ("tflite", "conv.tflite", small_tflite),
        ("gguf", "small.gguf", small_gguf),
        ("openvino", "small.xml", small_openvino),
        ("gguf", "types.gguf", every_type),
        ("tf.graph_def", "small.pbtxt", small_text),
        ("tf.saved_model", "little", little),
        ("tflite", "sparse.tflite", lambda path: path.write_bytes(tflite_parts()[0])),
        ("tflite", "metadata.tflite", lambda path: path.write_bytes(tflite_parts()[1])),
        ("tflite", "models.task", several),
    ):
        make(_place(fmt, name) / name)
    for file in SEEDS.rglob("*"):
        if file.is_file():
            file.write_bytes(_neutral(file.read_bytes()))


def every_type(path: Path) -> None:
    """A tensor of each type of ggml, and arrays of arrays."""
    import test_gguf

    from inspector.formats._ggml import KINDS

    made = test_gguf.Writer()
    nested = [(test_gguf.U32, [1, 2]), (test_gguf.STRING, ["a"])]
    made.say("deep", test_gguf.ARRAY, (test_gguf.ARRAY, nested))
    for number, kind in KINDS.items():
        made.tensor(kind.name, number, (256,), bytes(256 // kind.block * kind.size))
    made.write(path)


def tflite_parts() -> tuple[bytes, bytes]:
    """A sparse constant in blocks; a model with metadata."""
    import tflite_files as files

    levels = [files.level(2), files.level(0, [0, 1, 2], [1, 0]), files.level(2), files.level(2)]
    ends = [files.tensor("x", [1, 4]), files.tensor("y", [1, 4])]
    told = files.model(files.RELU, ends, [], {"TFLITE_METADATA": files.METADATA})
    return files.sparse([4, 4], [0, 1, 2, 3], [0, 1], levels, range(8)), told


def several(path: Path) -> None:
    """An archive of both."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in zip(("a.tflite", "b/c.tflite"), tflite_parts(), strict=True):
            archive.writestr(zipfile.ZipInfo(name), data)


def _neutral(data: bytes) -> bytes:
    """The same without the path of the machine that made it, which exporters write into what they export."""
    if data.startswith(b"PK"):
        made = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
            for entry in old.infolist():
                new.writestr(zipfile.ZipInfo(entry.filename), _neutral(old.read(entry)))
        return made.getvalue()
    for root in (str(FORMATS.parents[1]), tempfile.gettempdir() + "/", sys.prefix):
        data = data.replace(root.encode(), ("/" + "u" * (len(root) - 1)).encode())
    return data


def _place(fmt: str, name: str) -> Path:
    folder = SEEDS / fmt / Path(name).stem
    folder.mkdir(parents=True)
    (folder / "MAIN").write_text(name)
    return folder


def _take(folder: Path, fmt: str, name: str) -> None:
    """A file with what lies beside it, or a folder; of a file in a folder the whole folder."""
    if name.endswith("/"):
        shutil.copytree(folder / name, SEEDS / fmt / name[:-1])
        (SEEDS / fmt / name[:-1] / "MAIN").write_text(".")
    elif "/" in name:
        target = SEEDS / fmt / Path(name).parent
        shutil.copytree((folder / name).parent, target)
        (target / "MAIN").write_text(Path(name).name)
    else:
        target = _place(fmt, f"{name.replace('.', '_')}.x")
        (target / "MAIN").write_text(name)
        for each in [name, *BESIDE.get(name, [])]:
            shutil.copyfile(folder / each, target / each)


def small_onnx(path: Path) -> None:
    """A convolution, a branch, a loop, a function, a sequence, a quantized constant and a sparse one."""
    from onnx import TensorProto, helper, numpy_helper
    from onnx_models import save

    def value(name: str, kind: int = TensorProto.FLOAT, shape: Any = None) -> Any:
        return helper.make_tensor_value_info(name, kind, shape)

    imports = [helper.make_opsetid("", 21), helper.make_opsetid("mine", 1)]
    function = helper.make_function("mine", "F", ["a"], ["b"], [helper.make_node("Neg", ["a"], ["b"])], imports)
    branch = {
        name: helper.make_graph([helper.make_node(op, ["conv"], [f"{name}_y"])], name, [], [value(f"{name}_y")])
        for name, op in (("then_branch", "Relu"), ("else_branch", "Abs"))
    }
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Add", ["s", "s"], ["t"])],
        "body",
        [value("i", TensorProto.INT64, []), value("go", TensorProto.BOOL, []), value("s")],
        [value("on", TensorProto.BOOL, []), value("t")],
    )
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "scale"], ["w"]),
        helper.make_node("Conv", ["x", "w"], ["conv"], pads=[1, 1, 1, 1], group=1, name="/net/conv"),
        helper.make_node("If", ["yes"], ["branched"], **branch),
        helper.make_node("Loop", ["three", "yes", "branched"], ["looped"], body=body),
        helper.make_node("F", ["looped"], ["f"], domain="mine"),
        helper.make_node("SequenceConstruct", ["f", "f"], ["list"]),
        helper.make_node("ConcatFromSequence", ["list"], ["c"], axis=1),
        helper.make_node("Reshape", ["c", "flat"], ["r"]),
        helper.make_node("Constant", [], ["k"], value_floats=[1.0, 2.0]),
        helper.make_node("Mul", ["r", "k"], ["y"], doc_string="the end"),
    ]
    tensors = [
        numpy_helper.from_array(np.ones((4, 2, 3, 3), np.int8), "q"),
        numpy_helper.from_array(np.array(0.1, np.float32), "scale"),
        numpy_helper.from_array(np.array(True), "yes"),
        numpy_helper.from_array(np.array(3), "three"),
        numpy_helper.from_array(np.array([-1, 2]), "flat"),
    ]
    at = helper.make_tensor("", TensorProto.INT64, [1], [1])
    sparse = helper.make_sparse_tensor(helper.make_tensor("sparse", TensorProto.FLOAT, [1], [3.0]), at, [4])
    parts = {"initializer": tensors, "sparse_initializer": [sparse], "functions": [function], "imports": imports}
    save(path, nodes, shape=["batch", 2, 5, 5], **parts)


def outside_onnx(path: Path) -> None:
    """Weights in a file of their own."""
    from onnx_models import external

    made = external(path.parent, "m.bin", offset=8, length=24)
    made.rename(path)
    (path.parent / "m.bin").write_bytes(bytes(40))


def small_pt2(path: Path) -> None:
    """A convolution and a linear layer of torch.export."""
    import torch

    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(18, 3))
    torch.export.save(torch.export.export(net.eval(), (torch.zeros(1, 1, 5, 5),)), str(path))


def small_tflite(path: Path) -> None:
    """A quantized convolution."""
    import keras
    import tensorflow as tf

    model = keras.Sequential(
        [keras.Input((6, 6, 1)), keras.layers.Conv2D(2, 3), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([np.random.rand(1, 6, 6, 1).astype(np.float32)] for _ in range(4))
    path.write_bytes(converter.convert())


def small_text(path: Path) -> None:
    """A frozen convolution, a branch and a function, as text."""
    import tensorflow as tf
    from google.protobuf import text_format

    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 4, 4, 1], name="x")
        y = tf.nn.conv2d(x, tf.constant(np.ones((2, 2, 1, 2), np.float32), name="w"), 1, "SAME", name="net/conv")
        double = tf.function(lambda value: value * 2.0, input_signature=[tf.TensorSpec(None, tf.float32)])
        tf.identity(double(tf.nn.relu(y, name="net/relu")), name="y")
    path.write_text(text_format.MessageToString(graph.as_graph_def()))


def little(path: Path) -> None:
    """One layer and one signature."""
    import tensorflow as tf

    module = tf.Module()
    module.weight = tf.Variable(np.ones((2, 3), np.float32), name="w")
    call = tf.function(lambda x: {"y": x @ module.weight}, [tf.TensorSpec([None, 2], tf.float32, name="x")])
    tf.saved_model.save(module, str(path), signatures=call)
    (path.parent / "MAIN").write_text("little")


def small_gguf(path: Path) -> None:
    """Facts and three tensors."""
    from test_gguf import toy

    toy().write(path)


def small_openvino(path: Path) -> None:
    """A grouped convolution and a linear layer of four bits."""
    from test_openvino import toy

    toy().write(path)


if __name__ == "__main__":
    main()
