"""Keras to ONNX with tf2onnx, started from a traced function: `from_keras` fails for Sequential models of Keras 3."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from inspector.engines.convert import keras_model, onnx_file
from inspector.engines.convert.edge import Edge, Options, Step
from inspector.engines.convert.quiet import in_short, quiet
from inspector.engines.convert.tf_to_onnx import check
from inspector.errors import ConversionError
from inspector.needs import KERAS, ONNX, TENSORFLOW, TF2ONNX


class KerasToOnnx(Options, frozen=True):
    """What can be chosen."""

    opset: Annotated[
        int, Meta(title="Opset", description="Version of ONNX's operators; tf2onnx knows up to 18.", ge=11, le=18)
    ] = 18


def run(step: Step) -> dict[str, str]:
    """Convert; gives the facts read back from the file."""
    model = keras_model.load(step)
    import tensorflow as tf
    import tf2onnx

    specs, serve = keras_model.input_specs(model), keras_model.function(model)

    def listed(*args: object) -> list[object]:
        return list(serve(*args).values())

    step.report(0.4, "tf2onnx is translating the operators")
    try:
        with quiet():
            proto, _ = tf2onnx.convert.from_function(
                tf.function(listed, input_signature=specs), specs, opset=step.options.opset
            )
    except Exception as error:
        raise ConversionError(f"tf2onnx could not convert it: {in_short(error)}", "Try opset 18.") from error
    step.report(0.85, "Writing the ONNX file")
    onnx_file.rename(proto, [spec.name for spec in specs], keras_model.output_names(model))
    fixed = onnx_file.replace_erfc(proto)
    check(proto)
    facts = onnx_file.write(proto, step.target)
    return facts | ({"erfc": f"{fixed} rewritten as 1 - Erf"} if fixed else {})


EDGE = Edge(
    id="keras_to_onnx",
    source="keras",
    target="onnx",
    tool="tf2onnx",
    run=run,
    options=KerasToOnnx,
    needs=(KERAS, TENSORFLOW, TF2ONNX, ONNX),
    suffix=".onnx",
    packages=("tf2onnx", "keras", "tensorflow", "onnx"),
)
