"""An edge in one file."""

from __future__ import annotations

from inspector.engines.convert import Edge, Step


def run(step: Step) -> dict[str, str]:
    step.report(0.5, "Making a toy")
    step.target.write_bytes(b"TOY1")
    return {}


EDGE = Edge("onnx_to_toy", "onnx", "toy", "toymaker", run, suffix=".toy", cost=0.5)
