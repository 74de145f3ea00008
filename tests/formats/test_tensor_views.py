"""Quantized tensors of TensorFlow Lite, TensorFlow.js and Keras: as they are stored, and as the numbers they mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from built import Built, build

from inspector.engines.summary.summary import Summary
from inspector.worker.tasks import Context
from inspector.worker.tasks._document import Document, document
from inspector.worker.tasks._values import values
from inspector.worker.tasks.open import TASK as OPEN
from inspector.worker.tasks.open import OpenArgs
from inspector.worker.tasks.tensor import TASK as TENSOR
from inspector.worker.tasks.tensor import TensorArgs, TensorView


def opened(path: Path) -> tuple[Context, Document]:
    context = Context()
    OPEN.run(OpenArgs(str(path)), context)
    return context, document(context)


def view(context: Context, name: str, **more: bool) -> TensorView:
    return TENSOR.run(TensorArgs(name, **more), context)


def test_tensorflow_lite(tensorflows: Built) -> None:
    context, model = opened(tensorflows.folder / "quantized.tflite")
    weight = next(tensor for tensor in model.model.tensors.values() if tensor.shape == (128, 784))
    stored, real = (values(model, weight, real).whole for real in (False, True))
    assert stored is not None
    assert real is not None
    assert (stored.dtype, real.dtype) == (np.int8, np.float32)
    with np.load(tensorflows.folder / "sequential.npz") as want:
        kernel = want["mlp/dense/kernel"].T
    seen = view(context, weight.name, real=True)
    assert seen.quantized is not None
    assert np.abs(real - kernel).max() <= seen.quantized.high * 0.5001
    assert seen.statistics["mean"] == np.float64(real.astype(np.float64).mean()).astype(float)
    assert view(context, weight.name).shown == "int8"
    assert seen.quantized.source == "stored with the tensor"
    assert seen.quantized.how in {"per tensor", "per axis 0"}


def test_tensorflow_js(tf_graphs: Built) -> None:
    """What the reader gives are real numbers already; the panel can show the integers in the shards as well."""
    context, model = opened(tf_graphs.folder / "js_graph" / "model.json")
    (weight,) = [tensor for tensor in model.model.tensors.values() if "stored" in tensor.place.layout]
    stored, real = (values(model, weight, real).whole for real in (False, True))
    assert stored is not None
    assert real is not None
    assert (stored.dtype, real.dtype) == (np.uint8, np.float32)
    assert (stored.min(), stored.max()) == (0, 255)
    usual, raw = view(context, weight.name), view(context, weight.name, real=False)
    assert (usual.real, usual.shown, raw.real, raw.shown) == (True, "float32", False, "uint8")
    assert usual.quantized == raw.quantized
    assert usual.quantized is not None
    again = stored.astype(np.float64) * usual.quantized.scales[0] + usual.quantized.offset
    assert np.array_equal(again.astype(np.float32), real)


@pytest.mark.slow
def test_keras(tmp_path: Path) -> None:
    """Eight bits lose at most half a step of what the weights were."""
    built = build("build_keras_quantized.py", tmp_path)
    context, model = opened(built.folder / "quantized.keras")
    with np.load(built.folder / "before.npz") as before:
        for name, path, axis in (
            ("words/embeddings", "small/words/embeddings", 0),
            ("square/kernel", "small/square/kernel", 1),
            ("last/kernel", "small/last/kernel", 1),
        ):
            real = values(model, model.tensor(name), True).whole
            quantized = view(context, name).quantized
            assert real is not None
            assert quantized is not None
            assert quantized.how == f"per axis {axis}"
            assert np.abs(real - before[path]).max() <= quantized.high * 0.5001
            assert view(context, name).shown == "int8"
    for file in ("quantized.keras", "quantized.h5", "quantized"):
        totals = Summary(built.read(file)).totals
        assert [totals.parameters, totals.trainable] == [built.facts["parameters"], built.facts["trainable"]], file
