"""Keras to TFLite: exported to a SavedModel first, because the converter's own Keras entry is for Keras 2."""

from __future__ import annotations

import shutil
from pathlib import Path

from inspector.engines.convert import keras_model, saved_model, tflite_file
from inspector.engines.convert.edge import Edge, Step
from inspector.needs import KERAS, LITERT, TENSORFLOW


class KerasToTFLite(tflite_file.TFLiteOptions, frozen=True):
    """What can be chosen."""


def run(step: Step) -> dict[str, str]:
    """Convert; gives the facts read back from the file."""
    model = keras_model.load(step)
    folder = step.target.with_name(f"{step.target.name}.saved_model")
    folder.mkdir()

    def exported(batch: int = 0) -> Path:
        keras_model.export(model, folder / str(batch), batch)
        return folder / str(batch)

    step.report(0.3, "Keras is tracing and exporting")
    try:
        return tflite_file.convert(exported(), saved_model.DEFAULT, step, exported)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


EDGE = Edge(
    id="keras_to_tflite",
    source="keras",
    target="tflite",
    tool="TFLiteConverter",
    run=run,
    options=KerasToTFLite,
    needs=(KERAS, TENSORFLOW, LITERT),
    suffix=".tflite",
    packages=("keras", "tensorflow", "ai-edge-litert"),
)
