"""Builds frozen graphs, TensorFlow.js models and Keras H5 files into the folder given, and `facts.json`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
import tensorflow as tf
from google.protobuf import json_format, text_format
from keras import layers
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2


def frozen(folder: Path) -> dict[str, Any]:
    """A frozen graph with a loop, as bytes and as text, and its values."""
    weight = tf.Variable(tf.random.normal([8, 16], seed=1), name="dense/kernel")
    bias = tf.Variable(tf.random.normal([16], seed=2), name="dense/bias")
    kernel = tf.Variable(tf.random.normal([3, 3, 1, 8], seed=3), name="conv/kernel")

    @tf.function
    def model(x: tf.Tensor) -> tf.Tensor:
        with tf.name_scope("conv"):
            y = tf.nn.relu(tf.nn.conv2d(x, kernel, 2, "SAME"))
        with tf.name_scope("dense"):
            y = tf.nn.bias_add(tf.reduce_mean(y, [1, 2]) @ weight, bias)
        steps = tf.cast(tf.reduce_sum(x), tf.int32)
        return tf.while_loop(lambda i, _: i < steps, lambda i, z: (i + 1, z * 2.0), [0, y])[1]

    call = model.get_concrete_function(tf.TensorSpec([None, 28, 28, 1], tf.float32, name="image"))
    graph = convert_variables_to_constants_v2(call, lower_control_flow=False).graph.as_graph_def()
    (folder / "frozen.pb").write_bytes(graph.SerializeToString())
    (folder / "frozen.pbtxt").write_text(text_format.MessageToString(graph))
    values = {"dense": weight.numpy(), "bias": bias.numpy(), "conv": kernel.numpy()}
    np.savez(folder / "frozen.npz", **values)
    tfjs_graph(folder / "js_graph", graph)
    return {"parameters": sum(value.size for value in values.values()), "nodes": len(graph.node)}


def tfjs_graph(folder: Path, graph: Any) -> None:
    """What the converter of TensorFlow.js writes: constants without values, and shards; one is quantized."""
    folder.mkdir()
    weights, data = [], b""
    for node in graph.node:
        if node.op != "Const":
            continue
        array = tf.make_ndarray(node.attr["value"].tensor)
        entry: dict[str, Any] = {"name": node.name, "shape": list(array.shape), "dtype": str(array.dtype)}
        if array.dtype == np.float32 and array.ndim == 4:
            low, scale = float(array.min()), float(np.ptp(array) / 255)
            entry["quantization"] = {"min": low, "scale": scale, "dtype": "uint8", "original_dtype": "float32"}
            array = np.round((array - low) / scale).astype(np.uint8)
        weights.append(entry)
        data += array.tobytes()
        node.attr["value"].tensor.ClearField("tensor_content")
    words = b"".join(len(word).to_bytes(4, "little") + word for word in ("héllo".encode(), b"", b"x"))
    weights.append({"name": "words", "shape": [3], "dtype": "string"})
    data += words
    paths = [f"group1-shard{at + 1}of3.bin" for at in range(3)]
    step = len(data) // 3 + 1
    for at, path in enumerate(paths):
        (folder / path).write_bytes(data[at * step : (at + 1) * step])
    image = {
        "name": "image:0",
        "dtype": "DT_FLOAT",
        "tensorShape": {"dim": [{"size": str(n)} for n in (-1, 28, 28, 1)]},
    }
    model = {
        "format": "graph-model",
        "generatedBy": "2.21.0",
        "convertedBy": "TensorFlow.js Converter v4.22.0",
        "signature": {"inputs": {"image": image}, "outputs": {"scores": {"name": "Identity:0", "dtype": "DT_FLOAT"}}},
        "modelTopology": json_format.MessageToDict(graph),
        "weightsManifest": [{"paths": paths, "weights": weights}],
    }
    (folder / "model.json").write_text(json.dumps(model))


def functional() -> keras.Model:
    inner_in = keras.Input((16,), name="inner_in")
    inner = keras.Model(inner_in, layers.Dense(8, name="inner_dense")(inner_in), name="inner")
    shared = layers.Dense(16, activation="relu", name="shared")
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    both = layers.Concatenate(name="both")([inner(shared(a)), inner(shared(b))])
    both = layers.BatchNormalization(name="norm")(both)
    return keras.Model([a, b], [layers.Dense(3, name="left")(both), layers.Dense(2, name="right")(both)], name="two")


def sequential() -> keras.Model:
    model = keras.Sequential(name="small")
    model.add(keras.Input((12, 6)))
    model.add(layers.Conv1D(8, 3, name="conv"))
    model.add(layers.Bidirectional(layers.LSTM(5, return_sequences=True), name="both_ways"))
    model.add(layers.GlobalAveragePooling1D(name="mean"))
    model.add(layers.Dense(4, name="out", trainable=False))
    return model


class Own(keras.Model):
    """A model whose layers stand in its program alone."""

    def __init__(self) -> None:
        super().__init__(name="own")
        self.steps = [layers.Dense(4), layers.Dense(3)]

    def call(self, x: Any) -> Any:
        for step in self.steps:
            x = step(x)
        return x


def keras_files(folder: Path) -> dict[str, Any]:
    own = Own()
    own(np.zeros((2, 5), np.float32))
    own.save_weights(folder / "own.weights.h5")
    np.savez(folder / "own.npz", **{f"w{at}": np.array(w) for at, w in enumerate(own.weights)})
    facts: dict[str, Any] = {"own": {"parameters": own.count_params()}}
    for name, model in (("functional", functional()), ("sequential", sequential())):
        model.compile("adam", "mse")
        shapes = [tuple(item.shape[1:]) for item in model.inputs]
        xs = [np.zeros((2, *shape), np.float32) for shape in shapes]
        ys = [np.zeros((2, *item.shape[1:]), np.float32) for item in model.outputs]
        model.fit(xs if len(xs) > 1 else xs[0], ys if len(ys) > 1 else ys[0], verbose=0)
        model.save(folder / f"{name}.h5")
        model.save(folder / f"{name}.keras")
        model.save_weights(folder / f"{name}.weights.h5")
        trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
        facts[name] = {
            "parameters": model.count_params(),
            "trainable": trainable,
            "outputs": [list(item.shape) for item in model.outputs],
            "layers": {layer.name: [list(w.shape) for w in layer.weights] for layer in model.layers},
        }
        np.savez(folder / f"{name}.npz", **{f"w{at}": np.array(w) for at, w in enumerate(model.weights)})
        tfjs_layers(folder / f"js_{name}", model)
    return facts


def tfjs_layers(folder: Path, model: keras.Model) -> None:
    """A layers-model as the converter writes it."""
    folder.mkdir()
    weights, data = [], b""
    for weight in model.weights:
        array = np.array(weight)
        weights.append({"name": weight.path, "shape": list(array.shape), "dtype": str(array.dtype)})
        data += array.tobytes()
    (folder / "group1-shard1of1.bin").write_bytes(data)
    config = json.loads(model.to_json())
    topology = {"keras_version": keras.__version__, "backend": "tensorflow", "model_config": config}
    manifest = [{"paths": ["group1-shard1of1.bin"], "weights": weights}]
    made = {"format": "layers-model", "modelTopology": topology, "weightsManifest": manifest}
    (folder / "model.json").write_text(json.dumps(made))


def main(folder: Path) -> None:
    keras.utils.set_random_seed(1)
    facts = {"frozen": frozen(folder), **keras_files(folder)}
    (folder / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
