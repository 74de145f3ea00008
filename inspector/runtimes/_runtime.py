"""What a runtime is: a `with` block around one model on one device."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import msgspec
from numpy.typing import NDArray

from inspector.errors import RuntimeFailure
from inspector.ir import Dim
from inspector.needs import Need

Arrays = dict[str, NDArray[Any]]
"""Named arrays in order: feeds or outputs."""


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A device of this machine as one runtime sees it.

    Attributes:
        id: `runtime:device`, such as `torch:cuda:0`, `onnxruntime:cpu`, `litert:cpu-xnnpack`; used on the command line.
        runtime: Id of the runtime.
        title: For people: "ONNX Runtime · CPU".
        kind: cpu, gpu or npu.
        available: Whether a model can run on it now.
        reason: Why not, in one sentence with what to do.
        details: Version, threads, precision, name of the chip.
    """

    id: str
    runtime: str
    title: str
    kind: str = "cpu"
    available: bool = True
    reason: str = ""
    details: dict[str, str] = {}


class Spec(msgspec.Struct, frozen=True):
    """An input or output as the runtime names it; dims are sizes, names or None.

    Attributes:
        limits: Smallest and largest float that a quantised input can express; what lies beyond is cut off.
    """

    name: str
    dtype: str
    shape: tuple[Dim, ...] | None = None
    limits: tuple[float, float] | None = None


class Runtime(ABC):
    """One model opened on one device.

    `run` takes feeds by input name and gives outputs by output name, both as numpy arrays on the host, and returns only
    when the outputs are there: what is timed is what a caller waits for.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    accepts: ClassVar[tuple[str, ...]]
    """Ids of formats."""
    needs: ClassVar[tuple[Need, ...]]

    def __init__(self, path: Path, device: str, threads: int = 0, format: str = "") -> None:
        """Remember what to open.

        Args:
            path: The model file or folder.
            device: Id of one of `devices()`.
            threads: Threads within an operator; 0 leaves it to the runtime.
            format: Id of the file's format, for runtimes that accept several; the first accepted one when empty.
        """
        self.path, self.device, self.threads = path, device, threads
        self.format = format or self.accepts[0]
        self.inputs: tuple[Spec, ...] = ()
        self.outputs: tuple[Spec, ...] = ()
        self.reading: tuple[tuple[str, str], ...] = ()
        """Values as our reader of the format names them, in order, each with the operator that gives it: for `values`
        of runtimes whose own values have no names that last."""

    @classmethod
    @abstractmethod
    def devices(cls) -> tuple[Device, ...]:
        """The devices it knows, those that are missing here with the reason; imports the framework."""

    @abstractmethod
    def open(self) -> None:
        """Load the model onto the device and fill `inputs` and `outputs`; raises RuntimeFailure."""

    @abstractmethod
    def run(self, feeds: Arrays) -> Arrays:
        """One inference; raises RuntimeFailure."""

    def run_exactly(self, feeds: Arrays) -> Arrays | None:
        """The same inference computed in float64; None where the runtime or the model cannot."""
        return None

    def values(self, feeds: Arrays, names: Sequence[str]) -> Arrays:
        """What is computed inside for these feeds, by the names that our reader of the format gives to values.

        Names that the runtime does not know are left out; what it gives is equal to what `run` computes, or off by
        noise where looking inside keeps operators from being fused. Raises RuntimeFailure where it cannot look inside.
        """
        raise RuntimeFailure(
            f"{self.title} does not show what is computed inside {self.path.name}.",
            hint="Convert it to ONNX and compare that layer by layer.",
        )

    def close(self) -> None:  # noqa: B027 - most runtimes have nothing to let go of
        """Let go of the model; may be called twice."""

    def facts(self) -> dict[str, str]:
        """Versions, threads, precision and flags that stand beside every figure measured with it."""
        return {}

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
