"""SavedModel to ONNX with tf2onnx; inputs and outputs keep the names of the signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from inspector.engines.convert import onnx_file, saved_model
from inspector.engines.convert.edge import Edge, Options, Step
from inspector.engines.convert.quiet import in_short, quiet, quiet_tensorflow
from inspector.engines.convert.tf_to_onnx import check
from inspector.errors import ConversionError
from inspector.needs import ONNX, TENSORFLOW, TF2ONNX

if TYPE_CHECKING:
    from onnx import ModelProto


class SavedModelToOnnx(Options, frozen=True):
    """What can be chosen."""

    opset: Annotated[
        int, Meta(title="Opset", description="Version of ONNX's operators; tf2onnx knows up to 18.", ge=11, le=18)
    ] = 18
    signature: Annotated[
        str, Meta(title="Signature", description="Which one to convert; empty takes serving_default or the only one.")
    ] = ""


def run(step: Step) -> dict[str, str]:
    """Convert; gives the facts read back from the file."""
    step.report(0.02, "Loading TensorFlow")
    quiet_tensorflow()
    signature = saved_model.choose(step.source, step.options.signature)
    proto = _convert(step, signature)
    step.report(0.85, "Writing the ONNX file")
    fixed = onnx_file.replace_erfc(proto)
    check(proto)
    facts = onnx_file.write(proto, step.target) | {"signature": signature}
    return facts | ({"erfc": f"{fixed} rewritten as 1 - Erf"} if fixed else {})


def _convert(step: Step, signature: str) -> ModelProto:
    from tf2onnx import tf_loader
    from tf2onnx.convert import _convert_common

    step.report(0.2, "Loading the SavedModel")
    try:
        with quiet():
            graph, inputs, outputs, tables, names = tf_loader.from_saved_model(
                str(step.source), None, None, "serve", [signature],
                return_initialized_tables=True, return_tensors_to_rename=True,
            )  # fmt: skip
            step.report(0.5, "tf2onnx is translating the operators")
            proto, _ = _convert_common(
                graph,
                name=step.source.name,
                opset=step.options.opset,
                input_names=inputs,
                output_names=outputs,
                tensors_to_rename=names,
                initialized_tables=tables,
            )
    except Exception as error:
        raise ConversionError(
            f"tf2onnx could not convert it: {in_short(error)}", "Try opset 18 or another signature."
        ) from error
    converted: ModelProto = proto
    return converted


EDGE = Edge(
    id="tf_saved_model_to_onnx",
    source="tf.saved_model",
    target="onnx",
    tool="tf2onnx",
    run=run,
    options=SavedModelToOnnx,
    needs=(TENSORFLOW, TF2ONNX, ONNX),
    cost=1.2,
    suffix=".onnx",
    packages=("tf2onnx", "tensorflow", "onnx"),
)
