"""A Keras model of 8-bit weights, and what its weights were before; run in a process of its own."""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
from keras import layers


def main(folder: Path) -> None:
    """Write `quantized` in each format of Keras and as a SavedModel, and the weights as they were, by path."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((6,), dtype="int32")], name="small")
    model.add(layers.Embedding(48, 8, name="words"))
    model.add(layers.Flatten())
    model.add(layers.Dense(48, name="square"))
    model.add(layers.Dense(5, use_bias=False, name="last"))
    np.savez(folder / "before.npz", **{weight.path: np.asarray(weight) for weight in model.weights})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.quantize("int8")
        model.save(folder / "quantized.h5")
        model.export(folder / "quantized", verbose=False)
    model.save(folder / "quantized.keras")
    facts = {"dtypes": {weight.path: weight.dtype for weight in model.weights}, "parameters": model.count_params()}
    facts["trainable"] = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    (folder / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
