"""Writes a Keras model in all formats of TensorFlow's family: `build_keras.py NAME FOLDER [--small] [keras]`.

ResNet-50 and MobileNetV2 are those of keras.applications; the others are put together from Keras' own layers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
warnings.simplefilter("ignore")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import tensorflow as tf  # noqa: E402
from google.protobuf import json_format  # noqa: E402
from keras import layers  # noqa: E402
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2  # noqa: E402

from inspector.engines.convert.onnx_file import replace_erfc  # noqa: E402
from tests.comparison.reference import FULL, SMALL, Sizes  # noqa: E402


def encoder(x: Any, s: Sizes, *, first: bool) -> Any:
    """A transformer layer with its normalisations before (ViT) or after (BERT)."""
    y = layers.LayerNormalization(epsilon=1e-6)(x) if first else x
    y = layers.MultiHeadAttention(s.heads, s.hidden // s.heads)(y, y)
    x = layers.Add()([x, y])
    x = x if first else layers.LayerNormalization(epsilon=1e-12)(x)
    y = layers.LayerNormalization(epsilon=1e-6)(x) if first else x
    y = layers.Dense(s.hidden)(layers.Dense(s.inner, activation="gelu")(y))
    x = layers.Add()([x, y])
    return x if first else layers.LayerNormalization(epsilon=1e-12)(x)


def vit(s: Sizes) -> keras.Model:
    """The class token and the places are looked up, for Keras has no layer that is only a weight."""
    side = s.image // 16
    image = keras.Input((s.image, s.image, 3), name="image")
    token, places = keras.Input((1,), name="token", dtype="int32"), keras.Input((side**2 + 1,), name="places")
    x = layers.Reshape((side**2, s.hidden))(layers.Conv2D(s.hidden, 16, 16)(image))
    x = layers.Concatenate(axis=1)([layers.Embedding(1, s.hidden)(token), x])
    x = layers.Add()([x, layers.Embedding(side**2 + 1, s.hidden)(places)])
    for _ in range(s.layers):
        x = encoder(x, s, first=True)
    x = layers.LayerNormalization(epsilon=1e-6)(x)
    return keras.Model([image, token, places], layers.Dense(s.classes)(x[:, 0]))


def bert(s: Sizes) -> keras.Model:
    ids, places, types = (keras.Input((s.length,), name=name, dtype="int32") for name in ("ids", "places", "types"))
    found = [layers.Embedding(n, s.hidden)(x) for n, x in ((s.words, ids), (s.places, places), (2, types))]
    x = layers.LayerNormalization(epsilon=1e-12)(layers.Add()(found))
    for _ in range(s.layers):
        x = encoder(x, s, first=False)
    return keras.Model([ids, places, types], [x, layers.Dense(s.hidden, activation="tanh")(x[:, 0])])


def recurrent(s: Sizes) -> keras.Model:
    ids = keras.Input((s.steps,), name="ids", dtype="int32")
    x = layers.Embedding(s.words, s.embedded)(ids)
    x = layers.LSTM(s.cells)(layers.LSTM(s.cells, return_sequences=True)(x))
    return keras.Model(ids, layers.Dense(s.classes)(x))


def made(name: str, s: Sizes) -> keras.Model:
    """A model with random weights."""
    keras.utils.set_random_seed(0)
    image = (s.image, s.image, 3)
    models: dict[str, Callable[[], keras.Model]] = {
        "ResNet-50": lambda: keras.applications.ResNet50(weights=None, input_shape=image, classes=s.classes),
        "MobileNetV2": lambda: keras.applications.MobileNetV2(
            weights=None, input_shape=image, classes=s.classes, alpha=s.alpha
        ),
        "ViT-B/16": lambda: vit(s),
        "BERT-base": lambda: bert(s),
        "LSTM": lambda: recurrent(s),
    }
    model = models[name]()
    random = np.random.default_rng(0)
    for weight in model.weights:  # no two alike: converters store equal ones once
        values = random.normal(0, 0.03, weight.shape).astype("float32")
        weight.assign(abs(values) + 0.5 if weight.path.endswith("variance") else values)
    return model


def tfjs(folder: Path, graph: Any, inputs: list[Any], outputs: list[Any]) -> None:
    """What the converter of TensorFlow.js writes: a graph whose constants have no values, and their bytes."""
    folder.mkdir()
    weights = []
    with (folder / "group1-shard1of1.bin").open("wb") as shard:
        for node in graph.node:
            if node.op == "Const":
                array = tf.make_ndarray(node.attr["value"].tensor)
                if array.dtype == object:
                    continue
                array = array.astype("int32") if array.dtype == np.int64 else array
                weights.append({"name": node.name, "shape": list(array.shape), "dtype": str(array.dtype)})
                shard.write(array.tobytes())
                node.attr["value"].tensor.ClearField("tensor_content")

    def port(tensor: Any) -> dict[str, Any]:
        dims = [{"size": str(-1 if size is None else size)} for size in tensor.shape]
        kind = "DT_INT32" if tensor.dtype.is_integer else "DT_FLOAT"
        return {"name": tensor.name, "dtype": kind, "tensorShape": {"dim": dims}}

    model = {
        "format": "graph-model",
        "generatedBy": tf.__version__,
        "convertedBy": "TensorFlow.js Converter v4.22.0",
        "signature": {
            "inputs": {tensor.name.partition(":")[0]: port(tensor) for tensor in inputs},
            "outputs": {tensor.name: port(tensor) for tensor in outputs},
        },
        "modelTopology": json_format.MessageToDict(graph),
        "weightsManifest": [{"paths": ["group1-shard1of1.bin"], "weights": weights}],
    }
    (folder / "model.json").write_text(json.dumps(model))


def tflite(folder: Path, target: Path, feeds: list[Any] | None = None, **options: Any) -> None:
    """TFLite of the SavedModel with a batch of one; whole numbers throughout where there are feeds."""
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    if feeds is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: [feeds]
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    target.write_bytes(converter.convert())


def served(model: keras.Model, folder: Path) -> tuple[Any, list[tf.TensorSpec]]:
    """The model as a SavedModel of one sample, and the function that it holds."""
    specs = [tf.TensorSpec((1, *each.shape[1:]), each.dtype, name=each.name) for each in model.inputs]
    call = tf.function(lambda *xs: model(list(xs) if len(xs) > 1 else xs[0], training=False), input_signature=specs)
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serving_default", call, specs)
    archive.write_out(str(folder / "saved"), verbose=False)
    return call, specs


def tensorflow_files(name: str, model: keras.Model, folder: Path, s: Sizes) -> Iterator[tuple[str, str]]:
    """What TensorFlow and its converters write, one after the other."""
    call, _ = served(model, folder)
    yield "tf.saved_model", "saved/saved_model.pb"
    fixed = convert_variables_to_constants_v2(call.get_concrete_function(), lower_control_flow=False)
    graph = fixed.graph.as_graph_def()
    (folder / "frozen.pb").write_bytes(graph.SerializeToString())
    yield "tf.graph_def", "frozen.pb"
    tfjs(folder / "js", graph, fixed.inputs, fixed.outputs)
    yield "tfjs", "js/model.json"
    del fixed, graph
    tflite(folder / "saved", folder / "model.tflite")
    yield "tflite", "model.tflite"
    if name in {"ResNet-50", "MobileNetV2"}:
        tflite(folder / "saved", folder / "int8.tflite", [np.random.rand(1, s.image, s.image, 3).astype("f4")])
        yield "tflite, int8", "int8.tflite"
    target = str(folder / "model.onnx")  # in a process of its own: it holds each weight many times over
    command = [sys.executable, "-m", "tf2onnx.convert", "--saved-model", str(folder / "saved"), "--output", target]
    # in C each copy of a weight that a message lets go of stays until the message goes: 0.5 GB for each optimizer
    slow = {**os.environ, "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"}
    ended = subprocess.run([*command, "--opset", "17"], check=False, capture_output=True, env=slow).returncode
    if not ended:
        proto = onnx.load(target)
        replace_erfc(proto)  # tf2onnx leaves TensorFlow's operator there, which ONNX has not
        onnx.save(proto, target)
    yield "onnx, tf2onnx", "" if ended else "model.onnx"


def main(name: str, folder: Path, small: bool, only: list[str]) -> None:
    """Write all files, or those of Keras alone; `facts.json` comes last."""
    s = SMALL if small else FULL
    model = made(name, s)
    files = {"keras": "model.keras", "keras.h5": "model.h5"}
    for file in files.values():
        model.save(folder / file)
    facts: dict[str, Any] = {"library": 0, "parameters": model.count_params(), "files": files}
    for words, file in () if only else tensorflow_files(name, model, folder, s):
        if file:
            files[words] = file
        else:
            facts["left out"] = {words: "tf2onnx did not get through, which takes 10 GB of memory"}
        (folder / "written.json").write_text(json.dumps(facts))
    (folder / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), "--small" in sys.argv, [each for each in sys.argv[3:] if each != "--small"])
