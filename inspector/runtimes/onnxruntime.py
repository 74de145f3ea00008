"""ONNX Runtime: every execution provider that its build has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from inspector.errors import RuntimeFailure
from inspector.needs import ONNXRUNTIME, version_of
from inspector.runtimes._runtime import Arrays, Device, Runtime, Spec

if TYPE_CHECKING:
    import onnxruntime

KNOWN = {
    "cpu": ("CPUExecutionProvider", "CPU", "cpu", ""),
    "cuda": ("CUDAExecutionProvider", "CUDA", "gpu", "pip install onnxruntime-gpu instead of onnxruntime"),
    "tensorrt": ("TensorrtExecutionProvider", "TensorRT", "gpu", "pip install onnxruntime-gpu and NVIDIA TensorRT"),
    "directml": ("DmlExecutionProvider", "DirectML", "gpu", "on Windows, pip install onnxruntime-directml"),
    "coreml": ("CoreMLExecutionProvider", "CoreML", "npu", "it comes with onnxruntime on macOS"),
    "openvino": ("OpenVINOExecutionProvider", "OpenVINO", "cpu", "pip install onnxruntime-openvino"),
    "rocm": ("ROCMExecutionProvider", "ROCm", "gpu", "install AMD's onnxruntime-rocm"),
}
"""Provider, title, kind and where it comes from, by the name it has in device ids."""

ELSEWHERE = {"AzureExecutionProvider"}
"""Providers of the build that do not run on this machine."""

EXACT = {"CUDAExecutionProvider": {"use_tf32": "0"}}
"""Options that keep a provider from computing float32 in a narrower format behind the user's back."""

ALLOCATION = re.compile(r"Failed to allocate memory for requested buffer of size (\d+)")
"""How ONNX Runtime says that memory does not suffice."""

DTYPES = {
    "float": "float32",
    "double": "float64",
    "float16": "float16",
    "bfloat16": "bfloat16",
    "bool": "bool",
    "string": "string",
}
"""numpy's names for the element types whose names differ; integers have the same."""


class OnnxRuntime(Runtime):
    """An ONNX model in ONNX Runtime."""

    id = "onnxruntime"
    title = "ONNX Runtime"
    accepts = ("onnx",)
    needs = (ONNXRUNTIME,)

    @classmethod
    def devices(cls) -> tuple[Device, ...]:
        """One device for each execution provider of this build, and the known ones that it lacks."""
        import onnxruntime

        onnxruntime.set_default_logger_severity(4)
        here = [name for name in onnxruntime.get_available_providers() if name not in ELSEWHERE]
        named = {provider: short for short, (provider, *_) in KNOWN.items()}
        shorts = [*KNOWN, *(_short(name) for name in here if name not in named)]
        return tuple(_device(short, here) for short in shorts)

    def open(self) -> None:
        """Make a session that runs on this provider."""
        import onnxruntime

        onnxruntime.set_default_logger_severity(3)
        provider = _provider(self.device)
        try:
            self._session = onnxruntime.InferenceSession(
                str(self.path), self._options(), providers=_with_cpu(provider), enable_fallback=0
            )
        except Exception as error:  # ONNX Runtime's exceptions share no base but Exception
            raise RuntimeFailure(
                f"ONNX Runtime cannot open {self.path.name}: {_first_line(error)}",
                hint="The model may use an operator or an opset that this version does not have.",
            ) from error
        if self._session.get_providers()[0] != provider:
            raise RuntimeFailure(
                f"ONNX Runtime could not use {provider} and fell back to the CPU.",
                hint="Its libraries or its device are missing; choose another device.",
            )
        self.inputs = tuple(_spec(value) for value in self._session.get_inputs())
        self.outputs = tuple(_spec(value) for value in self._session.get_outputs())

    def run(self, feeds: Arrays) -> Arrays:
        """One inference; outputs are on the host when it returns."""
        names = [spec.name for spec in self.outputs]
        try:
            values = self._session.run(names, feeds)
        except Exception as error:
            raise _failed("ONNX Runtime cannot run it", error) from error
        if any(isinstance(value, (list, dict)) for value in values):
            raise RuntimeFailure("The model gives a sequence or a map, which cannot be compared or timed.")
        return dict(zip(names, values, strict=True))

    def values(self, feeds: Arrays, names: Sequence[str]) -> Arrays:
        """Run a copy of the model that gives all its values; the copy is made once and shares no file."""
        if not hasattr(self, "_tapped"):
            self._tapped = self._open_tapped()
        session, known = self._tapped
        wanted = [name for name in names if name in known]
        try:
            values = session.run(wanted, feeds) if wanted else []
        except Exception as error:
            raise _failed("ONNX Runtime cannot run it layer by layer", error) from error
        return {name: value for name, value in zip(wanted, values, strict=True) if hasattr(value, "dtype")}

    def _open_tapped(self) -> tuple[onnxruntime.InferenceSession, frozenset[str]]:
        """A session whose outputs are all values of the main graph; weights in other files stay where they are."""
        import onnx
        import onnxruntime

        try:
            model = onnx.load(self.path, load_external_data=False)
            outputs = {value.name for value in model.graph.output}
            made = {name: None for node in model.graph.node for name in node.output if name}
            model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in made if name not in outputs)
            options = self._options()
            options.add_session_config_entry(
                "session.model_external_initializers_file_folder_path", str(self.path.absolute().parent)
            )
            session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=_with_cpu(_provider(self.device)), enable_fallback=0
            )
        except Exception as error:  # protobuf's and ONNX Runtime's exceptions share no base but Exception
            raise RuntimeFailure(
                f"ONNX Runtime cannot show what is computed inside {self.path.name}: {_first_line(error)}"
            ) from error
        return session, frozenset(made)

    def _options(self) -> onnxruntime.SessionOptions:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.log_severity_level = 3
        return options

    def close(self) -> None:
        """Let go of the sessions."""
        for name in ("_session", "_tapped"):
            self.__dict__.pop(name, None)

    def facts(self) -> dict[str, str]:
        """Version, provider and threads."""
        return {
            "onnxruntime": version_of("onnxruntime") or version_of("onnxruntime-gpu"),
            "provider": _provider(self.device),
            "threads": str(self.threads or "all cores"),
        }


def _spec(value: onnxruntime.NodeArg) -> Spec:
    kind = value.type
    if not kind.startswith("tensor("):
        return Spec(value.name, kind, None)
    name = kind[len("tensor(") : -1]
    shape = tuple(dim if isinstance(dim, int) and dim >= 0 else (dim or None) for dim in value.shape)
    return Spec(value.name, DTYPES.get(name, name), cast("tuple[int | str | None, ...]", shape))


def _short(provider: str) -> str:
    return provider.removesuffix("ExecutionProvider").lower()


def _provider(device: str) -> str:
    import onnxruntime

    short = device.partition(":")[2] or "cpu"
    if short in KNOWN:
        return KNOWN[short][0]
    for name in onnxruntime.get_available_providers():
        if _short(name) == short:
            return str(name)
    raise RuntimeFailure(f"ONNX Runtime knows no device {short!r}.", hint="See: inspector devices")


def _with_cpu(provider: str) -> list[Any]:
    chosen = [(provider, EXACT[provider])] if provider in EXACT else [provider]
    return chosen if provider == "CPUExecutionProvider" else [*chosen, "CPUExecutionProvider"]


def _device(short: str, here: list[str]) -> Device:
    provider, title, kind, source = KNOWN.get(short, ("", short, "npu", ""))
    provider = provider or next(name for name in here if _short(name) == short)
    reason = ""
    if provider not in here:
        reason = f"This ONNX Runtime was built without {title}: {source}."
    elif provider != "CPUExecutionProvider":
        reason = _fails(provider)
    return Device(
        id=f"onnxruntime:{short}",
        runtime="onnxruntime",
        title=f"ONNX Runtime · {title}",
        kind=kind,
        available=not reason,
        reason=reason,
        details={"version": version_of("onnxruntime") or version_of("onnxruntime-gpu"), "provider": provider},
    )


def _fails(provider: str) -> str:
    """Why this provider cannot make a session here: being in the build does not mean that its device is there."""
    import onnxruntime
    from onnxruntime.datasets import get_example

    try:
        session = onnxruntime.InferenceSession(get_example("mul_1.onnx"), providers=[provider, "CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - ONNX Runtime's exceptions share no base but Exception
        return f"{provider} does not start: {_first_line(error)}"
    if provider not in session.get_providers():
        return f"{provider} does not start here: its libraries or its device are missing."
    return ""


def _failed(what: str, error: Exception) -> RuntimeFailure:
    """Why a run failed, in words; that memory does not suffice is what a user can do something about."""
    wanted = ALLOCATION.search(str(error))
    if wanted is None and "bad_alloc" not in str(error):
        return RuntimeFailure(f"{what}: {_first_line(error)}")
    size = f": it asked for {int(wanted[1]):,} bytes at once" if wanted else ""
    return RuntimeFailure(
        f"There is not enough memory to run it{size}.", hint="Give smaller inputs, or allow jobs more memory."
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:400]


RUNTIME: type[Runtime] = OnnxRuntime
