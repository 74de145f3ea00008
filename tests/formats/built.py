"""A folder of model files that a framework built in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspector.formats import Source, identify
from inspector.ir import Model, Tensor


@dataclass(frozen=True)
class Built:
    """A folder of built files, and what their framework says of them."""

    folder: Path
    facts: dict[str, Any]

    def read(self, name: str) -> Model:
        source = self.source(name)
        return identify(source).read(source)

    def source(self, name: str) -> Source:
        return Source(self.folder / name)

    def values(self, name: str, tensor: Tensor) -> Any:
        source = self.source(name)
        return identify(source).fetch(source, tensor)


def build(script: str, folder: Path) -> Built:
    path = Path(__file__).with_name(script)
    done = subprocess.run([sys.executable, str(path), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return Built(folder, json.loads((folder / "facts.json").read_text()))
