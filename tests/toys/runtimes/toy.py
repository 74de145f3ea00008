"""A runtime in one file: it doubles its input."""

from __future__ import annotations

from inspector.runtimes import Arrays, Device, Runtime, Spec


class ToyRuntime(Runtime):
    id, title, accepts, needs = "toy", "Toy runtime", ("toy",), ()

    @classmethod
    def devices(cls) -> tuple[Device, ...]:
        return (Device(id="toy:cpu", runtime="toy", title="Toy runtime · CPU"),)

    def open(self) -> None:
        self.inputs, self.outputs = (Spec("x", "float32", (1, 3)),), (Spec("y", "float32", (1, 3)),)

    def run(self, feeds: Arrays) -> Arrays:
        return {"y": feeds["x"] * 2}


RUNTIME = ToyRuntime
