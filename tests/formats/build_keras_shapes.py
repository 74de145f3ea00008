"""Builds Keras models of all kinds of layers into the folder given,
and `facts.json` with the shapes that Keras gives.

Every layer is an output of its model, so that no later layer tells its shape in the file.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
warnings.simplefilter("ignore")

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers, ops  # noqa: E402


@keras.saving.register_keras_serializable("ours")
class Strange(layers.Layer):
    """A layer that only its author's program knows."""

    def call(self, x: Any) -> Any:
        return ops.concatenate([x, x], -1)


def spatial() -> keras.Model:
    i1, i2, i3 = keras.Input((13, 4)), keras.Input((17, 19, 4)), keras.Input((7, 8, 9, 2))
    made: list[Any] = []
    for rank, x in ((1, i1), (2, i2), (3, i3)):
        kinds = [("Conv", {"filters": 5, "kernel_size": 3}), ("AveragePooling", {"pool_size": 2}), ("MaxPooling", {})]
        kinds += [(f"Conv{rank}DTranspose", {"filters": 3, "kernel_size": 3}), ("UpSampling", {}), ("ZeroPadding", {})]
        kinds += [("Cropping", {}), ("GlobalAveragePooling", {}), ("GlobalMaxPooling", {"keepdims": True})]
        if rank < 3:
            kinds += [
                ("SeparableConv", {"filters": 6, "kernel_size": 3, "strides": 2}),
                ("DepthwiseConv", {"kernel_size": 2}),
            ]
            kinds += [("DepthwiseConv", {"kernel_size": 3, "depth_multiplier": 3, "padding": "same"})]
        for kind, settings in kinds:
            name = kind if kind.endswith("Transpose") else f"{kind}{rank}D"
            made.append(getattr(layers, name)(**settings)(x))
            if kind.startswith(("Conv", "Average", "Max")):
                made.append(getattr(layers, name)(**settings, strides=2, padding="same")(x))
        made += [
            getattr(layers, f"Conv{rank}D")(4, 3, dilation_rate=2)(x),
            getattr(layers, f"SpatialDropout{rank}D")(0.1)(x),
        ]
        made.append(getattr(layers, f"Conv{rank}DTranspose")(3, 2, strides=3)(x))
    made += [
        layers.Conv1D(4, 4, padding="causal")(i1),
        layers.Conv2D(6, (3, 1), groups=2)(i2), layers.Conv2DTranspose(3, 4, strides=2, output_padding=1)(i2),
        layers.Conv2DTranspose(3, 4, strides=2, padding="same", output_padding=1)(i2),
        layers.ZeroPadding2D(((1, 2), (0, 3)))(i2), layers.Cropping2D(((1, 2), (0, 3)))(i2),
        layers.UpSampling2D((2, 3))(i2),
        layers.Resizing(5, 6)(i2), layers.CenterCrop(5, 6)(i2), layers.RandomCrop(5, 6)(i2),
        layers.Rescaling(2.0)(i2),
        layers.RandomFlip()(i2), layers.RandomRotation(0.1)(i2), layers.RandomContrast(0.1)(i2),
        layers.Permute((3, 1, 2))(i2),
        layers.Flatten()(i2), layers.Reshape((-1, 4))(i2), layers.Reshape((17, -1))(i2),
        layers.GroupNormalization(2)(i2),
        layers.Flatten(data_format="channels_first")(i2), layers.AdaptiveAveragePooling2D(3)(i2),
    ]  # fmt: skip
    return keras.Model([i1, i2, i3], made)


def sequences() -> keras.Model:
    x, frames, ids = keras.Input((12, 6)), keras.Input((5, 9, 8, 3)), keras.Input((12,), dtype="int32")
    lines, volumes = keras.Input((5, 9, 3)), keras.Input((3, 5, 6, 7, 2))
    lstm = layers.LSTM(5, return_sequences=True, return_state=True)(x)
    both = layers.Bidirectional(layers.LSTM(4, return_state=True))(x)
    made = [
        *lstm, *both, *layers.GRU(3, return_state=True)(x), layers.SimpleRNN(4)(x),
        layers.GRU(4, return_sequences=True)(x),
        layers.ConvLSTM1D(4, 3, return_sequences=True)(lines), layers.ConvLSTM2D(4, 3, padding="same")(frames),
        layers.ConvLSTM2D(4, 3, strides=2, return_sequences=True)(frames), layers.ConvLSTM3D(3, 2)(volumes),
        *layers.ConvLSTM2D(4, 3, return_state=True)(frames),
        layers.Bidirectional(layers.ConvLSTM2D(4, 3, padding="same"))(frames),
        layers.Bidirectional(layers.GRU(5, return_sequences=True), merge_mode="ave")(x),
        *layers.Bidirectional(layers.LSTM(5), merge_mode=None)(x),
        layers.TimeDistributed(layers.Dense(3))(x), layers.TimeDistributed(layers.Conv2D(4, 3))(frames),
        layers.TimeDistributed(keras.Sequential([keras.Input((6,)), layers.Dense(7), layers.Dense(2)]))(x),
        layers.TimeDistributed(layers.Flatten())(frames), layers.RNN(layers.LSTMCell(4))(x),
        layers.RNN([layers.GRUCell(4), layers.LSTMCell(3)], return_sequences=True)(x),
        layers.RNN(layers.SimpleRNNCell(2))(x),
        layers.RepeatVector(4)(layers.GRU(2)(x)),
        layers.Attention()([x, x]), layers.AdditiveAttention()([x, x]), layers.MultiHeadAttention(2, 3)(x, x),
        *layers.MultiHeadAttention(2, 3, output_shape=9)(x, x, return_attention_scores=True),
        layers.GroupQueryAttention(3, 4, 2)(x, x), layers.EinsumDense("abc,cd->abd", (12, 7))(x), layers.Masking()(x),
        layers.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3))(x), layers.EinsumDense("...x,xy->...y", 5)(x),
        layers.Embedding(20, 7)(ids), layers.Dot((2, 2))([x, x]), layers.Dot(1, normalize=True)([x, x]),
        layers.Concatenate(1)([x, x]), layers.Add()([x, x[:, :1]]), layers.Average()([x, x]),
        layers.Minimum()([x, x]),
        layers.LayerNormalization()(x), layers.UnitNormalization()(x),
        layers.SpectralNormalization(layers.Dense(4))(x),
        layers.Discretization([0.0, 1.0])(x), layers.CategoryEncoding(9, "multi_hot")(ids), layers.Hashing(5)(ids),
        layers.CategoryEncoding(9, "one_hot")(ids[:, :1]), layers.Normalization(mean=0.0, variance=1.0)(x),
        layers.GaussianNoise(0.1)(x),
        layers.IntegerLookup(vocabulary=[1, 2, 3])(ids), layers.ActivityRegularization(0.1)(x), layers.Dense(3)(x),
        layers.PReLU(shared_axes=[1])(x), layers.Softmax()(x), layers.RMSNormalization()(x),
        layers.AlphaDropout(0.1)(x),
    ]  # fmt: skip
    return keras.Model([x, frames, ids, lines, volumes], made)


def operations() -> keras.Model:
    """Operators of `keras.ops` between layers."""
    x, y = keras.Input((6, 8)), keras.Input((6, 8))
    made = [
        x + y, x - 1.0, x * y[:, :1], x / 2.0, x**2, x[:, 1:4], x[:, 0], x[:, ::2, 3], x[..., None],
        ops.reshape(x, (-1, 4, 12)),
        ops.reshape(x, (-1, 48)), ops.transpose(x, (0, 2, 1)), ops.transpose(x, (2, 0, 1)), ops.mean(x, axis=1),
        ops.sum(x, axis=-1, keepdims=True), ops.max(x), ops.matmul(x, ops.transpose(y, (0, 2, 1))),
        ops.einsum("bij,bkj->bik", x, y), ops.concatenate([x, y], axis=1), ops.stack([x, y], axis=1),
        ops.expand_dims(x, 1),
        ops.squeeze(x[:, :1], 1), ops.softmax(x), ops.relu(x), ops.tile(x, (1, 2, 3)), ops.repeat(x, 2, axis=1),
        ops.pad(x, ((0, 0), (1, 2), (0, 3))),
        ops.where(x > 0, x, y), ops.argmax(x, axis=1), ops.cast(x, "int32"),
        ops.one_hot(ops.cast(x[:, 0], "int32"), 5), *ops.split(x, 2, axis=2),
        ops.swapaxes(x, 1, 2), ops.flip(x, 1), ops.cumsum(x, 1), ops.clip(x, 0, 1), ops.norm(x, axis=1),
        ops.top_k(x, 3)[0], ops.abs(x),
        ops.image.resize(ops.reshape(x, (-1, 6, 8, 1)), (3, 4)), ops.var(x, axis=(1, 2)),
        ops.logical_and(x > 0, y > 0), ops.minimum(x, y), ops.sqrt(x), ops.roll(x, 1), ops.take(x, [0, 2], axis=1),
    ]  # fmt: skip
    return keras.Model([x, y], made)


def mathematics() -> keras.Model:
    """Operators of numpy's kind, of matrices, of pictures and of signals; some with numbers of the file."""
    x, y, square = keras.Input((6, 8)), keras.Input((6, 8)), keras.Input((4, 4))
    image, signal, heads = keras.Input((8, 10, 3)), keras.Input((12,)), keras.Input((5, 4, 8))
    places = keras.Input((6,), dtype="int32")
    ones = np.ones(1000, "float32")
    kernel, shrunk = ones[:135].reshape(3, 3, 3, 5), ones[:54].reshape(3, 3, 3, 2)
    spectrum = ops.stft(signal, 4, 2, 8)
    made = [
        ops.average_pool(image, 3, 2, "same"), ops.max_pool(image, (2, 3)), ops.append(x, y, axis=1),
        ops.append(x, y), *ops.array_split(x, 3, axis=2), ops.bitwise_left_shift(places, places), ops.cdist(x, y),
        ops.cbrt(x), ops.conv(image, kernel, 2, "same"), ops.conv(image, kernel, dilation_rate=2),
        ops.depthwise_conv(image, shrunk), ops.conv_transpose(image, np.swapaxes(kernel, 2, 3), 2),
        ops.separable_conv(image, shrunk, ones[:24].reshape(1, 1, 6, 4)), ops.cross(x[..., :3], y[..., :3]),
        ops.image.crop_images(image, 1, 2, 3, 4),
        ops.image.pad_images(image, 1, 2, target_height=14, target_width=15), ops.space_to_depth(image, 2),
        ops.depth_to_space(ops.tile(image, (1, 1, 1, 4)), 2), ops.det(square),
        ops.diagonal(x, offset=3, axis1=1, axis2=2), ops.trace(x, axis1=1, axis2=2), ops.diff(x, n=2, axis=1),
        ops.dot_product_attention(heads, heads, heads), *ops.hsplit(x, [1, 3]), ops.hstack([x, y]),
        ops.dstack([x, y]), ops.vstack([x, y]), *ops.eigh(square),
        ops.image.extract_patches(image, (2, 3), padding="same"), ops.extract_sequences(signal, 4, 2), ops.rfft(x)[0],
        ops.irfft((x, y)), *spectrum, ops.istft(ops.stft(signal, 4, 2, 8), 4, 2, 8), ops.fft((x, y))[1],
        ops.unfold(image, 2), ops.fmin(x, y[:, :1]), ops.glu(x, 1), ops.image.rgb_to_grayscale(image),
        *ops.histogram(signal, 5), ops.inner(x, ones[:24].reshape(3, 8)), ops.isin(places, [1, 2]), ops.kron(x, y),
        ops.layer_normalization(x), *ops.lu_factor(square), ops.logdet(square),
        *ops.moments(x, axes=[1, 2], keepdims=True), ops.multi_hot(places, 9), ops.nanargmax(x, 1),
        ops.nancumsum(x, 1), ops.nanmax(x, 1), ops.nanvar(x, 1, keepdims=True),
        ops.nanquantile(x, [0.2, 0.5], axis=1), ops.outer(signal, signal),
        ops.quantile(x, 0.5, axis=2, keepdims=True), ops.pinv(x), ops.ptp(x, 1), *ops.qr(x), *ops.svd(x),
        ops.rot90(x, axes=(1, 2)), *ops.svd(x, full_matrices=False), ops.svd(x, compute_uv=False),
        ops.scatter_update(square, [[0, 1]], ones[None, :4]), ops.searchsorted(signal[0], signal),
        ops.segment_sum(signal, places[:, 0], 4), ops.select([x > 0, y > 0], [x, y]),
        ops.slice(x, (0, 1, 2), (1, 3, 4)), ops.slice_update(x, (0, 1, 2), y[:, :3, :4]), ops.solve(square, square),
        ops.take_along_axis(x, places[..., None], axis=2), ops.tensordot(x, ones[:40].reshape(8, 5), 1),
        ops.tensordot(x, ones[:240].reshape(6, 8, 5), [[1, 2], [0, 1]]), ops.tensordot(x, y, [[2], [2]]),
        ops.trapezoid(x, axis=1), *ops.unravel_index(places, (3, 4)), *ops.unstack(x, axis=1),
        ops.vander(signal[0], 4), ops.view(x, "int16"), ops.view_as_complex(x[..., :2]), ops.allclose(x, y),
        *ops.nonzero(x), ops.cumsum(x), ops.dot(x, ones[:48].reshape(2, 8, 3)), ops.matmul(x, ones[:8]),
        ops.matmul(x, ones[:40].reshape(8, 5)), ops.einsum("...i,ij->...j", x, ones[:40].reshape(8, 5)),
        ops.einsum("bij,bjk", x, ops.transpose(y, (0, 2, 1))), ops.average(x, 1), ops.linspace(x, y, 5, axis=1),
        ops.argsort(x, 1), ops.where(x > 0, x, 0.0), ops.top_k(x, 2)[1], ops.count_nonzero(x, 1), ops.isclose(x, y),
    ]  # fmt: skip
    return keras.Model([x, y, square, image, signal, heads, places], made)


def nested() -> keras.Model:
    """Models in models, a shared layer, a stranger, and what comes after it."""
    a, b = keras.Input((10,), name="a"), keras.Input((4, 10), name="b")
    block = keras.Sequential([keras.Input((10,)), layers.Dense(6), layers.Dense(5)], name="block")
    inner_in = keras.Input((10,))
    inner = keras.Model(inner_in, [layers.Dense(3)(block(inner_in)), layers.Dense(2)(inner_in)], name="inner")
    shared = layers.Dense(10, name="shared")
    first, second = inner(shared(a)), inner(shared(shared(a)))
    strange = Strange(name="strange")(first[0])
    made = [*first, *second, layers.TimeDistributed(block)(b), layers.Dense(2, name="after")(strange)]
    made.append(Strange(name="last")(a))
    return keras.Model([a, b], made)


def open_sizes() -> keras.Model:
    """Sizes that are open."""
    image, steps = keras.Input((None, None, 3)), keras.Input((None, 5))
    x = layers.Conv2D(4, 3, strides=2, padding="same")(image)
    made = [
        x,
        layers.MaxPooling2D()(x),
        layers.GlobalAveragePooling2D()(x),
        layers.UpSampling2D()(x),
        layers.Flatten()(steps),
    ]
    made += [
        layers.Bidirectional(layers.LSTM(4, return_sequences=True))(steps),
        layers.Conv1D(2, 3)(steps),
        layers.Reshape((-1, 2))(x),
    ]
    made += [layers.Conv2DTranspose(3, 2, 2)(x), layers.ZeroPadding2D()(x), layers.Concatenate(1)([x, x])]
    return keras.Model([image, steps], made)


def sequential() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)), layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(),
            layers.Dropout(0.2),
            layers.Reshape((13, 104)), layers.Bidirectional(layers.GRU(6, return_sequences=True)), layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )  # fmt: skip


def windows() -> keras.Model:
    """Windows of 4 × 4 that are put beside the batch: their first size is four times that of the input, then twelve."""
    x = keras.Input((8, 8, 16))
    y = layers.Dense(48)(ops.reshape(layers.Conv2D(16, 1)(x), (-1, 16, 16)))
    more = layers.Dense(3)(layers.Concatenate(0)([ops.repeat(y, 2, axis=0), y]))
    return keras.Model(x, [ops.reshape(y, (-1, 8, 8, 48)), more])


def products() -> keras.Model:
    """Layers whose products are counted in ways of their own; the sum is in the test."""
    a, b, c, d = keras.Input((5, 16)), keras.Input((7, 16)), keras.Input((3, 4, 5, 2)), keras.Input((3, 4, 6))
    grouped = layers.GroupQueryAttention(8, 4, 2)(a, a)
    added = layers.AdditiveAttention()([grouped, b])
    normed = layers.SpectralNormalization(layers.Dense(6))(added)
    grown = layers.Conv3DTranspose(4, 2, strides=2)(c)
    spread, apart = layers.MultiHeadAttention(2, 3)(d, d), layers.MultiHeadAttention(2, 3, attention_axes=(2,))(d, d)
    crossed = layers.Dot((1, 1))([layers.Permute((2, 1))(a), layers.Permute((2, 1))(b)])
    return keras.Model([a, b, c, d], [ops.einsum("bij,bkj->bik", normed, normed), grown, spread, apart, crossed])


def normed() -> keras.Model:
    """Layers whose numbers lie in a file twice: as variables and as constants, or in a layer and in its wrapper."""
    x = keras.Input((6,))
    learned = layers.Normalization()
    learned.adapt(np.random.rand(20, 6))
    y = layers.Normalization(mean=[1.0] * 6, variance=[2.0, 3, 4, 5, 6, 7])(learned(x))
    y = layers.SpectralNormalization(layers.Dense(6))(layers.SpectralNormalization(layers.Dense(6))(y))
    y = layers.SimpleRNN(5)(layers.Reshape((3, 2))(y))
    return keras.Model(x, layers.Dense(3)(y))


def wrapped() -> keras.Model:
    """Layers that run others, or themselves in two ways; the sum of their products is in the test."""
    x, ids = keras.Input((12, 6)), keras.Input((12,), dtype="int32")
    lines, frames = keras.Input((5, 9, 3)), keras.Input((5, 9, 8, 3))
    table, picture = layers.ReversibleEmbedding(20, 7), keras.Input((9, 8, 3))
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(picture))
    deep = keras.Model(picture, layers.Dense(2)(keras.Sequential([keras.Input((4,)), layers.Dense(5)])(pooled)))
    made = [
        table(table(ids), reverse=True),
        layers.Bidirectional(layers.ConvLSTM1D(4, 3))(lines),
        layers.Bidirectional(layers.ConvLSTM2D(4, 3, return_sequences=True))(frames),
        layers.TimeDistributed(deep)(frames),
        layers.RNN(layers.StackedRNNCells([layers.GRUCell(4), layers.LSTMCell(3)]))(x),
        layers.Bidirectional(layers.RNN([layers.GRUCell(4), layers.GRUCell(3)], return_sequences=True))(x),
        layers.IntegerLookup(vocabulary=[1, 2, 3], output_mode="count")(ids),
        layers.Discretization([0.0, 1.0], output_mode="one_hot")(x),
    ]
    return keras.Model([x, ids, lines, frames], made)


def as_tflite(model: keras.Model) -> bytes:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    made = converter.convert()
    assert isinstance(made, bytes)
    return made


def kept() -> keras.Model:
    """Attention with a gate, a layer that is frozen, and a state that stays from call to call."""
    given = keras.Input((5, 6), batch_size=1)
    kept = layers.LSTM(6, stateful=True, return_sequences=True)(given)
    attended = layers.MultiHeadAttention(2, 4, use_gate=True)(kept, kept)
    shared = layers.GroupQueryAttention(4, 6, 2, use_gate=True)(attended, attended)
    return keras.Model(given, layers.Dense(3)(layers.Dense(6, trainable=False)(shared)))


MODELS: dict[str, Callable[[], keras.Model]] = {
    each.__name__: each
    for each in (spatial, sequences, operations, mathematics, wrapped, nested, open_sizes, sequential)
}


def facts(model: keras.Model) -> dict[str, Any]:
    """Shapes of outputs, and of what every layer gave each time it was called."""
    called = {}
    for layer in model.layers:
        if isinstance(layer, keras.Model | layers.InputLayer):
            continue
        for at, node in enumerate(layer._inbound_nodes):
            name = layer.name if not at else f"{layer.name}#{at + 1}"
            called[name] = [list(item.shape) for item in node.output_tensors]
    given = model.outputs
    return {"outputs": [list(a.shape) for a in given], "dtypes": [str(a.dtype) for a in given], "layers": called}


def main(folder: Path) -> None:
    keras.utils.set_random_seed(1)
    found = {}
    for name, make in MODELS.items():
        model = make()
        model.save(folder / f"{name}.keras")
        if name != "mathematics":  # an H5 file of today's Keras says nothing of operations that one of Keras 3 does not
            model.save(folder / f"{name}.h5")
        found[name] = facts(model)
        if name == "open_sizes":
            run = model([np.zeros((2, 33, 21, 3), np.float32), np.zeros((2, 7, 5), np.float32)])
            found[name]["typed"] = [list(item.shape) for item in run]
    model = products()
    model.save(folder / "products.keras")
    model.save(folder / "products.h5")
    model.export(folder / "products", verbose=False)
    (folder / "products.tflite").write_bytes(as_tflite(model))
    model = normed()
    model.save(folder / "normed.keras")
    model.save(folder / "normed.h5")
    model.save_weights(folder / "normed.weights.h5")
    model.export(folder / "normed", verbose=False)
    found["normed"] = model.count_params()
    model = kept()
    model.save(folder / "kept.keras")
    model.save(folder / "kept.h5")
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", model.__call__, [keras.InputSpec(shape=(1, 5, 6), dtype="float32")])
    archive.write_out(folder / "kept", verbose=False)
    found["kept"] = sum(int(np.prod(each.shape)) for each in model.trainable_weights)
    model = windows()
    model.save(folder / "windows.keras")
    model.save(folder / "windows.h5")
    (folder / "windows.tflite").write_bytes(as_tflite(model))
    (folder / "facts.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
