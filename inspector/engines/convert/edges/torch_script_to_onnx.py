"""TorchScript to ONNX with torch's older exporter, the only one that takes TorchScript and writes true opset 11.

A TorchScript file does not say how large its inputs are: shapes come from the step, from the option, or from the shapes
that tracing left in the file. The first dimension becomes dynamic under the name of `batch`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from inspector.engines.convert import onnx_file
from inspector.engines.convert.edge import Edge, Options, Step
from inspector.engines.convert.quiet import in_short, quiet
from inspector.engines.convert.shapes import parse_shapes, size
from inspector.errors import ConversionError, FormatError
from inspector.ir import Dim
from inspector.needs import ONNX, TORCH

if TYPE_CHECKING:
    import torch

Shapes = dict[str, tuple[Dim, ...]]


class TorchScriptToOnnx(Options, frozen=True):
    """What can be chosen."""

    opset: Annotated[
        int,
        Meta(title="Opset", description="Version of ONNX's operators; exactly this one is written.", ge=11, le=23),
    ] = 17
    batch: Annotated[
        str,
        Meta(
            title="Batch dimension",
            description="Name of the first dimension of every input and output; empty keeps it fixed.",
        ),
    ] = "batch_size"
    input_names: Annotated[
        tuple[str, ...], Meta(title="Input names", description="In order; empty keeps those of the file.")
    ] = ()
    output_names: Annotated[
        tuple[str, ...], Meta(title="Output names", description="In order; empty makes output, or output_0 and so on.")
    ] = ()
    input_shapes: Annotated[
        str,
        Meta(title="Input shapes", description="Such as input=1x1x28x28; where the file does not say. ; separates."),
    ] = ""
    input_types: Annotated[
        tuple[str, ...], Meta(title="Input types", description="Such as float32 or int64, in order; empty: float32.")
    ] = ()
    dynamic_axes: Annotated[
        dict[str, dict[int, str]],
        Meta(title="Further dynamic axes", description='By input or output and axis: {"input": {"2": "height"}}.'),
    ] = {}  # noqa: RUF012 - msgspec copies it
    optimize: Annotated[bool, Meta(title="Optimise", description="Fold constants.")] = True


def run(step: Step) -> dict[str, str]:
    """Convert; gives the facts read back from the file."""
    step.report(0.02, "Loading PyTorch")
    import onnx

    options: TorchScriptToOnnx = step.options
    module = _load(step.source)
    names = _names(module, options)
    feeds = _feeds(step, names, options)
    step.report(0.3, "Running it once")
    results = _flat(_once(module, feeds))
    outputs = _output_names(len(results), options)
    axes, note = _axes(module, (names, feeds), (outputs, results), options)
    _export(module, feeds, (names, outputs), axes, step)
    step.report(0.9, "Reading the file back")
    facts = onnx_file.write(onnx.load(step.target), step.target) | note
    if facts["opset"] != str(options.opset):
        raise ConversionError(
            f"torch.onnx wrote opset {facts['opset']} although {options.opset} was asked.",
            f"Ask for opset {facts['opset']}.",
        )
    return facts


def _load(source: Path) -> torch.jit.ScriptModule:
    import torch

    try:
        with quiet():
            module: torch.jit.ScriptModule = torch.jit.load(source, map_location="cpu")
    except Exception as error:
        raise ConversionError(
            f"PyTorch {torch.__version__} cannot load this TorchScript: {in_short(error)}",
            "Save it again with this version of PyTorch.",
        ) from error
    module.eval()
    return module


def _names(module: torch.jit.ScriptModule, options: TorchScriptToOnnx) -> tuple[str, ...]:
    own = tuple(argument.name for argument in module.forward.schema.arguments[1:] if not argument.has_default_value())
    onnx_file.check_names(options.input_names, len(own), "inputs")
    return options.input_names or own


def _feeds(step: Step, names: tuple[str, ...], options: TorchScriptToOnnx) -> tuple[torch.Tensor, ...]:
    """One tensor for each input, of the shapes that are known."""
    import torch

    shapes: Shapes = _from_file(step.source) | parse_shapes(options.input_shapes) | step.shapes
    types = options.input_types or ("float32",) * len(names)
    onnx_file.check_names(tuple(f"{i}" for i in range(len(types))), len(names), "input types")
    feeds = []
    for place, (name, type_name) in enumerate(zip(names, types, strict=True)):
        shape = shapes.get(name, shapes.get(str(place)))
        if shape is None:
            raise ConversionError(
                f"The TorchScript file does not say how large its input {name!r} is.",
                f"Give its shape, such as {name}=1x3x224x224.",
            )
        dtype = getattr(torch, type_name, None)
        if not isinstance(dtype, torch.dtype):
            raise ConversionError(f"{type_name!r} is not a type of tensors.", "Write float32, int64 and the like.")
        sizes = tuple(size(dim) for dim in shape)
        feeds.append(torch.rand(sizes).to(dtype) if dtype.is_floating_point else torch.zeros(sizes, dtype=dtype))
    return tuple(feeds)


def _from_file(source: Path) -> Shapes:
    """The shapes of inputs that tracing left in the file, by place and name."""
    from inspector.formats import Source, formats

    reader = formats().get("torch.script")
    if reader is None:
        return {}
    try:
        model = reader.read(Source(source))
    except FormatError:
        return {}
    known: Shapes = {}
    for place, value in enumerate(model.graphs[0].inputs if model.graphs else ()):
        if value.shape is not None and all(dim is not None for dim in value.shape):
            known[str(place)] = known[value.name] = value.shape
    return known


def _once(module: torch.jit.ScriptModule, feeds: tuple[torch.Tensor, ...]) -> Any:
    import torch

    try:
        with quiet(), torch.no_grad():
            return module(*feeds)
    except Exception as error:
        raise ConversionError(
            f"The model does not run with these inputs: {in_short(_root(error))}",
            "Check the shapes and types of the inputs.",
        ) from error


def _output_names(count: int, options: TorchScriptToOnnx) -> tuple[str, ...]:
    onnx_file.check_names(options.output_names, count, "outputs")
    return options.output_names or (("output",) if count == 1 else tuple(f"output_{i}" for i in range(count)))


def _axes(
    module: torch.jit.ScriptModule,
    inputs: tuple[tuple[str, ...], tuple[torch.Tensor, ...]],
    outputs: tuple[tuple[str, ...], list[Any]],
    options: TorchScriptToOnnx,
) -> tuple[dict[str, dict[int, str]], dict[str, str]]:
    """The dynamic axes; the batch dimension is dynamic where the model runs with another size of it."""
    import torch

    axes: dict[str, dict[int, str]] = {}
    note: dict[str, str] = {}
    if options.batch:
        more = tuple(torch.cat([feed, feed[:1]]) if feed.ndim else feed for feed in inputs[1])
        try:
            results = _flat(_once(module, more))
        except ConversionError as error:
            note["batch"] = f"fixed: with another size, {error.what[0].lower()}{error.what[1:]}"
        else:
            axes = {name: {0: options.batch} for name, feed in zip(*inputs, strict=True) if feed.ndim}
            for name, before, after in zip(*outputs, results, strict=True):
                if before.ndim and before.shape[0] != after.shape[0]:
                    axes[name] = {0: options.batch}
    for name, given in options.dynamic_axes.items():
        axes[name] = axes.get(name, {}) | given
    return axes, note


def _flat(result: Any) -> list[Any]:
    if isinstance(result, (tuple, list)):
        return [leaf for part in result for leaf in _flat(part)]
    if isinstance(result, dict):
        return [leaf for part in result.values() for leaf in _flat(part)]
    return [result]


def _root(error: BaseException) -> BaseException:
    """TorchScript puts the reason on the last line, after a trace of its own."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return RuntimeError(lines[-1]) if lines else error


def _export(
    module: torch.jit.ScriptModule,
    feeds: tuple[torch.Tensor, ...],
    names: tuple[tuple[str, ...], tuple[str, ...]],
    axes: dict[str, dict[int, str]],
    step: Step,
) -> None:
    import torch

    options: TorchScriptToOnnx = step.options
    step.report(0.4, "torch.onnx is translating the operators")
    try:
        with quiet(), torch.no_grad():
            torch.onnx.export(
                module,
                feeds,
                step.target,
                dynamo=False,
                opset_version=options.opset,
                input_names=list(names[0]),
                output_names=list(names[1]),
                dynamic_axes=axes,
                do_constant_folding=options.optimize,
            )
    except Exception as error:
        raise ConversionError(
            f"torch.onnx could not convert it: {in_short(error)}", "Try a newer opset, or another name for the axes."
        ) from error


EDGE = Edge(
    id="torch_script_to_onnx",
    source="torch.script",
    target="onnx",
    tool="torch.onnx",
    run=run,
    options=TorchScriptToOnnx,
    needs=(TORCH, ONNX),
    suffix=".onnx",
    packages=("torch", "onnx"),
)
