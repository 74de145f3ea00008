"""A folder of model files that a framework built in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspector.formats import Source, identify
from inspector.ir import Graph, Model, Tensor


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


def dangling(model: Model) -> list[str]:
    """Names that a graph uses and that nothing before it makes, stores or hands in, as `graph: name`."""
    found: list[str] = []

    def check(graph: Graph, outer: set[str]) -> None:
        known = outer | {value.name for value in graph.inputs}
        for node in graph.nodes:
            found.extend(f"{graph.name}: {name}" for name in node.inputs if name not in known)
            for inner in map(model.graph, node.graphs):
                assert inner is not None
                check(inner, known)
            known |= set(node.outputs)
        found.extend(f"{graph.name}: {value.name}" for value in graph.outputs if value.name not in known)

    assert len({graph.name for graph in model.graphs}) == len(model.graphs)
    if model.main is not None:
        check(model.main, {*model.tensors, ""})
    return found


def build(script: str, folder: Path) -> Built:
    path = Path(__file__).with_name(script)
    done = subprocess.run([sys.executable, str(path), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return Built(folder, json.loads((folder / "facts.json").read_text()))
