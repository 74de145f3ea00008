"""Builds TensorFlow graphs of many kinds into the folder given, and `facts.json` with the shape of every value: what
TensorFlow says before it runs, and what there was when it ran."""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
warnings.simplefilter("ignore")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from ai_edge_litert.interpreter import Interpreter  # noqa: E402
from google.protobuf import json_format  # noqa: E402
from keras import layers  # noqa: E402
from tensorflow.python.framework.convert_to_constants import (  # noqa: E402
    convert_variables_to_constants_v2,
)
from tensorflow.python.framework.function_def_to_graph import (  # noqa: E402
    function_def_to_graph,
)

BATCH, STEPS = 3, 7
Made = tuple[Any, dict[str, Any]]
"""A function and what to feed it."""


def cnn() -> Made:
    x = keras.Input((33, 29, 3), name="image")
    y = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(x)
    y = layers.BatchNormalization()(y)
    y = layers.DepthwiseConv2D(3, dilation_rate=2)(y)
    y = layers.SeparableConv2D(6, 3, padding="same")(y)
    y = layers.Conv2DTranspose(5, 3, strides=2, padding="same")(y)
    y = layers.Concatenate()([layers.MaxPooling2D(3, 2)(y), layers.AveragePooling2D(3, 2)(y)])
    y = layers.UpSampling2D(2, interpolation="bilinear")(layers.ZeroPadding2D((1, 2))(y))
    y = layers.Conv2D(4, 3, dilation_rate=2, padding="same")(y)
    y = layers.Flatten()(layers.Cropping2D(1)(y))
    y = layers.Dense(10, activation="softmax")(y)
    return call(keras.Model(x, y), image=np.zeros((BATCH, 33, 29, 3), np.float32))


def mobilenet() -> Made:
    model = keras.applications.MobileNetV2((64, 64, 3), alpha=0.35, weights=None, classes=5)
    return call(model, image=np.zeros((BATCH, 64, 64, 3), np.float32))


def bert() -> Made:
    tokens = keras.Input((STEPS,), dtype="int32", name="tokens")
    mask = keras.Input((STEPS,), dtype="int32", name="mask")
    place = layers.Embedding(STEPS, 16)(keras.ops.arange(STEPS))
    x = layers.LayerNormalization()(layers.Embedding(50, 16)(tokens) + place)
    for _ in range(2):
        seen = keras.ops.cast(keras.ops.expand_dims(mask, 1), "bool")
        y = layers.MultiHeadAttention(4, 4)(x, x, attention_mask=seen)
        x = layers.LayerNormalization()(x + y)
        y = layers.Dense(16)(layers.Dense(64, activation="gelu")(x))
        x = layers.LayerNormalization()(x + y)
    model = keras.Model([tokens, mask], [x, layers.Dense(16, activation="tanh")(x[:, 0])])
    zeros = np.ones((BATCH, STEPS), np.int32)
    return call(model, tokens=zeros, mask=zeros)


def recurrent() -> Made:
    x = keras.Input((None, 6), name="steps")
    y = layers.Bidirectional(layers.LSTM(5, return_sequences=True))(x)
    y = layers.Conv1D(4, 3, padding="causal")(y)
    y = layers.GRU(4, return_sequences=True)(y)
    y = layers.SimpleRNN(3)(layers.TimeDistributed(layers.Dense(5))(y))
    return call(keras.Model(x, y), steps=np.zeros((BATCH, STEPS, 6), np.float32))


def lite_loop(folder: Path) -> None:
    """A recurrence over 7 steps as TensorFlow Lite has it, in a loop; and the same in Keras' own file."""
    x = keras.Input((STEPS, 6), batch_size=1)
    model = keras.Model(x, layers.Dense(2)(layers.GRU(4)(layers.LSTM(5, return_sequences=True)(x))))
    model.save(folder / "steps.keras")
    run = tf.function(lambda each: model(each), input_signature=[tf.TensorSpec([1, STEPS, 6])])
    (folder / "steps.tflite").write_bytes(
        tf.lite.TFLiteConverter.from_concrete_functions([run.get_concrete_function()]).convert()
    )


def lite_foreign(folder: Path) -> None:
    """Operators of TensorFlow in a model of TensorFlow Lite, one of which gives nobody knows how many dimensions."""
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a"], tf.constant([1], tf.int64)), 0)

    @tf.function(input_signature=[tf.TensorSpec([2, 5, 5, 3]), tf.TensorSpec([None, 4], tf.string)])
    def run(x: Any, words: Any) -> Any:
        return tf.einsum("bijc,bijd->bcd", x, x), tf.einsum("biic->bic", x), table.lookup(words)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([run.get_concrete_function()])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    (folder / "foreign.tflite").write_bytes(converter.convert())


def call(model: keras.Model, **feeds: Any) -> Made:
    specs = [
        tf.TensorSpec([None, *item.shape[1:]], item.dtype, name) for item, name in zip(model.inputs, feeds, strict=True)
    ]
    run = tf.function(lambda *args: model(list(args) if len(args) > 1 else args[0]), input_signature=specs)
    run.keras_model = model
    return run, feeds


def wide() -> Made:
    """Pictures of any size."""
    x = keras.Input((None, None, 3), name="image")
    y = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(x)
    y = layers.DepthwiseConv2D(3, depth_multiplier=2)(y)
    y = layers.MaxPooling2D(2)(layers.Conv2DTranspose(5, 3, strides=2, padding="same")(y))
    y = layers.UpSampling2D(2)(y)
    y = layers.Concatenate()([y, y * 2.0])
    model = keras.Model(x, [layers.Dense(7)(layers.GlobalAveragePooling2D()(y)), layers.Dense(3)(y)])
    return call(model, image=np.zeros((BATCH, 33, 21, 3), np.float32))


def images() -> Made:
    """Operators on images and signals."""
    kernel, deep = tf.random.normal([3, 3, 3, 4]), tf.random.normal([3, 3, 4, 2])

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 24, 20, 3], tf.float32, "x"),
            tf.TensorSpec([None, 400], tf.float32, "sound"),
        ]
    )
    def run(x: Any, sound: Any) -> Any:
        y = tf.nn.conv2d(x, kernel, [1, 2, 1, 1], [[0, 0], [1, 2], [0, 3], [0, 0]], dilations=[1, 1, 2, 1])
        z = tf.nn.depthwise_conv2d(y, deep, [1, 1, 1, 1], "VALID")
        size = tf.shape(x)[1:3]
        up = tf.image.resize(z, size * 2)
        near = tf.compat.v1.image.resize_nearest_neighbor(z, [7, 9])
        back = tf.nn.conv2d_transpose(
            z, tf.random.normal([3, 3, 5, 8]), tf.stack([tf.shape(z)[0], 22, 34, 5]), 2, "SAME"
        )
        blocks = tf.space_to_batch(x, [2, 5], [[0, 0], [0, 0]])
        again = tf.batch_to_space(blocks, [2, 5], [[1, 0], [0, 2]])
        deeper = tf.nn.depth_to_space(tf.nn.space_to_depth(x, 2), 2)
        wave = tf.signal.stft(sound, 64, 16)
        there = tf.signal.irfft(tf.signal.rfft(sound, [256]))
        two = tf.signal.fft2d(tf.cast(x[..., 0], tf.complex64))
        top = tf.nn.max_pool_with_argmax(x, 2, 2, "SAME")
        crops = tf.image.crop_and_resize(x, [[0.0, 0.0, 1.0, 1.0]] * 6, [0] * 6, [4, 5])
        volume = tf.nn.conv3d(x[:, None], tf.random.normal([1, 3, 3, 3, 2]), [1] * 5, "SAME")
        half = tf.image.resize(x, tf.cast(tf.cast(size, tf.float32) * 0.5, tf.int32))
        norm, *rest = tf.compat.v1.nn.fused_batch_norm(x, [1.0] * 3, [0.0] * 3, is_training=True)
        return [
            up,
            near,
            back,
            again,
            deeper,
            tf.abs(wave),
            there,
            tf.math.real(two),
            *top,
            crops,
            volume,
            half,
            norm,
            *rest,
        ]

    return run, {"x": np.zeros((BATCH, 24, 20, 3), np.float32), "sound": np.zeros((BATCH, 400), np.float32)}


def moves() -> Made:
    """Operators that rearrange, with shapes that are worked out from shapes."""

    @tf.function(
        input_signature=[tf.TensorSpec([None, 6, 8], tf.float32, "x"), tf.TensorSpec([None, 4], tf.int32, "at")]
    )
    def run(x: Any, at: Any) -> Any:
        n = tf.shape(x)[0]
        found = [
            tf.reshape(x, [n * 6, -1]), tf.reshape(x, tf.concat([tf.shape(x)[:1], [12, 4]], 0)), tf.reshape(x, [-1]),
            tf.reshape(tf.reshape(x, [-1, 4]), [n, -1]), tf.transpose(x, [2, 0, 1]), x[:, 1:-1:2, tf.newaxis, ..., 3],
            x[:, ::-1], tf.slice(x, [0, 1, 2], [-1, 3, -1]), *tf.split(x, 4, 2), *tf.split(x, [1, 2, -1], 1),
            *tf.unstack(x, axis=1)[:2], tf.stack([x, x], 2), tf.concat([x, x[:, :, :3]], 2),
            tf.pad(x, [[1, 0], [2, 3], [0, 0]]),
            tf.tile(x, [1, 2, 3]), tf.gather(x, [0, 2, 4], axis=1), tf.gather(x, at[:, :2], axis=1, batch_dims=1),
            tf.gather_nd(x, [[0, 1], [1, 2]]), tf.squeeze(x[:, :1], 1), tf.expand_dims(x, -1), tf.one_hot(at, 5),
            tf.one_hot(at, 3, axis=1), *tf.math.top_k(x, 2), tf.where(x > 0), tf.where(x > 0, x, 0.0), tf.argmax(x, 1),
            tf.reduce_mean(x, [1]), tf.reduce_sum(x, -1, keepdims=True), tf.reduce_max(x), tf.fill([n, 3], 2.0),
            tf.range(n), tf.zeros_like(x), tf.ones([n, tf.shape(x)[1] // 4]), tf.einsum("bij,bkj->bik", x, x),
            tf.einsum("...ij,jk->...ik", x, tf.ones([8, 3])), tf.matmul(x, x, transpose_b=True), tf.cumsum(x, 1),
            tf.linalg.band_part(x, 0, 1), tf.boolean_mask(x, [True, False] * 3, axis=1), tf.unique(at[0])[0],
            tf.math.unsorted_segment_sum(x, tf.range(n), 9), tf.broadcast_to(x[:, :1], [n, 5, 8]), tf.shape(x),
            tf.size(x),
            tf.meshgrid(tf.range(3), tf.range(6))[0], tf.linspace(0.0, 1.0, 11), tf.reverse(x, [1]), tf.roll(x, 1, 1),
            tf.scatter_nd([[0], [2]], tf.ones([2, 3]), [4, 3]), tf.cast(at, tf.float32) / 2.0, tf.math.is_nan(x),
            tf.reduce_all(x > 0, 1), tf.random.uniform([n, 2]), tf.linalg.diag(x), tf.strided_slice(x, [0, 1], [2, 4]),
        ]  # fmt: skip
        return [tf.identity(item) for item in found]

    return run, {"x": np.zeros((BATCH, 6, 8), np.float32), "at": np.ones((BATCH, 4), np.int32)}


def factors() -> Made:
    """Operators with several outputs that have names, and those of words, matrices, counts and boxes."""

    @tf.function(input_signature=[tf.TensorSpec([None, 5, 4], tf.float32, "x"), tf.TensorSpec([4], tf.string, "words")])
    def run(x: Any, words: Any) -> Any:
        square = tf.matmul(x, x, transpose_a=True) + tf.eye(4)
        boxes, scores = tf.reshape(x, [1, -1, 1, 4]), tf.reshape(x[:, :, :3], [1, -1, 3])
        table = tf.sparse.from_dense(tf.ones([3, 4], tf.int64))
        found = [
            *tf.linalg.svd(x), *tf.linalg.qr(x), *tf.linalg.eigh(square), *tf.linalg.lu(square), tf.linalg.det(square),
            *tf.linalg.slogdet(square), tf.linalg.solve(square, tf.transpose(x, [0, 2, 1])), tf.linalg.diag_part(x),
            tf.linalg.inv(square), tf.linalg.triangular_solve(square, square), tf.strings.length(words),
            tf.strings.substr(words, 0, 1), tf.strings.to_hash_bucket_fast(words, 9), tf.strings.join([words, words]),
            tf.strings.as_string(x), tf.math.in_top_k([1], x[0, :1], 2),
            tf.math.bincount([1, 2], minlength=5, maxlength=5),
            tf.histogram_fixed_width(x, [0.0, 1.0], 5), tf.searchsorted(x[0], x[0]), tf.identity_n([x, words])[1],
            *tf.image.combined_non_max_suppression(boxes, scores, 5, 7), tf.math.betainc(x[0], x[0], x[0]),
            tf.image.extract_patches(x[..., None], [1, 2, 3, 1], [1, 2, 2, 1], [1, 1, 1, 1], "SAME"),
            tf.nn.safe_embedding_lookup_sparse(tf.ones([9, 6]), table), tf.sparse.to_dense(table),
            tf.sparse.sparse_dense_matmul(tf.cast(table, tf.float32), tf.ones([4, 6])),
        ]  # fmt: skip
        return [tf.identity(item) for item in found]

    feeds = np.random.default_rng(1).normal(size=(BATCH, 5, 4)).astype(np.float32)
    return run, {"x": feeds, "words": np.array(["a", "bc", "", "d"])}


def loops() -> Made:
    """Functions, conditions and loops; one value grows in its loop."""

    @tf.function
    def twice(x: Any) -> Any:
        return tf.concat([x, x], -1)

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "x"), tf.TensorSpec([], tf.int32, "many")])
    def run(x: Any, many: Any) -> Any:
        same = tf.while_loop(lambda i, _: i < many, lambda i, z: (i + 1, tf.nn.relu(z)), [0, x])[1]
        grown = tf.while_loop(
            lambda i, _: i < many, lambda i, z: (i + 1, tf.concat([z, x], 1)), [0, x],
            [tf.TensorShape([]), tf.TensorShape([None, None])],
        )[1]  # fmt: skip
        either = tf.cond(many > 2, lambda: twice(x), lambda: tf.pad(x, [[0, 0], [0, 4]]))
        other = tf.cond(many > 2, lambda: x[:, :2], lambda: x)
        items = tf.map_fn(lambda row: tf.reshape(row, [2, 2]), x)
        summed = tf.scan(lambda a, b: a + b, x)
        return [same, grown, either, other, items, summed, twice(twice(x))]

    return run, {"x": np.zeros((BATCH, 4), np.float32), "many": np.array(3, np.int32)}


def counted() -> Made:
    """Loops whose lengths the file fixes, each in a way of its own; the sum of their products is in the test."""
    square = tf.Variable(np.eye(6, dtype=np.float32) * 0.5)

    @tf.function(input_signature=[tf.TensorSpec([4, 3, 6], tf.float32, "x")])
    def run(x: Any) -> Any:
        ranged, down = x[0], x[1]
        for _ in tf.range(2):
            for _ in tf.range(1, 12, 4):
                ranged = ranged @ square
        left = tf.constant(10)
        while left > 0:
            down, left = down @ square, left - 2
        most = tf.while_loop(lambda _: True, lambda y: (y @ square,), (x[2],), maximum_iterations=7)[0]
        rows = tf.map_fn(lambda row: tf.matmul(row, row, transpose_a=True), x)
        return [ranged, down, most, rows]

    return run, {"x": np.zeros((4, 3, 6), np.float32)}


def first_loops(graph: Any) -> dict[str, Any]:
    """The loops and arrays of TensorFlow 1, as a graph."""
    with graph.as_default():
        tf.compat.v1.disable_control_flow_v2()
        x = tf.compat.v1.placeholder(tf.float32, [None, 5], "x")
        many = tf.compat.v1.placeholder(tf.int32, [], "many")
        loop = tf.compat.v1.while_loop
        y = loop(lambda i, _: i < many, lambda i, z: (i + 1, tf.nn.relu(z) + 1.0), [0, x])[1]
        shapes = [tf.TensorShape([]), tf.TensorShape([None, None])]
        z = loop(lambda i, _: i < many, lambda i, z: (i + 1, tf.concat([z, x], 1)), [0, x], shapes)[1]
        tf.identity(tf.compat.v1.cond(many > 1, lambda: y[:, :3], lambda: tf.zeros([tf.shape(x)[0], 3])), "out")
        tf.reduce_sum(z, 1, name="sum")
        tf.compat.v1.enable_control_flow_v2()
    return {"x": np.zeros((BATCH, 5), np.float32), "many": np.array(2, np.int32)}


def static(graph: Any) -> dict[str, Any]:
    """What TensorFlow says of every value before it runs: null where not even the rank is known."""
    return {
        f"{op.name}:{at}": None if out.shape.rank is None else out.shape.as_list()
        for op in graph.get_operations()
        for at, out in enumerate(op.outputs)
        if out.dtype not in (tf.resource, tf.variant)
    }


def ran(graph: Any, feeds: dict[str, Any]) -> dict[str, list[int]]:
    """Shapes of all values of the main graph when it runs, but of what stands inside a frame."""
    operations = graph.get_operations()
    framed = ("while", "cond") if any(op.type == "Enter" for op in operations) else ("Placeholder ",)
    outputs = [out for op in operations if not op.name.startswith(framed) for out in op.outputs]
    wanted = [out for out in outputs if out.dtype not in (tf.resource, tf.variant)]
    with tf.compat.v1.Session(graph=graph) as session:
        values = session.run(wanted, {f"{name}:0": value for name, value in feeds.items()})
    return {out.name: list(np.shape(value)) for out, value in zip(wanted, values, strict=True)}


def keep(folder: Path, name: str, proto: Any, feeds: dict[str, Any]) -> dict[str, Any]:
    for node in [*proto.node, *(node for function in proto.library.function for node in function.node_def)]:
        node.attr.pop("_output_shapes", None)
    (folder / f"{name}.pb").write_bytes(proto.SerializeToString())
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(proto, name="")
    inner = {function.signature.name: static(function_def_to_graph(function)) for function in proto.library.function}
    return {
        "static": static(graph),
        "dtypes": {
            f"{op.name}:{at}": out.dtype.base_dtype.name
            for op in graph.get_operations()
            for at, out in enumerate(op.outputs)
        },
        "inner": inner,
        "ran": ran(graph, feeds),
        "feeds": {key: list(value.shape) for key, value in feeds.items()},
    }


def saved(folder: Path, name: str, run: Any) -> dict[str, Any]:
    """The same as a SavedModel, and the values of all its functions."""
    module = tf.Module()
    module.run, module.held = run, list(run.get_concrete_function().variables)
    tf.saved_model.save(module, str(folder / name), signatures=run.get_concrete_function())
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    path = folder / name / "saved_model.pb"
    whole = SavedModel.FromString(path.read_bytes())
    proto = whole.meta_graphs[0].graph_def
    for node in [*proto.node, *(node for function in proto.library.function for node in function.node_def)]:
        node.attr.pop("_output_shapes", None)
    path.write_bytes(whole.SerializeToString())
    return {"functions": {f.signature.name: static(function_def_to_graph(f)) for f in proto.library.function}}


def lite(path: Path, run: Any, feeds: dict[str, Any]) -> dict[str, list[int]]:
    """The same for TensorFlow Lite, and the shapes of all its values when it runs."""
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([run.get_concrete_function()]).convert())
    reader = Interpreter(model_path=str(path), experimental_preserve_all_tensors=True)
    for item in reader.get_input_details():
        reader.resize_tensor_input(item["index"], feeds[item["name"]].shape)
    reader.allocate_tensors()
    for item in reader.get_input_details():
        reader.set_tensor(item["index"], feeds[item["name"]])
    reader.invoke()
    return {item["name"]: item["shape"].tolist() for item in reader.get_tensor_details()}


def in_a_browser(folder: Path, proto: Any) -> None:
    """As the converter of TensorFlow.js writes it: the values of constants in a file beside."""
    folder.mkdir()
    weights, data = [], b""
    for node in proto.node:
        if node.op == "Const":
            array = tf.make_ndarray(node.attr["value"].tensor)
            weights.append({"name": node.name, "shape": list(array.shape), "dtype": str(array.dtype)})
            data += array.tobytes()
            for key in ("tensor_content", "float_val", "int_val", "int64_val", "bool_val"):
                node.attr["value"].tensor.ClearField(key)
    (folder / "group1-shard1of1.bin").write_bytes(data)
    model = {
        "format": "graph-model",
        "modelTopology": json_format.MessageToDict(proto),
        "weightsManifest": [{"paths": ["group1-shard1of1.bin"], "weights": weights}],
    }
    (folder / "model.json").write_text(json.dumps(model))


def main(folder: Path) -> None:
    keras.utils.set_random_seed(3)
    facts = {}
    for make in (cnn, mobilenet, bert, recurrent, wide, images, moves, factors, loops, counted):
        run, feeds = make()
        name = make.__name__
        frozen = convert_variables_to_constants_v2(run.get_concrete_function(), lower_control_flow=False)
        proto = frozen.graph.as_graph_def()
        facts[name] = keep(folder, name, proto, feeds)
        if name in ("cnn", "bert", "recurrent", "loops", "counted", "factors"):
            facts[name] |= saved(folder, f"{name}_saved", run)
        if name in ("mobilenet", "bert"):
            run.keras_model.save(folder / f"{name}.keras")
        if name in ("cnn", "bert", "wide", "counted"):
            facts[name]["lite"] = lite(folder / f"{name}.tflite", run, feeds)
        if name == "cnn":
            in_a_browser(folder / "cnn_js", proto)
    lite_loop(folder)
    lite_foreign(folder)
    graph = tf.Graph()
    feeds = first_loops(graph)
    facts["first_loops"] = keep(folder, "first_loops", graph.as_graph_def(), feeds)
    (folder / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
