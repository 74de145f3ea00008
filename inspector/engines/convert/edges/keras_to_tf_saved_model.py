"""Keras to SavedModel with Keras' own export archive: one signature, inputs and outputs under the model's names."""

from __future__ import annotations

from inspector.engines.convert import keras_model
from inspector.engines.convert.edge import Edge, Options, Step
from inspector.needs import KERAS, TENSORFLOW


class KerasToSavedModel(Options, frozen=True):
    """There is nothing to choose."""


def run(step: Step) -> dict[str, str]:
    """Convert; gives the names of inputs and outputs."""
    model = keras_model.load(step)
    step.report(0.4, "Keras is tracing and exporting")
    keras_model.export(model, step.target)
    return {
        "inputs": ", ".join(spec.name for spec in keras_model.input_specs(model)),
        "outputs": ", ".join(keras_model.output_names(model)),
        "signature": "serving_default",
    }


EDGE = Edge(
    id="keras_to_tf_saved_model",
    source="keras",
    target="tf.saved_model",
    tool="keras.export",
    run=run,
    options=KerasToSavedModel,
    needs=(KERAS, TENSORFLOW),
    packages=("keras", "tensorflow"),
)
