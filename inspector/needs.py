"""What a converter or a runtime needs, looked up without importing it.

Importing a framework costs seconds and may crash, so presence is asked of `find_spec` and the version of the
package's metadata. Both work in the window's process, where no framework may ever be imported.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec


@dataclass(frozen=True, slots=True)
class Need:
    """A package that must be installed.

    Attributes:
        module: Top-level module name, looked up with `find_spec`.
        distribution: Name on the package index; the module's name when empty.
        extra: The extra of `inspector` that brings it; empty when the bare install has it.
        before: First Python for which there are no wheels any more; empty where there is no such limit.
    """

    module: str
    distribution: str = ""
    extra: str = ""
    before: tuple[int, ...] = ()

    @property
    def package(self) -> str:
        """Name on the package index."""
        return self.distribution or self.module

    def missing(self) -> str:
        """Empty when installed, else one sentence with what to type."""
        if installed(self.module):
            return ""
        if self.before and sys.version_info >= self.before:
            limit = ".".join(map(str, self.before))
            return f"{self.package} needs a Python below {limit}: install Inspector with such a one"
        how = f"pip install 'inspector[{self.extra}]'" if self.extra else f"pip install {self.package}"
        return f"{self.package} is not installed: {how}"


@cache
def installed(module: str) -> bool:
    """Whether the module can be found; nothing is imported."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


@cache
def version_of(distribution: str) -> str:
    """The installed version, or an empty string."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


TORCH = Need("torch", extra="torch")
ONNXSCRIPT = Need("onnxscript", extra="torch")
TENSORFLOW = Need("tensorflow", extra="tensorflow")
KERAS = Need("keras", extra="tensorflow")
TF2ONNX = Need("tf2onnx", extra="tensorflow")
ONNX_TF = Need("onnx_tf", "onnx-tf", extra="tensorflow", before=(3, 12))
LITERT = Need("ai_edge_litert", "ai-edge-litert", extra="tensorflow")
ONNX = Need("onnx")
ONNXRUNTIME = Need("onnxruntime")
NETRON = Need("netron", extra="web")
WEBENGINE = Need("PySide6.QtWebEngineCore", "PySide6-Addons", extra="web")
