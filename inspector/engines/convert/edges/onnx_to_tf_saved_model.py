"""ONNX to SavedModel with onnx-tf behind our compatibility pack; NCHW inputs and a dynamic batch stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from inspector.engines.convert.edge import Edge, Options, Step
from inspector.engines.convert.quiet import in_short, quiet, quiet_tensorflow
from inspector.errors import ConversionError
from inspector.needs import ONNX, ONNX_TF, TENSORFLOW

if TYPE_CHECKING:
    from onnx import ModelProto


class OnnxToSavedModel(Options, frozen=True):
    """There is nothing to choose."""


def preflight(source: Path, options: OnnxToSavedModel) -> tuple[str, ...]:
    """The operators that onnx-tf has no handler for, one sentence each."""
    from inspector.engines.convert.onnx_tf_pack import prepare

    quiet_tensorflow()
    return prepare.obstacles(prepare.prepared(_load(source, weights=False)))


def run(step: Step) -> dict[str, str]:
    """Convert; gives the signature and what had to be renamed."""
    step.report(0.02, "Loading TensorFlow and onnx-tf")
    quiet_tensorflow()
    from inspector.engines.convert.onnx_tf_pack import build, prepare, shim

    shim.load()
    step.report(0.25, "Reading the ONNX file")
    model = _load(step.source)
    before = sum(node.op_type == "Dropout" for node in model.graph.node)
    model = prepare.prepared(model)
    if problems := prepare.obstacles(model):
        more = f" And {len(problems) - 1} more." if len(problems) > 1 else ""
        raise ConversionError(f"{problems[0]}{more}", "Export the ONNX file with another opset, such as 17 or 18.")
    step.report(0.35, "onnx-tf is building the graph")
    with quiet():
        renamed = build.save(
            model, step.target, lambda share: step.report(0.35 + 0.5 * share, "onnx-tf is building the graph")
        )
    facts = {"signature": "serving_default"}
    facts |= {"renamed": ", ".join(f"{old} → {new}" for old, new in renamed.items())} if renamed else {}
    return facts | ({"dropout": f"{before} nodes stripped"} if before else {})


def _load(source: Path, weights: bool = True) -> ModelProto:
    import onnx

    try:
        return onnx.load(source, load_external_data=weights)
    except Exception as error:
        raise ConversionError(
            f"The ONNX file cannot be read: {in_short(error)}", "Export or fetch it again."
        ) from error


EDGE = Edge(
    id="onnx_to_tf_saved_model",
    source="onnx",
    target="tf.saved_model",
    tool="onnx-tf",
    run=run,
    options=OnnxToSavedModel,
    needs=(ONNX, TENSORFLOW, ONNX_TF),
    cost=1.5,
    preflight=preflight,
    packages=("onnx-tf", "tensorflow", "onnx"),
)
