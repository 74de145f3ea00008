"""`.pt2` to ONNX with torch's own exporter (the dynamo one), which starts from exported programs.

It writes opset 18 and newer only; asked for an older one it writes 18 and says nothing, so older ones are not offered.
Dynamic dims and input names are those of the exported program; a lone output, which has no name there, is `output`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from inspector.engines.convert import onnx_file
from inspector.engines.convert.edge import Edge, Options, Step
from inspector.engines.convert.quiet import in_short, quiet
from inspector.errors import ConversionError
from inspector.needs import ONNX, ONNXSCRIPT, TORCH

if TYPE_CHECKING:
    from onnx import ModelProto
    from torch.export import ExportedProgram


class TorchExportToOnnx(Options, frozen=True):
    """What can be chosen."""

    opset: Annotated[
        Literal[18, 20, 23, 25],
        Meta(title="Opset", description="Version of ONNX's operators. 18 runs nearly everywhere."),
    ] = 18
    optimize: Annotated[bool, Meta(title="Optimise", description="Fold constants and remove what is not used.")] = True
    input_names: Annotated[
        tuple[str, ...], Meta(title="Input names", description="New names in order; empty keeps those of the file.")
    ] = ()
    output_names: Annotated[
        tuple[str, ...],
        Meta(title="Output names", description="New names in order; empty keeps those of the file, or makes output."),
    ] = ()


def run(step: Step) -> dict[str, str]:
    """Convert; gives the facts read back from the file."""
    step.report(0.02, "Loading PyTorch")
    import onnx

    options: TorchExportToOnnx = step.options
    program = _load(step)
    _export(program, step, options)
    step.report(0.9, "Reading the file back")
    model: ModelProto = onnx.load(step.target, load_external_data=False)
    onnx_file.rename(model, options.input_names, options.output_names or lone_output(model))
    onnx_file.tidy(model)
    onnx.save(model, step.target)
    facts = onnx_file.facts(step.target)
    if facts["opset"] != str(options.opset):
        raise ConversionError(
            f"torch.onnx wrote opset {facts['opset']} although {options.opset} was asked.",
            f"Ask for opset {facts['opset']}.",
        )
    return facts


def lone_output(model: ModelProto) -> tuple[str, ...]:
    """The name of a model's only output, which has none in the program: `output`, as the layer table calls it.

    torch.onnx would call it after the last operator, such as `linear_2`.
    """
    free = "output" not in onnx_file.input_names(model)
    return ("output",) if len(model.graph.output) == 1 and free else ()


def _load(step: Step) -> ExportedProgram:
    import torch

    step.report(0.1, "Loading the exported program")
    try:
        with quiet():
            return torch.export.load(step.source)
    except Exception as error:
        raise ConversionError(
            f"PyTorch {torch.__version__} cannot load this program: {in_short(error)}",
            "Export it again with this version of PyTorch.",
        ) from error


def _export(program: ExportedProgram, step: Step, options: TorchExportToOnnx) -> None:
    import torch

    step.report(0.25, "torch.onnx is translating the operators")
    try:
        with quiet():
            result = torch.onnx.export(
                program, dynamo=True, opset_version=options.opset, optimize=options.optimize, verbose=False
            )
            step.report(0.75, "Writing the ONNX file")
            assert result is not None
            result.save(step.target)
    except Exception as error:
        raise ConversionError(f"torch.onnx could not convert it: {_reason(error)}", _hint(error)) from error


def _reason(error: BaseException) -> str:
    """The innermost reason; the exporter wraps it in pages of advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    return in_short(error)


def _hint(error: BaseException) -> str:
    if "No ONNX function found" in str(error) or "DispatchError" in str(error):
        return "The operator has no ONNX form in this version of torch.onnx; replace it in the model's code."
    return "Try another opset, or switch optimising off."


EDGE = Edge(
    id="torch_export_to_onnx",
    source="torch.export",
    target="onnx",
    tool="torch.onnx",
    run=run,
    options=TorchExportToOnnx,
    needs=(TORCH, ONNXSCRIPT, ONNX),
    suffix=".onnx",
    packages=("torch", "onnxscript", "onnx"),
)
