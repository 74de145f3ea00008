"""What the edges that start from a Keras model share: loading it, and seeing it as one function with named ends."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inspector.engines.convert.edge import Step
from inspector.engines.convert.quiet import in_short, quiet, quiet_tensorflow
from inspector.engines.convert.shapes import size
from inspector.errors import ConversionError

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


def load(step: Step) -> keras.Model:
    """The model of a step, built, ready to be called."""
    step.report(0.02, "Loading Keras and TensorFlow")
    quiet_tensorflow()
    import keras

    step.report(0.15, "Loading the Keras model")
    try:
        with quiet():
            model = keras.saving.load_model(_named(step.source), compile=False, safe_mode=True)
    except Exception as error:
        hint = "Save it again with this version of Keras."
        if "Lambda" in str(error) or "safe_mode" in str(error):
            hint = "It carries Python code (a Lambda layer), which is not run here; replace the layer."
        raise ConversionError(f"Keras {keras.__version__} cannot load this model: {in_short(error)}", hint) from error
    if not getattr(model, "inputs", None):
        _build(model, step)
    return model


def _named(source: Path) -> str:
    """Keras goes by the suffix alone."""
    if source.suffix.lower() not in {".keras", ".h5", ".hdf5"}:
        raise ConversionError(
            f"Keras does not load a file called {source.name}.", "Rename it to end in .keras, or .h5 for HDF5."
        )
    return str(source)


def _build(model: keras.Model, step: Step) -> None:
    """A model that was saved before it knew its input takes its shape from the step."""
    if not step.shapes:
        raise ConversionError("The Keras model does not say what its input is.", "Give its shape: input=1x28x28.")
    shape = next(iter(step.shapes.values()))
    model.build((None, *(size(dim) for dim in shape[1:])))
    if not getattr(model, "inputs", None):
        raise ConversionError(
            "The Keras model is written as a Python class and has no graph of its own.",
            "Convert it to a Functional model, or export it with model.export().",
        )


def input_specs(model: keras.Model) -> list[tf.TensorSpec]:
    """Shape, dtype and name of each input, in order; the batch stays dynamic where the model leaves it open."""
    import tensorflow as tf

    return [tf.TensorSpec(tuple(t.shape), t.dtype, _plain(t.name)) for t in model.inputs]


def export(model: keras.Model, target: Path, batch: int = 0) -> None:
    """Write the model as a SavedModel with one signature, under the model's own names.

    Args:
        model: The model.
        target: The folder to write.
        batch: A fixed size for the first dimension of every input; 0 leaves it as it is.
    """
    import keras
    import tensorflow as tf

    specs = input_specs(model)
    if batch:
        specs = [tf.TensorSpec((batch, *spec.shape[1:]), spec.dtype, spec.name) for spec in specs]
    try:
        with quiet():
            archive = keras.export.ExportArchive()
            archive.track(model)
            archive.add_endpoint("serving_default", tf.function(function(model), input_signature=specs))
            archive.write_out(str(target), verbose=False)
    except Exception as error:
        shutil.rmtree(target, ignore_errors=True)
        raise ConversionError(f"Keras could not export it: {in_short(error)}", "See the log for the layer.") from error


def output_names(model: keras.Model) -> list[str]:
    """A name for each output: the one the model gives, else its layer's; unique."""
    given = getattr(model, "output_names", None)
    names = list(given) if given else [_layer_of(tensor) for tensor in model.outputs]
    return [name if names.count(name) == 1 else f"{name}_{place}" for place, name in enumerate(names)]


def _layer_of(tensor: Any) -> str:
    history = getattr(tensor, "_keras_history", None)
    return _plain(history.operation.name if history is not None else tensor.name)


def _plain(name: str) -> str:
    return name.split(":")[0]


def function(model: keras.Model) -> Any:
    """A function of the flat inputs that gives the outputs by name; inference, not training."""
    import keras
    import tensorflow as tf

    names = output_names(model)
    structure = getattr(model, "_inputs_struct", None)

    def serve(*args: Any) -> dict[str, Any]:
        fed = args[0] if structure is None else keras.tree.pack_sequence_as(structure, list(args))
        results = keras.tree.flatten(model(fed, training=False))
        return {name: tf.identity(result, name=name) for name, result in zip(names, results, strict=True)}

    return serve
