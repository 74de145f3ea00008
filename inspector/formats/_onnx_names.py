"""Names of what is read of an ONNX model, and what torch's exporter says beside them."""

from __future__ import annotations

from mmap import mmap

KIND = "pkg.torch.export.graph_signature.InputSpec.kind"


def says(data: bytes | memoryview) -> bool:
    """Whether torch's exporter says in these bytes what a tensor is."""
    whole = data.obj if isinstance(data, memoryview) else data
    return isinstance(whole, (bytes, mmap)) and whole.find(KIND.encode()) >= 0


class Names:
    """Gives every name out once."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def unique(self, name: str) -> str:
        """The name, with a number where it is taken."""
        new = name
        while new in self._taken:
            self._taken[name] += 1
            new = f"{name}#{self._taken[name]}"
        self._taken[new] = 1
        return new
