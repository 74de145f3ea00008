"""SavedModel to TFLite with TensorFlow's own converter; the layout of inputs is kept as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from inspector.engines.convert import saved_model, tflite_file
from inspector.engines.convert.edge import Edge, Step
from inspector.engines.convert.quiet import quiet_tensorflow
from inspector.errors import ConversionError
from inspector.needs import LITERT, TENSORFLOW


class SavedModelToTFLite(tflite_file.TFLiteOptions, frozen=True):
    """What can be chosen."""

    signature: Annotated[
        str, Meta(title="Signature", description="Which one to convert; empty takes serving_default or the only one.")
    ] = ""


def preflight(source: Path, options: SavedModelToTFLite) -> tuple[str, ...]:
    """Whether the signature is there."""
    quiet_tensorflow()
    try:
        saved_model.choose(source, options.signature)
    except ConversionError as error:
        return (f"{error.what} {error.hint}",)
    return ()


def run(step: Step) -> dict[str, str]:
    """Convert; gives the facts read back from the file."""
    step.report(0.02, "Loading TensorFlow")
    quiet_tensorflow()
    return tflite_file.convert(step.source, saved_model.choose(step.source, step.options.signature), step)


EDGE = Edge(
    id="tf_saved_model_to_tflite",
    source="tf.saved_model",
    target="tflite",
    tool="TFLiteConverter",
    run=run,
    options=SavedModelToTFLite,
    needs=(TENSORFLOW, LITERT),
    suffix=".tflite",
    preflight=preflight,
    packages=("tensorflow", "ai-edge-litert"),
)
