"""LiteRT: TFLite models on the CPU, with and without XNNPACK.

The file is read by us and handed over as bytes: a path would be opened by native code a second time. A quantised input
takes floats and a quantised output gives them, by the scale that the file states, so that what is compared is meaning
and not codes; the cost of it is part of what a caller waits for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.errors import RuntimeFailure
from inspector.needs import LITERT, version_of
from inspector.runtimes._runtime import Arrays, Device, Runtime, Spec

XNNPACK, PLAIN = "litert:cpu-xnnpack", "litert:cpu"
HINT = "The model may use custom or TensorFlow (Flex) operators, which LiteRT does not have."


class LiteRT(Runtime):
    """A TFLite model in LiteRT's interpreter; inputs and outputs by the names of its first signature, if it has one."""

    id = "litert"
    title = "LiteRT"
    accepts = ("tflite",)
    needs = (LITERT,)

    @classmethod
    def devices(cls) -> tuple[Device, ...]:
        """The CPU in two ways, and the GPU, which the interpreter's Python package cannot use."""
        from ai_edge_litert.interpreter import Interpreter

        version = {"version": version_of("ai-edge-litert"), "interpreter": Interpreter.__name__}
        return (
            Device(id=XNNPACK, runtime=cls.id, title="LiteRT · CPU (XNNPACK)", details=version),
            Device(id=PLAIN, runtime=cls.id, title="LiteRT · CPU (without XNNPACK)", details=version),
            Device(
                id="litert:gpu",
                runtime=cls.id,
                title="LiteRT · GPU",
                kind="gpu",
                available=False,
                reason="The GPU delegate of LiteRT comes with Android and iOS, not with its Python package.",
            ),
        )

    def open(self) -> None:
        """Make an interpreter; with XNNPACK it prepares its kernels here."""
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        try:
            self._interpreter = Interpreter(
                model_content=self.path.read_bytes(),
                num_threads=self.threads or None,
                experimental_op_resolver_type=plain if self.device == PLAIN else OpResolverType.AUTO,
            )
            self._interpreter.allocate_tensors()
            self._name_tensors()
        except (ValueError, RuntimeError, OSError, TypeError, KeyError) as error:
            raise RuntimeFailure(f"LiteRT cannot open {self.path.name}: {_first_line(error)}", hint=HINT) from error
        self.inputs = tuple(_spec(name, detail) for name, detail in self._takes.items())
        self.outputs = tuple(_spec(name, detail, gives=True) for name, detail in self._gives.items())

    def _name_tensors(self) -> None:
        """Inputs and outputs of the main subgraph, in its order, by the names of the signature that covers them."""
        takes, gives = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        names_in, names_out = {d["index"]: d["name"] for d in takes}, {d["index"]: d["name"] for d in gives}
        for key in self._interpreter.get_signature_list():
            runner = self._interpreter.get_signature_runner(key)
            signed_in = {d["index"]: name for name, d in runner.get_input_details().items()}
            signed_out = {d["index"]: name for name, d in runner.get_output_details().items()}
            if signed_in.keys() == names_in.keys() and signed_out.keys() == names_out.keys():
                names_in, names_out = signed_in, signed_out
                break
        self._takes = {names_in[d["index"]]: d for d in takes}
        self._gives = {names_out[d["index"]]: d for d in gives}
        self._shapes = {name: tuple(int(n) for n in d["shape"]) for name, d in self._takes.items()}

    def run(self, feeds: Arrays) -> Arrays:
        """One inference; tensors are resized and planned again only when a shape differs from the last one's."""
        missing = [name for name in self._takes if name not in feeds]
        if missing:
            raise RuntimeFailure(f"The model also wants the input {missing[0]!r}.")
        try:
            resized = False
            for name, detail in self._takes.items():
                if feeds[name].shape != self._shapes[name]:
                    self._interpreter.resize_tensor_input(detail["index"], list(feeds[name].shape), strict=False)
                    self._shapes[name] = tuple(feeds[name].shape)
                    resized = True
            if resized:
                self._interpreter.allocate_tensors()
            for name, detail in self._takes.items():
                self._interpreter.set_tensor(detail["index"], quantised(feeds[name], detail))
            self._interpreter.invoke()
            return {
                name: dequantised(self._interpreter.get_tensor(detail["index"]), detail)
                for name, detail in self._gives.items()
            }
        except (ValueError, RuntimeError) as error:
            self._shapes = dict.fromkeys(self._shapes, ())  # a failed resize leaves the tensors in any state
            raise RuntimeFailure(
                f"LiteRT cannot run it: {_first_line(error)}", hint="Its shapes may be fixed inside; try batch 1."
            ) from error

    def values(self, feeds: Arrays, names: Sequence[str]) -> Arrays:
        """All tensors of a second interpreter that keeps them; without XNNPACK, which keeps its own to itself."""
        try:
            if not hasattr(self, "_tapped"):
                self._tapped = self._open_tapped()
            interpreter, tensors = self._tapped
            for name, detail in self._takes.items():
                interpreter.resize_tensor_input(detail["index"], list(feeds[name].shape), strict=False)
            interpreter.allocate_tensors()
            for name, detail in self._takes.items():
                interpreter.set_tensor(detail["index"], quantised(feeds[name], detail))
            interpreter.invoke()
        except (ValueError, RuntimeError, OSError, TypeError, KeyError) as error:
            raise RuntimeFailure(f"LiteRT cannot run it layer by layer: {_first_line(error)}", hint=HINT) from error
        found = {}
        for name in names:
            if name in tensors:
                try:
                    found[name] = dequantised(interpreter.get_tensor(tensors[name]["index"]).copy(), tensors[name])
                except ValueError:  # a tensor that an operator keeps to itself
                    continue
        return found

    def _open_tapped(self) -> tuple[Any, dict[str, dict[str, Any]]]:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        interpreter = Interpreter(
            model_content=self.path.read_bytes(),
            num_threads=self.threads or None,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
        interpreter.allocate_tensors()
        details = interpreter.get_tensor_details()
        count = Counter(detail["name"] for detail in details)
        return interpreter, {detail["name"]: detail for detail in details if count[detail["name"]] == 1}

    def close(self) -> None:
        """Let go of the interpreters."""
        for name in ("_interpreter", "_tapped"):
            self.__dict__.pop(name, None)

    def facts(self) -> dict[str, str]:
        """Version, kernels and threads."""
        return {
            "ai-edge-litert": version_of("ai-edge-litert"),
            "kernels": "built-in" if self.device == PLAIN else "XNNPACK where it can",
            "threads": str(self.threads or "1 (its default)"),
        }


def _spec(name: str, detail: dict[str, Any], *, gives: bool = False) -> Spec:
    signature = detail.get("shape_signature", detail["shape"])
    if len(signature) != len(detail["shape"]):
        signature = detail["shape"]
    dtype = np.dtype(detail["dtype"]).name if detail["dtype"] not in (np.bytes_, bytes) else "string"
    if gives and detail["quantization"][0]:
        dtype = "float32"
    return Spec(name, dtype, tuple(int(n) if n >= 0 else None for n in signature), _limits(detail))


def _limits(detail: dict[str, Any]) -> tuple[float, float] | None:
    scale, zero = detail["quantization"]
    if not scale or np.dtype(detail["dtype"]).kind not in "iu":
        return None
    codes = np.iinfo(detail["dtype"])
    return (float((codes.min - zero) * scale), float((codes.max - zero) * scale))


def quantised(array: NDArray[Any], detail: dict[str, Any]) -> NDArray[Any]:
    """Floats as the codes that a quantised input takes; anything else as it is."""
    scale, zero = detail["quantization"]
    kind = np.dtype(detail["dtype"])
    if array.dtype.kind != "f" or not scale or kind.kind not in "iu":
        return array
    limits = np.iinfo(kind)
    codes: NDArray[Any] = np.clip(np.round(array / scale) + zero, limits.min, limits.max).astype(kind)
    return codes


def dequantised(array: NDArray[Any], detail: dict[str, Any]) -> NDArray[Any]:
    """What the codes of a quantised output mean; anything else as it is."""
    scale, zero = detail["quantization"]
    if not scale or array.dtype.kind not in "iu":
        return array
    meant: NDArray[Any] = ((array.astype(np.float64) - zero) * scale).astype(np.float32)
    return meant


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:400]


RUNTIME: type[Runtime] = LiteRT
