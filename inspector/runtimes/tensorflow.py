"""TensorFlow: SavedModels and Keras models."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

from inspector.errors import RuntimeFailure
from inspector.needs import TENSORFLOW, version_of
from inspector.runtimes import _tensorflow_taps as taps
from inspector.runtimes._runtime import Arrays, Device, Runtime, Spec

DEFAULT = "serving_default"
CODE_HINT = "It carries code of its own; only open it where you trust who made it."

Call = Callable[[Arrays], dict[str, Any]]


class TensorFlow(Runtime):
    """A SavedModel's signature, or a Keras model as one compiled function."""

    id = "tensorflow"
    title = "TensorFlow"
    accepts = ("tf.saved_model", "keras")
    needs = (TENSORFLOW,)

    @classmethod
    def devices(cls) -> tuple[Device, ...]:
        """CPU, and every GPU or why there is none."""
        tf = _tensorflow()
        version = {"version": version_of("tensorflow") or str(tf.__version__)}
        cpu = Device(id="tensorflow:cpu", runtime=cls.id, title="TensorFlow · CPU", details=version)
        gpus = tf.config.list_physical_devices("GPU")
        found = [
            Device(
                id=f"tensorflow:gpu:{i}",
                runtime=cls.id,
                title=f"TensorFlow · GPU {i}",
                kind="gpu",
                details=version | {"chip": str(tf.config.experimental.get_device_details(gpu).get("device_name", ""))},
            )
            for i, gpu in enumerate(gpus)
        ]
        built = tf.test.is_built_with_gpu_support()
        why = "There is no GPU that TensorFlow can use, or its driver is missing."
        reason = why if built else "This TensorFlow was built without GPUs: pip install 'tensorflow[and-cuda]'."
        absent = Device(
            id="tensorflow:gpu", runtime=cls.id, title="TensorFlow · GPU", kind="gpu", available=False, reason=reason
        )
        return (cpu, *(found or [absent]))

    def open(self) -> None:
        """Load the model onto the device."""
        tf = _tensorflow()
        _configure(tf, self.device, self.threads)
        self._place = _place(self.device)
        try:
            with tf.device(self._place):
                loaders = {"keras": self._open_keras, "tf.saved_model": self._open_saved_model}
                self._call: Call = loaders[self.format](tf)
        except RuntimeFailure:
            raise
        except Exception as error:  # TensorFlow and Keras raise what they like
            raise RuntimeFailure(
                f"TensorFlow cannot open {self.path.name}: {_first_line(error)}",
                hint=f"This is TensorFlow {tf.__version__}; the model may need an older one.",
            ) from error

    def _open_keras(self, tf: Any) -> Call:
        import keras

        try:
            model = keras.models.load_model(self.path, compile=False, safe_mode=True)
        except ValueError as error:
            if "safe_mode" in str(error) or "unsafe" in str(error).lower():
                raise RuntimeFailure(
                    f"{self.path.name} holds a Lambda layer and was not loaded.", hint=CODE_HINT
                ) from error
            raise
        if not getattr(model, "inputs", None):
            raise RuntimeFailure(
                f"{self.path.name} does not say what its inputs are.", hint="Build the model before saving it."
            )
        names = [str(tensor.name) for tensor in model.inputs]
        self.inputs = tuple(Spec(n, str(t.dtype), tuple(t.shape)) for n, t in zip(names, model.inputs))
        gives = _output_names(model)
        self.outputs = tuple(Spec(n, str(t.dtype), tuple(t.shape)) for n, t in zip(gives, model.outputs))
        self._look: taps.Look = cache(partial(taps.of_keras, model))
        compiled = tf.function(lambda tensors: model(tensors, training=False))

        def call(feeds: Arrays) -> dict[str, Any]:
            given = [tf.constant(feeds[name]) for name in names]
            result = compiled(given[0] if len(given) == 1 else given)
            return dict(zip(gives, tf.nest.flatten(result), strict=True))

        return call

    def _open_saved_model(self, tf: Any) -> Call:
        try:
            loaded = tf.saved_model.load(str(self.path))
        except Exception as error:
            if not (self.path / "saved_model.pb").is_file():
                raise
            return self._open_in_session(tf, error)
        if not loaded.signatures:
            raise RuntimeFailure(
                f"The SavedModel {self.path.name} has no signature to call.", hint="Export it with signatures."
            )
        key = DEFAULT if DEFAULT in loaded.signatures else sorted(loaded.signatures)[0]
        function = loaded.signatures[key]
        self._keep = loaded  # its variables live as long as it does
        self._look = cache(partial(taps.of_function, function))
        takes = function.structured_input_signature[1]
        self.inputs = tuple(_tensor_spec(name, spec) for name, spec in takes.items())
        self.outputs = tuple(_tensor_spec(name, spec) for name, spec in function.structured_outputs.items())

        def call(feeds: Arrays) -> dict[str, Any]:
            given = {name: tf.constant(feeds[name]) for name in takes}
            result: dict[str, Any] = function(**given)
            return result

        return call

    def _open_in_session(self, tf: Any, error: Exception) -> Call:
        """WORKAROUND: TensorFlow 2 cannot restore some objects of older SavedModels; their graph runs in a session."""
        graph = tf.Graph()
        session = tf.compat.v1.Session(graph=graph)
        with graph.as_default():
            meta = tf.compat.v1.saved_model.load(session, [tf.saved_model.SERVING], str(self.path))
        signatures = meta.signature_def
        if not signatures:
            raise error
        signature = signatures[DEFAULT if DEFAULT in signatures else sorted(signatures)[0]]
        takes = {name: graph.get_tensor_by_name(info.name) for name, info in sorted(signature.inputs.items())}
        gives = {name: graph.get_tensor_by_name(info.name) for name, info in sorted(signature.outputs.items())}
        self.inputs = tuple(_tensor_spec(name, tensor) for name, tensor in takes.items())
        self.outputs = tuple(_tensor_spec(name, tensor) for name, tensor in gives.items())
        self._keep = session
        self._look = cache(partial(taps.of_session, session, takes))

        def call(feeds: Arrays) -> dict[str, Any]:
            fed = {takes[name]: feeds[name] for name in takes}
            result: dict[str, Any] = session.run(gives, fed)
            return result

        return call

    def run(self, feeds: Arrays) -> Arrays:
        """One inference; copying the outputs to the host waits for the device."""
        import tensorflow as tf

        missing = [spec.name for spec in self.inputs if spec.name not in feeds]
        if missing:
            raise RuntimeFailure(f"The model also wants the input {missing[0]!r}.")
        try:
            with tf.device(self._place):
                result = self._call(feeds)
        except Exception as error:  # TensorFlow and Keras raise what they like
            raise RuntimeFailure(f"TensorFlow cannot run it: {_first_line(error)}") from error
        return {name: _host(tf, value) for name, value in result.items()}

    def values(self, feeds: Arrays, names: Sequence[str]) -> Arrays:
        """Outputs of a Keras model's layers, or of the operations of a signature."""
        import tensorflow as tf

        try:
            with tf.device(self._place):
                result = self._look(tuple(names))(feeds)
        except Exception as error:  # TensorFlow and Keras raise what they like
            raise RuntimeFailure(
                f"TensorFlow cannot show what is computed inside {self.path.name}: {_first_line(error)}"
            ) from error
        return {name: _host(tf, value) for name, value in result.items()}

    def close(self) -> None:
        """Let go of the model."""
        keep = self.__dict__.pop("_keep", None)
        if hasattr(keep, "close"):
            keep.close()
        for name in ("_call", "_look"):
            self.__dict__.pop(name, None)

    def facts(self) -> dict[str, str]:
        """Version, mode and threads."""
        tf = _tensorflow()
        facts = {"tensorflow": str(tf.__version__), "mode": "compiled function", "place": self._place}
        if self.format == "keras":
            facts["keras"] = version_of("keras")
        facts["threads"] = str(self.threads or "all cores")
        if "GPU" in self._place:
            facts["precision"] = "float32 without TF32"
        return facts


def _tensorflow() -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import tensorflow as tf

    return tf


def _configure(tf: Any, device: str, threads: int) -> None:
    """Settings that count only before the first tensor exists; a worker that has run something keeps its own."""
    try:
        if device == "tensorflow:cpu":
            tf.config.set_visible_devices([], "GPU")
        else:
            tf.config.experimental.enable_tensor_float_32_execution(False)
            for gpu in tf.config.list_physical_devices("GPU"):
                tf.config.experimental.set_memory_growth(gpu, True)
        if threads:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
    except RuntimeError as error:
        if threads:
            raise RuntimeFailure("TensorFlow has started already; its threads cannot be changed.") from error


def _place(device: str) -> str:
    _, _, name = device.partition(":")
    kind, _, index = (name or "cpu").partition(":")
    return f"/{kind.upper()}:{index or 0}"


def _tensor_spec(name: str, tensor: Any) -> Spec:
    shape = None if tensor.shape.rank is None else tuple(tensor.shape.as_list())
    return Spec(name, tensor.dtype.name, shape)


def _output_names(model: Any) -> list[str]:
    """The names that the model's author gave: keys of a dictionary of outputs, else the layers that make them."""
    struct = getattr(model, "_outputs_struct", None)
    if isinstance(struct, dict) and len(struct) == len(model.outputs):
        return sorted(str(key) for key in struct)
    makers = [getattr(getattr(tensor, "_keras_history", None), "operation", None) for tensor in model.outputs]
    names = [str(getattr(maker, "name", "")) for maker in makers]
    if all(names) and len(set(names)) == len(names):
        return names
    return [f"output_{i}" for i in range(len(model.outputs))]


def _host(tf: Any, value: Any) -> Any:
    if hasattr(value, "dtype") and value.dtype == tf.bfloat16:
        value = tf.cast(value, tf.float32)  # numpy has no bfloat16, and every bfloat16 is a float32
    return value.numpy() if hasattr(value, "numpy") else value


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:400]


RUNTIME: type[Runtime] = TensorFlow
