"""Builds Keras archives, SavedModels and TFLite files into the folder given, and `facts.json` with what their own
frameworks say of them."""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.simplefilter("ignore")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from ai_edge_litert.interpreter import Interpreter  # noqa: E402
from keras import layers  # noqa: E402


def sequential() -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((28, 28), name="digits"),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10),
        ],
        name="mlp",
    )
    model.compile("adam", "mse")
    model.fit(np.random.rand(4, 28, 28), np.random.rand(4, 10), verbose=0)
    return model


def functional() -> keras.Model:
    """Two inputs, two outputs, a shared layer, a nested model called twice, a frozen layer, a seed."""
    image, tokens = keras.Input((32, 32, 3), name="image"), keras.Input((10,), name="tokens", dtype="int32")
    x = layers.Conv2D(8, 3, padding="same", name="first")(image)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    y = layers.SeparableConv2D(8, 3, padding="same")(x)
    x = layers.Add()([x, y])
    x = layers.MaxPooling2D()(x)
    x = layers.GlobalAveragePooling2D()(x)
    e = layers.Embedding(100, 16, trainable=False)(tokens)
    e = layers.Bidirectional(layers.LSTM(8))(e)
    shared = layers.Dense(16, name="shared")
    a, b = shared(e), shared(layers.Dense(16)(x))
    inner = keras.Sequential([keras.Input((16,)), layers.Dense(4), layers.LeakyReLU()], name="inner")
    z = layers.Concatenate()([inner(a), inner(b)])
    z = layers.Dropout(0.1, seed=3)(z) * 2.0
    heads = {"kind": layers.Dense(3, activation="softmax", name="head")(z), "size": layers.Dense(1, name="size")(z)}
    return keras.Model([image, tokens], heads, name="net")


def many() -> keras.Model:
    """One of many kinds of layers, for their shapes; every output is an output of the model, so none is told."""
    i2, i1, i3 = keras.Input((17, 19, 4)), keras.Input((12, 6)), keras.Input((5, 6, 7, 2))
    outputs = [
        layers.Conv2D(5, 3, strides=2)(i2),
        layers.Conv2D(5, (3, 5), padding="same", dilation_rate=2)(i2),
        layers.DepthwiseConv2D(3, depth_multiplier=2, strides=2, padding="same")(i2),
        layers.Conv2DTranspose(3, 3, strides=2)(i2),
        layers.Conv2DTranspose(3, 4, strides=2, padding="same")(i2),
        layers.AveragePooling2D(3, strides=2, padding="same")(i2),
        layers.ZeroPadding2D(((1, 2), (0, 3)))(i2),
        layers.Cropping2D((2, 3))(i2),
        layers.UpSampling2D((2, 3))(i2),
        layers.GlobalMaxPooling2D(keepdims=True)(i2),
        layers.Permute((3, 1, 2))(i2),
        layers.Reshape((-1, 4))(i2),
        layers.Conv1D(3, 4, padding="causal")(i1),
        layers.ZeroPadding1D((1, 2))(i1),
        layers.UpSampling1D(3)(i1),
        layers.MaxPooling1D(5)(i1),
        layers.GRU(5, return_sequences=True)(i1),
        layers.Bidirectional(layers.LSTM(3, return_sequences=True), merge_mode="sum")(i1),
        layers.TimeDistributed(layers.Dense(2))(i1),
        layers.MultiHeadAttention(2, 3)(i1, i1),
        layers.RepeatVector(4)(layers.GlobalAveragePooling1D()(i1)),
        layers.Dot(axes=(2, 2))([i1, i1]),
        layers.LayerNormalization()(i1),
        layers.Conv3D(3, 2)(i3),
        layers.MaxPooling3D(2)(i3),
        layers.Concatenate(axis=1)([i1, i1]),
    ]
    return keras.Model([i2, i1, i3], outputs)


def unsafe() -> keras.Model:
    x = keras.Input((4,))
    return keras.Model(x, layers.Lambda(lambda t: t * 2, name="twice")(x))


class Steps(tf.Module):
    """A condition and a loop that depend on values."""

    def __init__(self) -> None:
        self.v = tf.Variable(np.arange(12, dtype="float32").reshape(4, 3), name="v")

    @tf.function(input_signature=[tf.TensorSpec([None, 4], name="x"), tf.TensorSpec([], tf.bool, name="flag")])
    def run(self, x: Any, flag: Any) -> dict[str, Any]:
        y = x @ self.v
        if flag:
            y = y + 1.0
        i = 0
        while tf.reduce_sum(y) < 10.0 and i < 3:
            y = y * 2.0
            i += 1
        return {"y": y, "z": tf.nn.relu(y)}


class Program(Steps):
    """Besides, a table, a file, a counter and words."""

    def __init__(self) -> None:
        super().__init__()
        self.count = tf.Variable(7, trainable=False, name="count")
        self.words = tf.Variable(["a", "bc"], trainable=False, name="words")
        table = tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2])
        self.table = tf.lookup.StaticHashTable(table, 0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="words")])
    def look(self, words: Any) -> dict[str, Any]:
        return {"id": self.table.lookup(words)}

    @tf.function(input_signature=[tf.TensorSpec([], tf.string, name="path")])
    def open(self, path: Any) -> dict[str, Any]:
        return {"data": tf.io.read_file(path)}


class Nameless(tf.Module):
    """All its variables are called `Variable`, and the function takes the last one first."""

    def __init__(self) -> None:
        self.late = tf.Variable(np.ones((4, 2), "float32"))
        self.early = tf.Variable(np.ones((3, 4), "float32"))

    @tf.function(input_signature=[tf.TensorSpec([5, 3], name="x")])
    def run(self, x: Any) -> dict[str, Any]:
        return {"y": (x @ self.early) @ self.late}


def keras_facts(model: keras.Model) -> dict[str, Any]:
    def shape(layer: Any) -> Any:
        try:
            found = layer.output.shape if not isinstance(layer.output, list) else layer.output[0].shape
        except (AttributeError, ValueError):
            return None
        return list(found)

    return {
        "parameters": model.count_params(),
        "trainable": sum(int(np.prod(w.shape)) for w in model.trainable_weights),
        "weights": {w.path: list(w.shape) for w in model.weights},
        "shapes": {layer.name: shape(layer) for layer in model.layers if not isinstance(layer, keras.Model)},
        "outputs": [list(output.shape) for output in model.outputs],
    }


def litert_facts(path: Path) -> dict[str, Any]:
    reader = Interpreter(model_path=str(path))
    reader.allocate_tensors()
    details = {item["index"]: item for item in reader.get_tensor_details()}
    return {
        "inputs": [[item["name"], item["shape_signature"].tolist()] for item in reader.get_input_details()],
        "outputs": [[item["name"], item["shape_signature"].tolist()] for item in reader.get_output_details()],
        "tensors": {
            item["name"]: [item["shape"].tolist(), np.dtype(item["dtype"]).name]
            for item in details.values()
            if item["name"]
        },
        "ops": [item["op_name"] for item in reader._get_ops_details()],
        "signatures": {k: [v["inputs"], v["outputs"]] for k, v in reader.get_signature_list().items()},
    }


def main(folder: Path) -> None:
    keras.utils.set_random_seed(2)
    facts: dict[str, Any] = {}
    made = {"sequential": sequential(), "functional": functional(), "many": many(), "unsafe": unsafe()}
    for name, model in made.items():
        model.save(folder / f"{name}.keras")
        facts[name] = keras_facts(model)
        np.savez(folder / f"{name}.npz", **{w.path: np.asarray(w) for w in model.weights})
    made["sequential"].export(folder / "exported", verbose=False)
    program = Program()
    signatures = {"serving_default": program.run, "look": program.look, "open": program.open}
    tf.saved_model.save(program, str(folder / "program"), signatures=signatures)
    nameless = Nameless()
    tf.saved_model.save(nameless, str(folder / "nameless"), signatures=nameless.run)
    converter = tf.lite.TFLiteConverter.from_keras_model(made["sequential"])
    (folder / "plain.tflite").write_bytes(converter.convert())
    converter = tf.lite.TFLiteConverter.from_keras_model(made["sequential"])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    (folder / "quantized.tflite").write_bytes(converter.convert())
    steps = Steps()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([steps.run.get_concrete_function()], steps)
    (folder / "control.tflite").write_bytes(converter.convert())
    for name in ("plain", "quantized", "control"):
        facts[name] = litert_facts(folder / f"{name}.tflite")
    (folder / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
