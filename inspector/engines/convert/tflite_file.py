"""What the edges that write TFLite share: precisions, the way around recurrent layers, and trying the result.

The converter is held to TFLite's own operators: files that need TensorFlow's ("Flex") run in none of the interpreters
that exist for Python. Recurrent layers then fail with a dynamic batch; frozen, at batch 1, they convert.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from inspector.engines.convert.edge import Options, Step
from inspector.engines.convert.quiet import in_short, quiet
from inspector.errors import ConversionError

if TYPE_CHECKING:
    import tensorflow as tf

_LOCATED = re.compile(r'fused\["(\w+):"')
"""How the converter says which operator it means."""
Precision = Literal["float32", "float16", "dynamic-int8"]


class TFLiteOptions(Options, frozen=True):
    """What can be chosen."""

    precision: Annotated[
        Precision,
        Meta(
            title="Precision",
            description="Of the stored weights: float16 halves the file, dynamic-int8 quarters it; inputs stay float.",
        ),
    ] = "float32"
    fixed_batch: Annotated[
        int,
        Meta(title="Fixed batch", description="0 keeps the batch dynamic where the model allows it.", ge=0, le=4096),
    ] = 0


def convert(folder: Path, signature: str, step: Step, again: Callable[[int], Path] | None = None) -> dict[str, str]:
    """Convert one signature of a SavedModel into the step's target and try the result.

    Args:
        folder: The SavedModel.
        signature: Its signature to convert.
        step: What is asked.
        again: Gives the same SavedModel traced anew with a fixed batch. Recurrent layers need it: their loops keep the
            dynamic batch that they were traced with.

    Raises:
        ConversionError: The converter or the interpreter refuses it; the message names the operators.
    """
    import tensorflow as tf

    options: TFLiteOptions = step.options
    fixed = again or (lambda batch: folder)
    facts = {"precision": options.precision, "signature": signature}
    step.report(0.5, "The TFLite converter is at work")
    if options.fixed_batch:
        data = _frozen(fixed(options.fixed_batch), signature, options.fixed_batch, options.precision)
        facts["batch"] = f"fixed at {options.fixed_batch}, as asked"
    else:
        try:
            converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=[signature])
            data = _finish(converter, options.precision)
        except ConversionError as error:
            step.report(0.7, "Trying again with the weights frozen and batch 1")
            try:
                data = _frozen(fixed(1), signature, 1, options.precision)
            except ConversionError:
                raise error from None
            facts["batch"] = f"fixed at 1: with a dynamic batch, {error.what[0].lower()}{error.what[1:]}"
    step.report(0.9, "Opening the result with LiteRT")
    facts |= _try(data)
    step.target.write_bytes(data)
    return facts


def _finish(converter: Any, precision: Precision) -> bytes:
    import tensorflow as tf

    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    try:
        with quiet():
            data: bytes = converter.convert()
    except Exception as error:
        raise ConversionError(*_words(error)) from error
    return data


def _words(error: BaseException) -> tuple[str, str]:
    """What the converter says, reduced to the operators it names."""
    text = str(error)
    if "TensorList" in text or "tf.While" in text:
        return (
            "The TFLite converter does not take recurrent layers that were traced with a dynamic batch.",
            "Convert the Keras file directly, or export it with a fixed batch.",
        )
    for lead in ("Flex ops:", "Custom ops:"):
        if lead in text:
            ops = text.split(lead, 1)[1].splitlines()[0].strip()
            return f"TFLite has no form for {ops}.", "Replace these operators; files that need TensorFlow run nowhere."
    named = sorted({name for name in _LOCATED.findall(text) if "PartitionedCall" not in name})
    if "Could not translate MLIR" in text and named:
        return f"TFLite has no form for {', '.join(named)}.", "Replace these operators, or choose another target."
    return f"The TFLite converter could not convert it: {in_short(error)}", "See the log for the operator."


def _frozen(folder: Path, signature: str, batch: int, precision: Precision) -> bytes:
    """Convert with weights as constants and a fixed batch, which recurrent layers need."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    try:
        with quiet():
            loaded = tf.saved_model.load(str(folder))
            call = loaded.signatures[signature]
            specs = {name: _with_batch(spec, batch) for name, spec in call.structured_input_signature[1].items()}
            fixed = tf.function(lambda **feeds: call(**feeds)).get_concrete_function(**specs)
            frozen = convert_variables_to_constants_v2(fixed)
            names = sorted(call.structured_outputs)
            again = _named(frozen, list(specs.values()), names)
            module = tf.Module()
            module.serve = again
            concrete = again.get_concrete_function(**specs)
            converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module)
    except Exception as error:
        raise ConversionError(f"TensorFlow could not freeze it: {in_short(error)}", "See the log.") from error
    return _finish(converter, precision)


def _named(frozen: Any, specs: list[tf.TensorSpec], outputs: list[str]) -> Any:
    """The frozen function with its ends under their names again."""
    import tensorflow as tf

    order = [tensor.name.split(":")[0] for tensor in frozen.inputs]

    def serve(**feeds: Any) -> dict[str, Any]:
        results = tf.nest.flatten(frozen(*[feeds[name] for name in order]))
        return dict(zip(outputs, results, strict=True))

    return tf.function(serve)


def _with_batch(spec: tf.TensorSpec, batch: int) -> tf.TensorSpec:
    import tensorflow as tf

    shape = spec.shape.as_list()
    if shape and shape[0] is None:
        shape[0] = batch
    if any(size is None for size in shape):
        raise ConversionError(f"The input {spec.name!r} has a dynamic size besides its batch.", "Export it with one.")
    return tf.TensorSpec(shape, spec.dtype, spec.name)


def _try(data: bytes) -> dict[str, str]:
    """Open the model as a user will; gives the names of inputs and outputs."""
    from ai_edge_litert.interpreter import Interpreter

    try:
        with quiet():
            interpreter = Interpreter(model_content=data)
            interpreter.allocate_tensors()
    except Exception as error:
        raise ConversionError(
            f"The converter wrote a file that LiteRT cannot open: {in_short(error)}", "Choose another precision."
        ) from error
    return {
        "inputs": ", ".join(detail["name"] for detail in interpreter.get_input_details()),
        "outputs": ", ".join(detail["name"] for detail in interpreter.get_output_details()),
    }
